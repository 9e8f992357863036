//! `convertalk plan`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::compared::{Compared, plan};
use super::options::{Differences, Forms, Scope, is_stdout};
use super::outputs::{OutputKind, check_outputs};
use super::recording::{APPLIED, Recording};
use super::reports::ReportedPlan;
use super::run_metrics::{RunMeter, of_saved_plan};
use super::session::{Access, Files, Session, free, read_files, target};
use super::signals::block_on;
use super::ui::Ui;
use crate::atomic_file;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::git::base::BaseError;
use crate::plan::Target;
use crate::plan::file::saved;
use crate::select::Selection;
use crate::snapshot::Snapshot;
use crate::text::{shell_word, visible};

/// Show what apply would change
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    differences: Differences,
    #[command(flatten)]
    recording: Recording,
    #[command(flatten)]
    forms: Forms,
    /// Save the plan, for `apply PLAN`; `-` writes it to stdout and prints nothing else there
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compare with a snapshot of the live listing: no credentials, no network
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// Read the inbox instead of a snapshot older than this
    #[arg(long, value_name = "TIME", requires = "live", value_parser = crate::duration::parse)]
    live_max_age: Option<Duration>,
    /// Exit with 2 if apply would write something
    #[arg(long)]
    detailed_exitcode: bool,
}

impl PlanArgs {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        self.forms
            .reports
            .measured(ui, |access, meter| self.plan(directory, access, meter, ui))
    }

    fn plan(
        &self,
        directory: &Path,
        access: &Access,
        meter: &RunMeter,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        self.forms.check_stdout(self.out.as_deref())?;
        self.differences.check(self.scope.base.is_some())?;
        self.recording.check(self.scope.base.as_deref())?;
        let files = match read_files(directory, ui)? {
            Ok((files, _)) => files,
            Err(invalid) => {
                self.forms.write_invalid(&invalid, ui)?;
                let errors = invalid.errors;
                return Err(Error::Invalid { errors });
            }
        };
        let out = self.out.as_deref().filter(|out| !is_stdout(out));
        let out = out.map(|out| (OutputKind::SavedPlan, out));
        check_outputs(&files.workspace, self.forms.reports.outputs().chain(out))?;
        let snapshot = self.snapshot(&files, ui)?;
        let stop = Cancellation::default();
        block_on(&stop, async {
            match snapshot {
                Some(snapshot) => self.of_snapshot(&snapshot, &files, ui).await,
                None => {
                    Session::with_access(&files.workspace, &stop, access, async |session| {
                        self.of_inbox(session, meter, &files, ui).await
                    })
                    .await
                }
            }
        })
    }

    async fn of_inbox(
        &self,
        session: &Session,
        meter: &RunMeter,
        files: &Files,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        let compared = self.compared(files, session.target(), ui)?;
        let reader = session.reader(&files.workspace)?;
        let reading = ui.reading(&session.requests);
        let planned = plan(files, &self.scope, &compared, session.target(), &reader, ui).await;
        drop(reading);
        let (plan, live) = planned?;
        let _of_apply = super::learned::known(&files.workspace, &plan.changes, ui);
        free(live);
        self.report(&plan, Some((session, meter)), files, ui)
    }

    fn compared(&self, files: &Files, target: &Target, ui: &Ui) -> Result<Compared, Error> {
        let policy = self.differences.policy(&files.workspace);
        let compared = Compared::new(files, &self.scope, &self.recording, policy, target, ui);
        match compared {
            // A plan writes nothing: it can show what it is to show without the classes.
            Err(Error::Base(error)) if self.goes_without(&error, files)? => {
                Ok(Compared::without_base(files, policy, &error, ui))
            }
            compared => compared,
        }
    }

    /// Whether a plan is made without a base that cannot be used: a pull request that repairs the files of its target branch is to be
    /// planned. `auto` leaves no other base to choose; a reference does, but where the files have errors, no commit before the repair may
    /// be better.
    fn goes_without(&self, error: &BaseError, files: &Files) -> Result<bool, Error> {
        let selection = Selection::parse(&self.scope.only, &files.workspace.agents)?;
        let is_enough = match self.scope.base.as_deref() {
            None | Some(APPLIED) => false,
            Some("auto") => error.is_about_files(),
            Some(_) => matches!(error, BaseError::Broken { .. }),
        };
        Ok(is_enough && !selection.needs_base())
    }

    /// The snapshot to compare with, unless the inbox is to be read.
    fn snapshot(&self, files: &Files, ui: &Ui) -> Result<Option<Snapshot>, Error> {
        let Some(path) = &self.live else {
            return Ok(None);
        };
        let snapshot = Snapshot::open(path, &target(&files.workspace))?;
        let Some(max_age) = self.live_max_age else {
            return Ok(Some(snapshot));
        };
        let why = match snapshot.age(jiff::Timestamp::now()) {
            Some(age) if age <= max_age => return Ok(Some(snapshot)),
            Some(age) => format!("is {} old", crate::duration::words(age)),
            None => "has a missing or future timestamp".to_owned(),
        };
        ui.note(&format!(
            "the inbox is read: {} {why}",
            visible(&path.display().to_string())
        ));
        Ok(None)
    }

    async fn of_snapshot(
        &self,
        snapshot: &Snapshot,
        files: &Files,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        let target = target(&files.workspace);
        let compared = self.compared(files, &target, ui)?;
        let (mut plan, _) = plan(files, &self.scope, &compared, &target, snapshot, ui).await?;
        plan.created_at.clone_from(&snapshot.head().created_at);
        snapshot.warn(&mut plan);
        ui.note(&format!(
            "live values of {}, from {}",
            visible(&plan.created_at),
            visible(&snapshot.path().display().to_string())
        ));
        self.report(&plan, None, files, ui)
    }

    fn report(
        &self,
        plan: &crate::plan::Plan,
        read: Option<(&Session, &RunMeter)>,
        files: &Files,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        let (session, meter) = read.unzip();
        if let Some(out) = &self.out {
            let key = session.map(Session::seal_key);
            let bytes = saved(plan, self.scope.names, key.as_ref()).map_err(Error::Json)?;
            if is_stdout(out) {
                // One document on stdout: the saved plan is the result.
                ui.result(&String::from_utf8_lossy(&bytes))?;
                return Ok(self.exit(plan));
            }
            atomic_file::write(out, |file| file.write_all(&bytes))?;
            note_saved(out, &files.workspace.root, ui);
        }
        let exit = self.exit(plan);
        let metrics =
            || meter.map_or_else(|| of_saved_plan(plan), |meter| meter.of_plan(plan, exit));
        let root = Some(files.workspace.root.as_path());
        let reported = ReportedPlan::new(plan, self.scope.names, root, &metrics);
        self.forms.write_plan(reported, ui)?;
        Ok(exit)
    }

    fn exit(&self, plan: &crate::plan::Plan) -> Exit {
        if plan.is_stuck() {
            Exit::Error
        } else if !plan.refusals.is_empty() {
            Exit::Refused
        } else if self.detailed_exitcode && !plan.is_empty() {
            Exit::Changes
        } else {
            Exit::Done
        }
    }
}

/// Says what was saved, and how to apply it from where the user is.
fn note_saved(out: &Path, root: &Path, ui: &Ui) {
    let is_inside = std::env::current_dir().is_ok_and(|here| here.starts_with(root));
    let folder = if is_inside {
        String::new()
    } else {
        format!("-C {} ", shell_word(&root.display().to_string()))
    };
    let out = out.display().to_string();
    ui.note(&visible(&format!(
        "plan saved to {out}; `convertalk apply {folder}{}` applies exactly this plan",
        shell_word(&out)
    )));
}
