//! The workspace: a folder with `convertalk.yaml`, found, read, and handed on as valid values.
//!
//! Owns where the files are, whom to talk to and within which limits. Gives [`Workspace`] and, from its lead files, a
//! [`Desired`]; or every mistake in every file at once, as diagnostics.

mod endpoint;
pub mod raw;
pub mod rules;
pub mod schema;
mod valid;
pub(crate) mod visible;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use self::valid::{DEFAULT_GLOB, Settings};
use crate::api::ApiSettings;
use crate::policy::{Agent, Policy};
use crate::yaml::decode::Reader;
use crate::yaml::diagnostic::{self, Code, Diagnostic, Source};

/// A valid `convertalk.yaml`, the environment's overrides applied.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder that holds `convertalk.yaml`; every path in a message or a plan is relative to it.
    pub root: PathBuf,
    /// Whom to talk to, and how.
    pub api: ApiSettings,
    /// Globs of the lead files, relative to `root`.
    pub leads: Vec<String>,
    /// Agents by the name that readers know.
    pub agents: BTreeMap<String, Agent>,
    /// What a plan may not do.
    pub policy: Policy,
}

/// The workspace file's name.
pub const FILE: &str = "convertalk.yaml";

/// What the environment says in place of the file. Empty text counts as not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `CONVERTALK_ENDPOINT`
    pub endpoint: Option<String>,
    /// `CONVERTALK_BOT_ID`
    pub bot_id: Option<String>,
    /// `CONVERTALK_CUSTOMER_ID`
    pub customer_id: Option<String>,
}

/// There is no workspace to work in.
#[derive(Debug, thiserror::Error)]
pub enum NoWorkspace {
    /// Neither the folder nor one above it has the file.
    #[error("no {FILE} in `{0}` or any folder above it")]
    NotFound(PathBuf),
    /// The folder is not there, or cannot be entered.
    #[error("the folder `{0}` cannot be opened: {1}")]
    NoFolder(PathBuf, #[source] std::io::Error),
}

impl NoWorkspace {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "name its folder with -C DIR, or start one: `convertalk init`",
            Self::NoFolder(..) => "check the folder after `-C`",
        }
    }
}

/// The nearest folder with a `convertalk.yaml`: `start`, or one above it.
pub fn find(start: &Path) -> Result<PathBuf, NoWorkspace> {
    let from = std::fs::canonicalize(start)
        .map_err(|error| NoWorkspace::NoFolder(start.to_owned(), error))?;
    let holds = |folder: &&Path| std::fs::symlink_metadata(folder.join(FILE)).is_ok();
    from.ancestors()
        .find(holds)
        .map(Path::to_owned)
        .ok_or_else(|| NoWorkspace::NotFound(start.to_owned()))
}

/// Reads `convertalk.yaml` from its text. The workspace is there only where nothing is wrong with it.
pub fn parse(
    root: &Path,
    text: &str,
    overrides: &Overrides,
) -> (Option<Workspace>, Vec<Diagnostic>) {
    let (settings, diagnostics) = configure(root, text, overrides);
    let fine = !diagnostics.iter().any(Diagnostic::is_error);
    (settings.workspace.filter(|_| fine), diagnostics)
}

pub(crate) fn configure(
    root: &Path,
    text: &str,
    overrides: &Overrides,
) -> (Settings, Vec<Diagnostic>) {
    let source = Source {
        file: FILE.into(),
        text,
    };
    let mut diagnostics = Vec::new();
    let Some(tree) = crate::yaml::parse(&source, &mut diagnostics) else {
        return (Settings::default(), diagnostics);
    };
    let mut reader = Reader {
        tree: &tree,
        source: &source,
        out: diagnostics,
    };
    if raw::is_blank(&reader) {
        let error = Diagnostic::whole(Code::EmptyFile, FILE, "this file is empty");
        reader
            .out
            .push(error.help("begin with `version: 1` and `api:`"));
        return (Settings::default(), reader.out);
    }
    let config = raw::read(&mut reader);
    let settings = valid::settle(&mut reader, &config, root, overrides);
    diagnostic::sort(&mut reader.out);
    (settings, reader.out)
}
