//! Writing a snapshot: each lead with what it may show.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{FORMAT_VERSION, ShownLead, SnapshotHeader, SnapshotLine};
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, FieldId, LeadId, Privacy, Value};
use crate::observe::{ChatType, Live, Observed};
use crate::plan::Target;
use crate::redaction::Redaction;

/// Writes a listing, redacted, with the fields that rules match; returns the number of leads.
///
/// # Errors
/// `out` cannot be written.
pub fn write(
    out: &mut dyn Write,
    live: &Live,
    desired: &Desired,
    ruled: &[Field],
    target: Target,
    names: Redaction,
    created_at: String,
) -> io::Result<u64> {
    let declared = desired.values().flat_map(|lead| &lead.fields);
    let fields = declared.map(|desired| &desired.field).chain(ruled);
    let keys = fields.filter_map(|field| field.key().map(str::to_owned));
    let attributes = (names != Redaction::Full).then(|| keys.collect());
    let tool_version = env!("CARGO_PKG_VERSION").to_owned();
    let head = SnapshotHeader {
        format_version: FORMAT_VERSION,
        tool_version,
        created_at,
        target,
        names,
        attributes,
    };
    line(out, &SnapshotLine::Snapshot(head.clone()))?;
    let mut leads = 0;
    for (id, seen) in &live.leads {
        line(
            out,
            &SnapshotLine::Lead(Box::new(shown(id, seen, desired.get(id), &head))),
        )?;
        leads += 1;
    }
    for (uuid, reason) in &live.unreadable {
        let (uuid, reason) = (uuid.clone(), reason.clone());
        line(out, &SnapshotLine::Unreadable { uuid, reason })?;
    }
    line(out, &SnapshotLine::End { leads })?;
    Ok(leads)
}

fn line(out: &mut dyn Write, line: &SnapshotLine) -> io::Result<()> {
    out.write_all(crate::json::line(line)?.as_bytes())?;
    out.write_all(b"\n")
}

fn shown(
    id: &LeadId,
    seen: &Observed,
    declared: Option<&DesiredLead>,
    head: &SnapshotHeader,
) -> ShownLead {
    let mut values = Map::new();
    for id in FieldId::all().filter(|id| id.spec().privacy == Privacy::Public) {
        // Public fields are always included, so that each line shows which of them the lead has.
        values.insert(
            id.spec().name.to_owned(),
            json!(Value::empty(id.spec().kind)),
        );
    }
    for (field, value) in seen.lead.values() {
        let desired = declared.and_then(|lead| lead.get(field));
        if let Some(value) = shown_value(field, value, desired.map(|desired| &desired.value), head)
        {
            insert(&mut values, field, json!(value));
        }
    }
    ShownLead {
        uuid: id.clone(),
        list: seen.seen.map_or(ChatType::Lead, |seen| seen.list),
        updated: seen.updated,
        unreadable: FieldId::all()
            .filter(|id| seen.unreadable.has(*id))
            .map(|id| id.spec().name.to_owned())
            .collect(),
        values,
    }
}

/// The part of a value that the snapshot may contain.
fn shown_value(
    field: &Field,
    value: &Value,
    desired: Option<&DesiredValue>,
    head: &SnapshotHeader,
) -> Option<Value> {
    if head.names == Redaction::Full {
        return Some(value.clone());
    }
    match field.spec().privacy {
        Privacy::Public => Some(value.clone()),
        Privacy::Declared => {
            let is_declared = field.key().is_none_or(|key| head.holds_key(key));
            let declared: Vec<&DesiredValue> = desired.into_iter().collect();
            let part = is_declared.then(|| value.declared_part(&declared));
            part.filter(|part| !part.is_empty())
        }
        Privacy::Name | Privacy::Email | Privacy::Personal => {
            let is_declared =
                desired.is_some_and(|desired| desired.is_met(value, field.spec().compare));
            Some(if is_declared {
                value.clone()
            } else {
                head.names.value(field, value)
            })
        }
    }
}

fn insert(values: &mut Map<String, Json>, field: &Field, value: Json) {
    let (group, member) = field.path();
    match member {
        None => drop(values.insert(group.to_owned(), value)),
        Some(member) => {
            let place = values.entry(group).or_insert_with(|| json!({}));
            place[member] = value;
        }
    }
}
