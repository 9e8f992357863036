//! The limiter for all requests: how many at a time, how many per second, and when to pause.
//!
//! Starts with the configured width and halves it when the platform answers 429 or 503. A series of good answers widens it by one, or
//! narrows it by one if they took much longer than the best series: then the platform is queueing. `Retry-After` pauses all
//! requests. `governor` spaces requests evenly by rate; a tokio semaphore bounds the width.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Good answers per request of the current width before it is widened by one.
const ANSWERS_TO_WIDEN: usize = 4;

/// The longest pause that is waited for.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Answers that take this many times as long as the best, and at least this long, are assumed to have waited in a queue.
const QUEUEING: u32 = 4;
const QUEUEING_FROM: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct ConcurrencyLimiter {
    permits: Arc<Semaphore>,
    rate: Option<DefaultDirectRateLimiter>,
    /// The time between two requests that the rate leaves.
    interval: Duration,
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    width: usize,
    /// Permits to remove as soon as they are returned.
    owed: usize,
    good: usize,
    /// The total time of the good answers of this series, and the average of the best series.
    took: Duration,
    best: Option<Duration>,
    paused_until: Option<Instant>,
    /// When the platform last asked for a pause.
    paused_at: Option<Instant>,
    /// When the width was last halved.
    halved: Option<Instant>,
}

impl ConcurrencyLimiter {
    pub(super) fn new(max: usize, rate: Option<f64>) -> Self {
        let max = max.max(1);
        let period = rate
            .filter(|rate| *rate > 0.0)
            .and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        let quota = period
            .and_then(Quota::with_period)
            .map(|quota| quota.allow_burst(NonZeroU32::MIN));
        Self {
            permits: Arc::new(Semaphore::new(max)),
            rate: quota.map(RateLimiter::direct),
            interval: period.unwrap_or_default(),
            max,
            state: Mutex::new(State {
                width: max,
                owed: 0,
                good: 0,
                took: Duration::ZERO,
                best: None,
                paused_until: None,
                paused_at: None,
                halved: None,
            }),
        }
    }

    /// The number of requests that may be open at a time.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Waits until a request may be sent; it counts as open until the permit is dropped.
    ///
    /// # Errors
    /// The remaining pause, if it is too long to wait for.
    pub(super) async fn acquire(&self) -> Result<Permit<'_>, Duration> {
        let permit = self.acquire_prepaid().await?;
        self.prepay().await?;
        Ok(permit)
    }

    /// As [`ConcurrencyLimiter::acquire`], for a request that [`ConcurrencyLimiter::prepay`] has waited for.
    pub(super) async fn acquire_prepaid(&self) -> Result<Permit<'_>, Duration> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let permit = Permit {
            limiter: self,
            permit,
        };
        self.wait_for_pause().await?;
        Ok(permit)
    }

    /// Waits until the rate leaves room for one more request, which may then be sent later.
    ///
    /// # Errors
    /// As [`ConcurrencyLimiter::acquire`].
    pub(super) async fn prepay(&self) -> Result<(), Duration> {
        match &self.rate {
            Some(rate) => {
                // What the rate leaves is not spent on waiting for a pause: two requests would follow each other closely at its end.
                self.wait_for_pause().await?;
                rate.until_ready().await;
                self.wait_for_pause().await
            }
            None => Ok(()),
        }
    }

    /// The time between two requests that the rate leaves.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    async fn wait_for_pause(&self) -> Result<(), Duration> {
        loop {
            let rest = self
                .state()
                .paused_until
                .map(|until| until.saturating_duration_since(Instant::now()));
            match rest.filter(|rest| !rest.is_zero()) {
                None => return Ok(()),
                Some(long) if long > LONGEST_PAUSE => return Err(long),
                Some(rest) => tokio::time::sleep(rest).await,
            }
        }
    }

    /// The platform is busy: halves the width, and pauses all requests for as long as it asked. Requests that were sent before the width
    /// was last halved say nothing about the present one.
    pub(super) fn back_off(&self, sent: Instant, pause: Option<Duration>) {
        let mut state = self.state();
        if state.halved.is_none_or(|halved| sent >= halved) {
            let half = (state.width / 2).max(1);
            self.narrow_to(&mut state, half);
            state.halved = Some(Instant::now());
        }
        let until = pause.and_then(|pause| Instant::now().checked_add(pause));
        state.paused_until = state.paused_until.max(until);
        if until.is_some() {
            state.paused_at = Some(Instant::now());
        }
    }

    /// When the platform last asked for a pause.
    pub(super) fn paused_at(&self) -> Option<Instant> {
        self.state().paused_at
    }

    fn narrow_to(&self, state: &mut State, width: usize) {
        let fewer = state.width - width;
        state.width = width;
        state.owed += fewer - self.permits.forget_permits(fewer);
        (state.good, state.took) = (0, Duration::ZERO);
    }

    /// Reports a good answer that took this long.
    pub(super) fn record_success(&self, took: Duration) {
        let mut state = self.state();
        state.good += 1;
        state.took += took;
        if state.good < state.width * ANSWERS_TO_WIDEN {
            return;
        }
        let average = state.took / u32::try_from(state.good).unwrap_or(u32::MAX);
        let best = state.best.map_or(average, |best| best.min(average));
        state.best = Some(best);
        if average > QUEUEING_FROM && average > best * QUEUEING {
            let fewer = (state.width - 1).max(1);
            self.narrow_to(&mut state, fewer);
        } else if state.width < self.max {
            state.width += 1;
            if state.owed > 0 {
                state.owed -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
        (state.good, state.took) = (0, Duration::ZERO);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit for one open request.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a ConcurrencyLimiter,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
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
    use futures_util::stream::{self, StreamExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn halves_on_refusal_and_recovers_one_by_one() {
        let limiter = ConcurrencyLimiter::new(8, None);
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(limiter.acquire().await);
        }
        limiter.back_off(Instant::now(), None);
        assert_eq!(
            limiter.permits.available_permits(),
            0,
            "three free permits are gone, one is owed"
        );
        drop(held);
        assert_eq!(limiter.permits.available_permits(), 4);
        for _ in 0..4 * ANSWERS_TO_WIDEN {
            limiter.record_success(Duration::from_millis(10));
        }
        assert_eq!(limiter.permits.available_permits(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn narrows_where_answers_queue() {
        let limiter = ConcurrencyLimiter::new(4, None);
        let answers = |millis| {
            (0..4 * ANSWERS_TO_WIDEN)
                .for_each(|_| limiter.record_success(Duration::from_millis(millis)))
        };
        answers(100);
        assert_eq!(limiter.permits.available_permits(), 4);
        answers(900);
        assert_eq!(limiter.permits.available_permits(), 3);
        answers(100);
        assert_eq!(limiter.permits.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_is_sent_during_a_pause() {
        let limiter = ConcurrencyLimiter::new(2, None);
        let start = Instant::now();
        limiter.back_off(start, Some(Duration::from_secs(7)));
        assert!(limiter.acquire().await.is_ok());
        assert!(start.elapsed() >= Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_an_hour_is_not_waited_for() {
        let limiter = ConcurrencyLimiter::new(2, None);
        limiter.back_off(Instant::now(), Some(Duration::from_secs(3600)));
        assert!(
            limiter
                .acquire()
                .await
                .is_err_and(|pause| pause > Duration::from_secs(3590))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn never_narrower_than_one() {
        let limiter = ConcurrencyLimiter::new(3, None);
        for _ in 0..9 {
            limiter.back_off(Instant::now(), None);
        }
        assert_eq!(limiter.permits.available_permits(), 1);
    }

    /// A platform with this time for an answer, that works on `knee` requests at a time: others wait, or are refused.
    struct Simulated {
        latency: Duration,
        knee: Arc<Semaphore>,
        refuses: bool,
    }

    impl Simulated {
        /// Whether it answers, and does not refuse.
        async fn answers(&self) -> bool {
            let slot = if self.refuses {
                let slot = Arc::clone(&self.knee).try_acquire_owned().ok();
                if slot.is_none() {
                    tokio::time::sleep(self.latency / 4).await;
                    return false;
                }
                slot
            } else {
                Arc::clone(&self.knee).acquire_owned().await.ok()
            };
            tokio::time::sleep(self.latency).await;
            slot.is_some()
        }
    }

    const REQUESTS: usize = 2_000;

    /// The time for all requests. With a fixed width, the limiter learns nothing.
    async fn takes(width: usize, is_fixed: bool, millis: u64, knee: usize, refuses: bool) -> f64 {
        let limiter = ConcurrencyLimiter::new(width, None);
        let platform = Simulated {
            latency: Duration::from_millis(millis),
            knee: Arc::new(Semaphore::new(knee)),
            refuses,
        };
        let one = async || {
            loop {
                let permit = limiter.acquire().await;
                let sent = Instant::now();
                let is_answered = platform.answers().await;
                drop(permit);
                if is_answered {
                    if !is_fixed {
                        limiter.record_success(sent.elapsed());
                    }
                    return;
                }
                if !is_fixed {
                    limiter.back_off(sent, None);
                }
                tokio::time::sleep(platform.latency).await;
            }
        };
        let start = Instant::now();
        let mut open = stream::iter((0..REQUESTS).map(|_| one())).buffer_unordered(2 * width);
        while open.next().await.is_some() {}
        start.elapsed().as_secs_f64()
    }

    /// By how much more than the best fixed width it takes, on a platform that queues and on one that refuses.
    #[tokio::test(start_paused = true)]
    async fn takes_little_more_time_than_the_best_fixed_width() {
        for millis in [5, 20, 200] {
            for knee in [4, 40] {
                for (refuses, limit) in [(false, 1.05), (true, 1.7)] {
                    let mut best = f64::MAX;
                    for width in [1, 2, 4, 8, 16, 32, 40, 64] {
                        best = best.min(takes(width, true, millis, knee, refuses).await);
                    }
                    let taken = takes(64, false, millis, knee, refuses).await;
                    let ratio = taken / best;
                    assert!(
                        ratio <= limit,
                        "{millis} ms, {knee} at a time, refuses: {refuses}: {ratio:.2} of the best fixed width"
                    );
                }
            }
        }
    }
}
