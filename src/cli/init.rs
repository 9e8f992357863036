//! `convertalk init`

use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::options::OutputFormat;
use super::session::overrides;
use super::ui::Ui;
use crate::api::Endpoint;
use crate::atomic_file;
use crate::cli::scaffold::{Ci, ENDPOINT, IGNORED, Start, files, ids, pipelines};
use crate::config::{FILE, Overrides, parse};
use crate::error::{Error, Exit};
use crate::git::repository::top;
use crate::lead_file::load;
use crate::report::style::{ADD, FAINT, paint, visible};
use crate::report::{InitAction, InitFile, InitReport};
use crate::text::shell_word;

/// Create a workspace: configuration, lead file, editor settings and .gitignore
///
/// Without --embed the workspace uses the sandbox, an API inside the program, so that plan and apply work at once. Existing files are
/// never overwritten.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder, created if it does not exist
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// The botId,customerId of the embed script, or the whole script
    #[arg(long, value_name = "TEXT", value_parser = embed)]
    embed: Option<(String, String)>,
    /// Also write CI pipelines for this host
    #[arg(long, value_name = "HOST")]
    ci: Option<Ci>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

fn embed(text: &str) -> Result<(String, String), String> {
    ids(text).ok_or_else(|| "expected two ids of 24 hex digits: botId,customerId".to_owned())
}

impl Init {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let folder = directory.join(&self.folder);
        let is_new = fs::symlink_metadata(folder.join(FILE)).is_err();
        if self.ci.is_some() && is_below_the_top(&folder) {
            return Err(Error::Usage(
                "pipelines must be at the top of the repository, and this folder is below it; see docs/pipelines.md",
            ));
        }
        let (start, made) = match self.ci {
            _ if is_new => (self.start(), true),
            // In an existing workspace, only the pipelines are created.
            Some(_) => (there(&folder, ui)?, false),
            None => {
                return Err(Error::Usage("this folder is already a workspace"));
            }
        };
        check(&folder, &start, ui)?;
        let mut all = self.ci.map(|ci| pipelines(ci, &start)).unwrap_or_default();
        if made {
            all.extend(files(&start));
        }
        let mut report = InitReport {
            folder: folder.display().to_string(),
            ..InitReport::default()
        };
        for (path, text) in all {
            let action = make(&folder, &path, &text)?;
            if self.format == OutputFormat::Text {
                ui.result(&self.line(action, &path))?;
            }
            report.files.push(InitFile { file: path, action });
        }
        if self.format == OutputFormat::Json {
            ui.json(&report)?;
        }
        ui.note(&next(&start, folder.strip_prefix("./").unwrap_or(&folder)));
        Ok(Exit::Done)
    }

    fn line(&self, action: InitAction, path: &str) -> String {
        let word = match action {
            InitAction::Created => paint(ADD, "created  "),
            InitAction::AddedTo => paint(ADD, "added to "),
            InitAction::Unchanged => paint(FAINT, "unchanged"),
        };
        let path = self.folder.join(path).display().to_string();
        format!("{word} {}\n", visible(&path))
    }

    /// Chooses the endpoint. The ids come from `--embed` or the environment; init never asks for them.
    fn start(&self) -> Start {
        let over = overrides();
        let endpoint = over.endpoint.filter(|text| text.trim() != "sandbox");
        let both = self.embed.clone().or(over.bot_id.zip(over.customer_id));
        match both {
            Some((bot_id, customer_id)) => Start::Inbox {
                endpoint: endpoint.unwrap_or_else(|| ENDPOINT.to_owned()),
                bot_id,
                customer_id,
            },
            None => Start::Sandbox,
        }
    }
}

/// Creates a file if it does not exist, and adds missing lines to .gitignore.
fn make(folder: &Path, path: &str, text: &str) -> Result<InitAction, Error> {
    let target = folder.join(path);
    let there = match fs::read_to_string(&target) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => {
            return Err(Error::Io {
                what: format!("read {}", target.display()),
                source,
            });
        }
    };
    let missing = there
        .as_deref()
        .filter(|_| path == ".gitignore")
        .map(missing_lines)
        .unwrap_or_default();
    match there {
        None => {
            atomic_file::create(&target, text.as_bytes())?;
            Ok(InitAction::Created)
        }
        Some(there) if !missing.is_empty() => {
            let gap = if there.is_empty() || there.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            atomic_file::replace(
                &target,
                there.as_bytes(),
                format!("{there}{gap}{missing}").as_bytes(),
            )?;
            Ok(InitAction::AddedTo)
        }
        Some(_) => Ok(InitAction::Unchanged),
    }
}

/// The inbox of an existing workspace.
fn there(folder: &Path, ui: &Ui) -> Result<Start, Error> {
    let loaded = load(folder, &overrides());
    let workspace = loaded.workspace.ok_or_else(|| Error::Invalid {
        errors: ui.diagnostics(&loaded.diagnostics),
    })?;
    Ok(match &workspace.api.endpoint {
        Endpoint::Sandbox => Start::Sandbox,
        Endpoint::Url(url) => {
            let (bot_id, customer_id) = (
                workspace.api.bot_id.clone(),
                workspace.api.customer_id.clone(),
            );
            Start::Inbox {
                endpoint: url.as_str().trim_end_matches('/').to_owned(),
                bot_id,
                customer_id,
            }
        }
    })
}

/// Checks that the values from the environment and the command line make a valid workspace.
fn check(folder: &Path, start: &Start, ui: &Ui) -> Result<(), Error> {
    let config = files(start)
        .into_iter()
        .find(|(path, _)| path == FILE)
        .map(|(_, text)| text)
        .unwrap_or_default();
    let (workspace, diagnostics) = parse(folder, &config, &Overrides::default());
    let errors = ui.diagnostics(&diagnostics);
    workspace.map(|_| ()).ok_or(Error::Invalid { errors })
}

/// Whether a folder, which need not exist yet, is inside a repository but not its top.
fn is_below_the_top(folder: &Path) -> bool {
    let there = folder
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."));
    top(there).is_some_and(|top| {
        there != folder || fs::canonicalize(there).ok() != fs::canonicalize(top).ok()
    })
}

fn missing_lines(there: &str) -> String {
    IGNORED
        .lines()
        .filter(|line| !there.lines().any(|other| other.trim() == *line))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn next(start: &Start, folder: &Path) -> String {
    let here = if folder.components().all(|part| part == Component::CurDir) {
        String::new()
    } else {
        let folder = shell_word(&folder.display().to_string());
        format!(" -C {}", visible(&folder))
    };
    match start {
        Start::Sandbox => {
            format!(
                "Next: convertalk plan{here}, then convertalk apply{here}; for your own bot, see convertalk.yaml"
            )
        }
        Start::Inbox { .. } => format!(
            "Next: export CONVERTALK_READ_TOKEN=…; convertalk doctor{here}; convertalk pull{here} --split-by agent; convertalk plan{here}"
        ),
    }
}
