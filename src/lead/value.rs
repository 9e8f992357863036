//! A value of each kind: [`Value`] as the API shows it or as it is to be, and [`DesiredValue`] as a file asks for it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::normal::{Compare, has, has_note, same_sets};
use super::{AgentId, FieldId, Kind, Note, Status, TagRule};

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
    Set(BTreeSet<String>),
    /// The text of an attribute or of a contact value.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// Notes, in order.
    Notes(Vec<Note>),
}

static NO_TAGS: BTreeSet<String> = BTreeSet::new();

impl Value {
    /// The value of a field that has none.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Set => Self::Set(BTreeSet::new()),
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
    pub fn set(&self) -> &BTreeSet<String> {
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
                    declared
                        .iter()
                        .any(|desired| desired.notes().contains(note))
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

    /// Reads the value of a field of this kind from a plan's JSON; `None` if its type does not fit. The kind decides: an empty array
    /// may be tags or notes.
    pub fn from_json(kind: Kind, json: Json) -> Option<Self> {
        match kind {
            Kind::Set => serde_json::from_value(json).ok().map(Self::Set),
            Kind::Notes => serde_json::from_value(json).ok().map(Self::Notes),
            Kind::Boolean if json.is_null() => Some(Self::Absent),
            Kind::Boolean => json.as_bool().map(Self::Boolean),
            Kind::Choice => from_text(json, |text| Some(Self::Choice(Status::read(&text)))),
            Kind::Reference => from_text(json, |text| AgentId::parse(&text).map(Self::Reference)),
            Kind::KeyedText | Kind::Text => from_text(json, |text| Some(Self::Text(text))),
        }
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
    Tags(&'v BTreeSet<String>),
    /// Notes.
    Notes(&'v [Note]),
}

fn from_text(json: Json, read: impl FnOnce(String) -> Option<Value>) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Absent),
        Json::String(text) => read(text),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    }
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

/// What a file asks of a field, by the field's kind. A field that is not managed has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredValue {
    /// One of the six statuses that can be written.
    Choice(Status),
    /// An agent; `None`: no agent.
    Reference(Option<AgentId>),
    /// A set, or a change to one.
    Set(TagRule),
    /// A text in its normal form.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// Each of these is there, among others.
    Notes(Vec<Note>),
}

impl DesiredValue {
    /// These notes, each once.
    pub fn notes_once(notes: Vec<Note>) -> Self {
        Self::Notes(distinct(&notes))
    }

    /// Whether `live` is as asked. Most are, so nothing is made to find out.
    pub fn is_met(&self, live: &Value, compare: Compare) -> bool {
        match self {
            Self::Choice(status) => live.choice() == Some(status),
            Self::Reference(agent) => live.reference() == agent.as_ref(),
            Self::Set(TagRule::Exact(tags)) => same_sets(live.set(), tags),
            Self::Set(TagRule::Patch { present, absent }) => {
                let tags = live.set();
                present.iter().all(|tag| has(tags, tag)) && !absent.iter().any(|tag| has(tags, tag))
            }
            Self::Boolean(value) => *live == Value::Boolean(*value),
            Self::Text(wanted) => live
                .text()
                .is_some_and(|text| text == wanted || compare(text) == compare(wanted)),
            Self::Notes(notes) => notes.iter().all(|note| has_note(live.notes(), note)),
        }
    }

    /// Both sides of the difference; `None` where there is none.
    pub fn difference(&self, live: &Value) -> Option<(Value, Value)> {
        Some(self.sides(live)).filter(|(before, after)| before != after)
    }

    /// The value as it is and as it is to be. Of notes, both hold only those that are asked for.
    pub fn sides(&self, live: &Value) -> (Value, Value) {
        match self {
            Self::Notes(notes) => {
                let asked = distinct(notes);
                let there = asked.iter().filter(|note| has_note(live.notes(), note));
                (Value::Notes(there.cloned().collect()), Value::Notes(asked))
            }
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => (live.clone(), self.applied_to(live)),
        }
    }

    /// The value that is wanted of a lead that has `live`. Of notes: those that are asked for.
    pub fn applied_to(&self, live: &Value) -> Value {
        match self {
            Self::Choice(status) => Value::Choice(status.clone()),
            Self::Reference(agent) => agent.clone().map_or(Value::Absent, Value::Reference),
            Self::Set(rule) => Value::Set(rule.applied_to(live.set())),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Notes(notes) => Value::Notes(distinct(notes)),
        }
    }

    /// What a file says of a field that has just this value; `None` where no file can say it.
    pub fn exactly(value: &Value) -> Option<Self> {
        match value {
            Value::Absent => None,
            Value::Choice(Status::Other(_)) => None,
            Value::Choice(status) => Some(Self::Choice(status.clone())),
            Value::Reference(agent) => Some(Self::Reference(Some(agent.clone()))),
            Value::Set(tags) => Some(Self::Set(TagRule::Exact(tags.clone()))),
            Value::Text(text) => Some(Self::Text(text.clone())),
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Notes(notes) => Some(Self::Notes(distinct(notes))),
        }
    }

    /// The value that `live` satisfies, as near to this one as can be; `None` where no file can say it.
    ///
    /// A rule on tags keeps the tags that it names: one that must be present and is not becomes one that must be absent, and the other
    /// way round. Of notes those stay that are there.
    pub fn adopting(&self, live: &Value) -> Option<Self> {
        match self {
            Self::Reference(_) => Some(Self::Reference(live.reference().cloned())),
            Self::Set(TagRule::Patch { present, absent }) => {
                let named: BTreeSet<&String> = present.union(absent).collect();
                let is_live = |tag: &String| live.set().contains(tag);
                let (present, absent) = named.into_iter().cloned().partition(is_live);
                Some(Self::Set(TagRule::Patch { present, absent }))
            }
            Self::Notes(notes) => {
                let there = notes.iter().filter(|note| live.notes().contains(note));
                Some(Self::Notes(there.cloned().collect()))
            }
            Self::Choice(_) | Self::Set(TagRule::Exact(_)) | Self::Text(_) | Self::Boolean(_) => {
                Self::exactly(live)
            }
        }
    }

    /// Of the difference between `before` and `after`, the part that the files made since `base`; `None` where the value is one whole,
    /// so that only the whole can be intended.
    ///
    /// Of three sides of a tag, two always agree: there is no third value to fight over. With `base` `[a]`, `self` `[a, b]` and live
    /// [a, c], the tag b is intended, and c is drift: the intended part is [a, b, c].
    pub fn intended_part(
        &self,
        base: Option<&Self>,
        before: &Value,
        after: &Value,
    ) -> Option<Value> {
        match self {
            Self::Set(rule) => {
                let base = base.and_then(Self::tag_rule);
                let is_new =
                    |tag: &String| base.and_then(|base| base.wants(tag)) != rule.wants(tag);
                let (before, after) = (before.set(), after.set());
                let kept = before
                    .iter()
                    .filter(|tag| after.contains(*tag) || !is_new(tag));
                let added = after.difference(before).filter(|tag| is_new(tag));
                Some(Value::Set(kept.chain(added).cloned().collect()))
            }
            Self::Notes(_) => {
                let base = base.map(Self::notes).unwrap_or_default();
                let is_intended =
                    |note: &&Note| before.notes().contains(note) || !base.contains(note);
                let intended = after.notes().iter().filter(is_intended);
                Some(Value::Notes(intended.cloned().collect()))
            }
            Self::Choice(_) | Self::Reference(_) | Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    /// The rule on tags, where it is one.
    pub fn tag_rule(&self) -> Option<&TagRule> {
        match self {
            Self::Set(rule) => Some(rule),
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Text(_)
            | Self::Notes(_)
            | Self::Boolean(_) => None,
        }
    }

    /// The notes that are asked for; none where it is of another kind.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Notes(notes) => notes,
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => &[],
        }
    }

    /// Whether it asks for nothing: an empty list of notes.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Notes(notes) => notes.is_empty(),
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => false,
        }
    }
}

fn distinct(notes: &[Note]) -> Vec<Note> {
    let mut seen = BTreeSet::new();
    let first = notes.iter().filter(|note| seen.insert(*note));
    first.cloned().collect()
}
