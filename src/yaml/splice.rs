//! Splices: stretches of a text and what is to stand in their place.

use std::ops::Range;

use crate::yaml::Written;

/// A stretch and its new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// The bytes that go.
    pub(crate) range: Range<usize>,
    /// What comes.
    pub(crate) text: String,
}

impl Splice {
    pub(crate) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }

    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at..at, text)
    }
}

/// Splices that keep comments in their column: those beside the edited lines that are aligned with one above or below.
pub(crate) fn keep_columns(written: &Written<'_>, splices: &[Splice]) -> Vec<Splice> {
    let text = written.text;
    let mut made = Vec::new();
    for splice in splices.iter().filter(|splice| !splice.text.contains('\n')) {
        let end = written.line_end(splice.range.end);
        let [comment, ..] = written.comments_in(splice.range.end, end) else {
            continue;
        };
        let start = comment.start as usize;
        let gap = text[splice.range.end..start].trim_end_matches(' ').len() + splice.range.end;
        let line = written.line_start(splice.range.start);
        if gap == start || line != written.line_start(start) || !is_aligned(written, line, start) {
            continue;
        }
        let on_line = |other: &&Splice| other.range.start >= line && other.range.end <= gap;
        let change: isize = splices
            .iter()
            .filter(on_line)
            .map(|other| width(&other.text) - width(&text[other.range.clone()]))
            .sum();
        let columns = (width(&text[gap..start]) - change).max(1);
        let columns = usize::try_from(columns).unwrap_or(1);
        let kept = Splice::new(gap..start, " ".repeat(columns));
        if !made.contains(&kept) {
            made.push(kept);
        }
    }
    made
}

fn width(text: &str) -> isize {
    isize::try_from(text.chars().count()).unwrap_or_default()
}

/// Lines without a comment that may be between two that are aligned.
const BETWEEN: usize = 8;

/// Whether the comment at `start` is in the column of the next one above or below, before a blank line.
fn is_aligned(written: &Written<'_>, line: usize, start: usize) -> bool {
    let column = |line: usize, at: usize| written.text[line..at].chars().count();
    let own = column(line, start);
    // The column of the comment on a line, and nothing where the line has no comment; `None` ends the search.
    let beside = |line: usize| {
        let end = written.line_end(line);
        let comment = written.comments_in(line, end).first();
        let at = comment.map_or(end, |comment| comment.start as usize);
        let is_beside = !written.text[line..at].trim().is_empty();
        is_beside.then(|| comment.map(|_| column(line, at)))
    };
    let above = std::iter::successors(Some(line), |line| {
        (*line > 0).then(|| written.line_start(*line - 1))
    });
    let below = std::iter::successors(Some(line), |line| {
        let end = written.line_end(*line);
        let next = end + written.text[end..].find('\n')? + 1;
        (next < written.text.len()).then_some(next)
    });
    let is_like = |lines: &mut dyn Iterator<Item = usize>| {
        let next = lines.skip(1).take(BETWEEN).map_while(beside);
        next.flatten().next() == Some(own)
    };
    is_like(&mut above.into_iter()) || is_like(&mut below.into_iter())
}

/// The text with its splices. Where two would take the same bytes, the later one is left out.
pub(crate) fn into(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut made = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for Splice { range, text: new } in splices {
        if range.start >= at {
            made.push_str(&text[at..range.start]);
            made.push_str(&new);
            at = range.end;
        }
    }
    made.push_str(&text[at..]);
    made
}
