//! What `apply` and `undo` did, for programs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Problem;
use super::run::stopped;
use crate::apply::history::RunSummary;
use crate::apply::{Outcome, Report};
use crate::lead::LeadId;
use crate::plan::Plan;

/// What `apply` or `undo` did: the plan, and the run that carried it out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApplyReport<'a> {
    /// The exit code of the command.
    pub exit: u8,
    /// The run; null where nothing was sent, because nothing was to be written or the plan was refused.
    pub run: Option<RunSummary>,
    /// The outcome of each lead of the run, in the order of their uuids.
    pub leads: Vec<OutcomeReport>,
    /// Why the run stopped early; null where it did not.
    pub stopped: Option<String>,
    /// Settings that may make the platform accept what it refused.
    pub hints: Vec<String>,
    /// The age of the oldest reading that a write was based on, in milliseconds; null if nothing was sent.
    pub oldest_reading_ms: Option<u64>,
    /// Of `undo`: what stays as the run made it.
    pub stays: Vec<Stays>,
    /// Why nothing could start; null where it could.
    pub error: Option<Problem>,
    /// The plan that was carried out, or refused.
    pub plan: Cow<'a, Plan>,
}

/// What became of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeReport {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// Its label.
    pub label: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// Details; null where there are none.
    pub detail: Option<String>,
}

/// Something that `undo` leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stays {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// What stays, and why.
    pub reason: String,
}

impl<'a> ApplyReport<'a> {
    /// A plan of which nothing has been written.
    pub fn new(plan: Cow<'a, Plan>, exit: u8) -> Self {
        Self {
            exit,
            run: None,
            leads: Vec::new(),
            stopped: None,
            hints: Vec::new(),
            oldest_reading_ms: None,
            stays: Vec::new(),
            error: None,
            plan,
        }
    }

    /// With the run that carried it out.
    pub fn with_run(mut self, report: &Report, run: RunSummary) -> Self {
        let changes = self.plan.changes.iter();
        let labels: BTreeMap<&LeadId, &str> = changes
            .filter_map(|change| Some((&change.uuid, change.label.as_deref()?)))
            .collect();
        self.leads = report
            .outcomes
            .iter()
            .map(|(id, (outcome, detail))| OutcomeReport {
                uuid: id.clone(),
                label: labels.get(id).map(|label| (*label).to_owned()),
                outcome: *outcome,
                detail: detail.clone(),
            })
            .collect();
        self.run = Some(run);
        self.stopped = report.stopped.map(|reason| stopped(reason).to_owned());
        self.hints = report.hints.iter().map(|hint| hint.to_string()).collect();
        self.oldest_reading_ms = report
            .oldest_reading
            .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        self
    }
}
