//! Plan: Diff × Policy → what would change, what is refused, and totals. Pure.
//!
//! [`Plan`] is one type for the screen, the JSON output and the saved file: its serialized form is version 1
//! of the plan format, and `schema/plan.schema.json` is derived from it. `make` decides everything, given a diff and the limits; the
//! executor has no choices to make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::diff::{Class, Side};
pub use crate::git::head::Head;
use crate::lead::LeadId;
use crate::lead::desired::Place;
use crate::observe::Listing;
use crate::policy::Guard;

mod classify;
mod decide;
pub mod explain;
mod fields;
pub mod file;
mod hash;
mod make;
mod policy;
mod summary;

pub use decide::{ConflictPolicy, DifferencePolicy, to_write, undecide};
pub use fields::Fields;
use hash::hash_of;
pub use make::{Input, Present, bare, hold, make, narrow, rejudge};
pub use policy::Limits;

/// The version of the plan format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// What one run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The version of the program that made the plan.
    pub tool_version: String,
    /// When the live listing had been read (RFC 3339, UTC).
    pub created_at: String,
    /// Equal for equal targets and equal changes.
    pub plan_id: String,
    /// The inbox of the plan; a plan is refused for any other inbox.
    pub target: Target,
    /// The commit that the files are of; null outside of a repository.
    #[serde(default)]
    pub head: Option<Head>,
    /// The base: the commit that differences are explained by.
    pub base: Option<Base>,
    /// The leads that `--only` selected; left out where the plan is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub selected: Option<Vec<LeadId>>,
    /// How much of the live listing was read.
    pub listing: Listing,
    /// Totals.
    pub summary: Summary,
    /// Leads that differ, in the order of their uuids. Of those where `taken` is `live`, nothing is written.
    pub changes: Vec<Change>,
    /// Declared leads that two sweeps of the listing did not find.
    pub missing: Vec<Missing>,
    /// Whether the other leads are applied where some are missing (`--missing skip`); left out where not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skips_missing: bool,
    /// Declared leads that are held: they are not written, and their differences do not count.
    #[serde(default)]
    pub held: Vec<Held>,
    /// Fields that are no longer declared.
    pub released: Vec<Released>,
    /// Why this plan cannot be applied.
    pub refusals: Vec<Refusal>,
    /// What policy warns about; warnings do not stop a run.
    #[serde(default)]
    pub warnings: Vec<Refusal>,
    /// The number of leads for each status transition.
    pub transitions: Vec<TransitionCount>,
    /// Each agent's number of leads before and after: of the whole inbox if the listing is complete, else of the declared leads.
    pub agents: Vec<AgentLoad>,
    /// SHA-256 of this document without this key; in saved plans only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Plan {
    /// Whether leads that are not in the inbox keep it from being applied.
    pub fn is_stuck(&self) -> bool {
        !self.missing.is_empty() && !self.skips_missing
    }

    /// Whether there is nothing to write: no difference, or only such as stay in the inbox.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Change::stays)
    }
}

/// The inbox that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The address of the API, or `sandbox`.
    pub endpoint: String,
    /// The bot.
    pub bot_id: String,
    /// The customer.
    pub customer_id: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// The reference as given.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The full hash.
    pub commit: String,
}

/// The totals of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Leads that the files declare, `--only` applied.
    pub declared: usize,
    /// Declared leads without a change.
    pub in_sync: usize,
    /// Leads to update.
    pub to_update: usize,
    /// Leads to create.
    pub to_create: usize,
    /// Leads not found.
    pub missing: usize,
    /// Leads that changed in the inbox and not in the files.
    pub drift: usize,
    /// Leads that changed in both, to different values.
    pub conflicts: usize,
    /// Leads that are held.
    #[serde(default)]
    pub held: usize,
}

/// The action on a lead.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Action {
    #[allow(
        missing_docs,
        reason = "a doc comment on a variant turns the schema's enum into a oneOf"
    )]
    Update,
    #[allow(missing_docs, reason = "as above")]
    Create,
}

impl Action {
    /// The name in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Create => "create",
        }
    }
}

/// One lead that is not as the files want it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The label, for readers.
    pub label: Option<String>,
    /// Update or create.
    pub action: Action,
    /// `change` if there is no base to explain it by.
    pub class: Class,
    /// Where the lead is declared.
    pub source: Source,
    /// The fields that differ, by name.
    pub fields: Fields,
    /// Declared fields that are not written, as they were, by name: a lead in which one of them has changed since is stale. Left out
    /// where there are none.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub unwritten: Fields,
    /// `live` where nothing of it is written; `file` where a lead that drifted is created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Side>,
}

impl Change {
    /// Whether nothing of it is written: what the inbox has stays.
    pub fn stays(&self) -> bool {
        self.taken == Some(Side::Live)
    }

    /// The same change, as far as it is written.
    fn without_unwritten(&self) -> Self {
        Self {
            uuid: self.uuid.clone(),
            label: self.label.clone(),
            action: self.action,
            class: self.class,
            source: self.source.clone(),
            fields: self.fields.clone(),
            unwritten: Fields::default(),
            taken: self.taken,
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Relative to the folder of the workspace.
    pub file: String,
    /// From 1.
    pub line: u32,
}

impl From<&Place> for Source {
    fn from(place: &Place) -> Self {
        Self {
            file: place.file.to_string(),
            line: place.line,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", crate::text::visible(&self.file), self.line)
    }
}

/// A declared lead that was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The label, for readers.
    pub label: Option<String>,
    /// Where it is declared.
    pub source: Source,
    /// The uuid of a listed lead that differs from this one in letter case only; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub listed_as: Option<LeadId>,
}

impl Missing {
    /// What to know of it, for readers: under which uuid it is listed.
    pub fn remark(&self) -> Option<String> {
        let listed = self.listed_as.as_ref()?;
        Some(format!(
            "listed as {}: write it in the same letter case",
            crate::text::visible(listed.as_str())
        ))
    }
}

/// A declared lead that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The label, for readers.
    pub label: Option<String>,
    /// The reason, from the file.
    pub reason: String,
    /// Where it is declared.
    pub source: Source,
}

/// Fields of a lead that the files declared at the base and no longer do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The label at the base, for readers.
    pub label: Option<String>,
    /// The fields, by name.
    pub fields: Vec<String>,
    /// Where they were declared at the base.
    pub source: Source,
}

/// A rule that a plan violates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The guard: `max-changes`, `transition`, `require-agent`, `max-leads`, `empty-listing`, `conflict`, `drift`, `freeze`, `rewind`,
    /// `target`, or `rule:NAME`; of a warning also `snapshot` and `base`.
    #[schemars(with = "String")]
    pub rule: Guard,
    /// What is wrong, with the number that matters.
    pub message: String,
    /// The place of the rule; null for a flag or a built-in rule.
    pub source: Option<Source>,
    /// How to override it, once or for good.
    pub lift: String,
    /// The leads concerned, in order; empty if the whole plan is concerned.
    #[schemars(with = "Vec<String>")]
    pub leads: Vec<LeadId>,
}

/// The number of leads for one status transition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TransitionCount {
    /// Null for a lead without a status, or one to be created.
    pub from: Option<String>,
    /// The new status.
    pub to: String,
    /// The number of leads.
    pub count: usize,
}

/// An agent's number of leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentLoad {
    /// The id on the platform.
    pub id: String,
    /// The name in the workspace.
    pub name: Option<String>,
    /// The number of leads now.
    pub before: u64,
    /// The number of leads after the plan.
    pub after: u64,
    /// The cap in the workspace.
    pub max_leads: Option<u32>,
}
