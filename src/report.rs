//! Reports: a plan or a run in the words and the form of its reader. Pure; the command line prints what is returned.
//!
//! Names, tags and messages come from strangers on the web: every format makes them harmless in its own way, and none trusts
//! that another did.

use crate::plan::Plan;
use crate::privacy::Names;

mod brief;
mod html;
mod run;
pub mod style;
mod tables;
mod text;
mod verdict;

pub use run::{run, stopped, told_run};

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal or a log.
    Text,
    /// For programs: version 1 of the plan format.
    Json,
    /// For reviewers: one file for a browser, which needs nothing else.
    Html,
}

/// A plan in a format. Text holds colours as escape codes, which whoever prints it keeps or strips.
///
/// # Errors
/// None that a plan can cause: JSON of strings and numbers.
pub fn plan(plan: &Plan, format: Format, names: Names) -> Result<String, serde_json::Error> {
    let plan = crate::plan::file::masked(plan, names, None);
    match format {
        Format::Text => Ok(text::plan(&plan)),
        Format::Json => serde_json::to_string_pretty(&plan).map(|json| json + "\n"),
        Format::Html => Ok(html::plan(&plan)),
    }
}
