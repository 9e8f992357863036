//! What `pull` wrote into the lead files, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::Problem;
use crate::lead::LeadId;
use crate::plan::{Missing, Source};

/// What a run of `pull` wrote.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct PullReport {
    /// The files that were written.
    pub files: Vec<PulledFile>,
    /// What a lead file cannot express, and what was left out for another reason.
    pub skipped: Vec<Skipped>,
    /// With `--update`: declared leads that are not in the inbox.
    pub missing: Vec<Missing>,
    /// With `--only-drift`: the number of fields that the files and the inbox both changed, which were left alone.
    pub conflicts: usize,
    /// With `--update`: what could not be written. The other files were.
    pub errors: Vec<Problem>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PulledFile {
    /// Relative to the workspace's folder.
    pub file: String,
    /// The leads that were added, or of which values were written.
    pub leads: usize,
    /// With `--update`: the values that were written; else null.
    pub values: Option<usize>,
}

/// Something that was not pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// The lead; null where it is about several.
    #[schemars(with = "Option<String>")]
    pub uuid: Option<LeadId>,
    /// The line that declares the lead.
    pub source: Option<Source>,
    /// The field.
    pub field: Option<String>,
    /// Why.
    pub reason: String,
    /// How often.
    pub times: usize,
}

impl Skipped {
    /// Something of several leads.
    pub fn several(reason: impl Into<String>, times: usize) -> Self {
        Self {
            uuid: None,
            source: None,
            field: None,
            reason: reason.into(),
            times,
        }
    }
}
