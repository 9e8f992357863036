//! The values of a lead, in one normal form for both sides.
//!
//! Defines statuses, agents, tags and notes. The readers of files and of the API both produce these types, so desired and live values
//! can be compared directly. [`field_table`] is the table of managed fields, [`Value`] the value of a field, [`Lead`]
//! what the API lists, and [`desired`] what the files declare. No I/O, no clock.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

mod check;
pub mod desired;
mod desired_value;
mod field;
mod field_map;
mod field_mask;
pub mod field_table;
mod id;
pub mod normal;
mod tag_set;
pub(crate) mod typed;
mod value;

pub use desired::{Desired, DesiredField, DesiredLead, Place, TagRule};
pub use desired_value::DesiredValue;
pub use field::{Field, UnknownField};
pub(crate) use field_map::FieldMap;
pub use field_mask::FieldMask;
pub use field_table::{FieldId, FieldSpec, Kind, Privacy};
pub use id::LeadId;
pub use tag_set::TagSet;
pub use value::{Shown, Value};

/// The status of a lead. Any value is read; the six of api.md (section 6) can be written.
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
    /// Any other value of the platform, such as `DELETED`. Never written.
    Other(Box<str>),
}

impl Status {
    /// The six statuses that can be written, in the platform's order.
    pub const WRITABLE: [Self; 6] = [
        Self::Open,
        Self::InProgress,
        Self::Review,
        Self::OnHold,
        Self::Dependancy,
        Self::Closed,
    ];

    /// Reads the platform's value; values other than the six are kept as [`Status::Other`].
    pub fn read(text: &str) -> Self {
        Self::writable(text).unwrap_or_else(|| Self::Other(text.into()))
    }

    /// One of the six, or `None`.
    pub fn writable(text: &str) -> Option<Self> {
        Self::WRITABLE
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// The platform's value.
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
pub struct AgentId([u8; AgentId::DIGITS]);

impl AgentId {
    /// The number of its digits.
    pub(crate) const DIGITS: usize = 24;

    /// `None` if the text is not 24 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits: [u8; Self::DIGITS] = text.as_bytes().try_into().ok()?;
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

/// A note of a lead. Notes are equal if both texts are; the platform's id of a note is ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The title.
    pub title: String,
    /// The text; may be empty.
    pub description: String,
}

/// A tag in normal form: trimmed. `None` if nothing is left.
pub fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A lead as the API lists it: all managed values in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lead {
    /// None of them is empty.
    values: FieldMap<Value>,
}

impl Lead {
    /// A lead with these values; the last value of a field counts.
    pub fn new(values: impl IntoIterator<Item = (Field, Value)>) -> Self {
        let mut lead = Self::default();
        for (field, value) in values {
            lead.set(field, value);
        }
        lead
    }

    /// Sets a field; an empty value clears it.
    pub fn set(&mut self, field: Field, value: Value) {
        if value.is_empty() {
            self.values.remove(&field);
        } else {
            self.values.insert(field, value);
        }
    }

    /// The value of a field; `None` if there is none.
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.values.get(field)
    }

    /// The value of a field; empty if there is none.
    pub fn value(&self, field: &Field) -> Cow<'_, Value> {
        self.get(field)
            .map_or_else(|| Cow::Owned(Value::empty(field.kind())), Cow::Borrowed)
    }

    /// All values, in the order of the fields.
    pub fn values(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.values.iter()
    }

    /// The status.
    pub fn status(&self) -> Option<&Status> {
        self.get(&Field::STATUS)?.choice()
    }

    /// The agent.
    pub fn agent(&self) -> Option<&AgentId> {
        self.get(&Field::AGENT)?.reference()
    }

    /// The tags, sorted.
    pub fn tags(&self) -> &TagSet {
        self.get(&Field::TAGS).unwrap_or(&Value::Absent).set()
    }

    /// The notes, in the order of the record.
    pub fn notes(&self) -> &[Note] {
        self.get(&Field::NOTES).unwrap_or(&Value::Absent).notes()
    }
}

#[cfg(test)]
mod tests;
