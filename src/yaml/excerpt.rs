//! Excerpts: the line of source that a diagnostic shows, safe for a terminal.
//!
//! Takes a text and a range of it, and returns one line, cut to a window around the range, without anything that could
//! drive a terminal or turn text around, and with tokens masked.

use std::ops::Range;

/// One line of source and what is marked in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) span: Range<usize>,
}

/// How many bytes are shown before and after the start of what is marked.
const BEFORE: usize = 80;
const AFTER: usize = 120;
/// How far back a line's key is looked for, so that a file of one line costs no more than others.
const REACH: usize = 512;

impl Excerpt {
    pub(crate) fn new(text: &str, span: Range<usize>, line: u32) -> Self {
        let start = span.start.min(text.len());
        let reach = text.floor_char_boundary(start.saturating_sub(REACH));
        let line_start = text[reach..start]
            .rfind(['\n', '\r'])
            .map_or(reach, |at| reach + at + 1);
        let cut_before = line_start == reach
            && reach > 0
            && !matches!(text.as_bytes()[reach - 1], b'\n' | b'\r');
        let from = if start - line_start > BEFORE || cut_before {
            text.floor_char_boundary(start.saturating_sub(BEFORE))
                .max(line_start)
        } else {
            line_start
        };
        let limit = text.ceil_char_boundary((start + AFTER).min(text.len()));
        let to = text[start..limit]
            .find(['\n', '\r'])
            .map_or(limit, |at| start + at);
        let cut_after = to == limit && limit < text.len();
        let masked = masked_from(&text[line_start..to]).map(|at| line_start + at);

        let mut made = String::new();
        if from > line_start || cut_before {
            made.push('…');
        }
        let (mut marked, mut end) = (made.len(), made.len());
        let runs = long_runs(&text[from..to]);
        for (at, c) in text[from..to].char_indices() {
            let byte = from + at;
            if byte == start {
                marked = made.len();
            }
            let secret = masked.is_some_and(|from| byte >= from && !c.is_whitespace())
                || runs.iter().any(|run| run.contains(&at));
            if secret {
                made.push('*')
            } else {
                push_visible(&mut made, c)
            }
            if byte < span.end {
                end = made.len();
            }
        }
        if start >= to {
            marked = made.len();
        }
        if cut_after {
            made.push('…');
        }
        Self {
            span: marked..end.max(marked),
            text: made,
            line,
        }
    }

    /// Hides what is after the mark, and what is marked unless that is a `key`.
    pub(crate) fn mask(&mut self, key: bool) {
        let from = if key { self.span.end } else { self.span.start };
        let hide = |text: &str| -> String {
            let hidden = |c: char| if c.is_whitespace() { c } else { '*' };
            text.chars().map(hidden).collect()
        };
        let marked = hide(&self.text[from..self.span.end.max(from)]);
        let rest = hide(&self.text[self.span.end.max(from)..]);
        self.text.truncate(from);
        self.text += &marked;
        self.span.end = self.text.len();
        self.text += &rest;
    }
}

/// Where the value begins in a line that gives one to a key whose name ends in `token`, or what is before the `@` of an address.
fn masked_from(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    if let Some(user) = lower.find("://").map(|at| at + "://".len())
        && lower[user..]
            .split(|c: char| c.is_whitespace() || c == '/')
            .next()
            .is_some_and(|address| address.contains('@'))
    {
        return Some(user);
    }
    let mut from = 0;
    while let Some(at) = lower[from..].find("token") {
        let after = from + at + "token".len();
        let rest = lower[after..].trim_start_matches(|c: char| {
            c.is_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'' | ' ')
        });
        if rest.starts_with([':', '=']) {
            return Some(line.len() - rest.len() + 1);
        }
        from = after;
    }
    None
}

/// Runs of 40 and more characters as tokens are made of; no id or uuid is that long.
fn long_runs(line: &str) -> Vec<Range<usize>> {
    let part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'=');
    let bytes = line.as_bytes();
    let mut runs = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let len = bytes[at..].iter().take_while(|byte| part(**byte)).count();
        let run = &bytes[at..at + len];
        if len >= 40
            && run.iter().any(u8::is_ascii_digit)
            && run.iter().any(u8::is_ascii_alphabetic)
        {
            runs.push(at..at + len);
        }
        at += len + 1;
    }
    runs
}

/// The text with what a terminal would obey, or a reader could not see, written out, and with tokens masked.
pub(crate) fn visible(text: &str) -> String {
    let runs = long_runs(text);
    let mut made = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if runs.iter().any(|run| run.contains(&at)) {
            made.push('*')
        } else {
            push_visible(&mut made, c)
        }
    }
    made
}

/// As anywhere, but that a tab takes a few columns: a mark below it must stand where it belongs.
fn push_visible(made: &mut String, c: char) {
    if c == '\t' {
        made.push_str("    ")
    } else {
        crate::text::push(made, c)
    }
}

/// A value as a message quotes it: in backticks, no longer than a line takes.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("`{}…`", visible(&text[..at])),
        None => format!("`{}`", visible(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_scrubbed_and_masked() {
        let text = format!("a: {}\u{202e}x {}", "b".repeat(300), "c".repeat(900));
        let at = text.find('x').expect("it is there");
        let excerpt = Excerpt::new(&text, at..at + 1, 1);
        assert!(
            excerpt.text.contains("\\u{202e}")
                && excerpt.text.starts_with('…')
                && excerpt.text.ends_with('…')
        );
        assert_eq!(&excerpt.text[excerpt.span.clone()], "x");
        let text = "api:\n  read_token: 's3cret'\n";
        assert_eq!(Excerpt::new(text, 7..17, 2).text, "  read_token: ********");
        assert_eq!(
            Excerpt::new("read_header: x-bot-token", 0..3, 1).text,
            "read_header: x-bot-token"
        );
        assert!(!visible(&format!("eyJ0{}", "a1".repeat(30))).contains("a1"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_any_span(text in ".{0,900}", a in 0usize..900, b in 0usize..900) {
            let (a, b) = (text.floor_char_boundary(a), text.floor_char_boundary(b));
            let made = Excerpt::new(&text, a.min(b)..a.max(b), 1);
            proptest::prop_assert!(made.text.get(made.span).is_some());
        }
    }
}
