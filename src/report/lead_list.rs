//! Declared leads in a list: for a terminal and for programs.

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::field_summary::shortest;
use super::style::{CHANGE, FAINT, STRONG, count, paint, visible};
use crate::lead::{Desired, DesiredLead, DesiredValue, Field, FieldId, LeadId, TagRule};
use crate::lead_file::emit::AgentNames;
use crate::observe::{Leads, Observed};
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
    /// Whether the inbox lists it and its record cannot be read.
    #[serde(skip)]
    pub is_unreadable: bool,
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
    /// Fields in a form that is not understood, by name: what they hold is not known. Left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub unreadable: Vec<&'static str>,
}

/// The leads of a list, made one at a time: 100,000 leads need not be in memory in the form of a list, too.
#[derive(Debug, Clone, Copy)]
pub struct ListedLeads<'l> {
    /// The declared leads.
    pub desired: &'l Desired,
    /// The names of agents.
    pub names: &'l AgentNames<'l>,
    /// The inbox's values, to be shown beside them.
    pub live: Option<&'l Leads>,
    /// Leads that it lists and that cannot be read.
    pub unreadable: &'l BTreeMap<LeadId, String>,
    /// Leads of the inbox that no file declares.
    pub undeclared: &'l [(&'l LeadId, &'l Observed)],
}

/// A lead of a list.
#[derive(Clone, Copy)]
enum Entry<'l> {
    Declared(&'l DesiredLead),
    Undeclared(&'l Observed),
}

impl<'l> ListedLeads<'l> {
    fn iter(self) -> impl Iterator<Item = (&'l LeadId, Entry<'l>)> {
        let declared = self.desired.iter();
        let declared = declared.map(|(id, lead)| (id, Entry::Declared(lead)));
        let undeclared = self.undeclared.iter();
        declared.chain(undeclared.map(|(id, live)| (*id, Entry::Undeclared(live))))
    }

    fn listed(self, (id, entry): (&LeadId, Entry<'_>)) -> ListedLead {
        let Self { names, live, .. } = self;
        match entry {
            Entry::Declared(lead) => ListedLead {
                live: live.map(|live| live.get(id).map(|live| shown(live, names))),
                is_unreadable: self.unreadable.contains_key(id),
                ..declared(id, lead, names)
            },
            Entry::Undeclared(live) => ListedLead {
                uuid: id.clone(),
                label: None,
                status: None,
                agent: None,
                tags: None,
                hold: None,
                source: None,
                live: Some(Some(shown(live, names))),
                is_unreadable: false,
            },
        }
    }
}

impl Serialize for ListedLeads<'_> {
    /// As a [`LeadList`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Leads<'l>(ListedLeads<'l>);
        impl Serialize for Leads<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(|lead| self.0.listed(lead)))
            }
        }
        let mut list = serializer.serialize_struct("LeadList", 1)?;
        list.serialize_field("leads", &Leads(*self))?;
        list.end()
    }
}

fn declared(id: &LeadId, lead: &DesiredLead, names: &AgentNames<'_>) -> ListedLead {
    let value = |field: &Field| lead.get(field).map(|desired| &desired.value);
    let text = |field: &Field| value(field).and_then(|value| words(value, names));
    ListedLead {
        is_unreadable: false,
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

fn shown(seen: &Observed, names: &AgentNames<'_>) -> LiveValues {
    let Observed {
        lead, unreadable, ..
    } = seen;
    let is_hidden = |id: &FieldId| unreadable.has(*id);
    LiveValues {
        unreadable: FieldId::all()
            .filter(is_hidden)
            .map(|id| id.spec().name)
            .collect(),
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

/// The columns of a list for a terminal.
const COLUMNS: usize = 6;
/// The leads that one thread makes into text at a time.
const AT_A_TIME: usize = 1_000;

/// A list for a terminal, one lead a line. A live value stands in parentheses where it is not as declared.
pub fn lead_list(leads: ListedLeads<'_>) -> String {
    let declared = leads.desired.keys();
    let undeclared = leads.undeclared.iter().map(|(id, _)| *id);
    let ids = declared.chain(undeclared).map(LeadId::as_str).collect();
    let length = shortest(&ids);
    let header = ["lead", "label", "status", "agent", "tags", "declared at"].map(str::to_owned);
    let all: Vec<_> = leads.iter().collect();
    let of_leads: Vec<Rows> = all
        .par_chunks(AT_A_TIME)
        .map(|some| Rows::new(some.iter().map(|lead| row(&leads.listed(*lead), length))))
        .collect();
    let of_header = Rows::new([header]);
    let widths = of_leads
        .iter()
        .fold(of_header.widths, |widest, rows| max(widest, rows.widths));
    let mut out = paint(FAINT, of_header.aligned(widths).trim_end()).to_string() + "\n";
    let texts = of_leads.into_par_iter().map(|rows| rows.aligned(widths));
    out.extend(texts.collect::<Vec<String>>());
    let is_held = |lead: &&DesiredLead| lead.hold.is_some();
    let held = leads.desired.values().filter(is_held).count();
    let held = if held == 0 {
        String::new()
    } else {
        format!(", {}", paint(CHANGE, format_args!("{held} held")))
    };
    out.push_str(&format!(
        "{}{held}\n",
        paint(STRONG, count(ids.len(), "lead"))
    ));
    out
}

/// Rows as one text: those of a large list take less memory so than as cells.
struct Rows {
    /// Lines of cells.
    text: String,
    /// The characters of the longest cell of each column.
    widths: [usize; COLUMNS],
}

/// Ends each cell; no visible text contains it.
const END: char = '\u{1f}';

impl Rows {
    fn new(rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Self {
        let (mut text, mut widths) = (String::new(), [0; COLUMNS]);
        for row in rows {
            widths = max(widths, row.each_ref().map(|cell| cell.chars().count()));
            for cell in row {
                text.push_str(&cell);
                text.push(END);
            }
            text.push('\n');
        }
        Self { text, widths }
    }

    /// The lines, with blanks between the cells.
    fn aligned(&self, widths: [usize; COLUMNS]) -> String {
        let mut out = String::with_capacity(self.text.len() + self.text.len() / 2);
        for line in self.text.lines() {
            for (cell, width) in line.split(END).zip(widths) {
                out.push_str(cell);
                let blanks = (width + 2).saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', blanks));
            }
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }
}

fn max(one: [usize; COLUMNS], other: [usize; COLUMNS]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| one[column].max(other[column]))
}

fn row(lead: &ListedLead, length: usize) -> [String; COLUMNS] {
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
    let is_hidden =
        |field: &Field| values.is_some_and(|live| live.unreadable.contains(&field.spec().name));
    let hidden = || "cannot be read".to_owned();
    let status = values.map(|live| match live.status.as_deref() {
        None if is_hidden(&Field::STATUS) => hidden(),
        status => status.map_or("no status".to_owned(), visible),
    });
    let agent = values.map(|live| visible(&live.agent));
    let live_tags = values.map(|live| ListedTags::Exact(live.tags.clone()));
    let named = lead.tags.iter().chain(&live_tags);
    let all: Vec<&str> = named.flat_map(ListedTags::all).collect();
    let tags = live_tags
        .as_ref()
        .map(|tags| match is_hidden(&Field::TAGS) {
            true => hidden(),
            false => tags.words(&all),
        });
    let place = match (&lead.source, live) {
        (Some(source), _) if lead.is_unreadable => format!("{source} (cannot be read)"),
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
