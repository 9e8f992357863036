//! Observe: the listing, read to a proven end, becomes Live; or the reason why it did not.
//!
//! Owns what "the whole listing" means while it moves under the reader: which pages to open next, when a list has ended, which
//! of two sightings of one lead counts, and when a lead is missing. Is given a [`Reader`] and the leads to keep; hands on
//! [`Live`]. Knows no HTTP and no JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::lead::{AgentId, Lead, LeadId};

mod key;
mod probe;
mod projection;
mod sweep;
mod tally;

pub use key::Key;
pub use probe::{End, Probe, probe};
pub use projection::Projection;
pub use sweep::{look_again, observe, observe_all, observe_declared, read_page};

/// The two lists of the inbox. A chat can move from `non-lead` to `lead` (api.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChatType {
    /// Chats that became leads.
    Lead,
    /// Chats that did not, or not yet.
    NonLead,
}

impl ChatType {
    /// The word of the query.
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

/// The shape in which tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagShape {
    /// As the listing shows them: text where it shows text, else an array.
    #[default]
    Auto,
    /// An array of strings.
    Array,
    /// One string, with commas.
    String,
}

/// Where in the listing a lead was seen: the place to look first when reading it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// The list.
    pub list: ChatType,
    /// The page, from 1.
    pub page: u32,
}

/// One page of one list, decoded.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its records that have a uuid, in order.
    pub sightings: Vec<Sighting>,
    /// Records without a uuid: they cannot be written.
    pub without_uuid: usize,
    /// The leads that [`Projection`] keeps, in order.
    pub leads: Vec<(LeadId, Box<Observed>)>,
    /// Of the leads that [`Projection`] keeps, those whose record could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// The same for two pages that hold the same records in the same order.
    pub signature: u64,
    /// Nothing is listed here: an empty page, one without data, or a 404.
    pub is_end: bool,
    /// It is the end because nothing is served there: an end further on, a wrong address where both lists begin so.
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

/// A record that has a uuid. Every one is counted, so this is kept small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Of the uuid.
    pub key: Key,
    /// `updatedAt` in milliseconds since 1970; the smallest number where it is not known.
    pub updated: i64,
    /// The agent that it is assigned to.
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

/// A lead as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The values that can be managed.
    pub lead: Lead,
    /// Values that are never managed, by name: they must be the same after a write.
    pub unmanaged: BTreeMap<&'static str, String>,
    /// Lists as the record shows them, for a writer that has to send whole lists.
    pub echo: Echo,
    /// The shape of the record's tags; `None` where it shows none.
    pub tag_shape: Option<TagShape>,
    /// `updatedAt`, as in [`Sighting::updated`].
    pub updated: i64,
    /// Where it was seen last.
    pub seen: Option<Seen>,
    /// When it was seen last.
    pub reading: Option<Reading>,
}

/// The items of lists as a record shows them, with every key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Echo {
    /// Attributes, in order.
    pub attributes: Vec<serde_json::Value>,
    /// Notes, in order.
    pub notes: Vec<serde_json::Value>,
    /// Tags that are more than a text.
    pub tags: Vec<serde_json::Value>,
}

/// How much of the listing stands behind a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Listing {
    /// Whether both lists were read to their ends.
    pub complete: bool,
    /// Chats read, each counted once; in an inbox of more than 32 768 chats, one that shows again far from its first place counts
    /// again.
    pub leads_read: u64,
    /// Pages read, a second look included.
    pub pages_read: u64,
}

/// Leads as they were seen, by uuid.
pub type Leads = BTreeMap<LeadId, Box<Observed>>;

/// What the API lists.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The leads that were asked for and found.
    pub leads: Leads,
    /// The leads that were asked for and listed, but whose records could not be understood, each with the reason.
    pub unreadable: BTreeMap<LeadId, String>,
    /// How much was read.
    pub listing: Listing,
    /// Chats of each agent over the whole inbox; `None` where the listing was not read to its end.
    pub workload: Option<BTreeMap<AgentId, u64>>,
    /// When it was read, from the first request to the last answer; `None` where it did not come from the API.
    pub reading: Option<Reading>,
}

impl Live {
    /// The same, where every lead that was asked for and listed could be understood.
    ///
    /// # Errors
    /// Those that could not. What they have is unknown, so nothing may be planned or written for them.
    pub fn readable(self) -> Result<Self, UnreadableLeads> {
        if self.unreadable.is_empty() {
            Ok(self)
        } else {
            Err(UnreadableLeads(self.unreadable))
        }
    }

    /// A lead that was asked for, where it was found.
    pub fn get(&self, id: &LeadId) -> Option<&Observed> {
        self.leads.get(id).map(Box::as_ref)
    }

    /// The shape in which to send tags to a lead that shows none: text only where others show text and no one shows an array.
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

/// Leads that are in the inbox, but whose records could not be understood, each with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", unreadable(.0))]
pub struct UnreadableLeads(pub BTreeMap<LeadId, String>);

/// Leads that a message names.
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

/// Reads pages. Whoever holds only this cannot write.
pub trait Reader: Sync {
    /// Why a page could not be had, all retries done.
    type Error: std::error::Error + Send + 'static;

    /// Page `number` (from 1) of `list`.
    fn page(
        &self,
        list: ChatType,
        number: u32,
        keep: &Projection,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// Whether what is read may be written over: then leads are read whole.
    fn writes(&self) -> bool;

    /// How many pages may be under way at a time.
    fn width(&self) -> usize;

    /// The number of pages of one list after which a listing without end is an error.
    fn page_cap(&self) -> u32;
}

/// Why there is no Live.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError<E: std::error::Error + 'static> {
    /// A page could not be read, so the listing is incomplete.
    #[error("the listing is incomplete: page {page} of `{list}` could not be read")]
    Page {
        /// The list.
        list: ChatType,
        /// The page.
        page: u32,
        /// Why.
        source: E,
    },
    /// Neither list is served at all.
    #[error("the API is not there: neither list of the inbox is served at this address")]
    Nowhere,
    /// The list does not end.
    #[error("the listing is incomplete: `{list}` has not ended after {cap} pages")]
    PageCap {
        /// The list.
        list: ChatType,
        /// The cap.
        cap: u32,
    },
}
