//! The leads of a run that are not yet written: those that must be read again, by the page they were listed on, and those with a fresh
//! reading. Decides what to read and what to write next; sends nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::WriteCertainty;
use super::precheck::Task;
use super::reading::is_fresh;
use super::write::Failed;
use crate::lead::LeadId;
use crate::observe::{Observed, Reading, Seen};
use crate::plan::Change;

/// The number of consecutive pages without a lead before the whole listing is searched for it.
const MISSES: u32 = 2;
/// The duration of writes that decides how many leads are read ahead.
const AHEAD: Duration = Duration::from_millis(500);

/// A planned change that is not yet written.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    pub(super) change: &'a Change,
    /// Where its lead was listed when the run began.
    pub(super) listed: Option<Seen>,
    /// Where it was last listed, and the pages since that did not show it.
    place: Option<Seen>,
    misses: u32,
    pub(super) attempts: Option<Attempts>,
    /// Whether it was written in this run, and the platform changed a field of it besides.
    pub(super) is_again: bool,
    /// Notes that the write before replaced, as they were read: they are sent again.
    pub(super) lost_notes: Vec<serde_json::Value>,
}

/// The writes of a lead that were sent and failed, as far as is known.
#[derive(Debug)]
pub(super) struct Attempts {
    /// The first of them, with every field that any of them sent.
    pub(super) task: Task,
    pub(super) failed: Failed,
    pub(super) tries: usize,
    /// The lead before the last of them.
    before: Option<Arc<Observed>>,
    delays: ExponentialBackoff,
    /// An earlier reading says nothing about them.
    not_before: Instant,
    /// How many of them were given all the time that a write may take to show.
    pub(super) waits: usize,
}

/// A lead that may be written on this reading.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub(super) pending: Pending<'a>,
    pub(super) task: Task,
    pub(super) reading: Reading,
}

/// What to read: a page, or else the whole listing, for these leads.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) page: Option<Seen>,
    pub(super) leads: BTreeSet<LeadId>,
}

impl Look {
    /// One page, for whatever is on it.
    pub(super) fn of_page(page: Seen) -> Self {
        Self {
            page: Some(page),
            leads: BTreeSet::new(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue<'a> {
    /// Leads that must be read before they are written.
    waiting: BTreeMap<LeadId, Pending<'a>>,
    /// Those of them with a known position, in the order of the listing. A written lead moves to the front, so leads further
    /// on keep their position.
    placed: BTreeSet<(Seen, LeadId)>,
    /// Those of them without a known position.
    lost: BTreeSet<LeadId>,
    /// Those of them whose write failed temporarily, until it is time to read them again.
    resting: BTreeSet<(Instant, LeadId)>,
    fresh: VecDeque<Ready<'a>>,
    /// Leads with a write that failed temporarily.
    retrying: BTreeSet<LeadId>,
    /// Those of them whose write has time to show before it is repeated.
    waiting_to_show: BTreeSet<LeadId>,
    /// Leads that the current reads are for.
    expected: usize,
    /// When the last writes were sent.
    sent: VecDeque<Instant>,
}

impl<'a> Pending<'a> {
    pub(super) fn new(change: &'a Change, place: Option<Seen>) -> Self {
        Self {
            change,
            listed: place,
            place,
            misses: 0,
            attempts: None,
            is_again: false,
            lost_notes: Vec::new(),
        }
    }

    /// The position where it was found.
    pub(super) fn found(&mut self, place: Option<Seen>) {
        (self.place, self.misses) = (place, 0);
    }
}

impl<'a> Queue<'a> {
    /// Adds a lead that must be read.
    pub(super) fn wait(&mut self, pending: Pending<'a>) {
        let id = pending.change.uuid.clone();
        match &pending.attempts {
            Some(attempts) if attempts.not_before > Instant::now() => {
                self.resting.insert((attempts.not_before, id.clone()));
            }
            _ => self.place(&id, pending.place),
        }
        self.waiting.insert(id, pending);
    }

    fn place(&mut self, id: &LeadId, place: Option<Seen>) {
        match place {
            Some(seen) => self.placed.insert((seen, id.clone())),
            None => self.lost.insert(id.clone()),
        };
    }

    /// Adds a lead that was just read.
    pub(super) fn ready(&mut self, ready: Ready<'a>) {
        if ready.pending.attempts.is_some() {
            self.fresh.push_front(ready);
        } else {
            self.fresh.push_back(ready);
        }
    }

    /// Adds a lead whose write failed temporarily. It is read again after a pause, and only then may be sent again.
    pub(super) fn retry(
        &mut self,
        mut pending: Pending<'a>,
        task: Task,
        failed: Failed,
        pause: Option<Duration>,
        waits: bool,
    ) {
        let before = task.live.clone();
        let mut attempts = match pending.attempts.take() {
            Some(mut attempts) => {
                attempts.add(task);
                attempts.failed = attempts.failed.then(failed);
                attempts
            }
            None => Attempts::new(task, failed),
        };
        attempts.before = before;
        attempts.tries += 1;
        let delay = attempts.delays.next().unwrap_or_default();
        attempts.not_before = Instant::now() + delay.max(pause.unwrap_or_default());
        attempts.waits += usize::from(waits);
        let id = &pending.change.uuid;
        self.retrying.insert(id.clone());
        if waits {
            self.waiting_to_show.insert(id.clone());
        } else {
            self.waiting_to_show.remove(id);
        }
        pending.attempts = Some(attempts);
        self.wait(pending);
    }

    /// Removes a lead that is finished.
    pub(super) fn done(&mut self, id: &LeadId) {
        self.retrying.remove(id);
        self.waiting_to_show.remove(id);
    }

    /// Leads with a write that failed temporarily and is repeated as soon as may be.
    pub(super) fn retrying(&self) -> usize {
        self.retrying.len() - self.waiting_to_show.len()
    }

    /// When the next read is due.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.resting.first().map(|(at, _)| *at)
    }

    /// The next lead to write, if its reading is still fresh. With `only_retries`, no new lead is started.
    pub(super) fn next(&mut self, only_retries: bool) -> Option<Ready<'a>> {
        let now = Instant::now();
        while let Some(ready) = self.fresh.pop_front() {
            if !is_fresh(ready.reading, now) {
                self.wait(ready.pending);
            } else if only_retries && ready.pending.attempts.is_none() {
                self.fresh.push_front(ready);
                return None;
            } else {
                self.sent.push_back(now);
                return Some(ready);
            }
        }
        None
    }

    /// Marks leads whose reading is no longer fresh to be read again, up to the first fresh one.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        while let Some(old) = self
            .fresh
            .pop_front_if(|ready| !is_fresh(ready.reading, now))
        {
            self.wait(old.pending);
        }
    }

    /// Whether there is a lead to write.
    pub(super) fn has_next(&self, only_retries: bool) -> bool {
        self.fresh
            .front()
            .is_some_and(|ready| !only_retries || ready.pending.attempts.is_some())
    }

    /// What to read next: as far ahead as half a second of writes, and at least something if there is nothing to write.
    pub(super) fn look(&mut self, width: usize, only_retries: bool) -> Option<Look> {
        let now = Instant::now();
        while self
            .sent
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) > AHEAD)
        {
            self.sent.pop_front();
        }
        while self.resting.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, id)) = self.resting.pop_first()
        {
            let place = self.waiting.get(&id).and_then(|pending| pending.place);
            self.place(&id, place);
        }
        let wanted = self.sent.len().clamp(1, 2 * width);
        // Repeated writes come first. Where no other is begun, the others do not count: they would keep the repeated ones waiting.
        let is_retry = |ready: &&Ready<'_>| !only_retries || ready.pending.attempts.is_some();
        let ready = self.fresh.iter().take_while(is_retry).take(wanted).count();
        if ready + self.expected >= wanted {
            return None;
        }
        let may = |id: &LeadId| !only_retries || self.retrying.contains(id);
        let page = self.placed.iter().find(|(_, id)| may(id));
        let look = if let Some((seen, _)) = page {
            let seen = *seen;
            let from = (seen, LeadId::new(""));
            let there = self.placed.range(from..);
            let leads: BTreeSet<LeadId> = there
                .take_while(|(other, _)| *other == seen)
                .map(|(_, id)| id.clone())
                .collect();
            for id in &leads {
                self.placed.remove(&(seen, id.clone()));
            }
            Look {
                page: Some(seen),
                leads,
            }
        } else if self.lost.iter().any(may) && self.expected == 0 {
            Look {
                page: None,
                leads: std::mem::take(&mut self.lost),
            }
        } else {
            return None;
        };
        self.expected += look.leads.len();
        Some(look)
    }

    /// A read has ended.
    pub(super) fn looked(&mut self, look: &Look) {
        self.expected -= look.leads.len();
    }

    /// Takes a lead that was read, if this reading counts for it.
    pub(super) fn take(&mut self, id: &LeadId, reading: Reading) -> Option<Pending<'a>> {
        let pending = self.waiting.get(id)?;
        if let Some(attempts) = &pending.attempts
            && attempts.not_before > reading.sent
        {
            return None;
        }
        self.remove(id)
    }

    /// Removes a lead, whatever its state.
    pub(super) fn remove(&mut self, id: &LeadId) -> Option<Pending<'a>> {
        let pending = self.waiting.remove(id)?;
        if let Some(seen) = pending.place {
            self.placed.remove(&(seen, id.clone()));
        }
        self.lost.remove(id);
        if let Some(attempts) = &pending.attempts {
            self.resting.remove(&(attempts.not_before, id.clone()));
        }
        Some(pending)
    }

    /// A page did not show a lead that was listed there: new chats may have pushed it to the next page.
    pub(super) fn missed(&mut self, id: &LeadId, seen: Seen) {
        let Some(mut pending) = self.remove(id) else {
            return;
        };
        pending.misses += 1;
        pending.place = (pending.misses < MISSES).then(|| Seen {
            page: seen.page.saturating_add(1),
            ..seen
        });
        self.wait(pending);
    }

    /// Whether there are leads that are not yet written.
    pub(super) fn has_leads(&self) -> bool {
        !self.waiting.is_empty() || !self.fresh.is_empty()
    }

    /// All remaining leads, at the end of a run.
    pub(super) fn into_rest(self) -> Vec<Pending<'a>> {
        let fresh = self.fresh.into_iter().map(|ready| ready.pending);
        self.waiting.into_values().chain(fresh).collect()
    }
}

impl Attempts {
    fn new(task: Task, failed: Failed) -> Self {
        Self {
            task,
            failed,
            tries: 0,
            before: None,
            delays: ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_delay(Duration::from_secs(5))
                .without_max_times()
                .with_jitter()
                .build(),
            not_before: Instant::now(),
            waits: 0,
        }
    }

    /// Whether the lead has a part of what was sent, which may have been done.
    pub(super) fn is_done_in_part(&self, seen: Option<&Arc<Observed>>) -> bool {
        let mut fields = self.task.change.fields.iter();
        self.failed.certainty == WriteCertainty::Indeterminate
            && seen.is_some_and(|seen| fields.any(|field| field.is_done(&seen.lead)))
    }

    /// Whether the platform updated the lead after the last write, and shows nothing of it that is new. Either that was the write, which is
    /// not shown yet or was set back by somebody, or somebody changed what is not read. Sent again, it may undo a change that is
    /// newer than the plan.
    pub(super) fn may_be_set_back(&self, seen: Option<&Arc<Observed>>) -> bool {
        let (Some(before), Some(seen)) = (&self.before, seen) else {
            return false;
        };
        self.failed.certainty == WriteCertainty::Indeterminate
            && seen.updated > before.updated
            && seen.activity == before.activity
            && seen.lead == before.lead
            && seen.unmanaged == before.unmanaged
    }

    /// A later write may send a field that an earlier one left out.
    pub(super) fn add(&mut self, task: Task) {
        for field in task.change.fields.0 {
            let known = &mut self.task.change.fields.0;
            if known.iter().all(|other| other.field != field.field) {
                known.push(field);
            }
        }
    }
}
