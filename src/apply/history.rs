//! The runs kept in a workspace: which there are, and which one is meant.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::journal::{self, Line};
use crate::lead::LeadId;
use crate::plan::Fields;
use crate::redaction::Redaction;
use crate::state::refuse_links;

/// The runs of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunList {
    /// The latest first.
    pub runs: Vec<RunSummary>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunSummary {
    /// Its name, of which the first characters are enough to name it.
    pub id: String,
    /// Its file, relative to the workspace's folder.
    pub file: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The commit of the files; null where there was none, or it was not noted.
    pub commit: Option<String>,
    /// The exit code; null where the run has not ended, or was killed.
    pub exit: Option<u8>,
    /// Leads by outcome.
    pub outcomes: BTreeMap<String, usize>,
}

/// The number of bytes at the end of a run file that contain its summary.
const TAIL: u64 = 1 << 16;

/// The runs in a folder, the latest first, and the files in it that are no run files.
///
/// # Errors
/// The folder cannot be read.
pub fn runs(root: &Path) -> std::io::Result<(Vec<RunSummary>, Vec<PathBuf>)> {
    let (mut runs, mut odd) = (Vec::new(), Vec::new());
    refuse_links(root, &folder(root))?;
    let entries = match std::fs::read_dir(folder(root)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((runs, odd)),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        if refuse_links(root, &path).is_err() {
            odd.push(path);
            continue;
        }
        match summary(&path, root) {
            Some(run) => runs.push(run),
            None => odd.push(path),
        }
    }
    runs.sort_by(|one, other| {
        let key = |run: &RunSummary| (run.started_at.clone(), run.id.clone());
        key(other).cmp(&key(one))
    });
    odd.sort();
    Ok((runs, odd))
}

/// The folder of a workspace's run files.
fn folder(root: &Path) -> PathBuf {
    root.join(".convertalk").join("runs")
}

/// A run by its first line and its last.
fn summary(path: &Path, root: &Path) -> Option<RunSummary> {
    #[derive(Deserialize)]
    struct RunHead {
        head: Option<RunCommit>,
    }
    #[derive(Deserialize)]
    struct RunCommit {
        commit: Option<String>,
    }
    let mut file = File::open(path).ok()?;
    let mut first = String::new();
    BufReader::new(&mut file).read_line(&mut first).ok()?;
    let Line::Run {
        run_id, started_at, ..
    } = serde_json::from_str(&first).ok()?
    else {
        return None;
    };
    let head: Option<RunHead> = serde_json::from_str(&first).ok();
    let (mut exit, mut outcomes) = (None, BTreeMap::new());
    if let Some(Line::Summary {
        exit: code,
        outcomes: counts,
        ..
    }) = last_line(&mut file)
    {
        (exit, outcomes) = (Some(code), counts);
    }
    let relative = path.strip_prefix(root).unwrap_or(path);
    Some(RunSummary {
        id: run_id,
        file: relative.display().to_string().replace('\\', "/"),
        started_at,
        commit: head.and_then(|head| head.head).and_then(|head| head.commit),
        exit,
        outcomes,
    })
}

fn last_line(file: &mut File) -> Option<Line> {
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    serde_json::from_str(text.trim_end().lines().last()?).ok()
}

/// A write of a lead, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadWrite {
    /// The run's name.
    pub run: String,
    /// When it was sent (RFC 3339, UTC).
    pub at: String,
    /// What was written.
    pub fields: Fields,
    /// `None` where the run ended before that was known.
    pub outcome: Option<Outcome>,
}

/// The writes of a lead in the runs that are kept, as much of them as `names` shows.
///
/// # Errors
/// The folder cannot be read.
pub fn writes(root: &Path, id: &LeadId, names: Redaction) -> std::io::Result<Vec<LeadWrite>> {
    let mut writes: Vec<LeadWrite> = Vec::new();
    for run in runs(root)?.0 {
        let text = std::fs::read_to_string(root.join(&run.file))?;
        // Most runs are about other leads.
        if !text.contains(id.as_str()) {
            continue;
        }
        let Ok(lines) = journal::read(&text) else {
            continue;
        };
        let first = writes.len();
        for (_, line) in journal::redact_lines(lines, names) {
            match line {
                Line::Write {
                    uuid, at, fields, ..
                } if uuid == *id => writes.push(LeadWrite {
                    run: run.id.clone(),
                    at,
                    fields,
                    outcome: None,
                }),
                Line::Outcome { uuid, outcome, .. } if uuid == *id => {
                    if let Some(write) = writes[first..].last_mut() {
                        write.outcome = Some(outcome);
                    }
                }
                Line::Run { .. }
                | Line::Write { .. }
                | Line::Answer { .. }
                | Line::Outcome { .. }
                | Line::Summary { .. } => {}
            }
        }
    }
    Ok(writes)
}

/// Why no run is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRunError {
    /// There is none at all.
    #[error("no run is kept in .convertalk/runs/")]
    Empty,
    /// Neither a file nor a run.
    #[error("`{0}` is neither a file nor a run in .convertalk/runs/")]
    Unknown(String),
    /// Several begin with it.
    #[error("`{given}` could be any of {runs} runs")]
    Ambiguous {
        /// As it was given.
        given: String,
        /// How many.
        runs: usize,
    },
}

/// The file of a run that is given as a file, as an id or the start of one, or as `last`.
///
/// # Errors
/// There is no such run, or several.
pub fn find(root: Option<&Path>, given: &str) -> Result<PathBuf, NoRunError> {
    let kept = || {
        let runs = root.map(runs).and_then(Result::ok);
        runs.map(|(runs, _)| runs).unwrap_or_default()
    };
    let whole = |run: &RunSummary| root.map_or_else(PathBuf::new, |root| root.join(&run.file));
    if given == "last" {
        return kept().first().map(whole).ok_or(NoRunError::Empty);
    }
    let path = PathBuf::from(given);
    if path.exists() {
        return Ok(path);
    }
    let runs = kept();
    if let Some(run) = runs.iter().find(|run| run.id == given) {
        return Ok(whole(run));
    }
    let fitting: Vec<&RunSummary> = runs
        .iter()
        .filter(|run| run.id.starts_with(given))
        .collect();
    match fitting.as_slice() {
        [run] if !given.is_empty() => Ok(whole(run)),
        [] => Err(NoRunError::Unknown(given.to_owned())),
        several => Err(NoRunError::Ambiguous {
            given: given.to_owned(),
            runs: several.len(),
        }),
    }
}
