//! The palette, and texts from strangers made visible.

use std::fmt::{self, Display, Write};

use anstyle::{AnsiColor, Style};

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

/// A stranger's text for a terminal: control, bidi and zero-width characters are shown as what they are.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            c if is_invisible(c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that a reader cannot see, or that move what a reader sees.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A number with its noun.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(visible("evil\u{202e}txt"), "evil\\u{202e}txt");
        assert_eq!(visible("two\nlines\u{200b}"), "two\\nlines\\u{200b}");
        assert_eq!(visible("naïve 名前 🙂"), "naïve 名前 🙂");
    }
}
