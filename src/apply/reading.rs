//! How old a reading may be when a write is based on it.

use std::time::Duration;

use tokio::time::Instant;

use crate::observe::Reading;

/// The maximum age of a reading if pages are read quickly.
const FRESH: Duration = Duration::from_secs(2);
/// If a page takes about as long, the time that remains after its answer to send the writes.
const AFTER_ANSWER: Duration = Duration::from_millis(250);

/// A write that waits for its turn is sent this long before its reading is too old.
const SEND: Duration = Duration::from_millis(150);

/// Whether a write may be based on a reading now. Its age counts from the request: changes made on the platform while the answer
/// is on its way are not in it.
pub(super) fn is_fresh(reading: Reading, now: Instant) -> bool {
    let took = took(reading);
    age(reading, now) < took + time_to_send(took)
}

/// How long its page took.
pub(super) fn took(reading: Reading) -> Duration {
    reading.answered.saturating_duration_since(reading.sent)
}

/// How long after its answer a write may be based on the reading of a page that took this long.
pub(super) fn time_to_send(took: Duration) -> Duration {
    FRESH.max(took + AFTER_ANSWER).saturating_sub(took)
}

/// When a write may follow its reading that is to be so much later, but while the reading is fresh.
pub(super) fn turn(reading: Reading, gap: Duration) -> Instant {
    let took = took(reading);
    reading.answered + gap.min(time_to_send(took).saturating_sub(SEND))
}

/// Its age.
pub(super) fn age(reading: Reading, now: Instant) -> Duration {
    now.saturating_duration_since(reading.sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_fresh_for_two_seconds_or_as_long_as_one_page_takes() {
        let sent = Instant::now();
        for (took, after, fresh) in [
            (10, 0, true),
            (10, 1_989, true),
            (10, 1_990, false),
            (1_500, 490, true),
            (1_500, 500, false),
            (5_000, 240, true),
            (5_000, 250, false),
        ] {
            let answered = sent + Duration::from_millis(took);
            let now = answered + Duration::from_millis(after);
            assert_eq!(
                is_fresh(Reading { sent, answered }, now),
                fresh,
                "{took} ms to read, sent {after} ms later"
            );
        }
    }
}
