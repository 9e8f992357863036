//! The values of a lead, in one normal form for both sides.
//!
//! Defines what a status, an agent, a set of tags or a note is. The readers of files and of the API both end here, so that comparing
//! desired with live is comparing equal types. [`field`] is the table of what can be managed, [`Value`] a value of a field, [`Lead`]
//! what the API shows, and [`desired`] what the files ask for. No I/O, no clock.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

mod check;
pub mod desired;
pub mod field;
mod field_mask;
mod id;
pub mod normal;
mod value;

pub use desired::{Desired, DesiredField, DesiredLead, Place, TagRule};
pub use field::{Field, FieldId, FieldSpec, Kind, Privacy, UnknownField};
pub use field_mask::FieldMask;
pub use id::LeadId;
pub use value::{DesiredValue, Shown, Value};

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

/// A tag in normal form: without blanks around it. `None` where nothing is left.
pub fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A lead as the API shows it: every managed value that is there, in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lead {
    /// In the fields' order, each once, none of them empty.
    values: Vec<(Field, Value)>,
}

impl Lead {
    /// A lead with these values; of those of one field the last one counts.
    pub fn new(values: impl IntoIterator<Item = (Field, Value)>) -> Self {
        let mut lead = Self::default();
        for (field, value) in values {
            lead.set(field, value);
        }
        lead
    }

    /// Gives a field a value, or, with an empty one, none.
    pub fn set(&mut self, field: Field, value: Value) {
        let place = self.place(&field);
        match (place, value.is_empty()) {
            (Ok(at), true) => drop(self.values.remove(at)),
            (Ok(at), false) => self.values[at].1 = value,
            (Err(_), true) => {}
            (Err(at), false) => self.values.insert(at, (field, value)),
        }
    }

    /// The value of a field; `None` where there is none.
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.place(field).ok().map(|at| &self.values[at].1)
    }

    /// The value of a field, empty where there is none.
    pub fn value(&self, field: &Field) -> Cow<'_, Value> {
        self.get(field)
            .map_or_else(|| Cow::Owned(Value::empty(field.kind())), Cow::Borrowed)
    }

    /// Every value that is there, in the fields' order.
    pub fn values(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.values.iter().map(|(field, value)| (field, value))
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
    pub fn tags(&self) -> &BTreeSet<String> {
        self.get(&Field::TAGS).unwrap_or(&Value::Absent).set()
    }

    /// The notes, in the order of the record.
    pub fn notes(&self) -> &[Note] {
        self.get(&Field::NOTES).unwrap_or(&Value::Absent).notes()
    }

    fn place(&self, field: &Field) -> Result<usize, usize> {
        self.values.binary_search_by(|(other, _)| other.cmp(field))
    }
}

#[cfg(test)]
mod tests;
