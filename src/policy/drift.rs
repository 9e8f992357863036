//! What is done about drift, field by field.

use crate::lead::field_table::FIELDS;
use crate::lead::{Field, FieldId};

/// What a run does about drift: a difference that the inbox made, and the files did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum DriftPolicy {
    /// Leave it as it is
    #[default]
    Keep,
    /// Write what the files say over it
    Revert,
    /// Write nothing at all
    Fail,
}

impl DriftPolicy {
    /// All of them, by the word that the workspace file and the flag have for it.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("keep", Self::Keep),
        ("revert", Self::Revert),
        ("fail", Self::Fail),
    ];
}

/// What a run does about drift, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DriftPolicies([DriftPolicy; FIELDS.len()]);

impl DriftPolicies {
    /// The same policy for every field.
    pub fn all(policy: DriftPolicy) -> Self {
        Self([policy; FIELDS.len()])
    }

    /// The policy for drift of a field.
    pub fn for_field(&self, field: &Field) -> DriftPolicy {
        self.0[field.id().at()]
    }

    /// The same with another policy for the fields that lead files hold under one key: `status`, `contact`.
    pub fn with_group(mut self, group: &str, policy: DriftPolicy) -> Self {
        for id in FieldId::all().filter(|id| id.group() == group) {
            self.0[id.at()] = policy;
        }
        self
    }

    /// What is done where a lead as a whole has drifted: it is reverted only if every field of it is.
    pub fn of_whole(&self) -> DriftPolicy {
        if self.0.contains(&DriftPolicy::Fail) {
            DriftPolicy::Fail
        } else if self.0.contains(&DriftPolicy::Keep) {
            DriftPolicy::Keep
        } else {
            DriftPolicy::Revert
        }
    }
}
