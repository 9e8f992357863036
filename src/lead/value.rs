//! A value of each kind: [`Value`] as the API shows it or as it is to be, and [`DesiredValue`] as a file asks for it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeSeed;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::normal::{Compare, form_of_note, has_note, same_sets};
use super::typed::OfKind;
use super::{AgentId, DesiredValue, FieldId, Kind, Note, Status, TagSet};

/// A value, by the kind of its field. In JSON: null, a text, an array of texts, or an array of notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// No value: no status, no agent, no such attribute. Sets and notes are empty instead.
    #[default]
    Absent,
    /// A status.
    Choice(Status),
    /// An agent.
    Reference(AgentId),
    /// Tags, sorted.
    Set(TagSet),
    /// The text of an attribute or of a contact value.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// Notes, in order.
    Notes(Vec<Note>),
}

static NO_TAGS: TagSet = TagSet::new();

impl Value {
    /// The value of a field that has none.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Set => Self::Set(TagSet::new()),
            Kind::Notes => Self::Notes(Vec::new()),
            Kind::Choice | Kind::Reference | Kind::KeyedText | Kind::Text | Kind::Boolean => {
                Self::Absent
            }
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Set(tags) => tags.is_empty(),
            Self::Notes(notes) => notes.is_empty(),
            Self::Choice(_) | Self::Reference(_) | Self::Text(_) | Self::Boolean(_) => false,
        }
    }

    /// The status, if it is one.
    pub fn choice(&self) -> Option<&Status> {
        match self {
            Self::Choice(status) => Some(status),
            Self::Absent
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Notes(_)
            | Self::Boolean(_) => None,
        }
    }

    /// The agent, if it is one.
    pub fn reference(&self) -> Option<&AgentId> {
        match self {
            Self::Reference(agent) => Some(agent),
            Self::Absent
            | Self::Choice(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Notes(_)
            | Self::Boolean(_) => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Notes(_)
            | Self::Boolean(_) => None,
        }
    }

    /// The tags; empty for another kind.
    pub fn set(&self) -> &TagSet {
        match self {
            Self::Set(tags) => tags,
            Self::Absent
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Text(_)
            | Self::Notes(_)
            | Self::Boolean(_) => &NO_TAGS,
        }
    }

    /// The notes; empty for another kind.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Notes(notes) => notes,
            Self::Absent
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => &[],
        }
    }

    /// Whether a lead with this value has what `wanted` declares: equal or, for notes, at least those. Texts are compared in the form
    /// that `compare` returns.
    pub fn holds(&self, wanted: &Self, compare: Compare) -> bool {
        match (wanted, self) {
            (Self::Notes(notes), _) => notes.iter().all(|note| has_note(self.notes(), note)),
            (Self::Set(wanted), Self::Set(tags)) => same_sets(wanted, tags),
            (Self::Text(wanted), Self::Text(text)) => {
                wanted == text || compare(wanted) == compare(text)
            }
            (
                Self::Absent
                | Self::Choice(_)
                | Self::Reference(_)
                | Self::Set(_)
                | Self::Text(_)
                | Self::Boolean(_),
                _,
            ) => self == wanted,
        }
    }

    /// The value with personal text replaced.
    pub fn map_text(&self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Text(text) => Self::Text(change(text)),
            Self::Absent
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Notes(_)
            | Self::Boolean(_) => self.clone(),
        }
    }

    /// The value without notes that are not declared: other notes in the inbox are ignored.
    pub fn declared_part(&self, declared: &[&DesiredValue]) -> Self {
        match self {
            Self::Notes(notes) => {
                let is_declared = |note: &&Note| {
                    let mut asked = declared.iter().flat_map(|desired| desired.notes());
                    asked.any(|asked| asked == *note || form_of_note(asked, note).is_some())
                };
                Self::Notes(notes.iter().filter(is_declared).cloned().collect())
            }
            Self::Absent
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => self.clone(),
        }
    }

    /// How it is displayed: as one text, or item by item.
    pub fn shown(&self) -> Shown<'_> {
        match self {
            Self::Absent => Shown::One(None),
            Self::Choice(status) => Shown::One(Some(status.as_str())),
            Self::Reference(agent) => Shown::Agent(agent),
            Self::Text(text) => Shown::One(Some(text)),
            Self::Boolean(value) => Shown::One(Some(if *value { "true" } else { "false" })),
            Self::Set(tags) => Shown::Tags(tags),
            Self::Notes(notes) => Shown::Notes(notes),
        }
    }

    /// Reads the value of a field of this kind from a plan's JSON; `None` if its type does not fit.
    pub fn from_json(kind: Kind, json: Json) -> Option<Self> {
        OfKind(kind).deserialize(json).ok()
    }

    /// The JSON Schema of a value of this kind in a plan.
    pub fn kind_schema(kind: Kind) -> Schema {
        match kind {
            Kind::Set => {
                json_schema!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true })
            }
            Kind::Notes => json_schema!({ "type": "array", "items": {
                "type": "object", "required": ["title", "description"], "additionalProperties": false,
                "properties": { "title": { "type": "string" }, "description": { "type": "string" } }
            } }),
            Kind::Boolean => json_schema!({ "type": ["boolean", "null"] }),
            Kind::Choice | Kind::Reference | Kind::KeyedText | Kind::Text => {
                json_schema!({ "type": ["string", "null"] })
            }
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut kinds: Vec<Schema> = Vec::new();
        for id in FieldId::all() {
            let schema = Self::kind_schema(id.spec().kind);
            if !kinds.contains(&schema) {
                kinds.push(schema);
            }
        }
        json_schema!({ "description": "A value, by the kind of its field.", "anyOf": kinds })
    }
}

/// The forms in which reports display values.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'v> {
    /// One text, or none.
    One(Option<&'v str>),
    /// An agent, by name if it has one.
    Agent(&'v AgentId),
    /// Tags.
    Tags(&'v TagSet),
    /// Notes.
    Notes(&'v [Note]),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Choice(status) => serializer.serialize_str(status.as_str()),
            Self::Reference(agent) => agent.serialize(serializer),
            Self::Set(tags) => tags.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Boolean(value) => value.serialize(serializer),
            Self::Notes(notes) => notes.serialize(serializer),
        }
    }
}
