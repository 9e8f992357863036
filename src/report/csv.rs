//! A plan as CSV: a row for each field that differs, for spreadsheets.
//!
//! Like the sheets of `list`, it has agents by name, tags with `;` between them, and a `'` before a cell that a spreadsheet would run. What
//! cannot be seen is escaped, so that a row is one line.

use super::field_summary::{PlanNames, note_words, parts};
use crate::diff::FieldChange;
use crate::lead::{Kind, Shown, TagSet};
use crate::lead_file::sheet::{defused, exact_tag, joined};
use crate::plan::{Change, Class, Plan};
use crate::text::{distinct, distinct_from, visible};

/// The columns, in order.
const COLUMNS: [&str; 10] = [
    "uuid", "label", "action", "class", "field", "before", "after", "taken", "file", "line",
];

/// The rows of a plan whose personal values are masked already.
pub(super) fn plan(plan: &Plan) -> Result<String, csv::Error> {
    let names = PlanNames::new(plan);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for change in &plan.changes {
        for part in change.fields.iter().flat_map(parts) {
            writer.write_record(row(change, &part, &names))?;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(change: &Change, part: &FieldChange, names: &PlanNames<'_>) -> [String; COLUMNS.len()] {
    let (before, after) = sides(part, names);
    let class = part.class.unwrap_or(change.class);
    let line = if part.line > 0 {
        part.line
    } else {
        change.source.line
    };
    let cell = |text: &str| defused(&visible(text));
    [
        cell(change.uuid.as_str()),
        cell(change.label.as_deref().unwrap_or_default()),
        change.action.as_str().to_owned(),
        class.as_str().to_owned(),
        cell(&part.field.to_string()),
        defused(&before),
        defused(&after),
        taken(part, class).to_owned(),
        cell(&change.source.file),
        line.to_string(),
    ]
}

/// The side that is taken; empty where that is still to be decided.
fn taken(part: &FieldChange, class: Class) -> &'static str {
    if part.stays() {
        return "live";
    }
    match class {
        Class::Conflict | Class::Drift if part.taken.is_none() => "",
        Class::Change | Class::Intended | Class::Drift | Class::Conflict => "file",
    }
}

/// Both sides of a difference, visible, and never equal.
fn sides(part: &FieldChange, names: &PlanNames<'_>) -> (String, String) {
    let absent = if part.field.kind() == Kind::Reference {
        "none"
    } else {
        ""
    };
    if let (Shown::Tags(before), Shown::Tags(after)) = (part.before.shown(), part.after.shown()) {
        let all: Vec<String> = before.union(after).map(|tag| exact_tag(tag)).collect();
        let shown = |tag: &String| distinct_from(&exact_tag(tag), all.iter().map(String::as_str));
        let side = |tags: &TagSet| tags.iter().map(shown).collect::<Vec<_>>().join(";");
        return (side(before), side(after));
    }
    let words = |side: Shown<'_>| match side {
        Shown::One(text) => text.unwrap_or(absent).to_owned(),
        Shown::Agent(id) => names.agent(id.as_str()),
        Shown::Tags(tags) => joined(tags),
        Shown::Notes(notes) => notes.iter().map(note_words).collect::<Vec<_>>().join("; "),
    };
    let (before, after) = (words(part.before.shown()), words(part.after.shown()));
    if before == after {
        return (visible(&before), visible(&after) + " (another)");
    }
    distinct(&before, &after)
}
