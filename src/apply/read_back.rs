//! Reading back: looks for what was written until it shows.
//!
//! Waits, up to a limit, for platforms whose listing lags behind writes. A lead is waited for as long as one of its written
//! fields has its old value; one that has neither the old nor the new value, twice in a row, is not lagging.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::WriteCertainty;
use super::check::{Check, check};
use super::precheck::Task;
use super::write::WrittenLead;
use crate::cancel::Cancellation;
use crate::lead::{FieldMask, LeadId};
use crate::observe::{ListingHints, Observed, Reader, Seen, look_again, observe};

/// The result of reading back.
#[derive(Debug, Clone)]
pub(super) enum ReadBack {
    /// The lead is listed, with this result.
    Shown(Check, Arc<Observed>),
    /// The lead was not found in the listing.
    Gone,
    /// The lead could not be read, for lack of time, or because the listing or its record could not be; the reason.
    NotRead(String),
}

/// Reads written leads back until each agrees, waiting is pointless, or `until` is reached. Calls `verified` for each lead that agrees.
pub(super) async fn read_back<R: Reader>(
    reader: &R,
    written: &[WrittenLead],
    until: Instant,
    (stop, side_effects): (&Cancellation, FieldMask),
    mut verified: impl FnMut(&LeadId),
) -> Vec<ReadBack> {
    let mut open: BTreeMap<&LeadId, (usize, &WrittenLead)> = written
        .iter()
        .enumerate()
        .map(|(at, written)| (&written.task.change.uuid, (at, written)))
        .collect();
    let mut hints: BTreeMap<LeadId, Option<Seen>> = written
        .iter()
        .map(|written| {
            let live = written.task.live.as_ref();
            (
                written.task.change.uuid.clone(),
                live.and_then(|live| live.seen),
            )
        })
        .collect();
    let mut results: Vec<ReadBack> = vec![ReadBack::Gone; written.len()];
    let mut final_once: BTreeSet<LeadId> = BTreeSet::new();
    let mut pause = Duration::from_millis(100);
    while !open.is_empty() {
        let found = if stop.interrupted() {
            Err("interrupted".to_owned())
        } else {
            let found = look_again(reader, &hints).await;
            found.map_err(|error| {
                if stop.interrupted() {
                    "interrupted".to_owned()
                } else {
                    crate::text::chain(&error)
                }
            })
        };
        let (found, unreadable) = match found {
            Ok(found) => found,
            Err(why) => {
                for (at, _) in open.values() {
                    results[*at] = ReadBack::NotRead(why.clone());
                }
                return results;
            }
        };
        let is_last = Instant::now() >= until;
        open.retain(|id, (at, written)| {
            if let Some(reason) = unreadable.get(*id) {
                // It is listed, and waiting makes no record readable.
                results[*at] = ReadBack::NotRead(format!("its record cannot be read: {reason}"));
                return false;
            }
            let Some(now) = found.get(*id) else {
                results[*at] = ReadBack::Gone;
                return !is_last && !is_rejected(written);
            };
            let result = shown(&written.task, now, side_effects);
            let ReadBack::Shown(check, _) = &result else {
                results[*at] = result;
                return false;
            };
            if check.agrees() {
                verified(id);
            }
            let is_certain = check.agrees()
                || is_rejected(written)
                || check.is_final() && !final_once.insert((*id).clone());
            hints.insert((*id).clone(), now.seen);
            results[*at] = result;
            !(is_certain || is_last)
        });
        hints.retain(|id, _| open.contains_key(id));
        if open.is_empty() {
            break;
        }
        let wait = pause.min(until.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.until_interrupted() => {}
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
    let gone = (0..written.len())
        .filter(|at| matches!(results[*at], ReadBack::Gone) && !is_rejected(&written[*at]));
    let gone: Vec<usize> = gone.collect();
    if !gone.is_empty() && !stop.interrupted() {
        look_for_gone(reader, written, &gone, side_effects, &mut results).await;
        for at in gone {
            if matches!(&results[at], ReadBack::Shown(check, _) if check.agrees()) {
                verified(&written[at].task.change.uuid);
            }
        }
    }
    results
}

/// Looks once more for leads that were not found, as a plan does before it calls a lead missing: one sweep may miss a lead that
/// moves from an unread page to a read one.
async fn look_for_gone<R: Reader>(
    reader: &R,
    written: &[WrittenLead],
    gone: &[usize],
    side_effects: FieldMask,
    results: &mut [ReadBack],
) {
    let id = |at: &usize| written[*at].task.change.uuid.clone();
    let ids = gone.iter().map(id).collect();
    let live = match observe(reader, &ids, false, &ListingHints::default()).await {
        Ok(live) => live,
        Err(error) => {
            let why = crate::text::chain(&error);
            for at in gone {
                results[*at] = ReadBack::NotRead(why.clone());
            }
            return;
        }
    };
    for at in gone {
        let task = &written[*at].task;
        if let Some(now) = live.get(&task.change.uuid) {
            results[*at] = shown(task, now, side_effects);
        } else if let Some(reason) = live.unreadable.get(&task.change.uuid) {
            results[*at] = ReadBack::NotRead(format!("its record cannot be read: {reason}"));
        }
    }
}

/// What a lead shows of a write.
fn shown(task: &Task, now: &Arc<Observed>, side_effects: FieldMask) -> ReadBack {
    let fields = task.change.fields.iter();
    let fields = FieldMask::exactly(fields.map(|change| &change.field));
    match now.cannot_read(fields) {
        Some(reason) => ReadBack::NotRead(format!("its record cannot be read: {reason}")),
        None => ReadBack::Shown(check(task, now, side_effects), Arc::clone(now)),
    }
}

/// The platform reported that it was not done, so there is nothing to wait for.
fn is_rejected(written: &WrittenLead) -> bool {
    written
        .failed
        .as_ref()
        .is_some_and(|failed| failed.certainty == WriteCertainty::Rejected)
}
