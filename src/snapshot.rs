//! Snapshots: the live listing in a file, for plans without credentials.
//!
//! Owns the file format (JSON Lines: a header, one line for each lead, an end), the redaction of personal data in it, and a reader that
//! returns it like a listing of the API. A pull request from a fork has no secrets, and its checks are public. So, unless the
//! snapshot was made with `--names full`, it contains status, tags and agent of each lead, the attributes whose keys the files declare,
//! and only those contact values and notes that the files declare. Other contact values are masked, other notes left out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::instance::SchemaFault;
use crate::lead::{Field, LeadId, Privacy};
use crate::observe::{ChatType, Key, Observed, Page, Projection, Reader, Sighting, Unreadable};
use crate::plan::{Plan, Refusal, Target};
use crate::policy::Guard;
use crate::redaction::Redaction;
use crate::text::count;

mod error;
mod lead_line;
mod shape;
mod write;

pub use error::SnapshotError;
pub use write::write;

use lead_line::LeadLine;
use shape::{BadLine, ReadLine, read_line};

/// The format version that this program writes and reads.
const FORMAT_VERSION: u32 = 1;

/// The header: the first line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotHeader {
    /// The version of this format: 1.
    format_version: u32,
    /// The version of the program.
    tool_version: String,
    /// When the first page was requested (RFC 3339, UTC).
    pub created_at: String,
    /// The inbox.
    pub target: Target,
    /// How much of contact values and notes is included.
    names: Redaction,
    /// The keys of the included attributes, unless all are.
    attributes: Option<BTreeSet<String>>,
}

impl SnapshotHeader {
    fn holds_key(&self, key: &str) -> bool {
        self.attributes
            .as_ref()
            .is_none_or(|keys| keys.contains(key))
    }
}

/// A line of a snapshot.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SnapshotLine {
    /// The first line.
    Snapshot(SnapshotHeader),
    /// A lead.
    Lead(Box<ShownLead>),
    /// A lead whose record could not be understood. Not counted as a lead of the file.
    Unreadable {
        /// The lead.
        #[schemars(with = "String")]
        uuid: LeadId,
        /// Why.
        reason: String,
    },
    /// The last line, which shows that the file is complete.
    End {
        /// The number of leads.
        leads: u64,
    },
}

/// A lead as listed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShownLead {
    /// The lead.
    #[schemars(with = "String")]
    uuid: LeadId,
    /// The list that it is in.
    list: ChatType,
    /// When it was last updated, in milliseconds since 1970.
    updated: i64,
    /// Fields listed in a form that was not understood, by name; left out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
    /// As in a lead file: values, or mappings of the members of a group.
    #[serde(flatten)]
    #[schemars(schema_with = "shape::values_schema")]
    values: Map<String, Json>,
}
/// A snapshot that is read like the API.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    head: SnapshotHeader,
}

impl Snapshot {
    /// Opens a snapshot of this inbox.
    ///
    /// # Errors
    /// The file is not a snapshot, or is for another inbox.
    pub fn open(path: &Path, target: &Target) -> Result<Self, SnapshotError> {
        let snapshot = Self::open_any(path)?;
        if snapshot.head.target == *target {
            Ok(snapshot)
        } else {
            Err(SnapshotError::Foreign {
                path: snapshot.path,
            })
        }
    }

    /// Opens a snapshot, of whatever inbox.
    ///
    /// # Errors
    /// Not a snapshot.
    pub fn open_any(path: &Path) -> Result<Self, SnapshotError> {
        let path = path.to_owned();
        let first = lines(&path)?.next().transpose()?;
        match first {
            Some((_, ReadLine::Other(SnapshotLine::Snapshot(head)))) => Ok(Self { path, head }),
            Some(_) | None => Err(not_a_snapshot(
                &path,
                SchemaFault::whole("the first line is not the head of a snapshot"),
            )),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The header.
    pub fn head(&self) -> &SnapshotHeader {
        &self.head
    }

    /// How old it is; `None` where that is not known, because it has no time or one that is still to come.
    pub fn age(&self, now: jiff::Timestamp) -> Option<std::time::Duration> {
        let made: jiff::Timestamp = self.head.created_at.parse().ok()?;
        if now.duration_until(made) > crate::plan::file::CLOCKS {
            return None;
        }
        Some(std::time::Duration::try_from(now.duration_since(made)).unwrap_or_default())
    }

    /// Adds a warning to a plan about differences that the snapshot cannot confirm.
    pub fn warn(&self, plan: &mut Plan) {
        let unsure = |field: &Field| match (field.spec().privacy, field.key()) {
            (Privacy::Public, _) => false,
            (_, Some(key)) => !self.head.holds_key(key),
            (_, None) => self.head.names != Redaction::Full,
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
                rule: Guard::Snapshot,
                message: format!(
                    "{}: contact values, notes or new attributes may already be as declared",
                    count(leads.len(), "lead")
                ),
                source: None,
                lift: "the snapshot contains only those that the files declared when it was made; plan without --live to be sure"
                    .to_owned(),
                leads,
            });
        }
    }

    /// All leads, of both lists.
    fn leads(&self, projection: &Projection) -> Result<Page, SnapshotError> {
        let mut page = Page::default();
        let (mut leads, mut end) = (0, None);
        for line in lines(&self.path)?.skip(1) {
            let (number, line) = line?;
            match line {
                ReadLine::Lead(lead) => {
                    leads += 1;
                    add(&mut page, lead, projection);
                }
                ReadLine::Other(SnapshotLine::Unreadable { uuid, reason }) => {
                    if projection.mask(Key::for_lead(&uuid)).is_some() {
                        page.unreadable.push(Unreadable { id: uuid, reason });
                    }
                }
                ReadLine::Other(SnapshotLine::End { leads }) => end = Some(leads),
                ReadLine::Other(SnapshotLine::Snapshot(_) | SnapshotLine::Lead(_)) => {
                    return Err(not_a_snapshot(
                        &self.path,
                        SchemaFault::whole("a second head").on_line(number),
                    ));
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
        // The file is read once: its leads are on the first page of one list.
        match (list, number) {
            (ChatType::Lead, 1) => self.leads(projection),
            (ChatType::Lead | ChatType::NonLead, _) => Ok(Page {
                is_end: true,
                ..Page::default()
            }),
        }
    }

    fn writes(&self) -> bool {
        false
    }

    fn width(&self) -> usize {
        1
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn page_cap(&self) -> u32 {
        1
    }
}

/// Adds a lead to a page.
fn add(page: &mut Page, line: LeadLine, projection: &Projection) {
    let LeadLine {
        uuid,
        updated,
        unreadable,
        lead,
    } = line;
    let key = Key::for_lead(&uuid);
    page.sightings.push(Sighting {
        key,
        updated,
        agent: lead.agent().cloned(),
    });
    if projection.mask(key).is_some() {
        let observed = Observed {
            lead,
            unreadable,
            updated,
            ..Observed::default()
        };
        page.leads.push((uuid, observed));
    } else if projection.resembles(uuid.as_str()) {
        page.lookalikes.push(uuid);
    }
}

/// A line and its number.
type NumberedLine = (u64, ReadLine);

/// The lines of a snapshot.
fn lines(
    path: &Path,
) -> Result<impl Iterator<Item = Result<NumberedLine, SnapshotError>> + use<'_>, SnapshotError> {
    let failed = |source| SnapshotError::Io {
        path: path.to_owned(),
        source,
    };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    Ok(file.lines().zip(1..).map(move |(text, number)| {
        let text = text.map_err(failed)?;
        match read_line(&text) {
            Ok(line) => Ok((number, line)),
            Err(BadLine::Fault(fault)) => Err(not_a_snapshot(path, fault.on_line(number))),
            Err(BadLine::Version(version)) => Err(SnapshotError::Version {
                path: path.to_owned(),
                version,
            }),
        }
    }))
}

fn not_a_snapshot(path: &Path, fault: SchemaFault) -> SnapshotError {
    SnapshotError::NotASnapshot {
        path: path.to_owned(),
        fault,
    }
}
