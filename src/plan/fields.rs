//! The fields of a change, and their JSON: an object by the field's name, each with `before`, `after` and `line`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::diff::{Class, FieldChange, RedactionTag, Side, TagPatch};
use crate::lead::{Field, FieldId, Kind, Value};

/// The fields of a lead that differ, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<FieldChange>);

impl std::ops::Deref for Fields {
    type Target = [FieldChange];

    fn deref(&self) -> &[FieldChange] {
        &self.0
    }
}

impl Fields {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patch: Option<Box<TagPatch>>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    intended: Option<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken: Option<Side>,
}

/// `Option::default`, without a bound on the type.
fn none<T>() -> Option<T> {
    None
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
        patch,
        intended,
        taken,
    } = change;
    let (seal, patch, intended) = (seal.clone(), patch.clone(), intended.as_ref());
    (
        field.to_string(),
        Sides {
            before,
            after,
            line: *line,
            seal,
            class: *class,
            patch,
            intended,
            taken: *taken,
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
                patch,
                intended,
                taken,
            },
        ) in map
        {
            let field: Field = name.parse().map_err(D::Error::custom)?;
            let side = |json: Json| {
                Value::from_json(field.kind(), json).ok_or_else(|| {
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
                patch,
                intended,
                taken,
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
        let seal = json_schema!({
            "type": "object", "required": ["before", "after"], "additionalProperties": false,
            "properties": { "before": { "type": "string" }, "after": { "type": "string" } }
        });
        let tags =
            json_schema!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
        let patch = json_schema!({
            "type": "object", "required": ["present", "absent"], "additionalProperties": false,
            "description": "Of tags that are wanted beside others: those that the change is about.",
            "properties": { "present": tags, "absent": tags }
        });
        let sides = |value: Schema| {
            json_schema!({
                "type": "object", "required": ["before", "after"], "additionalProperties": false,
                "properties": { "before": value, "after": value, "line": { "type": "integer", "minimum": 0 }, "seal": seal,
                    "class": { "enum": ["intended", "drift", "conflict"] }, "intended": value,
                    "taken": { "enum": ["live", "file"] } }
            })
        };
        let mut properties = serde_json::Map::new();
        let mut patterns = serde_json::Map::new();
        for id in FieldId::all() {
            let (name, kind) = (id.spec().name, id.spec().kind);
            let mut schema = sides(Value::kind_schema(kind)).to_value();
            if kind == Kind::Set {
                schema["properties"]["patch"] = patch.clone().to_value();
            }
            if kind == Kind::KeyedText {
                patterns.insert(format!("^{name}\\."), schema);
            } else {
                properties.insert(name.to_owned(), schema);
            }
        }
        json_schema!({
            "type": "object",
            "description": "The fields that differ, by name: agents as ids, tags sorted, of notes those that are asked for.",
            "properties": properties,
            "patternProperties": patterns,
            "additionalProperties": false
        })
    }
}
