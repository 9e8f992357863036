//! The plain kind of file, read quickly: block mappings of simple keys, with one-line values.
//!
//! Most lead files are of no other kind, and the library takes its time over what YAML might be. Whatever is not surely plain
//! (quotes with escapes, block lists, several lines of text, anchors, tags, tabs) is left to the library, and the whole file
//! with it. What is read here gives the very tree that the library would give: a test holds the two against each other.

use std::borrow::Cow;

use super::super::diagnostic::Span;
use super::build::Builder;
use super::{Kind, Style};

/// Reads the text of a new builder. `None` is no verdict on the text: a builder that is as new must be given to the library.
pub(super) fn read(builder: &mut Builder<'_, '_, '_>) -> Option<()> {
    let text = builder.source.text;
    let mut lines = Lines { text, at: 0, line: 0 };
    // The indentation of each open mapping.
    let mut open: Vec<u32> = Vec::new();
    // The last key has no value yet: a mapping further in is to come.
    let mut awaits = true;
    while let Some(Line { indent, content }) = lines.next()? {
        let at = |from: usize, to: usize| {
            let column = indent + (from - content.start) as u32 + 1;
            Span { start: from as u32, end: to as u32, line: lines.line, column }
        };
        let here = at(content.start, content.start);
        if awaits {
            if open.last().map_or(indent != 0, |outer| *outer >= indent) {
                return None;
            }
            builder.open(Kind::Mapping { flow: false, merge: false }, 0, None, here).ok()?;
            open.push(indent);
        } else {
            while *open.last()? > indent {
                builder.close(here);
                open.pop();
            }
            if *open.last()? != indent {
                return None;
            }
        }
        let key = key(&text.as_bytes()[content.clone()])?;
        scalar(builder, Style::Plain, at(content.start, content.start + key), &text[content.start..content.start + key]);
        let value = content.start + key + 1;
        let mut line = Rest { text, at: value, end: content.end };
        line.blanks();
        awaits = line.at == line.end || (line.at > value && line.byte() == b'#');
        if awaits {
            continue;
        }
        if line.at == value {
            return None;
        }
        line.value(builder, &at)?;
    }
    if awaits {
        return None;
    }
    let end = Span { start: text.len() as u32, end: text.len() as u32, line: lines.line, column: 1 };
    open.iter().for_each(|_| builder.close(end));
    Some(())
}

fn scalar<'a>(builder: &mut Builder<'_, 'a, '_>, style: Style, at: Span, text: &'a str) {
    builder.push(Kind::Scalar(Cow::Borrowed(text), style), at);
    builder.grew(1);
}

/// The length of a simple key that a colon follows.
fn key(line: &[u8]) -> Option<usize> {
    let length = line.iter().position(|byte| *byte == b':')?;
    let simple = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fine = line.first().is_some_and(|first| first.is_ascii_alphanumeric()) && line[..length].iter().all(simple);
    (fine && length <= 200).then_some(length)
}

/// Lines with something on them.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

struct Line {
    indent: u32,
    content: std::ops::Range<usize>,
}

impl Lines<'_> {
    /// The next line that is neither blank nor a comment; `None` for a byte that no plain file has.
    fn next(&mut self) -> Option<Option<Line>> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let start = self.at;
            let rest = &bytes[start..];
            let length = rest.iter().position(|byte| *byte < b' ' || *byte == 0x7f)?;
            let plain = |line: &str| line.is_ascii() || line.chars().all(|c| c.is_ascii() || c.is_alphanumeric());
            // The last line ends as all others do.
            if rest[length] != b'\n' || !plain(&self.text[start..start + length]) {
                return None;
            }
            self.at = start + length + 1;
            self.line += 1;
            let indent = rest[..length].iter().take_while(|byte| **byte == b' ').count();
            if indent < length && rest[indent] != b'#' {
                return Some(Some(Line { indent: indent as u32, content: start + indent..start + length }));
            }
        }
        Some(None)
    }
}

/// What is left of a line.
struct Rest<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Rest<'a> {
    /// 0 at the end.
    fn byte(&self) -> u8 {
        if self.at < self.end { self.text.as_bytes()[self.at] } else { 0 }
    }

    fn blanks(&mut self) {
        while self.byte() == b' ' {
            self.at += 1;
        }
    }

    /// A value that ends with its line. What stands before a place on the line is ASCII: columns count characters.
    fn value(&mut self, builder: &mut Builder<'_, 'a, '_>, at: &impl Fn(usize, usize) -> Span) -> Option<()> {
        match self.byte() {
            b'[' | b'{' | b'"' | b'\'' => {
                self.item(builder, at)?;
                let after = self.at;
                self.blanks();
                (self.at == self.end || self.at > after && self.byte() == b'#').then_some(())
            }
            first if first.is_ascii_alphanumeric() => {
                let text = &self.text[self.at..self.end];
                let text = text.find(" #").map_or(text, |comment| &text[..comment]).trim_end_matches(' ');
                if text.ends_with(':') || text.contains(": ") {
                    return None;
                }
                scalar(builder, Style::Plain, at(self.at, self.at + text.len()), text);
                Some(())
            }
            _ => None,
        }
    }

    /// A value among others in brackets.
    fn item(&mut self, builder: &mut Builder<'_, 'a, '_>, at: &impl Fn(usize, usize) -> Span) -> Option<()> {
        let start = self.at;
        match self.byte() {
            b'[' => self.collection(builder, at, b']'),
            b'{' => self.collection(builder, at, b'}'),
            quote @ (b'"' | b'\'') => {
                let inside = &self.text[start + 1..self.end];
                let length = inside.find(char::from(quote))?;
                let text = &inside[..length];
                self.at = start + length + 2;
                if !text.is_ascii() || text.contains('\\') || self.byte() == quote {
                    return None;
                }
                let style = if quote == b'"' { Style::Double } else { Style::Single };
                scalar(builder, style, at(start, self.at), text);
                Some(())
            }
            _ => {
                let text = self.word()?;
                scalar(builder, Style::Plain, at(start, start + text.len()), text);
                Some(())
            }
        }
    }

    /// Words of plain text, with one blank between them.
    fn word(&mut self) -> Option<&'a str> {
        let rest = &self.text.as_bytes()[self.at..self.end];
        let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let between = byte == b' ' && rest.get(length + 1).is_some_and(u8::is_ascii_alphanumeric);
            if !simple(byte) && !between {
                break;
            }
            length += 1;
        }
        if !rest.first()?.is_ascii_alphanumeric() {
            return None;
        }
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        Some(text)
    }

    fn collection(&mut self, builder: &mut Builder<'_, 'a, '_>, at: &impl Fn(usize, usize) -> Span, close: u8) -> Option<()> {
        let kind = if close == b']' { Kind::Sequence(true) } else { Kind::Mapping { flow: true, merge: false } };
        builder.open(kind, 0, None, at(self.at, self.at + 1)).ok()?;
        self.at += 1;
        self.blanks();
        let mut first = true;
        while self.byte() != close {
            if !std::mem::take(&mut first) {
                if self.byte() != b',' {
                    return None;
                }
                self.at += 1;
                self.blanks();
            }
            if close == b'}' {
                let (start, key) = (self.at, self.word()?);
                scalar(builder, Style::Plain, at(start, self.at), key);
                if self.byte() != b':' || self.text.as_bytes().get(self.at + 1) != Some(&b' ') {
                    return None;
                }
                self.at += 1;
                self.blanks();
            }
            self.item(builder, at)?;
            self.blanks();
        }
        builder.close(at(self.at, self.at + 1));
        self.at += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::super::diagnostic::Source;
    use super::super::build::parse_any;
    use super::*;

    /// The tree that is read here, and the library's.
    fn both(text: &str) -> (Option<String>, Option<String>) {
        let source = Source { file: "a.yaml".into(), text };
        let (mut out, mut others) = (Vec::new(), Vec::new());
        let mut builder = Builder::new(&source, &mut out);
        let quick = read(&mut builder).and_then(|()| builder.finish()).map(|tree| format!("{tree:?}"));
        assert!(quick.is_none() || out.is_empty(), "{out:?}");
        (quick, parse_any(&source, &mut others).map(|tree| format!("{tree:?}")))
    }

    const FILE: &str = "# words
version: 1

defaults: { agent: priya, tags: [ vip, 'no' ] }   # more
leads:
  7e88d192-9b20-4035-9b68-d4ac3d58a34f:
      label: Acme's r\u{e9}newal: it, [is] #1 # not \u{e9}
      status: \"OPEN\"
      tags: [vip, New York, \"a, b\", 0123,1.5]
    # between

      attributes: {tier: gold, more: {}, list: []}
  lead-2: { tags: { present: [vip], absent: [] }, create: true }
  l:
   a:
    b: c
";

    #[test]
    fn a_plain_file_is_read_here() {
        let (quick, library) = both(&FILE.replace("newal: it", "newal it"));
        assert_eq!(quick, library);
        assert!(quick.is_some());
        assert_eq!(both(FILE).0, None, "a colon and a blank are for the library");
    }

    fn line() -> impl Strategy<Value = String> {
        let words = vec![
            "a:",
            "b: c",
            "label: Acme & Co. (50%)",
            "a: b c # d",
            "a: b#c",
            "a:b",
            "# c",
            "",
            "- x",
            "-",
            "a: [b, c]",
            "a: [b, c] d",
            "a: []",
            "a: {}",
            "a: { b: c }",
            "a: {b: [c, {d: e}], f: 'g'}",
            "a: [b",
            "]",
            "a: \"b\"",
            "a: \"b\" # c",
            "a: \"b\\n\"",
            "a: 'b''c'",
            "a: &b c",
            "a: *b",
            "a: !t b",
            "a: |",
            "a: >-",
            "a: b: c",
            "a: b:",
            "? a",
            "...",
            "---",
            "--- a",
            "%YAML 1.2",
            "a: @b",
            "a: `b",
            "a: -b",
            "a: - b",
            "<<: *a",
            "null:",
            "~: a",
            "a: ~",
            "a: b\t",
            "\ta: b",
            "a : b",
            "a: [a: b]",
            "a: [b c, d]",
            "a: [ b , c ]",
            "a: [b,c]",
            "a: [b,]",
            "a: [,]",
            "a: {b}",
            "a: {b: }",
            "a: {b:c}",
            "a: {b: c, }",
            "\u{e9}: a",
            "a: \u{e9}t\u{e9}",
            "a: \u{2019}",
            "a: b\r",
            "a:  b",
            "a: b ",
            "a: b,c",
            "a: [b#c]",
            "a: [b #c]",
            "a: x]",
            "a: x}",
            "a: 0x1",
            "a: 2026-01-01",
            "1: 2",
            "a.b_c-d: e",
            "word",
            "a: [\"b\"c]",
            "a: \"b\"c",
            "a:\u{a0}b",
        ];
        (0_usize..4, select(words)).prop_map(|(indent, line)| format!("{}{line}", "  ".repeat(indent)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn reads_what_the_library_reads(lines in prop::collection::vec(line(), 1..7), end in select(vec!["\n", "", "\n\n", "\n  "])) {
            let (quick, library) = both(&(lines.join("\n") + end));
            prop_assert!(quick.is_none() || quick == library, "{quick:?}\n{library:?}");
        }

        #[test]
        fn reads_what_the_library_reads_of_wounded_files(at in any::<prop::sample::Index>(), with in "[ -~\n\u{e9}]{0,2}", cut in 0_usize..3) {
            let text = FILE.replace("newal: it", "newal it");
            let at = at.index(text.len());
            let (head, tail) = (text.floor_char_boundary(at), text.ceil_char_boundary((at + cut).min(text.len())));
            let (quick, library) = both(&format!("{}{with}{}", &text[..head], &text[tail.max(head)..]));
            prop_assert!(quick.is_none() || quick == library, "{quick:?}\n{library:?}");
        }
    }
}
