//! How many requests are open at a time: what the limiter makes of platforms with room for fewer, compared with the best fixed
//! number. A simulation of the client's own limiter on a paused clock, so that it takes no time and gives the same each time.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::table::{Limit, Table};

#[allow(
    dead_code,
    unreachable_pub,
    reason = "the client's own limiter, of which the client uses more"
)]
#[path = "../../src/api/limiter.rs"]
mod limiter;

use limiter::ConcurrencyLimiter;

/// How long an answer takes, in milliseconds.
const LATENCIES: [u64; 3] = [5, 20, 200];
/// How many requests a platform works on at a time.
const ROOMS: [usize; 2] = [4, 40];
const REQUESTS: usize = 2_000;
/// Fixed numbers of requests at a time, of which the best is taken.
const FIXED: [usize; 9] = [1, 2, 3, 4, 8, 16, 32, 40, 64];
/// Where the limiter starts.
const WIDTH: usize = 64;

/// What a platform does with more requests than it has room for.
#[derive(Clone, Copy, PartialEq)]
enum Excess {
    Queues,
    /// 429, after a quarter of the time of an answer.
    Refuses,
}

pub(crate) fn rows(table: &mut Table) {
    for (excess, does, limit) in [
        (Excess::Queues, "queues", 1.05),
        (Excess::Refuses, "answers 429 to", 1.7),
    ] {
        for room in ROOMS {
            let what = format!("requests at a time, a platform that {does} more than {room}");
            if !table.wants(&what) {
                continue;
            }
            let ratios = LATENCIES.map(|millis| compared_with_best(REQUESTS, millis, room, excess));
            let worst = ratios.into_iter().fold(0.0, f64::max);
            let [short, middle, long] = ratios;
            let note = format!(
                "the best fixed number, from {WIDTH}; answers of 5 ms {short:.2}, 20 ms {middle:.2}, 200 ms {long:.2}"
            );
            table.add(&what, worst, Limit::AtMost(limit), "", note);
        }
    }
}

fn compared_with_best(requests: usize, millis: u64, room: usize, excess: Excess) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let takes = |width, learns| {
        let case = Case {
            requests,
            width,
            learns,
            latency: Duration::from_millis(millis),
            room,
            excess,
        };
        runtime.block_on(case.seconds())
    };
    let best = FIXED.map(|width| takes(width, false));
    takes(WIDTH, true) / best.into_iter().fold(f64::MAX, f64::min)
}

struct Case {
    requests: usize,
    width: usize,
    /// Whether the limiter hears of answers. One that hears of none has a fixed width.
    learns: bool,
    latency: Duration,
    room: usize,
    excess: Excess,
}

impl Case {
    async fn seconds(&self) -> f64 {
        let limiter = ConcurrencyLimiter::new(self.width, None);
        let room = Semaphore::new(self.room);
        let start = Instant::now();
        let requests = (0..self.requests).map(|_| self.request(&limiter, &room));
        let mut open = stream::iter(requests).buffer_unordered(2 * self.width);
        while open.next().await.is_some() {}
        start.elapsed().as_secs_f64()
    }

    /// One request, repeated until it is answered.
    async fn request(&self, limiter: &ConcurrencyLimiter, room: &Semaphore) {
        loop {
            let permit = limiter.acquire().await;
            let sent = Instant::now();
            let is_answered = self.is_answered(room).await;
            drop(permit);
            match (self.learns, is_answered) {
                (true, true) => limiter.record_success(sent.elapsed()),
                (true, false) => limiter.back_off(sent, None),
                (false, _) => {}
            }
            if is_answered {
                return;
            }
            tokio::time::sleep(self.latency).await;
        }
    }

    async fn is_answered(&self, room: &Semaphore) -> bool {
        let place = match self.excess {
            Excess::Queues => room.acquire().await.ok(),
            Excess::Refuses => room.try_acquire().ok(),
        };
        let wait = if place.is_some() {
            self.latency
        } else {
            self.latency / 4
        };
        tokio::time::sleep(wait).await;
        place.is_some()
    }
}
