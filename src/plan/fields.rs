//! The fields of a change, and their JSON: an object by the field's name, each with `before`, `after` and `line`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::diff::{Class, FieldChange, RedactionTag};
use crate::lead::{Field, Value};

/// The fields of a lead that differ, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<FieldChange>);

impl std::ops::Deref for Fields {
    type Target = [FieldChange];

    fn deref(&self) -> &[FieldChange] {
        &self.0
    }
}

#[derive(Serialize, Deserialize)]
struct Sides<T> {
    before: T,
    after: T,
    #[serde(default)]
    line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<Box<RedactionTag>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    intended: Option<T>,
}

/// `Option::default`, but without asking anything of the type.
fn none<T>() -> Option<T> {
    None
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Text(text) => text.serialize(serializer),
            Self::Tags(tags) => tags.serialize(serializer),
            Self::Notes(notes) => notes.serialize(serializer),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(sides))
    }
}

fn sides(change: &FieldChange) -> (String, Sides<&Value>) {
    let FieldChange {
        field,
        before,
        after,
        line,
        seal,
        class,
        intended,
    } = change;
    let (seal, intended) = (seal.clone(), intended.as_ref());
    (
        field.to_string(),
        Sides {
            before,
            after,
            line: *line,
            seal,
            class: *class,
            intended,
        },
    )
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map: BTreeMap<String, Sides<Json>> = BTreeMap::deserialize(deserializer)?;
        let mut changes = Vec::with_capacity(map.len());
        for (
            name,
            Sides {
                before,
                after,
                line,
                seal,
                class,
                intended,
            },
        ) in map
        {
            let field: Field = name.parse().map_err(D::Error::custom)?;
            let side = |json: Json| {
                field.value_of(json).ok_or_else(|| {
                    D::Error::custom(format!("`{name}` has a value of another type"))
                })
            };
            let (before, after, intended) =
                (side(before)?, side(after)?, intended.map(side).transpose()?);
            changes.push(FieldChange {
                field,
                before,
                after,
                line,
                seal,
                class,
                intended,
            });
        }
        changes.sort_by(|one, other| one.field.cmp(&other.field));
        Ok(Self(changes))
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let note = json_schema!({
            "type": "object", "required": ["title", "description"], "additionalProperties": false,
            "properties": { "title": { "type": "string" }, "description": { "type": "string" } }
        });
        let seal = json_schema!({
            "type": "object", "required": ["before", "after"], "additionalProperties": false,
            "properties": { "before": { "type": "string" }, "after": { "type": "string" } }
        });
        let sides = |value: Schema| {
            json_schema!({
                "type": "object", "required": ["before", "after"], "additionalProperties": false,
                "properties": { "before": value, "after": value, "line": { "type": "integer", "minimum": 0 }, "seal": seal,
                    "class": { "enum": ["intended", "drift", "conflict"] }, "intended": value }
            })
        };
        let text = sides(json_schema!({ "type": ["string", "null"] }));
        json_schema!({
            "type": "object",
            "description": "The fields that differ, by name: agents as ids, tags sorted, of notes those that are asked for.",
            "properties": {
                "status": text, "agent": text,
                "tags": sides(json_schema!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true })),
                "notes": sides(json_schema!({ "type": "array", "items": note })),
            },
            "patternProperties": { "^attributes\\.": text, "^contact\\.(name|email|phone|dial_code|picture)$": text },
            "additionalProperties": false
        })
    }
}
