//! One run: canaries, then all other writes; an outcome for each lead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bystanders::{Bystanders, Newest};
use super::journal::Journal;
use super::outcomes::{Report, report_side_effects};
use super::platform::Knowledge;
use super::precheck::{Precheck, Task, precheck};
use super::verify::write_and_verify;
use super::write::{Planned, Stage};
use super::{Outcome, Writer};
use crate::cancel::{Cancellation, Reason};
use crate::diff::{Ask, ask};
use crate::lead::{Field, FieldId, FieldMask, LeadId};
use crate::observe::{Live, Observed, Reading, TagShape};
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
    /// When somebody consented: each lead is read again after that, however soon it was.
    pub consented: Option<Instant>,
    /// How much of people's names the run file may contain.
    pub names: Redaction,
    /// The form of tags for a lead that has none.
    pub tag_shape: TagShape,
    /// Fields that the platform changes with a write of others.
    pub side_effects: FieldMask,
    /// Whether the platform is configured as one that adds the notes it is sent.
    pub adds_notes: bool,
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

/// Runs `changes`, which were planned from `live`: each lead gets an outcome.
pub async fn run<W: Writer>(context: &Context<'_, W>, changes: &[Change], live: &Live) -> Report {
    let mut report = Report {
        knowledge: context.options.known.clone(),
        ..Report::default()
    };
    let consented = context.options.consented;
    let mut open = Vec::new();
    for change in changes {
        let seen = live.get(&change.uuid);
        let reading = seen
            .map_or(live.reading, |seen| seen.reading)
            .filter(|reading| consented.is_none_or(|consented| reading.sent >= consented));
        open.extend(checked(context, change, seen, reading, &mut report));
    }
    // New leads come last, with canaries of their own: a platform that does not take them keeps no update from being written.
    let (updates, creations) = open
        .into_iter()
        .partition(|lead: &Planned<'_>| lead.task.live.is_some());
    for mut leads in [updates, creations] {
        if context.options.verify && context.options.canary > 0 {
            write_canaries(context, &mut leads, &mut report).await;
        }
        // A written lead moves to the front of a listing by date: leads further on keep their position.
        leads.sort_by_key(|lead| lead.task.live.as_ref().and_then(|live| live.seen));
        write_and_verify(context, context.writer, leads, Stage::Rest, &mut report).await;
    }
    report_side_effects(context.options, &mut report);
    let untried = report.count(Outcome::Untried) > 0;
    report.stopped = context
        .stop
        .reason()
        .filter(|reason| *reason == Reason::Interrupted || untried);
    report
}

/// Prechecks a change on a reading of its lead; one that is not to be written ends.
fn checked<'a, W: Writer>(
    context: &Context<'_, W>,
    change: &'a Change,
    seen: Option<&Arc<Observed>>,
    reading: Option<Reading>,
    report: &mut Report,
) -> Option<Planned<'a>> {
    let (outcome, why) = match precheck(change, seen) {
        Precheck::Proceed(task) => {
            return Some(Planned {
                change,
                task: *task,
                reading,
            });
        }
        Precheck::AlreadyApplied => (Outcome::Already, None),
        Precheck::Stale(why) => (Outcome::Stale, Some(why)),
        Precheck::Unreadable(why) => (Outcome::Untried, Some(why)),
    };
    report.end(context, change.uuid.clone(), outcome, why);
    None
}

/// Prechecks again the leads that were seen since; one whose record could not be understood is read once more.
fn check_again<'a, W: Writer>(
    context: &Context<'_, W>,
    open: &mut Vec<Planned<'a>>,
    newest: &Newest,
    report: &mut Report,
) {
    let planned = std::mem::take(open);
    open.extend(
        planned
            .into_iter()
            .filter_map(|lead| match newest.get(&lead.change.uuid) {
                None => Some(lead),
                Some(None) => Some(Planned {
                    reading: None,
                    ..lead
                }),
                Some(Some(seen)) => checked(context, lead.change, Some(seen), seen.reading, report),
            }),
    );
}

/// Writes and verifies the canaries. One that turns out stale, already applied, edited or unreadable says nothing about the
/// platform, so the next lead takes its place. Any other outcome but verified stops the run.
async fn write_canaries<'a, W: Writer>(
    context: &Context<'_, W>,
    open: &mut Vec<Planned<'a>>,
    report: &mut Report,
) {
    let mut missing = context.options.canary;
    let bystanders = Bystanders::new(context.writer, open.iter().map(|lead| &lead.change.uuid));
    while missing > 0 && !open.is_empty() {
        let canaries = canaries(open, missing);
        let ids: Vec<LeadId> = canaries
            .iter()
            .map(|lead| lead.change.uuid.clone())
            .collect();
        write_and_verify(context, &bystanders, canaries, Stage::Canaries, report).await;
        check_again(context, open, &bystanders.take(), report);
        for id in ids {
            match report.outcome(&id) {
                Some(Outcome::Verified) => missing -= 1,
                // The platform accepted the write and normalized a value, which says nothing about other leads.
                Some(Outcome::Unverified) if report.normalised.contains(&id) => missing -= 1,
                Some(Outcome::Stale | Outcome::Already) => {}
                Some(Outcome::Unverified) if report.edited.contains(&id) => {}
                // Its record could not be read.
                Some(Outcome::Untried) if context.stop.reason().is_none() => {}
                Some(
                    Outcome::Written | Outcome::Failed | Outcome::Untried | Outcome::Unverified,
                )
                | None => {
                    context.stop.ask(Reason::Canary);
                    return;
                }
            }
        }
    }
}

/// Takes up to `number` leads, first those that say most of what the others will meet: the kinds of write of this run, since a lead
/// whose status changes says nothing about tags; then notes beside others; then values that a write leaves out.
fn canaries<'a>(open: &mut Vec<Planned<'a>>, number: usize) -> Vec<Planned<'a>> {
    let (mut asked, mut left_out): (BTreeSet<Ask>, BTreeSet<FieldId>) = Default::default();
    let mut chosen = Vec::new();
    while chosen.len() < number && !open.is_empty() {
        let news = |lead: &Planned<'_>| {
            let asks = asks(&lead.task);
            let news = asks.difference(&asked);
            let appended = news
                .clone()
                .filter(|ask| matches!(ask, Ask::Append(_)))
                .count();
            let rest = others(&lead.task).filter(|id| !left_out.contains(id));
            (news.count(), appended, rest.collect::<BTreeSet<_>>().len())
        };
        // The first of equals.
        let at = (0..open.len())
            .rev()
            .max_by_key(|at| news(&open[*at]))
            .unwrap_or_default();
        let lead = open.remove(at);
        asked.extend(asks(&lead.task));
        left_out.extend(others(&lead.task));
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

/// What the lead has that its write leaves out.
fn others(task: &Task) -> impl Iterator<Item = FieldId> {
    let values = task.live.iter().flat_map(|live| live.lead.values());
    let is_left_out = |field: &Field| {
        let mut written = task.change.fields.iter();
        written.all(|change| change.field.id() != field.id())
    };
    let left_out = values.filter(move |(field, value)| !value.is_empty() && is_left_out(field));
    left_out.map(|(field, _)| field.id())
}

#[cfg(test)]
mod tests;
