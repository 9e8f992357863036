//! When the loop looks at the desired state, and when it makes a pass. Pure: times are measured from the start of the loop.

use std::time::Duration;

/// The first pause after a pass that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// By how much a time between two looks or passes may differ from what is asked for.
const JITTER: f64 = 0.1;

/// The times between two looks, and between two passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// `--every`
    pub every: Duration,
    /// `--poll`
    pub poll: Duration,
}

/// What a pass asks for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextPass {
    /// The next one in its turn.
    InTurn,
    /// Another try soon.
    Retry,
    /// None, until the desired state changes or somebody asks for a look.
    OnChange,
}

/// When what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    intervals: Intervals,
    next_look: Duration,
    /// `None` where it waits for a change.
    next_pass: Option<Duration>,
    pause: Option<Duration>,
}

impl Schedule {
    /// A look and a pass are due at once.
    pub fn new(intervals: Intervals) -> Self {
        Self {
            intervals,
            next_look: Duration::ZERO,
            next_pass: Some(Duration::ZERO),
            pause: None,
        }
    }

    /// When something is due.
    pub fn due(&self) -> Duration {
        self.next_pass
            .map_or(self.next_look, |pass| pass.min(self.next_look))
    }

    /// When the next pass begins at the latest; `None` where it waits for a change.
    pub fn next_pass(&self) -> Option<Duration> {
        self.next_pass
    }

    /// Whether a look is due.
    pub fn is_look_due(&self, now: Duration) -> bool {
        now >= self.next_look
    }

    /// Whether a pass is due.
    pub fn is_pass_due(&self, now: Duration) -> bool {
        self.next_pass.is_some_and(|pass| now >= pass)
    }

    /// A look was made. `jitter` is between -1 and 1.
    pub fn looked(&mut self, now: Duration, jitter: f64) {
        self.next_look = now + spread(self.intervals.poll, jitter);
    }

    /// The desired state has changed: a pass is due, and failures before it do not count.
    pub fn changed(&mut self, now: Duration) {
        self.next_pass = Some(now);
        self.pause = None;
    }

    /// Somebody asks for a look. A pass that waits for a change is made as well: who asks may have removed what refused it.
    pub fn asked(&mut self, now: Duration) {
        self.next_look = now;
        if self.next_pass.is_none() {
            self.next_pass = Some(now);
        }
    }

    /// A pass was made. `jitter` is between -1 and 1.
    pub fn passed(&mut self, now: Duration, next: NextPass, jitter: f64) {
        self.pause = match next {
            NextPass::Retry => Some(
                self.pause
                    .map_or(FIRST_PAUSE, |pause| pause * 2)
                    .min(self.intervals.every),
            ),
            NextPass::InTurn | NextPass::OnChange => None,
        };
        self.next_pass = match next {
            NextPass::Retry => self.pause.map(|pause| now + pause),
            NextPass::InTurn => Some(now + spread(self.intervals.every, jitter)),
            NextPass::OnChange => None,
        };
    }
}

fn spread(time: Duration, jitter: f64) -> Duration {
    time.mul_f64(1.0 + JITTER * jitter.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVALS: Intervals = Intervals {
        every: Duration::from_secs(900),
        poll: Duration::from_secs(60),
    };

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn failures_are_retried_after_growing_pauses_of_at_most_an_interval() {
        let mut schedule = Schedule::new(INTERVALS);
        let mut now = seconds(0);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            schedule.passed(now, NextPass::Retry, 0.0);
            let next = schedule.next_pass().expect("a retry");
            pauses.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
        schedule.passed(now, NextPass::InTurn, 0.0);
        assert_eq!(schedule.next_pass(), Some(now + INTERVALS.every));
        schedule.passed(now, NextPass::Retry, 0.0);
        assert_eq!(schedule.next_pass(), Some(now + seconds(10)), "from anew");
    }

    #[test]
    fn a_short_interval_shortens_the_first_pause() {
        let mut schedule = Schedule::new(Intervals {
            every: seconds(3),
            poll: seconds(1),
        });
        schedule.passed(seconds(0), NextPass::Retry, 0.0);
        assert_eq!(schedule.next_pass(), Some(seconds(3)));
    }

    #[test]
    fn a_refused_pass_waits_for_a_change_or_for_somebody_to_ask() {
        let mut schedule = Schedule::new(INTERVALS);
        schedule.looked(seconds(0), 0.0);
        schedule.passed(seconds(0), NextPass::OnChange, 0.0);
        assert!(!schedule.is_pass_due(seconds(100_000)));
        assert_eq!(schedule.due(), seconds(60), "looks go on");
        let mut asked = schedule.clone();
        asked.asked(seconds(5));
        assert!(asked.is_pass_due(seconds(5)) && asked.is_look_due(seconds(5)));
        schedule.changed(seconds(7));
        assert!(schedule.is_pass_due(seconds(7)));
    }

    #[test]
    fn both_intervals_vary_by_a_tenth() {
        for (jitter, look, pass) in [(-1.0, 54, 810), (0.0, 60, 900), (1.0, 66, 990)] {
            let mut schedule = Schedule::new(INTERVALS);
            schedule.looked(seconds(0), jitter);
            schedule.passed(seconds(0), NextPass::InTurn, jitter);
            assert_eq!(schedule.due().as_secs(), look);
            assert_eq!(schedule.next_pass().expect("a pass").as_secs(), pass);
        }
    }
}
