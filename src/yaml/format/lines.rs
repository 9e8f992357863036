//! Lines that are laid out, and the columns of the comments beside them.

/// The longest line that is written, in columns.
pub(crate) const WIDTH: usize = 80;

/// A comment on the line of what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) text: String,
    /// Its column before, from 0, in characters.
    pub(crate) column: usize,
    /// The blanks before it.
    pub(crate) gap: usize,
}

/// More blanks than this before a comment are there to align it with another.
const PLAIN_GAP: usize = 2;

/// A line without its line break; an empty one has no indentation either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OutputLine {
    pub(crate) indent: usize,
    pub(crate) text: String,
    pub(crate) beside: Option<Beside>,
}

impl OutputLine {
    pub(crate) fn new(indent: usize, text: impl Into<String>) -> Self {
        Self {
            indent,
            text: text.into(),
            beside: None,
        }
    }

    pub(crate) fn blank() -> Self {
        Self::default()
    }

    pub(crate) fn is_comment(&self) -> bool {
        self.text.starts_with('#')
    }

    /// The column after its text.
    fn end(&self) -> usize {
        self.indent + self.text.chars().count()
    }
}

/// Columns that a text takes at most: a character outside of ASCII may take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// The text of all lines.
///
/// Comments beside lines that follow one another and that were aligned in one column keep that column, or share the next that fits. Any
/// other comment is one space away.
pub(crate) fn print(lines: &[OutputLine]) -> String {
    let mut made = String::new();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let column = first.beside.as_ref().map(|beside| beside.column);
        let group = rest
            .iter()
            .take_while(|line| line.beside.as_ref().map(|beside| beside.column) == column)
            .count();
        let (group, after) = rest.split_at(group);
        let end = group.iter().map(OutputLine::end).max().unwrap_or_default();
        let aligned = column
            .map(|column| if column > end { column } else { end + 1 })
            .filter(|column| is_aligned(group, *column));
        group.iter().for_each(|line| push(&mut made, line, aligned));
        rest = after;
    }
    made
}

/// Whether comments were aligned by more blanks than one writes by habit, and are so in this column too.
fn is_aligned(group: &[OutputLine], column: usize) -> bool {
    let mut before = group.iter().filter_map(|line| line.beside.as_ref());
    group.len() > 1
        && before.any(|beside| beside.gap > PLAIN_GAP)
        && group.iter().any(|line| column - line.end() > PLAIN_GAP)
}

fn push(made: &mut String, line: &OutputLine, column: Option<usize>) {
    if !line.text.is_empty() {
        made.extend(std::iter::repeat_n(' ', line.indent));
        made.push_str(&line.text);
    }
    if let Some(beside) = &line.beside {
        let gap = column.map_or(1, |column| column.saturating_sub(line.end()).max(1));
        made.extend(std::iter::repeat_n(' ', gap));
        made.push_str(&beside.text);
    }
    made.push('\n');
}
