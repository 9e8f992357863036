//! `convertalk doctor`

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use super::options::Form;
use super::session::{Session, block_on, overrides, token};
use super::ui::Ui;
use crate::api::Endpoint;
use crate::cancel::Cancellation;
use crate::config::Workspace;
use crate::error::{Error, Exit};
use crate::observe::{ChatType, probe};
use crate::report::style::{count, visible};
use crate::report::{Check, Health, checkup, probed};
use crate::{config, lead_file};

/// Reach the API, read-only, and say what is wrong with endpoint, ids and token, and what was learnt
///
/// Reads a few pages; never writes. Each finding has a next step.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Form,
}

/// The API is asked for so long.
const LONGEST: Duration = Duration::from_secs(20);

impl Doctor {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let mut checks = Vec::new();
        if let Some(workspace) = files(directory, ui, &mut checks)? {
            tokens(&workspace, &mut checks);
            api(&workspace, ui, &mut checks)?;
        }
        match self.format {
            Form::Text => ui.result(&checkup(&checks))?,
            Form::Json => ui.json(&checks)?,
        }
        let is_well = checks.iter().all(|check| check.health != Health::Error);
        Ok(if is_well { Exit::Done } else { Exit::Error })
    }
}

/// The workspace, as far as the API can be asked with it.
fn files(directory: &Path, ui: &Ui, checks: &mut Vec<Check>) -> Result<Option<Workspace>, Error> {
    let loaded = lead_file::load(&config::find(directory)?, &overrides());
    let errors = ui.diagnostics(&loaded.diagnostics);
    let found = format!(
        "{} in {}",
        count(loaded.leads, "lead"),
        count(loaded.files, "file")
    );
    checks.push(match errors {
        0 => Check::ok("files", found),
        errors => Check::error(
            "files",
            count(errors, "mistake"),
            "mend what is told above; `convertalk validate` tells it again",
        ),
    });
    Ok(loaded.workspace)
}

fn tokens(workspace: &Workspace, checks: &mut Vec<Check>) {
    if workspace.api.endpoint == Endpoint::Sandbox {
        return checks.push(Check::ok("tokens", "the sandbox needs none"));
    }
    if token("CONVERTALK_READ_TOKEN").is_ok() {
        checks.push(Check::ok("tokens", "there is a token to read with"));
    }
    checks.push(match token("CONVERTALK_WRITE_TOKEN") {
        Ok(_) => Check::ok(
            "tokens",
            "there is a token to write with; it was not tried, because nothing is written here",
        ),
        Err(_) => Check::warning(
            "tokens",
            "there is no token to write with",
            "plan needs none; apply needs CONVERTALK_WRITE_TOKEN",
        ),
    });
}

fn api(workspace: &Workspace, ui: &Ui, checks: &mut Vec<Check>) -> Result<(), Error> {
    // Whoever asks what is wrong does not want to wait until all tries are done.
    let stop = Cancellation::at(Some(tokio::time::Instant::now() + LONGEST));
    let asked = block_on(&stop, async {
        Session::with(workspace, &stop, async |session| {
            let reader = session.reader(workspace)?;
            let spinner = ui.progress(0, "asking the API");
            let start = Instant::now();
            let lead = probe(&reader, ChatType::Lead).await;
            let took = start.elapsed();
            let others = probe(&reader, ChatType::NonLead).await;
            spinner.finish_and_clear();
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
            checks.push(Check::ok(
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
            checks.push(Check::error(about, error.words(), next));
            Ok(())
        }
    }
}
