//! The gate that every request passes: how many at a time, how many a second, and when none at all.
//!
//! Starts at the width allowed and halves it when the platform says 429 or 503; a run of good answers widens it again, one at a
//! time, or narrows it by one where they took much longer than the best run did: then the platform is queueing. Between these,
//! [`Climb`] looks for the width that gives most. `Retry-After` closes the gate for everybody. Rate is kept by `governor`, evenly
//! spaced; width by a tokio semaphore.

use std::cmp::Ordering;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::climb::Climb;

/// So many good answers for each place of the present width are needed before one more is opened.
const ANSWERS_TO_WIDEN: usize = 4;

/// A platform that asks for a longer pause than this is not waited for.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Answers that take so many times as long as the best, and longer than this at all, have been waiting in a queue.
const QUEUEING: u32 = 4;
const QUEUEING_FROM: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    limiter: Option<DefaultDirectRateLimiter>,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    width: usize,
    /// Places to be taken away as soon as they are given back.
    owed: usize,
    good: usize,
    /// How long the good answers of this run took together, and those of the best run on average.
    took: Duration,
    best: Option<Duration>,
    /// When this run began, and what the runs before say of the width: at the most so wide.
    begun: Option<Instant>,
    climb: Climb,
    ceiling: usize,
    closed_until: Option<Instant>,
}

impl Gate {
    pub(super) fn new(most: usize, rate: Option<f64>) -> Self {
        let most = most.max(1);
        let period = rate
            .filter(|rate| *rate > 0.0)
            .and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        let quota = period
            .and_then(Quota::with_period)
            .map(|quota| quota.allow_burst(NonZeroU32::MIN));
        Self {
            places: Arc::new(Semaphore::new(most)),
            limiter: quota.map(RateLimiter::direct),
            most,
            state: Mutex::new(State {
                width: most,
                owed: 0,
                good: 0,
                took: Duration::ZERO,
                best: None,
                begun: None,
                climb: Climb::new(most),
                ceiling: most,
                closed_until: None,
            }),
        }
    }

    /// Requests that may be under way at a time at the most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Waits until a request may be sent; it is under way until the place is dropped.
    ///
    /// # Errors
    /// How much longer the gate is closed, where that is too long to wait.
    pub(super) async fn enter(&self) -> Result<Place<'_>, Duration> {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        let place = Place { gate: self, permit };
        self.wait_until_open().await?;
        if let Some(limiter) = &self.limiter {
            limiter.until_ready().await;
            self.wait_until_open().await?;
        }
        Ok(place)
    }

    async fn wait_until_open(&self) -> Result<(), Duration> {
        loop {
            let closed = self
                .state()
                .closed_until
                .map(|until| until.saturating_duration_since(Instant::now()));
            match closed.filter(|closed| !closed.is_zero()) {
                None => return Ok(()),
                Some(long) if long > LONGEST_PAUSE => return Err(long),
                Some(closed) => tokio::time::sleep(closed).await,
            }
        }
    }

    /// The platform has had enough: half the width, and nothing at all for as long as it asked.
    pub(super) fn narrow(&self, pause: Option<Duration>) {
        let mut state = self.state();
        let half = (state.width / 2).max(1);
        state.ceiling = state.climb.interrupt().unwrap_or(state.ceiling);
        self.close_down_to(&mut state, half);
        let until = pause.and_then(|pause| Instant::now().checked_add(pause));
        state.closed_until = state.closed_until.max(until);
    }

    fn close_down_to(&self, state: &mut State, width: usize) {
        let close = state.width - width;
        state.width = width;
        state.owed += close - self.places.forget_permits(close);
        (state.good, state.took, state.begun) = (0, Duration::ZERO, None);
    }

    fn open_up_to(&self, state: &mut State, width: usize) {
        let open = width - state.width;
        state.width = width;
        let kept = open.min(state.owed);
        state.owed -= kept;
        self.places.add_permits(open - kept);
    }

    /// An answer came as it should, after so long.
    pub(super) fn widen(&self, took: Duration) {
        let mut state = self.state();
        let begun = *state.begun.get_or_insert_with(Instant::now);
        state.good += 1;
        state.took += took;
        let run = state.width * ANSWERS_TO_WIDEN;
        if state.good < run {
            return;
        }
        let average = state.took / u32::try_from(state.good).unwrap_or(u32::MAX);
        let best = state.best.map_or(average, |best| best.min(average));
        state.best = Some(best);
        let queueing = average > QUEUEING_FROM && average > best * QUEUEING;
        let seconds = begun.elapsed().as_secs_f64();
        if queueing {
            state.ceiling = state.climb.interrupt().unwrap_or(state.ceiling);
            let fewer = (state.width - 1).max(1);
            self.close_down_to(&mut state, fewer);
        } else if state.width < state.ceiling {
            let more = state.width + 1;
            self.open_up_to(&mut state, more);
        } else if seconds > 0.0 {
            let (width, rate) = (state.width, state.good as f64 / seconds);
            let best = state.climb.next(width, rate);
            state.ceiling = best;
            match best.cmp(&width) {
                Ordering::Less => self.close_down_to(&mut state, best),
                Ordering::Equal => {}
                Ordering::Greater => self.open_up_to(&mut state, best),
            }
        }
        (state.good, state.took, state.begun) = (0, Duration::ZERO, Some(Instant::now()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have one request under way.
#[derive(Debug)]
pub(super) struct Place<'a> {
    gate: &'a Gate,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if state.owed > 0 {
            state.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn halves_on_refusal_and_recovers_one_by_one() {
        let gate = Gate::new(8, None);
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(gate.enter().await);
        }
        gate.narrow(None);
        assert_eq!(
            gate.places.available_permits(),
            0,
            "three free places are gone, one is owed"
        );
        drop(held);
        assert_eq!(gate.places.available_permits(), 4);
        for _ in 0..4 * ANSWERS_TO_WIDEN {
            gate.widen(Duration::from_millis(10));
        }
        assert_eq!(gate.places.available_permits(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn narrows_where_answers_queue() {
        let gate = Gate::new(4, None);
        let answers = |millis| {
            (0..4 * ANSWERS_TO_WIDEN).for_each(|_| gate.widen(Duration::from_millis(millis)))
        };
        answers(100);
        assert_eq!(gate.places.available_permits(), 4);
        answers(900);
        assert_eq!(gate.places.available_permits(), 3);
        answers(100);
        assert_eq!(gate.places.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_enters_while_closed() {
        let gate = Gate::new(2, None);
        let start = Instant::now();
        gate.narrow(Some(Duration::from_secs(7)));
        assert!(gate.enter().await.is_ok());
        assert!(start.elapsed() >= Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_is_not_waited_for() {
        let gate = Gate::new(2, None);
        gate.narrow(Some(Duration::from_secs(3600)));
        assert!(
            gate.enter()
                .await
                .is_err_and(|closed| closed > Duration::from_secs(3590))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn never_narrower_than_one() {
        let gate = Gate::new(3, None);
        for _ in 0..9 {
            gate.narrow(None);
        }
        assert_eq!(gate.places.available_permits(), 1);
    }
}
