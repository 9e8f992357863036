//! Quoting: a text as a YAML scalar that every reader reads back as that text.
//!
//! A text is written without quotes only where YAML 1.1 and 1.2 both read it as text. What a person could not see becomes an escape.

use std::fmt::Write;

use crate::text::is_invisible;
use crate::yaml::Style;

/// Where a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarContext {
    /// After `key: ` or `- `, to the end of the line.
    Block,
    /// A key, or inside of `[…]` or `{…}`.
    Flow,
    /// Among scalars that are all in double quotes, as in JSON.
    Json,
}

/// The text without quotes where that is safe, else in double quotes, or in single ones where that saves escapes.
pub(crate) fn scalar(text: &str, context: ScalarContext) -> String {
    if context == ScalarContext::Json {
        return double(text);
    }
    if is_plain(text, context) {
        return text.to_owned();
    }
    let quoted = double(text);
    if text.contains('"') && !quoted.replace("\\\"", "").contains('\\') {
        return single(text);
    }
    quoted
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The text in the style of the scalar whose place it takes, where that can hold it.
pub(crate) fn like(text: &str, style: Style, context: ScalarContext) -> String {
    let is_printable = || !text.chars().any(|c| is_invisible(c) || c == '\u{a0}');
    match style {
        Style::Single if is_printable() => single(text),
        Style::Single | Style::Double => double(text),
        Style::Plain | Style::PlainText | Style::Literal | Style::Folded => scalar(text, context),
    }
}

/// The text as a literal block, the lines below it indented by `indent`; `None` where it is one line, or its blanks or line breaks
/// would not be safe there.
pub(crate) fn literal(text: &str, indent: &str, line_break: &str) -> Option<String> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let good = |line: &str| !line.ends_with([' ', '\t']) && !line.chars().any(is_invisible);
    let first_is_shifted = body.starts_with([' ', '\t', '\n']);
    if !body.contains('\n')
        || body.ends_with('\n')
        || first_is_shifted
        || !body.split('\n').all(good)
    {
        return None;
    }
    let mut made = if body.len() == text.len() {
        "|-".to_owned()
    } else {
        "|".to_owned()
    };
    for line in body.split('\n') {
        made.push_str(line_break);
        if !line.is_empty() {
            made.push_str(indent);
            made.push_str(line);
        }
    }
    Some(made)
}

/// The text in double quotes.
pub(crate) fn double(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 2);
    made.push('"');
    for c in text.chars() {
        let code = u32::from(c);
        // Writing into a String does not fail.
        let _written = match c {
            '"' => made.write_str("\\\""),
            '\\' => made.write_str("\\\\"),
            '\n' => made.write_str("\\n"),
            '\t' => made.write_str("\\t"),
            '\r' => made.write_str("\\r"),
            ' ' => made.write_char(' '),
            c if !(is_invisible(c) || c.is_whitespace() || is_noncharacter(code)) => {
                made.write_char(c)
            }
            _ if code < 0x100 => write!(made, "\\x{code:02X}"),
            _ if code < 0x10000 => write!(made, "\\u{code:04X}"),
            _ => write!(made, "\\U{code:08X}"),
        };
    }
    made.push('"');
    made
}

/// Code points that stand for nothing, and those of private use, which no font shows.
fn is_noncharacter(code: u32) -> bool {
    code & 0xfffe == 0xfffe
        || (0xfdd0..=0xfdef).contains(&code)
        || (0xe000..=0xf8ff).contains(&code)
        || code >= 0xf0000
}

fn is_plain(text: &str, context: ScalarContext) -> bool {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '/' | '('));
    if !first || text.ends_with(' ') || is_word_of_yaml(text) || is_number_like(text) {
        return false;
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let fine = match c {
            c if is_invisible(c) => false,
            ' ' | '_' | '-' | '.' | '/' | '@' | '+' | '(' | ')' | '\'' | '&' | '!' | '%' | ';'
            | '=' | '*' | '$' | '^' | '~' => true,
            ',' | '?' | '[' | ']' | '{' | '}' | '"' => context == ScalarContext::Block,
            ':' => {
                context == ScalarContext::Block
                    && next.is_some_and(|next| next.is_alphanumeric() || next == '/')
            }
            c => c.is_alphanumeric(),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// A truth value or nothing, to some reader.
fn is_word_of_yaml(text: &str) -> bool {
    const WORDS: [&str; 15] = [
        "y",
        "n",
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
        "nan",
        "inf",
        "infinity",
        "undefined",
        "nil",
        "void",
    ];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A number, a date, a time or a part of one, to some reader; and what is near enough to one to make people wonder.
fn is_number_like(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-')) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let based = ["0x", "0o", "0b"]
        .iter()
        .any(|base| lower.starts_with(base));
    based
        || lower.bytes().all(|byte| {
            matches!(
                byte,
                b'0'..=b'9' | b'_' | b'.' | b':' | b'-' | b'+' | b',' | b'e' | b't' | b'z' | b' '
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_reader_would_bend_is_quoted() {
        let bent = [
            "",
            "no",
            "Yes",
            "~",
            "null",
            "0123",
            "1e3",
            "0x1F",
            "0b1",
            "1_000",
            "12:30:45",
            "2026-01-02",
            "2026-01-02T03:04:05Z",
            ".5",
            "+91",
            "-1",
            "=",
            "<<",
            "---",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#b",
            "a:",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'a",
            "[a",
            "{a",
            " a",
            "a ",
            "a\tb",
            "a\nb",
            "123456789012345678901e23",
            "12345678-1234-1234-1234-123456789012",
            ".inf",
            "NaN",
        ];
        for text in bent {
            assert_eq!(scalar(text, ScalarContext::Block), double(text), "{text}");
        }
        assert_eq!(scalar("\"a", ScalarContext::Block), "'\"a'");
        assert_eq!(scalar("\"a\\", ScalarContext::Block), "\"\\\"a\\\\\"");
        for text in [
            "vip",
            "7e88d192-9b20-4035-9b68-d4ac3d58a34f",
            "Acme renewal",
            "631aa793bcfa100487d13d0d",
            "https://a.example/b?c=d",
            "naïve 名前",
        ] {
            assert_eq!(scalar(text, ScalarContext::Block), text);
        }
        assert_eq!(scalar("a, b", ScalarContext::Block), "a, b");
        assert_eq!(scalar("a, b", ScalarContext::Flow), "\"a, b\"");
        assert_eq!(
            double("\u{202e}\u{85}\u{2028}\u{1f600}\0"),
            "\"\\u202E\\x85\\u2028\u{1f600}\\x00\""
        );
        assert_eq!(like("it's", Style::Single, ScalarContext::Block), "'it''s'");
    }
}
