//! `convertalk validate`

use std::path::Path;

use clap::{Args, ValueEnum};

use super::pull_request::{note_places, prefix_of_places};
use super::session::overrides;
use super::ui::Ui;
use crate::error::{Error, Exit};
use crate::report::style::{GOOD, count, paint};
use crate::report::{self, ValidateReport};
use crate::{config, lead_file};

/// Check the files, offline
#[derive(Debug, Args)]
pub(super) struct Validate {
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
        let loaded = lead_file::load(&root, &overrides());
        let errors = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        let leads = loaded.desired.as_ref().map_or(0, |desired| desired.len());
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
                    errors: report::problems(&loaded.diagnostics),
                    diagnostics: &loaded.diagnostics,
                })?;
            }
            DiagnosticFormat::Github => ui.result(&report::diagnostics_for_github(
                &loaded.diagnostics,
                &prefix,
            ))?,
            DiagnosticFormat::Sarif => {
                let log = report::diagnostics_as_sarif(&loaded.diagnostics, &prefix)
                    .map_err(Error::Json)?;
                ui.result(&log)?;
            }
            DiagnosticFormat::Text => {
                if ui.diagnostics(&loaded.diagnostics) == 0 {
                    let found = format!(
                        "{} in {}",
                        count(leads, "lead"),
                        count(loaded.files, "file")
                    );
                    ui.result(&format!("{} {found}\n", paint(GOOD, "Valid:")))?;
                }
            }
        }
        match errors {
            0 => Ok(Exit::Done),
            errors if self.format == DiagnosticFormat::Text => Err(Error::Invalid { errors }),
            _ => Ok(Exit::Error),
        }
    }
}
