//! What `set` changed, for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::lead_list::{ListedTags, words};
use crate::lead::{DesiredValue, Field, LeadId};
use crate::lead_file::Meaning;
use crate::lead_file::emit::AgentNames;
use crate::plan::Source;
use crate::redaction::Redaction;

/// What a run of `set` changed, or with `--dry-run` would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetReport {
    /// Whether the files are as they were.
    pub dry_run: bool,
    /// The leads that say something else, in the order of their uuids.
    pub leads: Vec<SetLead>,
    /// The files that declare them.
    pub files: Vec<SetFile>,
}

/// A lead that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetLead {
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// Its label from now on.
    pub label: Option<String>,
    /// Where it was declared; null where it is new to the files.
    pub source: Option<Source>,
    /// The fields that differ, by name; `label` and `hold` among them.
    pub fields: BTreeMap<String, SetSides>,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetSides {
    /// Null where the file did not say anything.
    pub before: Option<SetValue>,
    /// Null where the file says nothing any more.
    pub after: Option<SetValue>,
}

/// What a file says of a field. Contact values are masked; of notes, the titles are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SetValue {
    /// A status, an agent's name, a text.
    Text(String),
    /// Tags, or the titles of notes.
    Tags(ListedTags),
}

/// A file that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetFile {
    /// Relative to the workspace's folder.
    pub file: String,
    /// How many of its leads say something else.
    pub leads: usize,
}

/// The fields in which two declarations differ.
pub(crate) fn changed_fields(
    before: &Meaning,
    after: &Meaning,
    names: &AgentNames<'_>,
) -> BTreeMap<String, SetSides> {
    let (before, after) = (values(before, names), values(after, names));
    let fields = before.keys().chain(after.keys());
    let sides = fields
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| {
            let sides = SetSides {
                before: before.get(field).cloned(),
                after: after.get(field).cloned(),
            };
            (field.clone(), sides)
        });
    sides.collect()
}

fn values(lead: &Meaning, names: &AgentNames<'_>) -> BTreeMap<String, SetValue> {
    let text = |text: &str| SetValue::Text(text.to_owned());
    let mut made = BTreeMap::new();
    let texts = [("label", &lead.label), ("hold", &lead.hold)];
    for (key, value) in texts {
        made.extend(value.as_deref().map(|value| (key.to_owned(), text(value))));
    }
    for (field, value) in lead.fields.iter() {
        made.insert(field.to_string(), shown(field, value, names));
    }
    made
}

fn shown(field: &Field, value: &DesiredValue, names: &AgentNames<'_>) -> SetValue {
    match value {
        DesiredValue::Set(rule) => SetValue::Tags(ListedTags::new(rule)),
        DesiredValue::Notes(notes) => {
            let titles = notes.iter().map(|note| note.title.clone());
            SetValue::Tags(ListedTags::Exact(titles.collect()))
        }
        DesiredValue::Choice(_)
        | DesiredValue::Reference(_)
        | DesiredValue::Text(_)
        | DesiredValue::Boolean(_) => {
            let text = words(value, names).unwrap_or_default();
            SetValue::Text(Redaction::default().text(field.spec().privacy, &text))
        }
    }
}
