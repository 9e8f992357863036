//! Lead files: found, read, checked, and merged into [`Desired`]; and written for those who want them written.

pub mod adopt;
pub(crate) mod agent_names;
pub mod assign;
pub(crate) mod discover;
pub mod draft;
pub mod edit;
pub mod emit;
mod paths;
pub mod raw;
pub mod schema;
pub mod share;
pub mod sheet;
pub mod split;
pub mod valid;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

pub use self::emit::layout_rules;
pub use self::paths::{agents, lead_files, read_text};
use self::valid::Checked;
pub use self::valid::Vocabulary;
pub(crate) use self::valid::{Meaning, one_meaning};
use crate::config::{FILE, Overrides, Settings, Workspace, configure};
use crate::lead::Desired;
use crate::yaml::diagnostic::{self, Code, Diagnostic, SourceFile};
use crate::yaml::file;

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
    /// The lead files, each with how many leads it declares.
    pub leads_by_file: BTreeMap<Arc<str>, usize>,
    /// The lead files' texts, as they were read.
    pub texts: FileTexts,
}

/// The texts of files, by path.
pub type FileTexts = BTreeMap<Arc<str>, String>;

/// Reads and validates the workspace in `root` and all its lead files, on all cores.
pub fn load(root: &Path, overrides: &Overrides) -> Loaded {
    let file: Arc<str> = FILE.into();
    let text = discover::stays_inside(root, &file).and_then(|()| file::text(root, &file));
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            return Loaded {
                diagnostics: vec![*error],
                ..Loaded::default()
            };
        }
    };
    let (settings, mut diagnostics) = configure(root, &text, overrides);
    let seed = settings.workspace.as_ref();
    let seed = seed.and_then(|workspace| workspace.api.seed.as_ref()?.to_str());
    if let Some(Err(outside)) = seed.map(|seed| discover::stays_inside(root, &Arc::from(seed))) {
        diagnostics.push(*outside);
    }
    let globs: Vec<String> = settings
        .globs
        .iter()
        .map(|(glob, _)| glob.clone())
        .collect();
    let found = discover::find(root, &globs);
    misses(&file, &text, &settings, &found, &mut diagnostics);
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let vocabulary = settings.vocabulary(&diagnostics);
    diagnostics.extend(found.diagnostics);

    let read = found.files.par_iter().map(|path| {
        let file: Arc<str> = path.as_str().into();
        let text = file::text(root, &file);
        (file, text)
    });
    let read: Vec<Read> = read.collect();
    let (desired, leads_by_file) = gather(&read, vocabulary, &mut diagnostics);
    let texts = read.into_iter();
    let texts = texts.filter_map(|(file, text)| Some((file, text.ok()?)));
    diagnostic::sort(&mut diagnostics);
    let fine = !diagnostics.iter().any(Diagnostic::is_error);
    Loaded {
        workspace: settings.workspace.filter(|_| !broken),
        desired: fine.then_some(desired),
        diagnostics,
        files: leads_by_file.len(),
        leads: leads_by_file.values().sum(),
        leads_by_file,
        texts: texts.collect(),
    }
}

/// Reads lead files that are in memory: those of another commit, say. Pure.
pub fn desired_of(
    files: Vec<(Arc<str>, String)>,
    workspace: &Workspace,
) -> (Desired, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let read = files.into_iter().map(|(file, text)| {
        let text = file::decode(&file, text.into_bytes());
        (file, text)
    });
    let read: Vec<Read> = read.collect();
    let (desired, _) = gather(&read, workspace.vocabulary(), &mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    (desired, diagnostics)
}

type Read = (Arc<str>, Result<String, Box<Diagnostic>>);

fn gather(
    read: &[Read],
    vocabulary: Vocabulary<'_>,
    out: &mut Vec<Diagnostic>,
) -> (Desired, BTreeMap<Arc<str>, usize>) {
    let check = |(number, (file, text)): (usize, &Read)| match text {
        Ok(text) => valid::check(file, text, number as u32, vocabulary),
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
    let files = read.iter().map(|(file, _)| file.clone());
    let leads_by_file = files.zip(all.iter().map(Vec::len)).collect();
    let source = |number: u32| {
        let (file, text) = &read[number as usize];
        SourceFile {
            file: file.clone(),
            text: text.as_deref().unwrap_or_default(),
        }
    };
    (valid::merge(all, source, out), leads_by_file)
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

impl Settings {
    /// The names that could be read; those with an error among them are not checked, and nothing is desired then.
    fn vocabulary(&self, diagnostics: &[Diagnostic]) -> Vocabulary<'_> {
        let mut errors = diagnostics.iter().filter(|made| made.is_error()).peekable();
        let Some(workspace) = &self.workspace else {
            return Vocabulary::default();
        };
        let known = workspace.vocabulary();
        if errors.peek().is_none() {
            return known;
        }
        let is_agents = |made: &Diagnostic| {
            matches!(
                made.code,
                Code::BadAgentId | Code::BadAgentName | Code::MissingId
            )
        };
        let agents_in_doubt = self.doubt.agents || errors.any(is_agents);
        Vocabulary {
            agents: known.agents.filter(|_| !agents_in_doubt),
            tags: known.tags.filter(|_| !self.doubt.tags),
        }
    }
}

/// Warns of globs that match nothing.
fn misses(
    file: &Arc<str>,
    text: &str,
    settings: &Settings,
    found: &discover::Found,
    out: &mut Vec<Diagnostic>,
) {
    let source = SourceFile {
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
            Some(span) => source.warning(Code::NoLeadFiles, *span, message),
            None => Diagnostic::whole(Code::NoLeadFiles, file.clone(), message).into_warning(),
        };
        out.push(warning.help("write a lead file there"));
    }
    for path in &found.other_endings {
        let message = "this file is not a lead file: no glob matches its ending";
        let warning = Diagnostic::whole(Code::OtherEnding, path.as_str(), message).into_warning();
        let help = "rename it to end in `.yaml`, or add a glob that matches it to `leads` in convertalk.yaml";
        out.push(warning.help(help));
    }
}
