//! A plan for a terminal or a log.

use std::fmt::{self, Write};

use super::field_summary::{PlanNames, ROLL_UP, groups};
use super::headline::{Outlook, PlanHeadline};
use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, indented, paint, some, visible};
use super::tables;
use crate::lead::LeadId;
use crate::plan::{Plan, Refusal};
use changes::{one, rolled_up};

mod changes;

/// The maximum number of leads of a group that are named.
const NAMED: usize = 6;

/// The characters of a commit's name that are shown.
const SHORT_COMMIT: usize = 12;

pub(super) fn write(out: &mut dyn Write, plan: &Plan, all_leads: bool) -> fmt::Result {
    let mut names = PlanNames::new(plan);
    names.all_leads = all_leads;
    let mut body = Headed {
        out: &mut *out,
        heading: Some(inbox(plan) + "\n\n"),
    };
    write_body(&mut body, plan, &names)?;
    writeln!(out, "{}", headline(plan))
}

/// A text with a heading, if there is a text.
struct Headed<'w> {
    out: &'w mut dyn Write,
    heading: Option<String>,
}

impl Write for Headed<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.is_empty()
            && let Some(heading) = self.heading.take()
        {
            self.out.write_str(&heading)?;
        }
        self.out.write_str(text)
    }
}

/// The inbox that a plan is for, and the base that it is compared with.
fn inbox(plan: &Plan) -> String {
    let target = &plan.target;
    let base = plan.base.as_ref().map(|base| {
        let commit: String = base.commit.chars().take(SHORT_COMMIT).collect();
        format!(
            ", compared with {} ({})",
            visible(&base.reference),
            visible(&commit)
        )
    });
    format!(
        "For bot {} at {}{}",
        paint(STRONG, visible(&target.bot_id)),
        paint(STRONG, visible(&target.endpoint)),
        base.unwrap_or_default()
    )
}

/// All but the inbox and the headline.
fn write_body(out: &mut dyn Write, plan: &Plan, names: &PlanNames<'_>) -> fmt::Result {
    for group in groups(plan, names) {
        match group.changes.as_slice() {
            several if several.len() >= ROLL_UP => rolled_up(out, &group, names)?,
            few => few
                .iter()
                .try_for_each(|change| one(out, change, &group, names))?,
        }
    }
    if !plan.transitions.is_empty() {
        section(
            out,
            "Status transitions",
            &tables::transitions(&plan.transitions),
        )?;
    }
    if let Some(table) = tables::workload(&plan.agents).filter(|_| !plan.is_empty()) {
        let scope = if plan.listing.complete {
            "Agents"
        } else {
            "Agents (declared leads only; --full counts the whole inbox)"
        };
        section(out, scope, &table)?;
    }
    if !plan.missing.is_empty() {
        missing(out, plan)?;
    }
    if !plan.held.is_empty() {
        held(out, plan, names)?;
    }
    if !plan.released.is_empty() {
        released(out, plan, names)?;
    }
    plan.warnings
        .iter()
        .try_for_each(|warning| refusal(out, "Warning", CHANGE, warning, names))?;
    plan.refusals
        .iter()
        .try_for_each(|refused| refusal(out, "Refused", BAD, refused, names))
}

/// The declared leads that the inbox does not have.
fn missing(out: &mut dyn Write, plan: &Plan) -> fmt::Result {
    let (style, skipped) = if plan.is_stuck() {
        (BAD, "")
    } else {
        (STRONG, ", skipped")
    };
    let title = format!("Not found in the inbox (searched twice){skipped}");
    writeln!(out, "{}", paint(style, title))?;
    for missing in &plan.missing {
        let label = missing.label.as_deref().map(visible).unwrap_or_default();
        indented(
            out,
            2,
            format_args!(
                "{}  {label}  {}",
                visible(missing.uuid.as_str()),
                paint(FAINT, &missing.source)
            ),
        )?;
        if let Some(remark) = missing.remark() {
            indented(out, 4, format_args!("{remark}"))?;
        }
    }
    writeln!(out)
}

/// The leads that are held, and why.
fn held(out: &mut dyn Write, plan: &Plan, names: &PlanNames<'_>) -> fmt::Result {
    writeln!(out, "{}", paint(STRONG, "Held, not written"))?;
    for held in &plan.held {
        let label = held
            .label
            .as_deref()
            .map(|label| format!("  {}", visible(label)))
            .unwrap_or_default();
        indented(
            out,
            2,
            format_args!(
                "{}{label}  {}  {}",
                visible(names.lead(&held.uuid)),
                visible(&held.reason),
                paint(FAINT, &held.source)
            ),
        )?;
    }
    writeln!(out)
}

/// The fields that the files no longer declare.
fn released(out: &mut dyn Write, plan: &Plan, names: &PlanNames<'_>) -> fmt::Result {
    writeln!(
        out,
        "{}",
        paint(STRONG, "No longer declared, left unchanged")
    )?;
    for released in &plan.released {
        let label = released
            .label
            .as_deref()
            .map(|label| format!("  {}", visible(label)))
            .unwrap_or_default();
        let fields: Vec<String> = released.fields.iter().map(|field| visible(field)).collect();
        indented(
            out,
            2,
            format_args!(
                "{}{label}  {}",
                visible(names.lead(&released.uuid)),
                fields.join(", ")
            ),
        )?;
    }
    writeln!(out)
}

fn section(out: &mut dyn Write, title: &str, table: &str) -> fmt::Result {
    writeln!(out, "{}", paint(STRONG, title))?;
    table
        .lines()
        .try_for_each(|line| indented(out, 1, line.trim_end()))?;
    writeln!(out)
}

fn refusal(
    out: &mut dyn Write,
    word: &str,
    style: anstyle::Style,
    refusal: &Refusal,
    names: &PlanNames<'_>,
) -> fmt::Result {
    let place = refusal
        .source
        .as_ref()
        .map(|source| format!("  {}", paint(FAINT, source)))
        .unwrap_or_default();
    writeln!(
        out,
        "{}: {}{place}",
        paint(style, word),
        visible(&refusal.message)
    )?;
    if !refusal.leads.is_empty() {
        let leads = refusal
            .leads
            .iter()
            .map(|id: &LeadId| match names.source(id) {
                Some(source) => format!("{} {}", visible(names.lead(id)), paint(FAINT, source)),
                None => visible(names.lead(id)),
            });
        indented(out, 4, some(leads, NAMED))?;
    }
    indented(
        out,
        4,
        format_args!("{} {}", paint(FAINT, "help:"), visible(&refusal.lift)),
    )?;
    writeln!(out)
}

/// The headline.
fn headline(plan: &Plan) -> String {
    let PlanHeadline {
        outlook,
        head,
        numbers,
    } = PlanHeadline::new(plan);
    let style = match outlook {
        Outlook::Idle => GOOD,
        Outlook::Ready => STRONG,
        Outlook::Missing | Outlook::Refused => BAD,
    };
    format!("{} {numbers}", paint(style, head))
}
