//! A page of the listing, from the bytes of an answer.
//!
//! Each record is read once, in one pass: its uuid, agent and time always, its status and profile only if
//! the [`Projection`] keeps the lead. Keys come in any order, so values are held as raw text until the record ends.
//!
//! A record never fails a page. If a value of a kept lead cannot be read (for example because it is nested too deeply), the lead is
//! [`Unreadable`]: it is in the inbox and must not be taken for missing.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{IgnoredAny, MapAccess};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::envelope::{Data, Envelope, Records, key_of, with_whole_surrogates};
use super::record::{self, MEMBERS, RecordValues, members};
use super::wire::{agent, observed};
use crate::lead::{AgentId, Field, FieldMask, LeadId};
use crate::observe::{Key, Page, Projection, Sighting, Unreadable};

/// The maximum number of records of a page. The largest answer has no room for as many with a uuid, a status and a time;
/// empty records would need a multiple of the memory of their text.
const MAX_RECORDS: usize = 500_000;

/// Collects the records of a page.
#[derive(Debug, Clone)]
pub(super) struct PageReader<'p> {
    projection: &'p Projection,
    page: Page,
    items: usize,
    signature: DefaultHasher,
}

impl<'p> PageReader<'p> {
    pub(super) fn new(projection: &'p Projection) -> Self {
        Self {
            projection,
            page: Page::default(),
            items: 0,
            signature: DefaultHasher::new(),
        }
    }

    /// The page, if the answer is a success.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub(super) fn finish(self, envelope: &Envelope) -> Result<Page, String> {
        match envelope.data {
            Data::Other => Err("`data` is not a list of records".to_owned()),
            Data::List if self.items > MAX_RECORDS => {
                Err(format!("`data` lists more than {MAX_RECORDS} records"))
            }
            Data::List | Data::Absent => Ok(Page {
                is_end: self.items == 0,
                signature: self.signature.finish(),
                ..self.page
            }),
        }
    }

    fn take(&mut self, record: &RawRecord<'_>) {
        let uuid = record
            .uuid
            .and_then(text)
            .filter(|uuid| !uuid.trim().is_empty());
        let Some(uuid) = uuid else {
            self.page.without_uuid += 1;
            record.hash_without_uuid(&mut self.signature);
            return;
        };
        let key = Key::new(&uuid);
        self.signature.write_u64(key.number());
        let updated = record.updated.map_or(i64::MIN, milliseconds);
        let agent = record.agent();
        self.page.sightings.push(Sighting {
            key,
            updated,
            agent: agent.as_ref().ok().cloned().flatten(),
        });
        let Some(mask) = self.projection.mask(key) else {
            if self.projection.resembles(&uuid) {
                self.page.lookalikes.push(LeadId::new(uuid.as_ref()));
            }
            return;
        };
        let id = LeadId::new(uuid.as_ref());
        match agent.and_then(|_| record.shown(mask)) {
            Ok(shown) => {
                let lead = observed(shown, updated, record.activity());
                self.page.leads.push((id, lead));
            }
            Err(reason) => self.page.unreadable.push(Unreadable { id, reason }),
        }
    }
}

impl Records for PageReader<'_> {
    fn record<'de, A: MapAccess<'de>>(&mut self, mut members: A) -> Result<(), A::Error> {
        let mut record = RawRecord::default();
        while let Some(member) = members.next_key_seed(key_of(RecordMember::parse))? {
            let place = match member {
                RecordMember::Uuid => &mut record.uuid,
                RecordMember::Id => &mut record.id,
                RecordMember::Updated => &mut record.updated,
                RecordMember::LastSeen => &mut record.last_seen,
                RecordMember::LastMessage => &mut record.last_message,
                RecordMember::Managed(at) => &mut record.managed[at],
                RecordMember::Unknown => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            record.has_twice |= place.replace(members.next_value()?).is_some();
        }
        self.items += 1;
        if self.items <= MAX_RECORDS {
            self.take(&record);
        }
        Ok(())
    }

    fn other(&mut self) {
        self.items += 1;
        self.signature.write_u8(0);
    }
}

/// The members that are read of every record.
#[derive(Clone, Copy)]
enum RecordMember {
    Uuid,
    Id,
    Updated,
    LastSeen,
    LastMessage,
    /// A member that the table of fields has a path through, by its index among them.
    Managed(usize),
    Unknown,
}

impl RecordMember {
    fn parse(key: &str) -> Self {
        match key {
            "uuid" => Self::Uuid,
            "_id" => Self::Id,
            "updatedAt" => Self::Updated,
            "lastSeenAt" => Self::LastSeen,
            "lastMessage" => Self::LastMessage,
            other => members()
                .position(|member| member == other)
                .map_or(Self::Unknown, Self::Managed),
        }
    }
}

/// The raw members of a record.
#[derive(Default)]
struct RawRecord<'a> {
    uuid: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    updated: Option<&'a RawValue>,
    last_seen: Option<&'a RawValue>,
    last_message: Option<&'a RawValue>,
    managed: [Option<&'a RawValue>; MEMBERS],
    /// A member occurs twice, so that it is unclear which one counts.
    has_twice: bool,
}

impl RawRecord<'_> {
    /// Identifies a record without a uuid by its id, or else by everything read of it.
    fn hash_without_uuid(&self, signature: &mut DefaultHasher) {
        let names = [self.uuid, self.id];
        let is_name = |name: &&RawValue| name.get() != "null";
        match names.into_iter().flatten().find(is_name) {
            Some(name) => name.get().hash(signature),
            None => {
                self.updated.map(RawValue::get).hash(signature);
                self.managed
                    .map(|raw| raw.map(RawValue::get))
                    .hash(signature);
            }
        }
    }

    /// A hash of the values that change with each visit and message.
    fn activity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        [self.last_seen, self.last_message]
            .map(|raw| raw.map(RawValue::get))
            .hash(&mut hasher);
        hasher.finish()
    }

    /// The agent, which is counted for every record.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn agent(&self) -> Result<Option<AgentId>, String> {
        let agent = Field::AGENT.spec().read[0][0];
        let raw = members().zip(self.managed).find(|(name, _)| *name == agent);
        raw.and_then(|(_, raw)| raw).map_or(Ok(None), agent_of)
    }

    /// The values that `mask` selects.
    ///
    /// # Errors
    /// Why one of them cannot be read.
    fn shown(&self, mask: FieldMask) -> Result<RecordValues, String> {
        if self.has_twice {
            return Err("a member occurs twice in the record".to_owned());
        }
        let mut shown = RecordValues::default();
        for (member, raw) in members().zip(self.managed) {
            let Some(raw) = raw else { continue };
            with_whole_surrogates(raw.get(), |text| {
                record::read(member, text, mask, &mut shown)
            })
            .map_err(|error| unreadable(member, &error))?;
        }
        Ok(shown)
    }
}

fn unreadable(member: &str, error: &serde_json::Error) -> String {
    format!("`{member}` cannot be read: {error}")
}

fn json(raw: &str) -> serde_json::Result<Json> {
    with_whole_surrogates(raw, |raw| serde_json::from_str(raw))
}

/// The text between the quotes, if it has no escapes.
fn plain(raw: &RawValue) -> Option<&str> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    // Looking at every byte is faster than searching for the first one.
    let has_escape = text.bytes().fold(false, |has, byte| has | (byte == b'\\'));
    (!has_escape).then_some(text)
}

/// A text or a number, as text.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    if let Some(text) = plain(raw) {
        return Some(Cow::Borrowed(text));
    }
    match serde_json::from_str(raw.get()).ok()? {
        Json::String(text) => Some(Cow::Owned(text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn agent_of(raw: &RawValue) -> Result<Option<AgentId>, String> {
    match plain(raw) {
        Some(id) => Ok(AgentId::parse(id.trim())),
        None => match json(raw.get()) {
            Ok(json) => Ok(agent(&json)),
            Err(error) => Err(unreadable("_agentAssigned", &error)),
        },
    }
}

/// A timestamp or a number of milliseconds; the smallest number if it is neither.
fn milliseconds(raw: &RawValue) -> i64 {
    let text = text(raw).unwrap_or_default();
    let text = text.trim();
    text.parse::<jiff::Timestamp>()
        .map(|at| at.as_millisecond())
        .or_else(|_| text.parse())
        .unwrap_or(i64::MIN)
}

#[cfg(test)]
mod tests;
