//! The workspace: a folder with `convertalk.yaml`, found, read, and handed on as valid values.
//!
//! Owns where the files are, whom to talk to and within which limits. Gives [`Workspace`] and, from its lead files, a
//! [`Desired`]; or every mistake in every file at once, as diagnostics.

pub mod base;
pub mod blame;
pub mod config;
pub mod diagnostic;
pub mod document;
pub mod draft;
pub mod edit;
pub mod emit;
mod endpoint;
mod excerpt;
mod files;
pub mod layout;
mod lead_files;
mod load;
mod quote;
pub mod reader;
pub mod render;
pub mod scaffold;
pub mod scalar;
pub mod schema;
mod settings;
pub mod split;
pub mod validate;
pub mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use self::diagnostic::Source;
pub use self::diagnostic::{Diagnostic, Severity};
pub use self::lead_files::{lead_files, read_text};
use self::reader::Reader;
use self::settings::Settings;
use self::validate::Checked;
pub use self::validate::Vocabulary;
use crate::desired::{Desired, Place};
use crate::lead::{AgentId, Status};

/// A valid `convertalk.yaml`, the environment's overrides applied.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder that holds `convertalk.yaml`; every path in a message or a plan is relative to it.
    pub root: PathBuf,
    /// Whom to talk to, and how.
    pub api: Api,
    /// Globs of the lead files, relative to `root`.
    pub leads: Vec<String>,
    /// Agents by the name that readers know.
    pub agents: BTreeMap<String, Agent>,
    /// What a plan may not do.
    pub policy: Policy,
}

impl Workspace {
    /// The names that lead files may use.
    pub fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary {
            agents: Some(&self.agents),
            tags: self.policy.tags.as_ref().map(|rule| rule.value.as_slice()),
        }
    }
}

/// The API that the leads are in.
#[derive(Debug, Clone)]
pub struct Api {
    /// The host, or the sandbox.
    pub endpoint: Endpoint,
    /// 24 hex digits in every sample.
    pub bot_id: String,
    /// 24 hex digits in every sample.
    pub customer_id: String,
    /// Requests under way at a time, at the most. 8 unless said.
    pub concurrency: usize,
    /// Requests a second, at the most. No limit unless said.
    pub rate: Option<f64>,
    /// For one request. 30 seconds unless said.
    pub timeout: Duration,
    /// Pages of one type, after which a listing that has not ended is an error. 10 000 unless said.
    pub page_cap: u32,
    /// The shape in which tags are sent.
    pub tags: TagShape,
    /// Which notes are sent.
    pub notes: NotesSent,
    /// What is sent as the agent of a lead that nobody is to have; `None` is JSON's null. The empty text unless said.
    pub unassign: Option<String>,
    /// The header that carries the read token. `x-bot-token` unless said.
    pub read_header: String,
    /// The header that carries the write token. `x-bp-token` unless said.
    pub write_header: String,
    /// The sandbox's first data, relative to the workspace's folder.
    pub seed: Option<PathBuf>,
}

/// Where the API answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded API, its state beside the workspace file.
    Sandbox,
    /// `https`, or `http` on loopback; without a `/` at the end.
    Url(url::Url),
}

/// The shape in which tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagShape {
    /// As the listing shows them: text where it shows text, else an array.
    #[default]
    Auto,
    /// An array of strings.
    Array,
    /// One string, with commas.
    String,
}

/// Which notes an update sends, because platforms may replace a lead's notes by what is sent, or add what is sent to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotesSent {
    /// All of them, until one is seen twice after a write; from then on the new ones.
    #[default]
    Auto,
    /// The notes that are there, and the new ones.
    All,
    /// The new ones.
    New,
}

/// An agent that has a name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The platform's id.
    pub id: AgentId,
    /// How many leads the agent may have after a run.
    pub max_leads: Option<u32>,
    /// Where the cap, or else the name, stands.
    pub place: Place,
}

/// A value of the policy and the line that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What a plan may not do. Every rule is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The only tags that lead files may ask for.
    pub tags: Option<Rule<Vec<String>>>,
    /// How many leads one run may change.
    pub max_changes: Option<Rule<MaxChanges>>,
    /// Refused moves of the status.
    pub deny: Vec<Rule<Transition>>,
    /// Moves of the status that are told, and go ahead.
    pub warn: Vec<Rule<Transition>>,
    /// Statuses in which a lead must have an agent.
    pub require_agent: Option<Rule<Vec<Status>>>,
}

/// A number of leads, or a share of the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// So many leads.
    Leads(u32),
    /// So many of a hundred declared leads.
    Percent(u8),
}

/// A move from one status to another; `None` stands for `*`, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// From this.
    pub from: Option<Status>,
    /// To this.
    pub to: Option<Status>,
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

/// A workspace and its lead files, or all that is wrong with them.
#[derive(Debug, Default)]
pub struct Loaded {
    /// `None` where `convertalk.yaml` has an error.
    pub workspace: Option<Workspace>,
    /// `None` where any file has an error.
    pub desired: Option<Desired>,
    /// Errors and warnings, by file, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// How many lead files were read.
    pub files: usize,
    /// How many leads they declare.
    pub leads: usize,
}

impl Loaded {
    /// Whether anything is wrong.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
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

/// Reads and validates the workspace in `root` and all its lead files, on all cores.
pub fn load(root: &Path, overrides: &Overrides) -> Loaded {
    let file: Arc<str> = FILE.into();
    let text = match load::text(root, &file) {
        Ok(text) => text,
        Err(error) => {
            return Loaded {
                diagnostics: vec![*error],
                ..Loaded::default()
            };
        }
    };
    let (settings, mut diagnostics) = configure(root, &text, overrides);
    let globs: Vec<String> = settings
        .globs
        .iter()
        .map(|(glob, _)| glob.clone())
        .collect();
    let found = files::find(root, &globs);
    misses(&file, &text, &settings, &found, &mut diagnostics);
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let vocabulary = settings.vocabulary(&diagnostics);
    diagnostics.extend(found.diagnostics);

    let read = found.files.par_iter().map(|path| {
        let file: Arc<str> = path.as_str().into();
        let text = load::text(root, &file);
        (file, text)
    });
    let (desired, files, leads) = gather(read.collect(), vocabulary, &mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    let fine = !diagnostics.iter().any(Diagnostic::is_error);
    Loaded {
        workspace: settings.workspace.filter(|_| !broken),
        desired: fine.then_some(desired),
        diagnostics,
        files,
        leads,
    }
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

/// Reads lead files that are in memory: those of another commit, say. Pure.
pub fn desired_of(
    files: Vec<(Arc<str>, String)>,
    workspace: &Workspace,
) -> (Desired, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let read = files.into_iter().map(|(file, text)| {
        let text = load::decode(&file, text.into_bytes());
        (file, text)
    });
    let (desired, ..) = gather(read.collect(), workspace.vocabulary(), &mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    (desired, diagnostics)
}

type Read = (Arc<str>, Result<String, Box<Diagnostic>>);

fn gather(
    read: Vec<Read>,
    vocabulary: Vocabulary<'_>,
    out: &mut Vec<Diagnostic>,
) -> (Desired, usize, usize) {
    let check = |(number, (file, text)): (usize, &Read)| match text {
        Ok(text) => validate::check(file, text, number as u32, vocabulary),
        Err(error) => Checked {
            leads: Vec::new(),
            diagnostics: vec![Diagnostic::clone(error)],
        },
    };
    let checked: Vec<Checked> = read.par_iter().enumerate().map(check).collect();
    let mut all = Vec::with_capacity(checked.len());
    for file in checked {
        all.push(file.leads);
        out.extend(file.diagnostics);
    }
    let leads = all.iter().map(Vec::len).sum();
    let source = |number: u32| {
        let (file, text) = &read[number as usize];
        Source {
            file: file.clone(),
            text: text.as_deref().unwrap_or_default(),
        }
    };
    (validate::merge(all, source, out), read.len(), leads)
}

fn configure(root: &Path, text: &str, overrides: &Overrides) -> (Settings, Vec<Diagnostic>) {
    let source = Source {
        file: FILE.into(),
        text,
    };
    let mut diagnostics = Vec::new();
    let Some(tree) = yaml::parse(&source, &mut diagnostics) else {
        return (Settings::default(), diagnostics);
    };
    let mut reader = Reader {
        tree: &tree,
        source: &source,
        out: diagnostics,
    };
    if config::is_blank(&reader) {
        let error = Diagnostic::whole("empty-file", FILE, "this file is empty");
        reader
            .out
            .push(error.help("begin with `version: 1` and `api:`"));
        return (Settings::default(), reader.out);
    }
    let config = config::read(&mut reader);
    let settings = settings::settle(&mut reader, &config, root, overrides);
    diagnostic::sort(&mut reader.out);
    (settings, reader.out)
}

impl Settings {
    /// The names that could be read; those of a file with a mistake among its names are not held against anyone.
    fn vocabulary(&self, diagnostics: &[Diagnostic]) -> Vocabulary<'_> {
        let doubt = |made: &Diagnostic| {
            matches!(made.rule, "bad-agent-id" | "bad-agent-name" | "missing-id")
        };
        let doubt = self.doubtful || diagnostics.iter().any(doubt);
        match self.workspace.as_ref().filter(|_| !doubt) {
            Some(workspace) => workspace.vocabulary(),
            None => Vocabulary::default(),
        }
    }
}

/// Warns of globs that match nothing.
fn misses(
    file: &Arc<str>,
    text: &str,
    settings: &Settings,
    found: &files::Found,
    out: &mut Vec<Diagnostic>,
) {
    let source = Source {
        file: file.clone(),
        text,
    };
    for ((glob, span), _) in settings
        .globs
        .iter()
        .zip(&found.hit)
        .filter(|(_, hit)| !**hit)
    {
        let message = format!("no file matches `{glob}`");
        let warning = match span {
            Some(span) => source.warning("no-lead-files", *span, message),
            None => Diagnostic::whole("no-lead-files", file.clone(), message).into_warning(),
        };
        let help = match &found.yml {
            Some(path) => format!(
                "`{path}` is there: rename it to end in .yaml, or add `leads/**/*.yml` to `leads`"
            ),
            None => "write a lead file there".to_owned(),
        };
        out.push(warning.help(help));
    }
}
