//! The writes of a run: each on a fresh reading, many at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::check::check;
use super::journal::{Line, now};
use super::outcomes::Report;
use super::precheck::{Precheck, Task, precheck, precheck_but};
use super::queue::{Attempts, Look, Pending, Queue, Ready};
use super::reading;
use super::run::{Context, Progress};
use super::{Outcome, Update, WriteCertainty, Writer};
use crate::cancel::Reason;
use crate::lead::{FieldMask, LeadId};
use crate::observe::{
    Leads, ListingHints, ObserveError, Observed, Projection, Reading, look_again, observe,
    read_page,
};
use crate::plan::Change;

/// A change that passed the precheck, and the reading it was checked on.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) change: &'a Change,
    pub(super) task: Task,
    pub(super) reading: Option<Reading>,
}

/// A lead that was or may have been written.
#[derive(Debug)]
pub(super) struct WrittenLead {
    pub(super) task: Task,
    /// How the last write failed, if it did.
    pub(super) failed: Option<Failed>,
}

/// Why a write is not known to be done.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) words: String,
    /// For all writes of the lead: if one may have been done, the result is uncertain.
    pub(super) certainty: WriteCertainty,
    /// Why nothing more may be sent, if so.
    pub(super) stops: Option<Reason>,
    pub(super) hint: Option<Cow<'static, str>>,
}

impl Failed {
    /// After another write of the lead.
    pub(super) fn then(self, later: Self) -> Self {
        match (self.certainty, later.certainty) {
            (_, WriteCertainty::NotSent) => self,
            (WriteCertainty::Indeterminate, WriteCertainty::Rejected) => Self {
                certainty: WriteCertainty::Indeterminate,
                ..later
            },
            (
                WriteCertainty::Indeterminate | WriteCertainty::NotSent | WriteCertainty::Rejected,
                WriteCertainty::Indeterminate | WriteCertainty::Rejected,
            ) => later,
        }
    }
}

/// If the rate leaves more time than this between two requests, a reading would be too old.
const SLOW: Duration = Duration::from_millis(1_500);

/// Writes these leads, and returns those to read back.
pub(super) async fn write<'a, W: Writer>(
    context: &Context<'_, W>,
    leads: Vec<Planned<'a>>,
    width: usize,
    report: &mut Report,
) -> Vec<WrittenLead> {
    let ids = leads.iter().map(|lead| &lead.change.uuid);
    let projection = Projection::only(ids.map(|id| (id, FieldMask::ALL)));
    let mut run = Writes::new(context, report, leads);
    let (mut permits, mut writes, mut looks) = (
        FuturesUnordered::new(),
        FuturesUnordered::new(),
        FuturesUnordered::new(),
    );
    loop {
        let goes_on = context.stop.reason().is_none();
        if goes_on {
            let only_retries = run.only_retries();
            run.queue.expire();
            while run.may_look()
                && let Some(look) = run.queue.look(width, only_retries)
            {
                looks.push(read(context, look, &projection));
            }
            let may_write = permits.is_empty() && writes.len() < width;
            if may_write && let Some(turn) = run.turn(only_retries) {
                permits.push(wait(context.writer, turn));
            }
        }
        let is_idle = permits.is_empty() && writes.is_empty() && looks.is_empty();
        let wake = run.queue.wake().filter(|_| goes_on);
        if is_idle && wake.is_none() {
            break;
        }
        tokio::select! {
            Some(permit) = permits.next() => match permit {
                Ok(None) => run.is_prepaid = true,
                Ok(Some(permit)) => if let Some(ready) = run.next() {
                    run.is_prepaid = false;
                    writes.push(write_one(context, run.report.knowledge.adds_notes, ready, permit));
                },
                Err(error) => run.stop(&error),
            },
            Some(attempt) = writes.next() => run.settle(attempt),
            Some((look, found)) = looks.next() => run.take(&look, found),
            () = until(wake) => {}
            () = context.stop.until_interrupted(), if is_idle => {}
        }
    }
    run.end()
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

struct Writes<'a, 'r, W> {
    context: &'r Context<'r, W>,
    report: &'r mut Report,
    queue: Queue<'a>,
    written: Vec<WrittenLead>,
    failures: usize,
    /// The rate leaves so much time between requests that a reading would be too old when its write is sent. So the write's share of the
    /// rate is waited for before the reading.
    is_slow: bool,
    is_prepaid: bool,
}

/// What is waited for.
enum Turn {
    /// A share of the rate.
    Prepay,
    /// A permit to send a write.
    Send { is_prepaid: bool },
}

async fn wait<W: Writer>(writer: &W, turn: Turn) -> Result<Option<W::Permit<'_>>, W::Error> {
    match turn {
        Turn::Prepay => writer.prepay().await.map(|()| None),
        Turn::Send { is_prepaid } => writer.permit(is_prepaid).await.map(Some),
    }
}

impl<'a, 'r, W: Writer> Writes<'a, 'r, W> {
    fn new(context: &'r Context<'r, W>, report: &'r mut Report, leads: Vec<Planned<'a>>) -> Self {
        let mut queue = Queue::default();
        for Planned {
            change,
            task,
            reading,
        } in leads
        {
            let place = task.live.as_ref().and_then(|live| live.seen);
            let mut pending = Pending::new(change, place);
            pending.is_again = report.is_again(&change.uuid);
            pending.lost_notes = report.lost_notes(&change.uuid).to_vec();
            match reading {
                Some(reading) => queue.ready(Ready {
                    pending,
                    task,
                    reading,
                }),
                None => queue.wait(pending),
            }
        }
        Self {
            context,
            report,
            queue,
            written: Vec::new(),
            failures: 0,
            is_slow: context.writer.interval() > SLOW,
            is_prepaid: false,
        }
    }

    fn may_look(&self) -> bool {
        self.is_prepaid || !self.is_slow
    }

    fn turn(&self, only_retries: bool) -> Option<Turn> {
        if self.is_slow && !self.is_prepaid {
            self.queue.has_leads().then_some(Turn::Prepay)
        } else if self.queue.has_next(only_retries) {
            Some(Turn::Send {
                is_prepaid: self.is_prepaid,
            })
        } else {
            None
        }
    }

    /// After the maximum number of failed writes, temporary or not, no new lead is started.
    fn only_retries(&self) -> bool {
        self.failures + self.queue.retrying() >= self.context.options.max_failures
    }

    fn next(&mut self) -> Option<Ready<'a>> {
        let only_retries = self.only_retries();
        self.context
            .stop
            .reason()
            .is_none()
            .then(|| self.queue.next(only_retries))?
    }

    /// Nothing more can be sent.
    fn stop(&mut self, error: &W::Error) {
        if !self.context.stop.interrupted() {
            self.context.stop.ask(Reason::Fatal);
            self.report.fatal.get_or_insert(error.to_string());
            self.report.hints.extend(W::hint(error));
        }
    }

    fn settle(&mut self, attempt: Attempt<'a>) {
        let Attempt {
            pending,
            task,
            age,
            failed,
            retry,
        } = attempt;
        self.report.oldest_reading = self.report.oldest_reading.max(age);
        let Some(failed) = failed else {
            self.finish(pending, task, None);
            return;
        };
        self.report.hints.extend(failed.hint.clone());
        if let Some(reason) = failed.stops {
            self.context.stop.ask(reason);
            self.report.fatal.get_or_insert(failed.words.clone());
        }
        if failed.certainty == WriteCertainty::NotSent {
            self.give_up(pending, Some(failed.words));
            return;
        }
        let tries = pending
            .attempts
            .as_ref()
            .map_or(0, |attempts| attempts.tries);
        if tries < retry.times && self.context.stop.reason().is_none() {
            self.queue.retry(pending, task, failed, retry.pause);
            return;
        }
        self.finish(pending, task, Some(failed));
        self.failures += 1;
        if self.failures >= self.context.options.max_failures {
            self.context.stop.ask(Reason::Failures);
        }
    }

    /// The last write of a lead was answered, or will not be.
    fn finish(&mut self, pending: Pending<'a>, task: Task, failed: Option<Failed>) {
        self.queue.done(&pending.change.uuid);
        (self.context.progress)(Progress::Wrote);
        let written = match pending.attempts {
            Some(mut attempts) => {
                attempts.add(task);
                let failed = failed.map(|failed| attempts.failed.then(failed));
                WrittenLead {
                    task: attempts.task,
                    failed,
                }
            }
            None => WrittenLead { task, failed },
        };
        self.written.push(written);
    }

    /// Nothing more is sent for a lead.
    fn give_up(&mut self, pending: Pending<'a>, words: Option<String>) {
        let id = &pending.change.uuid;
        self.queue.done(id);
        match pending.attempts {
            Some(Attempts { task, failed, .. }) => self.written.push(WrittenLead {
                task,
                failed: Some(failed),
            }),
            None => self
                .report
                .end(self.context, id.clone(), Outcome::Untried, words),
        }
    }

    /// A reading decides for each lead that waits for one, even if it was found on another lead's page.
    fn take(&mut self, look: &Look, found: Result<ReadResult, ObserveError<W::Error>>) {
        self.queue.looked(look);
        let ReadResult {
            leads,
            unreadable,
            reading,
        } = match found {
            Ok(found) => found,
            Err(error) => {
                if !self.context.stop.interrupted() {
                    self.context.stop.ask(Reason::Fatal);
                    self.report.fatal.get_or_insert(crate::text::chain(&error));
                }
                return;
            }
        };
        let side_effects = self.context.options.side_effects;
        for (id, observed) in &leads {
            let reading = observed.reading.unwrap_or(reading);
            if let Some(mut pending) = self.queue.take(id, reading) {
                pending.found(observed.seen);
                // A value that the platform normalized was written: it is not sent again.
                let is_there = pending.attempts.as_ref().is_some_and(|attempts| {
                    let seen = check(&attempts.task, observed, side_effects);
                    seen.is_only_normalised()
                });
                let result = if is_there {
                    Precheck::AlreadyApplied
                } else {
                    let mine = pending.attempts.as_ref().map(|_| side_effects);
                    precheck_but(pending.change, Some(observed), mine.unwrap_or_default())
                };
                self.decide(pending, result, reading, Some(observed));
            }
        }
        for (id, reason) in unreadable {
            if let Some(pending) = self.queue.remove(&id) {
                self.give_up(
                    pending,
                    Some(format!("its record cannot be read: {reason}")),
                );
            }
        }
        for id in look.leads.iter().filter(|id| !leads.contains_key(*id)) {
            match look.page {
                Some(seen) => self.queue.missed(id, seen),
                None => {
                    if let Some(pending) = self.queue.take(id, reading) {
                        let result = precheck(pending.change, None);
                        self.decide(pending, result, reading, None);
                    }
                }
            }
        }
    }

    fn decide(
        &mut self,
        mut pending: Pending<'a>,
        result: Precheck,
        reading: Reading,
        seen: Option<&Observed>,
    ) {
        let id = &pending.change.uuid;
        match (result, pending.attempts.take()) {
            (Precheck::Proceed(task), attempts) => {
                pending.attempts = attempts;
                self.queue.ready(Ready {
                    pending,
                    task: *task,
                    reading,
                });
            }
            // An earlier write was done, although its answer was lost.
            (Precheck::AlreadyApplied, Some(attempts)) => {
                self.queue.done(id);
                (self.context.progress)(Progress::Wrote);
                self.written.push(WrittenLead {
                    task: attempts.task,
                    failed: None,
                });
            }
            (Precheck::AlreadyApplied, None) => {
                self.report
                    .end(self.context, id.clone(), Outcome::Already, None);
            }
            // Some of an earlier write is there: reading back says what of it.
            (Precheck::Stale(_), Some(attempts)) if attempts.is_done_in_part(seen) => {
                self.queue.done(id);
                (self.context.progress)(Progress::Wrote);
                self.written.push(WrittenLead {
                    task: attempts.task,
                    failed: Some(attempts.failed),
                });
            }
            (Precheck::Stale(why), attempts) => {
                self.queue.done(id);
                let why = match attempts {
                    Some(Attempts { failed, .. }) => {
                        format!("{why}; a write was sent before: {}", failed.words)
                    }
                    None => why,
                };
                self.report
                    .end(self.context, id.clone(), Outcome::Stale, Some(why));
            }
        }
    }

    fn end(mut self) -> Vec<WrittenLead> {
        for pending in std::mem::take(&mut self.queue).into_rest() {
            self.give_up(pending, None);
        }
        self.written
    }
}

/// The result of a read.
struct ReadResult {
    leads: Leads,
    unreadable: BTreeMap<LeadId, String>,
    /// For leads that were not found.
    reading: Reading,
}

async fn read<W: Writer>(
    context: &Context<'_, W>,
    look: Look,
    projection: &Projection,
) -> (Look, Result<ReadResult, ObserveError<W::Error>>) {
    let sent = Instant::now();
    let found = match look.page {
        Some(seen) => read_page(context.writer, seen, projection).await,
        None => sweep(context.writer, &look.leads).await,
    };
    let answered = Instant::now();
    let found = found.map(|(leads, unreadable)| ReadResult {
        leads,
        unreadable,
        reading: Reading { sent, answered },
    });
    (look, found)
}

/// Looks for leads from the front of the listing; what one sweep did not show is searched for as `observe` does.
async fn sweep<W: Writer>(
    writer: &W,
    leads: &BTreeSet<LeadId>,
) -> Result<(Leads, BTreeMap<LeadId, String>), ObserveError<W::Error>> {
    let hints = leads.iter().map(|id| (id.clone(), None)).collect();
    let (mut found, mut unreadable) = look_again(writer, &hints).await?;
    let slipped: BTreeSet<LeadId> = leads
        .iter()
        .filter(|id| !found.contains_key(*id) && !unreadable.contains_key(*id))
        .cloned()
        .collect();
    if !slipped.is_empty() {
        let live = observe(writer, &slipped, false, &ListingHints::default()).await?;
        found.extend(live.leads);
        unreadable.extend(live.unreadable);
    }
    Ok((found, unreadable))
}

/// A write that was sent, or should have been.
struct Attempt<'a> {
    pending: Pending<'a>,
    task: Task,
    /// The age of its reading; `None` if it was not sent.
    age: Option<Duration>,
    failed: Option<Failed>,
    retry: Retry,
}

/// Whether and when it may be repeated.
#[derive(Default)]
struct Retry {
    times: usize,
    pause: Option<Duration>,
}

async fn write_one<'a, 'w, W: Writer>(
    context: &Context<'w, W>,
    adds_notes: bool,
    ready: Ready<'a>,
    permit: W::Permit<'w>,
) -> Attempt<'a> {
    let Context {
        writer,
        journal,
        options,
        ..
    } = *context;
    let Ready {
        pending,
        task,
        reading,
    } = ready;
    let not_sent = |pending, task, error: std::io::Error| Attempt {
        pending,
        task,
        age: None,
        failed: Some(Failed {
            words: format!("not sent, because the run file cannot be written: {error}"),
            certainty: WriteCertainty::NotSent,
            stops: Some(Reason::Journal),
            hint: None,
        }),
        retry: Retry::default(),
    };
    let Change {
        uuid,
        action,
        fields,
        ..
    } = &task.change;
    let line = Line::Write {
        uuid: uuid.clone(),
        at: now(),
        action: *action,
        again: pending.is_again,
        fields: crate::plan::file::redact_change(&task.change, options.names).fields,
    };
    if let Err(error) = journal.line(&line) {
        return not_sent(pending, task, error);
    }
    let update = Update {
        id: uuid,
        fields: fields
            .iter()
            .map(|change| (change.field.clone(), change.after.clone()))
            .collect(),
        live: task.live.as_ref(),
        tag_shape: options.tag_shape,
        adds_notes,
        lost_notes: &pending.lost_notes,
    };
    let age = Some(reading::age(reading, Instant::now()));
    let sent = writer.update(&update, permit).await;
    let retry = sent
        .as_ref()
        .err()
        .map_or_else(Retry::default, |error| Retry {
            times: W::retries(error),
            pause: W::retry_after(error),
        });
    let mut failed = sent.err().map(|error| Failed {
        words: options.names.message(&error.to_string(), &update.fields),
        certainty: W::certainty(&error),
        stops: W::is_fatal(&error).then_some(Reason::Fatal),
        hint: W::hint(&error),
    });
    let line = Line::Answer {
        uuid: uuid.clone(),
        at: now(),
        error: failed.as_ref().map(|failed| failed.words.clone()),
    };
    if let Err(error) = journal.line(&line) {
        let failed = failed.get_or_insert_with(|| Failed {
            words: format!("written, but the run file cannot be written: {error}"),
            certainty: WriteCertainty::Indeterminate,
            stops: None,
            hint: None,
        });
        failed.stops = Some(Reason::Journal);
    }
    Attempt {
        pending,
        task,
        age,
        failed,
        retry,
    }
}
