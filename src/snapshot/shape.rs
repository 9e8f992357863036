//! The schema of a snapshot's lines, and their reader.

use std::sync::LazyLock;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{FORMAT_VERSION, SnapshotLine};
use crate::instance::{OtherVersion, SchemaFault, Shape, check_version, parse, take};
use crate::lead::field_table::groups;
use crate::lead::{Field, Value};
use crate::observe::ChatType;

static LINE: LazyLock<Shape> = LazyLock::new(Shape::derived::<SnapshotLine>);

/// Why a line cannot be read.
pub(super) enum BadLine {
    Fault(SchemaFault),
    Version(OtherVersion),
}

impl From<SchemaFault> for BadLine {
    fn from(fault: SchemaFault) -> Self {
        Self::Fault(fault)
    }
}

/// Whether a line is of a lead of this list. Cheaper than reading the line.
pub(super) fn is_lead_of(text: &str, list: ChatType) -> bool {
    #[derive(Deserialize)]
    struct Listed {
        r#type: String,
        list: ChatType,
    }
    let line: Option<Listed> = serde_json::from_str(text).ok();
    line.is_some_and(|line| line.r#type == "lead" && line.list == list)
}

/// A line, which its schema takes.
pub(super) fn read_line(text: &str) -> Result<SnapshotLine, BadLine> {
    let document = parse(text)?;
    check_version(&document, FORMAT_VERSION).map_err(BadLine::Version)?;
    Ok(take(document, text, &LINE)?)
}

/// The fields of a lead, as in a lead file: values, or mappings of the members of a group.
pub(super) fn values_schema(_: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for (group, ids) in groups() {
        let mut members = Map::new();
        let mut schema = None;
        for id in ids.iter().copied() {
            let value = Value::kind_schema(id.spec().kind);
            match (Field::single(id), id.member()) {
                (Some(_), None) => schema = Some(value),
                (Some(_), Some(member)) => {
                    members.insert(member.to_owned(), value.to_value());
                }
                (None, _) => {
                    schema =
                        Some(json_schema!({ "type": "object", "additionalProperties": value }));
                }
            }
        }
        let members = || json_schema!({ "type": "object", "properties": members });
        properties.insert(group.to_owned(), schema.unwrap_or_else(members).to_value());
    }
    json_schema!({ "type": "object", "properties": Json::Object(properties) })
}
