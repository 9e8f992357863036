//! `convertalk workspaces`

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};

use super::pull_request;
use super::session::{overrides, target};
use super::ui::Ui;
use crate::config::NoWorkspace;
use crate::error::{Error, Exit};
use crate::fleet::{self, Difference, FoundWorkspace, Listed, Shard, Workspaces as List, changed};
use crate::git::base::{BaseError, commit};
use crate::git::repository::prefix;
use crate::git::runner::git;
use crate::plan::Target;
use crate::report::style::{BAD, paint, visible};

/// List the workspaces below a folder, to run one job for each
///
/// Hidden and linked folders are skipped. A workspace with an error is listed with it.
#[derive(Debug, Args)]
pub(super) struct WorkspacesArgs {
    /// Only those in which a file differs between the base and HEAD
    #[arg(long, requires = "base")]
    changed: bool,
    /// The commit to compare HEAD with; `auto` in GitHub and GitLab pull requests
    #[arg(long, value_name = "REF", requires = "changed")]
    base: Option<String>,
    /// Only this part of them, counted from 1; adding a workspace does not move the others
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: WorkspacesFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorkspacesFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// `matrix=…` and `any=true|false`, for $GITHUB_OUTPUT
    Github,
}

impl WorkspacesArgs {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let root = std::fs::canonicalize(directory)
            .map_err(|error| NoWorkspace::NoFolder(directory.to_owned(), error))?;
        let found = fleet::find(&root, &overrides())?;
        let wanted = match &self.base {
            Some(reference) => changed(&found, &difference(&root, reference)?),
            None => vec![true; found.len()],
        };
        let workspaces: Vec<Listed> = found
            .iter()
            .zip(wanted)
            .filter(|(_, wanted)| *wanted)
            .map(|(found, _)| listed(found))
            .filter(|listed| self.shard.is_none_or(|shard| shard.holds(&listed.name)))
            .collect();
        match self.format {
            WorkspacesFormat::Text => ui.result(&text(&workspaces, self.changed))?,
            WorkspacesFormat::Json => ui.json(&List { workspaces })?,
            WorkspacesFormat::Github => ui.result(&outputs(&workspaces)?)?,
        }
        Ok(Exit::Done)
    }
}

fn listed(found: &FoundWorkspace) -> Listed {
    let (target, error) = match &found.workspace {
        Ok(workspace) => (Some(target(workspace)), None),
        Err(first) if first.is_about_the_environment() => (None, Some(first.message.clone())),
        Err(first) => {
            let place = format!("{}:{}:{}", first.file, first.line, first.column);
            (None, Some(format!("{place}: {}", first.message)))
        }
    };
    let (endpoint, bot_id, customer_id) = target
        .map(|target: Target| (target.endpoint, target.bot_id, target.customer_id))
        .map_or((None, None, None), |(endpoint, bot, customer)| {
            (Some(endpoint), Some(bot), Some(customer))
        });
    Listed {
        name: found.name(),
        dir: fleet::shown(&found.dir).to_owned(),
        endpoint,
        bot_id,
        customer_id,
        error,
    }
}

/// The modes of what lies elsewhere: symbolic links and submodules.
const LINKS: [&str; 2] = ["120000 ", "160000 "];

/// What differs between a commit and HEAD.
fn difference(root: &Path, reference: &str) -> Result<Difference, Error> {
    let reference = match reference {
        "auto" => pull_request::merge_base(root)?,
        other => other.to_owned(),
    };
    let base = commit(root, &reference)?;
    let words = ["diff-tree", "-r", "-z", "--raw", "--no-renames"];
    let run = |words: &[&str]| git(root, words).map_err(BaseError::from);
    let differing = run(&[&words[..], &[&base, "HEAD"]].concat())?;
    let tree = run(&["ls-tree", "-r", "-z", "--full-tree", "HEAD"])?;
    let mut paths = BTreeSet::new();
    let mut came_or_went = BTreeSet::new();
    let is_link = |entry: &&str| LINKS.iter().any(|mode| entry.starts_with(mode));
    let links = tree.split('\0').filter(is_link);
    let mut links: BTreeSet<String> = links
        .filter_map(|entry| Some(entry.split_once('\t')?.1.to_owned()))
        .collect();
    let mut parts = differing.split('\0');
    // `:MODE MODE BEFORE AFTER STATUS<nul>PATH<nul>`
    while let (Some(entry), Some(path)) = (parts.next(), parts.next()) {
        paths.insert(path.to_owned());
        if is_link(&entry.trim_start_matches(':')) {
            links.insert(path.to_owned());
        }
        if entry.ends_with(['A', 'D']) {
            came_or_went.insert(path.to_owned());
        }
    }
    Ok(Difference {
        prefix: prefix(root).unwrap_or_default(),
        paths,
        came_or_went,
        links,
    })
}

fn text(workspaces: &[Listed], changed: bool) -> String {
    if workspaces.is_empty() {
        return match changed {
            true => "No changed workspaces.\n".to_owned(),
            false => "No workspaces.\n".to_owned(),
        };
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["name", "dir", "endpoint", "bot"]);
    for one in workspaces {
        let mut cells = vec![visible(&one.name), visible(&one.dir)];
        match &one.error {
            Some(error) => cells.push(paint(BAD, format!("error: {}", visible(error)))),
            None => {
                let values = [&one.endpoint, &one.bot_id].into_iter().flatten();
                cells.extend(values.map(|value| visible(value)));
            }
        }
        table.add_row(cells);
    }
    let lines = table.to_string();
    let lines = lines.lines().map(|line| line.trim().to_owned() + "\n");
    lines.collect()
}

/// One line for each output of a step of GitHub's: JSON has no line breaks in it.
fn outputs(workspaces: &[Listed]) -> Result<String, Error> {
    let matrix = serde_json::json!({ "include": workspaces });
    let matrix = serde_json::to_string(&matrix).map_err(Error::Json)?;
    Ok(format!("matrix={matrix}\nany={}\n", !workspaces.is_empty()))
}
