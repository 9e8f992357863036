//! Declared leads as a sheet.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::LIVE;
use super::cell::{CLEARED, of_tags, text};
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, Kind, LeadId, TagRule};
use crate::lead_file::emit::AgentNames;
use crate::observe::{Leads, Observed};

/// The columns of every sheet but for attributes, in order.
const FIRST: [&str; 5] = ["uuid", "label", "status", "agent", "tags"];

/// A sheet of these leads: a row for each, with a column for every attribute that any of them declares. With `live`, the inbox's values
/// stand beside, and leads that no file declares have rows, too.
///
/// # Errors
/// None that a lead can cause.
pub fn write(
    desired: &Desired,
    names: &AgentNames<'_>,
    live: Option<&Leads>,
    undeclared: &[(&LeadId, &Observed)],
) -> Result<Vec<u8>, csv::Error> {
    let keys: BTreeSet<&Field> = desired.values().flat_map(keyed).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = FIRST.iter().map(|name| (*name).to_owned()).collect();
    header.extend(keys.iter().map(|field| text(&field.to_string())));
    header.push("hold".to_owned());
    if live.is_some() {
        header.extend(["status", "agent", "tags"].map(|name| format!("{LIVE}{name}")));
    }
    writer.write_record(&header)?;
    for (id, lead) in desired {
        let mut row = declared(id, lead, &keys, names);
        if let Some(live) = live {
            row.extend(shown(live.get(id).map(Arc::as_ref), names));
        }
        writer.write_record(&row)?;
    }
    for (id, lead) in undeclared {
        let mut row = vec![text(id.as_str())];
        row.resize(FIRST.len() + keys.len() + 1, String::new());
        row.extend(shown(Some(lead), names));
        writer.write_record(&row)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// The fields of texts by key: a column for each.
fn keyed(lead: &DesiredLead) -> impl Iterator<Item = &Field> {
    let fields = lead.fields.iter().map(|desired| &desired.field);
    fields.filter(|field| field.kind() == Kind::KeyedText)
}

fn declared(
    id: &LeadId,
    lead: &DesiredLead,
    keys: &BTreeSet<&Field>,
    names: &AgentNames<'_>,
) -> Vec<String> {
    let cell = |field: &Field| {
        let desired = lead.get(field);
        desired
            .map(|desired| of_value(&desired.value, names))
            .unwrap_or_default()
    };
    let label = lead.label.as_deref().map(text).unwrap_or_default();
    let mut row = vec![text(id.as_str()), label];
    row.extend([Field::STATUS, Field::AGENT, Field::TAGS].iter().map(cell));
    row.extend(keys.iter().map(|field| cell(field)));
    row.push(lead.hold.as_deref().map(text).unwrap_or_default());
    row
}

fn of_value(value: &DesiredValue, names: &AgentNames<'_>) -> String {
    match value {
        DesiredValue::Choice(status) => status.as_str().to_owned(),
        DesiredValue::Reference(agent) => text(&names.word(agent.as_ref())),
        DesiredValue::Set(rule) => of_tags(rule),
        // An empty cell says nothing, and this value is declared.
        DesiredValue::Text(value) if value.is_empty() => CLEARED.to_owned(),
        DesiredValue::Text(value) => text(value),
        DesiredValue::Boolean(value) => value.to_string(),
        DesiredValue::Notes(_) => String::new(),
    }
}

/// What the inbox has; nothing of a value that cannot be read.
fn shown(seen: Option<&Observed>, names: &AgentNames<'_>) -> [String; 3] {
    let Some(Observed {
        lead, unreadable, ..
    }) = seen
    else {
        return Default::default();
    };
    let status = lead.status().map(|status| text(status.as_str()));
    let is_read = |field: &Field| !unreadable.has(field.id());
    let tags = is_read(&Field::TAGS).then(|| of_tags(&TagRule::Exact(lead.tags().clone())));
    [
        status.unwrap_or_default(),
        text(&names.word(lead.agent())),
        tags.unwrap_or_default(),
    ]
}
