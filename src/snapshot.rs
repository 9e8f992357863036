//! Snapshots: the live listing in a file, for plans that are made without credentials.
//!
//! Owns the file (JSON Lines: what it is, one line for each lead, an end), what of strangers' data it may hold, and the reader that
//! gives it back page by page, as the API would. A pull request from a fork has no secrets, and its checks are public: unless the
//! snapshot was made with `--names full`, it holds status, tags and agent of each lead, the attributes whose keys the files declare,
//! and of contact values and notes only what the files say anyway. All other contact values are masked, all other notes left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::desired::{Desired, DesiredLead};
use crate::lead::{AgentId, ContactField, Field, Lead, LeadId, Note, Status, Wanted};
use crate::observe::{
    ChatType, Echo, Key, Live, Observed, Page, Projection, Reader, Sighting, Unreadable,
};
use crate::plan::{Plan, Refusal, Target};
use crate::redaction::Redaction;
use crate::text::count;

/// The version of the file that this program writes and reads.
const FORMAT_VERSION: u32 = 1;

/// What a snapshot is: its first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Head {
    format_version: u32,
    tool_version: String,
    /// When the listing had been read (RFC 3339, UTC).
    pub created_at: String,
    /// The inbox.
    pub target: Target,
    /// How much of contact values and notes is told.
    names: Redaction,
    /// The keys of attributes that are told, where not all are.
    attributes: Option<BTreeSet<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Snapshot(Head),
    Lead(Box<Shown>),
    /// A lead whose record could not be understood. It is not counted as a lead of the file.
    Unreadable {
        uuid: LeadId,
        reason: String,
    },
    /// The last line: with it the file is whole.
    End {
        leads: u64,
    },
}

/// A lead as the listing shows it.
#[derive(Serialize, Deserialize)]
struct Shown {
    uuid: LeadId,
    list: ChatType,
    updated: i64,
    status: Option<String>,
    agent: Option<AgentId>,
    tags: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    contact: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
}

/// Writes a listing, as much of it as may be told; returns the number of leads.
///
/// # Errors
/// `out` cannot be written.
pub fn write(
    out: &mut dyn Write,
    live: &Live,
    desired: &Desired,
    target: Target,
    names: Redaction,
    created_at: String,
) -> io::Result<u64> {
    let keys = desired
        .values()
        .flat_map(|lead| &lead.demands)
        .filter_map(|demand| match &demand.wanted {
            Wanted::Attribute(key, _) => Some(key.clone()),
            _ => None,
        });
    let attributes = (names != Redaction::Full).then(|| keys.collect());
    let tool_version = env!("CARGO_PKG_VERSION").to_owned();
    let head = Head {
        format_version: FORMAT_VERSION,
        tool_version,
        created_at,
        target,
        names,
        attributes,
    };
    line(out, &Line::Snapshot(head.clone()))?;
    let mut leads = 0;
    for (id, seen) in &live.leads {
        line(
            out,
            &Line::Lead(Box::new(shown(id, seen, desired.get(id), &head))),
        )?;
        leads += 1;
    }
    for (uuid, reason) in &live.unreadable {
        let (uuid, reason) = (uuid.clone(), reason.clone());
        line(out, &Line::Unreadable { uuid, reason })?;
    }
    line(out, &Line::End { leads })?;
    Ok(leads)
}

fn line(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn shown(id: &LeadId, seen: &Observed, declared: Option<&DesiredLead>, head: &Head) -> Shown {
    let Lead {
        status,
        agent,
        tags,
        attributes,
        contact,
        notes,
    } = &seen.lead;
    let wanted = || {
        declared
            .into_iter()
            .flat_map(|lead| &lead.demands)
            .map(|demand| &demand.wanted)
    };
    let says = |field: ContactField, text: &str| {
        wanted().any(|wanted| matches!(wanted, Wanted::Contact(other, said) if *other == field && said == text))
    };
    let has = |note: &Note| {
        wanted().any(|wanted| matches!(wanted, Wanted::Notes(notes) if notes.contains(note)))
    };
    let told = |key: &String| {
        head.attributes
            .as_ref()
            .is_none_or(|keys| keys.contains(key))
    };
    let value = |(field, text): (&ContactField, &String)| {
        let text = if says(*field, text) {
            text.clone()
        } else {
            head.names.contact(*field, text)
        };
        (field.as_str().to_owned(), text)
    };
    Shown {
        uuid: id.clone(),
        list: seen.seen.map_or(ChatType::Lead, |seen| seen.list),
        updated: seen.updated,
        status: status.as_ref().map(ToString::to_string),
        agent: agent.clone(),
        tags: tags.clone(),
        attributes: attributes
            .iter()
            .filter(|(key, _)| told(key))
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect(),
        contact: contact.iter().map(value).collect(),
        notes: notes
            .iter()
            .filter(|note| head.names == Redaction::Full || has(note))
            .cloned()
            .collect(),
    }
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is something else, or damaged.
    #[error("{}: line {number} is not a line of a snapshot", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        number: u64,
        /// What is wrong.
        source: Option<serde_json::Error>,
    },
    /// Written by a later program.
    #[error("{}: the snapshot has format version {found}; this program reads version {FORMAT_VERSION}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
    },
    /// The end is missing.
    #[error("{}: the snapshot is cut off: its last line is missing, or counts other leads", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },
    /// For another inbox.
    #[error("{}: the snapshot is of another endpoint, bot or customer", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl SnapshotError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Line { .. } | Self::CutOff { .. } => {
                "make one with `convertalk snapshot --out FILE`"
            }
            Self::Newer { .. } => "use the version of convertalk that made it, or make it anew",
            Self::Foreign { .. } => {
                "make it in the workspace, and with the environment, that it is for"
            }
        }
    }
}

/// A snapshot that is read as the API would be.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    head: Head,
}

impl Snapshot {
    /// Opens a snapshot of this inbox.
    ///
    /// # Errors
    /// Not a snapshot, or of another inbox.
    pub fn open(path: &Path, target: &Target) -> Result<Self, SnapshotError> {
        let path = path.to_owned();
        let first = lines(&path)?.next().transpose()?;
        match first {
            Some((_, Line::Snapshot(head))) if head.format_version != FORMAT_VERSION => {
                Err(SnapshotError::Newer {
                    found: head.format_version,
                    path,
                })
            }
            Some((_, Line::Snapshot(head))) if head.target != *target => {
                Err(SnapshotError::Foreign { path })
            }
            Some((_, Line::Snapshot(head))) => Ok(Self { path, head }),
            _ => Err(SnapshotError::Line {
                path,
                number: 1,
                source: None,
            }),
        }
    }

    /// What it is.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Adds to a plan what the snapshot cannot know: differences that may be none.
    pub fn warn(&self, plan: &mut Plan) {
        let unsure = |field: &Field| match field {
            Field::Contact(_) | Field::Notes => self.head.names != Redaction::Full,
            Field::Attribute(key) => self
                .head
                .attributes
                .as_ref()
                .is_some_and(|keys| !keys.contains(key)),
            Field::Status | Field::Agent | Field::Tags => false,
        };
        let doubtful =
            |change: &&crate::plan::Change| change.fields.iter().any(|field| unsure(&field.field));
        let leads: Vec<LeadId> = plan
            .changes
            .iter()
            .filter(doubtful)
            .map(|change| change.uuid.clone())
            .collect();
        if !leads.is_empty() {
            plan.warnings.push(Refusal {
                rule: "snapshot".to_owned(),
                message: format!(
                    "{}: contact values, notes or new attributes may be as wanted already",
                    count(leads.len(), "lead")
                ),
                source: None,
                lift: "the snapshot holds of these only what the files said when it was made; plan without --live to know"
                    .to_owned(),
                leads,
            });
        }
    }

    fn page_of(&self, list: ChatType, projection: &Projection) -> Result<Page, SnapshotError> {
        let mut page = Page::default();
        let (mut leads, mut end) = (0, None);
        for line in lines(&self.path)?.skip(1) {
            match line? {
                (_, Line::Lead(shown)) => {
                    leads += 1;
                    if shown.list == list {
                        add(&mut page, *shown, projection);
                    }
                }
                // Its list is not known. Both are always read, so either will do.
                (_, Line::Unreadable { uuid, reason }) => {
                    let is_kept = projection.mask(Key::of(uuid.as_str())).is_some();
                    if list == ChatType::Lead && is_kept {
                        page.unreadable.push(Unreadable { id: uuid, reason });
                    }
                }
                (_, Line::End { leads }) => end = Some(leads),
                (number, Line::Snapshot(_)) => {
                    return Err(SnapshotError::Line {
                        path: self.path.clone(),
                        number,
                        source: None,
                    });
                }
            }
        }
        if end != Some(leads) {
            return Err(SnapshotError::CutOff {
                path: self.path.clone(),
            });
        }
        page.is_end = page.records() == 0;
        page.signature = 1;
        Ok(page)
    }
}

impl Reader for Snapshot {
    type Error = SnapshotError;

    async fn page(
        &self,
        list: ChatType,
        number: u32,
        projection: &Projection,
    ) -> Result<Page, SnapshotError> {
        if number == 1 {
            self.page_of(list, projection)
        } else {
            Ok(Page {
                is_end: true,
                ..Page::default()
            })
        }
    }

    fn writes(&self) -> bool {
        false
    }

    fn width(&self) -> usize {
        1
    }

    fn page_cap(&self) -> u32 {
        1
    }
}

fn add(page: &mut Page, shown: Shown, projection: &Projection) {
    let Shown {
        uuid,
        updated,
        status,
        agent,
        tags,
        attributes,
        contact,
        notes,
        ..
    } = shown;
    let key = Key::of(uuid.as_str());
    let contact =
        contact
            .into_iter()
            .filter_map(|(key, text)| match format!("contact.{key}").parse() {
                Ok(Field::Contact(field)) => Some((field, text)),
                _ => None,
            });
    page.sightings.push(Sighting {
        key,
        updated,
        agent: agent.clone(),
    });
    if projection.mask(key).is_none() {
        return;
    }
    let lead = Lead {
        status: status.as_deref().map(Status::read),
        agent,
        tags,
        attributes,
        contact: contact.collect(),
        notes,
    };
    let observed = Observed {
        lead,
        unmanaged: BTreeMap::new(),
        echo: Echo::default(),
        tag_shape: None,
        updated,
        seen: None,
    };
    page.leads.push((uuid, Box::new(observed)));
}

/// The lines of a snapshot with their numbers.
fn lines(
    path: &Path,
) -> Result<impl Iterator<Item = Result<(u64, Line), SnapshotError>> + use<'_>, SnapshotError> {
    let failed = |source| SnapshotError::Io {
        path: path.to_owned(),
        source,
    };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    Ok(file.lines().zip(1..).map(move |(text, number)| {
        let text = text.map_err(failed)?;
        let line = serde_json::from_str(&text);
        line.map(|line| (number, line))
            .map_err(|source| SnapshotError::Line {
                path: path.to_owned(),
                number,
                source: Some(source),
            })
    }))
}
