//! The changes of a plan for a terminal: each lead, and each of its fields.

use std::fmt::{self, Write};

use similar::{ChangeTag, TextDiff};

use super::NAMED;
use crate::lead::Field;
use crate::plan::{Action, Change, Class, Source};
use crate::report::field_summary::{FieldSummary, Group, PlanNames, kept, line_of};
use crate::report::style::{
    ADD, BAD, CHANGE, FAINT, GOOD, REMOVE, STRONG, count, indented, paint, signed, some, visible,
};

/// One lead, with a line for each of its fields.
pub(super) fn one(
    out: &mut dyn Write,
    change: &Change,
    group: &Group<'_>,
    names: &PlanNames<'_>,
) -> fmt::Result {
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
        .map(|(field, ..)| match asked(field) {
            0 => String::new(),
            line => format!(":{line}"),
        })
        .collect();
    write_fields(out, group, lines)?;
    writeln!(out)
}

/// Many leads with the same change, as one.
pub(super) fn rolled_up(
    out: &mut dyn Write,
    group: &Group<'_>,
    names: &PlanNames<'_>,
) -> fmt::Result {
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
fn write_fields(out: &mut dyn Write, group: &Group<'_>, places: Vec<String>) -> fmt::Result {
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
                let tags = signed(added, removed);
                indented(out, 4, format_args!("{head}{tags}{place}"))?;
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
                write_reworded(out, before, after)?;
            }
        }
    }
    Ok(())
}

/// Two texts below each other, with the words that differ marked.
fn write_reworded(out: &mut dyn Write, before: &str, after: &str) -> fmt::Result {
    let diff = TextDiff::from_words(before, after);
    let side = |tag| -> String {
        diff.iter_all_changes()
            .filter(|word| matches!(word.tag(), ChangeTag::Equal) || word.tag() == tag)
            .map(|word| {
                if word.tag() == tag {
                    paint(STRONG, visible(word.value()))
                } else {
                    visible(word.value())
                }
            })
            .collect()
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
    )
}
