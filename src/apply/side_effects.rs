//! Side effects: fields that the platform changes with a write of others. Assigning opens a lead, for example, or closing unassigns the agent.
//!
//! Whether the platform or a person changed a field cannot be seen on one lead. So each is counted ([`Knowledge`]), and reported as a
//! side effect where it is seen on most leads. The workspace lists the fields that the platform may change: of those, a declared one
//! is written once more, unless it shows another value than the platform gives that field on several leads: that is somebody's edit.

use std::collections::BTreeSet;

use super::check::{Check, Instead};
use super::outcomes::Report;
use super::platform::{Knowledge, UnwrittenField};
use super::precheck::Task;
use crate::diff::{FieldChange, is_at_before, value};
use crate::lead::{Field, FieldMask, Kind, Lead};
use crate::observe::Observed;
use crate::plan::{Action, Change, Fields};

/// Counts what changed with a write of other fields, and what did not. A field that was written counts, too, if the platform may change it.
pub(super) fn learn(
    report: &mut Report,
    task: &Task,
    (check, now): (&Check, &Observed),
    accepted: FieldMask,
) {
    // A write of which nothing took has no side effects.
    let is_ignored = |(_, instead): &(Field, Instead)| *instead == Instead::Ignored;
    if check.instead.len() == task.change.fields.len() && check.instead.iter().all(is_ignored) {
        return;
    }
    let written = written(task);
    let seen = |with: BTreeSet<String>, field: &Field| UnwrittenField {
        with,
        field: field.id().group(),
        shown: shown(&now.lead, field),
    };
    // Beside the field itself.
    let beside = |field: &Field| {
        let group = field.id().group();
        let is_counted = !written.contains(group) || accepted.has(field.id());
        let with = written.iter().filter(|other| *other != group);
        let with: BTreeSet<String> = with.cloned().collect();
        (is_counted && !with.is_empty()).then(|| seen(with, field))
    };
    // A platform that clears what an update leaves out has no side effect that may be accepted.
    let is_value = |field: &&Field| matches!(field.kind(), Kind::Choice | Kind::Reference);
    let effects = check
        .effects
        .iter()
        .filter(|field| check.emptied.is_empty() || is_value(field));
    let mut changed: Vec<UnwrittenField> =
        effects.map(|field| seen(written.clone(), field)).collect();
    let other = check
        .instead
        .iter()
        .filter(|(_, instead)| *instead == Instead::Other);
    changed.extend(other.filter_map(|(field, _)| beside(field)));
    for seen in changed {
        report.knowledge.saw_effect(seen, &report.unchanged);
    }
    let is_as_asked = |field: &&Field| {
        !check.effects.contains(field) && check.instead.iter().all(|(other, _)| other != *field)
    };
    let all = [Field::STATUS, Field::AGENT];
    for seen in all.iter().filter(is_as_asked).filter_map(beside) {
        report.knowledge.saw_none(&seen);
        *report.unchanged.entry(seen).or_default() += 1;
    }
}

/// The write that puts declared fields right that the platform changed with a write of others; `None` where there are none.
pub(super) fn again(
    task: &Task,
    (check, now): (&Check, &Observed),
    accepted: FieldMask,
    known: &Knowledge,
) -> Option<Change> {
    let change = &task.change;
    let is_open =
        |field: &Field| accepted.has(field.id()) && !is_edit(task, &now.lead, field, known);
    let wrong: BTreeSet<&Field> = check.instead.iter().map(|(field, _)| field).collect();
    let is_effect = |(field, instead): &(Field, Instead)| {
        is_open(field) && !matches!(instead, Instead::Normalised(_))
    };
    // A write of which nothing took, or that failed elsewhere, says nothing of side effects.
    if !check.emptied.is_empty()
        || wrong.len() == change.fields.len()
        || !check.instead.iter().all(is_effect)
    {
        return None;
    }
    let overwritten = change
        .fields
        .iter()
        .filter(|field| wrong.contains(&field.field));
    let changed = |field: &&FieldChange| {
        !field.stays() && is_open(&field.field) && !is_at_before(&now.lead, field)
    };
    let changed = change.unwritten.iter().filter(changed);
    let fields: Vec<FieldChange> = overwritten
        .chain(changed)
        .map(|field| from_now(field, &now.lead))
        .collect();
    let is_other = |field: &&FieldChange| fields.iter().all(|other| other.field != field.field);
    let done = change
        .fields
        .iter()
        .filter(is_other)
        .map(|field| FieldChange {
            before: field.after.clone(),
            ..field.clone()
        });
    // What somebody changed in the meantime is reported, and does not keep the platform's change from being put right.
    let unwritten = change.unwritten.iter().filter(is_other);
    let unwritten = unwritten
        .filter(|field| is_at_before(&now.lead, field))
        .cloned();
    (!fields.is_empty()).then(|| Change {
        action: Action::Update,
        unwritten: Fields(done.chain(unwritten).collect()),
        fields: Fields(fields.clone()),
        ..change.clone()
    })
}

/// Whether a field shows what somebody in the inbox made of it, and not the platform.
fn is_edit(task: &Task, now: &Lead, field: &Field, known: &Knowledge) -> bool {
    match field.kind() {
        Kind::Choice | Kind::Reference => {
            let group = field.id().group();
            let with = written(task).into_iter().filter(|other| other != group);
            known.is_edit(&UnwrittenField {
                with: with.collect(),
                field: group,
                shown: shown(now, field),
            })
        }
        Kind::Set | Kind::KeyedText | Kind::Text | Kind::Boolean | Kind::Notes => false,
    }
}

/// Whether somebody changed a field of a lead that was written, so that the lead says nothing about the platform.
pub(super) fn is_edited(
    task: &Task,
    (check, now): (&Check, &Observed),
    accepted: FieldMask,
    known: &Knowledge,
) -> bool {
    let fields = check.instead.iter().map(|(field, _)| field);
    let mut fields = fields.chain(&check.undone);
    fields.any(|field| accepted.has(field.id()) && is_edit(task, &now.lead, field, known))
}

/// The same wish, from what the lead shows now.
fn from_now(field: &FieldChange, now: &Lead) -> FieldChange {
    let made = field.rebuilt(now);
    let before = match field.field.kind() {
        // Of notes, those that are asked for.
        Kind::Notes => made.before.clone(),
        Kind::Choice
        | Kind::Reference
        | Kind::Set
        | Kind::KeyedText
        | Kind::Text
        | Kind::Boolean => value(now, &field.field),
    };
    FieldChange { before, ..made }
}

fn written(task: &Task) -> BTreeSet<String> {
    let groups = task
        .change
        .fields
        .iter()
        .map(|change| change.field.id().group());
    groups.map(str::to_owned).collect()
}

/// The value where it is of no one in particular.
fn shown(lead: &Lead, field: &Field) -> Option<String> {
    match field.kind() {
        Kind::Choice => lead.value(field).choice().map(ToString::to_string),
        Kind::Reference => lead.value(field).reference().map(ToString::to_string),
        Kind::Set | Kind::KeyedText | Kind::Text | Kind::Boolean | Kind::Notes => None,
    }
}
