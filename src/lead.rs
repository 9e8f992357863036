//! The values of a lead, in one normal form for both sides.
//!
//! Owns what a status, an assignee, a set of tags or a note *is*. The files' readers and the API's reader both end here, so
//! that comparing desired with live is comparing equal types and nothing is equal on one side only. Hands on [`Wanted`]
//! (what one line of a file asks for), [`Lead`] (what the API shows), and [`Field`] and [`Value`], in which differences are
//! told. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod field_mask;
mod id;

pub use field_mask::FieldMask;
pub use id::LeadId;

/// Where a lead stands. Read as an open set, written as the six (api.md, 6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// `OPEN`
    Open,
    /// `INPROGRESS`
    InProgress,
    /// `REVIEW`
    Review,
    /// `ONHOLD`
    OnHold,
    /// `DEPENDANCY`, spelled as the platform spells it.
    Dependancy,
    /// `CLOSED`
    Closed,
    /// Any other word the platform shows, `DELETED` say. Never written.
    Other(Box<str>),
}

impl Status {
    /// The six that can be written, in the platform's order.
    pub const WRITABLE: [Self; 6] = [
        Self::Open,
        Self::InProgress,
        Self::Review,
        Self::OnHold,
        Self::Dependancy,
        Self::Closed,
    ];

    /// Reads what the platform shows; a word that is not of the six is kept as [`Status::Other`].
    pub fn read(text: &str) -> Self {
        Self::writable(text).unwrap_or_else(|| Self::Other(text.into()))
    }

    /// One of the six, or `None` where the word is none of them.
    pub fn writable(text: &str) -> Option<Self> {
        Self::WRITABLE
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// The platform's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Open => "OPEN",
            Self::InProgress => "INPROGRESS",
            Self::Review => "REVIEW",
            Self::OnHold => "ONHOLD",
            Self::Dependancy => "DEPENDANCY",
            Self::Closed => "CLOSED",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An agent's id: 24 hex digits, kept in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId([u8; 24]);

impl AgentId {
    /// `None` where the text is not 24 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits: [u8; 24] = text.as_bytes().try_into().ok()?;
        digits.make_ascii_lowercase();
        let hex = digits
            .iter()
            .fold(true, |hex, digit| hex & digit.is_ascii_hexdigit());
        hex.then_some(Self(digits))
    }

    /// The 24 digits.
    pub fn as_str(&self) -> &str {
        // Hex digits are UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for AgentId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not 24 hex digits")
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentId({:?})", self.as_str())
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A note of a lead. Two notes are the same when both texts are; the platform's own id of a note is not ours to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The headline.
    pub title: String,
    /// The text; may be empty.
    pub description: String,
}

/// One of the five contact values that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactField {
    /// The person's name.
    Name,
    /// The mail address.
    Email,
    /// The number without its country's code.
    Phone,
    /// The country's code, with its `+`.
    DialCode,
    /// The address of a picture.
    Picture,
}

impl ContactField {
    /// All five, in the order of a lead file.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::DialCode,
        Self::Picture,
    ];

    /// The key in a lead file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::DialCode => "dial_code",
            Self::Picture => "picture",
        }
    }

    /// The normal form, so that `98765 43210` and `9876543210`, `91` and `+91` are each the same value on both sides.
    pub fn normal(self, text: &str) -> String {
        let text = text.trim();
        match self {
            Self::Name | Self::Email | Self::Picture => text.to_owned(),
            Self::Phone => text
                .chars()
                .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}'))
                .collect(),
            Self::DialCode => match text.trim_start_matches('+').trim() {
                "" => String::new(),
                digits => format!("+{digits}"),
            },
        }
    }
}

/// A tag in normal form: without blanks around it. `None` where nothing is left.
pub fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A lead as the API shows it: every value that can be managed, in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lead {
    /// `None` where the record has none.
    pub status: Option<Status>,
    /// `None`: nobody.
    pub agent: Option<AgentId>,
    /// Without repeats, sorted.
    pub tags: BTreeSet<String>,
    /// By key; where a key stands twice, the last one.
    pub attributes: BTreeMap<String, String>,
    /// Only those that are there and not empty.
    pub contact: BTreeMap<ContactField, String>,
    /// In the order of the record.
    pub notes: Vec<Note>,
}

/// What a file says of a lead's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRule {
    /// Exactly these.
    Exact(BTreeSet<String>),
    /// These among others, and not those. The two never share a tag.
    Patch {
        /// Must be there.
        present: BTreeSet<String>,
        /// Must not be there.
        absent: BTreeSet<String>,
    },
}

impl TagRule {
    /// The full set that is wanted of a lead that has `live`.
    pub fn applied_to(&self, live: &BTreeSet<String>) -> BTreeSet<String> {
        match self {
            Self::Exact(tags) => tags.clone(),
            Self::Patch { present, absent } => live
                .union(present)
                .filter(|tag| !absent.contains(*tag))
                .cloned()
                .collect(),
        }
    }

    /// The tags that the rule asks for by name.
    pub fn asked(&self) -> &BTreeSet<String> {
        match self {
            Self::Exact(tags) => tags,
            Self::Patch { present, .. } => present,
        }
    }
}

/// One thing that a file wants of a lead. A field that is not there is not managed: there is no variant for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of the six that can be written.
    Status(Status),
    /// `None`: nobody.
    Agent(Option<AgentId>),
    /// A set, or a change to one.
    Tags(TagRule),
    /// This key has this text.
    Attribute(String, String),
    /// This contact value is this text, in normal form and never empty.
    Contact(ContactField, String),
    /// Each of these is there, among others.
    Notes(Vec<Note>),
}

impl Wanted {
    /// The field that this is about.
    pub fn field(&self) -> Field {
        match self {
            Self::Status(_) => Field::Status,
            Self::Agent(_) => Field::Agent,
            Self::Tags(_) => Field::Tags,
            Self::Attribute(key, _) => Field::Attribute(key.clone()),
            Self::Contact(field, _) => Field::Contact(*field),
            Self::Notes(_) => Field::Notes,
        }
    }
}

/// The name of a managed field, as plans and reports spell it. The order is that of a lead file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `status`
    Status,
    /// `agent`
    Agent,
    /// `tags`
    Tags,
    /// `attributes.KEY`
    Attribute(String),
    /// `contact.KEY`
    Contact(ContactField),
    /// `notes`
    Notes,
}

impl Field {
    /// Reads a value of this field from a plan's JSON; `None` where it is of another type. The type is the field's to say: an empty
    /// array is no tags, or no notes.
    pub fn value_of(&self, json: serde_json::Value) -> Option<Value> {
        use serde_json::Value as Json;
        match (self, json) {
            (Self::Tags, json @ Json::Array(_)) => {
                serde_json::from_value(json).ok().map(Value::Tags)
            }
            (Self::Notes, json @ Json::Array(_)) => {
                serde_json::from_value(json).ok().map(Value::Notes)
            }
            (Self::Tags | Self::Notes, _) => None,
            (Self::Status | Self::Agent | Self::Attribute(_) | Self::Contact(_), Json::Null) => {
                Some(Value::Nothing)
            }
            (
                Self::Status | Self::Agent | Self::Attribute(_) | Self::Contact(_),
                Json::String(text),
            ) => Some(Value::Text(text)),
            (Self::Status | Self::Agent | Self::Attribute(_) | Self::Contact(_), _) => None,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("status"),
            Self::Agent => f.write_str("agent"),
            Self::Tags => f.write_str("tags"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            Self::Contact(field) => write!(f, "contact.{}", field.as_str()),
            Self::Notes => f.write_str("notes"),
        }
    }
}

/// The text is not the name of a managed field.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not a field of a lead")]
pub struct UnknownField(String);

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let contact = |key: &str| {
            ContactField::ALL
                .into_iter()
                .find(|field| field.as_str() == key)
        };
        match text.split_once('.') {
            None => match text {
                "status" => Some(Self::Status),
                "agent" => Some(Self::Agent),
                "tags" => Some(Self::Tags),
                "notes" => Some(Self::Notes),
                _ => None,
            },
            Some(("attributes", key)) if !key.is_empty() => Some(Self::Attribute(key.to_owned())),
            Some(("contact", key)) => contact(key).map(Self::Contact),
            Some(_) => None,
        }
        .ok_or_else(|| UnknownField(text.to_owned()))
    }
}

/// One side of a difference: what a field is, or is to be. In JSON: null, a string, an array of strings, an array of notes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// There is none: no status, nobody, no such attribute.
    Nothing,
    /// A status word, an agent's id, the text of an attribute or of a contact value.
    Text(String),
    /// Tags, sorted.
    Tags(BTreeSet<String>),
    /// Notes, in order.
    Notes(Vec<Note>),
}

impl Value {
    /// Text, or nothing.
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.into()))
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Tags(_) | Self::Notes(_) => None,
        }
    }
}
