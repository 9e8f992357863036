//! Apply: Plan → Run. Writes what a plan says, reads it back, and says of each lead what became of it.
//!
//! Is given a [`Writer`], the tasks and a journal; owns the order (canary first), how many writes are under way, when to stop,
//! and one [`Outcome`] for each lead whatever happens. It decides nothing about leads: the plan has.

use std::future::Future;

use serde::Serialize;

use crate::lead::{Field, LeadId, Value};
use crate::observe::TagShape;
use crate::observe::{Observed, Reader};

pub mod journal;
mod run;

pub mod undo;
mod verify;

pub use run::{Options, Progress, Report, run};

/// One write: the fields of one lead that differ.
#[derive(Debug)]
pub struct Update<'a> {
    /// The lead.
    pub id: &'a LeadId,
    /// What its fields are to be.
    pub fields: Vec<(Field, Value)>,
    /// As it was seen last; `None` where it is to be created.
    pub live: Option<&'a Observed>,
    /// The shape of tags where the lead shows none.
    pub tag_shape: TagShape,
    /// The platform has been seen to add the notes that it is sent to those there.
    pub adds_notes: bool,
}

/// Writes leads. A write of absolute values is safe to repeat.
pub trait Writer: Reader {
    /// Sends one update. Success says that the platform took it, not that it took.
    fn update(&self, update: &Update<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether every further request would fail like this one.
    fn is_fatal(error: &Self::Error) -> bool;

    /// Whether the write may have been done all the same.
    fn certainty(error: &Self::Error) -> WriteCertainty;

    /// What to do about it.
    fn hint(error: &Self::Error) -> Option<&'static str>;
}

/// What is known of a write that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteCertainty {
    /// It was never sent.
    NotSent,
    /// It was sent, and not done.
    Rejected,
    /// It was sent, and nobody knows.
    Indeterminate,
}

/// What became of a lead. Each ends as exactly one of these.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf; docs/apply.md has the words"
)]
pub enum Outcome {
    Verified,
    Written,
    Already,
    Stale,
    Failed,
    Untried,
    Unverified,
}

impl Outcome {
    /// All of them, in the order in which a summary tells them.
    pub const ALL: [Self; 7] = [
        Self::Verified,
        Self::Written,
        Self::Already,
        Self::Stale,
        Self::Failed,
        Self::Untried,
        Self::Unverified,
    ];

    /// The word in reports and run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Written => "written",
            Self::Already => "already",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Untried => "untried",
            Self::Unverified => "unverified",
        }
    }
}
