//! Decides which side is taken of each difference that the files did not make, and what of a plan is written. Pure.
//!
//! Drift and conflicts are decided by the run's [`DifferencePolicy`]: the file's side is written, the inbox's side stays, and where
//! the policy takes neither, the plan is refused.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::policy::Limits;
use super::{Action, Change, Class, Fields, Refusal, Source, Summary};
use crate::diff::{FieldChange, Side, TagPatch};
use crate::lead::{Field, Kind, LeadId};
use crate::policy::{DriftPolicies, DriftPolicy, Guard};
use crate::text::count;

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
    for change in all {
        let uuid = change.uuid.clone();
        let is_left = |field: &FieldChange| fields.contains(&(uuid.clone(), field.field.clone()));
        match change.action {
            // It is created whole, or not at all.
            Action::Create => {
                let is_left = change.fields.iter().any(is_left);
                change.taken = is_left.then_some(Side::Live);
            }
            Action::Update => {
                let left = change.fields.0.iter_mut().filter(|field| is_left(field));
                left.for_each(|field| field.taken = Some(Side::Live));
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
    let conflict = refusal(
        all,
        Guard::Conflict,
        "changed in the files and in the inbox since the base, to different values",
        "apply with --conflicts take-file or --conflicts take-live; or update the files",
        |change| {
            let undecided = |field: &FieldChange| {
                field.class == Some(Class::Conflict) && policy.side_of(field).is_none()
            };
            change.fields.iter().any(undecided)
        },
    );
    let drift = refusal(
        all,
        Guard::Drift,
        "changed in the inbox since the base",
        "to override once: --drift keep or --drift revert; to change the rule: policy.drift",
        |change| match change.action {
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

/// The refusal for the leads whose changes are so; `None` where there are none.
fn refusal(
    all: &[Change],
    rule: Guard,
    message: &str,
    help: &str,
    is: impl Fn(&Change) -> bool,
) -> Option<Refusal> {
    let leads: Vec<LeadId> = all
        .iter()
        .filter(|change| is(change))
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
                fields: Fields(fields),
                unwritten: Fields(unwritten),
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
