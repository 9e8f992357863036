//! The writes of a lead that failed and may be repeated.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use crate::apply::WriteCertainty;
use crate::apply::precheck::Task;
use crate::apply::write::Failed;
use crate::observe::Observed;

/// The writes of a lead that were sent and failed, as far as is known.
#[derive(Debug)]
pub(in crate::apply) struct Attempts {
    /// The first of them, with every field that any of them sent.
    pub(in crate::apply) task: Task,
    pub(in crate::apply) failed: Failed,
    pub(in crate::apply) tries: usize,
    /// The lead before the last of them.
    pub(super) before: Option<Arc<Observed>>,
    pub(super) delays: ExponentialBackoff,
    /// An earlier reading says nothing about them.
    pub(super) not_before: Instant,
    /// How many of them were given all the time that a write may take to show.
    pub(in crate::apply) waits: usize,
}

impl Attempts {
    pub(super) fn new(task: Task, failed: Failed) -> Self {
        Self {
            task,
            failed,
            tries: 0,
            before: None,
            delays: ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_delay(Duration::from_secs(5))
                .without_max_times()
                .with_jitter()
                .build(),
            not_before: Instant::now(),
            waits: 0,
        }
    }

    /// Whether the lead has a part of what was sent, which may have been done.
    pub(in crate::apply) fn is_done_in_part(&self, seen: Option<&Arc<Observed>>) -> bool {
        let mut fields = self.task.change.fields.iter();
        self.failed.certainty == WriteCertainty::Indeterminate
            && seen.is_some_and(|seen| fields.any(|field| field.is_done(&seen.lead)))
    }

    /// Whether the platform updated the lead after the last write, and shows nothing of it that is new. Either that was the write, which is
    /// not shown yet or was set back by somebody, or somebody changed what is not read. Sent again, it may undo a change that is
    /// newer than the plan.
    pub(in crate::apply) fn may_be_set_back(&self, seen: Option<&Arc<Observed>>) -> bool {
        let (Some(before), Some(seen)) = (&self.before, seen) else {
            return false;
        };
        self.failed.certainty == WriteCertainty::Indeterminate
            && seen.updated > before.updated
            && seen.activity == before.activity
            && seen.lead == before.lead
            && seen.unmanaged == before.unmanaged
    }

    /// A later write may send a field that an earlier one left out.
    pub(in crate::apply) fn add(&mut self, task: Task) {
        for field in task.change.fields.0 {
            let known = &mut self.task.change.fields.0;
            if known.iter().all(|other| other.field != field.field) {
                known.push(field);
            }
        }
    }
}
