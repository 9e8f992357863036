//! Entries that are laid out, and how they are put together.

use crate::yaml::format::gap::Between;
use crate::yaml::format::lines::OutputLine;
use crate::yaml::format::rules::LayoutRules;

/// An entry, laid out.
pub(super) struct MappingEntry<'w> {
    pub(super) rank: usize,
    pub(super) name: &'w str,
    /// Whether a blank line was above it.
    pub(super) blank: bool,
    pub(super) above: Vec<OutputLine>,
    pub(super) lines: Vec<OutputLine>,
    /// A blank line after it would be a part of its value.
    pub(super) keeps: bool,
}

/// Puts the lines of a value below its line; behind a dash, the first of them goes on its line.
pub(super) fn push_below(
    mut line: OutputLine,
    mut lines: Vec<OutputLine>,
    out: &mut Vec<OutputLine>,
) {
    let first = lines
        .iter()
        .position(|line| !line.is_comment() && !line.text.is_empty());
    match first {
        Some(first) if line.text == "-" && line.beside.is_none() => {
            out.extend(lines.drain(..first).map(|above| OutputLine {
                indent: line.indent,
                ..above
            }));
            let joined = &mut lines[0];
            joined.indent = line.indent;
            joined.text.insert_str(0, "- ");
        }
        Some(_) | None => out.push(std::mem::take(&mut line)),
    }
    out.extend(lines);
}

/// Moves a commented-out value of the entry before (`# tags: [vip]` below `tags: []`) to it: with the next key it would mean nothing.
pub(super) fn take_commented_out(
    gap: &mut Vec<Between<'_>>,
    before: &mut MappingEntry<'_>,
    indent: usize,
) {
    let words = |line: &Between<'_>| match line {
        Between::Comment(text, _) => Some(text.trim_start_matches('#').to_owned()),
        Between::Blank => None,
    };
    let is_its_own = |text: &String| {
        let rest = text.trim_start().strip_prefix(before.name);
        !before.name.is_empty() && rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let Some(first) = gap.first().and_then(words).filter(is_its_own) else {
        return;
    };
    let nested =
        |text: &String| blanks(text) > blanks(&first) || text.trim_start().starts_with("- ");
    let more = gap[1..]
        .iter()
        .take_while(|line| words(line).as_ref().is_some_and(nested))
        .count();
    for line in gap.drain(..=more) {
        if let Between::Comment(text, _) = line {
            before.lines.push(OutputLine::new(indent, text));
        }
    }
}

/// Entries with their blank lines: one between long entries where the rules say so, elsewhere as they are, one at a time.
pub(super) fn push_entries(
    entries: Vec<MappingEntry<'_>>,
    rules: &LayoutRules,
    out: &mut Vec<OutputLine>,
) {
    let mut before: Option<(bool, bool)> = None;
    for entry in entries {
        let is_long = entry.lines.len() > 1;
        if let Some((keeps, was_long)) = before
            && !keeps
            && (entry.blank || (rules.separated && (is_long || was_long)))
        {
            out.push(OutputLine::blank());
        }
        before = Some((entry.keeps, is_long));
        out.extend(entry.above);
        out.extend(entry.lines);
    }
}

pub(super) fn blanks(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
