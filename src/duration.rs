//! Durations as people write them, in flags and in files: `500ms`, `1h30m`, `2 days`, or a bare number of seconds.
//!
//! The grammar is jiff's friendly format; a day has 24 hours.

use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Neither the friendly format nor a number of seconds.
    #[error(
        "`{0}` is not a duration; write a number of seconds, or units as in 500ms, 30s, 1h30m or 2 days"
    )]
    Unreadable(String),
    /// Negative.
    #[error("`{0}` is negative")]
    Negative(String),
    /// More than ten years.
    #[error("`{0}` is longer than ten years")]
    TooLong(String),
}

/// A longer duration is a typing error. Also, adding this one to a clock cannot overflow.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// A duration in whole seconds, in words.
pub(crate) fn words(time: Duration) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    format!("{:#}", jiff::SignedDuration::from_secs(seconds))
}

/// Parses a duration.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(convertalk::duration::parse("1h30m"), Ok(Duration::from_secs(5_400)));
/// assert_eq!(convertalk::duration::parse("90"), Ok(Duration::from_secs(90)));
/// ```
///
/// # Errors
/// The text is not a duration, is negative, or is longer than ten years.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let unreadable = || DurationError::Unreadable(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let time = if is_number(text) {
        let seconds: f64 = text.parse().map_err(|_| unreadable())?;
        Duration::try_from_secs_f64(seconds).map_err(|_| too_long())?
    } else {
        let span = SpanParser::new()
            .parse_span(text)
            .map_err(|_| unreadable())?;
        if span.is_negative() {
            return Err(DurationError::Negative(text.to_owned()));
        }
        // The length of a month depends on its start date.
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(unreadable());
        }
        span.to_duration(SpanRelativeTo::days_are_24_hours())
            .ok()
            .and_then(|time| Duration::try_from(time).ok())
            .ok_or_else(too_long)?
    };
    if time > LONGEST {
        return Err(too_long());
    }
    Ok(time)
}

/// Digits, with or without a fraction.
fn is_number(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_their_names_and_bare_seconds() {
        for (text, millis) in [
            ("20ms", 20),
            ("1s", 1_000),
            ("1.5s", 1_500),
            ("90 s", 90_000),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("24h", 86_400_000),
            ("2 days", 172_800_000),
            ("7d", 604_800_000),
            ("1 week", 604_800_000),
            ("0", 0),
            ("10", 10_000),
            ("0.5", 500),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_length_of_time() {
        for text in [
            "", "soon", "1.2.3", "1.2.3s", "+5", "3 months", "PT10S", "10x",
        ] {
            let error = parse(text).expect_err(text);
            assert!(
                matches!(error, DurationError::Unreadable(_)),
                "{text}: {error}"
            );
        }
        for text in ["-1s", "5s ago"] {
            assert!(
                matches!(parse(text), Err(DurationError::Negative(_))),
                "{text}"
            );
        }
        for text in ["99 years", "11 weeks 6000 days"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(matches!(parse("6000 days"), Err(DurationError::TooLong(_))));
        let digits = "9".repeat(40);
        assert!(matches!(parse(&digits), Err(DurationError::TooLong(_))));
    }
}
