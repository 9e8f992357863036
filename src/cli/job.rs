//! A plan to execute, with its context, and what is printed and reported of it.

use std::sync::{Mutex, PoisonError};

use super::ledger::Ledger;
use super::options::{OutputFormat, Scope};
use super::reports::{ReportFormat, ReportedPlan, Reports};
use super::run_metrics::RunMeter;
use super::session::Files;
use super::ui::Ui;
use crate::api::{Client, Write};
use crate::apply::Report;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::observe::Live;
use crate::plan::file::masked;
use crate::plan::{DifferencePolicy, Plan};
use crate::report::{self, ApplyReport, Format, Stays};

/// A plan to execute, with its context.
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) policy: DifferencePolicy,
    pub(super) live: &'a Live,
    /// The applied record; `None` where the run leaves it.
    pub(super) ledger: Option<&'a Ledger<'a>>,
    pub(super) files: &'a Files,
    pub(super) scope: &'a Scope,
    pub(super) writer: &'a Client<Write>,
    pub(super) stop: &'a Cancellation,
    pub(super) ui: &'a Ui,
    pub(super) output: JobOutput<'a>,
}

/// What a run prints.
#[derive(Debug, Default)]
pub(super) struct JobOutput<'a> {
    /// `None` where the command prints something else of the run.
    pub(super) format: Option<OutputFormat>,
    /// Of `undo`: what stays as it is.
    pub(super) stays: Vec<Stays>,
    /// Of `apply`: what else is written of the plan and the run.
    pub(super) reports: Option<RunReports<'a>>,
    /// Of `watch`: the plan that was shown last. One that is the same, and writes nothing, is not shown again.
    pub(super) last_shown: Option<&'a Mutex<String>>,
}

/// The reports of a run, and what they need to know of it.
#[derive(Debug)]
pub(super) struct RunReports<'a> {
    pub(super) reports: &'a Reports,
    /// `None` where the figures are of more than this run.
    pub(super) meter: Option<&'a RunMeter>,
}

impl Job<'_> {
    /// Shows the plan before it is carried out. Of JSON it is a part of the one document, and the user who confirms it reads it on stderr.
    pub(super) fn show_plan(&self, asks: bool, writes: bool) -> Result<(), Error> {
        let Job {
            plan, scope, ui, ..
        } = *self;
        let text = || {
            let audience = report::Audience {
                names: scope.names,
                ..report::Audience::default()
            };
            report::plan(plan, Format::Text, audience)
        };
        self.write_reports(|format| !format.is_of_run(), &String::new)?;
        match self.output.format {
            Some(OutputFormat::Text) if !self.reports_to_stdout() => {
                let text = text();
                if self.is_shown(&text) && !writes {
                    return Ok(());
                }
                ui.result(&text)
            }
            Some(OutputFormat::Text | OutputFormat::Json) if asks => {
                ui.stderr(text().trim_end());
                Ok(())
            }
            Some(OutputFormat::Text | OutputFormat::Json) | None => Ok(()),
        }
    }

    /// Whether a plan is the one that was shown last. It is from now on.
    fn is_shown(&self, text: &str) -> bool {
        let Some(last) = self.output.last_shown else {
            return false;
        };
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = *last == text;
        text.clone_into(&mut last);
        is_same
    }

    /// Whether a report takes the place of what the run prints.
    pub(super) fn reports_to_stdout(&self) -> bool {
        let reports = self.output.reports.as_ref();
        reports.is_some_and(|reports| reports.reports.takes_stdout())
    }

    /// Writes the reports of the wanted formats.
    fn write_reports(
        &self,
        wanted: impl Fn(ReportFormat) -> bool,
        metrics: &dyn Fn() -> String,
    ) -> Result<(), Error> {
        let Some(RunReports { reports, .. }) = &self.output.reports else {
            return Ok(());
        };
        let root = Some(self.files.workspace.root.as_path());
        let reported = ReportedPlan::new(self.plan, self.scope.names, root, metrics);
        let printed = reports.write(wanted, |format| Ok(reported.render(format)))?;
        printed.map_or(Ok(()), |printed| self.ui.write_result(printed))
    }

    /// Writes the reports that need to know what came of the run.
    pub(super) fn report_run(&self, exit: Exit, report: Option<&Report>) -> Result<(), Error> {
        let reports = self.output.reports.as_ref();
        let Some(meter) = reports.and_then(|reports| reports.meter) else {
            return Ok(());
        };
        let metrics = || meter.of_apply(self.plan, exit, report);
        self.write_reports(ReportFormat::is_of_run, &metrics)
    }

    /// Prints the document of a plan of which nothing was written.
    pub(super) fn end_without_run(&self, exit: Exit, error: Option<&Error>) -> Result<(), Error> {
        let mut document = self.document(exit);
        document.error = error.map(|error| self.ui.problem(error));
        self.report_run(exit, None)?;
        self.print(&document)
    }

    pub(super) fn document(&self, exit: Exit) -> ApplyReport<'_> {
        let mut document = ApplyReport::new(masked(self.plan, self.scope.names, None), exit as u8);
        document.stays.clone_from(&self.output.stays);
        document
    }

    pub(super) fn print(&self, document: &ApplyReport<'_>) -> Result<(), Error> {
        match self.output.format {
            Some(OutputFormat::Json) if !self.reports_to_stdout() => self.ui.json(document),
            Some(OutputFormat::Json | OutputFormat::Text) | None => Ok(()),
        }
    }
}
