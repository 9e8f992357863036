//! A run of a run file in the formats that plans have: what it wrote as a plan that was carried out, and the leads that need attention
//! as findings at the lines that declare them.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingPlace, Level};
use super::run::RunNames;
use crate::apply::Outcome;
use crate::apply::journal::Line;
use crate::lead::LeadId;
use crate::plan::{Action, Change, Class, Fields, Head, Plan, Source, Target, bare};

/// What the last run of a file wrote; `None` where the file has no first line.
pub fn run_as_plan(lines: &[(u32, Line)], names: &RunNames) -> Option<Plan> {
    let mut begun: Option<(&Target, &String, &Option<Head>)> = None;
    let mut written: BTreeMap<&LeadId, (Action, &Fields)> = BTreeMap::new();
    for (_, line) in lines {
        match line {
            Line::Run {
                target,
                started_at,
                head,
                ..
            } => {
                begun = Some((target, started_at, head));
                written.clear();
            }
            Line::Write {
                uuid,
                action,
                fields,
                ..
            } => {
                // A repeated write may be of some of the fields.
                written.entry(uuid).or_insert((*action, fields));
            }
            Line::Outcome {
                uuid,
                outcome: Outcome::Untried,
                ..
            } => drop(written.remove(uuid)),
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
            fields: fields.clone(),
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
    Some(plan)
}

/// The place of a lead that the files do not declare.
fn unknown() -> Source {
    Source {
        file: "(not declared)".to_owned(),
        line: 1,
    }
}

/// Each lead of the last run of a file that is not as it was to be, or not known to be.
pub(super) fn findings(lines: &[(u32, Line)], names: &RunNames) -> Vec<Finding> {
    let mut outcomes: BTreeMap<&LeadId, (Outcome, Option<&str>)> = BTreeMap::new();
    for (_, line) in lines {
        match line {
            Line::Run { .. } => outcomes.clear(),
            Line::Outcome {
                uuid,
                outcome,
                detail,
            } => {
                outcomes.insert(uuid, (*outcome, detail.as_deref()));
            }
            Line::Write { .. } | Line::Answer { .. } | Line::Summary { .. } => {}
        }
    }
    let finding = |(id, (outcome, detail)): (&LeadId, (Outcome, Option<&str>))| {
        let level = match outcome {
            Outcome::Verified | Outcome::Already => return None,
            Outcome::Failed | Outcome::Unverified => Level::Error,
            Outcome::Written | Outcome::Stale | Outcome::Untried => Level::Warning,
        };
        let (label, source) = names.leads.get(id).cloned().unwrap_or_default();
        let lead = label.map_or_else(|| id.to_string(), |label| format!("{id} ({label})"));
        let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
        Some(Finding {
            level,
            rule: outcome.as_str().to_owned(),
            message: format!("{lead} is {outcome}{detail}", outcome = outcome.as_str()),
            help: None,
            at: source.as_ref().map(FindingPlace::from),
            related: Vec::new(),
        })
    };
    outcomes.into_iter().filter_map(finding).collect()
}
