//! Carrying out a plan: what apply and undo share, from the guards' word to the last line of the run file.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::options::{OnMissing, Scope};
use super::session::Files;
use super::ui::Ui;
use crate::api::{Client, Write};
use crate::apply::journal::{FORMAT_VERSION, Journal, Line, now};
use crate::apply::{self, Options, Outcome, Progress, Report};
use crate::cancel::{Cancellation, Reason};
use crate::error::{Error, Exit};
use crate::lead::LeadId;
use crate::observe::Live;
use crate::plan::settle::{Settled, Task, settle};
use crate::plan::{Change, DifferencePolicy, Plan, to_write};
use crate::redaction::Redaction;
use crate::report::{self, Format};

/// How a plan is carried out.
#[derive(Debug, Args)]
pub(super) struct Execution {
    /// Do not ask; needed where stdin is no terminal
    #[arg(short, long)]
    yes: bool,
    /// Write and read back so many leads before any other
    #[arg(long, value_name = "N", default_value_t = 1)]
    canary: usize,
    /// Begin no other write after so many have failed
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_failures: usize,
    /// Where to keep the account of this run [default: .convertalk/runs/…]
    #[arg(long, value_name = "FILE")]
    run_file: Option<PathBuf>,
    /// Be done by then: stops in time to read back and report, such as 10m
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    deadline: Option<Duration>,
    /// Do not read back
    #[arg(long)]
    no_verify: bool,
    /// How long a listing may lag behind a write before reading back gives up
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = crate::duration::parse)]
    patience: Duration,
}

/// So long after it was read a lead may be written over without another look.
const FRESH: Duration = Duration::from_secs(30);

/// What is to be written, and what is settled without.
#[derive(Default)]
struct Work {
    tasks: Vec<Task>,
    done: Vec<(LeadId, Outcome, Option<String>)>,
}

impl Execution {
    /// Whether there is somebody to ask, or no need to.
    pub(super) fn check_consent(&self) -> Result<(), Error> {
        if self.yes || std::io::stdin().is_terminal() {
            Ok(())
        } else {
            Err(Error::NeedsYes)
        }
    }

    /// When everything has to be over.
    pub(super) fn end(&self) -> Option<Instant> {
        self.deadline.map(|deadline| Instant::now() + deadline)
    }

    /// Shows the plan, asks, writes, reads back, reports.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is another thing; a struct for two calls would only rename them"
    )]
    pub(super) async fn carry_out(
        &self,
        plan: &Plan,
        whose: DifferencePolicy,
        live: &Live,
        files: &Files,
        scope: &Scope,
        writer: &Client<Write>,
        listed: Instant,
        stop: &Cancellation,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        ui.result(
            &report::plan(
                plan,
                Format::Text,
                report::Audience {
                    names: scope.names,
                    ..report::Audience::default()
                },
            )
            .map_err(Error::Json)?,
        )?;
        if !plan.missing.is_empty() && scope.missing == OnMissing::Fail {
            return Err(Error::Missing {
                leads: plan.missing.len(),
            });
        }
        if !plan.refusals.is_empty() {
            return Ok(Exit::Refused);
        }
        let changes = to_write(&plan.changes, whose);
        if changes.is_empty() {
            return Ok(Exit::Done);
        }
        if !self.yes && !confirmed(stop, ui).await {
            return Err(if stop.interrupted() {
                Error::Interrupted
            } else {
                Error::Declined
            });
        }
        let (journal, run_id) = self.journal(files, plan, changes.len(), scope.names)?;
        let report = self
            .write(&changes, live, scope, writer, &journal, listed, stop, ui)
            .await;
        let exit = exit(&report, !self.no_verify);
        let outcomes = Outcome::ALL
            .iter()
            .map(|outcome| (outcome.as_str().to_owned(), report.count(*outcome)));
        let summary = Line::Summary {
            finished_at: now(),
            exit: exit as u8,
            outcomes: outcomes.filter(|(_, number)| *number > 0).collect(),
            stopped: report
                .stopped
                .map(|reason| report::stopped(reason).to_owned()),
        };
        let noted = journal
            .line(&summary)
            .and_then(|()| journal.sync())
            .map_err(|source| io("write the run file", source));
        let told = ui.result(&report::run(&report));
        ui.note(&format!("run {run_id}: {}", journal.path().display()));
        // Leads have been written: that an account of it could not be given must not look as if nothing had been.
        Ok([noted, told]
            .into_iter()
            .filter_map(Result::err)
            .fold(exit, |exit, error| {
                ui.error(&error);
                exit.max(Exit::Partial)
            }))
    }

    fn journal(
        &self,
        files: &Files,
        plan: &Plan,
        leads: usize,
        names: Redaction,
    ) -> Result<(Journal, String), Error> {
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
        let head = Line::Run {
            format_version: FORMAT_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: run_id.clone(),
            plan_id: plan.plan_id.clone(),
            started_at: now(),
            target: plan.target.clone(),
            leads,
            names,
        };
        journal
            .line(&head)
            .and_then(|()| journal.sync())
            .map_err(cannot)?;
        Ok((journal, run_id))
    }

    #[allow(clippy::too_many_arguments, reason = "as above")]
    async fn write(
        &self,
        changes: &[Change],
        live: &Live,
        scope: &Scope,
        writer: &Client<Write>,
        journal: &Journal,
        listed: Instant,
        stop: &Cancellation,
        ui: &Ui,
    ) -> Report {
        let Work { tasks, done } = work(changes, live);
        let options = Options {
            canary: self.canary,
            max_failures: self.max_failures.max(1),
            verify: !self.no_verify,
            patience: self.patience,
            deadline: stop.end(),
            listed,
            fresh: FRESH,
            names: scope.names,
            tag_shape: live.tag_shape(),
        };
        let reserve = self.deadline.map(|deadline| {
            (deadline / 5).clamp(Duration::from_millis(500), Duration::from_secs(60))
        });
        let last_write = stop
            .end()
            .zip(reserve)
            .map(|(end, reserve)| end.checked_sub(reserve).unwrap_or(end));
        let stop = stop.clone().with_last_write(last_write);
        let steps = tasks.len() * if self.no_verify { 1 } else { 2 };
        let bar = ui.progress(steps, "writing and reading back");
        let progress = |_: Progress| bar.inc(1);
        let report = apply::run(writer, tasks, done, journal, &options, &stop, &progress).await;
        bar.finish_and_clear();
        report
    }
}

fn work(changes: &[Change], live: &Live) -> Work {
    let mut work = Work::default();
    for change in changes {
        match settle(change, live.get(&change.uuid)) {
            Settled::Go(task) => work.tasks.push(*task),
            Settled::Already => work
                .done
                .push((change.uuid.clone(), Outcome::Already, None)),
            Settled::Stale(why) => work
                .done
                .push((change.uuid.clone(), Outcome::Stale, Some(why))),
        }
    }
    work
}

/// The highest that applies wins. Where a run was to read back and could not, it is not done.
fn exit(report: &Report, verify: bool) -> Exit {
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
        if verify {
            any(Outcome::Written, Exit::Partial)
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

/// Asks; the answer is read apart, so that Ctrl-C is heard while nobody answers.
async fn confirmed(stop: &Cancellation, ui: &Ui) -> bool {
    ui.stderr("Apply this? Only `yes` is taken for a yes:");
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
