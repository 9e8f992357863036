//! Lengths of time as people type them: `20ms`, `1.5s`, `10m`, `24h`, `7d`.
//!
//! Owns the one notation that every flag and every file uses. Given text; hands on a [`Duration`], or what is wrong with it.

use std::time::Duration;

/// The text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It does not begin with a number of at least 0.
    #[error(
        "`{0}` is not a length of time; write a number and a unit, as in 20ms, 1.5s, 10m, 24h or 7d"
    )]
    NoNumber(String),
    /// A number alone says nothing about how long.
    #[error("`{0}` has no unit; write {0}s for seconds, or one of ms, m, h, d")]
    NoUnit(String),
    /// The unit is not one of the five.
    #[error("`{unit}` in `{text}` is not a unit of time; use ms, s, m, h or d")]
    Unit {
        /// The whole text.
        text: String,
        /// What stands after the number.
        unit: String,
    },
    /// More than ten years.
    #[error("`{0}` is too long a time")]
    TooLong(String),
}

/// Ten years: more is a slip, and a clock can be added to it without a thought.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Reads one number, with or without a fraction, and one unit: `ms`, `s`, `m`, `h` or `d` (24 hours).
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number
        .parse()
        .map_err(|_| DurationError::NoNumber(text.to_owned()))?;
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "" if number == 0.0 => 0.0,
        "" => return Err(DurationError::NoUnit(text.to_owned())),
        unit => {
            return Err(DurationError::Unit {
                text: text.to_owned(),
                unit: unit.to_owned(),
            });
        }
    };
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(time) if time <= LONGEST => Ok(time),
        _ => Err(DurationError::TooLong(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_unit_and_fractions() {
        for (text, millis) in [
            ("20ms", 20),
            ("1s", 1_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, words) in [
            ("", "not a length"),
            ("-1s", "not a length"),
            ("1.2.3s", "not a length"),
            ("10", "10s for seconds"),
            ("3w", "`w`"),
        ] {
            assert!(
                parse(text).is_err_and(|error| error.to_string().contains(words)),
                "{text}"
            );
        }
        assert!(matches!(
            parse(&format!("{}d", "9".repeat(40))),
            Err(DurationError::TooLong(_))
        ));
    }
}
