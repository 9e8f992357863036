//! Options that plan and apply share.

use std::path::Path;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::complete;
use super::pull_request::{note_places, prefix_of_places};
use super::reports::{Rendering, ReportFormat, ReportedPlan, Reports, text};
use super::session::InvalidFiles;
use super::ui::Ui;
use crate::config::Workspace;
use crate::error::Error;
use crate::plan::{ConflictPolicy, DifferencePolicy, Limits};
use crate::policy::{DriftPolicies, DriftPolicy, Guard, MaxChanges, UnknownGuard};
use crate::redaction::Redaction;
use crate::report::{self, Format, diagnostics_as_sarif, diagnostics_for_github};

/// Which leads to select, how far to read, and how much to show.
#[derive(Debug, Args)]
pub(super) struct Scope {
    /// Select declared leads: a uuid or the start of one, status=OPEN, agent=priya, tag=vip, attributes.KEY=VALUE, label~text,
    /// file=leads/eu/**, held, changed; `!=` negates, a comma means "and" (repeatable; a lead needs to match only one)
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(super) only: Vec<String>,
    /// Classify each difference by comparing with the files at a commit; `applied` uses the commit at which each lead was last settled;
    /// `auto` in GitHub and GitLab pull requests
    #[arg(long, value_name = "REF", add = ArgValueCompleter::new(complete::bases))]
    pub(super) base: Option<String>,
    /// Read every page, even after all declared leads are found
    #[arg(long)]
    pub(super) full: bool,
    /// How much of people's names and contact values to show
    #[arg(long, value_name = "HOW", default_value = "initials")]
    pub(super) names: Redaction,
    /// Refuse to change more leads than this: a number, or a percentage of the declared leads
    #[arg(long, value_name = "N|P%")]
    pub(super) max_changes: Option<MaxChanges>,
    /// Override a guard for this run (repeatable): transition, require-agent, max-leads, empty-listing, freeze, rewind or rule:NAME
    #[arg(
        long,
        value_name = "GUARD",
        value_parser = allowed,
        add = ArgValueCompleter::new(complete::guards)
    )]
    pub(super) allow: Vec<Guard>,
    /// What to do about declared leads that are not in the inbox
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(super) missing: OnMissing,
}

impl Scope {
    /// Whether to read every page: on request, or because a cap needs each agent's leads counted.
    pub(super) fn reads_all(&self, workspace: &Workspace) -> bool {
        self.full
            || workspace
                .agents
                .values()
                .any(|agent| agent.max_leads.is_some())
    }

    /// The limits of this run; `writes` if it may write.
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
            return Err(Error::Usage("--drift and --conflicts require --base REF"));
        }
        Ok(())
    }
}

/// Output format of commands that have two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document (see `convertalk schema`)
    Json,
}

/// The formats of a plan and where each one is written.
#[derive(Debug, Args)]
pub(super) struct Forms {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) reports: Reports,
    /// Cut Markdown to this size, least important part first (500 or more)
    #[arg(long, value_name = "N", value_parser = max_bytes)]
    max_bytes: Option<usize>,
    /// Show each lead on its own: do not roll up identical changes in text and Markdown
    #[arg(long)]
    all_leads: bool,
}

impl Forms {
    /// Checks that stdout gets one document; `out` is a file that the command writes as well.
    pub(super) fn check_stdout(&self, out: Option<&Path>) -> Result<(), Error> {
        one_document(self.format != Format::Text, self.reports.files().chain(out))
    }

    /// Writes a plan to stdout in one format and to files in others.
    pub(super) fn write_plan(&self, reported: ReportedPlan<'_>, ui: &Ui) -> Result<(), Error> {
        let is_from_top = matches!(self.format, Format::Github | Format::Sarif);
        if let Some(root) = reported.root.filter(|_| is_from_top) {
            note_places(root, ui);
        }
        let reported = ReportedPlan {
            max_bytes: self.max_bytes,
            all_leads: self.all_leads,
            ..reported
        };
        self.write_rendered(|format, _| Ok(reported.render(format)), ui)
    }

    /// Writes what is wrong with files in the formats that have places, so that a pull request shows it where it shows a plan's warnings.
    pub(super) fn write_invalid(&self, invalid: &InvalidFiles, ui: &Ui) -> Result<(), Error> {
        let has_places = |format: ReportFormat| {
            matches!(format, ReportFormat::Plan(Format::Github | Format::Sarif))
        };
        let prefix = prefix_of_places(&invalid.root).unwrap_or_default();
        let render = |format: ReportFormat| {
            Ok(text(match format {
                ReportFormat::Plan(Format::Sarif) => {
                    diagnostics_as_sarif(&invalid.diagnostics, &prefix).map_err(Error::Json)?
                }
                _ => diagnostics_for_github(&invalid.diagnostics, &prefix),
            }))
        };
        let printed = if self.reports.are_free() {
            self.reports.write(has_places, render)?
        } else {
            None
        };
        let format = ReportFormat::Plan(self.format);
        match printed {
            Some(printed) => ui.write_result(printed),
            None if has_places(format) => ui.write_result(render(format)?),
            None => Ok(()),
        }
    }

    /// Renders in the chosen format, cut to the maximum size where that format can be cut. Files come first: nothing is printed unless all were
    /// written.
    pub(super) fn write_rendered<'a>(
        &self,
        render: impl Fn(ReportFormat, Option<usize>) -> Result<Rendering<'a>, Error>,
        ui: &Ui,
    ) -> Result<(), Error> {
        let printed = self
            .reports
            .write(|_| true, |format| render(format, self.max_bytes))?;
        match printed {
            Some(printed) => ui.write_result(printed),
            None => ui.write_result(render(ReportFormat::Plan(self.format), self.max_bytes)?),
        }
    }
}

/// Checks that stdout gets one document: in the chosen format, or for a file that is `-`.
pub(super) fn one_document<'a>(
    has_format: bool,
    files: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Error> {
    let files = files.into_iter().filter(|file| is_stdout(file)).count();
    if files + usize::from(has_format) <= 1 {
        return Ok(());
    }
    Err(Error::Usage(
        "stdout takes one document: of --format, --out - and --report FORMAT=-, choose one",
    ))
}

/// Whether a file that is asked for is stdout: `-`, as everywhere, or one of the links of the system that lead there.
pub(super) fn is_stdout(file: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| file == Path::new(name))
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
        Guard::Target | Guard::Snapshot | Guard::Base => "it cannot be overridden",
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

fn max_bytes(text: &str) -> Result<usize, String> {
    let bytes = text
        .trim()
        .parse()
        .map_err(|_| "not a number of bytes".to_owned())?;
    if bytes < report::SMALLEST {
        Err(format!("must be {} or more", report::SMALLEST))
    } else {
        Ok(bytes)
    }
}

/// What missing leads do to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnMissing {
    /// Write nothing and exit with 1
    Fail,
    /// Apply the other leads
    Skip,
}
