//! Explains one lead, field by field: base, desired and live value, and which of them decides. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Class, Plan, Refusal, Source};
use crate::git::blame::Commit;
use crate::lead::{
    DesiredField, DesiredLead, DesiredValue, Field, LeadId, Privacy, TagRule, Value,
};
use crate::observe::Observed;
use crate::redaction::Redaction;

/// The explanation of one lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explanation {
    /// The lead.
    #[schemars(with = "String")]
    pub uuid: LeadId,
    /// The label, for readers.
    pub label: Option<String>,
    /// Where it is declared; null if it is not.
    pub source: Option<Source>,
    /// Why it is held; null if it is not.
    pub hold: Option<String>,
    /// Whether it is in the inbox.
    pub found: bool,
    /// The fields that the files manage, or managed at the base; always status, agent and tags.
    pub fields: Vec<Explained>,
    /// The names of all other fields with a value in the inbox.
    pub unmanaged: Vec<String>,
    /// The refusals of policy that concern it.
    pub refusals: Vec<Refusal>,
    /// Agents' names by their ids.
    #[serde(skip)]
    pub agents: BTreeMap<String, String>,
}

/// One field of a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explained {
    /// The name of the field.
    pub field: String,
    /// What the files declared at the base; null if nothing, or without a base.
    pub base: Option<Declaration>,
    /// What the files declare; null if nothing.
    pub desired: Option<Declaration>,
    /// The value in the inbox.
    pub live: Value,
    /// The rule that decides.
    pub rule: Decision,
    /// The line that declares it.
    pub source: Option<Source>,
    /// The commit that last changed that line; null if it is not committed, or was not looked up.
    pub commit: Option<Commit>,
}

/// What a file declares for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Declaration {
    /// Exactly this value; of notes, these notes among others.
    Value(Value),
    /// These tags must be present or absent; others are ignored.
    Patch {
        /// Must be present.
        present: Vec<String>,
        /// Must be absent.
        absent: Vec<String>,
    },
}

/// Which side decides the value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Live and desired value are equal.
    InSync,
    /// They differ, and without a base the file decides.
    Change,
    /// The file changed since the base, and decides.
    Intended,
    /// The inbox changed since the base, and the file did not.
    Drift,
    /// Both changed, to different values: undecided.
    Conflict,
    /// No longer declared: the inbox decides.
    Released,
    /// Not declared: the inbox decides.
    Unmanaged,
    /// The lead is held: nothing is written.
    Held,
    /// The lead is not in the inbox.
    Missing,
}

/// Explains a lead, given a plan made for it alone.
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
    // Fields without personal data are shown for every lead.
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
            (None, ..) if was.contains_key(field) => Decision::Released,
            (None, ..) => Decision::Unmanaged,
            (Some(_), ..) if hold.is_some() => Decision::Held,
            (Some(_), Some((change, field)), _) => rule(field.class.unwrap_or(change.class)),
            (Some(_), None, Some(_)) => Decision::InSync,
            (Some(_), None, None) => Decision::Missing,
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

fn rule(class: Class) -> Decision {
    match class {
        Class::Change => Decision::Change,
        Class::Intended => Decision::Intended,
        Class::Drift => Decision::Drift,
        Class::Conflict => Decision::Conflict,
    }
}

fn by_field(lead: Option<&DesiredLead>) -> BTreeMap<&Field, &DesiredField> {
    let fields = lead.map(|lead| lead.fields.as_slice()).unwrap_or_default();
    fields
        .iter()
        .map(|desired| (&desired.field, desired))
        .collect()
}

fn said(desired: &DesiredField, names: Redaction) -> Declaration {
    if let Some(TagRule::Patch { present, absent }) = desired.value.tag_rule() {
        return Declaration::Patch {
            present: present.iter().cloned().collect(),
            absent: absent.iter().cloned().collect(),
        };
    }
    let field = &desired.field;
    let value = desired.value.applied_to(&Value::empty(field.kind()));
    Declaration::Value(names.value(field, &value))
}
