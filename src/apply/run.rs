//! One run: canaries, all other writes, reading back, and an outcome for each lead.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::check::{Check, Instead};
use super::journal::{Journal, Line};
use super::platform::{Knowledge, LearnedEffect};
use super::precheck::{Precheck, Task, precheck};
use super::read_back::{ReadBack, read_back};
use super::side_effects;
use super::write::{Failed, Planned, WrittenLead, write};
use super::{Outcome, WriteCertainty, Writer};
use crate::cancel::{Cancellation, Reason};
use crate::diff::{Ask, ask};
use crate::lead::{Field, FieldId, FieldMask, LeadId, Value};
use crate::observe::{Live, Observed, TagShape};
use crate::plan::Change;
use crate::redaction::Redaction;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The number of leads that are written and verified before any other.
    pub canary: usize,
    /// The number of failed writes after which no other is started.
    pub max_failures: usize,
    /// Whether to read back.
    pub verify: bool,
    /// How long a listing may lag behind a write.
    pub patience: Duration,
    /// When the run must end.
    pub deadline: Option<Instant>,
    /// How much of people's names the run file may contain.
    pub names: Redaction,
    /// The form of tags for a lead that has none.
    pub tag_shape: TagShape,
    /// Fields that the platform changes with a write of others.
    pub side_effects: FieldMask,
    /// What earlier runs learned about the platform.
    pub known: Knowledge,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A lead was written.
    Wrote,
    /// A lead was read back and agrees.
    Verified,
}

/// The context of a run.
pub struct Context<'a, W> {
    /// The inbox.
    pub writer: &'a W,
    /// The run file.
    pub journal: &'a Journal,
    /// The options.
    pub options: &'a RunOptions,
    /// The cancellation of the run.
    pub stop: &'a Cancellation,
    /// Called for each step.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Called where something was learned that the next run must know, even if this one is killed.
    pub learned: &'a (dyn Fn(&Knowledge) + Sync),
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// By uuid: the outcome, and details if any.
    pub outcomes: BTreeMap<LeadId, (Outcome, Option<String>)>,
    /// Why it stopped early, if it did.
    pub stopped: Option<Reason>,
    /// The error that stopped it, if one did.
    pub fatal: Option<String>,
    /// A setting that may make the platform accept the writes.
    pub hints: BTreeSet<Cow<'static, str>>,
    /// The age of the oldest reading that a write was based on; `None` if nothing was sent.
    pub oldest_reading: Option<Duration>,
    /// The number of leads that were or may have been written, and should have been read back but were not.
    pub not_read_back: usize,
    /// What is known about the platform.
    pub knowledge: Knowledge,
    /// Leads that are written once more after a side effect, with the remarks on their first write.
    again: BTreeMap<LeadId, Option<String>>,
    /// How many were.
    rewritten: usize,
    /// Leads that show what was written, except for normalization by the platform.
    normalised: BTreeSet<LeadId>,
    /// Whether a lead has been read back on which the platform left everything else unchanged.
    keeps_the_rest: bool,
}

impl Report {
    /// The number of leads with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes
            .values()
            .filter(|(other, _)| *other == outcome)
            .count()
    }

    /// Records the outcome of a lead, in the run file, too.
    pub(super) fn end<W>(
        &mut self,
        context: &Context<'_, W>,
        id: LeadId,
        outcome: Outcome,
        detail: Option<String>,
    ) {
        let (outcome, detail) = match self.again.remove(&id) {
            Some(remarks) => after_again(outcome, detail, remarks),
            None => (outcome, detail),
        };
        let line = Line::Outcome {
            uuid: id.clone(),
            outcome,
            detail: detail.clone(),
        };
        if let Err(error) = context.journal.line(&line) {
            context.stop.ask(Reason::Journal);
            self.fatal.get_or_insert(error.to_string());
        }
        self.outcomes.insert(id, (outcome, detail));
    }

    /// Whether a lead is written once more after a side effect.
    pub(super) fn is_again(&self, id: &LeadId) -> bool {
        self.again.contains_key(id)
    }

    fn outcome(&self, id: &LeadId) -> Option<Outcome> {
        self.outcomes.get(id).map(|(outcome, _)| *outcome)
    }
}

/// Runs `changes`, which were planned from `live`: each lead gets an outcome.
pub async fn run<W: Writer>(context: &Context<'_, W>, changes: &[Change], live: &Live) -> Report {
    let mut report = Report {
        knowledge: context.options.known.clone(),
        ..Report::default()
    };
    let mut open = Vec::new();
    for change in changes {
        let seen = live.get(&change.uuid);
        match precheck(change, seen) {
            Precheck::Proceed(task) => open.push(Planned {
                change,
                task: *task,
                reading: seen.map_or(live.reading, |seen| seen.reading),
            }),
            Precheck::AlreadyApplied => {
                report.end(context, change.uuid.clone(), Outcome::Already, None);
            }
            Precheck::Stale(why) => {
                report.end(context, change.uuid.clone(), Outcome::Stale, Some(why));
            }
        }
    }
    if context.options.verify && context.options.canary > 0 {
        write_canaries(context, &mut open, &mut report).await;
    }
    // A written lead moves to the front of a listing by date: leads further on keep their position.
    open.sort_by_key(|lead| lead.task.live.as_ref().and_then(|live| live.seen));
    write_and_verify(context, open, context.writer.width(), &mut report).await;
    report_side_effects(context.options, &mut report);
    let untried = report.count(Outcome::Untried) > 0;
    report.stopped = context
        .stop
        .reason()
        .filter(|reason| *reason == Reason::Interrupted || untried);
    report
}

/// The outcome of a lead that was written, of which a field was then to be written once more.
fn after_again(
    outcome: Outcome,
    detail: Option<String>,
    remarks: Option<String>,
) -> (Outcome, Option<String>) {
    match outcome {
        Outcome::Verified | Outcome::Already => {
            let parts: Vec<String> = remarks.into_iter().chain(detail).collect();
            (
                Outcome::Verified,
                (!parts.is_empty()).then(|| parts.join("; ")),
            )
        }
        Outcome::Written => (outcome, detail),
        Outcome::Stale | Outcome::Failed | Outcome::Untried | Outcome::Unverified => {
            let why = detail.map_or_else(String::new, |detail| format!(": {detail}"));
            let words = format!("a side effect of the write is not put right{why}");
            (Outcome::Unverified, Some(words))
        }
    }
}

/// Hints at the side effects that this run saw.
fn report_side_effects(options: &RunOptions, report: &mut Report) {
    if report.rewritten > 0 {
        let leads = crate::text::count(report.rewritten, "lead");
        let words = format!(
            "fields of {leads} were written once more after a side effect, as api.side_effects asks"
        );
        report.hints.insert(words.into());
    }
    let before = |effect: &LearnedEffect| {
        let mut known = options.known.side_effects.iter();
        known.any(|other| {
            other.leads == effect.leads
                && other.field == effect.field
                && other.shown == effect.shown
        })
    };
    let accepted = |effect: &LearnedEffect| {
        let mut ids = FieldId::all().filter(|id| id.group() == effect.field);
        ids.any(|id| options.side_effects.has(id))
    };
    let seen = report.knowledge.side_effects.iter();
    let seen = seen.filter(|effect| effect.is_likely() && !before(effect) && !accepted(effect));
    let hints: Vec<String> = seen
        .map(|effect| {
            format!(
                "{}: a side effect of this platform, if nobody did it in the inbox; `api.side_effects: [{}]` accepts it",
                effect.words(),
                effect.field
            )
        })
        .collect();
    report.hints.extend(hints.into_iter().map(Cow::Owned));
}

/// Writes and verifies the canaries. One that turns out stale, already applied or unreadable says nothing about the
/// platform, so the next lead takes its place. Any other outcome but verified stops the run.
async fn write_canaries<'a, W: Writer>(
    context: &Context<'_, W>,
    open: &mut Vec<Planned<'a>>,
    report: &mut Report,
) {
    let mut missing = context.options.canary;
    while missing > 0 && !open.is_empty() {
        let canaries = canaries(open, missing);
        let ids: Vec<LeadId> = canaries
            .iter()
            .map(|lead| lead.change.uuid.clone())
            .collect();
        write_and_verify(context, canaries, 1, report).await;
        for id in ids {
            match report.outcome(&id) {
                Some(Outcome::Verified) => missing -= 1,
                // The platform accepted the write and normalized a value, which says nothing about other leads.
                Some(Outcome::Unverified) if report.normalised.contains(&id) => missing -= 1,
                Some(Outcome::Stale | Outcome::Already) => {}
                // Its record could not be read.
                Some(Outcome::Untried) if context.stop.reason().is_none() => {}
                Some(
                    Outcome::Written | Outcome::Failed | Outcome::Untried | Outcome::Unverified,
                )
                | None => {
                    context.stop.ask(Reason::Failures);
                    return;
                }
            }
        }
    }
}

/// Takes up to `number` leads, first those with the most kinds of write in this run: a lead whose status changes says
/// nothing about tags.
fn canaries<'a>(open: &mut Vec<Planned<'a>>, number: usize) -> Vec<Planned<'a>> {
    let mut shown: BTreeSet<Ask> = BTreeSet::new();
    let mut chosen = Vec::new();
    while chosen.len() < number && !open.is_empty() {
        let news = |lead: &Planned<'_>| asks(&lead.task).difference(&shown).count();
        // The first of equals.
        let at = (0..open.len())
            .rev()
            .max_by_key(|at| news(&open[*at]))
            .unwrap_or_default();
        let lead = open.remove(at);
        shown.extend(asks(&lead.task));
        chosen.push(lead);
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

/// The hint for a platform that adds notes.
const ADDS_NOTES: &str = "this platform adds notes to those there, so that those of the leads written first are there twice; the rest got \
                          only the new ones. Set api.notes to `new`";
const CLEARED: &str = "if nobody cleared these in the inbox in this minute, the platform clears what an update leaves out: stop, and \
                       declare every field that must stay";

async fn write_and_verify<W: Writer>(
    context: &Context<'_, W>,
    leads: Vec<Planned<'_>>,
    width: usize,
    report: &mut Report,
) {
    let again = write_once(context, leads, width, report).await;
    report.rewritten += again.len();
    let leads = again.iter().map(|(change, now)| Planned {
        change,
        task: Task {
            change: change.clone(),
            live: Some(now.as_ref().clone()),
        },
        reading: now.reading,
    });
    write_once(context, leads.collect(), width, report).await;
}

/// Writes, reads back, and returns what is to be written once more because of side effects.
async fn write_once<W: Writer>(
    context: &Context<'_, W>,
    leads: Vec<Planned<'_>>,
    width: usize,
    report: &mut Report,
) -> Vec<(Change, Box<Observed>)> {
    let written = write(context, leads, width, report).await;
    let (to_read, rest): (Vec<WrittenLead>, Vec<WrittenLead>) = written
        .into_iter()
        .partition(|written| is_read_back(context, written));
    for WrittenLead { task, failed } in rest {
        let (outcome, detail) = match failed {
            Some(failed) => (Outcome::Failed, Some(failed.words)),
            None => (Outcome::Written, None),
        };
        report.end(context, task.change.uuid, outcome, detail);
    }
    let until = Instant::now() + context.options.patience;
    let until = context
        .options
        .deadline
        .map_or(until, |deadline| until.min(deadline));
    let progress = context.progress;
    let accepted = context.options.side_effects;
    let results = read_back(
        context.writer,
        &to_read,
        until,
        (context.stop, accepted),
        |_| progress(Progress::Verified),
    )
    .await;
    let mut again = Vec::new();
    for (WrittenLead { task, failed }, result) in to_read.into_iter().zip(results) {
        if let ReadBack::Shown(check, now) = &result
            && !report.is_again(&task.change.uuid)
        {
            let change = side_effects::again(&task, (check, now), accepted, &report.knowledge);
            side_effects::learn(&mut report.knowledge, &task, check, now);
            let is_refused = failed
                .as_ref()
                .is_some_and(|failed| failed.certainty == WriteCertainty::Rejected);
            if let Some(change) = change.filter(|_| !is_refused) {
                report.keeps_the_rest |= check.had_more;
                let remarks = [check.remarks(), check.changed_words()].concat();
                let remarks = (!remarks.is_empty()).then(|| remarks.join("; "));
                report.again.insert(task.change.uuid.clone(), remarks);
                again.push((change, now.clone()));
                continue;
            }
        }
        if let ReadBack::Shown(check, _) = &result
            && !check.agrees()
            && check.is_only_normalised()
            && check.emptied.is_empty()
        {
            report.normalised.insert(task.change.uuid.clone());
        }
        let shown = shown(&task, &result);
        let known = report.knowledge.adds_notes;
        let undone = match &result {
            ReadBack::Shown(check, _) => check.undone_words(),
            ReadBack::Gone | ReadBack::NotRead(_) => Vec::new(),
        };
        let (mut outcome, detail) = judge(report, result, failed);
        if !undone.is_empty() && outcome == Outcome::Verified && report.is_again(&task.change.uuid)
        {
            outcome = Outcome::Unverified;
        }
        let parts: Vec<String> = detail.into_iter().chain(undone).collect();
        let detail = (!parts.is_empty()).then(|| parts.join("; "));
        if report.knowledge.adds_notes != known {
            (context.learned)(&report.knowledge);
        }
        let detail = detail.map(|words| context.options.names.message(&words, &shown));
        report.end(context, task.change.uuid, outcome, detail);
    }
    again
}

/// The values that a text about a lead may repeat: those sent, and those that the platform made of them.
fn shown(task: &Task, result: &ReadBack) -> Vec<(Field, Value)> {
    let sent = task.change.fields.iter();
    let mut values: Vec<(Field, Value)> = sent
        .map(|change| (change.field.clone(), change.after.clone()))
        .collect();
    if let ReadBack::Shown(check, _) = result {
        let shown = check.normalised();
        values.extend(shown.map(|(field, value)| (field.clone(), value.shown.clone())));
    }
    values
}

/// A write that may have been done is looked for even without verification.
fn is_read_back<W>(context: &Context<'_, W>, written: &WrittenLead) -> bool {
    match &written.failed {
        None => context.options.verify,
        Some(failed) => {
            context.options.verify && failed.stops.is_none()
                || failed.certainty == WriteCertainty::Indeterminate
        }
    }
}

fn judge(
    report: &mut Report,
    result: ReadBack,
    failed: Option<Failed>,
) -> (Outcome, Option<String>) {
    match (result, failed) {
        (ReadBack::Shown(check, _), failed) => judge_shown(report, &check, failed),
        (ReadBack::Gone, Some(failed)) => (Outcome::Failed, Some(failed.words)),
        (ReadBack::Gone, None) => (Outcome::Unverified, Some("not in the listing".to_owned())),
        (ReadBack::NotRead(_), Some(failed))
            if failed.certainty != WriteCertainty::Indeterminate =>
        {
            (Outcome::Failed, Some(failed.words))
        }
        (ReadBack::NotRead(why), failed) => {
            report.not_read_back += 1;
            let doubt = failed.map_or_else(String::new, |failed| {
                format!("may have been written: {}; ", failed.words)
            });
            (
                Outcome::Written,
                Some(format!("{doubt}not read back: {why}")),
            )
        }
    }
}

fn judge_shown(
    report: &mut Report,
    check: &Check,
    failed: Option<Failed>,
) -> (Outcome, Option<String>) {
    if check.agrees() {
        let mut notes = check.remarks();
        notes.extend(check.changed_words());
        if check.notes_doubled {
            report.knowledge.adds_notes = true;
            report.hints.insert(ADDS_NOTES.into());
            notes.push("existing notes appear twice".to_owned());
        }
        // A platform that clears fields that are left out does so on the first lead; later, it was someone in the inbox.
        let emptied = check.emptied_words();
        if !emptied.is_empty() && !report.keeps_the_rest {
            report.hints.insert(CLEARED.into());
            return (Outcome::Unverified, Some(emptied.join("; ")));
        }
        report.keeps_the_rest |= check.had_more;
        notes.extend(emptied);
        return (
            Outcome::Verified,
            (!notes.is_empty()).then(|| notes.join("; ")),
        );
    }
    let all_as_before = check
        .instead
        .iter()
        .all(|(_, instead)| *instead == Instead::Ignored);
    match failed {
        Some(failed) if failed.certainty == WriteCertainty::Rejected || all_as_before => {
            (Outcome::Failed, Some(failed.words))
        }
        failed => {
            report
                .hints
                .extend(check.hints.iter().map(|hint| Cow::Borrowed(*hint)));
            if !check.emptied.is_empty() {
                report.hints.insert(CLEARED.into());
            }
            let words = match failed {
                Some(failed) => format!("{check}; and the write failed: {}", failed.words),
                None => check.to_string(),
            };
            (Outcome::Unverified, Some(words))
        }
    }
}

#[cfg(test)]
mod tests;
