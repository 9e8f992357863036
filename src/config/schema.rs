//! The JSON Schema of `convertalk.yaml`, derived from the types that read it. The functions below add what those types cannot express.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::raw::{Config, RawAgent};
use super::sign_in;
use crate::lead::Status;
use crate::lead::field_table::groups;
use crate::observe::TagShape;
use crate::policy::DriftPolicy;

/// The schema of `convertalk.yaml`.
pub fn workspace() -> Schema {
    root::<Config<'static>>()
}

fn root<T: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    if let Some(object) = schema.as_object_mut() {
        object.values_mut().for_each(drop_empty_defaults);
    }
    schema
}

/// Removes null from optional keys: editors would suggest the `null` that schemars adds.
fn drop_empty_defaults(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object
                .get("default")
                .is_some_and(|value| value.is_null() || *value == json!([]) || value.is_object())
            {
                object.remove("default");
            }
            object.values_mut().for_each(drop_empty_defaults);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_empty_defaults),
        _ => {}
    }
}

/// What the name of a header is made of.
const HEADER_NAME: &str = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";

/// Any scalar but null.
pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"] })
}

/// Text that is not blank.
pub(crate) fn filled(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"], "pattern": "\\S" })
}

/// Text that says why, and is not a mere yes or no.
pub(crate) fn reason(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "number"], "pattern": "\\S",
        "not": { "pattern": "^\\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])\\s*$" },
        "examples": ["migration until Friday"],
    })
}

pub(crate) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": 1 })
}

fn six() -> Vec<String> {
    Status::WRITABLE
        .iter()
        .map(|status| status.as_str().to_owned())
        .collect()
}

pub(crate) fn tag_list(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": filled(generator) })
}

pub(crate) fn globs(generator: &mut SchemaGenerator) -> Schema {
    let one = filled(generator);
    json_schema!({ "anyOf": [{ "type": "array", "items": one }, one, { "type": "null" }], "default": [super::DEFAULT_GLOB] })
}

pub(crate) fn agents(generator: &mut SchemaGenerator) -> Schema {
    let agent = generator.subschema_for::<RawAgent<'static>>();
    json_schema!({
        "type": ["object", "null"],
        "propertyNames": { "pattern": "\\S", "not": { "anyOf": [{ "const": "none" }, { "pattern": "^[0-9a-fA-F]{24}$" }] } },
        "additionalProperties": { "anyOf": [agent_id(generator), agent] },
        "examples": [{ "priya": "631aa793bcfa100487d13d0d", "rahul": { "id": "631aa793bcfa100487d13d0e", "max_leads": 60 } }],
    })
}

pub(crate) fn agent_id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number"], "pattern": "^\\s*[0-9a-fA-F]{24}\\s*$" })
}

pub(crate) fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number"], "pattern": "^\\s*[^\\s,]+\\s*$", "examples": ["63d9ffa77a8d152facbe2f00"] })
}

pub(crate) fn endpoint(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^\\s*([sS][aA][nN][dD][bB][oO][xX]|[hH][tT][tT][pP][sS]://[^\\s?#@]+\
            |[hH][tT][tT][pP]://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]+)?(/[^\\s?#]*)?)\\s*$",
        "examples": ["https://api.v7.convertalk.com", "sandbox"],
    })
}

pub(crate) fn timeout(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["number", "string"], "exclusiveMinimum": 0, "maximum": 86400, "pattern": "^\\s*[0-9]",
        "examples": [30, "500ms", "1m 30s"],
    })
}

pub(crate) fn notes_sent(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["auto", "all", "new"], "default": "auto" })
}

pub(crate) fn tag_shape(_: &mut SchemaGenerator) -> Schema {
    debug_assert_eq!(TagShape::default(), TagShape::Auto);
    json_schema!({ "enum": ["auto", "array", "string"], "default": "auto" })
}

pub(crate) fn unassign(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean", "null"], "default": "" })
}

pub(crate) fn header(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"], "pattern": HEADER_NAME })
}

pub(crate) fn auth(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["token", "bearer"], "default": "token" })
}

pub(crate) fn headers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["object", "null"],
        "propertyNames": { "pattern": HEADER_NAME, "not": { "pattern": sign_in::unusable_names_pattern() } },
        "additionalProperties": { "type": ["string", "number", "boolean"], "pattern": "^[ -~]*[!-~][ -~]*$" },
        "examples": [{ "authtype": "Key" }],
    })
}

pub(crate) fn max_changes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^\\s*([0-9]+|0*(100|[0-9]{1,2})\\s*%)\\s*$", "examples": [50, "20%"] })
}

pub(crate) fn drift(_: &mut SchemaGenerator) -> Schema {
    let word =
        json_schema!({ "enum": DriftPolicy::WORDS.map(|(word, _)| word), "default": "keep" });
    let fields: serde_json::Map<String, serde_json::Value> = groups()
        .map(|(name, _)| (name.to_owned(), word.clone().to_value()))
        .collect();
    json_schema!({
        "anyOf": [
            word,
            { "type": "object", "properties": fields, "additionalProperties": false },
        ],
        "examples": ["keep", { "status": "revert" }],
    })
}

pub(crate) fn side_effects(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = groups().map(|(name, _)| name).collect();
    json_schema!({ "type": "array", "items": { "enum": names }, "examples": [["status"]] })
}

pub(crate) fn statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "enum": six() } })
}

pub(crate) fn transitions(_: &mut SchemaGenerator) -> Schema {
    let side = format!("\\s*(\\*|{})\\s*", six().join("|"));
    json_schema!({ "type": "array", "items": { "type": "string", "pattern": format!("^{side}->{side}$") }, "examples": [["CLOSED -> *"]] })
}
