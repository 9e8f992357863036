//! Reports: a plan or a run in the words and the form of its reader. Pure; the command line prints what is returned.
//!
//! Names, tags and messages come from strangers on the web: every format makes them harmless in its own way, and none trusts
//! that another did.

use crate::apply::journal::Line;
use crate::plan::Plan;
use crate::redaction::Redaction;
use crate::yaml::diagnostic::Diagnostic;

mod applied;
mod checkup;
mod errors;
mod explanation;
mod field_summary;
mod finding;
mod github;
mod headline;
mod history;
mod html;
mod lead_list;
mod markdown;
mod patch;
mod problem;
mod run;
mod sarif;
mod set;
pub mod style;
mod tables;
mod text;

pub use applied::applied;
pub use checkup::{Check, Health, checkup, probed};
pub use errors::{ErrorList, ErrorPlace, ReportedError};
pub use explanation::explanation;
pub use history::{HistoryEntry, LeadHistory, lead_history};
pub use lead_list::{LeadList, lead_list};
pub use markdown::SMALLEST;
pub use patch::patch;
pub use problem::{ErrorDocument, Problem, problems};
pub use run::{RunNames, run, run_file, run_list, stopped};
pub(crate) use set::changed_fields;
pub use set::{SetFile, SetLead, SetReport, SetSides, SetValue};

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal or a log.
    Text,
    /// For programs: version 1 of the plan format.
    Json,
    /// For a comment on a pull request, or a job's summary.
    Markdown,
    /// For reviewers: one file for a browser, which needs nothing else.
    Html,
    /// Workflow commands: annotations at the lines that ask for each change.
    Github,
    /// SARIF 2.1.0: what the policy refuses or warns about, and missing leads.
    Sarif,
}

/// What a reader may see, how much of it, and from where.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience<'a> {
    /// How much of people's names and contact values is told.
    pub names: Redaction,
    /// The size that Markdown is cut to, in bytes; [`SMALLEST`] at the least.
    pub max_bytes: Option<usize>,
    /// The way from the repository's top to the workspace, with `/` at its end: annotations and SARIF name files from there.
    pub prefix: &'a str,
}

/// A plan in a format. Text holds colours as escape codes, which whoever prints it keeps or strips.
///
/// # Errors
/// None that a plan can cause: JSON of strings and numbers.
pub fn plan(
    plan: &Plan,
    format: Format,
    audience: Audience<'_>,
) -> Result<String, serde_json::Error> {
    let plan = crate::plan::file::masked(plan, audience.names, None);
    match format {
        Format::Text => Ok(text::plan(&plan)),
        Format::Json => serde_json::to_string_pretty(&plan).map(|json| json + "\n"),
        Format::Markdown => Ok(markdown::plan(&plan, audience.max_bytes)),
        Format::Github => {
            let findings = [finding::of_policy(&plan), finding::of_changes(&plan)].concat();
            Ok(github::print(&findings, audience.prefix)
                + &github::data(&headline::PlanHeadline::of(&plan).plain())
                + "\n")
        }
        Format::Sarif => sarif::print(&finding::of_policy(&plan), audience.prefix),
        Format::Html => Ok(html::plan(&plan)),
    }
}

/// A run file as Markdown for a job's summary, cut to so many bytes, [`SMALLEST`] at the least.
pub fn run_as_markdown(
    lines: &[(u32, Line)],
    names: &RunNames,
    max_bytes: Option<usize>,
) -> String {
    markdown::run(lines, names, max_bytes)
}

/// What is wrong with the files, as workflow commands.
pub fn diagnostics_for_github(diagnostics: &[Diagnostic], prefix: &str) -> String {
    let Shown { first, more } = shown(diagnostics);
    let first: Vec<finding::Finding> = first.into_iter().map(finding::of_diagnostic).collect();
    let more = more.map_or_else(String::new, |more| format!("::notice::{more}\n"));
    github::print(&first, prefix) + &more
}

/// The errors and warnings that people are shown.
#[derive(Debug)]
pub(crate) struct Shown<'d> {
    pub(crate) first: Vec<&'d Diagnostic>,
    /// How many there are, where not all are shown.
    pub(crate) more: Option<String>,
}

/// Errors and warnings that are shown at most, of each.
const SHOWN: usize = 100;

/// The first errors and the first warnings, in their order.
pub(crate) fn shown(diagnostics: &[Diagnostic]) -> Shown<'_> {
    let errors = diagnostics.iter().filter(|made| made.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let (mut shown_errors, mut shown_warnings) = (0, 0);
    let first = diagnostics.iter().filter(|made| {
        let shown = if made.is_error() {
            &mut shown_errors
        } else {
            &mut shown_warnings
        };
        *shown += 1;
        *shown <= SHOWN
    });
    let first = first.collect();
    let more = (errors > SHOWN || warnings > SHOWN).then(|| {
        let errors = style::count(errors, "error");
        format!(
            "{errors} and {} in all, of which the first {SHOWN} of each are shown",
            style::count(warnings, "warning")
        )
    });
    Shown { first, more }
}

/// What is wrong with the files, as SARIF.
///
/// # Errors
/// None that a diagnostic can cause.
pub fn diagnostics_as_sarif(
    diagnostics: &[Diagnostic],
    prefix: &str,
) -> Result<String, serde_json::Error> {
    sarif::print(&findings(diagnostics), prefix)
}

fn findings(diagnostics: &[Diagnostic]) -> Vec<finding::Finding> {
    diagnostics.iter().map(finding::of_diagnostic).collect()
}
