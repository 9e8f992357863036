//! Splices: stretches of a text and what is to stand in their place.

use std::ops::Range;

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
