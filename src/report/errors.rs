//! Errors for programs.

use schemars::JsonSchema;
use serde::Serialize;

/// The errors of a command, in place of its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorList {
    /// All of them.
    pub errors: Vec<ReportedError>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportedError {
    /// A stable name for its kind.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; empty where it is about no file.
    pub places: Vec<ErrorPlace>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorPlace {
    /// The file.
    pub file: String,
    /// The line, or the row of a sheet, from 1.
    pub line: u64,
    /// The column, from 1; null where it is the whole line.
    pub column: Option<usize>,
}

impl ReportedError {
    /// An error without help and place.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            help: None,
            places: Vec::new(),
        }
    }

    /// With what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With one more place.
    pub fn at(mut self, place: ErrorPlace) -> Self {
        self.places.push(place);
        self
    }
}
