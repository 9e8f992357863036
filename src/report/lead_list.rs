//! Declared leads in a list: for a terminal and for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::field_summary::shortest;
use super::style::{CHANGE, FAINT, STRONG, count, paint, visible};
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, Lead, LeadId, TagRule};
use crate::lead_file::emit::AgentNames;
use crate::plan::Source;
use crate::text::distinct_from;

/// Declared leads, and with the inbox beside them the leads that no file declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeadList {
    /// In the order of their uuids; those that no file declares come last.
    pub leads: Vec<ListedLead>,
}

/// One lead of a list. A value that the files do not manage is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedLead {
    /// Which.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// The agent's name in the workspace, its id where it has no name, or `none`.
    pub agent: Option<String>,
    /// The tags.
    pub tags: Option<ListedTags>,
    /// Why it is held.
    pub hold: Option<String>,
    /// Where it is declared; null where no file does.
    pub source: Option<Source>,
    /// What the inbox has, null where it does not list the lead; left out where the inbox was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Option<LiveValues>>,
}

/// What the files say of tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ListedTags {
    /// Exactly these.
    Exact(Vec<String>),
    /// These among others, and not those.
    Patch {
        /// Must be there.
        present: Vec<String>,
        /// Must not be there.
        absent: Vec<String>,
    },
}

/// A lead's values in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LiveValues {
    /// The status; null where there is none.
    pub status: Option<String>,
    /// The agent's name in the workspace, its id where it has no name, or `none`.
    pub agent: String,
    /// The tags, sorted.
    pub tags: Vec<String>,
}

impl LeadList {
    /// The declared leads.
    pub fn new(desired: &Desired, names: &AgentNames<'_>) -> Self {
        let leads = desired.iter().map(|(id, lead)| declared(id, lead, names));
        Self {
            leads: leads.collect(),
        }
    }

    /// With the inbox's values beside them, and after them the leads that no file declares.
    pub fn with_live(
        mut self,
        live: &BTreeMap<&LeadId, &Lead>,
        undeclared: &[(&LeadId, &Lead)],
        names: &AgentNames<'_>,
    ) -> Self {
        for lead in &mut self.leads {
            lead.live = Some(live.get(&lead.uuid).map(|live| shown(live, names)));
        }
        self.leads
            .extend(undeclared.iter().map(|(id, live)| ListedLead {
                uuid: (*id).clone(),
                label: None,
                status: None,
                agent: None,
                tags: None,
                hold: None,
                source: None,
                live: Some(Some(shown(live, names))),
            }));
        self
    }
}

fn declared(id: &LeadId, lead: &DesiredLead, names: &AgentNames<'_>) -> ListedLead {
    let value = |field: &Field| lead.get(field).map(|desired| &desired.value);
    let text = |field: &Field| value(field).and_then(|value| words(value, names));
    ListedLead {
        uuid: id.clone(),
        label: lead.label.as_deref().map(str::to_owned),
        status: text(&Field::STATUS),
        agent: text(&Field::AGENT),
        tags: value(&Field::TAGS)
            .and_then(DesiredValue::tag_rule)
            .map(ListedTags::new),
        hold: lead.hold.as_deref().map(str::to_owned),
        source: Some(Source::from(&lead.place)),
        live: None,
    }
}

/// A value that is one text.
pub(super) fn words(value: &DesiredValue, names: &AgentNames<'_>) -> Option<String> {
    match value {
        DesiredValue::Choice(status) => Some(status.to_string()),
        DesiredValue::Reference(agent) => Some(names.word(agent.as_ref())),
        DesiredValue::Text(text) => Some(text.clone()),
        DesiredValue::Boolean(value) => Some(value.to_string()),
        DesiredValue::Set(_) | DesiredValue::Notes(_) => None,
    }
}

fn shown(lead: &Lead, names: &AgentNames<'_>) -> LiveValues {
    LiveValues {
        status: lead.status().map(ToString::to_string),
        agent: names.word(lead.agent()),
        tags: lead.tags().iter().cloned().collect(),
    }
}

impl ListedTags {
    pub(super) fn new(rule: &TagRule) -> Self {
        match rule {
            TagRule::Exact(tags) => Self::Exact(tags.iter().cloned().collect()),
            TagRule::Patch { present, absent } => Self::Patch {
                present: present.iter().cloned().collect(),
                absent: absent.iter().cloned().collect(),
            },
        }
    }

    /// All tags that are named.
    fn all(&self) -> Vec<&str> {
        match self {
            Self::Exact(tags) => tags.iter().map(String::as_str).collect(),
            Self::Patch { present, absent } => {
                present.iter().chain(absent).map(String::as_str).collect()
            }
        }
    }

    /// In words; a tag that would look like one of `all` is set apart from it.
    fn words(&self, all: &[&str]) -> String {
        let shown = |tag: &String| distinct_from(tag, all.iter().copied());
        match self {
            Self::Exact(tags) if tags.is_empty() => "[]".to_owned(),
            Self::Exact(tags) => tags.iter().map(shown).collect::<Vec<_>>().join(", "),
            Self::Patch { present, absent } => {
                let present = present.iter().map(|tag| format!("+{}", shown(tag)));
                let absent = absent.iter().map(|tag| format!("-{}", shown(tag)));
                present.chain(absent).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// A list for a terminal, one lead a line. A live value stands in parentheses where it is not as declared.
pub fn lead_list(list: &LeadList) -> String {
    let ids = list.leads.iter().map(|lead| lead.uuid.as_str()).collect();
    let length = shortest(&ids);
    let mut rows: Vec<[String; 6]> =
        vec![["lead", "label", "status", "agent", "tags", "declared at"].map(str::to_owned)];
    rows.extend(list.leads.iter().map(|lead| row(lead, length)));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        let line = line.trim_end();
        let line = if at == 0 {
            paint(FAINT, line)
        } else {
            line.to_owned()
        };
        out.push_str(&line);
        out.push('\n');
    }
    let held = list.leads.iter().filter(|lead| lead.hold.is_some()).count();
    let held = if held == 0 {
        String::new()
    } else {
        format!(", {}", paint(CHANGE, format_args!("{held} held")))
    };
    out.push_str(&format!(
        "{}{held}\n",
        paint(STRONG, count(list.leads.len(), "lead"))
    ));
    out
}

fn row(lead: &ListedLead, length: usize) -> [String; 6] {
    let live = lead.live.as_ref().map(Option::as_ref);
    let id: String = lead.uuid.as_str().chars().take(length).collect();
    let label = lead.label.as_deref().map(visible).unwrap_or_default();
    let hold = lead.hold.as_deref().map(visible);
    let label = match hold {
        Some(reason) => format!("{label} [held: {reason}]").trim_start().to_owned(),
        None => label,
    };
    let beside = |declared: Option<String>, live: Option<String>| match (declared, live) {
        (Some(declared), Some(live)) if declared != live => format!("{declared} ({live})"),
        (Some(declared), _) => declared,
        (None, Some(live)) => format!("({live})"),
        (None, None) => String::new(),
    };
    let values = live.flatten();
    let status = values.map(|live| {
        live.status
            .as_deref()
            .map_or("no status".to_owned(), visible)
    });
    let agent = values.map(|live| visible(&live.agent));
    let live_tags = values.map(|live| ListedTags::Exact(live.tags.clone()));
    let named = lead.tags.iter().chain(&live_tags);
    let all: Vec<&str> = named.flat_map(ListedTags::all).collect();
    let tags = live_tags.as_ref().map(|tags| tags.words(&all));
    let place = match (&lead.source, live) {
        (Some(source), Some(None)) => format!("{source} (not in the inbox)"),
        (Some(source), _) => source.to_string(),
        (None, _) => "not declared".to_owned(),
    };
    [
        visible(&id),
        label,
        beside(lead.status.as_deref().map(visible), status),
        beside(lead.agent.as_deref().map(visible), agent),
        beside(lead.tags.as_ref().map(|tags| tags.words(&all)), tags),
        place,
    ]
}
