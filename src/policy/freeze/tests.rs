use super::*;

fn freeze(window: Window, zone: &str) -> Freeze {
    Freeze {
        window,
        zone: TimeZone::get(zone).expect("a time zone"),
        reason: None,
        place: Place {
            file: "convertalk.yaml".into(),
            line: 1,
        },
    }
}

fn dates(from: &str, to: &str, zone: &str) -> Freeze {
    let [from, to] = [from, to].map(|date| date.parse().expect("a date"));
    freeze(Window::Dates { from, to }, zone)
}

fn weekly(text: &str, zone: &str) -> Freeze {
    freeze(Window::weekly(text).expect("a window"), zone)
}

/// Instants, each with whether the window covers it.
fn check(freeze: &Freeze, instants: &[(&str, bool)]) {
    for (instant, covered) in instants {
        let now: Timestamp = instant.parse().expect("a time");
        assert_eq!(freeze.covers(now), *covered, "{freeze} at {instant}");
    }
}

#[test]
fn both_dates_are_included_over_the_end_of_a_year() {
    check(
        &dates("2026-12-23", "2027-01-03", "Europe/Berlin"),
        &[
            ("2026-12-22T22:59:59Z", false),
            ("2026-12-22T23:00:00Z", true),
            ("2026-12-31T23:59:59Z", true),
            ("2027-01-01T00:00:00Z", true),
            ("2027-01-03T22:59:59Z", true),
            ("2027-01-03T23:00:00Z", false),
            ("2027-12-25T12:00:00Z", false),
        ],
    );
}

#[test]
fn one_day_can_be_a_leap_day() {
    check(
        &dates("2028-02-29", "2028-02-29", "UTC"),
        &[
            ("2028-02-28T23:59:59Z", false),
            ("2028-02-29T00:00:00Z", true),
            ("2028-02-29T23:59:59Z", true),
            ("2028-03-01T00:00:00Z", false),
        ],
    );
}

#[test]
fn a_day_that_starts_at_one_in_the_morning_is_whole() {
    // Beirut skips midnight of 2026-03-29.
    check(
        &dates("2026-03-29", "2026-03-29", "Asia/Beirut"),
        &[
            ("2026-03-28T21:59:59Z", false),
            ("2026-03-28T22:00:00Z", true),
            ("2026-03-29T20:59:59Z", true),
            ("2026-03-29T21:00:00Z", false),
        ],
    );
}

#[test]
fn a_week_turns_over_within_the_window_and_its_end_is_not_included() {
    check(
        &weekly("Fri 16:00 - Mon 08:00", "UTC"),
        &[
            ("2026-11-27T15:59:59Z", false),
            ("2026-11-27T16:00:00Z", true),
            ("2026-11-29T23:59:59Z", true),
            ("2026-11-30T00:00:00Z", true),
            ("2026-11-30T07:59:59Z", true),
            ("2026-11-30T08:00:00Z", false),
            ("2026-11-25T12:00:00Z", false),
        ],
    );
}

#[test]
fn a_window_within_one_day_and_one_of_nearly_a_week() {
    check(
        &weekly("wed 9:00 - Wednesday 17:30", "Asia/Kolkata"),
        &[
            ("2026-11-25T03:29:59Z", false),
            ("2026-11-25T03:30:00Z", true),
            ("2026-11-25T11:59:59Z", true),
            ("2026-11-25T12:00:00Z", false),
        ],
    );
    check(
        &weekly("Wed 17:30 - Wed 09:00", "UTC"),
        &[
            ("2026-11-25T08:59:59Z", true),
            ("2026-11-25T09:00:00Z", false),
            ("2026-11-25T17:29:59Z", false),
            ("2026-11-25T17:30:00Z", true),
        ],
    );
}

#[test]
fn a_weekend_with_a_change_to_summer_time_follows_the_wall_clock() {
    // Berlin: 2027-03-28, 02:00 is 03:00; the window ends at 06:00Z instead of 07:00Z.
    check(
        &weekly("Fri 16:00 - Mon 08:00", "Europe/Berlin"),
        &[
            ("2027-03-26T14:59:59Z", false),
            ("2027-03-26T15:00:00Z", true),
            ("2027-03-29T05:59:59Z", true),
            ("2027-03-29T06:00:00Z", false),
        ],
    );
}

#[test]
fn an_end_that_the_clock_skips_or_shows_twice_is_the_later_one() {
    // 02:30 does not exist on 2027-03-28, and comes twice on 2026-10-25.
    check(
        &weekly("Sat 22:00 - Sun 02:30", "Europe/Berlin"),
        &[
            ("2027-03-28T00:59:59Z", true),
            ("2027-03-28T01:29:59Z", true),
            ("2027-03-28T01:30:00Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:29:59Z", true),
            ("2026-10-25T01:30:00Z", false),
        ],
    );
}

#[test]
fn a_start_that_the_clock_shows_twice_is_the_earlier_one() {
    check(
        &weekly("Sun 02:30 - Sun 12:00", "Europe/Berlin"),
        &[
            ("2026-10-25T00:29:59Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:10:00Z", true),
        ],
    );
}

#[test]
fn a_text_that_is_not_a_window_is_refused() {
    for text in [
        "",
        "Fri 16:00",
        "Fri - Mon",
        "Fri 16:00 - Mon",
        "Fri 24:00 - Mon 08:00",
        "Fri 16:60 - Mon 08:00",
        "Fry 16:00 - Mon 08:00",
        "Fri 16:00 - Mon 08:00 - Tue 09:00",
        "Fri +1:00 - Mon 08:00",
        "Fri 16 - Mon 8",
    ] {
        assert_eq!(Window::weekly(text), Err(WeeklyError::Unreadable), "{text}");
    }
    assert_eq!(
        Window::weekly("Fri 16:00 - fri 16:00"),
        Err(WeeklyError::Empty)
    );
}

#[test]
fn a_window_is_shown_as_it_is_written() {
    let freeze = weekly("friday 16:00  -  mon 8:00", "Europe/Berlin");
    assert_eq!(
        freeze.to_string(),
        "each Fri 16:00 - Mon 08:00 (Europe/Berlin)"
    );
}
