//! Flags that plan and apply share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::complete;
use super::ui::Ui;
use crate::atomic_file;
use crate::config::Workspace;
use crate::error::Error;
use crate::git::base::prefix;
use crate::plan::{ConflictPolicy, DifferencePolicy, Limits, Plan};
use crate::policy::{DriftPolicies, DriftPolicy, Guard, MaxChanges, UnknownGuard};
use crate::redaction::Redaction;
use crate::report::{self, Audience, Format};

/// Which leads, how far to read, and what to tell.
#[derive(Debug, Args)]
pub(super) struct Scope {
    /// Only these declared leads: a uuid or its first characters, status=OPEN, agent=priya, tag=vip, attributes.KEY=VALUE, label~text,
    /// file=leads/eu/**, held, changed; != for =, a comma for *and* (repeatable: any of them)
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(super) only: Vec<String>,
    /// Explain each difference by what the files said at a commit; `applied`: at the commit that each lead was last settled at; `auto` in GitHub
    /// and GitLab pull requests
    #[arg(long, value_name = "REF")]
    pub(super) base: Option<String>,
    /// Read every page, though all declared leads have been found
    #[arg(long)]
    pub(super) full: bool,
    /// How much of people's names and contact values to tell
    #[arg(long, value_name = "HOW", default_value = "initials")]
    pub(super) names: Redaction,
    /// Refuse to change more leads than this: a number, or a share of the declared leads such as 20%
    #[arg(long, value_name = "N|P%")]
    pub(super) max_changes: Option<MaxChanges>,
    /// Override a guard for this run (repeatable): transition, require-agent, max-leads, empty-listing, freeze, rewind or rule:NAME
    #[arg(long, value_name = "GUARD", value_parser = allowed)]
    pub(super) allow: Vec<Guard>,
    /// What to do about declared leads that the inbox does not show
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(super) missing: OnMissing,
}

impl Scope {
    /// Whether every page is read: where it is asked for, or a cap needs each agent's leads counted.
    pub(super) fn reads_all(&self, workspace: &Workspace) -> bool {
        self.full
            || workspace
                .agents
                .values()
                .any(|agent| agent.max_leads.is_some())
    }

    /// What a plan may not do in this run, which writes or does not.
    ///
    /// # Errors
    /// `--allow` names a rule that the workspace does not have.
    pub(super) fn limits<'a>(
        &'a self,
        workspace: &'a Workspace,
        writes: bool,
    ) -> Result<Limits<'a>, Error> {
        let rules = &workspace.policy.rules;
        for guard in &self.allow {
            if let Guard::Rule(name) = guard
                && !rules.iter().any(|rule| rule.name == *name)
            {
                return Err(Error::UnknownRule {
                    name: name.to_string(),
                    known: rules.iter().map(|rule| rule.name.to_string()).collect(),
                });
            }
        }
        Ok(Limits {
            policy: &workspace.policy,
            agents: &workspace.agents,
            max_changes: self.max_changes,
            allow: &self.allow,
            now: Some(jiff::Timestamp::now()),
            writes,
        })
    }
}

/// What is done about differences that the files did not make.
#[derive(Debug, Args)]
pub(super) struct Differences {
    /// With a base: what to do where the inbox changed and the file did not [default: policy.drift, else keep]
    #[arg(long, value_name = "WHAT")]
    pub(super) drift: Option<DriftPolicy>,
    /// With a base: what to do where both changed, to different values [default: fail]
    #[arg(long, value_name = "WHAT")]
    pub(super) conflicts: Option<ConflictPolicy>,
}

impl Differences {
    /// The flags where they are given, else the workspace's policy.
    pub(super) fn policy(&self, workspace: &Workspace) -> DifferencePolicy {
        let drift = match (self.drift, &workspace.policy.drift) {
            (Some(drift), _) => DriftPolicies::all(drift),
            (None, Some(rule)) => rule.value,
            (None, None) => DriftPolicies::default(),
        };
        DifferencePolicy {
            drift,
            conflicts: self.conflicts.unwrap_or_default(),
        }
    }

    /// Without a base there is neither drift nor conflict to decide about.
    pub(super) fn check(&self, has_base: bool) -> Result<(), Error> {
        if !has_base && (self.drift.is_some() || self.conflicts.is_some()) {
            return Err(Error::Usage(
                "--drift and --conflicts need a base to tell them by: --base REF",
            ));
        }
        Ok(())
    }
}

/// The form of a result that has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    Text,
    /// For programs
    Json,
}

/// In which forms a plan is told, and to whom.
#[derive(Debug, Args)]
pub(super) struct Forms {
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
    /// Write it in another form to a file as well, or, for -, to stdout instead (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to)]
    report: Vec<(Format, PathBuf)>,
    /// Cut Markdown to this size, from its least important end (500 at the least)
    #[arg(long, value_name = "N", value_parser = max_bytes)]
    max_bytes: Option<usize>,
}

impl Forms {
    /// The files that are written.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.report.iter().map(|(_, file)| file.as_path())
    }

    /// Tells a plan: to stdout in one form, and to files in others. Nothing is on stdout before every file is written.
    pub(super) fn tell(
        &self,
        plan: &Plan,
        names: Redaction,
        root: Option<&Path>,
        ui: &Ui,
    ) -> Result<(), Error> {
        let from_top =
            |(format, _): &(Format, PathBuf)| matches!(format, Format::Github | Format::Sarif);
        let stdout = (self.format, PathBuf::new());
        let prefix = root
            .filter(|_| self.report.iter().chain([&stdout]).any(from_top))
            .map(prefix)
            .unwrap_or_default();
        let audience = |max_bytes| Audience {
            names,
            max_bytes,
            prefix: &prefix,
        };
        self.tell_as(
            |format, most| report::plan(plan, format, audience(most)).map_err(Error::Json),
            ui,
        )
    }

    /// Tells whatever can be told in a form and, where the form is one that is cut, within a size.
    pub(super) fn tell_as(
        &self,
        told: impl Fn(Format, Option<usize>) -> Result<String, Error>,
        ui: &Ui,
    ) -> Result<(), Error> {
        let mut printed = None;
        for (format, file) in &self.report {
            let text = told(*format, self.max_bytes)?;
            if is_stdout(file) {
                printed = Some(text);
                continue;
            }
            let text = if *format == Format::Text {
                anstream::adapter::strip_str(&text).to_string()
            } else {
                text
            };
            atomic_file::write(file, |out| out.write_all(text.as_bytes()))?;
        }
        match printed {
            Some(text) => ui.result(&text),
            None => ui.result(&told(self.format, self.max_bytes)?),
        }
    }
}

/// Whether a file that is asked for is stdout: `-`, as everywhere.
pub(super) fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

fn report_to(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("FORMAT=FILE, such as markdown=plan.md")?;
    let format = Format::from_str(format, false).map_err(|_| {
        format!(
            "`{format}` is not a format; one of {}",
            Format::value_variants()
                .iter()
                .filter_map(word)
                .collect::<Vec<_>>()
                .join(" ")
        )
    })?;
    if file.is_empty() {
        Err("the file's name is missing".to_owned())
    } else {
        Ok((format, PathBuf::from(file)))
    }
}

/// A guard that `--allow` overrides.
fn allowed(text: &str) -> Result<Guard, String> {
    let guard: Guard = text
        .parse()
        .map_err(|error: UnknownGuard| error.to_string() + &allowable())?;
    let instead = match guard {
        Guard::MaxChanges => "use --max-changes N",
        Guard::Conflict => "use --conflicts take-file or take-live",
        Guard::Drift => "use --drift keep or revert",
        Guard::Target | Guard::Snapshot => "it cannot be overridden",
        Guard::Transition
        | Guard::RequireAgent
        | Guard::MaxLeads
        | Guard::EmptyListing
        | Guard::Freeze
        | Guard::Rewind
        | Guard::Rule(_) => return Ok(guard),
    };
    Err(instead.to_owned())
}

fn allowable() -> String {
    let names = Guard::ALLOWABLE.map(|guard| guard.to_string()).join(", ");
    format!("; one of {names}, rule:NAME")
}

fn word(format: &Format) -> Option<String> {
    format
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
}

fn max_bytes(text: &str) -> Result<usize, String> {
    let bytes = text
        .trim()
        .parse()
        .map_err(|_| "a number of bytes".to_owned())?;
    if bytes < report::SMALLEST {
        Err(format!("{} at the least", report::SMALLEST))
    } else {
        Ok(bytes)
    }
}

/// What missing leads do to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnMissing {
    /// The exit code is 1, and nothing is written to the inbox
    Fail,
    /// The other leads go ahead
    Skip,
}
