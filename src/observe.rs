//! Observe: reads the listing to a proven end and returns Live, or the reason why it could not.
//!
//! Owns what "the whole listing" means while the listing changes: which pages to read next, when a list has ended, which
//! of two readings of a lead counts, and when a lead is missing. Takes a [`Reader`] and the leads to keep, and returns
//! [`Live`]. Independent of HTTP and JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::lead::{AgentId, FieldId, FieldMask, Lead, LeadId};

mod collected;
mod cursor;
mod hints;
mod key;
mod probe;
mod projection;
mod sweep;
mod tally;

pub use hints::{Lengths, ListingHints};
pub use key::Key;
pub use probe::{End, Probe, probe};
pub use projection::Projection;
pub use sweep::{look_again, observe, observe_all, observe_declared, read_page};

/// The two lists of the inbox. A chat can move from `non-lead` to `lead` (api.md).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ChatType {
    /// Chats that became leads.
    Lead,
    /// Chats that are not leads.
    NonLead,
}

impl ChatType {
    /// The value of the query parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::NonLead => "non-lead",
        }
    }
}

impl fmt::Display for ChatType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The form in which tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagShape {
    /// As listed: text if the listing shows text, else an array.
    #[default]
    Auto,
    /// An array of strings.
    Array,
    /// One string, separated by commas.
    String,
}

/// Where a lead was listed: the first place to look when reading it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// The list.
    pub list: ChatType,
    /// The page, from 1.
    pub page: u32,
}

/// One decoded page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Records with a uuid, in order.
    pub sightings: Vec<Sighting>,
    /// The number of records without a uuid, which cannot be written.
    pub without_uuid: usize,
    /// The leads that [`Projection`] keeps, in order.
    pub leads: Vec<(LeadId, Observed)>,
    /// Leads that [`Projection`] keeps whose record could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// Uuids of leads that are not kept and differ from one that is in letter case only.
    pub lookalikes: Vec<LeadId>,
    /// Equal for two pages with the same records in the same order.
    pub signature: u64,
    /// The page has no records: it is empty, has no data, or is a 404.
    pub is_end: bool,
    /// The page is a 404: the end of the list, or a wrong address if the first page of both lists is like this.
    pub is_nowhere: bool,
    /// When it was read; `None` where it did not come from the API.
    pub reading: Option<Reading>,
}

/// When a page was read: what it shows is as old as its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When its request was sent.
    pub sent: Instant,
    /// When its answer was there.
    pub answered: Instant,
}

impl Page {
    /// The number of records.
    pub fn records(&self) -> usize {
        self.sightings.len() + self.without_uuid
    }
}

/// A record with a uuid. Every record is counted, so this type is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The hash of the uuid.
    pub key: Key,
    /// `updatedAt` in milliseconds since 1970; the smallest number if unknown.
    pub updated: i64,
    /// The assigned agent.
    pub agent: Option<AgentId>,
}

/// A lead whose record could not be understood. It is in the inbox, so it is neither missing nor to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The lead.
    pub id: LeadId,
    /// Why its record could not be understood.
    pub reason: String,
}

/// A lead as read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The managed values.
    pub lead: Lead,
    /// Fields listed in a form that is not understood: what they hold is unknown, so they are neither compared nor written.
    pub unreadable: FieldMask,
    /// Values that are never managed, by name: a write must not change them.
    pub unmanaged: Vec<(&'static str, String)>,
    /// Lists as in the record, for writes that must send whole lists.
    pub echo: Echo,
    /// The form of the record's tags; `None` if it has none.
    pub tag_shape: Option<TagShape>,
    /// `updatedAt`, as in [`Sighting::updated`].
    pub updated: i64,
    /// A hash of `lastSeenAt` and `lastMessage`: it changes with each visit and each message.
    pub activity: u64,
    /// Where it was last listed.
    pub seen: Option<Seen>,
    /// When it was seen last.
    pub reading: Option<Reading>,
}

impl Observed {
    /// Why some of these fields cannot be read; `None` if all can.
    pub fn cannot_read(&self, fields: FieldMask) -> Option<String> {
        let unreadable = FieldId::all().filter(|id| self.unreadable.has(*id) && fields.has(*id));
        let names: Vec<&str> = unreadable.map(|id| id.spec().name).collect();
        let list = names.join(", ");
        (!names.is_empty()).then(|| format!("the form of {list} is not understood"))
    }
}

/// The items of lists as in the record, with every key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Echo {
    /// Attributes, in order.
    pub attributes: JsonItems,
    /// Notes, in order.
    pub notes: JsonItems,
    /// Tags that are more than a text.
    pub tags: JsonItems,
}

/// JSON values as text, which is a tenth of their size in memory: they are held for each lead, and needed for few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonItems(Option<Box<str>>);

impl JsonItems {
    /// The values.
    pub fn values(&self) -> Vec<serde_json::Value> {
        let text = self.0.as_deref().unwrap_or("[]");
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl FromIterator<serde_json::Value> for JsonItems {
    fn from_iter<I: IntoIterator<Item = serde_json::Value>>(values: I) -> Self {
        let values: Vec<serde_json::Value> = values.into_iter().collect();
        let text = || serde_json::Value::from(values.as_slice()).to_string();
        Self((!values.is_empty()).then(|| text().into()))
    }
}

/// How much of the listing was read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Listing {
    /// Whether both lists were read to their ends.
    pub complete: bool,
    /// Chats read, each counted once. In an inbox of more than 32 768 chats, a chat that is listed twice, far apart, counts
    /// twice.
    pub leads_read: u64,
    /// Pages read, including repeated sweeps.
    pub pages_read: u64,
}

/// Leads as read, by uuid.
pub type Leads = BTreeMap<LeadId, Arc<Observed>>;

/// The live listing.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The requested leads that were found.
    pub leads: Leads,
    /// The requested leads that are listed but could not be understood, each with the reason.
    pub unreadable: BTreeMap<LeadId, String>,
    /// Listed leads whose uuid differs from a requested one in letter case only.
    pub lookalikes: BTreeSet<LeadId>,
    /// How much was read.
    pub listing: Listing,
    /// The lengths of the lists, as far as they are known.
    pub lengths: Lengths,
    /// The number of chats of each agent in the whole inbox; `None` if the listing was not read to its end.
    pub workload: Option<BTreeMap<AgentId, u64>>,
    /// When it was read, from the first request to the last answer; `None` where it did not come from the API.
    pub reading: Option<Reading>,
}

impl Live {
    /// Returns the listing if every requested lead could be understood.
    ///
    /// # Errors
    /// The leads that could not. Their values are unknown, so they must not be planned or written.
    pub fn readable(self) -> Result<Self, UnreadableLeads> {
        if self.unreadable.is_empty() {
            Ok(self)
        } else {
            Err(UnreadableLeads(self.unreadable))
        }
    }

    /// Counts leads as unreadable of which one of these fields is.
    pub(crate) fn with_fields_read(mut self, fields: impl Fn(&LeadId) -> FieldMask) -> Self {
        let Self {
            leads, unreadable, ..
        } = &mut self;
        leads.retain(|id, seen| {
            // Most leads have nothing that is not understood.
            if seen.unreadable == FieldMask::default() {
                return true;
            }
            let reason = seen.cannot_read(fields(id));
            let is_readable = reason.is_none();
            unreadable.extend(reason.map(|reason| (id.clone(), reason)));
            is_readable
        });
        self
    }

    /// A listed lead whose uuid differs from this one in letter case only.
    pub fn lookalike(&self, id: &LeadId) -> Option<&LeadId> {
        let mut all = self.lookalikes.iter();
        all.find(|other| other.as_str().eq_ignore_ascii_case(id.as_str()))
    }

    /// A requested lead, if it was found.
    pub fn get(&self, id: &LeadId) -> Option<&Arc<Observed>> {
        self.leads.get(id)
    }

    /// The form of tags for a lead that has none: text only if other leads show text and none shows an array.
    pub fn tag_shape(&self) -> TagShape {
        let shows = |shape| {
            self.leads
                .values()
                .any(|seen| seen.tag_shape == Some(shape))
        };
        if shows(TagShape::String) && !shows(TagShape::Array) {
            TagShape::String
        } else {
            TagShape::Array
        }
    }
}

/// Leads that are in the inbox but could not be understood, each with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", unreadable(.0))]
pub struct UnreadableLeads(pub BTreeMap<LeadId, String>);

/// The maximum number of leads that a message names.
const NAMED: usize = 5;

fn unreadable(leads: &BTreeMap<LeadId, String>) -> String {
    let named: Vec<String> = leads
        .iter()
        .take(NAMED)
        .map(|(id, reason)| format!("{id} ({reason})"))
        .collect();
    let more = match leads.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = if leads.len() == 1 { "lead" } else { "leads" };
    format!(
        "{} unreadable {noun} in the inbox: {}{more}; nothing was written",
        leads.len(),
        named.join(", ")
    )
}

/// Reads pages. The holder of a `Reader` cannot write.
pub trait Reader: Sync {
    /// Why a page could not be read, after all retries.
    type Error: std::error::Error + Send + 'static;

    /// Reads page `number` (from 1) of `list`.
    fn page(
        &self,
        list: ChatType,
        number: u32,
        keep: &Projection,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// Whether leads that are read may be written: then every field is read.
    fn writes(&self) -> bool;

    /// Whether each page costs a request. Only then is it worth remembering where leads are.
    fn is_remote(&self) -> bool;

    /// The maximum number of concurrent page requests.
    fn width(&self) -> usize;

    /// The number of pages of one list after which a listing without an end is an error.
    fn page_cap(&self) -> u32;
}

/// Why the listing could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError<E: std::error::Error + 'static> {
    /// A page could not be read, so the listing is incomplete.
    #[error("the listing is incomplete: page {page} of `{list}` could not be read")]
    Page {
        /// The list.
        list: ChatType,
        /// The page.
        page: u32,
        /// The reason.
        source: E,
    },
    /// Neither list is served.
    #[error("nothing is served at this address: page 1 of both lists is not found (HTTP 404)")]
    Nowhere,
    /// The list does not end.
    #[error("the listing is incomplete: `{list}` has not ended after {cap} pages")]
    PageCap {
        /// The list.
        list: ChatType,
        /// The maximum number of pages.
        cap: u32,
    },
}
