//! The JSON Schema of lead files, made from the table of fields.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::value;
use crate::config::Workspace;
pub(crate) use crate::config::schema::{filled, text};
use crate::lead::field_table::groups;
use crate::lead::{FieldId, Kind};

/// The schema of lead files.
pub fn leads() -> Schema {
    let mut generator = SchemaGenerator::default();
    let note = json!({
        "description": "A note that must be there.",
        "type": "object",
        "properties": {
            "title": with_about("The headline.", filled(&mut generator).to_value()),
            "description": { "description": "The text, empty by default.", "type": ["string", "number", "boolean"], "default": "" },
        },
        "additionalProperties": false,
        "required": ["title"],
    });
    let defaults = lead(&mut generator, true);
    let lead = lead(&mut generator, false);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Convertalk lead file",
        "description": "A file of leads and what is wanted of them.",
        "type": "object",
        "properties": {
            "version": { "description": "The version of this format: 1.", "const": 1 },
            "defaults": {
                "description": "For every lead of this file that does not have a value of its own. Attributes merge key by key.",
                "anyOf": [{ "$ref": "#/$defs/Defaults" }, { "type": "null" }],
            },
            "leads": {
                "description": "The leads, by uuid.",
                "type": ["object", "null"],
                "propertyNames": { "minLength": 1, "maxLength": 200, "pattern": "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]+$" },
                "additionalProperties": { "anyOf": [{ "$ref": "#/$defs/Lead" }, { "type": "null" }] },
            },
        },
        "additionalProperties": false,
        "required": ["version"],
        "$defs": { "Lead": lead, "Defaults": defaults, "Note": note },
    });
    Schema::try_from(schema).unwrap_or_default()
}

fn lead(generator: &mut SchemaGenerator, in_defaults: bool) -> Value {
    let mut properties = Map::new();
    if !in_defaults {
        let label = with_about("For readers; never sent.", text(generator).to_value());
        properties.insert("label".to_owned(), label);
        let about =
            "Why the lead is held: nothing of it is written, and no difference counts as drift.";
        let hold = with_about(about, filled(generator).to_value());
        properties.insert("hold".to_owned(), hold);
    }
    for (name, ids) in groups() {
        if !in_defaults || ids.iter().all(|id| id.spec().in_defaults) {
            properties.insert(name.to_owned(), group(generator, ids));
        }
    }
    let about = "Allowed to be created where the API does not know it.";
    properties.insert(
        "create".to_owned(),
        with_about(about, json!({ "type": "boolean" })),
    );
    let about = if in_defaults {
        "What is wanted of every lead of a file that does not have a value of its own."
    } else {
        "What is wanted of one lead. A field that is not there is not managed."
    };
    let schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    with_about(about, schema)
}

fn group(generator: &mut SchemaGenerator, ids: &[FieldId]) -> Value {
    if let [id] = ids
        && id.member().is_none()
    {
        return with_about(id.spec().about, value::schema(*id, generator));
    }
    let members: Map<String, Value> = ids
        .iter()
        .filter_map(|id| Some((id.member()?.to_owned(), value::schema(*id, generator))))
        .collect();
    let schema = json!({ "type": "object", "properties": members, "additionalProperties": false });
    with_about("Any of these; others are left alone.", schema)
}

fn with_about(about: &str, mut schema: Value) -> Value {
    schema["description"] = json!(about);
    schema
}

/// The schema of lead files, with this workspace's agents and tags in it: editors complete them.
pub fn leads_for(workspace: &Workspace) -> Schema {
    let mut schema = leads();
    let names: Vec<&str> = workspace
        .agents
        .keys()
        .map(String::as_str)
        .chain(["none"])
        .collect();
    let agent = json!({ "anyOf": [{ "enum": names }, { "pattern": "^\\s*[0-9a-fA-F]{24}\\s*$" }] });
    let tags = workspace.policy.tags.as_ref();
    let tags = tags.map(|rule| json!({ "enum": rule.value }));
    for definition in ["Lead", "Defaults"] {
        let Some(properties) = schema.pointer_mut(&format!("/$defs/{definition}/properties"))
        else {
            continue;
        };
        for id in FieldId::all() {
            let path = format!("/{}", id.spec().name.replace('.', "/properties/"));
            let property = properties.pointer_mut(&path);
            if id.spec().kind == Kind::Reference {
                narrow(property, &agent);
            } else if id.spec().kind == Kind::Set {
                narrow_tags(property, tags.as_ref());
            }
        }
    }
    schema
}

fn narrow_tags(schema: Option<&mut Value>, tags: Option<&Value>) {
    let (Some(schema), Some(tags)) = (schema, tags) else {
        return;
    };
    for list in [
        "/anyOf/0",
        "/anyOf/1/properties/present",
        "/anyOf/1/properties/absent",
    ] {
        narrow(schema.pointer_mut(&format!("{list}/items")), tags);
    }
}

fn narrow(schema: Option<&mut Value>, by: &Value) {
    if let (Some(Value::Object(schema)), Value::Object(by)) = (schema, by) {
        schema.extend(by.clone());
    }
}
