//! The writes of a run: each on a fresh reading, many at a time.
//!
//! # Flow
//! 1. `look`: a lead whose reading is too old is read again; `decide` compares what it shows with the change.
//! 2. Turn: a lead with a fresh reading may be sent now.
//! 3. Permit: the rate and the open requests allow one more. A slow rate is waited for before the look.
//! 4. `attempt`: the write is sent, between its two lines in the run file. One that failed in passing begins again at 1.
//! 5. `confirm`: a page is read back as soon as its leads are written.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::outcomes::Report;
use super::precheck::Task;
use super::queue::{Attempts, Look, Pending, Queue, Ready};
use super::run::{Context, Progress};
use super::{Outcome, WriteCertainty, Writer, reading};
use crate::cancel::Reason;
use crate::lead::{Field, FieldMask, LeadId};
use crate::observe::{Projection, Reading, Seen};
use crate::plan::Change;
use attempt::{Attempt, write_one};
use confirm::Confirmations;
use look::read;

pub(super) use attempt::Failed;

mod attempt;
mod confirm;
mod decide;
mod look;

/// A change that passed the precheck, and the reading it was checked on.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) change: &'a Change,
    pub(super) task: Task,
    pub(super) reading: Option<Reading>,
}

impl Planned<'_> {
    /// Where it was last listed.
    fn place(&self) -> Option<Seen> {
        self.task.live.as_ref().and_then(|live| live.seen)
    }
}

/// A lead that was or may have been written.
#[derive(Debug)]
pub(super) struct WrittenLead {
    pub(super) task: Task,
    /// How the last write failed, if it did.
    pub(super) failed: Option<Failed>,
    /// When the last write was answered, or was known to be done or not.
    pub(super) ended: Instant,
}

/// A lead whose write may take its time to show, and must not be done twice, is waited for this often.
const MOST_WAITS: usize = 2;

/// A request is sent this long before the time that a reading leaves for it is over.
const AHEAD: Duration = Duration::from_millis(50);

/// Which leads of a run are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Those that are written and verified before any other, one at a time.
    Canaries,
    /// All others.
    Rest,
}

/// Writes these leads, and returns those to read back.
pub(super) async fn write<'a, W: Writer>(
    context: &Context<'_, W>,
    leads: Vec<Planned<'a>>,
    stage: Stage,
    report: &mut Report,
) -> Vec<WrittenLead> {
    let width = match stage {
        Stage::Canaries => 1,
        Stage::Rest => context.writer.width(),
    };
    let ids = leads.iter().map(|lead| &lead.change.uuid);
    let projection = Projection::only(ids.map(|id| (id, FieldMask::ALL)));
    let confirmed = Confirmations::new(context, &leads, stage);
    let mut run = Writes::new(context, report, leads, confirmed);
    let (mut permits, mut writes) = (FuturesUnordered::new(), FuturesUnordered::new());
    let (mut looks, mut confirmations) = (FuturesUnordered::new(), FuturesUnordered::new());
    loop {
        let goes_on = context.stop.reason().is_none();
        if goes_on {
            let only_retries = run.only_retries();
            run.queue.paused(context.writer.paused_at());
            run.queue.expire();
            while run.may_look()
                && let Some(look) = run.queue.look(width, only_retries)
            {
                looks.push(read(context, look, &projection));
            }
            while let Some(page) = run.next_confirmation() {
                confirmations.push(read(context, Look::of_page(page), &projection));
            }
            let may_write = permits.is_empty() && writes.len() < width;
            if may_write && let Some(turn) = run.turn(only_retries) {
                permits.push(wait(context.writer, turn));
            }
        }
        let is_reading = !looks.is_empty() || !confirmations.is_empty();
        let is_idle = permits.is_empty() && writes.is_empty() && !is_reading;
        // Where the rate is waited for first, that is what wakes.
        let wake = run.queue.wake().filter(|_| goes_on && run.may_look());
        let wake = wake.map(|wake| {
            context
                .stop
                .last_write()
                .map_or(wake, |last| last.min(wake))
        });
        if is_idle && wake.is_none() {
            run.stop_for_failures();
            break;
        }
        tokio::select! {
            Some(permit) = permits.next() => match permit {
                Ok(None) => run.is_prepaid = true,
                Ok(Some(permit)) => if let Some(ready) = run.next() {
                    run.is_prepaid = false;
                    writes.push(write_one(context, run.report.knowledge.adds_notes, ready, permit));
                },
                Err(error) => run.stop(&error),
            },
            Some(attempt) = writes.next() => run.settle(attempt),
            Some((look, found)) = looks.next() => run.take(&look, found),
            Some((_, page)) = confirmations.next() => run.confirm(page),
            () = until(wake) => {}
            () = context.stop.until_interrupted(), if is_idle => {}
        }
    }
    run.end()
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

struct Writes<'a, 'r, W> {
    context: &'r Context<'r, W>,
    report: &'r mut Report,
    queue: Queue<'a>,
    written: BTreeMap<LeadId, WrittenLead>,
    confirmations: Confirmations,
    failures: usize,
    /// Writes that have time to show before they are repeated, since the last one that was done: they count as failures, too.
    waits_in_a_row: usize,
    /// The longest time that a page took.
    page_took: Duration,
    is_prepaid: bool,
}

/// What is waited for.
enum Turn {
    /// A share of the rate.
    Prepay,
    /// A permit to send a write.
    Send { is_prepaid: bool },
}

async fn wait<W: Writer>(writer: &W, turn: Turn) -> Result<Option<W::Permit<'_>>, W::Error> {
    match turn {
        Turn::Prepay => writer.prepay().await.map(|()| None),
        Turn::Send { is_prepaid } => writer.permit(is_prepaid).await.map(Some),
    }
}

impl<'a, 'r, W: Writer> Writes<'a, 'r, W> {
    fn new(
        context: &'r Context<'r, W>,
        report: &'r mut Report,
        leads: Vec<Planned<'a>>,
        confirmations: Confirmations,
    ) -> Self {
        let mut queue = Queue::default();
        for lead in leads {
            let mut pending = Pending::new(lead.change, lead.place());
            let Planned {
                change,
                task,
                reading,
            } = lead;
            pending.is_again = report.is_again(&change.uuid);
            pending.lost_notes = report.lost_notes(&change.uuid).to_vec();
            match reading {
                Some(reading) => queue.ready(Ready {
                    pending,
                    task,
                    reading,
                }),
                None => queue.wait(pending),
            }
        }
        Self {
            context,
            report,
            queue,
            written: BTreeMap::new(),
            confirmations,
            failures: 0,
            waits_in_a_row: 0,
            page_took: Duration::ZERO,
            is_prepaid: false,
        }
    }

    /// The rate leaves so much time between requests that a reading would be too old when its write is sent. So the write's share of the
    /// rate is waited for before the reading.
    fn is_slow(&self) -> bool {
        self.context.writer.interval() + AHEAD > reading::time_to_send(self.page_took)
    }

    fn may_look(&self) -> bool {
        self.is_prepaid || !self.is_slow()
    }

    fn turn(&self, only_retries: bool) -> Option<Turn> {
        if self.is_slow() && !self.is_prepaid {
            self.queue.has_leads().then_some(Turn::Prepay)
        } else if self.queue.has_next(only_retries) {
            Some(Turn::Send {
                is_prepaid: self.is_prepaid,
            })
        } else {
            None
        }
    }

    /// Leads are left, and none of them may be started.
    fn stop_for_failures(&self) {
        let stop = self.context.stop;
        if stop.reason().is_none() && self.queue.has_leads() && self.only_retries() {
            stop.ask(Reason::Failures);
        }
    }

    /// After the maximum number of failed writes, temporary or not, no new lead is started.
    fn only_retries(&self) -> bool {
        self.failures + self.queue.retrying() + self.waits_in_a_row
            >= self.context.options.max_failures
    }

    fn next(&mut self) -> Option<Ready<'a>> {
        let only_retries = self.only_retries();
        self.queue.paused(self.context.writer.paused_at());
        self.context
            .stop
            .reason()
            .is_none()
            .then(|| self.queue.next(only_retries))?
    }

    /// Nothing more can be sent.
    fn stop(&mut self, error: &W::Error) {
        if !self.context.stop.interrupted() {
            self.context.stop.ask(Reason::Fatal);
            self.report.fatal.get_or_insert(error.to_string());
            self.report.hints.extend(W::hint(error));
        }
    }

    fn settle(&mut self, attempt: Attempt<'a>) {
        let Attempt {
            mut pending,
            task,
            age,
            failed,
            retry,
        } = attempt;
        pending.gap = retry.pause.filter(|_| pending.attempts.is_some());
        self.report.oldest_reading = self.report.oldest_reading.max(age);
        let Some(failed) = failed else {
            self.waits_in_a_row = 0;
            self.finish(pending, task, None);
            return;
        };
        if let Some(reason) = failed.stops {
            self.report.hints.extend(failed.hint.clone());
            self.context.stop.ask(reason);
            self.report.fatal.get_or_insert(failed.words.clone());
        }
        if failed.certainty == WriteCertainty::NotSent {
            self.give_up(pending, Some(failed.words));
            return;
        }
        let tries = pending
            .attempts
            .as_ref()
            .map_or(0, |attempts| attempts.tries);
        if tries < retry.times && self.context.stop.reason().is_none() {
            let shows_in = self.time_to_show(&task, &failed);
            let attempts = pending.attempts.as_ref();
            let waits = attempts.map_or(0, |attempts| attempts.waits);
            if shows_in.is_none() || waits < MOST_WAITS {
                let pause = retry.pause.max(shows_in);
                self.waits_in_a_row += usize::from(shows_in.is_some());
                self.queue
                    .retry(pending, task, failed, pause, shows_in.is_some());
                return;
            }
        }
        self.finish(pending, task, Some(failed));
        self.count_failure();
    }

    /// How long a write may take to show before it is sent again where sending it twice does more than sending it once: notes
    /// that were added are there twice.
    fn time_to_show(&self, task: &Task, failed: &Failed) -> Option<Duration> {
        let options = self.context.options;
        let adds = options.adds_notes || self.report.knowledge.adds_notes || task.live.is_none();
        let sends_notes = task
            .change
            .fields
            .iter()
            .any(|change| change.field == Field::NOTES);
        let may_be_done = failed.certainty == WriteCertainty::Indeterminate;
        (adds && sends_notes && may_be_done).then_some(options.patience)
    }

    /// A lead will not be written again, although its write failed.
    fn count_failure(&mut self) {
        self.failures += 1;
        if self.failures >= self.context.options.max_failures {
            self.context.stop.ask(Reason::Failures);
        }
    }

    /// The last write of a lead was answered, or will not be.
    fn finish(&mut self, mut pending: Pending<'a>, task: Task, failed: Option<Failed>) {
        let (task, failed) = match pending.attempts.take() {
            Some(mut attempts) => {
                attempts.add(task);
                let failed = failed.map(|failed| attempts.failed.then(failed));
                (attempts.task, failed)
            }
            None => (task, failed),
        };
        self.wrote(&pending, task, failed);
    }

    /// A lead was or may have been written.
    fn wrote(&mut self, pending: &Pending<'a>, task: Task, failed: Option<Failed>) {
        (self.context.progress)(Progress::Wrote);
        let written = WrittenLead {
            task,
            failed,
            ended: Instant::now(),
        };
        self.written.insert(pending.change.uuid.clone(), written);
        self.done(pending, true);
    }

    /// Nothing more is sent for a lead.
    fn done(&mut self, pending: &Pending<'a>, is_written: bool) {
        let id = &pending.change.uuid;
        self.queue.done(id);
        self.confirmations
            .ended(pending.listed, is_written.then_some(id));
    }

    /// Nothing more is sent for a lead, because of what `words` say.
    fn give_up(&mut self, mut pending: Pending<'a>, words: Option<String>) {
        match pending.attempts.take() {
            Some(Attempts { task, failed, .. }) => self.wrote(&pending, task, Some(failed)),
            None => {
                let id = pending.change.uuid.clone();
                self.done(&pending, false);
                self.report.end(self.context, id, Outcome::Untried, words);
            }
        }
    }

    fn end(mut self) -> Vec<WrittenLead> {
        for pending in std::mem::take(&mut self.queue).into_rest() {
            self.give_up(pending, None);
        }
        self.written.into_values().collect()
    }
}
