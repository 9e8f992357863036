//! Executes a plan: what apply and undo share, from the guards to the summary in the run file.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::job::Job;
use super::learned::{keep, known};
use super::ledger::RunFile;
use super::options::OutputFormat;
use super::outputs::{OutputKind, check_outputs};
use super::ui::Ui;
use crate::api::NotesSent;
use crate::apply::history::RunSummary;
use crate::apply::journal::{FORMAT_VERSION, Journal, Line, check_is_run_file, now};
use crate::apply::{self, Context, Outcome, Progress, Report, RunOptions};
use crate::cancel::{Cancellation, Reason};
use crate::config::Workspace;
use crate::error::{Error, Exit};
use crate::plan::{Change, Plan, to_write};
use crate::report;
use crate::text::visible;

/// How a plan is executed.
#[derive(Debug, Args)]
pub(super) struct Execution {
    /// Do not ask for confirmation; required when stdin is not a terminal
    #[arg(short, long)]
    yes: bool,
    /// Write and verify N leads before any other
    #[arg(long, value_name = "N", default_value_t = 1)]
    canary: usize,
    /// Stop after N failed writes
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_failures: usize,
    /// Write the run file here [default: .convertalk/runs/…]
    #[arg(long, value_name = "FILE")]
    run_file: Option<PathBuf>,
    /// Time limit for the whole run, including verification and the report, such as 10m
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    deadline: Option<Duration>,
    /// Do not read back what was written
    #[arg(long)]
    no_verify: bool,
    /// How long to wait for a write to show in the listing
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = crate::duration::parse)]
    patience: Duration,
}

/// A run that has begun.
struct BegunRun {
    id: String,
    started_at: String,
    journal: Journal,
}

impl Execution {
    /// Whether the user can be asked, or need not be.
    pub(super) fn check_consent(&self) -> Result<(), Error> {
        if self.yes || std::io::stdin().is_terminal() {
            Ok(())
        } else {
            Err(Error::NeedsYes)
        }
    }

    /// Checks the files that a run will write. The run file is to be one: no other file may be appended to.
    pub(super) fn check_files<'a>(
        &'a self,
        workspace: &Workspace,
        reports: impl IntoIterator<Item = (OutputKind, &'a Path)>,
    ) -> Result<(), Error> {
        let run = self.run_file.as_deref().map(|run| (OutputKind::Run, run));
        check_outputs(workspace, reports.into_iter().chain(run))?;
        let Some(path) = &self.run_file else {
            return Ok(());
        };
        check_is_run_file(path).map_err(|source| Error::RunFile {
            path: path.clone(),
            source,
        })
    }

    /// The time at which a run that starts now has to end.
    pub(super) fn end(&self) -> Option<Instant> {
        self.deadline.map(|deadline| Instant::now() + deadline)
    }

    /// Prints the plan, asks, writes, verifies and reports.
    pub(super) async fn carry_out(&self, job: &Job<'_>) -> Result<Exit, Error> {
        self.execute(job).await.map(|(exit, _)| exit)
    }

    /// The same without a question: `watch` has nobody to ask.
    pub(super) fn unattended(&mut self) {
        self.yes = true;
    }

    /// As [`Self::carry_out`], with the report of the writes, if there were any to make.
    pub(super) async fn execute(&self, job: &Job<'_>) -> Result<(Exit, Option<Report>), Error> {
        let Job { plan, stop, ui, .. } = *job;
        let changes = to_write(&plan.changes, job.policy);
        let is_missing = plan.is_stuck();
        let may_write = !is_missing && plan.refusals.is_empty() && !changes.is_empty();
        job.show_plan(may_write && !self.yes, may_write)?;
        if is_missing {
            let error = Error::Missing {
                leads: plan.missing.len(),
            };
            job.end_without_run(error.exit(), Some(&error))?;
            return Err(error);
        }
        if !plan.refusals.is_empty() {
            job.end_without_run(Exit::Refused, None)?;
            return Ok((Exit::Refused, None));
        }
        if changes.is_empty() {
            job.ledger
                .map_or(Ok(()), |ledger| ledger.end(None, plan, job.live))?;
            job.end_without_run(Exit::Done, None)?;
            return Ok((Exit::Done, None));
        }
        let mut consented = None;
        if !self.yes {
            if !confirmed(plan, changes.len(), stop, ui).await {
                return Err(if stop.interrupted() {
                    Error::Interrupted
                } else {
                    Error::Declined
                });
            }
            consented = Some(Instant::now());
        }
        let begun = self.begin(job, changes.len())?;
        let journal = &begun.journal;
        let run = RunFile {
            id: &begun.id,
            path: journal.path(),
        };
        job.ledger.map_or(Ok(()), |ledger| {
            ledger.begin(&run, plan, job.live, &changes)
        })?;
        let report = self.write(job, &changes, journal, consented).await;
        let recorded = job.ledger.map_or(Ok(()), |ledger| {
            ledger.end(Some((&run, &report)), plan, job.live)
        });
        let exit = exit(&report);
        let outcomes = outcomes(&report);
        let summary = Line::Summary {
            finished_at: now(),
            exit: exit as u8,
            outcomes: outcomes.clone(),
            stopped: report
                .stopped
                .map(|reason| report::stopped(reason).to_owned()),
            oldest_reading_ms: report
                .oldest_reading
                .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        };
        let noted = journal
            .line(&summary)
            .and_then(|()| journal.sync())
            .map_err(|source| io("write the run file", source));
        let summary = RunSummary {
            id: begun.id.clone(),
            file: file_of(journal.path(), &job.files.workspace),
            started_at: begun.started_at.clone(),
            commit: plan.head.as_ref().map(|head| head.commit.clone()),
            exit: Some(exit as u8),
            outcomes,
        };
        let printed = match job.output.format {
            Some(OutputFormat::Text) if job.reports_to_stdout() => {
                ui.stderr(report::run(&report).trim_end());
                Ok(())
            }
            Some(OutputFormat::Text) => ui.result(&report::run(&report)),
            None => Ok(()),
            Some(OutputFormat::Json) => job.print(&job.document(exit).with_run(&report, summary)),
        };
        ui.note(&format!("run {}: {}", begun.id, journal.path().display()));
        let reported = job.report_run(exit, Some(&report));
        // Leads have been written: a failing report must not make it look as if nothing had been.
        let exit = [recorded, noted, printed, reported]
            .into_iter()
            .filter_map(Result::err)
            .fold(exit, |exit, error| {
                ui.error(&error);
                exit.max(Exit::Partial)
            });
        Ok((exit, Some(report)))
    }

    fn begin(&self, job: &Job<'_>, leads: usize) -> Result<BegunRun, Error> {
        let Job {
            plan, files, scope, ..
        } = *job;
        let started = jiff::Timestamp::now();
        let short: String = plan.plan_id.chars().take(8).collect();
        let run_id = format!(
            "{}-{short}-{}",
            started.strftime("%Y%m%dT%H%M%SZ"),
            std::process::id()
        );
        let path = match &self.run_file {
            Some(path) => path.clone(),
            None => crate::state::run_file(&files.workspace.root, &run_id)
                .map_err(|source| io("make .convertalk/runs/", source))?,
        };
        let cannot = |source| io(&format!("write the run file {}", path.display()), source);
        let journal = Journal::open(&path).map_err(cannot)?;
        let started_at = now();
        let head = Line::Run {
            format_version: FORMAT_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: run_id.clone(),
            plan_id: plan.plan_id.clone(),
            started_at: started_at.clone(),
            target: plan.target.clone(),
            leads,
            names: scope.names,
            head: plan.head.clone(),
            base: plan.base.clone(),
        };
        journal
            .line(&head)
            .and_then(|()| journal.sync())
            .map_err(cannot)?;
        Ok(BegunRun {
            id: run_id,
            started_at,
            journal,
        })
    }

    async fn write(
        &self,
        job: &Job<'_>,
        changes: &[Change],
        journal: &Journal,
        consented: Option<Instant>,
    ) -> Report {
        let options = RunOptions {
            canary: self.canary,
            max_failures: self.max_failures.max(1),
            verify: !self.no_verify,
            patience: self.patience,
            deadline: job.stop.end(),
            consented,
            names: job.scope.names,
            tag_shape: job.live.tag_shape(),
            side_effects: job.files.workspace.api.side_effects,
            adds_notes: job.files.workspace.api.notes == NotesSent::New,
            known: known(&job.files.workspace, changes, job.ui),
        };
        let reserve = self.deadline.map(|deadline| {
            (deadline / 5).clamp(Duration::from_millis(500), Duration::from_secs(60))
        });
        let last_write = job
            .stop
            .end()
            .zip(reserve)
            .map(|(end, reserve)| end.checked_sub(reserve).unwrap_or(end));
        let stop = job.stop.clone().with_last_write(last_write);
        let steps = changes.len() * if self.no_verify { 1 } else { 2 };
        let bar = job.ui.progress(steps, "writing and reading back");
        let context = Context {
            writer: job.writer,
            journal,
            options: &options,
            stop: &stop,
            progress: &|_: Progress| bar.inc(1),
            learned: &|knowledge| keep(&job.files.workspace, knowledge, job.ui),
        };
        let report = apply::run(&context, changes, job.live).await;
        bar.finish_and_clear();
        if report.knowledge != options.known {
            keep(&job.files.workspace, &report.knowledge, job.ui);
        }
        report
    }
}

/// The number of leads by outcome, without zeros.
fn outcomes(report: &Report) -> BTreeMap<String, usize> {
    let counts = Outcome::ALL
        .iter()
        .map(|outcome| (outcome.as_str().to_owned(), report.count(*outcome)));
    counts.filter(|(_, number)| *number > 0).collect()
}

/// A run file, relative to the workspace's folder where it is in it.
fn file_of(path: &Path, workspace: &Workspace) -> String {
    let path = path.strip_prefix(&workspace.root).unwrap_or(path);
    path.display().to_string()
}

/// The highest exit code that applies. A run that could not read back what it wrote is partial.
fn exit(report: &Report) -> Exit {
    let any = |outcome, exit| {
        if report.count(outcome) > 0 {
            exit
        } else {
            Exit::Done
        }
    };
    let interrupted = report.stopped == Some(Reason::Interrupted);
    [
        any(Outcome::Stale, Exit::Stale),
        any(Outcome::Failed, Exit::Partial),
        any(Outcome::Untried, Exit::Partial),
        if report.not_read_back > 0 {
            Exit::Partial
        } else {
            Exit::Done
        },
        any(Outcome::Unverified, Exit::Unverified),
        if interrupted {
            Exit::Interrupted
        } else {
            Exit::Done
        },
    ]
    .into_iter()
    .max()
    .unwrap_or(Exit::Done)
}

/// Asks for confirmation. Reads stdin on its own thread, so that Ctrl-C works at the prompt.
async fn confirmed(plan: &Plan, changes: usize, stop: &Cancellation, ui: &Ui) -> bool {
    ui.stderr(&format!(
        "Write {} to bot {} at {}? Only `yes` is accepted:",
        crate::text::count(changes, "change"),
        visible(&plan.target.bot_id),
        visible(&plan.target.endpoint)
    ));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    });
    tokio::select! {
        answer = answer => answer.unwrap_or(false),
        () = stop.until_interrupted() => false,
    }
}

fn io(what: &str, source: std::io::Error) -> Error {
    Error::Io {
        what: what.to_owned(),
        source,
    }
}
