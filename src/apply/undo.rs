//! Undo: the inverse of a run, from its run file. Pure.
//!
//! A run file records what each write replaced. The inverse restores that, if the lead still has what the run wrote; what the API
//! cannot remove is kept and listed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Outcome;
use super::journal::Line;
use crate::diff::{FieldChange, TagPatch};
use crate::lead::{Field, Kind, LeadId, Value};
use crate::plan::{Action, Change, Class, Fields, Head, Source, Target};
use crate::redaction::Redaction;

/// The inverse of a run.
#[derive(Debug, Default)]
pub struct Inverse {
    /// The inbox of the run.
    pub target: Option<Target>,
    /// The writes, by uuid.
    pub changes: Vec<Change>,
    /// What stays as the run made it, and why.
    pub kept: Vec<(LeadId, String)>,
}

/// What a run file says about a lead: the line of its first write, whether it was created, and for each field the value before the
/// first write and the one written last.
pub(crate) struct WrittenField {
    line: u32,
    pub(crate) created: bool,
    pub(crate) fields: BTreeMap<Field, (FieldChange, Redaction)>,
}

/// The inverse of all runs in a file, from its numbered lines; `file` names the run file in the plan.
pub fn inverse(lines: &[(u32, Line)], file: &str) -> Inverse {
    let mut made = Inverse {
        target: last_run(lines).map(|(target, ..)| target.clone()),
        ..Inverse::default()
    };
    for (
        uuid,
        WrittenField {
            line,
            created,
            fields,
        },
    ) in written(lines)
    {
        if created {
            made.kept.push((
                uuid,
                "it was created, and the API cannot delete leads".to_owned(),
            ));
            continue;
        }
        let mut undone = Vec::new();
        for (change, names) in fields.values() {
            match undo(change, *names) {
                Ok(change) => undone.push(change),
                Err(why) => made
                    .kept
                    .push((uuid.clone(), format!("{}: {why}", change.field))),
            }
        }
        undone.retain(|change| change.before != change.after);
        if !undone.is_empty() {
            let source = Source {
                file: file.to_owned(),
                line,
            };
            made.changes.push(Change {
                uuid,
                label: None,
                action: Action::Update,
                class: Class::Change,
                source,
                fields: Fields(undone),
                unwritten: Fields::default(),
                taken: None,
            });
        }
    }
    made
}

/// The inbox of the last run in a file, when it started, and the commit that it was of.
pub(crate) fn last_run(lines: &[(u32, Line)]) -> Option<(&Target, &str, Option<&Head>)> {
    lines.iter().rev().find_map(|(_, line)| match line {
        Line::Run {
            target,
            started_at,
            head,
            ..
        } => Some((target, started_at.as_str(), head.as_ref())),
        Line::Write { .. } | Line::Answer { .. } | Line::Outcome { .. } | Line::Summary { .. } => {
            None
        }
    })
}

/// What all runs in a file wrote, by lead.
pub(crate) fn written(lines: &[(u32, Line)]) -> BTreeMap<LeadId, WrittenField> {
    let mut names = Redaction::None;
    let mut written: BTreeMap<LeadId, WrittenField> = BTreeMap::new();
    // The writes of this run; a lead with the outcome untried was never sent.
    let mut begun: BTreeMap<LeadId, (u32, Action, Fields)> = BTreeMap::new();
    for (number, line) in lines {
        match line {
            Line::Run {
                names: run_names, ..
            } => {
                fold(&mut written, std::mem::take(&mut begun), names);
                names = *run_names;
            }
            Line::Write {
                uuid,
                action,
                fields,
                again,
                ..
            } => match begun.entry(uuid.clone()) {
                Entry::Vacant(lead) => drop(lead.insert((*number, *action, fields.clone()))),
                // Repeated on a later reading, perhaps for some of the fields.
                Entry::Occupied(mut lead) => merge(&mut lead.get_mut().2, fields, *again),
            },
            Line::Outcome {
                uuid,
                outcome: Outcome::Untried,
                ..
            } => drop(begun.remove(uuid)),
            Line::Outcome { .. } | Line::Answer { .. } | Line::Summary { .. } => {}
        }
    }
    fold(&mut written, begun, names);
    written
}

/// For each field, the value before the first write and the one written last. A field that was only put right `again` is as it was before.
fn merge(fields: &mut Fields, later: &Fields, again: bool) {
    for change in later.iter() {
        match fields
            .0
            .iter_mut()
            .find(|first| first.field == change.field)
        {
            Some(first) => first.after.clone_from(&change.after),
            None if again => {}
            None => fields.0.push(change.clone()),
        }
    }
}

fn fold(
    written: &mut BTreeMap<LeadId, WrittenField>,
    run: BTreeMap<LeadId, (u32, Action, Fields)>,
    names: Redaction,
) {
    for (uuid, (line, action, fields)) in run {
        let lead = written.entry(uuid).or_insert(WrittenField {
            line,
            created: action == Action::Create,
            fields: BTreeMap::new(),
        });
        for change in fields.0 {
            match lead.fields.get_mut(&change.field) {
                Some((first, first_names)) => {
                    first.after = change.after;
                    if names != Redaction::Full {
                        *first_names = names;
                    }
                }
                None => drop(lead.fields.insert(change.field.clone(), (change, names))),
            }
        }
    }
}

fn undo(change: &FieldChange, names: Redaction) -> Result<FieldChange, &'static str> {
    let field = &change.field;
    if names.masks(field) {
        return Err("masked in the run file; apply with --names full makes it possible to undo");
    }
    if field.kind() == Kind::Notes {
        return Err("notes cannot be removed");
    }
    if change.before == Value::Absent && !field.spec().clearable {
        return Err("it was empty before, and the API cannot clear it");
    }
    let sides = (change.after.clone(), change.before.clone());
    let (is, was) = (change.after.set(), change.before.set());
    Ok(FieldChange {
        patch: change
            .patch
            .is_some()
            .then(|| Box::new(TagPatch::between(is, was))),
        ..FieldChange::new(field.clone(), sides, change.line)
    })
}
