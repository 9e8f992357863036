//! The search for the width at which a platform gives most.
//!
//! Is told after each run of answers how many came a second; hands on the width for the next run. Now and then it tries another
//! width for one run: fewer requests at a time, and where that costs nothing, fewer still; or more again, where there may be
//! more, and only for a gain. A trial in vain puts off the next one, so that a platform that is at its best is left in peace.

/// More at a time must be worth so much.
const GAIN: f64 = 1.05;
/// Runs before the first trial, and between two of them at the most.
const FIRST: u32 = 4;
const LONGEST: u32 = 256;

/// The state of the search.
#[derive(Debug)]
pub(super) struct Climb {
    most: usize,
    /// Answers a second at the present width.
    rate: f64,
    /// The width before the present trial.
    trial: Option<usize>,
    widens: bool,
    /// Runs until the next trial, and until the one after it.
    rest: u32,
    patience: u32,
}

impl Climb {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            rate: 0.0,
            trial: None,
            widens: false,
            rest: FIRST,
            patience: FIRST,
        }
    }

    /// The width is another by now, for a better reason: what the present trial shows is about nothing. Gives the width before it.
    pub(super) fn interrupt(&mut self) -> Option<usize> {
        self.rest = self.patience;
        self.trial.take()
    }

    /// The width after a run at `width` that brought `rate` answers a second.
    pub(super) fn next(&mut self, width: usize, rate: f64) -> usize {
        if let Some(before) = self.trial.take() {
            let good = if width < before {
                rate >= self.rate
            } else {
                rate > self.rate * GAIN
            };
            if !good {
                self.widens = !self.widens;
                self.patience = (self.patience * 2).min(LONGEST);
                self.rest = self.patience;
                return before;
            }
            (self.patience, self.rest) = (FIRST, 1);
        }
        self.rate = rate;
        if self.rest > 0 {
            self.rest -= 1;
            return width;
        }
        let step = (width / 8).max(1);
        let widens = width == 1 || self.widens && width < self.most;
        let other = if widens {
            (width + step).min(self.most)
        } else {
            width - step
        };
        self.widens = widens;
        if other != width {
            self.trial = Some(width);
        }
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A platform that answers in so many seconds, and no more than so many a second; a little of it by chance.
    fn runs(
        climb: &mut Climb,
        mut width: usize,
        latency: f64,
        most: f64,
        runs: usize,
    ) -> (usize, f64) {
        let (mut answers, mut seconds) = (0.0, 0.0);
        for number in 0..runs {
            let chance = 1.0 + 0.01 * (number as f64 * 1.7).sin();
            let rate = (width as f64 / latency).min(most) * chance;
            answers += (width * 4) as f64;
            seconds += (width * 4) as f64 / rate;
            width = climb.next(width, rate);
        }
        (width, answers / seconds)
    }

    #[test]
    fn stays_wide_where_width_is_worth_it() {
        for most in [2, 8, 64] {
            let (_, rate) = runs(&mut Climb::new(most), most, 0.020, f64::INFINITY, 150);
            assert!(
                rate > 0.97 * most as f64 / 0.020,
                "{rate} of {} a second",
                most as f64 / 0.020
            );
        }
    }

    #[test]
    fn narrows_to_what_the_platform_bears_and_loses_nothing() {
        let (width, rate) = runs(&mut Climb::new(64), 64, 0.050, 100.0, 400);
        assert!(
            (4..=24).contains(&width),
            "five at a time would do, and {width} are under way"
        );
        assert!(rate > 95.0, "{rate} a second");
    }

    #[test]
    fn widens_again_when_the_platform_bears_more() {
        let mut climb = Climb::new(16);
        let (narrow, _) = runs(&mut climb, 16, 0.1, 30.0, 300);
        let (wide, _) = runs(&mut climb, narrow, 0.1, f64::INFINITY, 600);
        assert!(narrow < 9 && wide > narrow, "{narrow} and then {wide}");
    }

    #[test]
    fn never_none_and_never_too_many() {
        for most in 1..9 {
            let mut climb = Climb::new(most);
            let mut width = most;
            for number in 0..2_000_u32 {
                width = climb.next(width, f64::from(number.wrapping_mul(2_654_435_761) % 1_000));
                assert!((1..=most).contains(&width));
            }
        }
    }
}
