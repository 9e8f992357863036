//! Plan: Diff × Policy → what would be done, what is refused, and what it comes to. Pure.
//!
//! [`Plan`] is one type from here to the screen, to the JSON and to the saved file, and back: its serialised form is version 1
//! of the plan format, and `schema/plan.schema.json` is derived from it. Given a diff and the limits, `make` leaves the
//! executor no choices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::diff::{Class, Side};
pub use crate::git::head::Head;
use crate::lead::LeadId;
use crate::lead::desired::Place;
use crate::observe::Listing;
use crate::policy::Guard;

mod classify;
pub mod explain;
mod fields;
pub mod file;
mod hash;
mod make;
mod policy;
mod summary;

pub use classify::{ConflictPolicy, DifferencePolicy, to_write, undecide};
pub use fields::Fields;
use hash::hash_of;
pub use make::{Input, Present, bare, hold, make, narrow, rejudge};
pub use policy::Limits;

/// The version of the format that this program writes and reads.
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
    /// The same for equal targets and equal changes.
    pub plan_id: String,
    /// What the plan is for; it is refused anywhere else.
    pub target: Target,
    /// The commit that the files are of; null outside of a repository.
    #[serde(default)]
    pub head: Option<Head>,
    /// The commit that differences were explained with.
    pub base: Option<Base>,
    /// The leads that `--only` selected; left out where the plan is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub selected: Option<Vec<LeadId>>,
    /// How much of the live listing stands behind it.
    pub listing: Listing,
    /// The numbers.
    pub summary: Summary,
    /// Leads that differ, in the order of their uuids. Of those where `taken` is `live`, nothing is written.
    pub changes: Vec<Change>,
    /// Declared leads that two sweeps of the listing did not show.
    pub missing: Vec<Missing>,
    /// Declared leads that are held: none of them is written, and no difference of them counts.
    #[serde(default)]
    pub held: Vec<Held>,
    /// Fields that are no longer declared.
    pub released: Vec<Released>,
    /// Why nothing of this may be applied.
    pub refusals: Vec<Refusal>,
    /// What policy reports, though it goes ahead.
    #[serde(default)]
    pub warnings: Vec<Refusal>,
    /// How many leads move from which status to which.
    pub transitions: Vec<TransitionCount>,
    /// Each agent's leads before and after: of the whole inbox where the listing is complete, else of the declared leads.
    pub agents: Vec<AgentLoad>,
    /// SHA-256 of this document without this key; in saved plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Plan {
    /// Whether there is nothing to write: no difference, or only such as stay in the inbox.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Change::stays)
    }
}

/// The inbox that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The API's address, or `sandbox`.
    pub endpoint: String,
    /// The bot.
    pub bot_id: String,
    /// The customer.
    pub customer_id: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// As it was asked for.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its whole hash.
    pub commit: String,
}

/// The numbers of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Leads that the files declare, `--only` applied.
    pub declared: usize,
    /// Of them, those with nothing to do.
    pub in_sync: usize,
    /// Those to be updated.
    pub to_update: usize,
    /// Those to be created.
    pub to_create: usize,
    /// Those not found.
    pub missing: usize,
    /// Those whose inbox moved while the file did not.
    pub drift: usize,
    /// Those of which both moved, apart.
    pub conflicts: usize,
    /// Those held.
    #[serde(default)]
    pub held: usize,
}

/// What is done to a lead.
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

/// One lead that is not as the files want it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// Update or create.
    pub action: Action,
    /// `change` where there is no base to explain it with.
    pub class: Class,
    /// Where the lead is declared.
    pub source: Source,
    /// The fields that differ, by name.
    pub fields: Fields,
    /// `live` where nothing of it is written; `file` where a lead that drifted is created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Side>,
}

impl Change {
    /// Whether nothing of it is written: what the inbox has stays.
    pub fn stays(&self) -> bool {
        self.taken == Some(Side::Live)
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Relative to the workspace's folder.
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
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// Where it is declared.
    pub source: Source,
}

/// A declared lead that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// Why, as the file says.
    pub reason: String,
    /// Where it is declared.
    pub source: Source,
}

/// Fields of a lead that the files declared at the base and no longer do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// Which lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers knew it.
    pub label: Option<String>,
    /// The fields, by name.
    pub fields: Vec<String>,
    /// Where they stood at the base.
    pub source: Source,
}

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The guard: `max-changes`, `transition`, `require-agent`, `max-leads`, `empty-listing`, `conflict`, `drift`, `freeze`, `rewind`,
    /// `target`, or `rule:NAME`; of a warning also `snapshot`.
    #[schemars(with = "String")]
    pub rule: Guard,
    /// What is wrong, with its number.
    pub message: String,
    /// Where the rule stands; null where it is a flag or built in.
    pub source: Option<Source>,
    /// How to override it, once or for good.
    pub lift: String,
    /// The leads it is about, in order; empty where it is about the whole plan.
    #[schemars(with = "Vec<String>")]
    pub leads: Vec<LeadId>,
}

/// Leads that move between two statuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TransitionCount {
    /// Null for a lead without a status, or one that is to be created.
    pub from: Option<String>,
    /// The new status.
    pub to: String,
    /// How many leads.
    pub count: usize,
}

/// An agent's leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentLoad {
    /// The platform's id.
    pub id: String,
    /// The name in the workspace.
    pub name: Option<String>,
    /// Leads as it is.
    pub before: u64,
    /// Leads as it would be.
    pub after: u64,
    /// The cap of the workspace.
    pub max_leads: Option<u32>,
}
