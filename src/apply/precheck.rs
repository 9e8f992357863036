//! The precheck: compares a planned change with a reading of its lead. Pure.
//!
//! The one place that decides whether a write may proceed: before the first write, and again on each later reading. A run may
//! do less than planned, never more:
//!
//! | a field of the change shows | then |
//! |---|---|
//! | what was planned | it is left out |
//! | what the plan was made from | it is written |
//! | anything else | the lead is stale: somebody has changed it since |
//! | a form that is not understood | the lead is left alone: a write may lose what is there |
//!
//! A declared field that is not written makes the lead stale, too, where it shows anything but what it showed. Of tags that are wanted beside others only the wanted ones count, of notes only the added ones. The others are sent as they are now.

use std::sync::Arc;

use crate::diff::{FieldChange, is_at_before};
use crate::lead::FieldMask;
use crate::observe::{Live, Observed};
use crate::plan::{Action, Change, Fields};

/// A change to write, with the reading that the write is based on.
#[derive(Debug, Clone)]
pub struct Task {
    /// The change, with only the fields that are still to be written.
    pub change: Change,
    /// The lead; `None` if it is to be created.
    pub live: Option<Arc<Observed>>,
}

/// What to do with a planned change.
#[derive(Debug, Clone)]
pub enum Precheck {
    /// Write it.
    Proceed(Box<Task>),
    /// The lead is already as planned.
    AlreadyApplied,
    /// The lead has changed since the plan; the reason not to write it.
    Stale(String),
    /// A field of the change cannot be read: writing it may lose what it holds. The reason.
    Unreadable(String),
}

const UNSEALED: &str = "a masked contact value no longer matches the plan: it changed in the inbox, the lead's file now has another \
                        value, or the read token changed";

/// Compares a change with a reading of its lead; `None` if it is not listed.
pub fn precheck(change: &Change, live: Option<&Arc<Observed>>) -> Precheck {
    precheck_but(change, live, FieldMask::default())
}

/// As [`precheck`], after a write of the lead that may have been done: `side_effects` are fields that the platform changes with a
/// write, so that a change of one of them is nobody's.
pub(super) fn precheck_but(
    change: &Change,
    live: Option<&Arc<Observed>>,
    side_effects: FieldMask,
) -> Precheck {
    if change.fields.iter().any(|field| field.seal.is_some()) {
        return Precheck::Stale(UNSEALED.to_owned());
    }
    let Some(seen) = live else {
        return match change.action {
            Action::Create => Precheck::Proceed(Box::new(Task {
                change: change.clone(),
                live: None,
            })),
            Action::Update => Precheck::Stale("no longer listed".to_owned()),
        };
    };
    let compared = change.fields.iter().chain(change.unwritten.iter());
    let compared = FieldMask::exactly(compared.map(|field| &field.field));
    if let Some(reason) = seen.cannot_read(compared) {
        return Precheck::Unreadable(format!("its record cannot be read: {reason}"));
    }
    let open: Vec<FieldChange> = change
        .fields
        .iter()
        .filter(|field| !field.is_done(&seen.lead))
        .map(|field| field.rebuilt(&seen.lead))
        .collect();
    let is_other = |field: &&FieldChange| field.seal.is_some() || !is_at_before(&seen.lead, field);
    let open_fields = change
        .fields
        .iter()
        .filter(|field| !field.is_done(&seen.lead));
    let unwritten = change
        .unwritten
        .iter()
        .filter(|field| !side_effects.has(field.field.id()));
    let changed = open_fields.chain(unwritten).filter(is_other);
    let changed: Vec<String> = changed.map(|field| field.field.to_string()).collect();
    if open.is_empty() && changed.is_empty() {
        return Precheck::AlreadyApplied;
    }
    if change.action == Action::Create {
        return Precheck::Stale("already exists".to_owned());
    }
    if !changed.is_empty() {
        return Precheck::Stale(format!("{} changed since the plan", changed.join(", ")));
    }
    Precheck::Proceed(Box::new(Task {
        change: Change {
            fields: Fields(open),
            ..change.clone()
        },
        live: Some(Arc::clone(seen)),
    }))
}

/// The changes that are still to be written, each with only the fields that are.
pub fn still_open(changes: &[Change], live: &Live) -> Vec<Change> {
    changes
        .iter()
        .filter_map(|change| match precheck(change, live.get(&change.uuid)) {
            Precheck::Proceed(task) => Some(task.change),
            Precheck::AlreadyApplied | Precheck::Stale(_) | Precheck::Unreadable(_) => None,
        })
        .collect()
}
