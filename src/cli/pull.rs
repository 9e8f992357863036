//! `convertalk pull`

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::complete;
use super::options::{OnMissing, OutputFormat};
use super::session::{files, files_to_edit};
use super::ui::Ui;
use crate::error::{Error, Exit};
use crate::lead::field_table::groups;
use crate::lead::{FieldId, Privacy};
use crate::lead_file::draft::With;
use crate::lead_file::split::By;
use crate::observe::ChatType;
use crate::redaction::Redaction;

mod adopt;
mod destination;
mod update;

/// Declare live leads in lead files
///
/// Declares the leads that no file declares, with their status, agent and tags, in leads/inbox.yaml or in the files that --split-by and --out
/// name. Appends to existing files and overwrites nothing. With --update, writes live values into the files that
/// declare the leads instead.
#[derive(Debug, Args)]
pub(super) struct Pull {
    /// Select leads by their live values: a uuid, status=OPEN, agent=priya, tag=vip, attributes.KEY=VALUE; `!=` negates, a comma means
    /// "and" (repeatable; a lead needs to match only one); with --update by their declared values, as in plan
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::live_selectors))]
    only: Vec<String>,
    /// Only chats of this type
    #[arg(long, value_name = "TYPE", conflicts_with = "update")]
    r#type: Option<Type>,
    /// A file for each agent or status; the value that its leads share is its default
    #[arg(long, value_name = "BY", conflicts_with = "update")]
    split_by: Option<By>,
    /// Import these fields, too; they may contain personal data (repeatable, or separated by commas)
    #[arg(
        long,
        value_name = "FIELD",
        value_parser = PossibleValuesParser::new(optional_groups()),
        value_delimiter = ',',
        conflicts_with = "update"
    )]
    with: Vec<String>,
    /// How much of a person's name to use as the label
    #[arg(
        long,
        value_name = "HOW",
        default_value = "initials",
        conflicts_with = "update"
    )]
    names: Redaction,
    /// Declare the leads in this lead file (a name that ends in .yaml or .yml) or folder of the workspace [default: leads/inbox.yaml, or
    /// leads with --split-by]
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "update")]
    out: Option<PathBuf>,
    /// Write live values in place into the files that declare the leads
    #[arg(long)]
    update: bool,
    /// With --base: only what changed in the inbox, not what changed in the files
    #[arg(long, requires = "base", requires = "update")]
    only_drift: bool,
    /// The commit that decides what is drift; `applied`: each lead's own, of the applied record; `auto` in GitHub and GitLab pull requests
    #[arg(
        long,
        value_name = "REF",
        requires = "only_drift",
        add = ArgValueCompleter::new(complete::bases)
    )]
    base: Option<String>,
    /// Path of the applied record, for --base applied [default: .convertalk/applied.json]
    #[arg(long, value_name = "FILE", requires = "base")]
    applied: Option<PathBuf>,
    /// What to do about declared leads that are not in the inbox
    #[arg(long, value_name = "WHAT", default_value = "fail", requires = "update")]
    missing: OnMissing,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    /// Chats that became leads
    Lead,
    /// Chats that are not leads
    NonLead,
}

impl From<Type> for ChatType {
    fn from(given: Type) -> Self {
        match given {
            Type::Lead => Self::Lead,
            Type::NonLead => Self::NonLead,
        }
    }
}

impl Pull {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        if self.update {
            let (files, texts) = files_to_edit(directory, ui)?;
            self.update(&files, &texts, ui)
        } else {
            self.adopt(&files(directory, ui)?, ui)
        }
    }

    fn with(&self) -> With {
        let label = match self.names {
            Redaction::None => None,
            shown => Some(shown),
        };
        let asked = |group: &&str| self.with.iter().any(|with| with == group);
        let groups = optional_groups().filter(asked).collect();
        With { groups, label }
    }
}

/// The fields of a lead file that are imported on request only.
fn optional_groups() -> impl Iterator<Item = &'static str> {
    let is_optional = |id: &FieldId| id.spec().privacy != Privacy::Public;
    groups()
        .filter(move |(_, ids)| ids.iter().all(is_optional))
        .map(|(group, _)| group)
}
