//! `convertalk init`

use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::session::overrides;
use super::ui::Ui;
use crate::api::Endpoint;
use crate::atomic_file;
use crate::cli::scaffold::{Ci, ENDPOINT, IGNORED, Start, files, ids, pipelines};
use crate::config::{FILE, Overrides, parse};
use crate::error::{Error, Exit};
use crate::git::base::top;
use crate::lead_file::load;
use crate::report::style::{ADD, FAINT, paint, visible};

/// Start a workspace: config, one lead file, schemas and settings for editors, .gitignore
///
/// Without --embed it begins with the sandbox, the API embedded in the program: plan and apply work at once. No file that is there is
/// written over.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder; made if need be
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// The botId,customerId of the embed script, as they stand, or the whole script
    #[arg(long, value_name = "TEXT", value_parser = embed)]
    embed: Option<(String, String)>,
    /// Write the pipelines as well
    #[arg(long, value_name = "HOST")]
    ci: Option<Ci>,
}

fn embed(text: &str) -> Result<(String, String), String> {
    ids(text).ok_or_else(|| {
        "two ids of 24 hex digits are wanted, the bot's first: botId,customerId".to_owned()
    })
}

impl Init {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let folder = directory.join(&self.folder);
        let is_new = fs::symlink_metadata(folder.join(FILE)).is_err();
        if self.ci.is_some() && is_below_the_top(&folder) {
            return Err(Error::Usage(
                "pipelines belong at the top of the repository, and this is a folder in it; see docs/pipelines.md",
            ));
        }
        let (start, made) = match self.ci {
            _ if is_new => (self.start(), true),
            // Beside a workspace that is there, only the pipelines are made.
            Some(_) => (there(&folder, ui)?, false),
            None => {
                return Err(Error::Usage(
                    "there is a workspace already; init starts a new one",
                ));
            }
        };
        check(&folder, &start, ui)?;
        let mut all = self.ci.map(|ci| pipelines(ci, &start)).unwrap_or_default();
        if made {
            all.extend(files(&start));
        }
        for (path, text) in all {
            self.make(&folder, &path, &text, ui)?;
        }
        ui.note(&next(&start, folder.strip_prefix("./").unwrap_or(&folder)));
        Ok(Exit::Done)
    }

    /// Makes a file where there is none, and adds to what git ignores.
    fn make(&self, folder: &Path, path: &str, text: &str, ui: &Ui) -> Result<(), Error> {
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
        let told = |word: &str| {
            format!(
                "{word} {}\n",
                visible(&self.folder.join(path).display().to_string())
            )
        };
        let missing = there
            .as_deref()
            .filter(|_| path == ".gitignore")
            .map(missing_lines)
            .unwrap_or_default();
        match there {
            None => {
                atomic_file::create(&target, text.as_bytes())?;
                ui.result(&told(&paint(ADD, "made   ")))
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
                ui.result(&told(&paint(ADD, "added to")))
            }
            Some(_) => ui.result(&told(&paint(FAINT, "kept   "))),
        }
    }

    /// The ids are asked for nowhere: they come with `--embed` or from the environment, or can be filled in later.
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

/// The inbox of a workspace that is there.
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

/// What came from the environment or the command line may make no workspace.
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

/// Whether a folder, which need not be there yet, is one in a repository and not its top.
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
        format!(" -C {}", visible(&folder.display().to_string()))
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
