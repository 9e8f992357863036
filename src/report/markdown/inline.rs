//! Text from strangers inside Markdown: stays text in any renderer.
//!
//! There are two ways, one for values and one for prose. A value becomes a code span if nothing in it could confuse a renderer, and a
//! `<code>` element with numeric character references if something could: renderers disagree on pipes and backticks that end table
//! cells and code spans. Text that a renderer would turn into a link, a mention or a reference is broken up by an empty
//! comment, which is invisible and not copied.

use std::fmt::Write;

use crate::plan::Source;
use crate::text::{shortened, visible};

/// The maximum number of characters shown of a value.
const SHOWN: usize = 160;

/// A value.
pub(super) fn code(text: &str) -> String {
    let text = shortened(&visible(text), SHOWN);
    if text.is_empty() {
        return "_empty_".to_owned();
    }
    if text.chars().all(is_plain) && text.trim() == text && !links(&text) {
        return format!("`{text}`");
    }
    format!("<code>{}</code>", encoded(&text))
}

/// Prose.
pub(super) fn prose(text: &str) -> String {
    encoded(&shortened(&visible(text), 2 * SHOWN))
}

/// A place in a file.
pub(super) fn at(source: &Source) -> String {
    code(&source.to_string())
}

/// Characters without meaning in a code span, in a table, or to tools that look for links afterwards.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || " +-_./:,;=()%…·".contains(c)
}

fn links(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("//") || text.contains("www.")
}

/// Encodes punctuation as numbers and adds an empty comment after what starts a mention, a reference or a link.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ['\0'; 3];
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let follows = |word: &str| {
            before
                .iter()
                .rev()
                .zip(word.chars().rev())
                .all(|(c, other)| c.eq_ignore_ascii_case(&other))
        };
        let begins = match c {
            '@' => true,
            '#' | '!' | '~' | '$' | '^' | '&' | '%' => rest
                .peek()
                .is_some_and(|next| next.is_alphanumeric() || "\"\'_".contains(*next)),
            ':' => rest.peek() == Some(&'/'),
            '.' => follows("www"),
            '-' => follows("gh"),
            _ => false,
        };
        let is_plain = match c {
            '.' | '-' | ':' | '%' => !begins,
            ' ' | ',' | ';' | '(' | ')' | '/' => true,
            c => !c.is_ascii_punctuation(),
        };
        if is_plain {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "&#{};", u32::from(c));
        }
        if begins {
            out.push_str("<!-- -->");
        }
        before = [before[1], before[2], c];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_code_spans_and_others_are_encoded() {
        assert_eq!(code("INPROGRESS"), "`INPROGRESS`");
        assert_eq!(code("a|b`c"), "<code>a&#124;b&#96;c</code>");
        assert_eq!(code("@all"), "<code>&#64;<!-- -->all</code>");
        assert_eq!(code(""), "_empty_");
        assert_eq!(code("\u{202e}"), "<code>&#92;u&#123;202e&#125;</code>");
        assert_eq!(
            code("www.evil.example"),
            "<code>www&#46;<!-- -->evil.example</code>"
        );
        assert_eq!(
            prose("Acme & Sons, GH-1"),
            "Acme &#38; Sons, GH&#45;<!-- -->1"
        );
    }
}
