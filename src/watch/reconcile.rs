//! The loop: waits for what is due, looks, makes passes, and keeps the status. What a look and a pass are, it does not know.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::WatchHandle;
use super::schedule::{Intervals, NextPass, Schedule};
use super::status::{
    FightingField, LeadStates, PassResult, PassSummary, StatusCommits, WatchStatus,
};
use crate::cancel::Cancellation;
use crate::error::Exit;
use crate::plan::{Refusal, Target};
use crate::policy::Guard;
use crate::report::Problem;

/// What the loop drives.
pub trait Reconciler {
    /// Looks at the desired state.
    fn look(&mut self) -> impl Future<Output = LookEnd>;

    /// Makes one pass of the desired state in force. An interrupt ends it early.
    fn pass(&mut self) -> impl Future<Output = PassEnd>;

    /// The inbox; `None` before a valid workspace was seen.
    fn target(&self) -> Option<Target>;
}

/// The time, which tests turn.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;

    /// The time since the start, which never goes back.
    fn elapsed(&self) -> Duration;

    /// Completes when that much time has passed since the start.
    fn sleep_until(&self, elapsed: Duration) -> impl Future<Output = ()>;

    /// A number between -1 and 1.
    fn jitter(&self) -> f64;
}

/// What a look came to.
#[derive(Debug, Default)]
pub struct LookEnd {
    /// Whether the desired state in force is another one than before.
    pub changed: bool,
    /// Why the newest state could not be read.
    pub error: Option<Problem>,
    /// The newest commit that was seen.
    pub attempted: Option<String>,
    /// The commit in force.
    pub valid: Option<String>,
}

/// What a pass came to.
#[derive(Debug)]
pub struct PassEnd {
    /// The exit code of `--once`.
    pub exit: Exit,
    /// What it came to.
    pub result: PassResult,
    /// Whether leads were being written.
    pub wrote: bool,
    /// `None` where the inbox was not read.
    pub states: Option<LeadStates>,
    /// Fields that are left alone.
    pub fighting: Vec<FightingField>,
    /// Why it was refused.
    pub refusals: Vec<Refusal>,
    /// What went wrong.
    pub error: Option<Problem>,
    /// The reason in `watch.suspend`.
    pub suspended: Option<String>,
    /// The commit last applied.
    pub applied: Option<String>,
    /// The number of leads by outcome.
    pub outcomes: std::collections::BTreeMap<&'static str, usize>,
}

impl PassEnd {
    /// What the loop does next.
    fn next(&self) -> NextPass {
        match (self.result, self.exit) {
            (PassResult::Observed | PassResult::Suspended, _) => NextPass::InTurn,
            (_, Exit::Done | Exit::Changes) => NextPass::InTurn,
            (_, Exit::Refused) => NextPass::OnChange,
            (
                _,
                Exit::Error | Exit::Stale | Exit::Partial | Exit::Unverified | Exit::Interrupted,
            ) => NextPass::Retry,
        }
    }
}

/// What the loop needs beside its reconciler.
pub struct Surroundings<'a, C> {
    /// The time.
    pub clock: &'a C,
    /// Where the status is published.
    pub handle: &'a WatchHandle,
    /// Set when the loop is to stop.
    pub stop: &'a Cancellation,
    /// Called at the end of each pass.
    pub on_pass: &'a (dyn Fn(&PassSummary) + Sync),
    /// Called with the status after each pass.
    pub on_status: &'a (dyn Fn(&WatchStatus) + Sync),
}

/// Looks once and makes one pass. Returns its exit code; 1 where the pass succeeded but the newest state could not be read.
pub async fn once<R: Reconciler, C: Clock>(
    reconciler: &mut R,
    around: &Surroundings<'_, C>,
) -> Exit {
    let mut board = Board::default();
    let look = reconciler.look().await;
    let failed = look.error.is_some();
    board.look(look);
    let end = timed_pass(reconciler, around).await;
    let exit = end.exit;
    board.pass(end);
    board.publish(reconciler, around, None);
    (around.on_status)(&around.handle.status());
    if failed && exit == Exit::Done {
        Exit::Error
    } else {
        exit
    }
}

/// Reconciles until it is asked to stop. Returns 0 where nothing was being written then, else 130.
pub async fn run<R: Reconciler, C: Clock>(
    reconciler: &mut R,
    around: &Surroundings<'_, C>,
    intervals: Intervals,
) -> Exit {
    let Surroundings {
        clock,
        handle,
        stop,
        ..
    } = around;
    let (mut schedule, mut board) = (Schedule::new(intervals), Board::default());
    loop {
        if schedule.is_look_due(clock.elapsed()) {
            let look = tokio::select! {
                biased;
                () = stop.until_interrupted() => return Exit::Done,
                look = reconciler.look() => look,
            };
            schedule.looked(clock.elapsed(), clock.jitter());
            if look.changed {
                schedule.changed(clock.elapsed());
            }
            if look.error.is_none() && !board.last_pass_failed() {
                handle.progressed();
            }
            board.look(look);
        }
        if stop.interrupted() {
            return Exit::Done;
        }
        let is_due = schedule.is_pass_due(clock.elapsed());
        if is_due {
            let end = timed_pass(reconciler, around).await;
            if stop.interrupted() {
                let was_writing = end.wrote && end.exit == Exit::Interrupted;
                board.pass(end);
                board.publish(reconciler, around, None);
                (around.on_status)(&handle.status());
                return if was_writing {
                    Exit::Interrupted
                } else {
                    Exit::Done
                };
            }
            schedule.passed(clock.elapsed(), end.next(), clock.jitter());
            if end.result != PassResult::Error {
                handle.progressed();
            }
            board.pass(end);
        }
        board.publish(reconciler, around, schedule.next_pass());
        if is_due {
            (around.on_status)(&handle.status());
        }
        tokio::select! {
            biased;
            () = stop.until_interrupted() => return Exit::Done,
            () = handle.asked_to_poll() => schedule.asked(clock.elapsed()),
            () = clock.sleep_until(schedule.due()) => {}
        }
    }
}

async fn timed_pass<R: Reconciler, C: Clock>(
    reconciler: &mut R,
    around: &Surroundings<'_, C>,
) -> PassEnd {
    let start = around.clock.elapsed();
    let end = reconciler.pass().await;
    (around.on_pass)(&PassSummary {
        result: end.result,
        took: around.clock.elapsed().saturating_sub(start),
        outcomes: end.outcomes.clone(),
    });
    end
}

/// What the status is made of.
#[derive(Default)]
struct Board {
    look: LookEnd,
    pass: Option<PassEnd>,
    /// The states of the last pass that read the inbox.
    states: LeadStates,
}

impl Board {
    fn look(&mut self, look: LookEnd) {
        self.look = look;
    }

    fn pass(&mut self, end: PassEnd) {
        self.states = end.states.unwrap_or(self.states);
        self.pass = Some(end);
    }

    fn last_pass_failed(&self) -> bool {
        self.pass
            .as_ref()
            .is_some_and(|pass| pass.result == PassResult::Error)
    }

    fn publish<R: Reconciler, C: Clock>(
        &self,
        reconciler: &R,
        around: &Surroundings<'_, C>,
        next_pass: Option<Duration>,
    ) {
        let Surroundings { clock, handle, .. } = around;
        let now = clock.now();
        let mut status = (*handle.status()).clone();
        if let Some(target) = reconciler.target() {
            status.target = target;
        }
        let result = match (&self.look.error, &self.pass) {
            (_, None) => None,
            (Some(_), Some(_)) => Some(PassResult::Error),
            (None, Some(pass)) => Some(pass.result),
        };
        if kind(result) != kind(status.result) {
            status.since = format!("{now:.0}");
        }
        status.result = result;
        let pass = self.pass.as_ref();
        status.commit = StatusCommits {
            attempted: self.look.attempted.clone(),
            applied: pass.and_then(|pass| pass.applied.clone()),
            valid: self.look.valid.clone(),
        };
        status.next_pass_at = next_pass.and_then(|next| {
            let wait = next.saturating_sub(clock.elapsed());
            let at = now.checked_add(SignedDuration::try_from(wait).ok()?).ok()?;
            Some(format!("{at:.0}"))
        });
        status.suspended = pass.and_then(|pass| pass.suspended.clone());
        status.states = self.states;
        status.fighting = pass.map(|pass| pass.fighting.clone()).unwrap_or_default();
        status.refusals = pass.map(|pass| pass.refusals.clone()).unwrap_or_default();
        status.rewind = status
            .refusals
            .iter()
            .any(|refusal| refusal.rule == Guard::Rewind);
        let pass_error = pass.and_then(|pass| pass.error.clone());
        status.error = self.look.error.clone().or(pass_error);
        handle.publish(status);
    }
}

/// Ok and changed are one condition.
fn kind(result: Option<PassResult>) -> Option<PassResult> {
    result.map(|result| {
        if result.is_success() {
            PassResult::Ok
        } else {
            result
        }
    })
}
