//! The palette, and small words.

use std::fmt::{self, Display, Write};

use anstyle::{AnsiColor, Style};

pub use crate::text::{count, visible};

/// What is added.
pub const ADD: Style = AnsiColor::Green.on_default();
/// What goes away.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// What changes, and what wants a look.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// What stops a run.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is good.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is looked for with the eye.
pub const STRONG: Style = Style::new().bold();
/// What is there for whoever wants it.
pub const FAINT: Style = Style::new().dimmed();

/// Text in a style, closed again.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A list, cut after `most` with the number of those left out.
pub fn some(items: impl ExactSizeIterator<Item = impl Display>, most: usize) -> String {
    let left_out = items.len().saturating_sub(most);
    let mut list: Vec<String> = items.take(most).map(|item| item.to_string()).collect();
    if left_out > 0 {
        list.push(format!("and {left_out} more"));
    }
    list.join(", ")
}

/// Lines under one another, each behind the same blanks.
pub(super) fn indented(out: &mut String, depth: usize, line: impl Display) -> fmt::Result {
    writeln!(out, "{:depth$}{line}", "")
}
