//! The status document of `watch`: what the last pass came to, and what the next one waits for.
//!
//! It is what `/status` answers and what a notification carries. It names leads by their uuids only.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lead::LeadId;
use crate::plan::{Refusal, Target};
use crate::report::Problem;

/// The version of the format of [`WatchStatus`].
pub const FORMAT_VERSION: u32 = 1;

/// The status document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WatchStatus {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The inbox.
    pub target: Target,
    /// What the last pass came to, or `error` where the desired state could not be read since; null before the first pass.
    pub result: Option<PassResult>,
    /// Since when the result is this one, where ok and changed count as one (RFC 3339, UTC).
    pub since: String,
    /// The commits of the desired state.
    pub commit: StatusCommits,
    /// When the next pass begins at the latest (RFC 3339, UTC); null where it waits for a change.
    pub next_pass_at: Option<String>,
    /// The reason in `watch.suspend`; null where nothing is suspended.
    pub suspended: Option<String>,
    /// Whether the commit is refused because it does not descend from the commit last applied.
    pub rewind: bool,
    /// The declared leads, by what the last pass left them in.
    pub states: LeadStates,
    /// Fields that are left alone because something else keeps changing them back, by lead and name.
    pub fighting: Vec<FightingField>,
    /// Why the last pass was refused.
    pub refusals: Vec<Refusal>,
    /// What went wrong; null where nothing did.
    pub error: Option<Problem>,
}

impl WatchStatus {
    /// The status before the first pass.
    pub fn before_first_pass(target: Target, now: String) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            target,
            result: None,
            since: now,
            commit: StatusCommits::default(),
            next_pass_at: None,
            suspended: None,
            rewind: false,
            states: LeadStates::default(),
            fighting: Vec::new(),
            refusals: Vec::new(),
            error: None,
        }
    }
}

/// Commits by what became of them. All are null outside of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatusCommits {
    /// The newest one that was seen, valid or not.
    pub attempted: Option<String>,
    /// The one last applied, by the applied record.
    pub applied: Option<String>,
    /// The newest one whose files are valid: the desired state in force.
    pub valid: Option<String>,
}

/// What a pass came to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf; docs/watch.md has the words"
)]
pub enum PassResult {
    Ok,
    Changed,
    Refused,
    Stale,
    Partial,
    Unverified,
    Error,
    Suspended,
    Observed,
}

impl PassResult {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Changed,
        Self::Refused,
        Self::Stale,
        Self::Partial,
        Self::Unverified,
        Self::Error,
        Self::Suspended,
        Self::Observed,
    ];

    /// The word in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Unverified => "unverified",
            Self::Error => "error",
            Self::Suspended => "suspended",
            Self::Observed => "observed",
        }
    }

    /// Whether a pass that came to this has tried to write.
    pub fn may_have_written(self) -> bool {
        match self {
            Self::Changed | Self::Stale | Self::Partial | Self::Unverified => true,
            Self::Ok | Self::Refused | Self::Error | Self::Suspended | Self::Observed => false,
        }
    }

    /// Whether the inbox is as the files want it, as far as policy lets it.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Ok | Self::Changed)
    }
}

/// The state of a declared lead after a pass. Each lead is in exactly one: the last of these that applies to any of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeadState {
    /// As declared.
    InSync,
    /// It drifted, and is kept as it is.
    Drift,
    /// A change is still to be written.
    Intended,
    /// The files and the inbox changed a field to different values.
    Conflict,
    /// A field of it is left alone because something else keeps changing it back.
    Fighting,
    /// Its file holds it.
    Held,
    /// Not in the inbox.
    Missing,
}

impl LeadState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InSync,
        Self::Intended,
        Self::Drift,
        Self::Conflict,
        Self::Missing,
        Self::Held,
        Self::Fighting,
    ];

    /// The word in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Intended => "intended",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
            Self::Missing => "missing",
            Self::Held => "held",
            Self::Fighting => "fighting",
        }
    }
}

/// The number of declared leads, and of those in each state: the states add up to `declared`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LeadStates {
    /// Leads that the files declare, `--only` applied.
    pub declared: usize,
    /// As declared.
    pub in_sync: usize,
    /// A change is still to be written.
    pub intended: usize,
    /// Changed in the inbox and not in the files, and kept so.
    pub drift: usize,
    /// Changed in both, to different values.
    pub conflict: usize,
    /// Not in the inbox.
    pub missing: usize,
    /// Held by their files.
    pub held: usize,
    /// With a field that is left alone because something else keeps changing it back.
    pub fighting: usize,
}

impl LeadStates {
    /// The number of leads in a state.
    pub fn count(&self, state: LeadState) -> usize {
        match state {
            LeadState::InSync => self.in_sync,
            LeadState::Intended => self.intended,
            LeadState::Drift => self.drift,
            LeadState::Conflict => self.conflict,
            LeadState::Missing => self.missing,
            LeadState::Held => self.held,
            LeadState::Fighting => self.fighting,
        }
    }
}

/// A field of a lead that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FightingField {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The field's name, as in a plan.
    pub field: String,
}

/// What one pass came to, for counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassSummary {
    /// What it came to.
    pub result: PassResult,
    /// How long it took.
    pub took: Duration,
    /// The number of leads by outcome of their write; empty where nothing was to be written.
    pub outcomes: BTreeMap<&'static str, usize>,
}
