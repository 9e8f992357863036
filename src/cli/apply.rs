//! `convertalk apply`

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::options::{OnMissing, Scope};
use super::screen::Screen;
use super::session::{Files, Session, block_on, files, plan};
use crate::apply::journal::{Journal, Line, now};
use crate::apply::{self, Options, Outcome, Progress, Report, Settled, Task, settle};
use crate::error::{Error, Exit};
use crate::lead::LeadId;
use crate::observe::{Live, observe};
use crate::plan::file::{self, unseal};
use crate::plan::{Change, Plan, Selection, rejudge};
use crate::report::{self, Format};
use crate::stop::Stop;

/// Write what is needed, and read it back
///
/// Plans afresh, or takes a saved plan. Example: convertalk apply --yes
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// A saved plan: of it, what has not moved since is written, and nothing else
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    scope: Scope,
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
    /// Refuse a saved plan that is older
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = crate::duration::parse)]
    max_age: Duration,
}

/// What is to be written, and what is settled without.
#[derive(Default)]
struct Work {
    tasks: Vec<Task>,
    done: Vec<(LeadId, Outcome, Option<String>)>,
}

impl Apply {
    pub(super) fn run(self, directory: &Path, screen: &Screen) -> Result<Exit, Error> {
        if !self.yes && !std::io::stdin().is_terminal() {
            return Err(Error::NeedsYes);
        }
        let end = self.deadline.map(|deadline| Instant::now() + deadline);
        let files = files(directory, screen)?;
        let saved = self.plan.as_deref().map(super::show::read_plan).transpose()?;
        let stop = Stop::default();
        block_on(&stop, async {
            let session = Session::open(&files.workspace, &stop).await?;
            let outcome = self.plan_and_write(&files, saved, &session, end, &stop, screen).await;
            let closed = session.close().await;
            let exit = outcome?;
            closed.map(|()| exit)
        })
    }

    async fn plan_and_write(
        &self,
        files: &Files,
        saved: Option<Plan>,
        session: &Session,
        end: Option<Instant>,
        stop: &Stop,
        screen: &Screen,
    ) -> Result<Exit, Error> {
        let writer = session.writer(&files.workspace)?;
        let spinner = screen.progress(0, "reading the inbox");
        let planned = match saved {
            None => plan(files, &self.scope, session.target(), &writer).await,
            Some(saved) => self.take(saved, files, session, &writer).await,
        };
        spinner.finish_and_clear();
        let (plan, live) = planned?;
        screen.result(&report::plan(&plan, Format::Text, self.scope.names).map_err(Error::Json)?)?;
        if !plan.missing.is_empty() && self.scope.missing == OnMissing::Fail {
            return Err(Error::Missing { leads: plan.missing.len() });
        }
        if !plan.refusals.is_empty() {
            return Ok(Exit::Refused);
        }
        if plan.is_empty() {
            return Ok(Exit::Done);
        }
        if !self.yes && !confirmed(screen) {
            return Err(Error::Declined);
        }
        let Some(_lock) = crate::state::lock(&files.workspace.root).map_err(|source| io("lock the workspace", source))? else {
            return Err(Error::Locked);
        };
        let (journal, run_id) = self.journal(files, &plan)?;
        let report = self.write(&plan, &live, &writer, &journal, end, stop, screen).await;
        let exit = exit(&report);
        let summary = Line::Summary {
            finished_at: now(),
            exit: exit as u8,
            outcomes: Outcome::ALL
                .iter()
                .map(|outcome| (outcome.as_str().to_owned(), report.count(*outcome)))
                .filter(|(_, n)| *n > 0)
                .collect(),
            stopped: report.stopped.map(|reason| report::stopped(reason).to_owned()),
        };
        journal.line(&summary).and_then(|()| journal.sync()).map_err(|source| io("write the run file", source))?;
        screen.result(&report::run(&report))?;
        screen.note(&format!("run {run_id}: {}", journal.path().display()));
        Ok(exit)
    }

    /// A saved plan: fit for here and now, its masked values filled in from the files, the listing read for its leads only.
    async fn take(
        &self,
        saved: Plan,
        files: &Files,
        session: &Session,
        reader: &impl crate::observe::Reader<Error = crate::api::ApiError>,
    ) -> Result<(Plan, Live), Error> {
        let path = self.plan.clone().unwrap_or_default();
        file::check(&saved, session.target(), jiff::Timestamp::now(), self.max_age)
            .map_err(|source| Error::PlanFile { path, source })?;
        let Files { workspace, desired } = files;
        let mut saved = saved;
        if !self.scope.only.is_empty() {
            let chosen = Selection::parse(&self.scope.only, &workspace.agents)?.of(desired.clone())?;
            saved.changes.retain(|change| chosen.contains_key(&change.uuid));
        }
        let wanted = saved.changes.iter().map(|change| change.uuid.clone()).collect();
        let live = observe(reader, wanted, self.scope.reads_all(workspace)).await?;
        let mut plan = unseal(saved, desired, &live, &session.seal_key());
        let lifts = self.scope.max_changes.is_some() || !self.scope.allow.is_empty();
        rejudge(&mut plan, &live, desired.len(), &workspace.agents, &self.scope.limits(workspace), lifts);
        Ok((plan, live))
    }

    fn journal(&self, files: &Files, plan: &Plan) -> Result<(Journal, String), Error> {
        let started = jiff::Timestamp::now();
        let short: String = plan.plan_id.chars().take(8).collect();
        let run_id = format!("{}-{short}-{}", started.strftime("%Y%m%dT%H%M%SZ"), std::process::id());
        let path = match &self.run_file {
            Some(path) => path.clone(),
            None => {
                crate::state::run_file(&files.workspace.root, &run_id).map_err(|source| io("make .convertalk/runs/", source))?
            }
        };
        let cannot = |source| io(&format!("write the run file {}", path.display()), source);
        let journal = Journal::open(&path).map_err(cannot)?;
        let head = Line::Run {
            format_version: 1,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: run_id.clone(),
            plan_id: plan.plan_id.clone(),
            started_at: now(),
            target: plan.target.clone(),
            leads: plan.changes.len(),
        };
        journal.line(&head).and_then(|()| journal.sync()).map_err(cannot)?;
        Ok((journal, run_id))
    }

    #[allow(clippy::too_many_arguments, reason = "each is another thing; a struct for one call would only rename them")]
    async fn write(
        &self,
        plan: &Plan,
        live: &Live,
        writer: &crate::api::Client<crate::api::Write>,
        journal: &Journal,
        end: Option<Instant>,
        stop: &Stop,
        screen: &Screen,
    ) -> Report {
        let Work { tasks, done } = work(&plan.changes, live);
        let options = Options {
            canary: self.canary,
            max_failures: self.max_failures.max(1),
            verify: !self.no_verify,
            patience: self.patience,
            deadline: end,
            names: self.scope.names,
            tag_shape: live.tag_shape(),
        };
        let reserve = self.deadline.map(|deadline| (deadline / 5).clamp(Duration::from_millis(500), Duration::from_secs(60)));
        let last_write = end.zip(reserve).map(|(end, reserve)| end.checked_sub(reserve).unwrap_or(end));
        let stop = stop.clone().with_deadline(last_write);
        let steps = tasks.len() * if self.no_verify { 1 } else { 2 };
        let bar = screen.progress(steps, "writing and reading back");
        let progress = |_: Progress| bar.inc(1);
        let report = apply::run(writer, tasks, done, journal, &options, &stop, &progress).await;
        bar.finish_and_clear();
        report
    }
}

fn work(changes: &[Change], live: &Live) -> Work {
    let mut work = Work::default();
    for change in changes {
        match settle(change, live.leads.get(&change.uuid)) {
            Settled::Go(task) => work.tasks.push(*task),
            Settled::Already => work.done.push((change.uuid.clone(), Outcome::Already, None)),
            Settled::Stale(why) => work.done.push((change.uuid.clone(), Outcome::Stale, Some(why))),
        }
    }
    work
}

/// The highest that applies wins.
fn exit(report: &Report) -> Exit {
    let any = |outcome, exit| if report.count(outcome) > 0 { exit } else { Exit::Done };
    let interrupted = report.stopped == Some(crate::stop::Reason::Interrupted);
    [
        any(Outcome::Stale, Exit::Stale),
        any(Outcome::Failed, Exit::Partial),
        any(Outcome::Untried, Exit::Partial),
        any(Outcome::Unverified, Exit::Unverified),
        if interrupted { Exit::Interrupted } else { Exit::Done },
    ]
    .into_iter()
    .max()
    .unwrap_or(Exit::Done)
}

fn confirmed(screen: &Screen) -> bool {
    screen.stderr("Apply this? Only `yes` is taken for a yes:");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

fn io(what: &str, source: std::io::Error) -> Error {
    Error::Io { what: what.to_owned(), source }
}
