//! Findings: what needs attention at a line of a file, for formats that annotate files.
//!
//! Made from a plan (refusals, missing leads, changes) or from the diagnostics of `validate`; printed as workflow commands
//! or as SARIF.

use super::field_summary::{FieldSummary, PlanNames, field_summary, kept, parts};
use super::style::count;
use crate::plan::{Action, Change, Class, Plan, Refusal, Source};
use crate::text::shortened;
use crate::yaml::diagnostic::Diagnostic;

/// The maximum number of characters shown of a value.
const SHOWN: usize = 100;

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// One finding and its place.
#[derive(Clone)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The stable name of the rule.
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// `None` if it is not about a file: an environment variable, or the whole plan.
    pub(super) at: Option<FindingPlace>,
    pub(super) related: Vec<(String, FindingPlace)>,
}

/// A place in a file of the workspace.
#[derive(Clone)]
pub(super) struct FindingPlace {
    pub(super) file: String,
    pub(super) line: u32,
    /// The columns of the first character and after the last one, from 1, both on `line`.
    pub(super) columns: Option<(u32, u32)>,
}

impl From<&Source> for FindingPlace {
    fn from(source: &Source) -> Self {
        Self {
            file: source.file.clone(),
            line: source.line,
            columns: None,
        }
    }
}

pub(super) fn of_diagnostic(diagnostic: &Diagnostic) -> Finding {
    let at = |file: &str, line, columns| FindingPlace {
        file: file.to_owned(),
        line,
        columns,
    };
    let columns = (
        diagnostic.column,
        diagnostic.end_column.max(diagnostic.column + 1),
    );
    let related = diagnostic
        .related
        .iter()
        .map(|other| (other.message.clone(), at(&other.file, other.line, None)));
    Finding {
        level: if diagnostic.is_error() {
            Level::Error
        } else {
            Level::Warning
        },
        rule: diagnostic.code.as_str().to_owned(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        at: (!diagnostic.is_about_the_environment())
            .then(|| at(&diagnostic.file, diagnostic.line, Some(columns))),
        related: related.collect(),
    }
}

/// Findings of policy, and missing leads.
pub(super) fn of_policy(plan: &Plan) -> Vec<Finding> {
    let refusals = plan
        .refusals
        .iter()
        .flat_map(|refusal| broken(refusal, Level::Error, plan));
    let missing = plan.missing.iter().map(|missing| Finding {
        level: if plan.is_stuck() {
            Level::Error
        } else {
            Level::Warning
        },
        rule: "missing".to_owned(),
        message: format!(
            "{}: not found in the inbox (searched twice){}",
            named(missing.label.as_deref(), missing.uuid.as_str()),
            if plan.is_stuck() { "" } else { ", skipped" },
        ),
        help: missing.remark().or(Some(
            "remove the lead if it is gone, or add `create: true`".to_owned(),
        )),
        at: Some(FindingPlace::from(&missing.source)),
        related: Vec::new(),
    });
    let warnings = plan
        .warnings
        .iter()
        .flat_map(|warning| broken(warning, Level::Warning, plan));
    let held = plan.held.iter().map(|held| Finding {
        level: Level::Note,
        rule: "held".to_owned(),
        message: format!(
            "{}: held: {}",
            named(held.label.as_deref(), held.uuid.as_str()),
            held.reason
        ),
        help: None,
        at: Some(FindingPlace::from(&held.source)),
        related: Vec::new(),
    });
    refusals
        .chain(missing)
        .chain(warnings)
        .chain(held)
        .collect()
}

/// One finding for each lead that breaks the rule, at its line; one at the rule itself if it is about the whole plan.
fn broken(refusal: &Refusal, level: Level, plan: &Plan) -> Vec<Finding> {
    let Refusal {
        rule,
        message,
        source,
        lift,
        leads,
    } = refusal;
    let finding = |message: String, at, related| Finding {
        level,
        rule: rule.to_string(),
        message,
        help: Some(lift.clone()),
        at,
        related,
    };
    let rule_at = source.as_ref().map(FindingPlace::from);
    if leads.is_empty() {
        return vec![finding(message.clone(), rule_at, Vec::new())];
    }
    let by_lead = leads.iter().map(|id| {
        let found = plan
            .changes
            .binary_search_by(|change| change.uuid.cmp(id))
            .ok();
        let change = found.and_then(|at| plan.changes.get(at));
        let name = named(
            change.and_then(|change| change.label.as_deref()),
            id.as_str(),
        );
        let related = rule_at
            .iter()
            .map(|at| ("the rule".to_owned(), at.clone()))
            .collect();
        finding(
            format!("{name}: {message}"),
            change.map(|change| FindingPlace::from(&change.source)),
            related,
        )
    });
    by_lead.collect()
}

/// Each change at the line that declares it: drift as a warning, the others as notes.
pub(super) fn of_changes(plan: &Plan) -> Vec<Finding> {
    let names = PlanNames::new(plan);
    let mut findings: Vec<(Class, Finding)> = plan
        .changes
        .iter()
        .flat_map(|change| of_change(change, &names))
        .collect();
    // Platforms show only the first few of each level: intended changes come before drift, which is only noted.
    findings.sort_by_key(|(class, finding)| (finding.level, *class == Class::Drift));
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn of_change(change: &Change, names: &PlanNames<'_>) -> Vec<(Class, Finding)> {
    let name = named(change.label.as_deref(), names.lead(&change.uuid));
    let verb = if change.action == Action::Create {
        "create, "
    } else {
        ""
    };
    let one = |field: &crate::diff::FieldChange| {
        let class = field.class.unwrap_or(change.class);
        let level = match class {
            Class::Change | Class::Intended | Class::Drift => Level::Note,
            Class::Conflict => Level::Warning,
        };
        let line = if field.line > 0 {
            field.line
        } else {
            change.source.line
        };
        let summary = field_summary(field, names);
        let difference = if field.stays() {
            format!("kept: {}", kept(&summary, |text| shortened(text, SHOWN)))
        } else {
            describe(&summary)
        };
        let finding = Finding {
            level,
            rule: class.as_str().to_owned(),
            message: format!("{name}: {verb}{} {difference}", field.field),
            help: None,
            at: Some(FindingPlace {
                file: change.source.file.clone(),
                line,
                columns: None,
            }),
            related: Vec::new(),
        };
        (class, finding)
    };
    change
        .fields
        .iter()
        .flat_map(parts)
        .map(|part| one(&part))
        .collect()
}

fn describe(field_summary: &FieldSummary) -> String {
    match field_summary {
        FieldSummary::Replaced { before, after } | FieldSummary::Reworded { before, after } => {
            format!(
                "{} -> {}",
                shortened(before, SHOWN),
                shortened(after, SHOWN)
            )
        }
        FieldSummary::Set { added, removed } => {
            let added = added.iter().map(|tag| format!("+{tag}"));
            added
                .chain(removed.iter().map(|tag| format!("-{tag}")))
                .collect::<Vec<_>>()
                .join(" ")
        }
        FieldSummary::Notes(notes) if notes.len() == 1 => format!("+ {}", notes.join("")),
        FieldSummary::Notes(notes) => format!("+ {}", count(notes.len(), "note")),
    }
}

fn named(label: Option<&str>, id: &str) -> String {
    label.map_or_else(|| id.to_owned(), |label| format!("{label} ({id})"))
}
