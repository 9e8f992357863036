//! The changes of a plan as tables of Markdown, one for each class.

use similar::{ChangeTag, TextDiff};

use super::NAMED;
use super::blocks::{Block, TableRow};
use super::inline::{at, code, encoded, prose};
use crate::plan::{Action, Change, Class, Source};
use crate::report::field_summary::{
    FieldSummary, Group, Origin, PlanNames, ROLL_UP, kept, line_of,
};
use crate::text::{shortened, visible};

/// The maximum number of characters of a long text that are compared.
const LONGEST: usize = 400;

/// The changes of one class.
pub(super) fn changes(groups: &[Group<'_>], class: Class, names: &PlanNames<'_>) -> Option<Block> {
    let (title, noun, close) = match class {
        Class::Conflict => (
            "#### Conflicts: the file and the inbox both changed, to different values\n",
            "lead in conflict",
            "",
        ),
        Class::Change => ("#### Changes\n", "change", ""),
        Class::Intended => (
            "#### Intended: changed in the files since the base\n",
            "intended change",
            "",
        ),
        Class::Drift if groups.iter().all(Group::stays) => (
            "<details><summary>Drift, kept: changed in the inbox, and not by these files</summary>\n",
            "drifted lead",
            "\n</details>\n",
        ),
        Class::Drift => (
            "#### Drift: changed in the inbox, and not by these files\n",
            "drifted lead",
            "",
        ),
    };
    let of_class = |group: &&Group<'_>| {
        group
            .changes
            .first()
            .is_some_and(|change| change.class == class)
    };
    let rows: Vec<TableRow> = groups
        .iter()
        .filter(of_class)
        .flat_map(|group| rows(group, names))
        .collect();
    let open = format!("\n{title}\n| Lead | Change | Declared at |\n|:--|:--|:--|\n");
    (!rows.is_empty()).then_some(Block {
        open,
        rows,
        close,
        noun,
    })
}

/// One row for each change of a group, or one for all where they are many.
fn rows(group: &Group<'_>, names: &PlanNames<'_>) -> Vec<TableRow> {
    let fields: Vec<String> = group
        .fields
        .iter()
        .map(|(field, field_summary, origin, _)| {
            field_cell(&field.to_string(), field_summary, *origin)
        })
        .collect();
    let fields = fields.join("<br>");
    let row = |lead: String, place: &Source| {
        TableRow::one(format!("| {lead} | {fields} | {} |\n", at(place)))
    };
    let [first, ..] = group.changes.as_slice() else {
        return Vec::new();
    };
    if group.changes.len() < ROLL_UP {
        return group
            .changes
            .iter()
            .map(|change| {
                row(
                    format!("{}{}", new(change), lead(change, names)),
                    &line_of(change),
                )
            })
            .collect();
    }
    let left_out = group.changes.len().saturating_sub(NAMED);
    let place = |change| {
        if group.has_one_place() {
            String::new()
        } else {
            format!(" {}", at(&line_of(change)))
        }
    };
    let named = group.changes.iter().take(NAMED);
    let mut leads: Vec<String> = named
        .map(|change| lead(change, names) + &place(change))
        .collect();
    if left_out > 0 {
        leads.push(format!("and {left_out} more"));
    }
    let lead = format!(
        "{}**{} leads:** {}",
        new(first),
        group.changes.len(),
        leads.join(", ")
    );
    let places = group
        .fields
        .iter()
        .find_map(|(.., place)| place.as_ref().filter(|_| group.has_one_place()));
    let text = format!(
        "| {lead} | {fields} | {} |\n",
        places.map(at).unwrap_or_default()
    );
    vec![TableRow {
        text,
        stands_for: group.changes.len(),
    }]
}

fn new(change: &Change) -> &'static str {
    match change.action {
        Action::Update => "",
        Action::Create => "**create** ",
    }
}

fn lead(change: &Change, names: &PlanNames<'_>) -> String {
    let id = code(names.lead(&change.uuid));
    change.label.as_deref().map_or_else(
        || id.clone(),
        |label| format!("{id} {}", prose(&shortened(label, 80))),
    )
}

/// A field and what becomes of it.
fn field_cell(name: &str, field_summary: &FieldSummary, origin: Origin) -> String {
    let class = match origin.class {
        None | Some(Class::Change) => String::new(),
        Some(class) => format!(" _({})_", class.as_str()),
    };
    if origin.stays {
        return format!(
            "{} {}{class}",
            prose(name),
            kept(field_summary, |text| code(&shortened(text, LONGEST)))
        );
    }
    let change = match field_summary {
        FieldSummary::Replaced { before, after } => format!("{} → {}", code(before), code(after)),
        FieldSummary::Set { added, removed } => {
            let added = added.iter().map(|tag| code(&format!("+{tag}")));
            added
                .chain(removed.iter().map(|tag| code(&format!("-{tag}"))))
                .collect::<Vec<_>>()
                .join(" ")
        }
        FieldSummary::Notes(notes) => notes
            .iter()
            .map(|note| code(&format!("+ {note}")))
            .collect::<Vec<_>>()
            .join("<br>"),
        FieldSummary::Reworded { before, after } => {
            reworded(&shortened(before, LONGEST), &shortened(after, LONGEST))
        }
    };
    format!("{} {change}{class}", prose(name))
}

/// Two long texts as one, compared word by word; adjacent insertions and deletions are marked together.
fn reworded(before: &str, after: &str) -> String {
    let diff = TextDiff::from_words(before, after);
    let words: Vec<_> = diff.iter_all_changes().collect();
    let run = |words: &[similar::Change<&str>]| {
        let text: String = words.iter().map(|word| visible(word.value())).collect();
        let text = encoded(&text);
        match words.first().map(similar::Change::tag) {
            Some(ChangeTag::Delete) => format!("<del>{text}</del>"),
            Some(ChangeTag::Insert) => format!("<ins>{text}</ins>"),
            Some(ChangeTag::Equal) | None => text,
        }
    };
    words
        .chunk_by(|one, other| one.tag() == other.tag())
        .map(run)
        .collect()
}
