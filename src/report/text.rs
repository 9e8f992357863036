//! A plan for a terminal or a log.

use std::fmt::{self, Write};

use similar::{ChangeTag, TextDiff};

use super::field_summary::{FieldSummary, Group, PlanNames, ROLL_UP, groups, kept, line_of};
use super::headline::{Outlook, PlanHeadline};
use super::style::{
    ADD, BAD, CHANGE, FAINT, GOOD, REMOVE, STRONG, count, indented, paint, some, visible,
};
use super::tables;
use crate::lead::{Field, LeadId};
use crate::plan::{Action, Change, Class, Plan, Refusal, Source};

/// The maximum number of leads of a group that are named.
const NAMED: usize = 6;

/// The characters of a commit's name that are shown.
const SHORT_COMMIT: usize = 12;

pub(super) fn plan(plan: &Plan, all_leads: bool) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write_plan(&mut out, plan, all_leads);
    out
}

fn write_plan(out: &mut String, plan: &Plan, all_leads: bool) -> fmt::Result {
    let mut names = PlanNames::new(plan);
    names.all_leads = all_leads;
    let mut body = String::new();
    write_body(&mut body, plan, &names)?;
    if !body.is_empty() {
        write!(out, "{}\n\n{body}", inbox(plan))?;
    }
    writeln!(out, "{}", headline(plan))
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
fn write_body(out: &mut String, plan: &Plan, names: &PlanNames<'_>) -> fmt::Result {
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
        writeln!(out)?;
    }
    if !plan.held.is_empty() {
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
        writeln!(out)?;
    }
    if !plan.released.is_empty() {
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
        writeln!(out)?;
    }
    plan.warnings
        .iter()
        .try_for_each(|warning| refusal(out, "Warning", CHANGE, warning, names))?;
    plan.refusals
        .iter()
        .try_for_each(|refused| refusal(out, "Refused", BAD, refused, names))
}

fn section(out: &mut String, title: &str, table: &str) -> fmt::Result {
    writeln!(out, "{}", paint(STRONG, title))?;
    table
        .lines()
        .try_for_each(|line| indented(out, 1, line.trim_end()))?;
    writeln!(out)
}

fn one(out: &mut String, change: &Change, group: &Group<'_>, names: &PlanNames<'_>) -> fmt::Result {
    let label = change
        .label
        .as_deref()
        .map(|label| format!("  {}", paint(STRONG, visible(label))))
        .unwrap_or_default();
    let (id, place) = (
        visible(names.lead(&change.uuid)),
        paint(FAINT, &change.source),
    );
    writeln!(
        out,
        "{} {id}{label}  {place}{}",
        sign(change),
        class_word(change)
    )?;
    let asked = |field: &Field| {
        change
            .fields
            .iter()
            .find(|other| other.field == *field)
            .map_or(0, |other| other.line)
    };
    let lines = group
        .fields
        .iter()
        .map(|(field, ..)| format!(":{}", asked(field)))
        .collect();
    write_fields(out, group, lines)?;
    writeln!(out)
}

fn rolled_up(out: &mut String, group: &Group<'_>, names: &PlanNames<'_>) -> fmt::Result {
    let place = |change| {
        if group.has_one_place() {
            String::new()
        } else {
            format!(" {}", line_of(change))
        }
    };
    let leads = group
        .changes
        .iter()
        .map(|change| lead(change, names) + &place(change));
    let Some(first) = group.changes.first() else {
        return Ok(());
    };
    writeln!(
        out,
        "{} {}, identical change:{}",
        sign(first),
        paint(STRONG, count(group.changes.len(), "lead")),
        class_word(first)
    )?;
    let place = |place: &Option<Source>| {
        place
            .as_ref()
            .map(|place| place.to_string())
            .unwrap_or_default()
    };
    write_fields(
        out,
        group,
        group.fields.iter().map(|(.., at)| place(at)).collect(),
    )?;
    indented(out, 4, paint(FAINT, some(leads, NAMED)))?;
    writeln!(out)
}

fn lead(change: &Change, names: &PlanNames<'_>) -> String {
    let id = visible(names.lead(&change.uuid));
    change
        .label
        .as_deref()
        .map_or_else(|| id.clone(), |label| format!("{id} {}", visible(label)))
}

/// Who made the difference, where there is a base to say.
fn class_word(change: &Change) -> String {
    let more = match change.class {
        Class::Change | Class::Intended => "",
        Class::Drift if change.stays() => ", kept: the inbox changed, the file did not",
        Class::Drift => ": the inbox changed, the file did not",
        Class::Conflict if change.stays() => ", kept: both changed since the base",
        Class::Conflict => ": both changed since the base",
    };
    part_word(change.class) + more
}

/// The class of one field that differs from its lead's.
fn part_word(class: Class) -> String {
    let style = match class {
        Class::Change => return String::new(),
        Class::Intended => GOOD,
        Class::Drift => CHANGE,
        Class::Conflict => BAD,
    };
    format!("  {}", paint(style, class.as_str()))
}

fn sign(change: &Change) -> String {
    match change.action {
        _ if change.stays() => paint(FAINT, "="),
        Action::Update => paint(CHANGE, "~"),
        Action::Create => paint(ADD, "+ create"),
    }
}

/// Renders one line for each field, followed by the place that declares it.
fn write_fields(out: &mut String, group: &Group<'_>, places: Vec<String>) -> fmt::Result {
    let names = group
        .fields
        .iter()
        .map(|(field, ..)| visible(&field.to_string()));
    let width = names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    for ((field, field_summary, origin, _), place) in group.fields.iter().zip(places) {
        let name = visible(&field.to_string());
        let head = format!("{name:width$}  ");
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("  {}", paint(FAINT, place))
        };
        let place = place + &origin.class.map(part_word).unwrap_or_default();
        if origin.stays {
            indented(
                out,
                4,
                format_args!("{head}{}{place}", kept(field_summary, visible)),
            )?;
            continue;
        }
        match field_summary {
            FieldSummary::Replaced { before, after } => {
                let (before, after) = (paint(REMOVE, visible(before)), paint(ADD, visible(after)));
                indented(out, 4, format_args!("{head}{before} -> {after}{place}"))?;
            }
            FieldSummary::Set { added, removed } => {
                let added = added
                    .iter()
                    .map(|tag| paint(ADD, format_args!("+{}", visible(tag))));
                let removed = removed
                    .iter()
                    .map(|tag| paint(REMOVE, format_args!("-{}", visible(tag))));
                indented(
                    out,
                    4,
                    format_args!(
                        "{head}{}{place}",
                        added.chain(removed).collect::<Vec<_>>().join(" ")
                    ),
                )?;
            }
            FieldSummary::Notes(notes) => {
                for (at, note) in notes.iter().enumerate() {
                    let head = if at == 0 {
                        head.clone()
                    } else {
                        " ".repeat(width + 2)
                    };
                    indented(
                        out,
                        4,
                        format_args!(
                            "{head}{}{place}",
                            paint(ADD, format_args!("+ {}", visible(note)))
                        ),
                    )?;
                }
            }
            FieldSummary::Reworded { before, after } => {
                indented(out, 4, format_args!("{}{place}", head.trim_end()))?;
                let diff = TextDiff::from_words(before.as_str(), after.as_str());
                let side = |tag| {
                    let words = diff
                        .iter_all_changes()
                        .filter(|word| matches!(word.tag(), ChangeTag::Equal) || word.tag() == tag);
                    words
                        .map(|word| {
                            if word.tag() == tag {
                                paint(STRONG, visible(word.value()))
                            } else {
                                visible(word.value())
                            }
                        })
                        .collect::<String>()
                };
                indented(
                    out,
                    6,
                    format_args!("{} {}", paint(REMOVE, "-"), side(ChangeTag::Delete)),
                )?;
                indented(
                    out,
                    6,
                    format_args!("{} {}", paint(ADD, "+"), side(ChangeTag::Insert)),
                )?;
            }
        }
    }
    Ok(())
}

fn refusal(
    out: &mut String,
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
