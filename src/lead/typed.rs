//! The value of a field from JSON: [`OfKind`], a reader that takes what the schema of the kind takes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use serde_json::Value as Json;

use super::{AgentId, Kind, Note, Status, TagSet, Value};

/// What a value that is not one of the field's kind is refused with.
pub(crate) const NO_VALUE: &str = "a value does not fit its field";

/// Reads a value of a kind, as [`Value::kind_schema`] describes it. The kind decides: an empty array may be tags or notes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfKind(pub(crate) Kind);

impl<'de> DeserializeSeed<'de> for OfKind {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfKind {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_VALUE)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        match self.0 {
            Kind::Set | Kind::Notes => Err(E::custom(NO_VALUE)),
            Kind::Choice | Kind::Reference | Kind::KeyedText | Kind::Text | Kind::Boolean => {
                Ok(Value::Absent)
            }
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        match self.0 {
            Kind::Boolean => Ok(Value::Boolean(value)),
            Kind::Set
            | Kind::Notes
            | Kind::Choice
            | Kind::Reference
            | Kind::KeyedText
            | Kind::Text => Err(E::custom(NO_VALUE)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        match self.0 {
            Kind::Choice => Ok(Value::Choice(Status::read(text))),
            Kind::Reference => AgentId::parse(text)
                .map(Value::Reference)
                .ok_or_else(|| E::custom(NO_VALUE)),
            Kind::KeyedText | Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Set | Kind::Notes | Kind::Boolean => Err(E::custom(NO_VALUE)),
        }
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        match self.0 {
            Kind::Set => {
                let mut tags: Vec<String> = Vec::new();
                while let Some(tag) = items.next_element()? {
                    tags.push(tag);
                }
                let number = tags.len();
                let set = TagSet::from(tags);
                if set.len() == number {
                    Ok(Value::Set(set))
                } else {
                    Err(A::Error::custom(NO_VALUE))
                }
            }
            Kind::Notes => {
                let mut notes = Vec::new();
                while let Some(note) = items.next_element()? {
                    notes.push(read_note(note).ok_or_else(|| A::Error::custom(NO_VALUE))?);
                }
                Ok(Value::Notes(notes))
            }
            Kind::Choice | Kind::Reference | Kind::KeyedText | Kind::Text | Kind::Boolean => {
                Err(A::Error::custom(NO_VALUE))
            }
        }
    }
}

/// A note: both texts, and nothing else.
fn read_note(json: Json) -> Option<Note> {
    let is_note = json.as_object().is_some_and(|texts| texts.len() == 2);
    is_note.then(|| serde_json::from_value(json).ok()).flatten()
}
