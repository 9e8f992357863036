//! Flags that plan and apply share.

use clap::{Args, ValueEnum};

use crate::plan::{Allow, Limits};
use crate::privacy::Names;
use crate::workspace::{MaxChanges, Workspace};

/// Which leads, how far to read, and what to tell.
#[derive(Debug, Args)]
pub(super) struct Scope {
    /// Only these declared leads: a uuid, status=OPEN, agent=priya, tag=vip, file=leads/eu/** (repeatable: any of them)
    #[arg(long, value_name = "SELECTOR")]
    pub(super) only: Vec<String>,
    /// Explain each difference by what the files said at a commit; `auto` in GitHub and GitLab pull requests
    #[arg(long, value_name = "REF")]
    pub(super) base: Option<String>,
    /// Read every page, though all declared leads have been found
    #[arg(long)]
    pub(super) full: bool,
    /// How much of people's names and contact values to tell
    #[arg(long, value_name = "HOW", default_value = "initials")]
    pub(super) names: Names,
    /// Refuse to change more leads than this: a number, or a share of the declared leads such as 20%
    #[arg(long, value_name = "N|P%", value_parser = max_changes)]
    pub(super) max_changes: Option<MaxChanges>,
    /// Lift a guard for this run (repeatable)
    #[arg(long, value_name = "GUARD")]
    pub(super) allow: Vec<Allow>,
    /// What to do about declared leads that the inbox does not show
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(super) missing: OnMissing,
}

impl Scope {
    /// Whether every page is read: where it is asked for, or a cap needs each agent's leads counted.
    pub(super) fn reads_all(&self, workspace: &Workspace) -> bool {
        self.full || workspace.agents.values().any(|agent| agent.max_leads.is_some())
    }

    /// What a plan may not do in this run.
    pub(super) fn limits<'a>(&'a self, workspace: &'a Workspace) -> Limits<'a> {
        Limits { policy: &workspace.policy, agents: &workspace.agents, max_changes: self.max_changes, allow: &self.allow }
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

fn max_changes(text: &str) -> Result<MaxChanges, String> {
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| "a number of leads, or a share such as 20%".to_owned());
    match text.strip_suffix('%') {
        None => number(text).map(MaxChanges::Leads),
        Some(share) => match number(share)? {
            share @ 0..=100 => Ok(MaxChanges::Percent(u8::try_from(share).unwrap_or(100))),
            _ => Err("a share is at most 100%".to_owned()),
        },
    }
}
