//! What a cell says: nothing, that the value is cleared, or a text.
//!
//! A spreadsheet runs cells that begin with `=`, `+`, `-` or `@`; a `'` before it defuses such a text and is taken off when the cell is
//! read. Tags are items with `;` or `,` between them, `\;` and `\,` within one, and `+` or `-` before each item of a rule that says which must
//! be present and absent.

use crate::lead::{TagRule, TagSet, tag};
use crate::lead_file::assign::AssignError;

/// The cell that clears a value.
pub(super) const CLEARED: &str = "-";

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'c> {
    /// Nothing.
    Unsaid,
    /// That the value is cleared.
    Cleared,
    /// This text.
    Text(&'c str),
}

impl<'c> Cell<'c> {
    pub(super) fn read(raw: &'c str) -> Self {
        match raw.trim() {
            "" => Self::Unsaid,
            CLEARED => Self::Cleared,
            _ if is_defused(raw) => Self::Text(&raw[1..]),
            _ => Self::Text(raw),
        }
    }
}

/// A text as a cell that no spreadsheet runs, and that clears nothing.
pub(crate) fn text(text: &str) -> String {
    if is_run(text.trim_start_matches('\'')) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn is_defused(raw: &str) -> bool {
    raw.starts_with('\'') && is_run(raw.trim_start_matches('\''))
}

/// Whether a spreadsheet would run a text, or reading it take it for the sign that clears.
fn is_run(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) || text.trim() == CLEARED
}

/// A rule on tags as the text of a cell.
pub(super) fn of_tags(rule: &TagRule) -> String {
    let items: Vec<String> = match rule {
        TagRule::Exact(tags) if tags.is_empty() => Vec::new(),
        TagRule::Exact(tags) => vec![joined(tags)],
        TagRule::Patch { present, absent } => {
            let present = present.iter().map(|tag| format!("+{}", escaped(tag)));
            let absent = absent.iter().map(|tag| format!("-{}", escaped(tag)));
            present.chain(absent).collect()
        }
    };
    if items.is_empty() {
        CLEARED.to_owned()
    } else {
        text(&items.join(";"))
    }
}

/// Tags as the text of a cell.
pub(crate) fn joined(tags: &TagSet) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| exact_tag(tag)).collect();
    tags.join(";")
}

/// A tag of an exact list: one that begins like a mark is escaped.
pub(crate) fn exact_tag(tag: &str) -> String {
    let tag = escaped(tag);
    if tag.starts_with(['+', '-']) {
        format!("\\{tag}")
    } else {
        tag
    }
}

fn escaped(tag: &str) -> String {
    tag.replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
}

/// Reads a rule on tags.
pub(super) fn tags(text: &str) -> Result<TagRule, AssignError> {
    let items: Vec<(Option<char>, String)> = items(text);
    if items.is_empty() {
        return Err(AssignError::NoTag);
    }
    let marked = items.iter().filter(|(mark, _)| mark.is_some()).count();
    if marked != 0 && marked != items.len() {
        return Err(AssignError::TagMarks);
    }
    let of = |wanted: Option<char>| -> TagSet {
        let chosen = items.iter().filter(|(mark, _)| *mark == wanted);
        chosen.map(|(_, tag)| tag.clone()).collect()
    };
    if marked == 0 {
        return Ok(TagRule::Exact(of(None)));
    }
    let (present, absent) = (of(Some('+')), of(Some('-')));
    match present.iter().find(|tag| absent.contains(tag)) {
        Some(tag) => Err(AssignError::TagOverlap(tag.clone())),
        None => Ok(TagRule::Patch { present, absent }),
    }
}

/// The items of a list with their marks, empty ones left out.
fn items(text: &str) -> Vec<(Option<char>, String)> {
    let mut items = Vec::new();
    let (mut mark, mut one) = (None, String::new());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ';' | ',' | '+' | '-')) => one.push(escaped),
                other => {
                    one.push('\\');
                    one.extend(other);
                }
            },
            ';' | ',' => {
                let name = tag(&std::mem::take(&mut one));
                items.extend(name.map(|name| (mark, name)));
                mark = None;
            }
            '+' | '-' if mark.is_none() && one.trim().is_empty() => mark = Some(letter),
            letter => one.push(letter),
        }
    }
    items.extend(tag(&one).map(|name| (mark, name)));
    items
}
