//! The run file: what a run did, in JSON Lines.
//!
//! Each line is written to the file before and after the write that it describes, so that after a kill at any time the file shows
//! which writes were started. The file is opened for appending: running the same apply again continues it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Outcome;
use crate::diff::FieldChange;
use crate::instance::{OtherVersion, SchemaFault, Shape, check_version, not_json, take};
use crate::lead::{self, Field, LeadId};
use crate::plan::{Action, Base, Fields, Head, Target};
use crate::redaction::Redaction;

/// The format version that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Only its owner may read it: it holds people's data.
const PRIVATE: u32 = 0o600;

/// The largest run file that is read, in bytes.
pub const LARGEST: u64 = 1 << 30;

/// Why a run file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// The file is not a run file.
    #[error("not a run file: {0}")]
    NotARun(SchemaFault),
    /// The file contains no run.
    #[error("not a run file: it contains no run")]
    NoRun,
    /// Written by another version of this program.
    #[error("the run has {0}")]
    Version(OtherVersion),
}

static LINE: LazyLock<Shape> = LazyLock::new(Shape::derived::<Line>);

/// Reads a run file: the numbered lines of all its runs. A line that was cut off by a kill is left out.
///
/// # Errors
/// The file is not a run file, or has a newer format.
pub fn read(text: &str) -> Result<Vec<(u32, Line)>, RunFileError> {
    let mut run = Vec::new();
    for (at, text) in text
        .lines()
        .enumerate()
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let on_line = |fault: SchemaFault| RunFileError::NotARun(fault.on_line(number.into()));
        let line: Value = match serde_json::from_str(text) {
            Ok(line) => line,
            // Cut off by a kill: the last line of the file, or of a run that is followed by another.
            Err(error) if error.is_eof() && !run.is_empty() => continue,
            Err(error) => return Err(on_line(not_json(&error))),
        };
        check_version(&line, FORMAT_VERSION).map_err(RunFileError::Version)?;
        let line: Line = take(line, text, &LINE).map_err(on_line)?;
        run.push((number, line));
    }
    if matches!(run.first(), Some((_, Line::Run { .. }))) {
        Ok(run)
    } else {
        Err(RunFileError::NoRun)
    }
}

/// Redacts names and contact values in the lines: the values, and texts that repeat them.
pub fn redact_lines(mut run: Vec<(u32, Line)>, names: Redaction) -> Vec<(u32, Line)> {
    let mut sent: BTreeMap<LeadId, Vec<(Field, lead::Value)>> = BTreeMap::new();
    for (_, line) in &mut run {
        match line {
            Line::Write { uuid, fields, .. } => {
                let sides = |field: &FieldChange| {
                    [&field.before, &field.after].map(|side| (field.field.clone(), side.clone()))
                };
                sent.insert(uuid.clone(), fields.iter().flat_map(sides).collect());
                for FieldChange {
                    field,
                    before,
                    after,
                    ..
                } in &mut fields.0
                {
                    (*before, *after) = (names.value(field, before), names.value(field, after));
                }
            }
            Line::Answer {
                uuid,
                error: Some(words),
                ..
            }
            | Line::Outcome {
                uuid,
                detail: Some(words),
                ..
            } => {
                *words = names.message(
                    words,
                    sent.get(uuid).map(Vec::as_slice).unwrap_or_default(),
                    None,
                );
            }
            Line::Run { .. }
            | Line::Answer { .. }
            | Line::Outcome { .. }
            | Line::Summary { .. } => {}
        }
    }
    run
}

/// One line of a run file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// The first line of a run.
    Run {
        /// The version of this format: 1.
        format_version: u32,
        /// The version of the program.
        tool_version: String,
        /// The id of the run.
        run_id: String,
        /// The plan that is applied.
        plan_id: String,
        /// RFC 3339, UTC.
        started_at: String,
        /// The inbox.
        target: Target,
        /// How much of contact values the lines contain; masked values cannot be undone.
        #[serde(default)]
        names: Redaction,
        /// The number of leads that the plan changes.
        leads: usize,
        /// The commit that the files are of; null outside of a repository.
        #[serde(default)]
        head: Option<Head>,
        /// The commit that differences were explained with.
        #[serde(default)]
        base: Option<Base>,
    },
    /// A write is about to be sent.
    Write {
        /// The lead.
        #[schemars(with = "String")]
        uuid: LeadId,
        /// RFC 3339, UTC.
        at: String,
        /// Update or create.
        action: Action,
        /// Whether the lead was written in this run, and the platform changed these fields with that write. Left out if not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
        /// What is written, and the values before.
        fields: Fields,
    },
    /// The write was answered, or will not be.
    Answer {
        /// The lead.
        #[schemars(with = "String")]
        uuid: LeadId,
        /// RFC 3339, UTC.
        at: String,
        /// Null if the platform accepted it; else why it may not have.
        error: Option<String>,
    },
    /// The outcome of a lead: one line for each lead of the plan.
    Outcome {
        /// The lead.
        #[schemars(with = "String")]
        uuid: LeadId,
        /// The outcome.
        outcome: Outcome,
        /// Details, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// The last line of a run.
    Summary {
        /// RFC 3339, UTC.
        finished_at: String,
        /// The exit code.
        exit: u8,
        /// The number of leads by outcome; without zeros.
        outcomes: BTreeMap<String, usize>,
        /// Why the run stopped early, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped: Option<String>,
        /// The age of the oldest reading that a write was based on, in milliseconds; left out if nothing was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oldest_reading_ms: Option<u64>,
    },
}

/// Checks that a path may be used for a run file: it does not exist, is empty, or starts with a run.
///
/// # Errors
/// The file is of another kind, or cannot be read.
pub fn check_is_run_file(path: &Path) -> Result<(), RunFileError> {
    if !path.is_file() {
        return Ok(());
    }
    let read = || {
        let file = BufReader::new(File::open(path)?);
        let mut first = String::new();
        file.take(LONGEST_HEAD).read_line(&mut first).map(|_| first)
    };
    // A file that cannot be read cannot be opened for writing either, which reports the error.
    match read() {
        Ok(first) if first.trim().is_empty() => Ok(()),
        Ok(first) => match serde_json::from_str(&first) {
            Ok(Line::Run { .. }) => Ok(()),
            Ok(_) | Err(_) => Err(RunFileError::NoRun),
        },
        Err(_) => Err(RunFileError::NoRun),
    }
}

/// The longest first line of a run file, in bytes.
const LONGEST_HEAD: u64 = 1 << 16;

/// A run file open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<Tail>,
}

/// The end of the file, and whether the last line was cut off.
#[derive(Debug)]
struct Tail {
    file: File,
    torn: bool,
}

impl Journal {
    /// Opens the file, creates it if it does not exist, and checks that it can be written.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(PRIVATE)
            .open(path)?;
        let mut last = *b"\n";
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(Tail {
                file,
                torn: last != *b"\n",
            }),
        })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a line in one piece.
    ///
    /// # Errors
    /// The line cannot be written, for example because the disk is full. Then nothing may be written to the platform.
    pub fn line(&self, line: &Line) -> io::Result<()> {
        let mut tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = if tail.torn { vec![b'\n'] } else { Vec::new() };
        bytes.extend(crate::json::line(line)?.into_bytes());
        bytes.push(b'\n');
        tail.torn = true;
        tail.file.write_all(&bytes)?;
        tail.torn = false;
        Ok(())
    }

    /// Waits until the file is on disk.
    ///
    /// # Errors
    /// The file cannot be synced.
    pub fn sync(&self) -> io::Result<()> {
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .file
            .sync_all()
    }
}

/// The current time (RFC 3339, UTC, milliseconds).
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
