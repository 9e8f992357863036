//! `convertalk snapshot`

use std::path::{Path, PathBuf};

use clap::Args;

use super::options::{OutputFormat, is_stdout, one_document};
use super::outputs::{OutputKind, check_outputs};
use super::session::{Session, files, now};
use super::signals::block_on;
use super::ui::Ui;
use crate::atomic_file;
use crate::cancel::Cancellation;
use crate::error::{Error, Exit};
use crate::observe::observe_all;
use crate::redaction::Redaction;
use crate::report::SnapshotReport;
use crate::report::style::{GOOD, count, paint};
use crate::snapshot::write;
use crate::text::visible;

/// Save the live listing to a file, for plans without credentials
///
/// The file holds the status, tags and agent of each lead, and the attributes that the files declare. It includes only those
/// contact values and notes that the files already contain, unless --names full is given.
#[derive(Debug, Args)]
pub(super) struct SnapshotArgs {
    /// File to write; `-` is stdout
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How much of people's names and contact values to include
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Redaction,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

impl SnapshotArgs {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let files = files(directory, ui)?;
        one_document(self.format == OutputFormat::Json, [self.out.as_path()])?;
        let out = Some(self.out.as_path()).filter(|out| !is_stdout(out));
        let out = out.map(|out| (OutputKind::Snapshot, out));
        check_outputs(&files.workspace, out)?;
        let stop = Cancellation::default();
        block_on(&stop, async {
            Session::with(&files.workspace, &stop, async |session| {
                let reader = session.reader(&files.workspace)?;
                // Its age counts from the first request: what changes while the inbox is read may not be in it.
                let created_at = now();
                let reading = ui.reading(&session.requests);
                let observed = observe_all(&reader).await;
                drop(reading);
                let (live, target) = (observed?, session.target().clone());
                let ruled = files.workspace.policy.fields();
                let into = |out: &mut dyn std::io::Write| {
                    write(
                        out,
                        &live,
                        &files.desired,
                        &ruled,
                        target,
                        self.names,
                        created_at.clone(),
                    )
                };
                if is_stdout(&self.out) {
                    let mut lines = Vec::new();
                    into(&mut lines).map_err(|source| Error::Io {
                        what: "make the snapshot".to_owned(),
                        source,
                    })?;
                    ui.result(&String::from_utf8_lossy(&lines))?;
                    return Ok(Exit::Done);
                }
                let leads = atomic_file::write(&self.out, into)?;
                if self.format == OutputFormat::Json {
                    ui.json(&SnapshotReport {
                        file: self.out.display().to_string(),
                        created_at,
                        leads,
                        names: self.names,
                    })?;
                    return Ok(Exit::Done);
                }
                let leads = count(usize::try_from(leads).unwrap_or(usize::MAX), "lead");
                if self.out.is_file() {
                    ui.result(&format!(
                        "{} {leads} in {}\n",
                        paint(GOOD, "Snapshot:"),
                        visible(&self.out.display().to_string())
                    ))?;
                }
                Ok(Exit::Done)
            })
            .await
        })
    }
}
