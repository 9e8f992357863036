//! Continuous reconciliation: what `convertalk watch` knows, and what others may see of it and ask it for.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::plan::Plan;
use status::WatchStatus;

pub mod memory;
pub mod metrics;
pub mod notify;
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
