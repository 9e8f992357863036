//! Verification: what a write asked for is there, and nothing else moved.
//!
//! [`check`] is pure; [`read_back`] reads, waits for a platform whose listing lags behind its writes, and has a ceiling. A lead
//! that shows another value than asked for, while something of the write is to be seen, is not lagging and not waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::{WriteCertainty, Writer};
use crate::cancel::Cancellation;
use crate::diff::{FieldChange, holds, value};
use crate::lead::{Field, Kind, Lead, LeadId, Value};
use crate::observe::{ObserveError, Observed, Seen, look_again};
use crate::plan::settle::Task;

/// How a lead differs from what was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Disagreement {
    /// Fields that were asked for and are not there, with what the platform did instead.
    pub(super) instead: Vec<(Field, Instead)>,
    /// Fields that nobody asked for and that moved.
    pub(super) moved: Vec<String>,
    /// What may be set so that the platform does what is asked.
    pub(super) hints: BTreeSet<&'static str>,
    /// One of the written fields is not as before: the write, or a later one, is to be seen, and waiting will not help.
    pub(super) took_effect: bool,
}

/// What the platform did instead of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Instead {
    /// Nothing: it is as before.
    Ignored,
    /// It has the new tags and the old ones.
    Added,
    /// Something else.
    Other,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instead = self.instead.iter().map(|(field, instead)| {
            let (was, is) = if matches!(field.kind(), Kind::Set | Kind::Notes) {
                ("were", "are")
            } else {
                ("was", "is")
            };
            match instead {
                Instead::Ignored => format!("{field} {was} ignored"),
                Instead::Added => {
                    format!("{field} {was} added to those there instead of replacing them")
                }
                Instead::Other => format!("{field} {is} neither as before nor as asked for"),
            }
        });
        let moved = self
            .moved
            .iter()
            .map(|name| format!("{name} moved, though it was not written"));
        f.write_str(&instead.chain(moved).collect::<Vec<_>>().join("; "))
    }
}

const ALL_IGNORED: &str = "the platform took the update and changed nothing: check that the write token belongs to this bot; if its listing \
                           is only slow, run the same apply again later";
const TAGS_ADDED: &str =
    "this platform adds tags and takes none away: use `tags: { present: […] }`";
const TAGS_WRONG: &str = "try the other shape for tags: set api.tags to `string` or `array`";
const NOT_UNASSIGNED: &str = "set api.unassign to what this platform takes for no agent";
const NOT_ASSIGNED: &str = "check that the agent is active";
const CLEARED: &str = "if nobody changed these in the inbox in this minute, the platform clears what an update leaves out: stop, and \
                       declare every field that must stay";
const OTHER: &str = "somebody may have changed it in the inbox in this minute: plan again and look";

fn hint(change: &FieldChange, instead: Instead) -> &'static str {
    match (change.field.kind(), instead) {
        (Kind::Set, Instead::Added) => TAGS_ADDED,
        (Kind::Set, Instead::Ignored | Instead::Other) => TAGS_WRONG,
        (Kind::Reference, _) if change.after.is_empty() => NOT_UNASSIGNED,
        (Kind::Reference, _) => NOT_ASSIGNED,
        (Kind::Choice | Kind::KeyedText | Kind::Text | Kind::Notes, _) => OTHER,
    }
}

/// A lead is as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    /// But notes that were there stand there twice now: the platform adds what it is sent.
    pub(super) notes_doubled: bool,
}

/// Holds a lead as it is now against what was written.
pub(super) fn check(task: &Task, now: &Observed) -> Result<Agreement, Disagreement> {
    let nothing = Lead::default();
    let was = task.live.as_ref().map_or(&nothing, |live| &live.lead);
    let wrong: Vec<&FieldChange> = task
        .change
        .fields
        .iter()
        .filter(|change| !holds(&now.lead, &change.field, &change.after))
        .collect();
    let moved = task
        .live
        .as_ref()
        .map(|live| moved(task, live, now))
        .unwrap_or_default();
    if wrong.is_empty() && moved.is_empty() {
        let written = task
            .change
            .fields
            .iter()
            .any(|change| change.field == Field::NOTES);
        let times = |lead: &Lead, note| lead.notes().iter().filter(|other| *other == note).count();
        let doubled = was
            .notes()
            .iter()
            .any(|note| times(&now.lead, note) > times(was, note));
        return Ok(Agreement {
            notes_doubled: written && doubled,
        });
    }
    // A newer date alone says nothing: a visitor's word brings one, too.
    let took_effect = task
        .change
        .fields
        .iter()
        .any(|change| value(was, &change.field) != value(&now.lead, &change.field));
    let wrong: Vec<(&FieldChange, Instead)> = wrong
        .into_iter()
        .map(|change| (change, instead(was, &now.lead, change)))
        .collect();
    let all_ignored = wrong.len() == task.change.fields.len()
        && wrong
            .iter()
            .all(|(_, instead)| *instead == Instead::Ignored);
    let mut hints: BTreeSet<&'static str> = wrong
        .iter()
        .map(|(change, instead)| hint(change, *instead))
        .collect();
    if all_ignored && (wrong.len() > 1 || hints.contains(OTHER)) {
        hints = BTreeSet::from([ALL_IGNORED]);
    }
    if !moved.is_empty() {
        hints.insert(CLEARED);
    }
    let instead = wrong
        .into_iter()
        .map(|(change, instead)| (change.field.clone(), instead))
        .collect();
    Err(Disagreement {
        instead,
        moved,
        hints,
        took_effect,
    })
}

fn instead(was: &Lead, now: &Lead, change: &FieldChange) -> Instead {
    let (was, now) = (value(was, &change.field), value(now, &change.field));
    match (&was, &now, &change.after) {
        (was, now, _) if was == now => Instead::Ignored,
        (Value::Set(was), Value::Set(now), Value::Set(asked))
            if now.is_superset(was) && now.is_superset(asked) =>
        {
            Instead::Added
        }
        _ => Instead::Other,
    }
}

fn moved(task: &Task, was: &Observed, now: &Observed) -> Vec<String> {
    let written: BTreeSet<&Field> = task
        .change
        .fields
        .iter()
        .map(|change| &change.field)
        .collect();
    let values = was.lead.values().chain(now.lead.values());
    let all: BTreeSet<&Field> = values.map(|(field, _)| field).collect();
    let left_alone = all.into_iter().filter(|field| !written.contains(field));
    let mut moved: Vec<String> = left_alone
        .filter(|field| value(&was.lead, field) != value(&now.lead, field))
        .map(ToString::to_string)
        .collect();
    if written.contains(&Field::NOTES)
        && !was
            .lead
            .notes()
            .iter()
            .all(|note| now.lead.notes().contains(note))
    {
        moved.push("a note that was there".to_owned());
    }
    let names: BTreeSet<&&str> = was.unmanaged.keys().chain(now.unmanaged.keys()).collect();
    moved.extend(
        names
            .into_iter()
            .filter(|name| was.unmanaged.get(**name) != now.unmanaged.get(**name))
            .map(|name| (*name).to_owned()),
    );
    moved
}

/// What reading back came to.
#[derive(Debug, Clone)]
pub(super) enum ReadBack {
    /// It is as asked for.
    Agrees(Agreement),
    /// It is not.
    Disagrees(Disagreement),
    /// It was not found in the listing.
    Gone,
    /// The listing could not be read.
    Unreadable(String),
    /// There was no time to read it, or the platform wants no requests for a while; why.
    NotRead(String),
}

/// Reads written leads back until each agrees, or cannot any more, or `until`. `told` hears of each lead that agrees.
pub(super) async fn read_back<W: Writer>(
    writer: &W,
    tasks: &[Task],
    until: Instant,
    stop: &Cancellation,
    mut told: impl FnMut(&LeadId),
) -> BTreeMap<LeadId, ReadBack> {
    let mut open: BTreeMap<&LeadId, &Task> =
        tasks.iter().map(|task| (&task.change.uuid, task)).collect();
    let mut hints: BTreeMap<LeadId, Option<Seen>> = tasks
        .iter()
        .map(|task| {
            (
                task.change.uuid.clone(),
                task.live.as_ref().and_then(|live| live.seen),
            )
        })
        .collect();
    let mut results = BTreeMap::new();
    let mut settled_once: BTreeSet<LeadId> = BTreeSet::new();
    let mut pause = Duration::from_millis(100);
    loop {
        if stop.interrupted() {
            let why = ReadBack::NotRead("interrupted".to_owned());
            results.extend(open.keys().map(|id| ((*id).clone(), why.clone())));
            return results;
        }
        let found = match look_again(writer, &hints).await {
            Ok(found) => found,
            Err(error) => {
                let unsent = matches!(&error, ObserveError::Page { source, .. } if W::certainty(source) == WriteCertainty::NotSent);
                let words = if stop.interrupted() {
                    "interrupted".to_owned()
                } else {
                    crate::text::chain(&error)
                };
                let why = if unsent {
                    ReadBack::NotRead(words)
                } else {
                    ReadBack::Unreadable(words)
                };
                results.extend(open.keys().map(|id| ((*id).clone(), why.clone())));
                return results;
            }
        };
        let last = Instant::now() >= until;
        open.retain(|id, task| {
            let verdict = match found.get(*id) {
                None => ReadBack::Gone,
                Some(now) => match check(task, now) {
                    Ok(agreement) => ReadBack::Agrees(agreement),
                    Err(disagreement) => ReadBack::Disagrees(disagreement),
                },
            };
            let certain = match &verdict {
                ReadBack::Agrees(_) => true,
                ReadBack::Disagrees(disagreement) => {
                    disagreement.took_effect && !settled_once.insert((*id).clone())
                }
                ReadBack::Gone | ReadBack::Unreadable(_) | ReadBack::NotRead(_) => false,
            };
            if matches!(verdict, ReadBack::Agrees(_)) {
                told(id);
            }
            if certain || last {
                results.insert((*id).clone(), verdict);
                hints.remove(*id);
            } else if let Some(now) = found.get(*id) {
                hints.insert((*id).clone(), now.seen);
            }
            !(certain || last)
        });
        if open.is_empty() {
            return results;
        }
        let wait = pause.min(until.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.until_interrupted() => {}
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
