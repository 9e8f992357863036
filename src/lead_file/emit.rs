//! New lead files: values in, text out.
//!
//! Takes the desired values of each lead, and returns a file in the canonical layout that reads back as the same values. Also how one value is
//! written, in a block or on a line, for those who put it into a file that is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lead::{AgentId, DesiredValue, Field, LeadId};
use crate::lead_file::raw::lead_keys;
use crate::lead_file::value::to_yaml;
use crate::policy::Agent;
use crate::yaml::format::{LayoutRules, layout};
use crate::yaml::quote::{ScalarContext, scalar};
use crate::yaml::value::{YamlValue, block_entry};

/// What a new file says of a lead.
#[derive(Debug, Clone, Default)]
pub struct NewLead {
    /// For readers.
    pub label: Option<String>,
    /// What is wanted of it, in the fields' order.
    pub fields: Vec<(Field, DesiredValue)>,
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

    /// The ids that have a name.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'w AgentId> {
        self.0.keys().copied()
    }

    /// The word that lead files have for an agent: its name, its id, or `none`.
    pub(crate) fn word(&self, agent: Option<&AgentId>) -> String {
        agent
            .map_or("none", |id| self.name(id).unwrap_or(id.as_str()))
            .to_owned()
    }
}

/// A new file. `defaults` is for every lead that does not have a value of its own; `schema` is where the file's JSON Schema is, seen from the
/// file.
pub fn file(
    leads: &BTreeMap<LeadId, NewLead>,
    defaults: &[(Field, DesiredValue)],
    names: &AgentNames<'_>,
    schema: Option<&str>,
) -> String {
    let mut made = String::new();
    if let Some(schema) = schema {
        made.push_str(&format!("# yaml-language-server: $schema={schema}\n"));
    }
    made.push_str("version: 1\n");
    if !defaults.is_empty() {
        let all = YamlValue::Map(entries(defaults, names));
        made.push_str(&block_entry("defaults", &all, "", "\n"));
        made.push('\n');
    }
    made.push_str("\nleads:");
    made.push_str(if leads.is_empty() { " {}\n" } else { "\n" });
    for (number, (id, lead)) in leads.iter().enumerate() {
        if number > 0 {
            made.push('\n');
        }
        let key = scalar(id.as_str(), ScalarContext::Flow);
        if lead.label.is_none() && lead.fields.is_empty() {
            made.push_str(&format!("  {key}: {{}}\n"));
            continue;
        }
        made.push_str(&format!("  {key}:\n"));
        let label = lead
            .label
            .as_ref()
            .map(|label| ("label".to_owned(), YamlValue::Text(label.clone())));
        for (key, form) in label.into_iter().chain(entries(&lead.fields, names)) {
            made.push_str("    ");
            made.push_str(&block_entry(&key, &form, "    ", "\n"));
            made.push('\n');
        }
    }
    // Long texts are folded.
    match layout(&Arc::from("new.yaml"), &made, &layout_rules()) {
        Ok(laid_out) => laid_out.text,
        Err(_) => made,
    }
}

/// The keys of a lead and their values.
pub(crate) fn entries(
    fields: &[(Field, DesiredValue)],
    names: &AgentNames<'_>,
) -> Vec<(String, YamlValue)> {
    let mut entries: Vec<(String, YamlValue)> = Vec::new();
    for (field, value) in fields {
        let (group, member) = field.path();
        let value = to_yaml(value, names);
        let Some(member) = member else {
            entries.push((group.to_owned(), value));
            continue;
        };
        let member = (member.to_owned(), value);
        match entries.iter_mut().find(|(key, _)| key == group) {
            Some((_, YamlValue::Map(members))) => members.push(member),
            Some(_) | None => entries.push((group.to_owned(), YamlValue::Map(vec![member]))),
        }
    }
    entries.sort_by_key(|(key, _)| rank(key));
    entries
}

/// The layout of lead files.
pub fn layout_rules() -> LayoutRules {
    let lead = || LayoutRules {
        order: lead_keys(false).to_vec(),
        ..LayoutRules::default()
    };
    let leads = LayoutRules {
        separated: true,
        below: vec![(None, lead())],
        ..LayoutRules::default()
    };
    LayoutRules {
        below: vec![(Some("leads"), leads), (Some("defaults"), lead())],
        ..LayoutRules::default()
    }
}

/// A key's place in a lead. Keys that are none of a lead's come last, `<<` first.
pub(crate) fn rank(key: &str) -> usize {
    if key == "<<" {
        0
    } else {
        lead_keys(false)
            .iter()
            .position(|known| *known == key)
            .map_or(usize::MAX, |at| at + 1)
    }
}
