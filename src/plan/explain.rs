//! Explain: for one lead, field by field, what the files say, what they said, what is live, and which of them decides. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Class, Plan, Refusal, Source};
use crate::desired::{Demand, DesiredLead};
use crate::diff::{fields, value};
use crate::git::blame::Commit;
use crate::lead::{Field, LeadId, Note, TagRule, Value, Wanted};
use crate::observe::Observed;
use crate::redaction::Redaction;

/// One lead.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Which.
    pub uuid: LeadId,
    /// As readers know it.
    pub label: Option<String>,
    /// Where it is declared; null where no file does.
    pub source: Option<Source>,
    /// Why it is held; null where it is not.
    pub hold: Option<String>,
    /// Whether the inbox shows it.
    pub found: bool,
    /// The fields that the files manage, or managed at the base; status, agent and tags of every lead.
    pub fields: Vec<Explained>,
    /// All others that the inbox has a value in, by name.
    pub unmanaged: Vec<String>,
    /// What the policy says of it.
    pub refusals: Vec<Refusal>,
    /// Agents' names by their ids.
    #[serde(skip)]
    pub agents: BTreeMap<String, String>,
}

/// One field of a lead.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// Its name.
    pub field: String,
    /// What the files said at the base; null where they did not, or there is no base.
    pub base: Option<Said>,
    /// What the files say; null where they do not any more.
    pub desired: Option<Said>,
    /// What the inbox has.
    pub live: Value,
    /// Who decides.
    pub rule: Rule,
    /// The line that asks for it.
    pub source: Option<Source>,
    /// The commit that last changed that line; null where there is none yet, or nobody looked.
    pub commit: Option<Commit>,
}

/// What a file says of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// Exactly this, or, of notes, these among others.
    Value(Value),
    /// These tags among others, and not those.
    Patch {
        /// Must be there.
        present: Vec<String>,
        /// Must not be there.
        absent: Vec<String>,
    },
}

/// Who decides what becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It is as the file wants it.
    InSync,
    /// It differs, and without a base the file decides.
    Change,
    /// The file moved since the base, and decides.
    Intended,
    /// The inbox moved since the base, and the file did not.
    Drift,
    /// Both moved, apart: nobody decides yet.
    Conflict,
    /// No file says anything of it any more: the inbox decides.
    Released,
    /// No file says anything of it: the inbox decides.
    Unmanaged,
    /// The lead is held: nothing is written.
    Held,
    /// The lead is not in the inbox.
    Missing,
}

/// Explains a lead by a plan that was made of it alone.
pub fn explain(
    id: &LeadId,
    desired: Option<&DesiredLead>,
    base: Option<&DesiredLead>,
    live: Option<&Observed>,
    plan: &Plan,
    names: Redaction,
) -> Explanation {
    let demands = |lead: Option<&DesiredLead>| -> BTreeMap<Field, Demand> {
        let demands = lead.map(|lead| lead.demands.as_slice()).unwrap_or_default();
        demands
            .iter()
            .map(|demand| (demand.wanted.field(), demand.clone()))
            .collect()
    };
    let hold = desired.and_then(|lead| lead.hold.as_deref());
    let (head, was) = (demands(desired), demands(base));
    let change = plan.changes.iter().find(|change| change.uuid == *id);
    let live_fields = live.map(|live| fields(&live.lead)).unwrap_or_default();
    // What nobody's data is in is told of every lead.
    let plain = live_fields
        .iter()
        .filter(|field| matches!(field, Field::Status | Field::Agent | Field::Tags));
    let shown: BTreeSet<&Field> = head.keys().chain(was.keys()).chain(plain).collect();
    let explained = |field: &&Field| {
        let field = *field;
        let demand = head.get(field);
        let differs = change.and_then(|change| {
            Some((
                change,
                change.fields.iter().find(|other| other.field == *field)?,
            ))
        });
        let rule = match (demand, differs, live) {
            (None, ..) if was.contains_key(field) => Rule::Released,
            (None, ..) => Rule::Unmanaged,
            (Some(_), ..) if hold.is_some() => Rule::Held,
            (Some(_), Some((change, field)), _) => rule(field.class.unwrap_or(change.class)),
            (Some(_), None, Some(_)) => Rule::InSync,
            (Some(_), None, None) => Rule::Missing,
        };
        let now = live.map_or(Value::Nothing, |live| value(&live.lead, field));
        // Of notes, only those that are asked for are told.
        let asked = |note: &Note| {
            [demand, was.get(field)].into_iter().flatten().any(
                |demand| matches!(&demand.wanted, Wanted::Notes(notes) if notes.contains(note)),
            )
        };
        let now = match now {
            Value::Notes(notes) => Value::Notes(notes.into_iter().filter(asked).collect()),
            other => other,
        };
        Explained {
            field: field.to_string(),
            base: was.get(field).map(|demand| said(&demand.wanted, names)),
            desired: demand.map(|demand| said(&demand.wanted, names)),
            live: names.told(field, &now),
            rule,
            source: desired.zip(demand).map(|(lead, demand)| Source {
                file: lead.place.file.to_string(),
                line: demand.line,
            }),
            commit: None,
        }
    };
    let unmanaged = live_fields.iter().filter(|field| !shown.contains(field));
    Explanation {
        uuid: id.clone(),
        label: desired
            .or(base)
            .and_then(|lead| lead.label.as_deref())
            .map(str::to_owned),
        source: desired.map(|lead| Source::from(&lead.place)),
        hold: hold.map(str::to_owned),
        found: live.is_some(),
        unmanaged: unmanaged.map(|field| field.to_string()).collect(),
        fields: shown.iter().map(explained).collect(),
        refusals: plan
            .refusals
            .iter()
            .chain(&plan.warnings)
            .filter(|refusal| refusal.leads.contains(id))
            .cloned()
            .collect(),
        agents: plan
            .agents
            .iter()
            .filter_map(|agent| Some((agent.id.clone(), agent.name.clone()?)))
            .collect(),
    }
}

fn rule(class: Class) -> Rule {
    match class {
        Class::Change => Rule::Change,
        Class::Intended => Rule::Intended,
        Class::Drift => Rule::Drift,
        Class::Conflict => Rule::Conflict,
    }
}

fn said(wanted: &Wanted, names: Redaction) -> Said {
    let value = match wanted {
        Wanted::Status(status) => Value::Text(status.to_string()),
        Wanted::Agent(agent) => Value::text(agent.as_ref().map(|agent| agent.as_str())),
        Wanted::Tags(TagRule::Exact(tags)) => Value::Tags(tags.clone()),
        Wanted::Tags(TagRule::Patch { present, absent }) => {
            return Said::Patch {
                present: present.iter().cloned().collect(),
                absent: absent.iter().cloned().collect(),
            };
        }
        Wanted::Attribute(_, text) | Wanted::Contact(_, text) => Value::Text(text.clone()),
        Wanted::Notes(notes) => Value::Notes(notes.clone()),
    };
    Said::Value(names.told(&wanted.field(), &value))
}
