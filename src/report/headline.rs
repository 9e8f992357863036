//! The headline of a plan: one sentence in plain text, which every format styles in its own way.

use crate::plan::Plan;
use crate::text::count;

/// What applying a plan would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Nothing differs.
    Idle,
    /// The plan can be applied.
    Ready,
    /// Declared leads are not in the inbox.
    Missing,
    /// A guard refuses the plan.
    Refused,
}

/// The headline: its head, styled by the outlook, and its numbers.
pub(super) struct PlanHeadline {
    pub(super) outlook: Outlook,
    pub(super) head: &'static str,
    pub(super) numbers: String,
}

impl PlanHeadline {
    pub(super) fn new(plan: &Plan) -> Self {
        let declared = count(plan.summary.declared, "declared lead");
        let (outlook, head) = match (plan.refusals.is_empty(), !plan.is_stuck()) {
            (true, true) if plan.changes.is_empty() => (Outlook::Idle, "Nothing to do:"),
            (true, true) if plan.is_empty() => (Outlook::Ready, "Nothing to write:"),
            (true, true) => (Outlook::Ready, "Plan:"),
            (true, false) => (Outlook::Missing, "Cannot apply:"),
            (false, _) => (Outlook::Refused, "Refused:"),
        };
        let numbers = match outlook {
            Outlook::Idle if plan.summary.held + plan.summary.missing > 0 => {
                let apart = counted(&[
                    (plan.summary.missing, not_found(plan)),
                    (plan.summary.held, "held"),
                ]);
                format!("{declared}, {}, all others in sync.", apart.join(", "))
            }
            Outlook::Idle => format!("{declared}, all in sync."),
            _ => parts(plan),
        };
        Self {
            outlook,
            head,
            numbers,
        }
    }

    /// The whole sentence.
    pub(super) fn plain(&self) -> String {
        format!("{} {}", self.head, self.numbers)
    }
}

/// Counts every declared lead once, then the leads with drift or conflicts.
fn parts(plan: &Plan) -> String {
    let numbers = &plan.summary;
    let listed =
        numbers.to_update + numbers.to_create + numbers.missing + numbers.held + numbers.in_sync;
    let once = [
        (numbers.missing, not_found(plan)),
        (numbers.to_update, "to update"),
        (numbers.to_create, "to create"),
        (numbers.held, "held"),
        (
            numbers.declared.saturating_sub(listed),
            "kept as in the inbox",
        ),
    ];
    let mut all = counted(&once);
    all.push(format!("{} in sync", numbers.in_sync));
    let besides = counted(&[
        (numbers.drift, "drifted"),
        (numbers.conflicts, "in conflict"),
    ]);
    let besides = if besides.is_empty() {
        String::new()
    } else {
        format!("; {}", besides.join(", "))
    };
    format!(
        "{}, of {}{besides}.",
        all.join(", "),
        count(numbers.declared, "declared lead")
    )
}

fn not_found(plan: &Plan) -> &'static str {
    match (plan.summary.missing, plan.is_stuck()) {
        (1, true) => "lead not found",
        (_, true) => "leads not found",
        (1, false) => "lead not found (skipped)",
        (_, false) => "leads not found (skipped)",
    }
}

/// The numbers that are not 0, with their labels.
fn counted(parts: &[(usize, &str)]) -> Vec<String> {
    parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, text)| format!("{number} {text}"))
        .collect()
}
