//! Classifies differences by the files at the base: intended, drift or conflict. Pure.
//!
//! Input is a field that differs from the live lead. If the file says the same as at the base, the inbox changed: *drift*. If the file
//! says something else and the live value is what the base declared, the file changed: *intended*. Otherwise both changed: *conflict*.
//! Each tag and each note is compared with the base on its own, so they never conflict: one is there or not, and no third value exists.
//!
//! Example with tags: the base declares `[vip]`, the file declares `[vip, renewal]`, the inbox has `[vip, cold]`. Adding `renewal` is
//! intended, because the file changed; removing `cold` is drift, because an agent added it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::policy::Limits;
use super::{Action, Change, Class, Refusal, Released, Source, Summary};
use crate::diff::{FieldChange, Side, TagPatch};
use crate::lead::normal::Compare;
use crate::lead::{Desired, DesiredLead};
use crate::lead::{DesiredField, DesiredValue, Field, Kind, Lead, LeadId, Value};
use crate::observe::Live;
use crate::policy::{DriftPolicies, DriftPolicy, Guard};
use crate::text::count;

/// Sets the class of each field.
pub(super) fn classify(all: &mut [Change], desired: &Desired, base: &Desired, live: &Live) {
    let nothing = Lead::default();
    for change in all {
        let now = live.get(&change.uuid).map_or(&nothing, |seen| &seen.lead);
        let (Some(head), was) = (desired.get(&change.uuid), base.get(&change.uuid)) else {
            continue;
        };
        if change.action == Action::Create {
            // A lead that is not in the inbox is created as a whole or not at all.
            let as_it_was = was.is_some_and(|was| was.create && same(&was.fields, &head.fields));
            change.class = if as_it_was {
                Class::Drift
            } else {
                Class::Intended
            };
            change
                .fields
                .0
                .iter_mut()
                .for_each(|field| field.class = Some(change.class));
            continue;
        }
        for field in &mut change.fields.0 {
            class(field, head, was, now);
        }
        let classes = change.fields.iter().filter_map(|field| field.class);
        change.class = classes
            .max_by_key(|class| weight(*class))
            .unwrap_or(Class::Intended);
    }
}

/// Whether two leads declare the same values, wherever they declare them.
fn same(one: &[DesiredField], other: &[DesiredField]) -> bool {
    let pairs = one.iter().zip(other);
    one.len() == other.len()
        && pairs
            .into_iter()
            .all(|(a, b)| a.field == b.field && a.value == b.value)
}

fn weight(class: Class) -> u8 {
    match class {
        Class::Change => 0,
        Class::Drift => 1,
        Class::Intended => 2,
        Class::Conflict => 3,
    }
}

fn class(change: &mut FieldChange, head: &DesiredLead, was: Option<&DesiredLead>, now: &Lead) {
    let Some(desired) = head.get(&change.field).map(|desired| &desired.value) else {
        return;
    };
    let base = was
        .and_then(|was| was.get(&change.field))
        .map(|desired| &desired.value);
    let Some(part) = desired.intended_part(base, &change.before, &change.after) else {
        let (now, compare) = (now.value(&change.field), change.field.spec().compare);
        change.class = Some(class_of_whole(desired, base, &now, compare));
        return;
    };
    let is_drift = part == change.before;
    change.class = Some(if is_drift {
        Class::Drift
    } else {
        Class::Intended
    });
    change.intended = Some(part).filter(|part| !is_drift && *part != change.after);
}

/// The class of a value that cannot be intended in part.
fn class_of_whole(
    desired: &DesiredValue,
    base: Option<&DesiredValue>,
    now: &Value,
    compare: Compare,
) -> Class {
    match base {
        None => Class::Intended,
        Some(base) if base == desired => Class::Drift,
        Some(base) if base.is_met(now, compare) => Class::Intended,
        Some(_) => Class::Conflict,
    }
}

/// Fields that the base declared and the files no longer declare.
pub(super) fn released(
    desired: &Desired,
    base: &Desired,
    chosen: impl Fn(&LeadId) -> bool,
) -> Vec<Released> {
    let of = |(id, was): (&LeadId, &DesiredLead)| {
        let still: BTreeSet<&Field> = desired
            .get(id)
            .map(|lead| lead.fields.iter().map(|desired| &desired.field).collect())
            .unwrap_or_default();
        let gone = was
            .fields
            .iter()
            .map(|desired| &desired.field)
            .filter(|field| !still.contains(field));
        let fields: Vec<String> = gone.map(|field| field.to_string()).collect();
        let label = was.label.as_deref().map(str::to_owned);
        (!fields.is_empty() && chosen(id)).then(|| Released {
            uuid: id.clone(),
            label,
            fields,
            source: Source::from(&was.place),
        })
    };
    base.iter().filter_map(of).collect()
}

/// How a run treats conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ConflictPolicy {
    /// Refuse to write anything
    #[default]
    Fail,
    /// Write the file's value
    TakeFile,
    /// Keep the inbox value
    TakeLive,
}

/// What a run does about differences that the files did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DifferencePolicy {
    /// About drift, field by field.
    pub drift: DriftPolicies,
    /// The policy for conflicts.
    pub conflicts: ConflictPolicy,
}

impl DifferencePolicy {
    /// The side that is taken of a field. What a saved plan has decided stays decided.
    fn side_of(self, change: &FieldChange) -> Option<Side> {
        let by_policy = match change.class {
            Some(Class::Drift) => side(self.drift.for_field(&change.field)),
            Some(Class::Intended) if change.intended.is_some() => {
                side(self.drift.for_field(&change.field))
            }
            Some(Class::Conflict) => match self.conflicts {
                ConflictPolicy::Fail => None,
                ConflictPolicy::TakeFile => Some(Side::File),
                ConflictPolicy::TakeLive => Some(Side::Live),
            },
            Some(Class::Intended | Class::Change) | None => None,
        };
        change.taken.or(by_policy)
    }

    /// The side that is taken of a lead that is not there. It is created whole, or not at all.
    fn side_of_creation(self, change: &Change) -> Option<Side> {
        let by_policy = match change.class {
            Class::Drift => side(self.drift.of_whole()),
            Class::Change | Class::Intended | Class::Conflict => None,
        };
        change.taken.or(by_policy)
    }
}

fn side(drift: DriftPolicy) -> Option<Side> {
    match drift {
        DriftPolicy::Keep => Some(Side::Live),
        DriftPolicy::Revert => Some(Side::File),
        DriftPolicy::Fail => None,
    }
}

/// Takes the side of the inbox in these fields, before anything else is decided.
pub(super) fn leave_alone(all: &mut [Change], fields: &BTreeSet<(LeadId, Field)>) {
    if fields.is_empty() {
        return;
    }
    for change in all.iter_mut().filter(|one| one.action == Action::Update) {
        for field in &mut change.fields.0 {
            if fields.contains(&(change.uuid.clone(), field.field.clone())) {
                field.taken = Some(Side::Live);
            }
        }
    }
}

/// Notes at each difference that the files did not make which side is taken.
pub(super) fn decide(all: &mut [Change], policy: DifferencePolicy) {
    for change in all {
        match change.action {
            Action::Create => {
                change.taken = policy.side_of_creation(change);
                for field in &mut change.fields.0 {
                    field.taken = change.taken;
                }
            }
            Action::Update => {
                for field in &mut change.fields.0 {
                    field.taken = policy.side_of(field);
                }
                let stays =
                    !change.fields.is_empty() && change.fields.iter().all(FieldChange::stays);
                change.taken = stays.then_some(Side::Live);
            }
        }
    }
}

/// Takes back what a saved plan has decided about drift, about conflicts, or about both.
pub fn undecide(all: &mut [Change], drift: bool, conflicts: bool) {
    let is_open = |class: Class| match class {
        Class::Drift | Class::Intended => drift,
        Class::Conflict => conflicts,
        Class::Change => false,
    };
    for change in all {
        if change.action == Action::Update || is_open(change.class) {
            change.taken = None;
        }
        let open = |field: &&mut FieldChange| field.class.is_some_and(is_open);
        for field in change.fields.0.iter_mut().filter(open) {
            field.taken = None;
        }
    }
}

/// Why a plan is refused for what the files did not do.
pub(super) fn refusals(
    all: &[Change],
    policy: DifferencePolicy,
    limits: &Limits<'_>,
) -> Vec<Refusal> {
    let refusal = |rule: Guard, message: &str, help: &str, is: &dyn Fn(&&Change) -> bool| {
        let leads: Vec<LeadId> = all
            .iter()
            .filter(is)
            .map(|change| change.uuid.clone())
            .collect();
        let message = format!("{} {message}", count(leads.len(), "lead"));
        (!leads.is_empty()).then(|| Refusal {
            rule,
            message,
            source: None,
            lift: help.to_owned(),
            leads,
        })
    };
    let conflict = refusal(
        Guard::Conflict,
        "changed in the files and in the inbox since the base, to different values",
        "apply with --conflicts take-file or --conflicts take-live; or update the files",
        &|change| {
            let undecided = |field: &FieldChange| {
                field.class == Some(Class::Conflict) && policy.side_of(field).is_none()
            };
            change.fields.iter().any(undecided)
        },
    );
    let drift = refusal(
        Guard::Drift,
        "changed in the inbox since the base",
        "once: --drift keep or --drift revert; for good: policy.drift",
        &|change| match change.action {
            Action::Create => {
                change.class == Class::Drift && policy.side_of_creation(change).is_none()
            }
            Action::Update => change
                .fields
                .iter()
                .any(|field| is_drift(field) && policy.side_of(field).is_none()),
        },
    );
    let rule = limits.policy.drift.as_ref();
    let rule = rule.filter(|rule| rule.value == policy.drift);
    let drift = drift.map(|drift| Refusal {
        source: rule.map(|rule| Source::from(&rule.place)),
        ..drift
    });
    conflict.into_iter().chain(drift).collect()
}

/// Of the differences, those that a run writes. What is refused stays in: it is judged by `refusals`.
pub fn to_write(all: &[Change], policy: DifferencePolicy) -> Cow<'_, [Change]> {
    // Without a base, every difference counts as intended.
    let is_ours = |change: &Change| {
        let is_free = |field: &FieldChange| field.class.is_none() && field.taken.is_none();
        change.class == Class::Change && change.fields.iter().all(is_free)
    };
    if all.iter().all(is_ours) {
        return Cow::Borrowed(all);
    }
    let written = |change: &Change| match change.action {
        Action::Create => {
            (policy.side_of_creation(change) != Some(Side::Live)).then(|| change.clone())
        }
        Action::Update => {
            let fields = change.fields.iter();
            let fields: Vec<FieldChange> = fields
                .filter_map(|field| written_part(field, policy))
                .collect();
            let is_kept = |field: &&FieldChange| written_part(field, policy).is_none();
            let kept = change.fields.iter().filter(is_kept).cloned();
            let unwritten = change.unwritten.iter().cloned().chain(kept).collect();
            (!fields.is_empty()).then(|| Change {
                fields: super::Fields(fields),
                unwritten: super::Fields(unwritten),
                ..change.clone()
            })
        }
    };
    Cow::Owned(all.iter().filter_map(written).collect())
}

/// What is written of a field; `None` where what the inbox has stays.
fn written_part(field: &FieldChange, policy: DifferencePolicy) -> Option<FieldChange> {
    if policy.side_of(field) != Some(Side::Live) {
        return Some(field.clone());
    }
    let after = field.intended.clone()?;
    // Of exact tags only some are intended: the others are left as they are.
    let between = || TagPatch::between(field.before.set(), after.set());
    let patch = (field.field.kind() == Kind::Set).then(|| Box::new(between()));
    Some(FieldChange {
        after,
        patch,
        intended: None,
        taken: None,
        ..field.clone()
    })
}

/// Counts the differences that a run would write, and drift and conflicts.
pub(super) fn number(numbers: &mut Summary, all: &[Change], written: &[Change]) {
    numbers.to_create = written
        .iter()
        .filter(|change| change.action == Action::Create)
        .count();
    numbers.to_update = written.len() - numbers.to_create;
    numbers.drift = all.iter().filter(|change| has_drift(change)).count();
    numbers.conflicts = all
        .iter()
        .filter(|change| change.class == Class::Conflict)
        .count();
}

/// Whether any field of the lead changed in the inbox but not in the files.
fn has_drift(change: &Change) -> bool {
    change.class == Class::Drift || change.fields.iter().any(is_drift)
}

/// Whether the inbox has moved away from the files in a field, or in a part of it.
fn is_drift(field: &FieldChange) -> bool {
    field.class == Some(Class::Drift) || field.intended.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::changes;
    use crate::lead::{Place, Status, TagRule};

    fn lead(field: &Field, value: DesiredValue) -> DesiredLead {
        let place = Place {
            file: "leads/a.yaml".into(),
            line: 1,
        };
        let field = field.clone();
        DesiredLead {
            place,
            label: None,
            hold: None,
            create: false,
            fields: vec![DesiredField {
                field,
                value,
                line: 2,
            }],
        }
    }

    fn classed(
        field: &Field,
        base: Option<DesiredValue>,
        head: DesiredValue,
        now: &Lead,
    ) -> FieldChange {
        let head = lead(field, head);
        let mut change = changes(&head.fields, now).remove(0);
        let base = base.map(|base| lead(field, base));
        class(&mut change, &head, base.as_ref(), now);
        change
    }

    #[test]
    fn one_value_is_intended_drift_or_conflict() {
        let now = Lead::new([(Field::STATUS, Value::Choice(Status::Open))]);
        let class = |base: Option<Status>| {
            let base = base.map(DesiredValue::Choice);
            let head = DesiredValue::Choice(Status::Closed);
            classed(&Field::STATUS, base, head, &now).class
        };
        assert_eq!(class(None), Some(Class::Intended), "newly declared");
        assert_eq!(
            class(Some(Status::Open)),
            Some(Class::Intended),
            "the file changed and the inbox did not"
        );
        assert_eq!(
            class(Some(Status::Closed)),
            Some(Class::Drift),
            "the inbox changed and the file did not"
        );
        assert_eq!(
            class(Some(Status::Review)),
            Some(Class::Conflict),
            "both changed, to different values"
        );
    }

    #[test]
    fn tags_are_compared_with_the_base_one_by_one() {
        let tags = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<BTreeSet<_>>()
        };
        let exact = |words: &[&str]| DesiredValue::Set(TagRule::Exact(tags(words)));
        let now = Lead::new([(Field::TAGS, Value::Set(tags(&["old", "agents-own"])))]);
        let change = classed(
            &Field::TAGS,
            Some(exact(&["old"])),
            exact(&["old", "new"]),
            &now,
        );
        assert_eq!(change.class, Some(Class::Intended));
        assert_eq!(change.after, Value::Set(tags(&["old", "new"])));
        assert_eq!(
            change.intended,
            Some(Value::Set(tags(&["old", "new", "agents-own"]))),
            "what an agent added is kept"
        );
        let change = classed(&Field::TAGS, Some(exact(&["old"])), exact(&["old"]), &now);
        assert_eq!((change.class, change.intended), (Some(Class::Drift), None));
    }
}
