//! The applied record: for each lead, the commit that it was last settled at.
//!
//! One commit cannot be the base of every lead: a run that writes two leads and fails at the third leaves them at different commits. Git
//! has every version of the files; this record says which version counts for which lead. `commit` is the commit last applied. `behind`
//! names the leads whose declaration differs between that commit and the one that they were last settled at.
//!
//! A lead is settled when nothing of its declaration is left to be done: it is in sync, it was written, its drift is kept, or a conflict
//! was decided. An example: A declares two leads as OPEN and both are so, B closes both, and one write fails. The record then says
//! `{commit: B, behind: {second: {commit: A, outcome: failed}}}`. At the next run the base of the first lead is B: what an agent did to
//! it since is drift. The base of the second is A: closing it is still intended.
//!
//! The record is written before the first write of a run, with every lead that is to be written as `untried`, and again at its end. The
//! run file holds what happened in between, so that [`AppliedRecord::after_kill`] restores the outcomes of a run that was killed. Pure but for
//! [`read`] and [`AppliedRecord::save`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::journal::Line;
use crate::atomic_file::{self, WriteError};
use crate::instance::{OtherVersion, SchemaFault, Shape, check_version, parse, take};
use crate::lead::{Desired, DesiredLead, LeadId};
use crate::plan::{Head, Target};

/// The version of the format that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

static RECORD: LazyLock<Shape> = LazyLock::new(Shape::derived::<AppliedRecord>);

/// Why an applied record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read.
    #[error("cannot read the applied record")]
    Io(#[source] std::io::Error),
    /// Not an applied record.
    #[error("this is not an applied record: {0}")]
    NotARecord(SchemaFault),
    /// Written by another version of this program.
    #[error("the record has {0}")]
    Version(OtherVersion),
    /// For another inbox.
    #[error("the record is for another endpoint, bot or customer")]
    Foreign,
    /// There is none.
    #[error("there is no applied record yet")]
    None,
}

impl RecordError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the file, or name another one: --applied FILE",
            Self::NotARecord(_) => {
                "take it from a copy, or move it away and start again with --begin"
            }
            Self::Version(_) => "use the version of convertalk that wrote it",
            Self::Foreign => {
                "use the workspace and the environment that it was written in, or name another file: --applied FILE"
            }
            Self::None => {
                "start it with `convertalk apply --base applied --begin files` (every difference is intended) or `--begin live` (today's differences are drift, nothing is written)"
            }
        }
    }
}

/// Which commit counts for which lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedRecord {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The inbox.
    pub target: Target,
    /// The commit last applied.
    pub commit: String,
    /// The run that wrote last; null where none has.
    #[serde(default)]
    pub run: Option<String>,
    /// The run's file, where it is not in `.convertalk/runs/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_file: Option<PathBuf>,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// The leads whose declaration differs between `commit` and the commit that they were last settled at, by uuid.
    #[schemars(with = "BTreeMap<String, Behind>")]
    pub behind: BTreeMap<LeadId, Behind>,
    /// Whether it holds what a killed run did, which its file does not say yet.
    #[serde(skip)]
    pub is_ahead_of_file: bool,
}

/// Where a lead was last settled, and why not since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Behind {
    /// The commit; null for never.
    pub commit: Option<String>,
    /// What came of the lead in the last run that was about it.
    pub outcome: BehindOutcome,
}

/// Why a lead is behind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf; the README has the words"
)]
pub enum BehindOutcome {
    Failed,
    Untried,
    Unverified,
    Stale,
    Conflict,
    Missing,
    NotSelected,
    Uncommitted,
}

impl BehindOutcome {
    /// The reason why a lead with this outcome is still behind; `None` if it is not.
    pub fn from_outcome(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Verified | Outcome::Written | Outcome::Already => None,
            Outcome::Stale => Some(Self::Stale),
            Outcome::Failed => Some(Self::Failed),
            Outcome::Untried => Some(Self::Untried),
            Outcome::Unverified => Some(Self::Unverified),
        }
    }

    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Untried => "untried",
            Self::Unverified => "unverified",
            Self::Stale => "stale",
            Self::Conflict => "conflict",
            Self::Missing => "missing",
            Self::NotSelected => "not-selected",
            Self::Uncommitted => "uncommitted",
        }
    }
}

/// What is known of a run when a record is made of it.
#[derive(Debug)]
pub struct RunState<'a> {
    /// The inbox.
    pub target: &'a Target,
    /// The commit that was applied.
    pub head: &'a Head,
    /// The run, and its file where it is in a place of its own; `None` where nothing was to be written.
    pub run: Option<(&'a str, Option<&'a Path>)>,
    /// Now (RFC 3339, UTC).
    pub now: String,
    /// What the files declare at that commit.
    pub declared: &'a Desired,
    /// What they declared at each lead's own commit; `None` where that was not read.
    pub own: Option<&'a Desired>,
    /// The leads that are not settled, and why.
    pub open: &'a BTreeMap<LeadId, BehindOutcome>,
    /// The leads that were written.
    pub written: &'a [LeadId],
}

/// The record after a run, or, with every lead to be written in `open`, before its first write. `None` where the files are not as
/// committed and there was no record: it would name a commit that nothing was applied of.
pub fn after(before: Option<&AppliedRecord>, state: &RunState<'_>) -> Option<AppliedRecord> {
    let (run, run_file) = match state.run {
        Some((run, file)) => (Some(run.to_owned()), file.map(Path::to_owned)),
        None => (
            before.and_then(|record| record.run.clone()),
            before.and_then(|record| record.run_file.clone()),
        ),
    };
    if state.head.dirty {
        let mut record = before?.clone();
        for id in state.written {
            record.behind.insert(
                id.clone(),
                Behind {
                    commit: None,
                    outcome: BehindOutcome::Uncommitted,
                },
            );
        }
        (record.run, record.run_file) = (run, run_file);
        record.updated_at.clone_from(&state.now);
        return Some(record);
    }
    let mut behind = BTreeMap::new();
    for (id, outcome) in state.open {
        let Some(now) = state.declared.get(id) else {
            continue;
        };
        let commit = before.and_then(|record| record.commit_of(id));
        let then = state.own.and_then(|own| own.get(id));
        let is_known_same =
            commit.is_some() && state.own.is_some() && same_declaration(then, Some(now));
        if !is_known_same {
            behind.insert(
                id.clone(),
                Behind {
                    commit: commit.map(str::to_owned),
                    outcome: *outcome,
                },
            );
        }
    }
    Some(AppliedRecord {
        format_version: FORMAT_VERSION,
        target: state.target.clone(),
        commit: state.head.commit.clone(),
        run,
        run_file,
        updated_at: state.now.clone(),
        behind,
        is_ahead_of_file: false,
    })
}

/// Whether two declarations ask for the same. Labels, places and holds ask for nothing.
fn same_declaration(one: Option<&DesiredLead>, other: Option<&DesiredLead>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            let mut pairs = one.fields.iter().zip(&other.fields);
            one.create == other.create
                && one.fields.len() == other.fields.len()
                && pairs.all(|(one, other)| one.field == other.field && one.value == other.value)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl AppliedRecord {
    /// The commit that a lead was last settled at; `None` for never.
    pub fn commit_of(&self, id: &LeadId) -> Option<&str> {
        match self.behind.get(id) {
            Some(behind) => behind.commit.as_deref(),
            None => Some(&self.commit),
        }
    }

    /// Every commit that it names.
    pub fn commits(&self) -> BTreeSet<&str> {
        let behind = self.behind.values();
        behind
            .filter_map(|behind| behind.commit.as_deref())
            .chain([self.commit.as_str()])
            .collect()
    }

    /// The base of each lead: what the files declared at its own commit, given what they declared at each of [`Self::commits`].
    pub fn base(&self, mut at: BTreeMap<String, Desired>) -> Desired {
        let mut own: Vec<(LeadId, DesiredLead)> = Vec::new();
        for (id, behind) in &self.behind {
            let then = behind.commit.as_ref().and_then(|commit| at.get(commit));
            if let Some((id, lead)) = then.and_then(|then| then.get_key_value(id)) {
                own.push((id.clone(), lead.clone()));
            }
        }
        let mut base = at.remove(&self.commit).unwrap_or_default();
        base.retain(|id, _| !self.behind.contains_key(id));
        base.extend(own);
        base
    }

    /// The record with what a run did that ended without a summary, given the lines of its file; the record itself where the run ended.
    pub fn after_kill(mut self, lines: &[(u32, Line)]) -> Self {
        let is_this = |line: &Line| matches!(line, Line::Run { run_id, .. } if Some(run_id) == self.run.as_ref());
        let Some(start) = lines.iter().rposition(|(_, line)| is_this(line)) else {
            return self;
        };
        let rest = &lines[start..];
        let end = rest
            .iter()
            .skip(1)
            .position(|(_, line)| matches!(line, Line::Run { .. }));
        let run = &rest[..end.map_or(rest.len(), |end| end + 1)];
        if run
            .iter()
            .any(|(_, line)| matches!(line, Line::Summary { .. }))
        {
            return self;
        }
        let is_dirty = run
            .iter()
            .any(|(_, line)| matches!(line, Line::Run { head: Some(head), .. } if head.dirty));
        // What it did is in this record now, and not to be taken into account again: later runs know better.
        (self.run, self.run_file) = (None, None);
        self.is_ahead_of_file = true;
        let mut ends: BTreeMap<&LeadId, Option<BehindOutcome>> = BTreeMap::new();
        let mut doubtful: BTreeSet<&LeadId> = BTreeSet::new();
        for (_, line) in run {
            if let Line::Write { uuid, .. }
            | Line::Answer {
                uuid,
                error: Some(_),
                ..
            } = line
            {
                doubtful.insert(uuid);
            } else if let Line::Answer { uuid, .. } = line {
                doubtful.remove(uuid);
            }
            match line {
                // What uncommitted files asked for may have been written.
                Line::Write { uuid, .. } if is_dirty => {
                    ends.insert(uuid, Some(BehindOutcome::Uncommitted));
                }
                // The platform took it, which is what `written` says.
                Line::Answer {
                    uuid, error: None, ..
                } if !is_dirty => {
                    ends.insert(uuid, None);
                }
                Line::Outcome {
                    uuid,
                    outcome: Outcome::Written,
                    ..
                } if !is_dirty && doubtful.contains(uuid) => {
                    ends.insert(uuid, Some(BehindOutcome::Failed));
                }
                Line::Outcome { uuid, outcome, .. } if !is_dirty => {
                    ends.insert(uuid, BehindOutcome::from_outcome(*outcome));
                }
                Line::Run { .. }
                | Line::Write { .. }
                | Line::Answer { .. }
                | Line::Outcome { .. }
                | Line::Summary { .. } => {}
            }
        }
        for (id, end) in ends {
            match end {
                None => drop(self.behind.remove(id)),
                Some(outcome @ BehindOutcome::Uncommitted) => {
                    let commit = None;
                    self.behind.insert(id.clone(), Behind { commit, outcome });
                }
                Some(outcome) => {
                    if let Some(behind) = self.behind.get_mut(id) {
                        behind.outcome = outcome;
                    }
                }
            }
        }
        self
    }

    /// Writes it, so that a reader sees this record or the one before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), WriteError> {
        atomic_file::write(path, |out| {
            serde_json::to_writer_pretty(&mut *out, self)?;
            out.write_all(b"\n")
        })
    }
}

/// Reads a record; `None` where there is none.
///
/// # Errors
/// It cannot be read, or is not one of this version.
pub fn read(path: &Path) -> Result<Option<AppliedRecord>, RecordError> {
    match std::fs::read(path) {
        Ok(bytes) => from_bytes(&bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordError::Io(error)),
    }
}

/// Reads the bytes of a record.
///
/// # Errors
/// It is not one of this version.
pub fn from_bytes(bytes: &[u8]) -> Result<AppliedRecord, RecordError> {
    let text = String::from_utf8_lossy(bytes);
    let document = parse(&text).map_err(RecordError::NotARecord)?;
    check_version(&document, FORMAT_VERSION).map_err(RecordError::Version)?;
    take(document, &text, &RECORD).map_err(RecordError::NotARecord)
}
