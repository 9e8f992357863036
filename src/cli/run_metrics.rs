//! The figures of a single run, for `--report openmetrics=FILE`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::recording::APPLIED;
use crate::api::RequestCounts;
use crate::apply::{Outcome, Report};
use crate::error::Exit;
use crate::plan::Plan;
use crate::watch::metrics::{Metrics, seconds};
use crate::watch::status::{LeadStates, PassResult, PassSummary};

/// What is measured of a run from its start.
#[derive(Debug)]
pub(super) struct RunMeter {
    began: Instant,
    requests: Arc<RequestCounts>,
}

impl RunMeter {
    /// Starts to measure a run that counts its requests in `requests`.
    pub(super) fn start(requests: &Arc<RequestCounts>) -> Self {
        Self {
            began: Instant::now(),
            requests: Arc::clone(requests),
        }
    }

    /// The figures of a plan: a pass that only observes.
    pub(super) fn of_plan(&self, plan: &Plan, exit: Exit) -> String {
        let metrics = Metrics::new(Arc::clone(&self.requests));
        describe(&metrics, plan, None, false);
        let result = match exit {
            Exit::Done | Exit::Changes => PassResult::Observed,
            exit => result_of(exit, false),
        };
        self.record(&metrics, result, BTreeMap::new());
        metrics.encode()
    }

    /// The figures of a run that ended before it had a plan.
    pub(super) fn of_failure(&self, exit: Exit) -> String {
        let metrics = Metrics::new(Arc::clone(&self.requests));
        self.record(&metrics, result_of(exit, false), BTreeMap::new());
        metrics.encode()
    }

    /// The figures of an apply; `report` is that of its writes, if there were any to make.
    pub(super) fn of_apply(&self, plan: &Plan, exit: Exit, report: Option<&Report>) -> String {
        let metrics = Metrics::new(Arc::clone(&self.requests));
        metrics.start_counters();
        let is_recorded = !matches!(exit, Exit::Error | Exit::Refused);
        describe(&metrics, plan, report, is_recorded);
        let counts = Outcome::ALL.into_iter().filter_map(|outcome| {
            let leads = report?.count(outcome);
            (leads > 0).then_some((outcome.as_str(), leads))
        });
        let wrote = report.is_some_and(|report| {
            let mut outcomes = report.outcomes.values();
            outcomes.any(|(outcome, _)| outcome.may_have_written())
        });
        self.record(&metrics, result_of(exit, wrote), counts.collect());
        metrics.encode()
    }

    fn record(
        &self,
        metrics: &Metrics,
        result: PassResult,
        outcomes: BTreeMap<&'static str, usize>,
    ) {
        let pass = PassSummary {
            result,
            took: self.began.elapsed(),
            outcomes,
        };
        metrics.record_pass(&pass, seconds(jiff::Timestamp::now()));
    }
}

/// The figures of a plan that was made by another run.
pub(super) fn of_saved_plan(plan: &Plan) -> String {
    let metrics = Metrics::new(Arc::default());
    describe(&metrics, plan, None, false);
    metrics.encode()
}

/// What a plan, and what came of it, say of leads and commits. The commit is applied where it `is_recorded`.
fn describe(metrics: &Metrics, plan: &Plan, report: Option<&Report>, is_recorded: bool) {
    let outcomes = report.map(Report::known_outcomes).unwrap_or_default();
    metrics.set_leads(LeadStates::after(plan, &outcomes, &BTreeSet::new()));
    let base = plan.base.as_ref().filter(|base| base.reference == APPLIED);
    let before = base.map(|base| base.commit.as_str());
    let head = plan.head.as_ref();
    let attempted = head.map(|head| head.commit.as_str());
    let now = head.filter(|head| is_recorded && !head.dirty);
    let applied = now.map(|head| head.commit.as_str()).or(before);
    metrics.set_commits(attempted, applied);
}

/// What an exit code is as the result of a pass.
fn result_of(exit: Exit, wrote: bool) -> PassResult {
    match exit {
        Exit::Done if wrote => PassResult::Changed,
        Exit::Done => PassResult::Ok,
        Exit::Changes => PassResult::Observed,
        Exit::Error => PassResult::Error,
        Exit::Refused => PassResult::Refused,
        Exit::Stale => PassResult::Stale,
        Exit::Partial | Exit::Interrupted => PassResult::Partial,
        Exit::Unverified => PassResult::Unverified,
    }
}
