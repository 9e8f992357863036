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
use serde_json::{Map, Value as Json, json};

use crate::lead::{
    Desired, DesiredLead, DesiredValue, Field, FieldId, Lead, LeadId, Privacy, Value,
};
use crate::observe::{
    ChatType, Echo, Key, Live, Observed, Page, Projection, Reader, Sighting, Unreadable,
};
use crate::plan::{Plan, Refusal, Target};
use crate::policy::Guard;
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

impl Head {
    fn holds_key(&self, key: &str) -> bool {
        self.attributes
            .as_ref()
            .is_none_or(|keys| keys.contains(key))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line {
    Snapshot(Head),
    Lead(Box<ShownLead>),
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
struct ShownLead {
    uuid: LeadId,
    list: ChatType,
    updated: i64,
    /// As in a lead file: values, or mappings of the members of a group.
    #[serde(flatten)]
    values: Map<String, Json>,
}

/// Writes a listing, as much of it as may be shown, with the fields that rules look at; returns the number of leads.
///
/// # Errors
/// `out` cannot be written.
pub fn write(
    out: &mut dyn Write,
    live: &Live,
    desired: &Desired,
    ruled: &[Field],
    target: Target,
    names: Redaction,
    created_at: String,
) -> io::Result<u64> {
    let declared = desired.values().flat_map(|lead| &lead.fields);
    let fields = declared.map(|desired| &desired.field).chain(ruled);
    let keys = fields.filter_map(|field| field.key().map(str::to_owned));
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

fn shown(id: &LeadId, seen: &Observed, declared: Option<&DesiredLead>, head: &Head) -> ShownLead {
    let mut values = Map::new();
    for id in FieldId::all().filter(|id| id.spec().privacy == Privacy::Public) {
        // What is public is there in any case, so that each line says what the lead has.
        values.insert(
            id.spec().name.to_owned(),
            json!(Value::empty(id.spec().kind)),
        );
    }
    for (field, value) in seen.lead.values() {
        let desired = declared.and_then(|lead| lead.get(field));
        if let Some(value) = shown_value(field, value, desired.map(|desired| &desired.value), head)
        {
            insert(&mut values, field, json!(value));
        }
    }
    ShownLead {
        uuid: id.clone(),
        list: seen.seen.map_or(ChatType::Lead, |seen| seen.list),
        updated: seen.updated,
        values,
    }
}

/// As much of a value as the snapshot may hold.
fn shown_value(
    field: &Field,
    value: &Value,
    desired: Option<&DesiredValue>,
    head: &Head,
) -> Option<Value> {
    if head.names == Redaction::Full {
        return Some(value.clone());
    }
    match field.spec().privacy {
        Privacy::Public => Some(value.clone()),
        Privacy::Declared => {
            let is_declared = field.key().is_none_or(|key| head.holds_key(key));
            let declared: Vec<&DesiredValue> = desired.into_iter().collect();
            let part = is_declared.then(|| value.declared_part(&declared));
            part.filter(|part| !part.is_empty())
        }
        Privacy::Name | Privacy::Email | Privacy::Personal => {
            let is_declared =
                desired.is_some_and(|desired| desired.is_met(value, field.spec().compare));
            Some(if is_declared {
                value.clone()
            } else {
                head.names.value(field, value)
            })
        }
    }
}

fn insert(values: &mut Map<String, Json>, field: &Field, value: Json) {
    let (group, member) = field.path();
    match member {
        None => drop(values.insert(group.to_owned(), value)),
        Some(member) => {
            let place = values.entry(group).or_insert_with(|| json!({}));
            place[member] = value;
        }
    }
}

/// The lead that a line shows; `None` where a value is of another type than its field.
fn lead(mut values: Map<String, Json>) -> Option<Lead> {
    let mut lead = Lead::default();
    for id in FieldId::all() {
        let kind = id.spec().kind;
        let Some(shown) = values.get_mut(id.group()) else {
            continue;
        };
        if let (Some(field), member) = (Field::single(id), id.member()) {
            let value = match member {
                None => shown.take(),
                Some(member) => shown.get_mut(member).map(Json::take).unwrap_or_default(),
            };
            let value = if value.is_null() {
                Some(Value::empty(kind))
            } else {
                Value::from_json(kind, value)
            };
            lead.set(field, value?);
        } else {
            for (key, value) in shown.as_object_mut()? {
                lead.set(
                    Field::keyed(id, key.as_str()),
                    Value::from_json(kind, value.take())?,
                );
            }
        }
    }
    Some(lead)
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

    /// Opens a snapshot, of whatever inbox.
    ///
    /// # Errors
    /// Not a snapshot.
    pub fn open_any(path: &Path) -> Result<Self, SnapshotError> {
        let first = lines(path)?.next().transpose()?;
        match first {
            Some((_, Line::Snapshot(head))) => {
                let target = head.target;
                Self::open(path, &target)
            }
            _ => Err(SnapshotError::Line {
                path: path.to_owned(),
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
                (number, Line::Lead(shown)) => {
                    leads += 1;
                    if shown.list == list {
                        let is_whole = add(&mut page, *shown, projection).is_some();
                        is_whole.then_some(()).ok_or_else(|| SnapshotError::Line {
                            path: self.path.clone(),
                            number,
                            source: None,
                        })?;
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

/// Adds a lead to a page; `None` where one of its values is of another type than its field.
fn add(page: &mut Page, shown: ShownLead, projection: &Projection) -> Option<()> {
    let key = Key::of(shown.uuid.as_str());
    let lead = lead(shown.values)?;
    page.sightings.push(Sighting {
        key,
        updated: shown.updated,
        agent: lead.agent().cloned(),
    });
    if projection.mask(key).is_some() {
        let observed = Observed {
            lead,
            unmanaged: BTreeMap::new(),
            echo: Echo::default(),
            tag_shape: None,
            updated: shown.updated,
            seen: None,
            reading: None,
        };
        page.leads.push((shown.uuid, Box::new(observed)));
    }
    Some(())
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
