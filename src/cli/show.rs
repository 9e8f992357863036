//! `convertalk show`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::complete;
use super::options::Forms;
use super::pull_request::prefix_of_places;
use super::reports::{Rendering, ReportFormat, ReportedPlan, text};
use super::run_metrics::of_saved_plan;
use super::session::overrides;
use super::ui::Ui;
use crate::apply::applied::{self, AppliedRecord};
use crate::apply::history;
use crate::apply::journal::{self, LARGEST, Line};
use crate::error::{Error, Exit};
use crate::lead::Desired;
use crate::plan::{Plan, Source, file};
use crate::redaction::Redaction;
use crate::report::{self, Format, RunDocument, RunDocumentLine, RunNames};
use crate::{config, git, lead_file};

/// Show a saved plan or a run again, in any format, or the applied record, as text or json
///
/// A run is shown with the labels and places that its leads had at the commit it ran from, and the values that each write
/// replaced. Its github and sarif formats contain only the leads that need attention.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The saved plan, the run or the applied record: a file, a run's id or the first characters of one, or last
    #[arg(value_name = "PLAN|RUN|last", add = ArgValueCompleter::new(complete::kept_runs))]
    file: String,
    #[command(flatten)]
    forms: Forms,
    /// How much of the names and contact values in the file to show
    #[arg(long, value_name = "HOW", default_value = "initials")]
    names: Redaction,
}

impl Show {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        self.forms.check_stdout(None)?;
        let root = config::find(directory).ok();
        let path = history::find(root.as_deref(), &self.file)?;
        let text = read(&path, LARGEST)?;
        if is_record(&text) {
            let record = applied::from_bytes(text.as_bytes()).map_err(|source| Error::Applied {
                path: path.clone(),
                source,
            })?;
            self.forms
                .write_rendered(|format, _| record_as(&record, format), ui)?;
            return Ok(Exit::Done);
        }
        if !is_run(&text) {
            let plan = plan_of(&path, &text)?;
            let metrics = || of_saved_plan(&plan);
            let reported = ReportedPlan::new(&plan, self.names, root.as_deref(), &metrics);
            self.forms.write_plan(reported, ui)?;
            return Ok(Exit::Done);
        }
        let run = journal::read(&text).map_err(|source| Error::RunFile { path, source })?;
        let run = journal::redact_lines(run, self.names);
        let names = root
            .as_deref()
            .map(|root| names(root, commit(&text).as_deref(), ui))
            .unwrap_or_default();
        self.forms.write_rendered(
            |format, most| shown((&run, &names), root.as_deref(), format, most),
            ui,
        )?;
        Ok(Exit::Done)
    }
}

const NO_FIGURES: &str = "the figures of a run are written by the run itself: `convertalk apply --report openmetrics=FILE`";
const RECORD_FORMS: &str = "an applied record has the forms text and json";

/// Labels and places at the commit that a run was made from, where it is known and here; else as the files have them now, which is said.
fn names(root: &Path, commit: Option<&str>, ui: &Ui) -> RunNames {
    let loaded = lead_file::load(root, &overrides());
    let agents: BTreeMap<String, String> = loaded
        .workspace
        .iter()
        .flat_map(|workspace| &workspace.agents)
        .map(|(name, agent)| (agent.id.to_string(), name.clone()))
        .collect();
    const NOW: &str = "labels and places are those that the files have now";
    let then = match commit.map(|commit| git::base::read(root, commit, &overrides())) {
        Some(Ok(base)) => Some(base),
        Some(Err(error)) => {
            ui.git(&error, NOW);
            None
        }
        None => {
            ui.note(&format!("{NOW}: the run was not made from a commit"));
            None
        }
    };
    let desired = then.map(|base| base.desired).or(loaded.desired);
    RunNames {
        leads: desired.as_ref().map(labels).unwrap_or_default(),
        agents,
    }
}

fn labels(desired: &Desired) -> BTreeMap<crate::lead::LeadId, (Option<String>, Option<Source>)> {
    let one = |(id, lead): (&crate::lead::LeadId, &crate::lead::DesiredLead)| {
        let label = lead.label.as_deref().map(str::to_owned);
        (id.clone(), (label, Some(Source::from(&lead.place))))
    };
    desired.iter().map(one).collect()
}

/// The commit of a run by its file.
pub(super) fn commit_of(path: &Path) -> Option<String> {
    commit(&read(path, LARGEST).ok()?)
}

/// The commit of a run, where its first line has one.
fn commit(text: &str) -> Option<String> {
    let first: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
    Some(first.pointer("/head/commit")?.as_str()?.to_owned())
}

fn shown(
    (run, names): (&[(u32, Line)], &RunNames),
    root: Option<&Path>,
    format: ReportFormat,
    most: Option<usize>,
) -> Result<Rendering<'static>, Error> {
    let prefix = || root.and_then(prefix_of_places).unwrap_or_default();
    let plan = || {
        let plan = report::run_as_plan(run, names);
        plan.ok_or(Error::Usage("the run file has no first line"))
    };
    Ok(match format {
        ReportFormat::Plan(Format::Json) => {
            let lines = run.iter().map(|(_, line)| named(line, names));
            let document = RunDocument {
                lines: lines.collect(),
            };
            Box::new(move |out| crate::json::write(out, &document))
        }
        ReportFormat::Plan(Format::Text) => text(report::run_file(run, names)),
        ReportFormat::Plan(Format::Markdown) => text(report::run_as_markdown(run, names, most)),
        ReportFormat::Plan(Format::Html) => text(report::run_as_page(run, &plan()?)),
        ReportFormat::Plan(Format::Github) => text(report::run_for_github(run, names, &prefix())),
        ReportFormat::Plan(Format::Sarif) => {
            text(report::run_as_sarif(run, names, &prefix()).map_err(Error::Json)?)
        }
        // What the run file holds is masked already.
        ReportFormat::Csv => {
            let plan = plan()?;
            Box::new(move |out| {
                let text = report::plan_as_csv(&plan, Redaction::Full).map_err(io::Error::other)?;
                out.write_all(text.as_bytes())
            })
        }
        ReportFormat::OpenMetrics => return Err(Error::Usage(NO_FIGURES)),
    })
}

fn record_as(record: &AppliedRecord, format: ReportFormat) -> Result<Rendering<'_>, Error> {
    match format.of_plan(RECORD_FORMS)? {
        Format::Text => Ok(text(report::applied(record))),
        Format::Json => Ok(Box::new(|out| crate::json::write(out, record))),
        Format::Markdown | Format::Html | Format::Github | Format::Sarif => {
            Err(Error::Usage(RECORD_FORMS))
        }
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

/// A line with the label and the place of its lead.
fn named(line: &Line, names: &RunNames) -> RunDocumentLine {
    let lead = match line {
        Line::Write { uuid, .. } | Line::Outcome { uuid, .. } => names.leads.get(uuid).cloned(),
        Line::Run { .. } | Line::Answer { .. } | Line::Summary { .. } => None,
    };
    let (label, source) = lead.unwrap_or_default();
    RunDocumentLine {
        line: line.clone(),
        label,
        source,
    }
}

/// Whether a file is meant as a run file: its first line is a document with a type.
fn is_run(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[expect(dead_code, reason = "only its presence counts")]
        r#type: serde::de::IgnoredAny,
    }
    text.lines()
        .next()
        .is_some_and(|line| serde_json::from_str::<Typed>(line).is_ok())
}

/// Reads a saved plan and checks its digest.
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

/// Reads a text file up to its maximum size.
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
