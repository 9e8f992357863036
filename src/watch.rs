//! Continuous reconciliation: the loop of `convertalk watch`, and what others may see of it and ask it for.
//!
//! # Flow
//! 1. [`schedule`] says what is due: a look at the desired state each `--poll`, a pass each `--every`, both give or take a tenth.
//! 2. A look fetches the commit, or reads the files. Valid files are in force from then on; others leave the last valid ones in force.
//! 3. Where the state in force has changed, or a pass is due, a pass is made: `apply --base applied`, by the same code. It only observes
//!    where `watch.suspend` is set, with `--dry-run`, without a record, and in a freeze.
//! 4. [`reconcile`] publishes the [`status`] in a [`WatchHandle`], which [`server`] and [`notify`] read.
//!
//! A pass that ended with 1, 4, 5 or 6 is repeated after 10 s, then after twice as long each time, up to `--every`. One that a guard refused
//! is not made again before the desired state changes or somebody asks for a look: what was refused would be refused again.
//!
//! # Guarantees
//! - Everything that `apply` guarantees: guards, readings, outcomes, run files, the applied record.
//! - At rest, one listing each `--every`. A commit that leaves the workspace's files alone is no change; it is recorded by the next pass.
//! - A process writes to the inbox that it was started for: a commit that changes endpoint, ids, sign-in or headers is refused.
//! - A field that was reverted three times in 24 hours is left alone for as long ([`fights`]), across restarts.
//! - A kill loses nothing: the record and the run file say what is still intended.
//!
//! # Assumptions
//! - Nothing else applies the same files with another record. A second process of the same workspace waits for its lock, and fails a pass.
//! - Commits that the record names stay in the repository: where a forced push and a garbage collection removed one, passes fail with 1
//!   until it is fetched again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::plan::Plan;
use status::WatchStatus;

pub mod fights;
pub mod memory;
pub mod metrics;
pub mod notify;
pub mod reconcile;
pub mod schedule;
pub mod server;
mod states;
pub mod status;

/// What the loop publishes, and the one request that it takes. Shared by the loop and the server.
#[derive(Debug)]
pub struct WatchHandle {
    status: watch::Sender<Arc<WatchStatus>>,
    plan: Mutex<Option<Arc<Plan>>>,
    progress: Mutex<Instant>,
    poll: Notify,
}

impl WatchHandle {
    /// A handle before the first pass.
    pub fn new(status: WatchStatus) -> Self {
        Self {
            status: watch::Sender::new(Arc::new(status)),
            plan: Mutex::default(),
            progress: Mutex::new(Instant::now()),
            poll: Notify::new(),
        }
    }

    /// The status now.
    pub fn status(&self) -> Arc<WatchStatus> {
        self.status.borrow().clone()
    }

    /// Each status from now on; a slow reader sees the newest only.
    pub fn statuses(&self) -> watch::Receiver<Arc<WatchStatus>> {
        self.status.subscribe()
    }

    /// Publishes a status.
    pub fn publish(&self, status: WatchStatus) {
        self.status.send_replace(Arc::new(status));
    }

    /// The plan of the last pass that read the inbox; `None` before the first.
    pub fn plan(&self) -> Option<Arc<Plan>> {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Publishes a plan. From the first one on, a complete pass has been made.
    pub fn publish_plan(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(plan));
    }

    /// Notes that something went ahead: the desired state was looked at, or a request was answered.
    pub fn progressed(&self) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When something last went ahead.
    pub fn last_progress(&self) -> Instant {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the loop to look at the desired state now.
    pub fn ask_to_poll(&self) {
        self.poll.notify_one();
    }

    /// Completes when someone has asked for a look since the last time.
    pub async fn asked_to_poll(&self) {
        self.poll.notified().await;
    }
}
