//! Candidates for completions: selectors, assignments, leads and runs of the workspace that the shell is in.
//!
//! A shell asks at every key, so that errors are silent: a workspace that cannot be read has no candidates.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use clap_complete::env::CompleteEnv;

use super::session::overrides;
use crate::apply::history::runs;
use crate::config::{self, Workspace};
use crate::lead::{Desired, Kind, Status};
use crate::policy::Guard;
use crate::text::visible;
use crate::{lead_file, select};

/// The variable by which a shell asks for candidates.
pub(super) const VARIABLE: &str = "CONVERTALK_COMPLETE";

/// Answers a shell that asks, and ends the process then.
pub(super) fn answer() {
    CompleteEnv::with_factory(<super::Cli as clap::CommandFactory>::command)
        .var(VARIABLE)
        .complete();
}

struct Here {
    workspace: Workspace,
    desired: Desired,
}

fn here() -> Option<Here> {
    let root = config::find(".".as_ref()).ok()?;
    let loaded = lead_file::load(&root, &overrides());
    Some(Here {
        workspace: loaded.workspace?,
        desired: loaded.desired.unwrap_or_default(),
    })
}

/// Candidates that begin with what is typed.
fn beginning(
    typed: &OsStr,
    all: impl Iterator<Item = (String, Option<String>)>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    all.filter(|(value, _)| value.starts_with(&*typed))
        .map(|(value, help)| CompletionCandidate::new(value).help(help.map(Into::into)))
        .collect()
}

/// Selectors of declared leads; after a comma, one more term.
pub(super) fn selectors(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(here) = here() else {
        return Vec::new();
    };
    let text = typed.to_string_lossy().into_owned();
    let before = text.rfind(',').map_or("", |at| &text[..=at]);
    let terms = terms(&here).into_iter().chain(here.leads());
    let all = terms.map(|(term, help)| (format!("{before}{term}"), help));
    beginning(typed, all)
}

/// Selectors of live leads, as far as the files know the inbox: of those by declared values only, and of leads that are declared already.
pub(super) fn live_selectors(typed: &OsStr) -> Vec<CompletionCandidate> {
    let is_of_files = |term: &str| {
        let of_files = ["file=", "file!=", "label~", "held", "changed"];
        of_files.iter().any(|word| term.starts_with(word))
    };
    let mut candidates = selectors(typed);
    candidates.retain(|candidate| {
        let text = candidate.get_value().to_string_lossy();
        !is_of_files(text.rsplit(',').next().unwrap_or_default())
    });
    candidates
}

fn terms(here: &Here) -> Vec<(String, Option<String>)> {
    let files: BTreeSet<String> = here
        .desired
        .values()
        .map(|lead| lead.place.file.to_string())
        .collect();
    let (tags, attributes) = (here.tags(), here.attributes());
    let mut terms = Vec::new();
    for sign in ["=", "!="] {
        terms.extend(here.values(sign));
        let tags = tags
            .iter()
            .map(|tag| format!("tag{sign}{}", select::escaped(tag)));
        let files = files.iter().map(|file| format!("file{sign}{file}"));
        let attributes = attributes.iter().map(|key| format!("{key}{sign}"));
        let made = tags.chain(files).chain(attributes);
        terms.extend(made.map(|term| (term, None)));
    }
    let words = [
        ("label~", "a part of the label"),
        ("held", "leads with `hold:`"),
        ("changed", "declared differently than at the base"),
    ];
    let words = words.map(|(word, help)| (word.to_owned(), Some(help.to_owned())));
    terms.extend(words);
    terms
}

/// Assignments, and leads by uuid.
pub(super) fn assignments(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(here) = here() else {
        return Vec::new();
    };
    let mut all = here.values("=");
    for tag in here.tags() {
        let tag = select::escaped(&tag);
        all.extend(["=", "+=", "-="].map(|sign| (format!("tags{sign}{tag}"), None)));
    }
    let attributes = here.attributes().into_iter();
    all.extend(attributes.map(|key| (format!("{key}="), None)));
    let fields = ["label=", "hold=", "attributes.", "contact."];
    all.extend(fields.map(|field| (field.to_owned(), None)));
    beginning(typed, all.into_iter().chain(here.leads()))
}

/// Leads by uuid.
pub(super) fn leads(typed: &OsStr) -> Vec<CompletionCandidate> {
    here().map_or_else(Vec::new, |here| beginning(typed, here.leads()))
}

/// Lead files of the workspace.
pub(super) fn lead_files(typed: &OsStr) -> Vec<CompletionCandidate> {
    let files = config::find(".".as_ref()).map(|root| lead_file::lead_files(&root).0);
    let files = files.unwrap_or_default().into_iter();
    beginning(typed, files.map(|file| (file.to_string(), None)))
}

/// Agents by name; after a comma, one more that is not there yet.
pub(super) fn agents(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(here) = here() else {
        return Vec::new();
    };
    let word = current_word().unwrap_or_default();
    let (given, _) = word.rsplit_once(',').unwrap_or_default();
    let given: BTreeSet<&str> = given
        .rsplit('=')
        .next()
        .unwrap_or_default()
        .split(',')
        .collect();
    let agents = here.workspace.agents.keys();
    let names = agents.filter(|name| !given.contains(name.as_str()));
    beginning(typed, names.map(|name| (name.clone(), None)))
}

/// The whole word that is completed: of a list, a completer gets only what comes after the last comma.
fn current_word() -> Option<String> {
    let mut words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    // Shells that say which word it is complete in the middle of a line, too.
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
    let word = match index.and_then(|index| index.parse().ok()) {
        Some(index) => words.nth(index),
        None => words.last(),
    };
    Some(word?.to_string_lossy().into_owned())
}

/// Fields that the files manage, for `--unset`.
pub(super) fn managed(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(here) = here() else {
        return Vec::new();
    };
    let leads = here.desired.values();
    let fields = leads.clone().flat_map(|lead| &lead.fields);
    let fields = fields.map(|desired| desired.field.to_string());
    let texts = [
        ("label", leads.clone().any(|lead| lead.label.is_some())),
        ("hold", leads.clone().any(|lead| lead.hold.is_some())),
    ];
    let texts = texts.into_iter().filter(|(_, is_said)| *is_said);
    let all: BTreeSet<String> = fields
        .chain(texts.map(|(name, _)| name.to_owned()))
        .collect();
    beginning(typed, all.into_iter().map(|name| (name, None)))
}

/// Guards that `--allow` overrides, and the rules of the workspace.
pub(super) fn guards(typed: &OsStr) -> Vec<CompletionCandidate> {
    let rules = here().map(|here| here.workspace.policy.rules);
    let rules = rules.unwrap_or_default().into_iter();
    let rules = rules.map(|rule| (Guard::Rule(rule.name.clone()).to_string(), None));
    let named = Guard::ALLOWABLE.map(|guard| (guard.to_string(), None));
    beginning(typed, named.into_iter().chain(rules))
}

/// Bases that are no commit by name.
pub(super) fn bases(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words = [
        ("applied", "the commit that each lead was last settled at"),
        ("auto", "the target branch of the pull request"),
    ];
    let words = words.map(|(word, help)| (word.to_owned(), Some(help.to_owned())));
    beginning(typed, words.into_iter())
}

/// Runs by id, and `last`.
pub(super) fn kept_runs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let kept = config::find(".".as_ref())
        .ok()
        .and_then(|root| runs(&root).ok());
    let kept = kept.map(|(runs, _)| runs).unwrap_or_default();
    let last = kept
        .first()
        .map(|run| ("last".to_owned(), Some(run.id.clone())));
    let ids = kept
        .iter()
        .map(|run| (run.id.clone(), Some(run.started_at.clone())));
    beginning(typed, last.into_iter().chain(ids))
}

impl Here {
    /// Leads by uuid, their labels as help.
    fn leads(&self) -> impl Iterator<Item = (String, Option<String>)> {
        self.desired.iter().map(|(id, lead)| {
            let label = lead.label.as_deref().map(visible);
            (id.as_str().to_owned(), label)
        })
    }

    /// Statuses and agents behind their fields.
    fn values(&self, sign: &str) -> Vec<(String, Option<String>)> {
        let statuses = Status::WRITABLE
            .iter()
            .map(|status| format!("status{sign}{status}"));
        let names = self
            .workspace
            .agents
            .keys()
            .map(String::as_str)
            .chain(["none"]);
        let agents = names.map(|name| format!("agent{sign}{name}"));
        statuses.chain(agents).map(|value| (value, None)).collect()
    }

    /// The attributes that the files declare: `attributes.KEY`.
    fn attributes(&self) -> BTreeSet<String> {
        let fields = self.desired.values().flat_map(|lead| &lead.fields);
        fields
            .filter(|desired| desired.field.kind() == Kind::KeyedText)
            .map(|desired| desired.field.to_string())
            .collect()
    }

    /// The tags of the policy; where it has none, those that the files ask for.
    fn tags(&self) -> Vec<String> {
        match &self.workspace.policy.tags {
            Some(rule) => rule.value.clone(),
            None => select::tags_of(&self.desired),
        }
    }
}
