//! Apply: Plan → Run. Writes what a plan says, reads it back, and gives each lead one [`Outcome`].
//!
//! # Flow
//! 1. `run` calls [`precheck`]: each change is compared with the newest reading of its lead: proceed, already applied, or stale. Then it
//!    passes the canaries, and after them the rest, to `verify`, which calls `write` (step 3) and `read_back` (step 4).
//! 2. Canaries: [`RunOptions::canary`] leads are written and read back before any other. One that turns out stale or already applied is
//!    replaced by the next; one that fails ends the run.
//! 3. `write`: page by page of the listing, many at a time, one per lead at a time; `queue` decides what to read and what to write next.
//!    Before a write is sent, its reading must be fresh; where it is not, the page of the lead is read again and the precheck decides
//!    anew. A write that failed in passing is repeated in the same way, so nothing is sent twice without a look in between.
//! 4. `check`: what was written is read back. Each page of the listing is read as soon as its leads are written, while others are being
//!    written (`write::confirm`); what that does not confirm is read at the end, until it shows or patience ends (`read_back`).
//! 5. `side_effects`: a declared field that the platform changes with a write of others, and that [`RunOptions::side_effects`] lists, is
//!    written once more, alone, and read back.
//!
//! # Guarantees
//! - Every write, a repeated one too, is sent on a reading of its lead that is at most 2 s old, or as old as one page takes to read
//!   where that is longer (`reading`). The age is taken when the write may be sent, after all waiting. The oldest is in
//!   [`Report::oldest_reading`].
//! - Nothing is written that the precheck does not let through, and no field but those of the change.
//! - Each lead ends with exactly one outcome, whatever happens. `failed` and `unverified` are said of what a reading shows.
//! - The run file has a line before and after each write.
//!
//! # Assumptions
//! - A listing may lag behind a write for as long as [`RunOptions::patience`]. Where an answer is lost and the listing lags, the write
//!   may be repeated; of absolute values that changes nothing.
//! - The platform has no conditional write. Who edits a lead between its reading and the write loses that edit in a list or in a
//!   declared field; the window is the age of the reading.
//! - A lead that is to be created is looked for in the whole listing. That reading is as old as a sweep takes.

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::lead::{Field, LeadId, Value};
use crate::observe::TagShape;
use crate::observe::{Observed, Reader};

pub mod applied;
mod bystanders;
mod check;
pub mod history;
pub mod journal;
mod lost_notes;
mod outcomes;
pub mod platform;
pub mod precheck;
mod queue;
mod read_back;
mod reading;
mod run;
mod side_effects;
pub mod undo;
mod verify;
mod write;

pub use outcomes::Report;
pub use precheck::still_open;
pub use run::{Context, Progress, RunOptions, run};

/// One write: the fields of one lead that differ.
#[derive(Debug)]
pub struct Update<'a> {
    /// The lead.
    pub id: &'a LeadId,
    /// The fields to write.
    pub fields: Vec<(Field, Value)>,
    /// The lead as last read; `None` if it is to be created.
    pub live: Option<&'a Observed>,
    /// The form of tags if the lead has none.
    pub tag_shape: TagShape,
    /// Whether the platform is known to add sent notes to existing ones.
    pub adds_notes: bool,
    /// Notes that an earlier write replaced, as they were read: they are sent again.
    pub lost_notes: &'a [serde_json::Value],
}

/// Writes leads.
pub trait Writer: Reader {
    /// The right to send one request.
    type Permit<'a>: Send
    where
        Self: 'a;

    /// The time between two requests at the configured rate.
    fn interval(&self) -> Duration;

    /// Waits until the rate allows one more request, which may be sent later.
    fn prepay(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// When the platform last asked for a pause, of whatever request: an older reading is not written on.
    fn paused_at(&self) -> Option<Instant> {
        None
    }

    /// Waits until a request may be sent: for a permit, for the rate unless it is prepaid, and for the end of a pause that the platform
    /// asked for.
    fn permit(
        &self,
        is_prepaid: bool,
    ) -> impl Future<Output = Result<Self::Permit<'_>, Self::Error>> + Send;

    /// Sends one update, once. Success means that the platform accepted it, not that it took effect.
    fn update<'a>(
        &'a self,
        update: &Update<'_>,
        permit: Self::Permit<'a>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// How often a write that failed in this way may be repeated.
    fn retries(error: &Self::Error) -> usize;

    /// How long the platform asked to wait.
    fn retry_after(error: &Self::Error) -> Option<Duration>;

    /// Whether every further request would fail in this way.
    fn is_fatal(error: &Self::Error) -> bool;

    /// Whether the write may have been done nevertheless.
    fn certainty(error: &Self::Error) -> WriteCertainty;

    /// The hint.
    fn hint(error: &Self::Error) -> Option<Cow<'static, str>>;
}

/// What is known about a write that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteCertainty {
    /// It was never sent.
    NotSent,
    /// It was sent and not done.
    Rejected,
    /// It was sent and may have been done.
    Indeterminate,
}

/// The outcome of a lead. Each lead has exactly one.
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
    /// All outcomes, in the order of a summary.
    pub const ALL: [Self; 7] = [
        Self::Verified,
        Self::Written,
        Self::Already,
        Self::Stale,
        Self::Failed,
        Self::Untried,
        Self::Unverified,
    ];

    /// Whether the lead may have been written.
    pub fn may_have_written(self) -> bool {
        match self {
            Self::Verified | Self::Written | Self::Unverified => true,
            Self::Already | Self::Stale | Self::Failed | Self::Untried => false,
        }
    }

    /// The name in reports and run files.
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
