//! Explain: for one lead, field by field, what the files say, what they said, what is live, and which of them decides. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Class, Plan, Refusal, Source};
use crate::git::blame::Commit;
use crate::lead::{
    DesiredField, DesiredLead, DesiredValue, Field, LeadId, Privacy, TagRule, Value,
};
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
    let hold = desired.and_then(|lead| lead.hold.as_deref());
    let (head, was) = (by_field(desired), by_field(base));
    let change = plan.changes.iter().find(|change| change.uuid == *id);
    let live_values: Vec<(&Field, &Value)> = live
        .map(|live| live.lead.values().collect())
        .unwrap_or_default();
    let live_fields = live_values.iter().map(|(field, _)| *field);
    // What holds no people's data is shown of every lead.
    let public = live_fields
        .clone()
        .filter(|field| field.spec().privacy == Privacy::Public);
    let shown: BTreeSet<&Field> = head
        .keys()
        .chain(was.keys())
        .copied()
        .chain(public)
        .collect();
    let explained = |field: &&Field| {
        let field = *field;
        let demand = head.get(field).copied();
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
        let declared = [demand, was.get(field).copied()].into_iter().flatten();
        let declared: Vec<&DesiredValue> = declared.map(|desired| &desired.value).collect();
        let now = live.map(|live| live.lead.value(field).declared_part(&declared));
        let now = now.unwrap_or_else(|| Value::empty(field.kind()));
        Explained {
            field: field.to_string(),
            base: was.get(field).map(|desired| said(desired, names)),
            desired: demand.map(|desired| said(desired, names)),
            live: names.value(field, &now),
            rule,
            source: desired.zip(demand).map(|(lead, demand)| Source {
                file: lead.place.file.to_string(),
                line: demand.line,
            }),
            commit: None,
        }
    };
    let unmanaged = live_fields.filter(|field| !shown.contains(field));
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

fn by_field(lead: Option<&DesiredLead>) -> BTreeMap<&Field, &DesiredField> {
    let fields = lead.map(|lead| lead.fields.as_slice()).unwrap_or_default();
    fields
        .iter()
        .map(|desired| (&desired.field, desired))
        .collect()
}

fn said(desired: &DesiredField, names: Redaction) -> Said {
    if let Some(TagRule::Patch { present, absent }) = desired.value.tag_rule() {
        return Said::Patch {
            present: present.iter().cloned().collect(),
            absent: absent.iter().cloned().collect(),
        };
    }
    let field = &desired.field;
    let value = desired.value.applied_to(&Value::empty(field.kind()));
    Said::Value(names.value(field, &value))
}
