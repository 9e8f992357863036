//! New lead files: values in, text out.
//!
//! Given what is wanted of each lead; hands on a file in the canonical layout that reads back as just that. Also how one value is
//! written, in a block or on a line, for those who put it into a file that is there.

use std::collections::BTreeMap;

use crate::lead::{AgentId, LeadId, Note, TagRule, Wanted};
use crate::policy::Agent;
use crate::yaml::quote::{ScalarContext, scalar};
use crate::yaml::value::{YamlValue, block_entry};

/// What a new file says of a lead.
#[derive(Debug, Clone, Default)]
pub struct NewLead {
    /// For readers.
    pub label: Option<String>,
    /// What is wanted of it, in the fields' order.
    pub wanted: Vec<Wanted>,
}

/// The names that a workspace has for agents' ids. Where an id has two, the first in order.
#[derive(Debug, Clone, Default)]
pub struct AgentNames<'w>(BTreeMap<&'w AgentId, &'w str>);

impl<'w> AgentNames<'w> {
    /// Of a workspace's agents.
    pub fn new(agents: &'w BTreeMap<String, Agent>) -> Self {
        Self(
            agents
                .iter()
                .rev()
                .map(|(name, agent)| (&agent.id, name.as_str()))
                .collect(),
        )
    }

    /// The name, where there is one.
    pub fn name(&self, id: &AgentId) -> Option<&'w str> {
        self.0.get(id).copied()
    }

    fn word(&self, agent: Option<&AgentId>) -> String {
        agent
            .map_or("none", |id| self.name(id).unwrap_or(id.as_str()))
            .to_owned()
    }
}

/// A new file. `schema` is where its JSON Schema is, seen from the file.
pub fn file(
    leads: &BTreeMap<LeadId, NewLead>,
    names: &AgentNames<'_>,
    schema: Option<&str>,
) -> String {
    let mut made = String::new();
    if let Some(schema) = schema {
        made.push_str(&format!("# yaml-language-server: $schema={schema}\n"));
    }
    made.push_str("version: 1\n\nleads:");
    made.push_str(if leads.is_empty() { " {}\n" } else { "\n" });
    for (number, (id, lead)) in leads.iter().enumerate() {
        if number > 0 {
            made.push('\n');
        }
        made.push_str(&format!(
            "  {}:\n",
            scalar(id.as_str(), ScalarContext::Flow)
        ));
        let label = lead
            .label
            .as_ref()
            .map(|label| ("label".to_owned(), YamlValue::Text(label.clone())));
        for (key, form) in label.into_iter().chain(forms(&lead.wanted, names)) {
            made.push_str("    ");
            made.push_str(&block_entry(&key, &form, "    ", "\n"));
            made.push('\n');
        }
    }
    made
}

/// The keys of a lead and their values.
pub(crate) fn forms(wanted: &[Wanted], names: &AgentNames<'_>) -> Vec<(String, YamlValue)> {
    let text = |text: &str| YamlValue::Text(text.to_owned());
    let mut made: Vec<(String, YamlValue)> = Vec::new();
    let (mut attributes, mut contact) = (Vec::new(), Vec::new());
    for one in wanted {
        let (key, form) = match one {
            Wanted::Attribute(key, value) => {
                attributes.push((key.clone(), text(value)));
                continue;
            }
            Wanted::Contact(field, value) => {
                contact.push((field.as_str().to_owned(), text(value)));
                continue;
            }
            Wanted::Status(status) => ("status", text(status.as_str())),
            Wanted::Agent(agent) => ("agent", YamlValue::Text(names.word(agent.as_ref()))),
            Wanted::Tags(rule) => ("tags", tags(rule)),
            Wanted::Notes(notes) => ("notes", YamlValue::List(notes.iter().map(note).collect())),
        };
        made.push((key.to_owned(), form));
    }
    for (key, entries) in [("attributes", attributes), ("contact", contact)] {
        if !entries.is_empty() {
            made.push((key.to_owned(), YamlValue::Map(entries)));
        }
    }
    made.sort_by_key(|(key, _)| rank(key));
    made
}

fn note(note: &Note) -> YamlValue {
    let said = [("title", &note.title), ("description", &note.description)];
    let said = said
        .into_iter()
        .filter(|(key, text)| *key == "title" || !text.is_empty());
    YamlValue::Map(
        said.map(|(key, text)| (key.to_owned(), YamlValue::Text(text.clone())))
            .collect(),
    )
}

fn tags(rule: &TagRule) -> YamlValue {
    let list = |tags: &std::collections::BTreeSet<String>| {
        YamlValue::List(tags.iter().cloned().map(YamlValue::Text).collect())
    };
    match rule {
        TagRule::Exact(tags) => list(tags),
        TagRule::Patch { present, absent } => {
            let both = [("present", present), ("absent", absent)];
            let said = both.into_iter().filter(|(_, tags)| !tags.is_empty());
            YamlValue::Map(
                said.map(|(key, tags)| (key.to_owned(), list(tags)))
                    .collect(),
            )
        }
    }
}

/// A key's place in a lead. Keys that are none of a lead's come last, `<<` first.
pub(crate) fn rank(key: &str) -> usize {
    if key == "<<" {
        0
    } else {
        crate::lead_file::raw::LEAD
            .iter()
            .position(|known| *known == key)
            .map_or(usize::MAX, |at| at + 1)
    }
}
