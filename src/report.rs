//! Reports: render a plan or a run for its reader. Pure; the command line prints the result.
//!
//! Names, tags and messages come from strangers on the web. Every format escapes them for itself and does not rely on another format's
//! escaping.

use std::{fmt, io};

use crate::apply::journal::Line;
use crate::plan::Plan;
use crate::redaction::Redaction;
use crate::yaml::diagnostic::Diagnostic;

mod applied;
mod apply_report;
mod checkup;
mod csv;
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
mod pull_report;
mod results;
mod run;
mod run_plan;
mod sarif;
mod set;
pub mod style;
mod tables;
mod text;

pub use applied::applied;
pub use apply_report::{ApplyReport, OutcomeReport, Stays};
pub use checkup::{Health, HealthCheck, checkup, probed, unnamed_agents};
pub use explanation::explanation;
pub use history::{HistoryEntry, LeadHistory, lead_history};
pub use lead_list::{LeadList, ListedLeads, lead_list};
pub use markdown::SMALLEST;
pub use patch::patch;
pub use problem::{ErrorDocument, Problem, Spot, problems};
pub use pull_report::{PullReport, PulledFile, Skipped};
pub use results::{
    DoctorReport, FmtFile, FmtReport, InitAction, InitFile, InitReport, RunDocument,
    RunDocumentLine, SnapshotReport, ValidateReport,
};
pub use run::{RunNames, run, run_file, run_list, stopped};
pub use run_plan::run_as_plan;
pub(crate) use set::changed_fields;
pub use set::{SetFile, SetLead, SetReport, SetSides, SetValue};

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal or a log.
    Text,
    /// For programs: version 1 of the plan format.
    Json,
    /// For a comment on a pull request or a job summary.
    Markdown,
    /// For reviewers: one self-contained file for a browser.
    Html,
    /// Workflow commands: annotations on the lines that declare each change.
    Github,
    /// SARIF 2.1.0: policy refusals and warnings, and missing leads.
    Sarif,
}

/// Who reads a report: how much may be shown, its size, and where paths start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience<'a> {
    /// How much of people's names and contact values is shown.
    pub names: Redaction,
    /// The maximum size of Markdown in bytes; at least [`SMALLEST`].
    pub max_bytes: Option<usize>,
    /// Whether text and Markdown show each lead on its own, where identical changes are rolled up else.
    pub all_leads: bool,
    /// The path from the top of the repository to the workspace, with `/` at its end. Annotations and SARIF name files relative to the top.
    pub prefix: &'a str,
}

/// Renders a plan. Text contains colors as escape codes, which the caller prints or strips.
pub fn plan(plan: &Plan, format: Format, audience: Audience<'_>) -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _infallible = write_plan(&mut out, plan, format, audience);
    String::from_utf8_lossy(&out).into_owned()
}

/// Renders a plan as [`plan`] does. Text and JSON, which grow with the plan, are written as they are made.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(
    out: &mut dyn io::Write,
    plan: &Plan,
    format: Format,
    audience: Audience<'_>,
) -> io::Result<()> {
    let plan = crate::plan::file::masked(plan, audience.names, None);
    let text = match format {
        Format::Text => {
            let mut out = TextWriter { out, failed: None };
            let written = text::write(&mut out, &plan, audience.all_leads);
            return match (out.failed, written) {
                (Some(error), _) => Err(error),
                (None, written) => written.map_err(io::Error::other),
            };
        }
        Format::Json => return crate::json::write(out, &*plan),
        Format::Markdown => markdown::plan(&plan, audience),
        Format::Github => {
            let findings = [finding::of_policy(&plan), finding::of_changes(&plan)].concat();
            github::print(&findings, audience.prefix)
                + &github::data(&headline::PlanHeadline::new(&plan).plain())
                + "\n"
        }
        Format::Sarif => sarif::print(&finding::of_policy(&plan), audience.prefix)?,
        Format::Html => html::plan(&plan, html::Moment::Ahead),
    };
    out.write_all(text.as_bytes())
}

/// Takes text, and keeps the error of the stream that it is written to.
struct TextWriter<'w> {
    out: &'w mut dyn io::Write,
    failed: Option<io::Error>,
}

impl fmt::Write for TextWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.failed = Some(error);
            fmt::Error
        })
    }
}

/// Renders a plan that a pass has carried out, as a page.
pub fn carried_out_page(plan: &Plan, names: Redaction) -> String {
    let plan = crate::plan::file::masked(plan, names, None);
    html::plan(&plan, html::Moment::LastPass)
}

/// Renders a plan as CSV: a row for each field that differs.
///
/// # Errors
/// None that a plan can cause.
pub fn plan_as_csv(plan: &Plan, names: Redaction) -> Result<String, ::csv::Error> {
    csv::plan(&crate::plan::file::masked(plan, names, None))
}

/// Renders a run file as Markdown for a job summary, cut to `most` bytes, [`SMALLEST`] or more.
pub fn run_as_markdown(
    lines: &[(u32, Line)],
    names: &RunNames,
    max_bytes: Option<usize>,
) -> String {
    markdown::run(lines, names, max_bytes)
}

/// Renders a run as a page: how it ended, and what it wrote.
pub fn run_as_page(lines: &[(u32, Line)], plan: &Plan) -> String {
    html::plan(plan, html::Moment::Run(markdown::run_headline(lines)))
}

/// Renders the leads of a run that need attention as workflow commands.
pub fn run_for_github(lines: &[(u32, Line)], names: &RunNames, prefix: &str) -> String {
    github::print(&run_plan::findings(lines, names), prefix)
}

/// Renders them as SARIF.
///
/// # Errors
/// None that a run can cause.
pub fn run_as_sarif(
    lines: &[(u32, Line)],
    names: &RunNames,
    prefix: &str,
) -> Result<String, serde_json::Error> {
    sarif::print(&run_plan::findings(lines, names), prefix)
}

/// Renders diagnostics of the files as workflow commands.
pub fn diagnostics_for_github(diagnostics: &[Diagnostic], prefix: &str) -> String {
    let FirstDiagnostics { first, more } = shown(diagnostics);
    let first: Vec<finding::Finding> = first.into_iter().map(finding::of_diagnostic).collect();
    let more = more.map_or_else(String::new, |more| format!("::notice::{more}\n"));
    github::print(&first, prefix) + &more
}

/// The errors and warnings that people are shown.
#[derive(Debug)]
pub(crate) struct FirstDiagnostics<'d> {
    pub(crate) first: Vec<&'d Diagnostic>,
    /// How many there are, where not all are shown.
    pub(crate) more: Option<String>,
}

/// Errors and warnings that are shown at most, of each.
const SHOWN: usize = 100;

/// The first errors and the first warnings, in their order.
pub(crate) fn shown(diagnostics: &[Diagnostic]) -> FirstDiagnostics<'_> {
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
    FirstDiagnostics { first, more }
}

/// Renders diagnostics of the files as SARIF.
///
/// # Errors
/// Only if JSON of strings and numbers cannot be written.
pub fn diagnostics_as_sarif(
    diagnostics: &[Diagnostic],
    prefix: &str,
) -> Result<String, serde_json::Error> {
    sarif::print(&findings(diagnostics), prefix)
}

fn findings(diagnostics: &[Diagnostic]) -> Vec<finding::Finding> {
    diagnostics.iter().map(finding::of_diagnostic).collect()
}
