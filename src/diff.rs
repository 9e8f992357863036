//! Diff: Desired × Live → the differences, by lead and field. Pure.
//!
//! The kind of a field decides what a difference is ([`DesiredValue::difference`]). Undeclared fields are ignored.
//!
//! [`DesiredValue::difference`]: crate::lead::DesiredValue::difference

use rayon::prelude::*;

use crate::lead::{
    Desired, DesiredField, DesiredLead, Field, Lead, LeadId, TagRule, TagSet, Value,
};
use crate::observe::Live;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// The live value.
    pub before: Value,
    /// The desired value. Of a field that differs, never equal to `before`.
    pub after: Value,
    /// The line that declares it, in the file of the lead.
    pub line: u32,
    /// The tags of `before` and `after` if these are masked.
    pub seal: Option<Box<RedactionTag>>,
    /// The class; `None` if there is no base.
    pub class: Option<Class>,
    /// For tags declared by what must be present and absent: the tags of the change. Other tags are not touched.
    pub patch: Option<Box<TagPatch>>,
    /// What is written if drift is kept and only a part of the difference is intended: some tags or some notes.
    pub intended: Option<Value>,
    /// Of drift and of conflicts: the side that is taken; `None` where that is not decided.
    pub taken: Option<Side>,
}

/// A side of a difference.
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
    reason = "a doc comment on a variant turns the schema's enum into a oneOf; `FieldChange::taken` says what they mean"
)]
pub enum Side {
    Live,
    File,
}

impl FieldChange {
    /// A difference of which only its two sides and its line are known.
    pub fn new(field: Field, (before, after): (Value, Value), line: u32) -> Self {
        Self {
            field,
            before,
            after,
            line,
            seal: None,
            class: None,
            patch: None,
            intended: None,
            taken: None,
        }
    }

    /// Whether nothing of it is written: what the inbox has stays.
    pub fn stays(&self) -> bool {
        self.taken == Some(Side::Live) && self.class != Some(Class::Intended)
    }

    /// Whether `live` has what the change asks for.
    pub fn is_done(&self, live: &Lead) -> bool {
        match &self.patch {
            Some(patch) => patch.is_done(live.value(&self.field).set()),
            None => holds(live, &self.field, &self.after),
        }
    }

    /// The same change, made from `live`: tags beside its own are those that are there now.
    pub fn rebuilt(&self, live: &Lead) -> Self {
        match &self.patch {
            Some(patch) => {
                let before = value(live, &self.field);
                Self {
                    after: Value::Set(patch.applied_to(before.set())),
                    before,
                    ..self.clone()
                }
            }
            None => self.clone(),
        }
    }
}

/// Tags that a change is about, beside others.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagPatch {
    /// Must be there.
    pub present: TagSet,
    /// Must not be there.
    pub absent: TagSet,
}

impl TagPatch {
    /// What makes `after` of `before`, and nothing else.
    pub fn between(before: &TagSet, after: &TagSet) -> Self {
        Self {
            present: after.difference(before).cloned().collect(),
            absent: before.difference(after).cloned().collect(),
        }
    }

    fn is_done(&self, tags: &TagSet) -> bool {
        self.present.iter().all(|tag| tags.contains(tag))
            && !self.absent.iter().any(|tag| tags.contains(tag))
    }

    /// Whether its own tags are in one set as they are in the other.
    fn is_same(&self, one: &TagSet, other: &TagSet) -> bool {
        let mut own = self.present.iter().chain(&self.absent);
        own.all(|tag| one.contains(tag) == other.contains(tag))
    }

    fn applied_to(&self, tags: &TagSet) -> TagSet {
        let rule = TagRule::Patch {
            present: self.present.clone(),
            absent: self.absent.clone(),
        };
        rule.applied_to(tags)
    }
}

/// The class of a difference.
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
    /// The name in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Intended => "intended",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
        }
    }
}

/// Tags of two masked values. A tag confirms a value and reveals nothing else.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RedactionTag {
    /// The tag of the live value.
    pub before: String,
    /// The tag of the desired value.
    pub after: String,
}

/// The comparison of one declared lead with the live listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffOutcome {
    /// No difference.
    InSync,
    /// These fields differ; at least one.
    Differs(Vec<FieldChange>),
    /// Not listed; may be created with these fields.
    Absent(Vec<FieldChange>),
    /// Not listed; may not be created.
    Missing,
}

/// All declared leads in the order of their uuids, each with its outcome.
pub fn diff<'a>(
    desired: &'a Desired,
    live: &'a Live,
) -> Vec<(&'a LeadId, &'a DesiredLead, DiffOutcome)> {
    // Both are in the order of their uuids, so one pass over both is enough.
    let mut seen = live.leads.iter().peekable();
    let mut pairs = Vec::with_capacity(desired.len());
    for (id, lead) in desired {
        while seen.next_if(|(other, _)| *other < id).is_some() {}
        let now = seen.next_if(|(other, _)| *other == id);
        pairs.push((id, lead, now.map(|(_, seen)| &seen.lead)));
    }
    pairs
        .into_par_iter()
        .map(|(id, lead, live)| (id, lead, outcome(lead, live)))
        .collect()
}

fn outcome(desired: &DesiredLead, live: Option<&Lead>) -> DiffOutcome {
    match live {
        Some(live) => match changes(&desired.fields, live) {
            changes if changes.is_empty() => DiffOutcome::InSync,
            changes => DiffOutcome::Differs(changes),
        },
        None if desired.create => DiffOutcome::Absent(changes(&desired.fields, &Lead::default())),
        None => DiffOutcome::Missing,
    }
}

/// The fields of `live` that differ from what is declared.
pub fn changes(desired: &[DesiredField], live: &Lead) -> Vec<FieldChange> {
    desired
        .iter()
        .filter_map(|desired| change(desired, live))
        .collect()
}

/// The declared fields that do not differ, each as it is.
pub fn in_sync(desired: &[DesiredField], live: &Lead) -> Vec<FieldChange> {
    let is_met = |field: &&DesiredField| change(field, live).is_none();
    let as_it_is = |desired: &DesiredField| FieldChange {
        patch: desired.value.tag_rule().and_then(patch),
        ..FieldChange::new(
            desired.field.clone(),
            desired.value.sides(&live.value(&desired.field)),
            desired.line,
        )
    };
    desired.iter().filter(is_met).map(as_it_is).collect()
}

fn change(desired: &DesiredField, live: &Lead) -> Option<FieldChange> {
    let DesiredField { field, value, line } = desired;
    let now = live.get(field).unwrap_or(&Value::Absent);
    if value.is_met(now, field.spec().compare) {
        return None;
    }
    let sides = value.difference(&live.value(field))?;
    Some(FieldChange {
        patch: value.tag_rule().and_then(patch),
        ..FieldChange::new(field.clone(), sides, *line)
    })
}

fn patch(rule: &TagRule) -> Option<Box<TagPatch>> {
    match rule {
        TagRule::Exact(_) => None,
        TagRule::Patch { present, absent } => Some(Box::new(TagPatch {
            present: present.clone(),
            absent: absent.clone(),
        })),
    }
}

/// The live value of a field as a side of a difference. For notes: all of them.
pub fn value(live: &Lead, field: &Field) -> Value {
    live.value(field).into_owned()
}

/// Whether `live` has `wanted` in `field`: equal or, for notes, among others.
pub fn holds(live: &Lead, field: &Field, wanted: &Value) -> bool {
    live.value(field).holds(wanted, field.spec().compare)
}

/// Whether `live` still has the value that a change was made from. A change holds only those live notes that it declares; other
/// notes may have been added since. Of tags declared by presence and absence, only its own count.
pub fn is_at_before(live: &Lead, change: &FieldChange) -> bool {
    match &change.patch {
        Some(patch) => patch.is_same(change.before.set(), live.value(&change.field).set()),
        None => holds(live, &change.field, &change.before),
    }
}

/// A kind of write that platforms may treat in different ways; a canary should cover each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// Sets or replaces a value.
    Set(&'static str),
    /// Clears a value.
    Clear(&'static str),
    /// Removes items from a set.
    Reduce(&'static str),
    /// Adds notes.
    Append(&'static str),
    /// Creates a lead.
    Creation,
}

/// The kinds of write in a change. Fields of one group count as one.
pub fn ask(change: &FieldChange, live: Option<&Lead>) -> Ask {
    let group = change.field.id().group();
    let has_items = |live: &Lead| !live.value(&change.field).notes().is_empty();
    if change.after.is_empty() && change.before.set().is_empty() {
        Ask::Clear(group)
    } else if !change.before.set().is_subset(change.after.set()) {
        Ask::Reduce(group)
    } else if !change.after.notes().is_empty() && live.is_some_and(has_items) {
        Ask::Append(group)
    } else {
        Ask::Set(group)
    }
}
