//! Undo: the inverse of a run, from its run file. Pure.
//!
//! A run file says what each write replaced. The inverse writes that back, where the lead still has what the run wrote; what the API
//! cannot take away again is kept and told.

use std::collections::BTreeMap;

use super::Outcome;
use super::journal::Line;
use crate::diff::FieldChange;
use crate::lead::{Field, LeadId, Value};
use crate::plan::{Action, Change, Class, Fields, Source, Target};
use crate::privacy::Names;

/// What undoes a run.
#[derive(Debug, Default)]
pub struct Inverse {
    /// The inbox that the run was for.
    pub target: Option<Target>,
    /// The writes, by uuid.
    pub changes: Vec<Change>,
    /// What stays as the run made it, and why.
    pub kept: Vec<(LeadId, String)>,
}

/// The inverse of a run, given its lines with their numbers; `file` names the run file in the plan.
pub fn inverse(lines: &[(u32, Line)], file: &str) -> Inverse {
    let mut made = Inverse::default();
    let mut names = Names::None;
    let mut writes: BTreeMap<&LeadId, (u32, Action, &Fields)> = BTreeMap::new();
    let mut outcomes: BTreeMap<&LeadId, Outcome> = BTreeMap::new();
    for (number, line) in lines {
        match line {
            Line::Run { target, names: told, .. } => (made.target, names) = (Some(target.clone()), *told),
            Line::Write { uuid, action, fields, .. } => drop(writes.insert(uuid, (*number, *action, fields))),
            Line::Outcome { uuid, outcome, .. } => drop(outcomes.insert(uuid, *outcome)),
            Line::Answer { .. } | Line::Summary { .. } => {}
        }
    }
    // A write that was begun may have been done, whatever its outcome says, but for one that was never sent.
    writes.retain(|uuid, _| outcomes.get(uuid) != Some(&Outcome::Untried));
    for (uuid, (line, action, fields)) in writes {
        if action == Action::Create {
            made.kept.push((uuid.clone(), "it was created, and the API takes no lead away".to_owned()));
            continue;
        }
        let mut undone = Vec::new();
        for change in fields.iter() {
            match undo(change, names) {
                Ok(change) => undone.push(change),
                Err(why) => made.kept.push((uuid.clone(), format!("{}: {why}", change.field))),
            }
        }
        if !undone.is_empty() {
            made.changes.push(Change {
                uuid: uuid.clone(),
                label: None,
                action: Action::Update,
                class: Class::Change,
                source: Source { file: file.to_owned(), line },
                fields: Fields(undone),
            });
        }
    }
    made
}

fn undo(change: &FieldChange, names: Names) -> Result<FieldChange, &'static str> {
    let FieldChange { field, before, after, line, seal: _ } = change;
    match (field, before) {
        (Field::Contact(_), _) if names != Names::Full => {
            Err("the run file has it masked; run apply with --names full to be able to undo it")
        }
        (Field::Notes, _) => Err("notes are never taken away"),
        (Field::Status | Field::Attribute(_) | Field::Contact(_), Value::Nothing) => {
            Err("it was not there before, and the API takes none away")
        }
        _ => Ok(FieldChange { field: field.clone(), before: after.clone(), after: before.clone(), line: *line, seal: None }),
    }
}
