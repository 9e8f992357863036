//! Writes leads and reads them back: what the platform shows decides each outcome.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::Instant;

use super::check::{Check, Instead};
use super::outcomes::{Again, Report};
use super::precheck::Task;
use super::read_back::{ReadBack, read_back};
use super::run::{Context, Progress};
use super::write::{Failed, Planned, Stage, WrittenLead, write};
use super::{Outcome, WriteCertainty, Writer, lost_notes, side_effects};
use crate::lead::{Field, Value};
use crate::observe::{Observed, Reader};
use crate::plan::Change;

/// The hint for a platform that adds notes.
const ADDS_NOTES: &str = "this platform appends notes, so leads written first now have duplicate notes; the others received only the new \
                          ones. Set api.notes to `new`";
const REPLACES_NOTES: &str = "this platform added notes in earlier runs, and replaces them now: those that a write replaced were written back \
                              as they were read, and the next runs send all notes";
const CLEARED: &str = "if nobody cleared these in the inbox in this minute, the platform clears what an update leaves out: stop, and \
                       declare every field that must stay";

const NOT_LISTED: &str = "the platform took a new lead and does not list it under its uuid: look for it in the inbox before the next apply, \
                          which sends it again; it may be listed late, or under another uuid";

/// Writes leads once, and those once more of which the platform changed more than was asked for. Reads them back by `reader`.
pub(super) async fn write_and_verify<W: Writer>(
    context: &Context<'_, W>,
    reader: &impl Reader,
    leads: Vec<Planned<'_>>,
    stage: Stage,
    report: &mut Report,
) {
    let again = write_once(context, reader, leads, stage, report).await;
    let leads = again.iter().map(|(change, now)| Planned {
        change,
        task: Task {
            change: change.clone(),
            live: Some(Arc::clone(now)),
        },
        reading: now.reading,
    });
    write_once(context, reader, leads.collect(), stage, report).await;
}

/// Writes, reads back, and returns what is to be written once more.
async fn write_once<W: Writer>(
    context: &Context<'_, W>,
    reader: &impl Reader,
    leads: Vec<Planned<'_>>,
    stage: Stage,
    report: &mut Report,
) -> Vec<(Change, Arc<Observed>)> {
    let sent_alone = report.knowledge.adds_notes;
    let written = write(context, leads, stage, report).await;
    let (to_read, rest): (Vec<WrittenLead>, Vec<WrittenLead>) = written
        .into_iter()
        .partition(|written| is_read_back(context, written));
    for WrittenLead { task, failed, .. } in rest {
        let (outcome, detail) = match failed {
            Some(failed) => {
                report.hints.extend(failed.hint);
                (Outcome::Failed, Some(failed.words))
            }
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
    let results = read_back(reader, &to_read, until, (context.stop, accepted), |_| {
        progress(Progress::Verified)
    })
    .await;
    // What all leads show decides what a side effect is on each, in whatever order they are read.
    for (written, result) in to_read.iter().zip(&results) {
        let is_refused = |failed: &Failed| failed.certainty == WriteCertainty::Rejected;
        let ReadBack::Shown(check, now) = result else {
            continue;
        };
        if written.failed.as_ref().is_some_and(is_refused) {
            continue;
        }
        report.learn_kept(check);
        if !report.is_again(&written.task.change.uuid) {
            side_effects::learn(report, &written.task, (check, now), accepted);
        }
    }
    let mut again = Vec::new();
    for (written, result) in to_read.into_iter().zip(results) {
        if let ReadBack::Shown(check, now) = &result
            && let Some(change) = once_more(context, report, sent_alone, &written, (check, now))
        {
            again.push((change, Arc::clone(now)));
        } else {
            if let ReadBack::Shown(check, now) = &result
                && side_effects::is_edited(&written.task, (check, now), accepted, &report.knowledge)
            {
                report.edited.insert(written.task.change.uuid.clone());
            }
            conclude(context, report, written, result);
        }
    }
    again
}

/// What is to be written once more of a lead as read back.
fn once_more<W: Writer>(
    context: &Context<'_, W>,
    report: &mut Report,
    sent_alone: bool,
    WrittenLead { task, failed, .. }: &WrittenLead,
    (check, now): (&Check, &Arc<Observed>),
) -> Option<Change> {
    let id = &task.change.uuid;
    if report.is_again(id) {
        return None;
    }
    let accepted = context.options.side_effects;
    let change = side_effects::again(task, (check, now), accepted, &report.knowledge);
    let mut once_more = Again {
        remarks: remarks(check),
        ..Again::default()
    };
    let lost = lost_notes::lost(task, check, now).filter(|_| sent_alone);
    let change = match lost {
        Some(notes) => {
            once_more.lost_notes = notes;
            once_more.wrong = lost_notes::wrong(check);
            report.knowledge.adds_notes = false;
            report.hints.insert(REPLACES_NOTES.into());
            (context.learned)(&report.knowledge);
            Some(lost_notes::again(task, now))
        }
        None => change,
    };
    let is_refused = |failed: &Failed| failed.certainty == WriteCertainty::Rejected;
    let change = change.filter(|_| !failed.as_ref().is_some_and(is_refused))?;
    report.rewritten += usize::from(once_more.lost_notes.is_empty());
    report.again.insert(id.clone(), once_more);
    Some(change)
}

/// Concludes a lead that shows what was written, with nothing else changed.
pub(super) fn verified<W: Writer>(
    context: &Context<'_, W>,
    report: &mut Report,
    written: WrittenLead,
    check: Check,
    now: Arc<Observed>,
) {
    report.learn_kept(&check);
    if !report.is_again(&written.task.change.uuid) {
        let accepted = context.options.side_effects;
        side_effects::learn(report, &written.task, (&check, &now), accepted);
    }
    conclude(context, report, written, ReadBack::Shown(check, now));
}

/// Ends a lead with what reading back shows.
fn conclude<W: Writer>(
    context: &Context<'_, W>,
    report: &mut Report,
    WrittenLead { task, failed, .. }: WrittenLead,
    result: ReadBack,
) {
    if let ReadBack::Shown(check, _) = &result
        && !check.agrees()
        && check.is_only_normalised()
        && check.emptied.is_empty()
    {
        report.normalised.insert(task.change.uuid.clone());
    }
    let is_new = task.live.is_none();
    if is_new && matches!(result, ReadBack::Gone) && failed.is_none() {
        report.hints.insert(NOT_LISTED.into());
    }
    let shown = shown(&task, &result);
    let known = report.knowledge.adds_notes;
    let undone = match &result {
        ReadBack::Shown(check, _) => check.undone_words(),
        ReadBack::Gone | ReadBack::NotRead(_) => Vec::new(),
    };
    let hint = failed.as_ref().and_then(|failed| failed.hint.clone());
    let is_doubtful = failed.is_some();
    let (mut outcome, detail) = judge(report, result, failed);
    // A write that was done needs no help, whatever its answer was.
    report
        .hints
        .extend(hint.filter(|_| outcome != Outcome::Verified));
    if !undone.is_empty() && outcome == Outcome::Verified && report.is_again(&task.change.uuid) {
        outcome = Outcome::Unverified;
    }
    if outcome == Outcome::Written && is_doubtful {
        report.doubtful.insert(task.change.uuid.clone());
    }
    let parts: Vec<String> = detail.into_iter().chain(undone).collect();
    let detail = (!parts.is_empty()).then(|| parts.join("; "));
    if report.knowledge.adds_notes != known {
        (context.learned)(&report.knowledge);
    }
    let detail = detail.map(|words| context.options.names.message(&words, &shown, None));
    report.end(context, task.change.uuid, outcome, detail);
}

fn remarks(check: &Check) -> Option<String> {
    let remarks = [check.remarks(), check.changed_words()].concat();
    (!remarks.is_empty()).then(|| remarks.join("; "))
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
        Some(failed) => context.options.verify || failed.certainty == WriteCertainty::Indeterminate,
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
        // A platform that clears a field that is left out does so on every lead; if it is kept on one, it was someone in the inbox.
        let emptied = check.emptied_words();
        if report.may_be_cleared(check) {
            report.hints.insert(CLEARED.into());
            return (Outcome::Unverified, Some(emptied.join("; ")));
        }
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
