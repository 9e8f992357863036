//! `convertalk fmt`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap_complete::ArgValueCompleter;
use rayon::prelude::*;

use super::complete;
use super::options::OutputFormat;
use super::ui::Ui;
use crate::atomic_file;
use crate::error::{Error, Exit};
use crate::lead_file::agent_names::with_agent_names;
use crate::lead_file::emit::AgentNames;
use crate::policy::Agent;
use crate::report::{FmtFile, FmtReport, problems};
use crate::text::{count, visible};
use crate::yaml::Diagnostic;
use crate::yaml::format::{Layout, layout};
use crate::{config, lead_file};

/// Format lead files, keeping comments
///
/// Formatting never changes what a file means. Prints the name of each file that changes.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// Format these files instead of all lead files of the workspace
    #[arg(value_name = "FILE", add = ArgValueCompleter::new(complete::lead_files))]
    files: Vec<PathBuf>,
    /// Write nothing; exit with 1 if a file would change
    #[arg(long)]
    check: bool,
    /// Show the changes as a diff
    #[arg(long)]
    diff: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// The files to format.
struct Chosen {
    /// The folder that their names are relative to.
    root: PathBuf,
    names: Vec<Arc<str>>,
    /// Problems with the globs and folders.
    diagnostics: Vec<Diagnostic>,
}

/// A lead file, read and formatted.
struct FormattedFile {
    name: Arc<str>,
    path: PathBuf,
    text: String,
    layout: Result<Layout, Vec<Diagnostic>>,
}

impl Fmt {
    pub(super) fn run(self, directory: &Path, ui: &Ui) -> Result<Exit, Error> {
        let Chosen {
            root,
            names,
            mut diagnostics,
        } = self.chosen(directory)?;
        // Each file has the names of its own workspace. Without one, or with errors in its file, ids stay as they are.
        let around = config::find(directory).ok();
        let owners: Vec<Option<PathBuf>> = names
            .iter()
            .map(|name| owner(&root, name).or_else(|| around.clone()))
            .collect();
        let agents: BTreeMap<&Path, BTreeMap<String, Agent>> = owners
            .iter()
            .flatten()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|root| (root.as_path(), lead_file::agents(root).unwrap_or_default()))
            .collect();
        let done: Vec<Result<FormattedFile, Box<Diagnostic>>> = names
            .into_par_iter()
            .zip(&owners)
            .map(|(name, owner)| {
                let agents = owner.as_deref().and_then(|root| agents.get(root));
                let names = agents.map(AgentNames::new).unwrap_or_default();
                lay_out(&root, name, &names)
            })
            .collect();
        let mut report = FmtReport {
            check: self.check,
            files: done.len(),
            ..FmtReport::default()
        };
        for file in done {
            match file {
                Err(error) => diagnostics.push(*error),
                Ok(FormattedFile {
                    layout: Err(errors),
                    ..
                }) => diagnostics.extend(errors),
                Ok(FormattedFile {
                    name,
                    path,
                    text,
                    layout: Ok(layout),
                }) => {
                    if layout.left_alone {
                        report.left_alone.push(name.to_string());
                        ui.note(&format!(
                            "{}: left unchanged: it uses YAML that cannot be formatted safely",
                            visible(&name)
                        ));
                    }
                    if layout.text == text {
                        continue;
                    }
                    if !self.check
                        && let Err(error) =
                            atomic_file::replace(&path, text.as_bytes(), layout.text.as_bytes())
                    {
                        let error = error.into();
                        ui.error(&error);
                        report.errors.push(ui.problem(&error));
                        continue;
                    }
                    report.changed.push(FmtFile {
                        file: name.to_string(),
                        diff: self.diff.then(|| diff(&name, &text, &layout.text)),
                    });
                }
            }
        }
        let errors = ui.diagnostics(&diagnostics);
        let changed = report.changed.len();
        let failed = !report.errors.is_empty() || (self.check && changed > 0);
        report.errors.extend(problems(&diagnostics));
        match self.format {
            OutputFormat::Json => ui.json(&report)?,
            OutputFormat::Text => {
                let files = report.changed.iter();
                ui.result(&files.map(render_change).collect::<String>())?;
            }
        }
        if self.check && changed > 0 {
            ui.note(&format!(
                "{changed} of {} would change; run `convertalk fmt`",
                count(report.files, "file")
            ));
        }
        match errors {
            0 if failed => Ok(Exit::Error),
            0 => Ok(Exit::Done),
            errors => Err(Error::Invalid { errors }),
        }
    }

    fn chosen(&self, directory: &Path) -> Result<Chosen, Error> {
        if self.files.is_empty() {
            let root = config::find(directory)?;
            let (names, diagnostics) = lead_file::lead_files(&root);
            return Ok(Chosen {
                root,
                names,
                diagnostics,
            });
        }
        if self
            .files
            .iter()
            .any(|file| file.file_name().is_some_and(|name| name == config::FILE))
        {
            return Err(Error::Usage(
                "fmt formats lead files; convertalk.yaml is not a lead file",
            ));
        }
        let here = self.files.iter().all(|file| file.exists());
        let root = if here {
            PathBuf::new()
        } else {
            directory.to_owned()
        };
        let names = self
            .files
            .iter()
            .map(|file| Arc::from(file.to_string_lossy().as_ref()))
            .collect();
        Ok(Chosen {
            root,
            names,
            diagnostics: Vec::new(),
        })
    }
}

/// The workspace that a file is in.
fn owner(root: &Path, name: &str) -> Option<PathBuf> {
    let file = std::path::absolute(root.join(name)).ok()?;
    config::find(file.parent()?).ok()
}

fn diff(name: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff()
        .context_radius(2)
        .header(name, name)
        .to_string()
}

fn render_change(file: &FmtFile) -> String {
    match &file.diff {
        None => format!("{}\n", visible(&file.file)),
        Some(diff) => diff
            .lines()
            .map(|line| format!("{}\n", visible(line)))
            .collect(),
    }
}

fn lay_out(
    root: &Path,
    name: Arc<str>,
    agents: &AgentNames<'_>,
) -> Result<FormattedFile, Box<Diagnostic>> {
    let text = lead_file::read_text(root, &name)?;
    let named = with_agent_names(&name, &text, agents);
    let layout = layout(&name, &named, &lead_file::emit::layout_rules());
    Ok(FormattedFile {
        path: root.join(&*name),
        name,
        text,
        layout,
    })
}
