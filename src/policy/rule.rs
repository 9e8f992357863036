//! Rules on changes: selectors for the lead before and after, and what follows where both match.

use crate::lead::{Field, Lead, LeadId, Place};
use crate::select::Selection;

/// A rule of `policy.rules`.
#[derive(Debug, Clone)]
pub struct ChangeRule {
    /// Its name, unique in the workspace.
    pub name: Box<str>,
    /// Selectors that the lead matches as it is.
    pub before: Selection,
    /// Selectors that the lead matches as it would be.
    pub after: Selection,
    /// What follows.
    pub verdict: Verdict,
    /// Where it is written.
    pub place: Place,
}

/// What follows from changes that a rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They are refused, for this reason.
    Deny(String),
    /// They are reported, with this remark, and go ahead.
    Warn(String),
    /// More of them than this in one run are refused.
    Max(u32),
}

impl ChangeRule {
    /// Whether a change is matched. `before` is `None` where the lead would be created: then only `!=` holds of it.
    pub fn matches(&self, id: &LeadId, before: Option<&Lead>, after: &Lead) -> bool {
        self.before.is_met(id, before) && self.after.is_met(id, Some(after))
    }

    /// The fields that its selectors look at.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.before.fields().chain(self.after.fields())
    }
}
