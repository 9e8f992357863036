//! A run file in the formats that plans have: what was written as a plan that was carried out, and the leads that need attention as
//! findings at the lines that declare them.
//!
//! A file with several runs is shown as one: what each lead was before the first and after the last, and its last outcome.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingPlace, Level};
use super::run::RunNames;
use crate::apply::Outcome;
use crate::apply::journal::Line;
use crate::diff::FieldChange;
use crate::lead::{Field, LeadId};
use crate::plan::{Action, AgentLoad, Change, Class, Fields, Plan, Source, bare};

/// What a lead's writes did, field by field.
type RunWrites<'l> = (Action, BTreeMap<&'l Field, FieldChange>);

/// What the runs of a file wrote; `None` where the file has no first line.
pub fn run_as_plan(lines: &[(u32, Line)], names: &RunNames) -> Option<Plan> {
    let mut begun = None;
    let mut written: BTreeMap<&LeadId, RunWrites<'_>> = BTreeMap::new();
    for (_, line) in lines {
        match line {
            Line::Run {
                target,
                started_at,
                head,
                ..
            } => begun = Some((target, started_at, head)),
            Line::Write {
                uuid,
                action,
                fields,
                ..
            } => {
                let (_, lead) = written.entry(uuid).or_insert((*action, BTreeMap::new()));
                for change in fields.iter() {
                    lead.entry(&change.field)
                        .and_modify(|first| first.after.clone_from(&change.after))
                        .or_insert_with(|| change.clone());
                }
            }
            Line::Answer { .. } | Line::Outcome { .. } | Line::Summary { .. } => {}
        }
    }
    let changes = written.into_iter().map(|(id, (action, fields))| {
        let (label, source) = names.leads.get(id).cloned().unwrap_or_default();
        Change {
            uuid: id.clone(),
            label,
            action,
            class: Class::Change,
            source: source.unwrap_or_else(unknown),
            fields: Fields(fields.into_values().collect()),
            unwritten: Fields::default(),
            taken: None,
        }
    });
    let (target, started_at, head) = begun?;
    let mut plan = bare(changes.collect(), target.clone(), started_at.clone());
    let is_created = |change: &&Change| change.action == Action::Create;
    plan.summary.to_create = plan.changes.iter().filter(is_created).count();
    plan.summary.to_update -= plan.summary.to_create;
    plan.head.clone_from(head);
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
    let mut outcomes: BTreeMap<&LeadId, (Option<Outcome>, Option<&str>)> = BTreeMap::new();
    for (_, line) in lines {
        match line {
            Line::Write { uuid, .. } => drop(outcomes.insert(uuid, (None, None))),
            Line::Outcome {
                uuid,
                outcome,
                detail,
            } => {
                outcomes.insert(uuid, (Some(*outcome), detail.as_deref()));
            }
            Line::Run { .. } | Line::Answer { .. } | Line::Summary { .. } => {}
        }
    }
    let finding = |(id, (outcome, detail)): (&LeadId, (Option<Outcome>, Option<&str>))| {
        let level = match outcome {
            Some(Outcome::Verified | Outcome::Already) => return None,
            Some(Outcome::Failed | Outcome::Unverified) | None => Level::Error,
            Some(Outcome::Written | Outcome::Stale | Outcome::Untried) => Level::Warning,
        };
        let (label, source) = names.leads.get(id).cloned().unwrap_or_default();
        let lead = label.map_or_else(|| id.to_string(), |label| format!("{id} ({label})"));
        let (rule, is) = match outcome {
            Some(outcome) => (outcome.as_str(), format!("is {}", outcome.as_str())),
            None => ("unknown", "was being written when the run ended".to_owned()),
        };
        let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
        Some(Finding {
            level,
            rule: rule.to_owned(),
            message: format!("{lead} {is}{detail}"),
            help: outcome
                .is_none()
                .then(|| "run the same apply again to finish".to_owned()),
            at: source.as_ref().map(FindingPlace::from),
            related: Vec::new(),
        })
    };
    outcomes.into_iter().filter_map(finding).collect()
}
