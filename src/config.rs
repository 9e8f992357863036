//! The workspace: finds a folder with `convertalk.yaml`, reads it, and returns valid values.
//!
//! Owns where the files are, which API to use, and the limits. Provides [`Workspace`] and, from its lead files, a
//! `Desired`; or every error in every file at once, as diagnostics.

mod endpoint;
mod mapping;
mod policy;
pub mod raw;
mod read;
pub mod rules;
pub mod schema;
mod sign_in;
mod valid;
pub(crate) mod visible;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use self::valid::{DEFAULT_GLOB, Settings};
use crate::api::ApiSettings;
use crate::policy::{Agent, Policy};
use crate::yaml::decode::Decoder;
use crate::yaml::diagnostic::{self, Code, Diagnostic, SourceFile};

/// A valid `convertalk.yaml`, with the environment's overrides applied.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder with `convertalk.yaml`; every path in a message or a plan is relative to it.
    pub root: PathBuf,
    /// The API and its settings.
    pub api: ApiSettings,
    /// The globs of the lead files, relative to `root`.
    pub leads: Vec<String>,
    /// Agents by their names.
    pub agents: BTreeMap<String, Agent>,
    /// The limits of a plan.
    pub policy: Policy,
    /// Why `watch` writes nothing for now; `None` where it may.
    pub suspend: Option<String>,
}

/// The name of the workspace file.
pub const FILE: &str = "convertalk.yaml";

/// The environment's overrides. Empty text counts as unset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `CONVERTALK_ENDPOINT`
    pub endpoint: Option<String>,
    /// `CONVERTALK_BOT_ID`
    pub bot_id: Option<String>,
    /// `CONVERTALK_CUSTOMER_ID`
    pub customer_id: Option<String>,
}

/// No workspace was found.
#[derive(Debug, thiserror::Error)]
pub enum NoWorkspace {
    /// Neither the folder nor a parent contains the file.
    #[error("no {FILE} in `{0}` or any folder above it")]
    NotFound(PathBuf),
    /// The folder does not exist or cannot be entered.
    #[error("cannot open the folder `{0}`: {1}")]
    NoFolder(PathBuf, #[source] std::io::Error),
}

impl NoWorkspace {
    /// The hint.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound(_) => {
                "name the folder with -C DIR, or create a workspace with `convertalk init`"
            }
            Self::NoFolder(..) => "check the folder given with -C",
        }
    }
}

/// The nearest folder with a `convertalk.yaml`: `start` or one of its parents.
pub fn find(start: &Path) -> Result<PathBuf, NoWorkspace> {
    let from = std::fs::canonicalize(start)
        .map_err(|error| NoWorkspace::NoFolder(start.to_owned(), error))?;
    let holds = |folder: &&Path| std::fs::symlink_metadata(folder.join(FILE)).is_ok();
    from.ancestors()
        .find(holds)
        .map(Path::to_owned)
        .ok_or_else(|| NoWorkspace::NotFound(start.to_owned()))
}

/// Reads `convertalk.yaml` from its text. Returns a workspace only if there is no error.
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
    let source = SourceFile {
        file: FILE.into(),
        text,
    };
    let mut diagnostics = Vec::new();
    let Some(tree) = crate::yaml::parse(&source, &mut diagnostics) else {
        return (Settings::default(), diagnostics);
    };
    let mut reader = Decoder {
        tree: &tree,
        source: &source,
        out: diagnostics,
    };
    if read::is_blank(&reader) {
        let error = Diagnostic::whole(Code::EmptyFile, FILE, "this file is empty");
        reader
            .out
            .push(error.help("start with `version: 1` and `api:`"));
        return (Settings::default(), reader.out);
    }
    let config = read::read(&mut reader);
    let settings = valid::settle(&mut reader, &config, root, overrides);
    diagnostic::sort(&mut reader.out);
    (settings, reader.out)
}
