//! A text by lines, for those who look at what the parser could not read.

use std::ops::Range;

use crate::yaml::diagnostic::Span;

/// The lines of a text, counted from 0.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { text, starts }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn start(&self, number: usize) -> usize {
        self.starts.get(number).map_or(self.text.len(), |at| *at)
    }

    /// The bytes of some lines, the last line break included.
    pub(super) fn bytes(&self, lines: Range<usize>) -> Range<usize> {
        self.start(lines.start)..self.start(lines.end)
    }

    /// A line without its line break.
    pub(super) fn line(&self, number: usize) -> &'a str {
        self.text[self.bytes(number..number + 1)].trim_end_matches(['\n', '\r'])
    }

    /// The place of a byte.
    pub(super) fn place(&self, at: usize) -> Span {
        let number = self.starts.partition_point(|start| *start <= at) - 1;
        let start = self.start(number);
        let line = self.line(number);
        let column = at.saturating_sub(start).min(line.len());
        let column = line.floor_char_boundary(column);
        self.span(number, column..column + 1)
    }

    /// A stretch of a line, in bytes.
    pub(super) fn span(&self, number: usize, part: Range<usize>) -> Span {
        let start = self.start(number);
        let before = &self.line(number)[..part.start];
        Span {
            start: (start + part.start) as u32,
            end: (start + part.end) as u32,
            line: number as u32 + 1,
            column: before.chars().count() as u32 + 1,
        }
    }

    /// The spaces that a line begins with.
    pub(super) fn indent(&self, number: usize) -> usize {
        let line = self.line(number);
        line.len() - line.trim_start_matches(' ').len()
    }

    pub(super) fn has_content(&self, number: usize) -> bool {
        let words = self.line(number).trim_start();
        !words.is_empty() && !words.starts_with('#') && words != "---"
    }

    /// Whether a line begins with a key.
    pub(super) fn is_key(&self, number: usize) -> bool {
        let words = without_comment(self.line(number));
        let is_even = self.line(number)[self.indent(number)..].starts_with(words);
        let is_key = !words.starts_with(['#', '-', '?', ':', '[']);
        is_even && is_key && (words.ends_with(':') || words.contains(": "))
    }

    /// Whether a line is a key without a value, but for an anchor or a tag.
    pub(super) fn is_key_alone(&self, number: usize) -> bool {
        let words = without_comment(self.line(number));
        let value = words.rsplit_once(": ").map(|(_, value)| value);
        let is_property = |word: &str| word.starts_with(['&', '!']);
        self.is_key(number)
            && (words.ends_with(':')
                || value.is_some_and(|value| value.split_whitespace().all(is_property)))
    }
}

/// A line without its indentation, and without the comment at its end.
pub(super) fn without_comment(line: &str) -> &str {
    let end = line.find(" #").unwrap_or(line.len());
    line[..end].trim()
}
