//! The schema of a snapshot's lines, and their reader.

use std::sync::LazyLock;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value as Json};

use super::lead_line::LeadLine;
use super::{FORMAT_VERSION, SnapshotLine};
use crate::instance::{OtherVersion, SchemaFault, Shape, check_version, parse, take_checked};
use crate::lead::field_table::groups;
use crate::lead::{Field, Value};

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

/// A line as it is read.
pub(super) enum ReadLine {
    Lead(LeadLine),
    /// A line of another type.
    Other(SnapshotLine),
}

/// A line, which its schema takes.
pub(super) fn read_line(text: &str) -> Result<ReadLine, BadLine> {
    if let Ok(lead) = serde_json::from_str(text) {
        return Ok(ReadLine::Lead(lead));
    }
    let document = parse(text)?;
    check_version(&document, FORMAT_VERSION).map_err(BadLine::Version)?;
    LINE.check(&document, text)?;
    if document.get("type").is_some_and(|name| name == "lead") {
        return Ok(ReadLine::Lead(take_checked(document)?));
    }
    Ok(ReadLine::Other(take_checked(document)?))
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Values of every kind that JSON has; also those that a field of another kind would take.
    const VALUES: [&str; 23] = [
        "null",
        "true",
        "7",
        "-1.5",
        "1e3",
        "9223372036854775808",
        r#""""#,
        r#""OPEN""#,
        r#""lead""#,
        r#""non-lead""#,
        r#""63d9ffa77a8d152facbe2f00""#,
        r#""caf\u00e9 \ud83d\ude00""#,
        "[]",
        "{}",
        r#"["a","b"]"#,
        r#"["a","a"]"#,
        r#"["status","tags"]"#,
        r#"["agent"]"#,
        r#"[{"title":"t","description":"d"}]"#,
        r#"[{"title":"t","description":"d","more":1}]"#,
        r#"[["t","d"]]"#,
        r#"{"name":"x","name":null,"email":null,"no":[1]}"#,
        r#"{"tier":"gold","tier":"","x":null}"#,
    ];

    const KEYS: [&str; 12] = [
        "type",
        "uuid",
        "list",
        "updated",
        "unreadable",
        "status",
        "agent",
        "tags",
        "contact",
        "attributes",
        "notes",
        "other",
    ];

    /// A line that is right, but for some entries.
    fn line() -> impl Strategy<Value = String> {
        let changes = vec((select(&KEYS[..]), select(&VALUES[..])), 0..6);
        (changes, any::<bool>()).prop_map(|(changes, twice)| {
            let mut entries = vec![
                ("type", r#""lead""#),
                ("uuid", r#""a\u0062""#),
                ("list", r#""lead""#),
                ("updated", "5"),
                ("contact", r#"{"name":"N. N.","phone":null}"#),
            ];
            for (key, value) in changes {
                match entries.iter_mut().find(|(other, _)| *other == key) {
                    Some(entry) if !twice => entry.1 = value,
                    Some(_) | None => entries.push((key, value)),
                }
            }
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", entries.join(","))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_in_one_pass_is_what_the_schema_takes(text in line()) {
            if let Ok(lead) = serde_json::from_str::<LeadLine>(&text) {
                let document = parse(&text).expect("JSON");
                prop_assert_eq!(LINE.broken(&document), None, "{}", text);
                prop_assert_eq!(take_checked::<LeadLine>(document), Ok(lead), "{}", text);
            }
        }
    }

    #[test]
    fn a_line_as_it_is_written_is_read_in_one_pass() {
        let line = r#"{"type":"lead","uuid":"a","list":"non-lead","updated":5,"agent":null,"status":"OPEN","tags":["vip"],"attributes":{"tier":"gold"},"notes":[{"title":"t","description":""}]}"#;
        let lead: LeadLine = serde_json::from_str(line).expect("a lead");
        assert_eq!(lead.lead.values().count(), 4);
    }
}
