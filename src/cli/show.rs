//! `convertalk show`

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::options::Forms;
use super::ui::Ui;
use crate::apply::applied::{self, Record};
use crate::apply::journal::{self, LARGEST, Line};
use crate::config;
use crate::error::{Error, Exit};
use crate::plan::{Plan, file};
use crate::redaction::Redaction;
use crate::report::{self, Format};

/// Show a saved plan again, in any format, a run file, as text, json or markdown, or the applied record, as text or json
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The saved plan, the run file, or the applied record
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    #[command(flatten)]
    forms: Forms,
    /// How much of people's names and contact values to tell, of what the file holds
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Redaction,
}

impl Show {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let text = read(&self.file, LARGEST)?;
        if is_record(&text) {
            let record = applied::from_bytes(text.as_bytes()).map_err(|source| Error::Applied {
                path: self.file.clone(),
                source,
            })?;
            self.forms
                .tell_as(|format, _| record_as(&record, format), ui)?;
            return Ok(Exit::Done);
        }
        if !is_run(&text) {
            let root = config::find(directory).ok();
            self.forms.tell(
                &plan_of(&self.file, &text)?,
                self.names,
                root.as_deref(),
                ui,
            )?;
            return Ok(Exit::Done);
        }
        let run = journal::read(&text).map_err(|source| Error::RunFile {
            path: self.file.clone(),
            source,
        })?;
        let run = journal::told(run, self.names);
        self.forms
            .tell_as(|format, most| told(&run, format, most), ui)?;
        Ok(Exit::Done)
    }
}

fn told(run: &[(u32, Line)], format: Format, most: Option<usize>) -> Result<String, Error> {
    match format {
        Format::Text => Ok(report::told_run(run)),
        Format::Json => {
            let lines: Vec<&Line> = run.iter().map(|(_, line)| line).collect();
            serde_json::to_string_pretty(&lines)
                .map(|json| json + "\n")
                .map_err(Error::Json)
        }
        Format::Markdown => Ok(report::run_as_markdown(run, most)),
        _ => Err(Error::Usage("a run has the forms text, json and markdown")),
    }
}

fn record_as(record: &Record, format: Format) -> Result<String, Error> {
    match format {
        Format::Text => Ok(report::applied(record)),
        Format::Json => serde_json::to_string_pretty(record)
            .map(|json| json + "\n")
            .map_err(Error::Json),
        Format::Markdown | Format::Html | Format::Github | Format::Sarif => Err(Error::Usage(
            "an applied record has the forms text and json",
        )),
    }
}

/// An applied record is recognized by the key that nothing else has.
fn is_record(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Recognized {
        #[expect(dead_code, reason = "only its presence counts")]
        behind: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Recognized>(text).is_ok()
}

/// A run file is recognized by its first line.
fn is_run(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| serde_json::from_str::<Line>(line).is_ok())
}

/// Reads a saved plan and holds it against its digest.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Error> {
    plan_of(path, &read(path, file::LARGEST)?)
}

/// Reads the last run of a run file.
pub(super) fn read_run(path: &Path) -> Result<Vec<(u32, Line)>, Error> {
    journal::read(&read(path, LARGEST)?).map_err(|source| Error::RunFile {
        path: path.to_owned(),
        source,
    })
}

fn plan_of(path: &Path, text: &str) -> Result<Plan, Error> {
    file::from_bytes(text.as_bytes()).map_err(|source| Error::PlanFile {
        path: path.to_owned(),
        source,
    })
}

/// Reads a file that is no larger than it may be, as text.
fn read(path: &Path, largest: u64) -> Result<String, Error> {
    let failed = |source| Error::Io {
        what: format!("read {}", path.display()),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > largest {
        return Err(failed(std::io::Error::from(
            std::io::ErrorKind::FileTooLarge,
        )));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
