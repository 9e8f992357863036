//! The leads of a run that are not yet written: those that must be read again, by the page they were listed on, and those with a fresh
//! reading. Decides what to read and what to write next; sends nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::precheck::Task;
use super::reading::is_fresh;
use super::write::Failed;
use crate::lead::LeadId;
use crate::observe::{Reading, Seen};
use crate::plan::Change;

mod attempts;

pub(super) use attempts::Attempts;

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
    /// How long the platform asked to wait when it refused a write again: a reading is a request, too, and a write right after it may
    /// be one too many each time.
    pub(super) gap: Option<Duration>,
    /// Whether it was written in this run, and the platform changed a field of it besides.
    pub(super) is_again: bool,
    /// Notes that the write before replaced, as they were read: they are sent again.
    pub(super) lost_notes: Vec<serde_json::Value>,
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
    /// Their uuids.
    ready: BTreeSet<LeadId>,
    /// Older readings are not written on: the platform asked for a pause after them.
    paused_at: Option<Instant>,
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
            gap: None,
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
        self.ready.insert(ready.pending.change.uuid.clone());
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
        self.expire();
        let may = |ready: &mut Ready<'_>| !only_retries || ready.pending.attempts.is_some();
        let ready = self.fresh.pop_front_if(may)?;
        self.ready.remove(&ready.pending.change.uuid);
        self.sent.push_back(Instant::now());
        Some(ready)
    }

    /// The platform asked for a pause then: what was read before it is read again.
    pub(super) fn paused(&mut self, at: Option<Instant>) {
        self.paused_at = self.paused_at.max(at);
    }

    /// Marks leads whose reading is no longer fresh to be read again, up to the first fresh one.
    pub(super) fn expire(&mut self) {
        let (now, paused_at) = (Instant::now(), self.paused_at);
        let is_old = |ready: &mut Ready<'_>| {
            !is_fresh(ready.reading, now) || paused_at.is_some_and(|at| ready.reading.sent < at)
        };
        while let Some(old) = self.fresh.pop_front_if(is_old) {
            self.ready.remove(&old.pending.change.uuid);
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

    /// Takes a lead that was read, if this reading counts for it: one that waits for a reading, or has an older one.
    pub(super) fn take(&mut self, id: &LeadId, reading: Reading) -> Option<Pending<'a>> {
        if let Some(at) = self.place_in_fresh(id) {
            let is_older = self.fresh[at].reading.sent < reading.sent;
            return is_older.then(|| self.remove(id)).flatten();
        }
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
        if let Some(at) = self.place_in_fresh(id) {
            self.ready.remove(id);
            return self.fresh.remove(at).map(|ready| ready.pending);
        }
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

    fn place_in_fresh(&self, id: &LeadId) -> Option<usize> {
        let is_it = |ready: &Ready<'_>| ready.pending.change.uuid == *id;
        self.ready
            .contains(id)
            .then(|| self.fresh.iter().position(is_it))?
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
