//! Notes that a write replaced, although earlier runs saw the platform add them: they are written back as they were read.
//!
//! To a platform that adds notes only the new ones are sent, or the others would be there twice. Where it replaces them by now, those
//! that were there are lost with the first such write. Reading back shows that, and the lead is written once more with all of them.

use super::check::Check;
use super::precheck::Task;
use crate::diff::{FieldChange, is_at_before};
use crate::lead::normal::has_note;
use crate::lead::{Field, Note, Value};
use crate::observe::Observed;
use crate::plan::{Action, Change, Fields};

/// The notes that a write of others replaced, as they were read; empty if it did not.
///
/// All are gone, the written ones are there, and nothing else is empty now: a person who removes one note in that minute is no reason
/// to write anything.
pub(super) fn lost(task: &Task, check: &Check, now: &Observed) -> Option<Vec<serde_json::Value>> {
    let was = task.live.as_ref()?;
    let mut fields = task.change.fields.iter();
    let written = fields.find(|change| change.field == Field::NOTES)?;
    let (old, new) = (was.lead.notes(), now.lead.notes());
    let sent = written.after.notes().iter();
    let mut sent = sent.filter(|note| !has_note(old, note));
    let is_replaced = !old.is_empty()
        && !old.iter().any(|note| has_note(new, note))
        && sent.any(|note| has_note(new, note))
        && check.emptied.len() == 1;
    is_replaced.then(|| was.echo.notes.values())
}

/// The write that brings the lost notes back, beside those that are there now.
pub(super) fn again(task: &Task, now: &Observed) -> Change {
    let old = task.live.as_ref().map(|live| live.lead.notes());
    let old = old.unwrap_or_default();
    let is_notes = |change: &&FieldChange| change.field == Field::NOTES;
    let fields = task.change.fields.iter().filter(is_notes).map(|change| {
        let added = change.after.notes().iter();
        let added = added.filter(|note| !has_note(old, note));
        let all: Vec<Note> = old.iter().chain(added).cloned().collect();
        let there = all.iter().filter(|note| has_note(now.lead.notes(), note));
        FieldChange {
            before: Value::Notes(there.cloned().collect()),
            after: Value::Notes(all),
            ..change.clone()
        }
    });
    let done = task.change.fields.iter().filter(|change| !is_notes(change));
    let done = done.map(|change| FieldChange {
        before: change.after.clone(),
        ..change.clone()
    });
    let unwritten = done.chain(task.change.unwritten.iter().cloned());
    // What is not as it should be is reported, and does not keep the notes from being written back.
    let unwritten = unwritten.filter(|change| is_at_before(&now.lead, change));
    Change {
        action: Action::Update,
        unwritten: Fields(unwritten.collect()),
        fields: Fields(fields.collect()),
        ..task.change.clone()
    }
}

/// What of the first write is not as it should be, beside the notes; `None` if all of it is.
pub(super) fn wrong(check: &Check) -> Option<String> {
    let others = check.instead.iter();
    let others = others.filter(|(field, _)| *field != Field::NOTES).cloned();
    let check = Check {
        instead: others.collect(),
        undone: check.undone.clone(),
        ..Check::default()
    };
    let parts: Vec<String> = (!check.agrees())
        .then(|| check.to_string())
        .into_iter()
        .chain(check.undone_words())
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
