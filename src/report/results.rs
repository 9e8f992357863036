//! The results of commands that read or write files, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{HealthCheck, Problem};
use crate::apply::journal::Line;
use crate::plan::Source;
use crate::redaction::Redaction;
use crate::yaml::Diagnostic;

/// What `init` made.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct InitReport {
    /// The folder of the workspace.
    pub folder: String,
    /// Its files, in the order in which they were made.
    pub files: Vec<InitFile>,
}

/// A file of a new workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InitFile {
    /// Relative to the folder.
    pub file: String,
    /// What was done with it.
    pub action: InitAction,
}

/// What `init` did with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf"
)]
pub enum InitAction {
    Created,
    AddedTo,
    Unchanged,
}

/// What `doctor` found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorReport {
    /// Whether there is no error among the checks.
    pub healthy: bool,
    /// The checks, in the order in which they were made.
    pub checks: Vec<HealthCheck>,
}

/// What `validate` found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValidateReport<'a> {
    /// Whether there is no error.
    pub valid: bool,
    /// The number of lead files.
    pub files: usize,
    /// The number of leads that they declare; 0 where there is an error.
    pub leads: usize,
    /// The errors.
    pub errors: Vec<Problem>,
    /// Errors and warnings, with their rules and related places.
    pub diagnostics: &'a [Diagnostic],
}

/// What `fmt` did.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FmtReport {
    /// Whether nothing was written.
    pub check: bool,
    /// The number of files that were looked at.
    pub files: usize,
    /// The files that were formatted, or would be.
    pub changed: Vec<FmtFile>,
    /// The files that use YAML that cannot be formatted safely.
    pub left_alone: Vec<String>,
    /// Errors in the files, and files that could not be written.
    pub errors: Vec<Problem>,
}

/// A file whose layout changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FmtFile {
    /// The file.
    pub file: String,
    /// With `--diff`: a unified diff; else null.
    pub diff: Option<String>,
}

/// What `snapshot` wrote.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SnapshotReport {
    /// The file.
    pub file: String,
    /// When the first page was requested (RFC 3339, UTC).
    pub created_at: String,
    /// The number of leads in it.
    pub leads: u64,
    /// How much of people's names and contact values it contains.
    pub names: Redaction,
}

/// A run, as `show` shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDocument {
    /// The lines of the run file, in their order.
    pub lines: Vec<RunDocumentLine>,
}

/// A line of a run file, with what the files say of its lead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDocumentLine {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// The label of its lead; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where its lead is declared; left out where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}
