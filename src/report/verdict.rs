//! The one sentence that counts, and whether it is good news: the same in every format.

use super::style::{BAD, GOOD, STRONG, count, paint};
use crate::plan::Plan;

/// What a plan comes to.
pub(super) struct Verdict {
    pub(super) tone: Tone,
    /// The first word or two, with a colon.
    pub(super) head: &'static str,
    /// The numbers, with a full stop.
    pub(super) words: String,
}

/// Whether there is anything to worry about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Nothing,
    Changes,
    Refused,
}

pub(super) fn verdict(plan: &Plan) -> Verdict {
    let numbers = &plan.summary;
    let declared = count(numbers.declared, "declared lead");
    if plan.is_empty() && plan.missing.is_empty() && plan.refusals.is_empty() {
        return Verdict { tone: Tone::Nothing, head: "Nothing to do:", words: format!("{declared}, all in sync.") };
    }
    let mut parts = Vec::new();
    for (number, words) in [
        (numbers.to_update, "to update"),
        (numbers.to_create, "to create"),
        (numbers.missing, "missing"),
        (numbers.drift, "drifted"),
        (numbers.conflicts, "in conflict"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    parts.push(format!("{} in sync", numbers.in_sync));
    let (tone, head) = match (plan.refusals.is_empty(), plan.missing.is_empty()) {
        (true, true) => (Tone::Changes, "Plan:"),
        (true, false) => (Tone::Refused, "Not to be applied:"),
        (false, _) => (Tone::Refused, "Refused:"),
    };
    Verdict { tone, head, words: format!("{}, of {declared}.", parts.join(", ")) }
}

impl Verdict {
    /// For a terminal.
    pub(super) fn painted(&self) -> String {
        let style = match self.tone {
            Tone::Nothing => GOOD,
            Tone::Changes => STRONG,
            Tone::Refused => BAD,
        };
        format!("{} {}", paint(style, self.head), self.words)
    }

    /// Without colours.
    pub(super) fn plain(&self) -> String {
        format!("{} {}", self.head, self.words)
    }
}
