//! JSON as this program writes it: control, bidi and zero-width characters are escapes, so that no text from strangers moves what a reader
//! of the file sees. A reader of JSON gets the same text.

use std::fmt::Write;

use serde::Serialize;

use crate::text::is_invisible;

/// A document over several lines, with a line break at its end.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| escaped(text) + "\n")
}

/// A document in one line, without a line break.
pub(crate) fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(escaped)
}

/// Outside of its texts, JSON has no such character but the line break.
fn escaped(text: String) -> String {
    let is_shown = |c: char| c == '\n' || !is_invisible(c);
    if text.is_ascii() && !text.contains('\u{7f}') || text.chars().all(is_shown) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_shown(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _infallible = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_an_escape_and_reads_back_the_same() {
        let text = "a\u{202e}b\u{200b}\u{85}\u{7f}\u{e0001}é😀\n";
        let made = line(&text).expect("JSON");
        assert_eq!(made, r#""a\u202eb\u200b\u0085\u007f\udb40\udc01é😀\n""#);
        assert_eq!(serde_json::from_str::<String>(&made).expect("JSON"), text);
        let pretty = pretty(&[text]).expect("JSON");
        assert_eq!(pretty.lines().count(), 3);
        assert!(!pretty.chars().any(|c| c != '\n' && is_invisible(c)));
    }
}
