//! Diff: Desired × Live → what differs, lead by lead and field by field. Pure.
//!
//! One rule for each field, in `difference`; the compiler leads whoever adds a field here. What a file does not ask for is
//! never looked at.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::desired::{Demand, Desired, DesiredLead};
use crate::lead::{Field, Lead, LeadId, Note, TagRule, Value, Wanted};
use crate::observe::Live;

/// One field that is not as the files want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// As it is.
    pub before: Value,
    /// As it is to be. Never the same as `before`.
    pub after: Value,
    /// The line that asks for it, in the file of the lead.
    pub line: u32,
    /// Where `before` and `after` are masked: what they stand for.
    pub seal: Option<Box<RedactionTag>>,
    /// Whose doing it is; `None` where there is no base to say.
    pub class: Option<Class>,
    /// What is written where drift is kept and only a part of the difference is intended: some of the tags, some of the notes.
    pub intended: Option<Value>,
}

/// Whose doing a difference is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(
    missing_docs,
    reason = "a doc comment on a variant turns the schema's enum into a oneOf; plan/classify has the words"
)]
pub enum Class {
    Change,
    Intended,
    Drift,
    Conflict,
}

impl Class {
    /// The word for it in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Intended => "intended",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
        }
    }
}

/// Seals of two masked values: they tell whether a value is the one that was meant, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RedactionTag {
    /// Of the value as it was.
    pub before: String,
    /// Of the value as it is to be.
    pub after: String,
}

/// How one declared lead stands against the live listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffOutcome {
    /// Nothing to do.
    InSync,
    /// These fields differ; at least one.
    Differs(Vec<FieldChange>),
    /// Not listed, and may be created with these.
    Absent(Vec<FieldChange>),
    /// Not listed, and may not be created.
    Missing,
}

/// All declared leads in the order of their uuids, each with its standing.
pub fn diff<'a>(
    desired: &'a Desired,
    live: &'a Live,
) -> Vec<(&'a LeadId, &'a DesiredLead, DiffOutcome)> {
    // Both are in the order of their uuids: they are walked side by side.
    let mut seen = live.leads.iter().peekable();
    let mut live_of = |id: &LeadId| {
        while seen.next_if(|(other, _)| *other < id).is_some() {}
        seen.next_if(|(other, _)| *other == id)
            .map(|(_, seen)| &seen.lead)
    };
    let pairs: Vec<(&LeadId, &DesiredLead, Option<&Lead>)> = desired
        .iter()
        .map(|(id, lead)| (id, lead, live_of(id)))
        .collect();
    pairs
        .into_par_iter()
        .map(|(id, lead, live)| (id, lead, outcome(lead, live)))
        .collect()
}

fn outcome(desired: &DesiredLead, live: Option<&Lead>) -> DiffOutcome {
    match live {
        Some(live) => match changes(&desired.demands, live) {
            changes if changes.is_empty() => DiffOutcome::InSync,
            changes => DiffOutcome::Differs(changes),
        },
        None if desired.create => DiffOutcome::Absent(changes(&desired.demands, &Lead::default())),
        None => DiffOutcome::Missing,
    }
}

/// The demands that `live` does not satisfy.
pub fn changes(demands: &[Demand], live: &Lead) -> Vec<FieldChange> {
    let change = |demand: &Demand| {
        if is_met(&demand.wanted, live) {
            return None;
        }
        let (before, after) = difference(&demand.wanted, live)?;
        Some(FieldChange {
            field: demand.wanted.field(),
            before,
            after,
            line: demand.line,
            seal: None,
            class: None,
            intended: None,
        })
    };
    demands.iter().filter_map(change).collect()
}

/// Whether nothing is to be done about a demand: what most come to, and so without making anything.
fn is_met(wanted: &Wanted, live: &Lead) -> bool {
    match wanted {
        Wanted::Status(status) => live.status.as_ref() == Some(status),
        Wanted::Agent(agent) => live.agent == *agent,
        Wanted::Tags(TagRule::Exact(tags)) => live.tags == *tags,
        Wanted::Tags(TagRule::Patch { present, absent }) => {
            present.is_subset(&live.tags) && absent.is_disjoint(&live.tags)
        }
        Wanted::Attribute(key, text) => live.attributes.get(key) == Some(text),
        Wanted::Contact(field, text) => live.contact.get(field) == Some(text),
        Wanted::Notes(notes) => notes.iter().all(|note| live.notes.contains(note)),
    }
}

/// Both sides of one demand, where they differ.
fn difference(wanted: &Wanted, live: &Lead) -> Option<(Value, Value)> {
    let after = match wanted {
        Wanted::Status(status) => Value::Text(status.as_str().to_owned()),
        Wanted::Agent(agent) => Value::text(agent.as_ref().map(|agent| agent.as_str())),
        Wanted::Tags(rule) => Value::Tags(rule.applied_to(&live.tags)),
        Wanted::Attribute(_, text) | Wanted::Contact(_, text) => Value::Text(text.clone()),
        Wanted::Notes(notes) => return notes_difference(notes, &live.notes),
    };
    let before = value(live, &wanted.field());
    (before != after).then_some((before, after))
}

/// Of notes, only those that are asked for are told: what else stands in the inbox is nobody's business here.
fn notes_difference(wanted: &[Note], live: &[Note]) -> Option<(Value, Value)> {
    let mut asked = BTreeSet::new();
    let wanted: Vec<Note> = wanted
        .iter()
        .filter(|note| asked.insert(*note))
        .cloned()
        .collect();
    let there: Vec<Note> = wanted
        .iter()
        .filter(|note| live.contains(note))
        .cloned()
        .collect();
    (there != wanted).then_some((Value::Notes(there), Value::Notes(wanted)))
}

/// A field of a live lead, as a side of a difference. Of notes: all of them.
pub fn value(live: &Lead, field: &Field) -> Value {
    match field {
        Field::Status => Value::text(live.status.as_ref().map(|status| status.as_str())),
        Field::Agent => Value::text(live.agent.as_ref().map(|agent| agent.as_str())),
        Field::Tags => Value::Tags(live.tags.clone()),
        Field::Attribute(key) => Value::text(live.attributes.get(key).cloned()),
        Field::Contact(contact) => Value::text(live.contact.get(contact).cloned()),
        Field::Notes => Value::Notes(live.notes.clone()),
    }
}

/// Whether `live` has `wanted` in `field`: equal, or, of notes, among others.
pub fn holds(live: &Lead, field: &Field, wanted: &Value) -> bool {
    match (field, wanted) {
        (Field::Notes, Value::Notes(notes)) => notes.iter().all(|note| live.notes.contains(note)),
        _ => value(live, field) == *wanted,
    }
}

/// Every field that a live lead has a value in.
pub fn fields(live: &Lead) -> Vec<Field> {
    let Lead {
        status,
        agent,
        tags,
        attributes,
        contact,
        notes,
    } = live;
    let single = [
        (status.is_some(), Field::Status),
        (agent.is_some(), Field::Agent),
        (!tags.is_empty(), Field::Tags),
        (!notes.is_empty(), Field::Notes),
    ];
    let mut fields: Vec<Field> = single
        .into_iter()
        .filter_map(|(there, field)| there.then_some(field))
        .collect();
    fields.extend(attributes.keys().cloned().map(Field::Attribute));
    fields.extend(contact.keys().copied().map(Field::Contact));
    fields.sort();
    fields
}

/// Whether `live` still has what a change was made from. Of notes a change tells those that were there of the ones it wants; more of them
/// may be there by now.
pub fn is_at_before(live: &Lead, change: &FieldChange) -> bool {
    match change.field {
        Field::Notes => holds(live, &change.field, &change.before),
        Field::Status | Field::Agent | Field::Tags | Field::Attribute(_) | Field::Contact(_) => {
            value(live, &change.field) == change.before
        }
    }
}

/// What a write asks of a platform that the platform may understand in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// Another status.
    Status,
    /// An agent.
    Agent,
    /// No agent.
    Nobody,
    /// More tags.
    Tags,
    /// Other tags, some of them taken away.
    FewerTags,
    /// An attribute.
    Attribute,
    /// A contact value.
    Contact,
    /// The first notes.
    Notes,
    /// Notes beside others.
    MoreNotes,
    /// A lead that the platform does not know.
    Creation,
}

/// What a change asks of the platform.
pub fn ask(change: &FieldChange, live: Option<&Lead>) -> Ask {
    match (&change.field, &change.before, &change.after) {
        (Field::Status, ..) => Ask::Status,
        (Field::Agent, _, Value::Nothing) => Ask::Nobody,
        (Field::Agent, ..) => Ask::Agent,
        (Field::Tags, Value::Tags(before), Value::Tags(after)) if !before.is_subset(after) => {
            Ask::FewerTags
        }
        (Field::Tags, ..) => Ask::Tags,
        (Field::Attribute(_), ..) => Ask::Attribute,
        (Field::Contact(_), ..) => Ask::Contact,
        (Field::Notes, ..) if live.is_some_and(|live| !live.notes.is_empty()) => Ask::MoreNotes,
        (Field::Notes, ..) => Ask::Notes,
    }
}
