//! `convertalk apply`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::compared::{Compared, base, plan, select};
use super::execution::Execution;
use super::job::{Job, JobOutput, RunReports};
use super::ledger::Ledger;
use super::options::{Differences, OnMissing, OutputFormat, Scope, one_document};
use super::recording::{APPLIED, Recording, rewind};
use super::reports::Reports;
use super::run_metrics::RunMeter;
use super::session::{Access, Files, Session, files, lock};
use super::signals::block_on;
use super::ui::Ui;
use crate::api::ApiError;
use crate::apply::still_open;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::hints::with_hints;
use crate::observe::{Live, Reader, observe};
use crate::plan::file::{self, unseal};
use crate::plan::{Base, Plan, Present, Target, hold, narrow, rejudge, to_write, undecide};
use crate::policy::Guard;
use crate::select::Selection;

/// Make the inbox match the files, then verify
///
/// Makes a fresh plan, or applies a saved one. Asks before it writes, unless --yes is given.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// Saved plan to apply; leads that changed since are skipped
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    execution: Execution,
    #[command(flatten)]
    differences: Differences,
    #[command(flatten)]
    recording: Recording,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    #[command(flatten)]
    reports: Reports,
    /// Refuse a saved plan older than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = crate::duration::parse)]
    max_age: Duration,
}

impl Apply {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        self.reports
            .measured(ui, |access, meter| self.apply(directory, access, meter, ui))
    }

    fn apply(
        &self,
        directory: &Path,
        access: &Access,
        meter: &RunMeter,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        one_document(self.format == OutputFormat::Json, self.reports.files())?;
        let end = self.execution.end();
        let files = files(directory, ui)?;
        self.execution
            .check_files(&files.workspace, self.reports.outputs())?;
        let saved = self
            .plan
            .as_deref()
            .map(super::show::read_plan)
            .transpose()?;
        self.check_base(saved.as_ref())?;
        self.execution.check_consent()?;
        let stop = Cancellation::at(end);
        let _lock = lock(&files.workspace)?;
        block_on(&stop, async {
            Session::with_access(&files.workspace, &stop, access, async |session| {
                let writer = session.writer(&files.workspace)?;
                let reading = ui.reading(&session.requests);
                let target = session.target();
                let compared = self.compared(saved.as_ref(), &files, target, ui)?;
                let ledger = self.ledger(saved.as_ref(), &compared, &files, target, ui)?;
                let planned = match saved {
                    None => plan(&files, &self.scope, &compared, target, &writer, ui).await,
                    Some(saved) => self.take(saved, &files, session, &writer, ui).await,
                };
                drop(reading);
                let (plan, live) = planned?;
                self.execution
                    .carry_out(&Job {
                        plan: &plan,
                        policy: compared.policy,
                        live: &live,
                        ledger: ledger.as_ref(),
                        files: &files,
                        scope: &self.scope,
                        writer: &writer,
                        stop: &stop,
                        ui,
                        output: JobOutput {
                            format: Some(self.format),
                            reports: Some(RunReports {
                                reports: &self.reports,
                                meter: Some(meter),
                            }),
                            ..JobOutput::default()
                        },
                    })
                    .await
            })
            .await
        })
    }

    /// A saved plan contains its base, and without a base there is no drift to decide about.
    fn check_base(&self, saved: Option<&Plan>) -> Result<(), Error> {
        let has_base = saved.map_or(self.scope.base.is_some(), |saved| saved.base.is_some());
        if saved.is_some() && self.scope.base.is_some() {
            Err(Error::Usage(
                "--base cannot be used with a saved plan, which contains its own base",
            ))
        } else {
            self.recording.check(self.scope.base.as_deref())?;
            self.differences.check(has_base)
        }
    }

    /// What a fresh plan is compared with. A saved plan has been compared.
    fn compared(
        &self,
        saved: Option<&Plan>,
        files: &Files,
        target: &Target,
        ui: &Ui,
    ) -> Result<Compared, Error> {
        let policy = self.differences.policy(&files.workspace);
        if saved.is_some() {
            return Ok(Compared {
                policy,
                ..Compared::default()
            });
        }
        Compared::new(files, &self.scope, &self.recording, policy, target, ui)
    }

    fn ledger<'f>(
        &self,
        saved: Option<&Plan>,
        compared: &'f Compared,
        files: &'f Files,
        target: &Target,
        ui: &Ui,
    ) -> Result<Option<Ledger<'f>>, Error> {
        match saved {
            Some(saved) => self.recording.open_saved(files, saved, ui),
            None => self.recording.open(files, compared, target, ui),
        }
    }

    /// Reads a saved plan and checks that it may be applied here and now. Fills in masked values from the files, and reads the listing
    /// for the leads of the plan only.
    async fn take(
        &self,
        mut saved: Plan,
        files: &Files,
        session: &Session,
        reader: &impl Reader<Error = ApiError>,
        ui: &Ui,
    ) -> Result<(Plan, Live), Error> {
        let Files {
            workspace, desired, ..
        } = files;
        let path = self.plan.clone().unwrap_or_default();
        file::check(
            &saved,
            session.target(),
            jiff::Timestamp::now(),
            self.max_age,
        )
        .map_err(|source| Error::PlanFile { path, source })?;
        if !self.scope.only.is_empty() {
            let selection = Selection::parse(&self.scope.only, &workspace.agents)?;
            let planned = saved.base.as_ref().filter(|_| selection.needs_base());
            let said = planned
                .map(|planned| base(workspace, &planned.commit))
                .transpose()?;
            let said = said.as_ref().map(|(_, said)| said);
            let chosen = select(&selection, desired, said, ui)?;
            narrow(&mut saved, &chosen);
        }
        hold(&mut saved, desired);
        // It would take the record back to its own commit, although it is about the leads that differed then.
        if let Some(head) = &saved.head
            && let Some(record) = self.recording.read(&workspace.root, session.target())?
        {
            let allow = &self.scope.allow;
            let refusal = rewind(&workspace.root, &head.commit, &record.commit, allow);
            let is_recorded = |base: &Base| base.reference == APPLIED;
            let refusal = if saved.base.as_ref().is_some_and(is_recorded) {
                refusal?
            } else {
                // A repository without one of the commits does not keep a plan from being applied that is not about the record.
                refusal.unwrap_or_default()
            };
            saved
                .refusals
                .retain(|refusal| refusal.rule != Guard::Rewind);
            saved.refusals.extend(refusal);
        }
        let Differences { drift, conflicts } = self.differences;
        undecide(&mut saved.changes, drift.is_some(), conflicts.is_some());
        let wanted = saved
            .changes
            .iter()
            .map(|change| change.uuid.clone())
            .collect();
        let full = self.scope.reads_all(workspace);
        let (root, target) = (&workspace.root, session.target());
        let live = with_hints(reader, root, target, Some(desired), async |hints| {
            observe(reader, &wanted, full, hints).await
        })
        .await?;
        let mut plan = unseal(saved, desired, &live, &session.seal_key());
        let policy = self.differences.policy(workspace);
        let written = to_write(&plan.changes, policy).into_owned();
        rejudge(
            &mut plan,
            &Present {
                live: &live,
                open: &still_open(&written, &live),
                written: &written,
                declared: desired.len(),
                agents: &workspace.agents,
                limits: &self.scope.limits(workspace, true)?,
                policy,
            },
        );
        plan.skips_missing = self.scope.missing == OnMissing::Skip;
        Ok((plan, live))
    }
}
