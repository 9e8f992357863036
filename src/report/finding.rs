//! Findings: what asks for attention at a line of a file, for formats that put it there.
//!
//! Made of a plan (what is refused, what is missing, each change) or of the diagnostics of `validate`; printed as workflow commands
//! or as SARIF.

use super::field_summary::{FieldSummary, PlanNames, field_summary, kept, parts};
use super::style::count;
use crate::plan::{Action, Change, Class, Plan, Refusal, Source};
use crate::text::shortened;
use crate::yaml::diagnostic::Diagnostic;

/// So many characters of a value are shown.
const SHOWN: usize = 100;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// One thing, and its place.
#[derive(Clone)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The rule's stable name.
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// None where it is about no file: an environment variable, the whole plan.
    pub(super) at: Option<At>,
    pub(super) related: Vec<(String, At)>,
}

/// A place in a file of the workspace.
#[derive(Clone)]
pub(super) struct At {
    pub(super) file: String,
    pub(super) line: u32,
    /// The columns of the first character and behind the last, from 1, both on `line`.
    pub(super) columns: Option<(u32, u32)>,
}

impl From<&Source> for At {
    fn from(source: &Source) -> Self {
        Self {
            file: source.file.clone(),
            line: source.line,
            columns: None,
        }
    }
}

pub(super) fn of_diagnostic(diagnostic: &Diagnostic) -> Finding {
    let at = |file: &str, line, columns| At {
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

/// What policy says of a plan, and which leads are not to be found.
pub(super) fn of_policy(plan: &Plan) -> Vec<Finding> {
    let refusals = plan
        .refusals
        .iter()
        .flat_map(|refusal| broken(refusal, Level::Error, plan));
    let missing = plan.missing.iter().map(|missing| Finding {
        level: Level::Error,
        rule: "missing".to_owned(),
        message: format!(
            "{}: not found in the inbox, after looking twice",
            named(missing.label.as_deref(), missing.uuid.as_str())
        ),
        help: Some("take the lead out if it is gone, or say `create: true`".to_owned()),
        at: Some(At::from(&missing.source)),
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
        at: Some(At::from(&held.source)),
        related: Vec::new(),
    });
    refusals
        .chain(missing)
        .chain(warnings)
        .chain(held)
        .collect()
}

/// One for each lead that breaks the rule, at its line; one at the rule's own where it is about the whole plan.
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
    let rule_at = source.as_ref().map(At::from);
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
            change.map(|change| At::from(&change.source)),
            related,
        )
    });
    by_lead.collect()
}

/// Each change at the line that asks for it: drift to be looked at, the others to be known.
pub(super) fn of_changes(plan: &Plan) -> Vec<Finding> {
    let names = PlanNames::of(plan);
    let mut findings: Vec<(Class, Finding)> = plan
        .changes
        .iter()
        .flat_map(|change| of_change(change, &names))
        .collect();
    // Platforms show the first few of each level: what the files changed comes before drift, which is only noted.
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
            told(&summary)
        };
        let finding = Finding {
            level,
            rule: class.as_str().to_owned(),
            message: format!("{name}: {verb}{} {difference}", field.field),
            help: None,
            at: Some(At {
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

fn told(field_summary: &FieldSummary) -> String {
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
