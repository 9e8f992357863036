//! A run for a job's summary: the verdict, the outcomes in numbers, then each lead that is not as it was to be.
//!
//! Given the lines of a run file; a file that holds several runs is told as one, by its last word on each lead.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Block, Row, fitted};
use super::inline::{code, prose};
use crate::apply::Outcome;
use crate::apply::journal::Line;
use crate::lead::LeadId;
use crate::report::RunNames;
use crate::text::count;

/// Outcomes from the one that wants a look first; `None` is a write that was begun and of which nothing more is known.
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

/// What a run file comes to.
#[derive(Default)]
struct Story<'a> {
    /// The last run's name, its beginning and its inbox.
    begun: Option<(&'a str, &'a str, &'a str)>,
    /// When it ended, with which exit code, and why early, if so.
    ended: Option<(&'a str, u8, Option<&'a str>)>,
    fates: BTreeMap<&'a LeadId, Fate<'a>>,
    /// Leads of the last run that no line of it names.
    unreached: usize,
}

struct Fate<'a> {
    outcome: Option<Outcome>,
    detail: &'a str,
}

/// A run file as Markdown, cut to a size in bytes from its least important end.
pub(in crate::report) fn run(
    lines: &[(u32, Line)],
    names: &RunNames,
    most: Option<usize>,
) -> String {
    let story = Story::of(lines);
    // Hidden, as a plan's is, so that whoever keeps one comment up to date finds it again.
    let head = format!("### {} <!-- convertalk run -->\n", prose(&story.headline()));
    let blocks: Vec<Block> = [Some(story.about()), story.outcomes(), story.leads(names)]
        .into_iter()
        .flatten()
        .collect();
    fitted(head, &blocks, most)
}

impl<'a> Story<'a> {
    fn of(lines: &'a [(u32, Line)]) -> Self {
        let mut story = Self::default();
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
                    story.begun = Some((
                        run_id.as_str(),
                        started_at.as_str(),
                        target.endpoint.as_str(),
                    ));
                    story.ended = None;
                    named.clear();
                    of_last_run = *leads;
                }
                Line::Write { uuid, .. } => {
                    named.insert(uuid);
                    story.fates.insert(
                        uuid,
                        Fate {
                            outcome: None,
                            detail: "begun, and the run ended before more was known",
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
                    story.fates.insert(
                        uuid,
                        Fate {
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
                    story.ended = Some((finished_at, *exit, stopped.as_deref()));
                }
            }
        }
        story.unreached = of_last_run.saturating_sub(named.len());
        story
    }

    fn number(&self, outcome: Option<Outcome>) -> usize {
        self.fates
            .values()
            .filter(|fate| fate.outcome == outcome)
            .count()
    }

    fn headline(&self) -> String {
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
        let leads = count(self.fates.len() + self.unreached, "lead");
        let (head, end) = match self.ended {
            Some(_) => ("Applied:", ""),
            None => (
                "Did not end:",
                " Run the same apply again: it settles the rest.",
            ),
        };
        if parts.is_empty() {
            format!("{head} {leads}.{end}")
        } else {
            format!("{head} {leads}: {}.{end}", parts.join(", "))
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
            "Run {} for {}, begun {}{ended}.\n",
            code(run_id),
            code(host),
            prose(started_at)
        );
        if let Some((_, _, Some(why))) = self.ended {
            text.push_str(&format!("\n**Stopped early:** {}.\n", prose(why)));
        }
        Block {
            open: "\n".to_owned(),
            rows: vec![Row::one(text)],
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
        let rows: Vec<Row> = rows.map(row).map(Row::one).collect();
        let open = "\n| Outcome | Leads | Means |\n|:--|--:|:--|\n".to_owned();
        (!rows.is_empty()).then_some(Block {
            open,
            rows,
            close: "",
            noun: "outcome",
        })
    }

    /// Those that were neither verified nor as planned already.
    fn leads(&self, names: &RunNames) -> Option<Block> {
        let is_told = |outcome: &Option<Outcome>| {
            !matches!(outcome, Some(Outcome::Verified | Outcome::Already))
        };
        let of = |outcome| {
            self.fates
                .iter()
                .filter(move |(_, fate)| fate.outcome == outcome)
        };
        let row = |(uuid, fate): (&&LeadId, &Fate<'_>)| {
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
        let rows: Vec<Row> = ORDER
            .into_iter()
            .filter(is_told)
            .flat_map(of)
            .map(row)
            .map(Row::one)
            .collect();
        let open = "\n#### Not verified\n\n| Lead | Outcome | Detail |\n|:--|:--|:--|\n".to_owned();
        (!rows.is_empty()).then_some(Block {
            open,
            rows,
            close: "",
            noun: "unsettled lead",
        })
    }
}

fn word(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("unknown", Outcome::as_str)
}

fn meaning(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Verified) => "written, and read back as asked for",
        Some(Outcome::Written) => "written, not read back",
        Some(Outcome::Already) => "was as planned already; not written",
        Some(Outcome::Stale) => "has moved since the plan; not written",
        Some(Outcome::Failed) => "the write failed, and reading back does not show it",
        Some(Outcome::Untried) => "the run stopped before its turn",
        Some(Outcome::Unverified) => "written, but reading back disagrees",
        None => "a write was begun, and nothing more is known",
    }
}
