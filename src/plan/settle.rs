//! Settling: a planned change against the lead as it is now. Pure.
//!
//! A run may do less than planned, never more: a field that has what was planned is left out, one that has what the plan was
//! made from is written, and anything else means that somebody has been at the lead since.

use crate::diff::{FieldChange, holds, is_at_before};
use crate::lead::{Field, Value};
use crate::observe::Observed;

use super::{Action, Change};

/// A change that is to be written, with the lead as it was seen last.
#[derive(Debug, Clone)]
pub struct Task {
    /// The change; of its fields only those that are still to be written.
    pub change: Change,
    /// The lead; `None` where it is to be created.
    pub live: Option<Observed>,
}

/// Where a planned change stands.
#[derive(Debug, Clone)]
pub enum Settled {
    /// To be written.
    Go(Box<Task>),
    /// It is as planned already.
    Already,
    /// It has moved since; why.
    Stale(String),
}

const UNSEALED: &str = "a masked contact value is not as it was planned: it moved in the inbox, the lead's file says another one \
                        by now, or the read token is another";

/// Holds a change against the live lead.
pub fn settle(change: &Change, live: Option<&Observed>) -> Settled {
    if change.fields.iter().any(|field| field.seal.is_some()) {
        return Settled::Stale(UNSEALED.to_owned());
    }
    let Some(seen) = live else {
        return match change.action {
            Action::Create => Settled::Go(Box::new(Task {
                change: change.clone(),
                live: None,
            })),
            Action::Update => Settled::Stale("it is no longer listed".to_owned()),
        };
    };
    let wanted = |field: &&FieldChange| !holds(&seen.lead, &field.field, &field.after);
    let open: Vec<FieldChange> = change.fields.iter().filter(wanted).cloned().collect();
    if open.is_empty() {
        return Settled::Already;
    }
    if change.action == Action::Create {
        return Settled::Stale("it is listed now, though it was to be created".to_owned());
    }
    let moved: Vec<String> = open
        .iter()
        .filter(|field| !is_at_before(&seen.lead, field))
        .map(|field| field.field.to_string())
        .collect();
    if moved.is_empty() {
        let change = Change {
            fields: super::Fields(open),
            ..change.clone()
        };
        return Settled::Go(Box::new(Task {
            change,
            live: Some(seen.clone()),
        }));
    }
    Settled::Stale(format!("{} moved since the plan", moved.join(", ")))
}

/// The value that is to be sent for a field, from the plan.
pub fn sent(change: &FieldChange) -> (Field, Value) {
    (change.field.clone(), change.after.clone())
}
