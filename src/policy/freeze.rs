//! Freeze windows: times in which nothing is written. Pure: the clock is the caller's.

use std::fmt;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::lead::Place;

/// A window of `policy.freeze`.
#[derive(Debug, Clone)]
pub struct Freeze {
    /// When.
    pub window: Window,
    /// The time zone whose calendar and clock the window is about.
    pub zone: TimeZone,
    /// Why.
    pub reason: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// A stretch of time on a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// From the start of one day to the end of another.
    Dates {
        /// The first day.
        from: Date,
        /// The last day, included.
        to: Date,
    },
    /// The same hours of each week.
    Weekly {
        /// The start, included.
        from: WeekTime,
        /// The end, not included. Never the same as the start.
        to: WeekTime,
    },
}

/// A time of day on a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekTime {
    /// The day.
    pub day: Weekday,
    /// The time of day.
    pub time: Time,
}

/// The text is not a weekly window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeeklyError {
    /// Not `DAY HH:MM - DAY HH:MM`.
    #[error("write two times with ` - ` between them: Fri 16:00 - Mon 08:00")]
    Unreadable,
    /// A window without a length, or of a whole week.
    #[error("the start and the end are the same time")]
    Empty,
}

impl Freeze {
    /// Whether nothing may be written now.
    ///
    /// Where the clocks change at an end of a weekly window, the longer of the two readings counts: a start that comes twice or never
    /// is the earlier instant, an end the later one.
    pub fn covers(&self, now: Timestamp) -> bool {
        let here = self.zone.to_datetime(now);
        match self.window {
            Window::Dates { from, to } => (from..=to).contains(&here.date()),
            Window::Weekly { from, to } => {
                // The window of this week, the one before, and, where a day has just begun elsewhere, the next.
                let starts = [-7, 0, 7].into_iter().filter_map(|days| {
                    let week = here.date().checked_add(Span::new().days(days)).ok()?;
                    Some(week_start(week)?.to_datetime(Time::midnight()))
                });
                starts
                    .filter_map(|week| self.week(week, from, to))
                    .any(|(start, end)| start <= now && now < end)
            }
        }
    }

    /// The window that starts in a week.
    fn week(&self, week: DateTime, from: WeekTime, to: WeekTime) -> Option<(Timestamp, Timestamp)> {
        let start = from.after(week)?;
        let end = to.after(week)?;
        let end = if end > start {
            end
        } else {
            end.checked_add(Span::new().days(7)).ok()?
        };
        let start = self.zone.to_ambiguous_timestamp(start).earlier().ok()?;
        let end = self.zone.to_ambiguous_timestamp(end).later().ok()?;
        Some((start, end))
    }
}

/// The Monday of a week.
fn week_start(date: Date) -> Option<Date> {
    let days = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(Span::new().days(days)).ok()
}

impl WeekTime {
    /// This time in the week that starts with a Monday.
    fn after(self, week: DateTime) -> Option<DateTime> {
        let days = i64::from(self.day.to_monday_zero_offset());
        let date = week.date().checked_add(Span::new().days(days)).ok()?;
        Some(date.to_datetime(self.time))
    }

    fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.trim().split_once(char::is_whitespace)?;
        let day = DAYS.into_iter().find(|known| {
            name(*known)[..3].eq_ignore_ascii_case(day) || name(*known).eq_ignore_ascii_case(day)
        })?;
        let (hour, minute) = time.trim().split_once(':')?;
        let number = |text: &str| -> Option<i8> {
            let is_number =
                matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        };
        let time = Time::new(number(hour)?, number(minute)?, 0, 0).ok()?;
        Some(Self { day, time })
    }
}

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

impl Window {
    /// Reads `Fri 16:00 - Mon 08:00`.
    ///
    /// # Errors
    /// Another form, or a window without a length.
    pub fn weekly(text: &str) -> Result<Self, WeeklyError> {
        let (from, to) = text.split_once('-').ok_or(WeeklyError::Unreadable)?;
        let (Some(from), Some(to)) = (WeekTime::parse(from), WeekTime::parse(to)) else {
            return Err(WeeklyError::Unreadable);
        };
        if from == to {
            return Err(WeeklyError::Empty);
        }
        Ok(Self::Weekly { from, to })
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.time.hour(), self.time.minute());
        write!(f, "{} {hour:02}:{minute:02}", &name(self.day)[..3])
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.window {
            Window::Dates { from, to } => write!(f, "{from} to {to}")?,
            Window::Weekly { from, to } => write!(f, "each {from} - {to}")?,
        }
        match self.zone.iana_name() {
            Some(zone) => write!(f, " ({zone})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
