//! A page of the listing, from the bytes of an answer.
//!
//! Each record is read once, as it is come to: its uuid, agent and time are read of every record, its status and profile only where
//! the [`Projection`] keeps the lead. Their keys come in any order, so they are held as raw text until the record ends.
//!
//! A record never fails a page. Where a value of a lead that is kept cannot be read (it is nested too deeply, say), the lead is
//! [`Unreadable`]: it is there, and must not be taken for missing.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::envelope::{Data, Envelope, Records, key_of, with_whole_surrogates};
use super::wire::{Shown, agent, observed};
use crate::lead::{AgentId, FieldMask, LeadId};
use crate::observe::{Key, Page, Projection, Sighting, Unreadable};

/// A page of more records than this is refused. The largest answer has no room for as many that show a uuid, a status and a time
/// each; empty records would take a multiple of the memory of their text.
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

    /// The page, of an answer with success.
    ///
    /// # Errors
    /// A description of what the answer holds instead.
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
        let key = Key::of(&uuid);
        self.signature.write_u64(key.number());
        let updated = record.updated.map_or(i64::MIN, milliseconds);
        let agent = record.agent.map_or(Ok(None), agent_of);
        self.page.sightings.push(Sighting {
            key,
            updated,
            agent: agent.as_ref().ok().cloned().flatten(),
        });
        let Some(mask) = self.projection.mask(key) else {
            return;
        };
        let id = LeadId::new(uuid.as_ref());
        match agent.and_then(|agent| record.shown(agent, mask)) {
            Ok(shown) => {
                let lead = Box::new(observed(shown, updated));
                self.page.leads.push((id, lead));
            }
            Err(reason) => self.page.unreadable.push(Unreadable { id, reason }),
        }
    }
}

impl Records for PageReader<'_> {
    fn record<'de, A: MapAccess<'de>>(&mut self, mut members: A) -> Result<(), A::Error> {
        let mut record = RawRecord::default();
        while let Some(member) = members.next_key_seed(key_of(Member::of))? {
            let place = match member {
                Member::Uuid => &mut record.uuid,
                Member::Id => &mut record.id,
                Member::Agent => &mut record.agent,
                Member::Updated => &mut record.updated,
                Member::Status => &mut record.status,
                Member::Profile => &mut record.profile,
                Member::Unknown => {
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

/// The members of a record that are read.
#[derive(Clone, Copy)]
enum Member {
    Uuid,
    Id,
    Agent,
    Updated,
    Status,
    Profile,
    Unknown,
}

impl Member {
    fn of(key: &str) -> Self {
        match key {
            "uuid" => Self::Uuid,
            "_id" => Self::Id,
            "_agentAssigned" => Self::Agent,
            "updatedAt" => Self::Updated,
            "status" => Self::Status,
            "profile" => Self::Profile,
            _ => Self::Unknown,
        }
    }
}

/// The members of a record as they are written.
#[derive(Default)]
struct RawRecord<'a> {
    uuid: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    agent: Option<&'a RawValue>,
    updated: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    profile: Option<&'a RawValue>,
    /// One of them is there twice, so that it is unclear which one counts.
    has_twice: bool,
}

impl RawRecord<'_> {
    /// A record without a uuid is known again by its id, or else by all that is read of it.
    fn hash_without_uuid(&self, signature: &mut DefaultHasher) {
        let names = [self.uuid, self.id];
        let rest = [self.agent, self.updated, self.status, self.profile];
        let is_name = |name: &&RawValue| name.get() != "null";
        match names.into_iter().flatten().find(is_name) {
            Some(name) => name.get().hash(signature),
            None => rest.map(|raw| raw.map(RawValue::get)).hash(signature),
        }
    }

    /// The values that `mask` asks for.
    ///
    /// # Errors
    /// Why one of them cannot be read.
    fn shown(&self, agent: Option<AgentId>, mask: FieldMask) -> Result<Shown, String> {
        if self.has_twice {
            return Err("the record has a member twice".to_owned());
        }
        let profile = self.profile.filter(|profile| is_object(profile));
        let mut shown = match profile.filter(|_| mask != FieldMask::LEAST) {
            Some(profile) => {
                let read = |text: &str| profile_of(text, mask);
                with_whole_surrogates(profile.get(), read)
                    .map_err(|error| unreadable("profile", &error))?
            }
            None => Shown::default(),
        };
        if let Some(status) = self.status {
            shown.status = json(status.get()).map_err(|error| unreadable("status", &error))?;
        }
        shown.agent = agent;
        Ok(shown)
    }
}

fn profile_of(text: &str, mask: FieldMask) -> serde_json::Result<Shown> {
    let mut shown = Shown::default();
    let profile = Profile {
        shown: &mut shown,
        mask,
    };
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), profile)?;
    Ok(shown)
}

fn unreadable(member: &str, error: &serde_json::Error) -> String {
    format!("`{member}` cannot be read: {error}")
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Reads what `mask` asks for of a profile.
struct Profile<'s> {
    shown: &'s mut Shown,
    mask: FieldMask,
}

impl<'de> Visitor<'de> for Profile<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a profile")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let of = |key: &str| (key == "notes", key == "userDetails");
        while let Some((is_notes, is_details)) = members.next_key_seed(key_of(of))? {
            if is_notes && self.mask.has(FieldMask::NOTES) {
                self.shown.notes = members.next_value()?;
            } else if is_details {
                let details: &RawValue = members.next_value()?;
                if is_object(details) {
                    let mut json = serde_json::Deserializer::from_str(details.get());
                    let details = Details {
                        shown: &mut *self.shown,
                        mask: self.mask,
                    };
                    serde::Deserializer::deserialize_map(&mut json, details)
                        .map_err(serde::de::Error::custom)?;
                }
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Reads what `mask` asks for of `userDetails`.
struct Details<'s> {
    shown: &'s mut Shown,
    mask: FieldMask,
}

impl<'de> Visitor<'de> for Details<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("user details")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        loop {
            let (shown, mask) = (&mut *self.shown, self.mask);
            let place = key_of(move |key: &str| shown.detail(key, mask));
            match members.next_key_seed(place)? {
                None => return Ok(()),
                Some(Some(place)) => *place = members.next_value()?,
                Some(None) => drop(members.next_value::<IgnoredAny>()?),
            }
        }
    }
}

fn json(raw: &str) -> serde_json::Result<Json> {
    with_whole_surrogates(raw, |raw| serde_json::from_str(raw))
}

/// The text between the quotes, where it stands for itself.
fn plain(raw: &RawValue) -> Option<&str> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    // Every byte is looked at, which is faster than to look for the first one.
    let has_escape = text.bytes().fold(false, |has, byte| has | (byte == b'\\'));
    (!has_escape).then_some(text)
}

/// A text or a number as text.
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

/// An instant, or a number of milliseconds; the smallest number where it is neither.
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
