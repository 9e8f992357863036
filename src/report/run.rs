//! What a run did, for a terminal or a log.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::time::Duration;

use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, count, indented, paint, visible};
use crate::apply::journal::Line;
use crate::apply::{Outcome, Report};
use crate::cancel::Reason;
use crate::lead::LeadId;

/// So many leads of one outcome are told one by one.
const TOLD: usize = 20;

/// A run in words: what did not go as planned lead by lead, then the numbers.
pub fn run(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _infallible = write_run(&mut out, report);
    out
}

fn write_run(out: &mut String, report: &Report) -> fmt::Result {
    for outcome in [
        Outcome::Unverified,
        Outcome::Failed,
        Outcome::Stale,
        Outcome::Written,
        Outcome::Verified,
    ] {
        let told = |(other, detail): &(Outcome, Option<String>)| {
            let has_words = detail.is_some();
            *other == outcome
                && (has_words || !matches!(outcome, Outcome::Written | Outcome::Verified))
        };
        let leads: Vec<_> = report
            .outcomes
            .iter()
            .filter(|(_, result)| told(result))
            .collect();
        for (id, (_, detail)) in leads.iter().take(TOLD) {
            let detail = detail.as_deref().map(visible).unwrap_or_default();
            writeln!(
                out,
                "{} {}: {detail}",
                paint(style(outcome), outcome.as_str()),
                visible(id.as_str())
            )?;
        }
        if leads.len() > TOLD {
            indented(
                out,
                2,
                format_args!(
                    "and {} more {}; the run file has them all",
                    leads.len() - TOLD,
                    outcome.as_str()
                ),
            )?;
        }
    }
    for hint in &report.hints {
        writeln!(out, "{} {hint}", paint(FAINT, "help:"))?;
    }
    if let Some(reason) = report.stopped {
        writeln!(out, "{} {}", paint(BAD, "Stopped early:"), stopped(reason))?;
    }
    if let Some(age) = report.oldest_reading {
        writeln!(out, "{}", paint(FAINT, oldest_reading(age)))?;
    }
    let parts = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, report.count(outcome)))
        .filter(|(_, number)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(outcome, number)| {
            paint(
                style(outcome),
                format_args!("{number} {}", outcome.as_str()),
            )
        })
        .collect();
    writeln!(
        out,
        "{} {}: {}.",
        paint(STRONG, "Applied:"),
        count(report.outcomes.len(), "lead"),
        parts.join(", ")
    )
}

/// A run file in words: what was to be done, lead by lead what came of it, and how it ended, if it did.
pub fn told_run(lines: &[(u32, Line)]) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _infallible = write_told_run(&mut out, lines);
    out
}

fn write_told_run(out: &mut String, lines: &[(u32, Line)]) -> fmt::Result {
    let mut open: BTreeSet<&LeadId> = BTreeSet::new();
    let mut ended = false;
    for (_, line) in lines {
        match line {
            Line::Run {
                run_id,
                started_at,
                target,
                leads,
                ..
            } => {
                let target = visible(&target.endpoint);
                writeln!(
                    out,
                    "{} {}, begun {started_at}, {} at {target}",
                    paint(STRONG, "Run"),
                    visible(run_id),
                    count(*leads, "lead")
                )?;
            }
            Line::Write { uuid, .. } => drop(open.insert(uuid)),
            Line::Answer { .. } => {}
            Line::Outcome {
                uuid,
                outcome,
                detail,
            } => {
                open.remove(uuid);
                let detail = detail
                    .as_deref()
                    .map(|detail| format!(": {}", visible(detail)))
                    .unwrap_or_default();
                writeln!(
                    out,
                    "{} {}{detail}",
                    paint(style(*outcome), format_args!("{:10}", outcome.as_str())),
                    visible(uuid.as_str())
                )?;
            }
            Line::Summary {
                finished_at,
                exit,
                outcomes,
                stopped,
                oldest_reading_ms,
            } => {
                ended = true;
                if let Some(age) = oldest_reading_ms {
                    writeln!(out, "{}", oldest_reading(Duration::from_millis(*age)))?;
                }
                let parts: Vec<String> = outcomes
                    .iter()
                    .map(|(outcome, number)| format!("{number} {}", visible(outcome)))
                    .collect();
                let stopped = stopped
                    .as_deref()
                    .map(|why| format!("; {}", visible(why)))
                    .unwrap_or_default();
                writeln!(
                    out,
                    "{} {finished_at} with exit code {exit}: {}{stopped}.",
                    paint(STRONG, "Ended"),
                    parts.join(", ")
                )?;
            }
        }
    }
    for uuid in open {
        writeln!(
            out,
            "{} {}: a write was begun, and the run ended before it was known what came of it",
            paint(BAD, "unknown"),
            visible(uuid.as_str())
        )?;
    }
    if !ended {
        writeln!(
            out,
            "{} run the same apply again: it settles the rest.",
            paint(BAD, "Did not end:")
        )?;
    }
    Ok(())
}

fn oldest_reading(age: Duration) -> String {
    format!(
        "Every write was sent on a reading of at most {:.2} s before.",
        age.as_secs_f64()
    )
}

/// Why a run ended early, in words.
pub fn stopped(reason: Reason) -> &'static str {
    match reason {
        Reason::Interrupted => "interrupted; the leads that were not tried are as they were",
        Reason::Deadline => "the deadline was near; run the same apply again for the rest",
        Reason::Failures => {
            "too much went wrong to go on; the leads that were not tried are as they were"
        }
        Reason::Fatal => "every further request would have failed the same way",
        Reason::Journal => "the run file could not be written, and nothing is written without it",
    }
}

fn style(outcome: Outcome) -> anstyle::Style {
    match outcome {
        Outcome::Verified | Outcome::Already => GOOD,
        Outcome::Written | Outcome::Untried => CHANGE,
        Outcome::Stale | Outcome::Failed | Outcome::Unverified => BAD,
    }
}
