//! The palette, and small pieces of text.

use std::fmt::{self, Display, Write};

use anstyle::{AnsiColor, Style};

pub use crate::text::{count, visible};

/// Additions.
pub const ADD: Style = AnsiColor::Green.on_default();
/// Removals.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// Changes and warnings.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Errors.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Success.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Headings.
pub const STRONG: Style = Style::new().bold();
/// Secondary information.
pub const FAINT: Style = Style::new().dimmed();

/// Text in a style, which is reset after it.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A list cut after `most` entries, with the number left out.
pub fn some(items: impl ExactSizeIterator<Item = impl Display>, most: usize) -> String {
    let left_out = items.len().saturating_sub(most);
    let mut list: Vec<String> = items.take(most).map(|item| item.to_string()).collect();
    if left_out > 0 {
        list.push(format!("and {left_out} more"));
    }
    list.join(", ")
}

/// Tags that come and go, each with its sign.
pub(super) fn signed(added: &[String], removed: &[String]) -> String {
    let added = added
        .iter()
        .map(|tag| paint(ADD, format_args!("+{}", visible(tag))));
    let removed = removed
        .iter()
        .map(|tag| paint(REMOVE, format_args!("-{}", visible(tag))));
    added.chain(removed).collect::<Vec<_>>().join(" ")
}

/// Lines with the same indentation.
pub(super) fn indented(out: &mut dyn Write, depth: usize, line: impl Display) -> fmt::Result {
    writeln!(out, "{:depth$}{line}", "")
}
