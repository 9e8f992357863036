//! A run file in the formats that plans have: what was written as a plan that was carried out, and the leads that need attention as
//! findings at the lines that declare them.
//!
//! A file with several runs is shown as one: what each lead was before the first and after the last, and its last outcome.

use super::finding::{Finding, FindingPlace, Level};
use super::markdown::{outcomes, word};
use super::run::RunNames;
use crate::apply::Outcome;
use crate::apply::journal::Line;
use crate::apply::undo::{WrittenField, last_run, written};
use crate::lead::LeadId;
use crate::plan::{Action, AgentLoad, Change, Class, Fields, Plan, Source, bare};

/// What the runs of a file wrote; `None` where the file has no first line.
pub fn run_as_plan(lines: &[(u32, Line)], names: &RunNames) -> Option<Plan> {
    let (target, started_at, head) = last_run(lines)?;
    let change = |(uuid, lead): (LeadId, WrittenField)| {
        let (label, source) = names.leads.get(&uuid).cloned().unwrap_or_default();
        let fields = lead.fields.into_values().map(|(change, _)| change);
        Change {
            uuid,
            label,
            action: if lead.created {
                Action::Create
            } else {
                Action::Update
            },
            class: Class::Change,
            source: source.unwrap_or_else(unknown),
            fields: Fields(fields.collect()),
            unwritten: Fields::default(),
            taken: None,
        }
    };
    let changes = written(lines).into_iter().map(change).collect();
    let mut plan = bare(changes, target.clone(), started_at.to_owned());
    let is_created = |change: &&Change| change.action == Action::Create;
    plan.summary.to_create = plan.changes.iter().filter(is_created).count();
    plan.summary.to_update -= plan.summary.to_create;
    plan.head = head.cloned();
    plan.agents = names.agents.iter().map(named).collect();
    Some(plan)
}

/// The place of a lead that the files do not declare.
fn unknown() -> Source {
    Source {
        file: "(not declared)".to_owned(),
        line: 1,
    }
}

/// An agent for its name: how many leads it has is not in a run file.
fn named((id, name): (&String, &String)) -> AgentLoad {
    AgentLoad {
        id: id.clone(),
        name: Some(name.clone()),
        before: 0,
        after: 0,
        max_leads: None,
    }
}

/// Each lead that is not as it was to be, or not known to be.
pub(super) fn findings(lines: &[(u32, Line)], names: &RunNames) -> Vec<Finding> {
    let finding = |(id, outcome, detail): (&LeadId, Option<Outcome>, &str)| {
        let level = match outcome {
            Some(Outcome::Verified | Outcome::Already) => return None,
            Some(Outcome::Failed | Outcome::Unverified) | None => Level::Error,
            Some(Outcome::Written | Outcome::Stale | Outcome::Untried) => Level::Warning,
        };
        let (label, source) = names.leads.get(id).cloned().unwrap_or_default();
        let lead = label.map_or_else(|| id.to_string(), |label| format!("{id} ({label})"));
        let outcome = word(outcome);
        let colon = if detail.is_empty() { "" } else { ": " };
        Some(Finding {
            level,
            rule: outcome.to_owned(),
            message: format!("{lead} is {outcome}{colon}{detail}"),
            help: None,
            at: source.as_ref().map(FindingPlace::from),
            related: Vec::new(),
        })
    };
    outcomes(lines).into_iter().filter_map(finding).collect()
}
