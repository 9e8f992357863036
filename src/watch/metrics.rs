//! Metrics in the OpenMetrics text format: of a loop for `/metrics`, of a single run for `--report openmetrics=FILE`.
//!
//! Labels are words of this program, HTTP methods, statuses and commits. No uuid and no name is in a label, so that neither people's data nor
//! an unbounded number of series reaches a time series database. Equal input gives equal bytes: what is counted is kept in sorted maps, and
//! encoded in their order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::status::{LeadState, LeadStates, PassResult, PassSummary, WatchStatus};
use crate::api::RequestCounts;
use crate::apply::Outcome;

/// The content type of what [`Metrics::encode`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the durations of passes, in seconds: from an inbox of one page to one of thousands.
const BUCKETS: [f64; 10] = [0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// The metrics of a process.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<CountedPasses>);

#[derive(Debug)]
struct CountedPasses {
    figures: Mutex<Figures>,
    durations: Histogram,
    requests: Arc<RequestCounts>,
}

/// What is known; a metric of which nothing is known is left out.
#[derive(Debug, Default)]
struct Figures {
    leads: Option<LeadStates>,
    commits: Option<CommitLabels>,
    passes: BTreeMap<&'static str, u64>,
    writes: BTreeMap<&'static str, u64>,
    last_success: Option<f64>,
    is_suspended: Option<bool>,
}

/// The commits in force; empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CommitLabels {
    attempted: String,
    applied: String,
}

impl Metrics {
    /// Metrics of a process that has made no pass. Requests are read from `requests` whenever the metrics are encoded.
    pub fn new(requests: Arc<RequestCounts>) -> Self {
        Self(Arc::new(CountedPasses {
            figures: Mutex::default(),
            durations: Histogram::new(BUCKETS),
            requests,
        }))
    }

    /// Starts the counters of passes and writes at 0, so that their first increase can be seen.
    pub fn start_counters(&self) {
        let mut figures = self.figures();
        for result in PassResult::ALL {
            figures.passes.entry(result.as_str()).or_default();
        }
        for outcome in Outcome::ALL {
            figures.writes.entry(outcome.as_str()).or_default();
        }
    }

    /// Takes the states of the leads.
    pub fn set_leads(&self, states: LeadStates) {
        self.figures().leads = Some(states);
    }

    /// Takes the commits in force.
    pub fn set_commits(&self, attempted: Option<&str>, applied: Option<&str>) {
        self.figures().commits = Some(CommitLabels {
            attempted: attempted.unwrap_or_default().to_owned(),
            applied: applied.unwrap_or_default().to_owned(),
        });
    }

    /// Takes what a status says: the states of the leads, the commits, and whether it is suspended.
    pub fn set_status(&self, status: &WatchStatus) {
        if status.result.is_some() {
            self.set_leads(status.states);
        }
        self.set_commits(
            status.commit.attempted.as_deref(),
            status.commit.applied.as_deref(),
        );
        self.figures().is_suspended = Some(status.suspended.is_some());
    }

    /// Counts a pass that has ended. `now` is the time in seconds since 1970.
    pub fn record_pass(&self, pass: &PassSummary, now: f64) {
        self.0.durations.observe(pass.took.as_secs_f64());
        let mut figures = self.figures();
        *figures.passes.entry(pass.result.as_str()).or_default() += 1;
        for (outcome, leads) in &pass.outcomes {
            *figures.writes.entry(outcome).or_default() +=
                u64::try_from(*leads).unwrap_or(u64::MAX);
        }
        if pass.result.is_success() {
            figures.last_success = Some(now);
        }
    }

    /// The metrics in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&self.0)));
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _infallible = text::encode(&mut out, &registry);
        out
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0
            .figures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time in seconds, as metrics have it.
pub fn seconds(time: jiff::Timestamp) -> f64 {
    let since: Duration = time
        .duration_since(jiff::Timestamp::UNIX_EPOCH)
        .unsigned_abs();
    since.as_secs_f64()
}

impl Collector for CountedPasses {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(states) = &figures.leads {
            let mut family = encoder.encode_descriptor(
                "convertalk_leads",
                "Declared leads, and those of them that the last pass left in each state.",
                None,
                MetricType::Gauge,
            )?;
            let parts = LeadState::ALL.map(|state| (state.as_str(), states.count(state)));
            for (state, count) in [("declared", states.declared)].into_iter().chain(parts) {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                let labels = [("state", state)];
                ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        if !figures.passes.is_empty() {
            let family = encoder.encode_descriptor(
                "convertalk_passes",
                "Passes by what they came to.",
                None,
                MetricType::Counter,
            )?;
            counters(family, "result", &figures.passes)?;
            let histogram = encoder.encode_descriptor(
                "convertalk_pass_duration",
                "How long passes took.",
                Some(&Unit::Seconds),
                MetricType::Histogram,
            )?;
            self.durations.encode(histogram)?;
        }
        if !figures.writes.is_empty() {
            let family = encoder.encode_descriptor(
                "convertalk_writes",
                "Leads that were to be written, by outcome.",
                None,
                MetricType::Counter,
            )?;
            counters(family, "outcome", &figures.writes)?;
        }
        self.encode_requests(&mut encoder)?;
        if let Some(time) = figures.last_success {
            let gauge = encoder.encode_descriptor(
                "convertalk_last_success_timestamp",
                "When a pass last ended with ok or changed.",
                Some(&Unit::Seconds),
                MetricType::Gauge,
            )?;
            ConstGauge::new(time).encode(gauge)?;
        }
        if let Some(CommitLabels { attempted, applied }) = &figures.commits {
            let mut info = encoder.encode_descriptor(
                "convertalk_commit",
                "The newest commit that was seen, and the one last applied.",
                None,
                MetricType::Info,
            )?;
            info.encode_info(&[
                ("attempted", attempted.as_str()),
                ("applied", applied.as_str()),
            ])?;
        }
        if let Some(is_suspended) = figures.is_suspended {
            let gauge = encoder.encode_descriptor(
                "convertalk_suspended",
                "Whether watch.suspend is set: 1 or 0.",
                None,
                MetricType::Gauge,
            )?;
            ConstGauge::new(i64::from(is_suspended)).encode(gauge)?;
        }
        Ok(())
    }
}

impl CountedPasses {
    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.requests.by_answer();
        if counts.is_empty() {
            return Ok(());
        }
        let mut family = encoder.encode_descriptor(
            "convertalk_requests",
            "Requests to the API, repeated ones too, by method and status; none: no answer.",
            None,
            MetricType::Counter,
        )?;
        for ((method, status), count) in &counts {
            let code = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            let labels = [("method", method.as_str()), ("code", code.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn counters(
    mut family: MetricEncoder<'_>,
    label: &'static str,
    counts: &BTreeMap<&'static str, u64>,
) -> fmt::Result {
    for (value, count) in counts {
        let labels = [(label, *value)];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(result: PassResult, outcomes: &[(&'static str, usize)]) -> PassSummary {
        PassSummary {
            result,
            took: Duration::from_millis(1500),
            outcomes: outcomes.iter().copied().collect(),
        }
    }

    #[test]
    fn nothing_known_is_an_empty_exposition() {
        assert_eq!(Metrics::new(Arc::default()).encode(), "# EOF\n");
    }

    #[test]
    fn a_pass_is_counted_in_each_of_its_metrics() {
        let metrics = Metrics::new(Arc::default());
        metrics.record_pass(
            &pass(PassResult::Partial, &[("verified", 2), ("failed", 1)]),
            1.0,
        );
        metrics.set_leads(LeadStates {
            declared: 5,
            in_sync: 4,
            intended: 1,
            ..LeadStates::default()
        });
        metrics.set_commits(Some("c1"), None);
        let expected = "\
# HELP convertalk_leads Declared leads, and those of them that the last pass left in each state.
# TYPE convertalk_leads gauge
convertalk_leads{state=\"declared\"} 5
convertalk_leads{state=\"in_sync\"} 4
convertalk_leads{state=\"intended\"} 1
convertalk_leads{state=\"drift\"} 0
convertalk_leads{state=\"conflict\"} 0
convertalk_leads{state=\"missing\"} 0
convertalk_leads{state=\"held\"} 0
convertalk_leads{state=\"fighting\"} 0
# HELP convertalk_passes Passes by what they came to.
# TYPE convertalk_passes counter
convertalk_passes_total{result=\"partial\"} 1
# HELP convertalk_pass_duration_seconds How long passes took.
# TYPE convertalk_pass_duration_seconds histogram
# UNIT convertalk_pass_duration_seconds seconds
convertalk_pass_duration_seconds_sum 1.5
convertalk_pass_duration_seconds_count 1
convertalk_pass_duration_seconds_bucket{le=\"0.5\"} 0
convertalk_pass_duration_seconds_bucket{le=\"1.0\"} 0
convertalk_pass_duration_seconds_bucket{le=\"2.5\"} 1
convertalk_pass_duration_seconds_bucket{le=\"5.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"10.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"30.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"60.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"300.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"900.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"3600.0\"} 1
convertalk_pass_duration_seconds_bucket{le=\"+Inf\"} 1
# HELP convertalk_writes Leads that were to be written, by outcome.
# TYPE convertalk_writes counter
convertalk_writes_total{outcome=\"failed\"} 1
convertalk_writes_total{outcome=\"verified\"} 2
# HELP convertalk_commit The newest commit that was seen, and the one last applied.
# TYPE convertalk_commit info
convertalk_commit_info{attempted=\"c1\",applied=\"\"} 1
# EOF
";
        assert_eq!(metrics.encode(), expected);
    }

    #[test]
    fn only_ok_and_changed_are_successes() {
        for result in PassResult::ALL {
            let metrics = Metrics::new(Arc::default());
            metrics.record_pass(&pass(result, &[]), 1_767_323_045.0);
            let has_time = metrics
                .encode()
                .contains("convertalk_last_success_timestamp_seconds 1767323045.0\n");
            let is_success = matches!(result, PassResult::Ok | PassResult::Changed);
            assert_eq!(has_time, is_success, "{result:?}");
        }
    }

    #[test]
    fn a_status_replaces_what_was_known() {
        let metrics = Metrics::new(Arc::default());
        metrics.set_commits(Some("old"), Some("old"));
        let target = crate::plan::Target {
            endpoint: "sandbox".to_owned(),
            bot_id: "b".to_owned(),
            customer_id: "c".to_owned(),
        };
        let mut status = WatchStatus::before_first_pass(target, String::new());
        status.suspended = Some("migration".to_owned());
        metrics.set_status(&status);
        let text = metrics.encode();
        assert!(text.contains("convertalk_suspended 1\n"), "{text}");
        assert!(!text.contains("old"), "{text}");
        assert!(!text.contains("convertalk_leads"), "{text}");
    }

    #[test]
    fn counters_that_were_started_show_before_they_count() {
        let metrics = Metrics::new(Arc::default());
        metrics.start_counters();
        let text = metrics.encode();
        for result in PassResult::ALL {
            let line = format!(
                "convertalk_passes_total{{result=\"{}\"}} 0\n",
                result.as_str()
            );
            assert!(text.contains(&line), "{line}{text}");
        }
        for outcome in Outcome::ALL {
            let line = format!(
                "convertalk_writes_total{{outcome=\"{}\"}} 0\n",
                outcome.as_str()
            );
            assert!(text.contains(&line), "{line}{text}");
        }
    }
}
