//! The verdict of a plan: the one sentence that counts, in plain text, for every format to paint in its own way.

use crate::plan::Plan;
use crate::text::count;

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Nothing differs.
    Idle,
    /// It may be applied.
    Ready,
    /// Declared leads are not in the inbox.
    Missing,
    /// A guard refuses it.
    Refused,
}

/// The sentence: its head, which formats paint by the outlook, and its numbers.
pub(super) struct PlanHeadline {
    pub(super) outlook: Outlook,
    pub(super) head: &'static str,
    pub(super) numbers: String,
}

impl PlanHeadline {
    pub(super) fn of(plan: &Plan) -> Self {
        let declared = count(plan.summary.declared, "declared lead");
        let (outlook, head) = match (plan.refusals.is_empty(), plan.missing.is_empty()) {
            (true, true) if plan.changes.is_empty() => (Outlook::Idle, "Nothing to do:"),
            (true, true) if plan.is_empty() => (Outlook::Ready, "Nothing to write:"),
            (true, true) => (Outlook::Ready, "Plan:"),
            (true, false) => (Outlook::Missing, "Not to be applied:"),
            (false, _) => (Outlook::Refused, "Refused:"),
        };
        let numbers = match outlook {
            Outlook::Idle if plan.summary.held > 0 => {
                format!(
                    "{declared}, {} held, the others in sync.",
                    plan.summary.held
                )
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

/// Every declared lead once; then those of them that the inbox has something to do with.
fn parts(plan: &Plan) -> String {
    let numbers = &plan.summary;
    let told =
        numbers.to_update + numbers.to_create + numbers.missing + numbers.held + numbers.in_sync;
    let once = [
        (numbers.to_update, "to update"),
        (numbers.to_create, "to create"),
        (numbers.missing, "missing"),
        (numbers.held, "held"),
        (
            numbers.declared.saturating_sub(told),
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

/// The numbers that are not 0, with their words.
fn counted(parts: &[(usize, &str)]) -> Vec<String> {
    parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect()
}
