//! `convertalk validate`

mod chosen;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use self::chosen::choose;
use super::complete;
use super::pull_request::{note_places, prefix_of_places};
use super::session::{free, overrides};
use super::ui::Ui;
use crate::error::{Error, Exit};
use crate::report::style::{GOOD, count, paint};
use crate::report::{self, ValidateReport};
use crate::yaml::Diagnostic;
use crate::{config, lead_file};

/// Check the files, offline
///
/// Reports every error and warning in one run. With files, only theirs: all others are read too, so that a lead that is declared twice is found.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Report the errors and warnings of these files alone
    #[arg(value_name = "FILE", add = ArgValueCompleter::new(complete::lead_files))]
    files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiagnosticFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiagnosticFormat {
    /// For people, each error with its source line
    Text,
    /// For programs: an object with the diagnostics
    Json,
    /// Workflow commands: annotations on the lines of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Validate {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let root = config::find(directory)?;
        let mut loaded = lead_file::load(&root, &overrides());
        if !self.files.is_empty() {
            choose(&mut loaded, &self.files, directory, &root, ui)?;
        }
        free(loaded.desired.take());
        let diagnostics = &loaded.diagnostics;
        let errors = diagnostics.iter().filter(|made| made.is_error()).count();
        let leads = if errors == 0 { loaded.leads } else { 0 };
        let is_from_top = matches!(
            self.format,
            DiagnosticFormat::Github | DiagnosticFormat::Sarif
        );
        if is_from_top {
            note_places(&root, ui);
        }
        let prefix = prefix_of_places(&root).unwrap_or_default();
        match self.format {
            DiagnosticFormat::Json => {
                ui.json(&ValidateReport {
                    valid: errors == 0,
                    files: loaded.files,
                    leads,
                    errors: report::problems(diagnostics),
                    diagnostics,
                })?;
            }
            DiagnosticFormat::Github => {
                ui.result(&report::diagnostics_for_github(diagnostics, &prefix))?;
            }
            DiagnosticFormat::Sarif => {
                let log =
                    report::diagnostics_as_sarif(diagnostics, &prefix).map_err(Error::Json)?;
                ui.result(&log)?;
            }
            DiagnosticFormat::Text => as_text(diagnostics, leads, loaded.files, ui)?,
        }
        match errors {
            0 => Ok(Exit::Done),
            errors if self.format == DiagnosticFormat::Text => Err(Error::Invalid { errors }),
            _ => Ok(Exit::Error),
        }
    }
}

fn as_text(diagnostics: &[Diagnostic], leads: usize, files: usize, ui: &Ui) -> Result<(), Error> {
    if ui.diagnostics(diagnostics) > 0 {
        return Ok(());
    }
    let found = format!("{} in {}", count(leads, "lead"), count(files, "file"));
    ui.result(&format!("{} {found}\n", paint(GOOD, "Valid:")))
}
