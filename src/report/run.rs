//! The outcome of a run, for a terminal or a log.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use super::field_summary::{FieldSummary, PlanNames, field_summary};
use super::style::{
    ADD, BAD, CHANGE, FAINT, GOOD, REMOVE, STRONG, count, indented, paint, signed, visible,
};
use crate::apply::history::RunSummary;
use crate::apply::journal::Line;
use crate::apply::{Outcome, Report};
use crate::cancel::Reason;
use crate::lead::LeadId;
use crate::plan::{Fields, Source};

/// The maximum number of leads of one outcome that are listed.
const LISTED: usize = 20;

/// Renders a run: the leads that did not go as planned, then the numbers.
pub fn run(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write_run(&mut out, report);
    out
}

fn write_run(out: &mut dyn Write, report: &Report) -> fmt::Result {
    for outcome in [
        Outcome::Unverified,
        Outcome::Failed,
        Outcome::Stale,
        Outcome::Untried,
        Outcome::Written,
        Outcome::Verified,
    ] {
        let is_listed = |(other, detail): &(Outcome, Option<String>)| {
            let has_detail = detail.is_some();
            *other == outcome
                && (has_detail
                    || !matches!(
                        outcome,
                        Outcome::Written | Outcome::Verified | Outcome::Untried
                    ))
        };
        let leads: Vec<_> = report
            .outcomes
            .iter()
            .filter(|(_, result)| is_listed(result))
            .collect();
        for (id, (_, detail)) in leads.iter().take(LISTED) {
            let detail = detail.as_deref().map(visible).unwrap_or_default();
            writeln!(
                out,
                "{} {}: {detail}",
                paint(style(outcome), outcome.as_str()),
                visible(id.as_str())
            )?;
        }
        if leads.len() > LISTED {
            indented(
                out,
                2,
                format_args!(
                    "and {} more {}; see the run file",
                    leads.len() - LISTED,
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

/// A list of runs for a terminal, one a line.
pub fn run_list(runs: &[RunSummary]) -> String {
    let mut out = String::new();
    for run in runs {
        let outcomes: Vec<String> = run
            .outcomes
            .iter()
            .map(|(outcome, number)| format!("{number} {}", visible(outcome)))
            .collect();
        let exit = run.exit.map_or_else(
            || paint(BAD, "did not end"),
            |exit| {
                paint(
                    if exit == 0 { GOOD } else { BAD },
                    format_args!("exit {exit}"),
                )
            },
        );
        let commit: String = run
            .commit
            .iter()
            .flat_map(|commit| commit.chars().take(12))
            .collect();
        let commit = if commit.is_empty() {
            String::new()
        } else {
            format!(
                "  {}",
                paint(FAINT, format_args!("at {}", visible(&commit)))
            )
        };
        let outcomes = outcomes.join(", ");
        out.push_str(&format!(
            "{}  {}  {exit}  {outcomes}{commit}\n",
            paint(STRONG, visible(&run.id)),
            visible(&run.started_at)
        ));
    }
    if runs.is_empty() {
        out.push_str("No runs.\n");
    }
    out
}

/// Names for what a run file identifies by id: those of the files at the commit that it ran from, or of now.
#[derive(Debug, Default)]
pub struct RunNames {
    /// Labels and places of leads.
    pub leads: BTreeMap<LeadId, (Option<String>, Option<Source>)>,
    /// Agents' names by their ids.
    pub agents: BTreeMap<String, String>,
}

/// A run file in words: lead by lead what came of it, with what was written, and how it ended, if it did.
pub fn run_file(lines: &[(u32, Line)], names: &RunNames) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write_run_file(&mut out, lines, names);
    out
}

fn write_run_file(out: &mut dyn Write, lines: &[(u32, Line)], names: &RunNames) -> fmt::Result {
    let mut open: BTreeMap<&LeadId, &Fields> = BTreeMap::new();
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
                ended = false;
                let target = visible(&target.endpoint);
                writeln!(
                    out,
                    "{} {}, started {started_at}, {} at {target}",
                    paint(STRONG, "Run"),
                    visible(run_id),
                    count(*leads, "lead")
                )?;
            }
            Line::Write { uuid, fields, .. } => drop(open.insert(uuid, fields)),
            Line::Answer { .. } => {}
            Line::Outcome {
                uuid,
                outcome,
                detail,
            } => {
                let detail = detail
                    .as_deref()
                    .map(|detail| format!(": {}", visible(detail)))
                    .unwrap_or_default();
                writeln!(
                    out,
                    "{} {}{detail}",
                    paint(style(*outcome), format_args!("{:10}", outcome.as_str())),
                    lead(uuid, names)
                )?;
                if let Some(fields) = open.remove(uuid) {
                    write_written(out, fields, names)?;
                }
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
    for (uuid, fields) in open {
        writeln!(
            out,
            "{} {}: a write was started, and the run ended before its result was known",
            paint(BAD, "unknown"),
            lead(uuid, names)
        )?;
        write_written(out, fields, names)?;
    }
    if !ended {
        writeln!(
            out,
            "{} run the same apply again for the rest.",
            paint(BAD, "Did not end:")
        )?;
    }
    Ok(())
}

fn oldest_reading(age: Duration) -> String {
    format!(
        "Every write was based on a reading at most {:.2} s old.",
        age.as_secs_f64()
    )
}

/// A lead by its uuid, its label and its place.
fn lead(id: &LeadId, names: &RunNames) -> String {
    let (label, place) = match names.leads.get(id) {
        Some((label, place)) => (label.as_deref(), place.as_ref()),
        None => (None, None),
    };
    let label = label.map(|label| format!("  {}", paint(STRONG, visible(label))));
    let place = place.map(|place| format!("  {}", paint(FAINT, place)));
    format!(
        "{}{}{}",
        visible(id.as_str()),
        label.unwrap_or_default(),
        place.unwrap_or_default()
    )
}

fn write_written(out: &mut dyn Write, fields: &Fields, names: &RunNames) -> fmt::Result {
    let names = PlanNames::of_agents(&names.agents);
    for change in fields.iter() {
        let field = visible(&change.field.to_string());
        indented(
            out,
            4,
            format_args!("{field}  {}", one_line(&field_summary(change, &names))),
        )?;
    }
    Ok(())
}

/// What differs, in one line.
fn one_line(summary: &FieldSummary) -> String {
    match summary {
        FieldSummary::Replaced { before, after } | FieldSummary::Reworded { before, after } => {
            let (before, after) = (paint(REMOVE, visible(before)), paint(ADD, visible(after)));
            format!("{before} -> {after}")
        }
        FieldSummary::Set { added, removed } => signed(added, removed),
        FieldSummary::Notes(notes) => {
            let notes = notes
                .iter()
                .map(|note| paint(ADD, format_args!("+ {}", visible(note))));
            notes.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Why a run stopped early.
pub fn stopped(reason: Reason) -> &'static str {
    match reason {
        Reason::Interrupted => "interrupted; leads that were not tried are unchanged",
        Reason::Deadline => "the deadline was near; run the same apply again to finish",
        Reason::Failures => "too many writes failed; leads that were not tried are unchanged",
        Reason::Fatal => "every further request would fail the same way",
        Reason::Journal => "the run file could not be written",
        Reason::Emptied => {
            "a write emptied a field that it left out; leads that were not tried are unchanged"
        }
        Reason::Canary => "the canary was not verified; leads that were not tried are unchanged",
    }
}

fn style(outcome: Outcome) -> anstyle::Style {
    match outcome {
        Outcome::Verified | Outcome::Already => GOOD,
        Outcome::Written | Outcome::Untried => CHANGE,
        Outcome::Stale | Outcome::Failed | Outcome::Unverified => BAD,
    }
}
