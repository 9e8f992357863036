//! `convertalk watch`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::execution::Execution;
use super::options::{Differences, OutputFormat, Scope, one_document};
use super::recording::{APPLIED, Recording};
use super::reports::{ReportFormat, Reports, text};
use super::session::{Access, Files, now, target};
use super::signals::block_on;
use super::ui::Ui;
use crate::api::Webhook;
use crate::cancel::Cancellation;
use crate::config;
use crate::error::{Error, Exit};
use crate::loopback;
use crate::policy::{DriftPolicies, DriftPolicy};
use crate::watch::WatchHandle;
use crate::watch::memory::MemoryFile;
use crate::watch::metrics::{Metrics, seconds};
use crate::watch::notify::{notify, notify_once};
use crate::watch::reconcile::{Clock, Reconciler, Surroundings, once, run};
use crate::watch::schedule::Intervals;
use crate::watch::server::{WatchServer, serve};
use crate::watch::status::{PassSummary, WatchStatus};

mod pass;
mod source;
#[cfg(test)]
mod tests;

use pass::Passes;
use source::DesiredSource;

/// How often the notification of a single pass is tried.
const ATTEMPTS: u32 = 3;

/// Keep the inbox in sync with the files until stopped
///
/// Makes a pass when the files change, and each --every. A pass is `apply --base applied`, with the same guards, outcomes and exit
/// codes. Never prompts.
#[derive(Debug, Args)]
#[command(mut_arg("base", |arg| arg.hide(true)), mut_arg("yes", |arg| arg.hide(true)))]
pub(super) struct WatchArgs {
    /// Take the desired state from a commit, such as origin/main, which is fetched at each --poll; the work tree is left alone [default: the
    /// files as they stand]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// Make a pass at least this often
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = interval)]
    every: Duration,
    /// Check for changes this often
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = interval)]
    poll: Duration,
    /// Make one pass, and exit with its exit code
    #[arg(long)]
    once: bool,
    /// Compare only; write and record nothing
    #[arg(long)]
    dry_run: bool,
    /// Serve /healthz, /readyz, /status, /metrics, / and POST /poll on this address; port 0 picks a free port; POST /poll off loopback needs
    /// CONVERTALK_POLL_TOKEN
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Post the status to this address when the condition changes [env: CONVERTALK_NOTIFY_URL]
    #[arg(long, value_name = "URL")]
    notify: Option<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    execution: Execution,
    #[command(flatten)]
    differences: Differences,
    #[command(flatten)]
    recording: Recording,
    /// Output format. text: the plan and its outcome; json: the status after each pass, one document per line (with --once, one document)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    #[command(flatten)]
    reports: Reports,
}

/// A time between two looks or passes.
fn interval(text: &str) -> Result<Duration, String> {
    match crate::duration::parse(text) {
        Ok(time) if time < Duration::from_millis(100) => Err("must be 100ms or more".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// The time of the system.
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, elapsed: Duration) {
        tokio::time::sleep(elapsed.saturating_sub(self.elapsed())).await;
    }

    fn jitter(&self) -> f64 {
        fastrand::f64() * 2.0 - 1.0
    }
}

impl WatchArgs {
    pub(super) fn run(mut self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        if self.scope.base.as_ref().is_some_and(|base| base != APPLIED) {
            return Err(Error::Usage(
                "watch compares with the applied record: leave out --base",
            ));
        }
        one_document(self.format == OutputFormat::Json, self.reports.files())?;
        self.execution.unattended();
        let webhook = self.webhook()?;
        let root = config::find(directory)?;
        let memory = MemoryFile::open(&root).map_err(|source| Error::Io {
            what: format!("read {}", root.join(".convertalk/watch.json").display()),
            source,
        })?;
        let memory = Arc::new(if self.dry_run {
            memory.unsaved()
        } else {
            memory
        });
        let has_record = has_record(&root)?;
        self.scope.base = has_record.then(|| APPLIED.to_owned());
        let stop = Cancellation::default();
        self.reports.measured(ui, |access, _| {
            block_on(&stop, self.watch(root, memory, webhook, access, &stop, ui))
        })
    }

    fn webhook(&self) -> Result<Option<Webhook>, Error> {
        let address = self.notify.clone().or_else(|| {
            let set = std::env::var("CONVERTALK_NOTIFY_URL").ok();
            set.filter(|text| !text.trim().is_empty())
        });
        address
            .map(|address| Webhook::new(&SecretString::from(address)).map_err(Error::Notify))
            .transpose()
    }

    async fn watch(
        &self,
        root: PathBuf,
        memory: Arc<MemoryFile>,
        webhook: Option<Webhook>,
        access: &Access,
        stop: &Cancellation,
        ui: &Ui,
    ) -> Result<Exit, Error> {
        let clock = SystemClock(Instant::now());
        // Without a repository there is no record.
        let has_record = self.scope.base.is_some();
        let mut source = DesiredSource::new(root.clone(), self.reference.clone())?;
        let first = source.look(ui).await;
        source.fall_back(self.recording.commit(&root));
        let Some(files) = source.files() else {
            return Err(self.nothing_in_force(&root, first.error, ui));
        };
        self.check(files, has_record, access)?;
        let status = WatchStatus::before_first_pass(target(&files.workspace), now());
        let handle = Arc::new(WatchHandle::new(status));
        let started = Some(files.workspace.api.clone());
        let metrics = Metrics::new(Arc::clone(&access.requests));
        metrics.start_counters();
        self.listen(&handle, &metrics, access, ui).await?;
        let mut passes = Passes {
            args: self,
            source,
            started,
            has_record,
            access,
            memory: &memory,
            handle: &handle,
            clock: &clock,
            stop,
            last_shown: Mutex::default(),
            ui,
        };
        let on_pass = |pass: &PassSummary| {
            metrics.record_pass(pass, seconds(Timestamp::now()));
            let seconds = pass.took.as_secs_f64();
            tracing::info!("pass: {} in {seconds:.1} s", pass.result.as_str());
        };
        let is_reported = AtomicBool::new(true);
        let on_status = |status: &WatchStatus| {
            if let Err(error) = self.report_status(status, &metrics, ui) {
                is_reported.store(false, Ordering::Relaxed);
                ui.error(&error);
            }
        };
        let around = Surroundings {
            clock: &clock,
            handle: &handle,
            stop,
            on_pass: &on_pass,
            on_status: &on_status,
        };
        if self.once {
            let exit = self
                .one_pass(&mut passes, &around, webhook, &memory)
                .await?;
            // Leads may have been written: a failing report must not make it look as if nothing had been.
            return Ok(match (is_reported.into_inner(), exit) {
                (false, Exit::Done) => Exit::Partial,
                (_, exit) => exit,
            });
        }
        let announce = announce(Arc::clone(&handle), ui);
        let notifications = async {
            match webhook {
                Some(webhook) => {
                    let warn = |text: String| ui.warning(&text);
                    notify(Arc::clone(&handle), webhook, Arc::clone(&memory), warn).await;
                }
                None => std::future::pending().await,
            }
        };
        let intervals = Intervals {
            every: self.every,
            poll: self.poll,
        };
        tokio::select! {
            exit = run(&mut passes, &around, intervals) => Ok(exit),
            () = announce => Ok(Exit::Done),
            () = notifications => Ok(Exit::Done),
        }
    }

    /// What is printed and written of the status after a pass.
    fn report_status(&self, status: &WatchStatus, metrics: &Metrics, ui: &Ui) -> Result<(), Error> {
        let figures = |_| {
            metrics.set_status(status);
            Ok(text(metrics.encode()))
        };
        if let Some(printed) = self.reports.write(ReportFormat::is_of_run, figures)? {
            ui.write_result(printed)?;
        }
        match self.format {
            OutputFormat::Text => Ok(()),
            OutputFormat::Json if self.once => ui.json(status),
            OutputFormat::Json => ui.json_line(status),
        }
    }

    async fn one_pass<C: Clock>(
        &self,
        passes: &mut impl Reconciler,
        around: &Surroundings<'_, C>,
        webhook: Option<Webhook>,
        memory: &MemoryFile,
    ) -> Result<Exit, Error> {
        let exit = once(passes, around).await;
        if let Some(webhook) = webhook {
            let status = around.handle.status();
            notify_once(&status, &webhook, memory, ATTEMPTS)
                .await
                .map_err(Error::Notify)?;
        }
        Ok(exit)
    }

    /// What keeps the loop from being of any use.
    fn check(&self, files: &Files, has_record: bool, access: &Access) -> Result<(), Error> {
        let drift = self.differences.policy(&files.workspace).drift;
        if !has_record && drift != DriftPolicies::all(DriftPolicy::Revert) {
            return Err(Error::Usage(
                "the files belong to no commit, so there is no applied record, and watch takes only --drift revert",
            ));
        }
        self.execution
            .check_files(&files.workspace, self.reports.outputs())?;
        self.scope.limits(&files.workspace, !self.dry_run)?;
        access.check(&files.workspace, !self.dry_run)
    }

    fn nothing_in_force(
        &self,
        root: &Path,
        error: Option<crate::report::Problem>,
        ui: &Ui,
    ) -> Error {
        if self.reference.is_none() {
            let loaded = crate::lead_file::load(root, &super::session::overrides());
            let errors = loaded.diagnostics.iter().filter(|made| made.is_error());
            return Error::Invalid {
                errors: errors.count(),
            };
        }
        if let Some(error) = error {
            ui.note(&error.help.unwrap_or_default());
        }
        Error::Invalid { errors: 1 }
    }

    async fn listen(
        &self,
        handle: &Arc<WatchHandle>,
        metrics: &Metrics,
        access: &Access,
        ui: &Ui,
    ) -> Result<(), Error> {
        let Some(address) = self.listen else {
            return Ok(());
        };
        let failed = |source| Error::Io {
            what: format!("listen at {address}"),
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // With port 0 there is no other way to know it: also with --quiet.
        ui.stderr(&format!("listening at http://{address}"));
        let poll_token = std::env::var("CONVERTALK_POLL_TOKEN").ok();
        let poll_token = poll_token.filter(|token| !token.trim().is_empty());
        if !loopback::is_loopback(address) {
            let poll = if poll_token.is_some() {
                ""
            } else {
                "; /poll is off, because CONVERTALK_POLL_TOKEN is not set"
            };
            ui.warning(&format!(
                "everyone who reaches {address} can read the status, the metrics and the plan{poll}"
            ));
        }
        let server = WatchServer {
            handle: Arc::clone(handle),
            metrics: metrics.clone(),
            requests: Arc::clone(&access.requests),
            every: self.every,
            names: self.scope.names,
            poll_token: poll_token.map(SecretString::from),
        };
        tokio::spawn(async move {
            if let Err(error) = serve(listener, server).await {
                tracing::warn!("the server of --listen has ended: {error}");
            }
        });
        Ok(())
    }
}

/// Writes a line for each new condition.
async fn announce(handle: Arc<WatchHandle>, ui: &Ui) {
    let mut statuses = handle.statuses();
    let mut last = None;
    while statuses.changed().await.is_ok() {
        let status = Arc::clone(&statuses.borrow_and_update());
        let line = describe(&status);
        if last.as_ref() != Some(&line) {
            ui.note(&format!("{:.0} {line}", Timestamp::now()));
            last = Some(line);
        }
    }
}

fn describe(status: &WatchStatus) -> String {
    let states = &status.states;
    let result = status.result.map_or("waiting", |result| result.as_str());
    let commit = status.commit.valid.as_deref().unwrap_or_default();
    let mut line = format!(
        "{result}: {} of {} leads in sync",
        states.in_sync, states.declared
    );
    if !commit.is_empty() {
        line += &format!(", {}", commit.chars().take(12).collect::<String>());
    }
    for refusal in &status.refusals {
        line += &format!("; {}: {}", refusal.rule, refusal.message);
    }
    line
}

/// Whether the workspace is in a repository that has a commit.
fn has_record(root: &Path) -> Result<bool, Error> {
    use crate::git::base::commit;
    match commit(root, "HEAD") {
        Ok(_) => Ok(true),
        Err(error) if error.is_without_history() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
