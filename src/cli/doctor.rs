//! `convertalk doctor`

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use super::options::OutputFormat;
use super::session::{Session, overrides, token};
use super::signals::block_on;
use super::ui::Ui;
use crate::api::{Auth, Endpoint};
use crate::apply::platform;
use crate::cancel::Cancellation;
use crate::config::Workspace;
use crate::error::{Error, Exit};
use crate::observe::{ChatType, probe};
use crate::report::style::{count, visible};
use crate::report::{DoctorReport, Health, HealthCheck, checkup, probed};
use crate::{config, lead_file};

/// Check the endpoint, the ids and the tokens
///
/// Reads a few pages of the listing and never writes. Each problem comes with a next step.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// The time limit for all requests together.
const LONGEST: Duration = Duration::from_secs(20);

impl Doctor {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let mut checks = Vec::new();
        if let Some(workspace) = files(directory, ui, &mut checks)? {
            tokens(&workspace, &mut checks);
            api(&workspace, ui, &mut checks)?;
            learned(&workspace, &mut checks);
        }
        let healthy = checks.iter().all(|check| check.health != Health::Error);
        match self.format {
            OutputFormat::Text => ui.result(&checkup(&checks))?,
            OutputFormat::Json => ui.json(&DoctorReport { healthy, checks })?,
        }
        Ok(if healthy { Exit::Done } else { Exit::Error })
    }
}

/// Loads the workspace; `None` where it is not valid enough to reach the API.
fn files(
    directory: &Path,
    ui: &Ui,
    checks: &mut Vec<HealthCheck>,
) -> Result<Option<Workspace>, Error> {
    let loaded = lead_file::load(&config::find(directory)?, &overrides());
    let errors = ui.diagnostics(&loaded.diagnostics);
    let found = format!(
        "{} in {}",
        count(loaded.leads, "lead"),
        count(loaded.files, "file")
    );
    checks.push(match (errors, loaded.diagnostics.len()) {
        (0, 0) => HealthCheck::ok("files", found),
        (0, warnings) => HealthCheck::warning(
            "files",
            format!("{found}; {}", count(warnings, "warning")),
            "look at the warnings above; `convertalk validate` shows them again",
        ),
        (errors, _) => HealthCheck::error(
            "files",
            count(errors, "error"),
            "fix the errors above; `convertalk validate` checks the files again",
        ),
    });
    Ok(loaded.workspace)
}

fn tokens(workspace: &Workspace, checks: &mut Vec<HealthCheck>) {
    if workspace.api.endpoint == Endpoint::Sandbox {
        return checks.push(HealthCheck::ok("tokens", "the sandbox needs no token"));
    }
    if let Ok(token) = token("CONVERTALK_READ_TOKEN") {
        let sent = match workspace.api.auth {
            Auth::Token => format!("in the header {}", workspace.api.read_header),
            Auth::Bearer => "as `Authorization: Bearer`".to_owned(),
        };
        let set = format!(
            "the read token is set by {}, and sent {sent}",
            token.variable
        );
        checks.push(HealthCheck::ok("tokens", set));
    }
    checks.push(match token("CONVERTALK_WRITE_TOKEN") {
        Ok(token) => HealthCheck::ok(
            "tokens",
            format!(
                "the write token is set by {}; it was not tested, because doctor never writes",
                token.variable
            ),
        ),
        Err(_) => HealthCheck::warning(
            "tokens",
            "the write token is not set",
            "plan does not need it; apply needs CONVERTALK_WRITE_TOKEN",
        ),
    });
}

/// What earlier runs learned about the platform.
fn learned(workspace: &Workspace, checks: &mut Vec<HealthCheck>) {
    match platform::read(&workspace.root, &super::session::target(workspace)) {
        Ok(known) => checks.extend(known.lines().into_iter().map(|line| {
            HealthCheck::ok("learned", format!("from earlier runs: {}", visible(&line)))
        })),
        Err(why) => checks.push(HealthCheck::warning(
            "learned",
            format!(".convertalk/platform.json is ignored: {}", visible(&why)),
            "delete it; the next apply writes it anew",
        )),
    }
}

fn api(workspace: &Workspace, ui: &Ui, checks: &mut Vec<HealthCheck>) -> Result<(), Error> {
    // A diagnosis should be quick: do not wait until all retries are used up.
    let stop = Cancellation::at(Some(tokio::time::Instant::now() + LONGEST));
    let asked = block_on(&stop, async {
        Session::with(workspace, &stop, async |session| {
            let reader = session.reader(workspace)?;
            let spinner = ui.spinner("asking the API");
            let start = Instant::now();
            let lead = probe(&reader, ChatType::Lead).await;
            let took = start.elapsed();
            let others = probe(&reader, ChatType::NonLead).await;
            drop(spinner);
            Ok((
                vec![(ChatType::Lead, lead?), (ChatType::NonLead, others?)],
                took,
            ))
        })
        .await
    });
    match asked {
        Ok((probes, took)) => {
            let endpoint = super::session::target(workspace).endpoint;
            let pages = if probes
                .iter()
                .any(|(list, probe)| *list == ChatType::Lead && probe.chats[0] > 0)
            {
                3
            } else {
                1
            };
            checks.push(HealthCheck::ok(
                "api",
                format!(
                    "{} answers, {} ms a page",
                    visible(&endpoint),
                    took.as_millis() / pages
                ),
            ));
            checks.extend(probed(&probes, workspace));
            Ok(())
        }
        Err(error) if error.exit() == Exit::Interrupted => Err(error),
        Err(error) => {
            let about = if matches!(error, Error::NoToken { .. }) {
                "tokens"
            } else {
                "api"
            };
            let next = ui
                .hint(&error)
                .unwrap_or_else(|| "run again with -vv to see each request".to_owned());
            checks.push(HealthCheck::error(about, error.message(), next));
            Ok(())
        }
    }
}
