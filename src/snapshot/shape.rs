//! The schema of a snapshot's lines, and their reader.

use std::sync::LazyLock;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{FORMAT_VERSION, ShownLead, SnapshotLine};
use crate::instance::{OtherVersion, SchemaFault, Shape, check_version, parse, take_checked};
use crate::lead::field_table::groups;
use crate::lead::{Field, LeadId, Value};
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

/// A line, which its schema takes.
pub(super) fn read_line(text: &str) -> Result<SnapshotLine, BadLine> {
    let mut document = parse(text)?;
    check_version(&document, FORMAT_VERSION).map_err(BadLine::Version)?;
    LINE.check(&document, text)?;
    // Most lines are of leads. The reader of tagged types would copy each of their values.
    if let Some(lead) = take_lead(&mut document) {
        return Ok(SnapshotLine::Lead(Box::new(lead)));
    }
    Ok(take_checked(document)?)
}

/// The lead of a line that is of one.
fn take_lead(line: &mut Json) -> Option<ShownLead> {
    let line = line.as_object_mut()?;
    if line.get("type")? != "lead" {
        return None;
    }
    Some(ShownLead {
        uuid: LeadId::new(line.get("uuid")?.as_str()?),
        list: ChatType::deserialize(line.get("list")?).ok()?,
        updated: line.get("updated")?.as_i64()?,
        unreadable: match line.get("unreadable") {
            Some(names) => Vec::deserialize(names).ok()?,
            None => Vec::new(),
        },
        values: std::mem::take(line),
    })
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
