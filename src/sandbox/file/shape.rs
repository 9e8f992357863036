//! The schema of seeds and states, and the line of a place in one.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use schemars::{Schema, json_schema};
use serde_json::Value;

use super::super::choices::ChatKind;
use super::FORMAT_VERSION;
use crate::instance::{SchemaFault, Shape};
use crate::yaml::diagnostic::SourceFile;
use crate::yaml::{NodeId, NodeKind, Tree, parse};

static SEED: LazyLock<Shape> = LazyLock::new(|| Shape::new(&schema()));

/// The schema of a seed, which is that of a sandbox's state. Records are as the API lists them, with keys that nobody knows.
pub fn schema() -> Schema {
    let record = json_schema!({
        "type": "object",
        "description": "A record as the API lists it. `_id` and dates are made where they are left out.",
        "properties": { "uuid": { "type": "string", "description": "In quotes, where it looks like a number." } }
    });
    let list = json_schema!({ "type": ["array", "null"], "items": { "$ref": "#/$defs/record" } });
    let version =
        json_schema!({ "description": "The version of this format: 1.", "const": FORMAT_VERSION });
    let mut properties: serde_json::Map<String, Value> = ChatKind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), list.clone().to_value()))
        .collect();
    properties.insert("format_version".to_owned(), version.to_value());
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Convertalk sandbox seed",
        "description": "The chats of both lists, or a sequence of leads; also the state of a sandbox.",
        "type": ["object", "array", "null"],
        "properties": properties,
        "additionalProperties": false,
        "items": { "$ref": "#/$defs/record" },
        "$defs": { "record": record }
    })
}

/// Compares a seed or a state with the schema.
pub(super) fn check(document: &Value, text: &str, is_json: bool) -> Result<(), SchemaFault> {
    if is_json {
        return SEED.check(document, text);
    }
    let Some((place, problem)) = SEED.broken(document) else {
        return Ok(());
    };
    Err(SchemaFault {
        line: line_in_yaml(text, &place),
        place: Some(place),
        problem,
    })
}

fn line_in_yaml(text: &str, pointer: &str) -> u64 {
    let file = SourceFile {
        file: Arc::from("seed"),
        text,
    };
    let Some(tree) = parse(&file, &mut Vec::new()).filter(|tree| !tree.is_empty()) else {
        return 1;
    };
    let mut here = 0;
    for key in pointer.split('/').skip(1) {
        match member(&tree, here, key) {
            Some(value) => here = value,
            None => break,
        }
    }
    tree.span(here).line.into()
}

fn member(tree: &Tree<'_>, id: NodeId, key: &str) -> Option<NodeId> {
    match tree.kind(id) {
        NodeKind::Sequence(_) => tree.children(id).nth(key.parse().ok()?),
        NodeKind::Mapping { .. } => {
            let is_meant =
                |node: NodeId| matches!(tree.kind(node), NodeKind::Scalar(text, _) if text == key);
            let mut pairs = tree.pairs(id);
            pairs
                .find(|(name, _)| is_meant(*name))
                .map(|(_, value)| value)
        }
        NodeKind::Scalar(..) | NodeKind::Alias(_) => None,
    }
}

/// Whether a file is JSON, by its name.
pub(super) fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}
