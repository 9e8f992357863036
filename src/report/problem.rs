//! Errors for programs: what is wrong, under a stable code, with its places.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::yaml::Diagnostic;

/// What a command that was asked for JSON prints in place of its result.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Convertalk error")]
pub struct ErrorDocument {
    /// Every error. There are several where files, or the arguments of a bulk edit, are not valid.
    errors: Vec<Problem>,
    /// The same where the command could not do what it was asked for, which is one error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

impl ErrorDocument {
    /// Why a command could not do what it was asked for.
    pub fn one(error: Problem) -> Self {
        Self {
            errors: vec![error.clone()],
            error: Some(error),
        }
    }

    /// What is wrong with files or arguments.
    pub fn of_files(errors: Vec<Problem>) -> Self {
        Self {
            errors,
            error: None,
        }
    }
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind of error: stable, in kebab case.
    pub code: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it; null where there is nothing to say.
    pub help: Option<String>,
    /// Where, the first place first; empty where no file is wrong.
    pub places: Vec<Spot>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spot {
    /// Relative to the workspace's folder, or as it was named on the command line.
    pub file: String,
    /// The line, or the row of a sheet, from 1.
    pub line: u64,
    /// In characters, or the column of a sheet, from 1; null for the whole line.
    pub column: Option<u64>,
}

impl Problem {
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
    pub fn at(mut self, place: Spot) -> Self {
        self.places.push(place);
        self
    }
}

impl From<&Diagnostic> for Problem {
    fn from(made: &Diagnostic) -> Self {
        let spot = |file: &str, line: u32, column: u32| Spot {
            file: file.to_owned(),
            line: line.into(),
            column: Some(column.into()),
        };
        let own =
            (!made.is_about_the_environment()).then(|| spot(&made.file, made.line, made.column));
        let others = made.related.iter();
        let others = others.map(|other| spot(&other.file, other.line, other.column));
        Self {
            code: made.code.as_str().to_owned(),
            message: made.message.clone(),
            help: made.help.clone(),
            places: own.into_iter().chain(others).collect(),
        }
    }
}

/// The errors among diagnostics.
pub fn problems(diagnostics: &[Diagnostic]) -> Vec<Problem> {
    let errors = diagnostics.iter().filter(|made| made.is_error());
    errors.map(Problem::from).collect()
}
