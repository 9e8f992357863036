//! A run for a job summary: the headline, the outcomes in numbers, then each lead that was not verified.
//!
//! Takes the lines of a run file. A file with several runs is shown as one, with the last outcome of each lead.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Block, TableRow, fitted};
use super::inline::{code, prose};
use crate::apply::Outcome;
use crate::apply::journal::Line;
use crate::lead::LeadId;
use crate::report::RunNames;
use crate::report::headline::{Outlook, PlanHeadline};
use crate::text::count;

/// Outcomes, most urgent first; `None` is a write that was started and whose outcome is unknown.
const ORDER: [Option<Outcome>; 8] = [
    Some(Outcome::Unverified),
    Some(Outcome::Failed),
    None,
    Some(Outcome::Stale),
    Some(Outcome::Untried),
    Some(Outcome::Written),
    Some(Outcome::Already),
    Some(Outcome::Verified),
];

/// The summary of a run file.
#[derive(Default)]
struct RunTables<'a> {
    /// The last run's id, start time and inbox.
    begun: Option<(&'a str, &'a str, &'a str)>,
    /// When it ended, with which exit code, and why it stopped early, if it did.
    ended: Option<(&'a str, u8, Option<&'a str>)>,
    leads: BTreeMap<&'a LeadId, LeadOutcome<'a>>,
    /// The number of leads of the last run without a line.
    unreached: usize,
}

struct LeadOutcome<'a> {
    outcome: Option<Outcome>,
    detail: &'a str,
}

/// Renders a run file as Markdown, cut to a size in bytes, least important part first.
pub(in crate::report) fn run(
    lines: &[(u32, Line)],
    names: &RunNames,
    most: Option<usize>,
) -> String {
    let summary = RunTables::new(lines);
    // Hidden, like a plan's, so that a pipeline finds the comment that it keeps up to date.
    let head = format!(
        "### {} <!-- convertalk run -->\n",
        prose(&summary.headline().plain())
    );
    let blocks: Vec<Block> = [
        Some(summary.about()),
        summary.outcomes(),
        summary.leads(names),
    ]
    .into_iter()
    .flatten()
    .collect();
    fitted(head, &blocks, most)
}

/// How a run ended, in one sentence.
pub(in crate::report) fn run_headline(lines: &[(u32, Line)]) -> PlanHeadline {
    RunTables::new(lines).headline()
}

/// The last outcome of each lead, and its detail.
pub(in crate::report) fn outcomes(lines: &[(u32, Line)]) -> Vec<(&LeadId, Option<Outcome>, &str)> {
    let leads = RunTables::new(lines).leads.into_iter();
    leads
        .map(|(id, LeadOutcome { outcome, detail })| (id, outcome, detail))
        .collect()
}

impl<'a> RunTables<'a> {
    fn new(lines: &'a [(u32, Line)]) -> Self {
        let mut summary = Self::default();
        let mut named: BTreeSet<&LeadId> = BTreeSet::new();
        let mut of_last_run = 0;
        for (_, line) in lines {
            match line {
                Line::Run {
                    run_id,
                    started_at,
                    target,
                    leads,
                    ..
                } => {
                    summary.begun = Some((
                        run_id.as_str(),
                        started_at.as_str(),
                        target.endpoint.as_str(),
                    ));
                    summary.ended = None;
                    named.clear();
                    of_last_run = *leads;
                }
                Line::Write { uuid, .. } => {
                    named.insert(uuid);
                    summary.leads.insert(
                        uuid,
                        LeadOutcome {
                            outcome: None,
                            detail: "started, but the run ended before the outcome was known",
                        },
                    );
                }
                Line::Answer { .. } => {}
                Line::Outcome {
                    uuid,
                    outcome,
                    detail,
                } => {
                    named.insert(uuid);
                    summary.leads.insert(
                        uuid,
                        LeadOutcome {
                            outcome: Some(*outcome),
                            detail: detail.as_deref().unwrap_or_default(),
                        },
                    );
                }
                Line::Summary {
                    finished_at,
                    exit,
                    stopped,
                    ..
                } => {
                    summary.ended = Some((finished_at, *exit, stopped.as_deref()));
                }
            }
        }
        summary.unreached = of_last_run.saturating_sub(named.len());
        summary
    }

    fn number(&self, outcome: Option<Outcome>) -> usize {
        self.leads
            .values()
            .filter(|fate| fate.outcome == outcome)
            .count()
    }

    fn headline(&self) -> PlanHeadline {
        let known = Outcome::ALL
            .into_iter()
            .map(Some)
            .chain([None])
            .map(|outcome| (self.number(outcome), word(outcome)));
        let parts = known
            .chain([(self.unreached, "not reached")])
            .filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        let leads = count(self.leads.len() + self.unreached, "lead");
        let (head, end) = match self.ended {
            Some(_) => ("Applied:", ""),
            None => ("Did not end:", " Run the same apply again to finish."),
        };
        let numbers = if parts.is_empty() {
            format!("{leads}.{end}")
        } else {
            format!("{leads}: {}.{end}", parts.join(", "))
        };
        let bad = [None, Some(Outcome::Failed), Some(Outcome::Unverified)];
        let is_bad = bad.iter().any(|outcome| self.number(*outcome) > 0);
        PlanHeadline {
            outlook: if is_bad {
                Outlook::Refused
            } else {
                Outlook::Ready
            },
            head,
            numbers,
        }
    }

    fn about(&self) -> Block {
        let (run_id, started_at, endpoint) = self.begun.unwrap_or_default();
        let host = endpoint
            .split_once("://")
            .map_or(endpoint, |(_, host)| host);
        let ended = match self.ended {
            Some((at, exit, _)) => format!(", ended {} with exit code {exit}", prose(at)),
            None => String::new(),
        };
        let mut text = format!(
            "Run {} for {}, started {}{ended}.\n",
            code(run_id),
            code(host),
            prose(started_at)
        );
        if let Some((_, _, Some(why))) = self.ended {
            text.push_str(&format!("\n**Stopped early:** {}.\n", prose(why)));
        }
        Block {
            open: "\n".to_owned(),
            rows: vec![TableRow::one(text)],
            close: "",
            noun: "heading line",
        }
    }

    fn outcomes(&self) -> Option<Block> {
        let rows = ORDER
            .into_iter()
            .map(|outcome| (self.number(outcome), outcome))
            .filter(|(number, _)| *number > 0);
        let row = |(number, outcome)| {
            format!(
                "| {} | {number} | {} |\n",
                code(word(outcome)),
                meaning(outcome)
            )
        };
        let rows: Vec<TableRow> = rows.map(row).map(TableRow::one).collect();
        let open = "\n| Outcome | Leads | Means |\n|:--|--:|:--|\n".to_owned();
        (!rows.is_empty()).then_some(Block {
            open,
            rows,
            close: "",
            noun: "outcome",
        })
    }

    /// Leads that were neither verified nor already as planned.
    fn leads(&self, names: &RunNames) -> Option<Block> {
        let is_listed = |outcome: &Option<Outcome>| {
            !matches!(outcome, Some(Outcome::Verified | Outcome::Already))
        };
        let of = |outcome| {
            self.leads
                .iter()
                .filter(move |(_, fate)| fate.outcome == outcome)
        };
        let row = |(uuid, fate): (&&LeadId, &LeadOutcome<'_>)| {
            let label = names
                .leads
                .get(*uuid)
                .and_then(|(label, _)| label.as_deref());
            let label = label.map(|label| format!(" {}", prose(label)));
            format!(
                "| {}{} | {} | {} |\n",
                code(uuid.as_str()),
                label.unwrap_or_default(),
                code(word(fate.outcome)),
                prose(fate.detail)
            )
        };
        let rows: Vec<TableRow> = ORDER
            .into_iter()
            .filter(is_listed)
            .flat_map(of)
            .map(row)
            .map(TableRow::one)
            .collect();
        let open = "\n#### Not verified\n\n| Lead | Outcome | Detail |\n|:--|:--|:--|\n".to_owned();
        (!rows.is_empty()).then_some(Block {
            open,
            rows,
            close: "",
            noun: "unverified lead",
        })
    }
}

pub(in crate::report) fn word(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("unknown", Outcome::as_str)
}

fn meaning(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Verified) => "written and read back as planned",
        Some(Outcome::Written) => "written, not read back",
        Some(Outcome::Already) => "already as planned; not written",
        Some(Outcome::Stale) => "changed since the plan; not written",
        Some(Outcome::Failed) => "the write failed, and does not show when read back",
        Some(Outcome::Untried) => "the run stopped before this lead",
        Some(Outcome::Unverified) => "written, but reading back disagrees",
        None => "a write was started; its outcome is unknown",
    }
}
