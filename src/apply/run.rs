//! One run: canary, writes, reading back, an outcome for each lead.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::journal::{Journal, Line, now};
use super::verify::{ReadBack, read_back};
use super::{Outcome, Update, WriteCertainty, Writer};
use crate::cancel::{Cancellation, Reason};
use crate::diff::{Ask, ask};
use crate::lead::LeadId;
use crate::observe::TagShape;
use crate::observe::{Leads, ObserveError, Seen, look_again, observe};
use crate::plan::Change;
use crate::plan::settle::{Settled, Task, sent, settle};
use crate::redaction::Redaction;

/// How a run goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// So many leads are written and read back before any other.
    pub canary: usize,
    /// After so many failed writes no other is begun.
    pub max_failures: usize,
    /// Whether to read back at all.
    pub verify: bool,
    /// How long a listing may lag behind a write.
    pub patience: Duration,
    /// When the run must be over.
    pub deadline: Option<Instant>,
    /// When the listing had been read that the tasks were made from.
    pub listed: Instant,
    /// So long after it was read a lead may be written over; longer where reading the listing takes long.
    pub fresh: Duration,
    /// How much of people's names the run file may hold.
    pub names: Redaction,
    /// The shape of tags where a lead shows none.
    pub tag_shape: TagShape,
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A write was answered.
    Wrote,
    /// A lead was read back and agrees.
    Verified,
}

/// What became of each lead.
#[derive(Debug, Default)]
pub struct Report {
    /// By uuid: the outcome, and more words where there are any.
    pub outcomes: BTreeMap<LeadId, (Outcome, Option<String>)>,
    /// Why it ended early, where it did.
    pub stopped: Option<Reason>,
    /// The words of the error that ended it, where one did.
    pub fatal: Option<String>,
    /// What may be set so that the platform does what is asked.
    pub hints: BTreeSet<&'static str>,
}

impl Report {
    /// How many leads ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes
            .values()
            .filter(|(other, _)| *other == outcome)
            .count()
    }
}

/// Runs. `done` are leads that are settled without a write; each of them and of `tasks` gets its outcome.
pub async fn run<W: Writer>(
    writer: &W,
    tasks: Vec<Task>,
    done: Vec<(LeadId, Outcome, Option<String>)>,
    journal: &Journal,
    options: &Options,
    stop: &Cancellation,
    progress: &(dyn Fn(Progress) + Sync),
) -> Report {
    let mut run = Run {
        writer,
        journal,
        options,
        stop,
        progress,
        report: Report::default(),
        adds_notes: false,
        fresh: Fresh::since(options.listed, Duration::ZERO, options),
    };
    for (id, outcome, detail) in done {
        run.end(id, outcome, detail);
    }
    let mut rest = tasks;
    if options.verify && options.canary > 0 {
        let canary = canaries(&mut rest, options.canary);
        let ids: Vec<LeadId> = canary.iter().map(|task| task.change.uuid.clone()).collect();
        run.write_and_verify(canary, 1).await;
        let good = |id: &LeadId| {
            run.report
                .outcomes
                .get(id)
                .is_some_and(|(outcome, _)| *outcome == Outcome::Verified)
        };
        if !ids.iter().all(good) {
            stop.ask(Reason::Failures);
        }
    }
    run.write_and_verify(rest, writer.width()).await;
    run.report.stopped = stop
        .reason()
        .filter(|reason| *reason == Reason::Interrupted || run.report.count(Outcome::Untried) > 0);
    run.report
}

/// Takes so many tasks out, those first that show most of what this run asks of the platform: a lead whose status moves says
/// nothing about tags.
fn canaries(tasks: &mut Vec<Task>, number: usize) -> Vec<Task> {
    let mut shown: BTreeSet<Ask> = BTreeSet::new();
    let mut chosen = Vec::new();
    while chosen.len() < number && !tasks.is_empty() {
        let news = |task: &Task| asks(task).difference(&shown).count();
        // Of equals, the first.
        let at = (0..tasks.len())
            .rev()
            .max_by_key(|at| news(&tasks[*at]))
            .unwrap_or_default();
        let task = tasks.remove(at);
        shown.extend(asks(&task));
        chosen.push(task);
    }
    chosen
}

fn asks(task: &Task) -> BTreeSet<Ask> {
    let live = task.live.as_ref().map(|live| &live.lead);
    task.change
        .fields
        .iter()
        .map(|change| ask(change, live))
        .chain(live.is_none().then_some(Ask::Creation))
        .collect()
}

struct Run<'a, W> {
    writer: &'a W,
    journal: &'a Journal,
    options: &'a Options,
    stop: &'a Cancellation,
    progress: &'a (dyn Fn(Progress) + Sync),
    report: Report,
    adds_notes: bool,
    fresh: Fresh,
}

/// How long what was read of the listing may be written over.
struct Fresh {
    until: Instant,
}

/// Reading again takes at most a sixth of the time.
const SHARE: u32 = 5;

impl Fresh {
    /// From a listing that was read by `read`, and `took` so long.
    fn since(read: Instant, took: Duration, options: &Options) -> Self {
        Self {
            until: read + options.fresh.max(took * SHARE),
        }
    }

    fn lasts(&self) -> bool {
        Instant::now() < self.until
    }
}

/// What a platform that adds notes is met with.
const ADDS_NOTES: &str = "this platform adds notes to those there, so that those of the leads written first stand there twice; the rest got \
                          only the new ones. Set api.notes to `new`";

impl<W: Writer> Run<'_, W> {
    async fn write_and_verify(&mut self, tasks: Vec<Task>, width: usize) {
        let mut written = Vec::new();
        let mut failed: BTreeMap<LeadId, Failed> = BTreeMap::new();
        let mut tasks: VecDeque<Task> = tasks.into();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < width && self.stop.reason().is_none() && self.fresh.lasts() {
                let Some(task) = tasks.pop_front() else { break };
                under_way.push(write_one(
                    self.writer,
                    self.journal,
                    self.options,
                    self.adds_notes,
                    task,
                ));
            }
            match under_way.next().await {
                Some(attempt) => self.settle_attempt(attempt, &mut written, &mut failed),
                None if tasks.is_empty() || self.stop.reason().is_some() => break,
                None => tasks = self.look_once_more(tasks).await,
            }
        }
        drop(under_way);
        for task in tasks {
            self.end(task.change.uuid, Outcome::Untried, None);
        }
        self.verify(&written, failed).await;
    }

    fn settle_attempt(
        &mut self,
        attempt: Attempt,
        written: &mut Vec<Task>,
        failed: &mut BTreeMap<LeadId, Failed>,
    ) {
        let Attempt {
            task,
            failed: failure,
            journal,
        } = attempt;
        (self.progress)(Progress::Wrote);
        if let Some(words) = journal {
            self.stop.ask(Reason::Journal);
            self.report.fatal.get_or_insert(words);
        }
        if let Some(failure) = failure {
            self.report.hints.extend(failure.hint);
            if failure.fatal {
                self.stop.ask(Reason::Fatal);
                self.report.fatal.get_or_insert(failure.words.clone());
            }
            if failure.certainty == WriteCertainty::NotSent {
                self.end(task.change.uuid, Outcome::Untried, Some(failure.words));
                return;
            }
            failed.insert(task.change.uuid.clone(), failure);
            if failed.len() >= self.options.max_failures {
                self.stop.ask(Reason::Failures);
            }
        }
        written.push(task);
    }

    /// Where each was first, then from the front; what one sweep did not show is looked for as `observe` does.
    async fn read_again(
        &self,
        hints: &BTreeMap<LeadId, Option<Seen>>,
    ) -> Result<Leads, ObserveError<W::Error>> {
        let mut found = look_again(self.writer, hints).await?;
        let slipped: BTreeSet<LeadId> = hints
            .iter()
            .filter(|(id, seen)| seen.is_some() && !found.contains_key(*id))
            .map(|(id, _)| id.clone())
            .collect();
        if !slipped.is_empty() {
            found.extend(observe(self.writer, slipped, false).await?.leads);
        }
        Ok(found)
    }

    /// What was read too long ago is read again before it is written over: whoever has been at a lead since keeps what they did.
    async fn look_once_more(&mut self, tasks: VecDeque<Task>) -> VecDeque<Task> {
        let hints = tasks
            .iter()
            .map(|task| {
                (
                    task.change.uuid.clone(),
                    task.live.as_ref().and_then(|live| live.seen),
                )
            })
            .collect();
        let begun = Instant::now();
        let found = match self.read_again(&hints).await {
            Ok(found) => found,
            Err(error) => {
                self.stop.ask(Reason::Fatal);
                self.report.fatal.get_or_insert(crate::text::chain(&error));
                return tasks;
            }
        };
        let now = Instant::now();
        self.fresh = Fresh::since(now, now - begun, self.options);
        let mut open = VecDeque::with_capacity(tasks.len());
        for task in tasks {
            let id = task.change.uuid.clone();
            match settle(&task.change, found.get(&id).map(Box::as_ref)) {
                Settled::Go(task) => open.push_back(*task),
                Settled::Already => self.end(id, Outcome::Already, None),
                Settled::Stale(why) => self.end(id, Outcome::Stale, Some(why)),
            }
        }
        open
    }

    /// A write without an answer may have been done all the same: reading back says which.
    async fn verify(&mut self, written: &[Task], mut failed: BTreeMap<LeadId, Failed>) {
        let fatal = self.stop.reason() == Some(Reason::Fatal);
        if !self.options.verify || written.is_empty() || fatal && failed.len() == written.len() {
            for task in written {
                let id = &task.change.uuid;
                match failed.remove(id) {
                    Some(failure) => self.end(id.clone(), Outcome::Failed, Some(failure.words)),
                    None => self.end(id.clone(), Outcome::Written, None),
                }
            }
            return;
        }
        let hopeless = written.iter().all(|task| {
            failed
                .get(&task.change.uuid)
                .is_some_and(|failure| failure.certainty == WriteCertainty::Rejected)
        });
        let patience = if hopeless {
            Duration::ZERO
        } else {
            self.options.patience
        };
        let until = Instant::now() + patience;
        let until = self
            .options
            .deadline
            .map_or(until, |deadline| until.min(deadline));
        let progress = self.progress;
        let results = read_back(self.writer, written, until, self.stop, |_| {
            progress(Progress::Verified)
        })
        .await;
        for (id, result) in results {
            let (outcome, detail) = self.judge(result, failed.remove(&id));
            self.end(id, outcome, detail);
        }
    }

    fn judge(&mut self, result: ReadBack, failed: Option<Failed>) -> (Outcome, Option<String>) {
        match (result, failed) {
            (ReadBack::Agrees(agreement), _) => {
                if agreement.notes_doubled {
                    self.adds_notes = true;
                    self.report.hints.insert(ADDS_NOTES);
                    return (
                        Outcome::Verified,
                        Some("but the notes that were there stand there twice".to_owned()),
                    );
                }
                (Outcome::Verified, None)
            }
            (ReadBack::Disagrees(disagreement), failed)
                if failed.is_none() || disagreement.took_effect =>
            {
                self.report.hints.extend(&disagreement.hints);
                let told = disagreement.to_string();
                (
                    Outcome::Unverified,
                    Some(failed.map_or(told.clone(), |failed| {
                        format!("{told}; and the write failed: {}", failed.words)
                    })),
                )
            }
            (_, Some(failed)) => (Outcome::Failed, Some(failed.words)),
            (ReadBack::Disagrees(disagreement), None) => {
                (Outcome::Unverified, Some(disagreement.to_string()))
            }
            (ReadBack::Gone, None) => (
                Outcome::Unverified,
                Some("it is not in the listing".to_owned()),
            ),
            (ReadBack::Unreadable(words), None) => (
                Outcome::Unverified,
                Some(format!("it could not be read back: {words}")),
            ),
            (ReadBack::NotRead(why), None) => {
                (Outcome::Written, Some(format!("not read back: {why}")))
            }
        }
    }

    fn end(&mut self, id: LeadId, outcome: Outcome, detail: Option<String>) {
        let line = Line::Outcome {
            uuid: id.clone(),
            outcome,
            detail: detail.clone(),
        };
        if let Err(error) = self.journal.line(&line) {
            self.stop.ask(Reason::Journal);
            self.report.fatal.get_or_insert(error.to_string());
        }
        self.report.outcomes.insert(id, (outcome, detail));
    }
}

struct Attempt {
    task: Task,
    failed: Option<Failed>,
    /// Why the run file could not be written, where it could not.
    journal: Option<String>,
}

struct Failed {
    words: String,
    certainty: WriteCertainty,
    fatal: bool,
    hint: Option<&'static str>,
}

async fn write_one<W: Writer>(
    writer: &W,
    journal: &Journal,
    options: &Options,
    adds_notes: bool,
    task: Task,
) -> Attempt {
    let Change {
        uuid,
        action,
        fields,
        ..
    } = &task.change;
    let told = crate::plan::file::told(&task.change, options.names).fields;
    let line = Line::Write {
        uuid: uuid.clone(),
        at: now(),
        action: *action,
        fields: told,
    };
    if let Err(error) = journal.line(&line) {
        let words = format!("not sent, because the run file cannot be written: {error}");
        let failed = Failed {
            words: words.clone(),
            certainty: WriteCertainty::NotSent,
            fatal: false,
            hint: None,
        };
        return Attempt {
            task,
            failed: Some(failed),
            journal: Some(words),
        };
    }
    let update = Update {
        id: uuid,
        fields: fields.iter().map(sent).collect(),
        live: task.live.as_ref(),
        tag_shape: options.tag_shape,
        adds_notes,
    };
    let failed = writer.update(&update).await.err().map(|error| Failed {
        words: options.names.message(&error.to_string(), &update.fields),
        certainty: W::certainty(&error),
        fatal: W::is_fatal(&error),
        hint: W::hint(&error),
    });
    let line = Line::Answer {
        uuid: uuid.clone(),
        at: now(),
        error: failed.as_ref().map(|failed| failed.words.clone()),
    };
    let journal = journal
        .line(&line)
        .err()
        .map(|error| format!("the run file cannot be written: {error}"));
    Attempt {
        task,
        failed,
        journal,
    }
}

#[cfg(test)]
mod tests;
