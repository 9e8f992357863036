//! Slips that make a text no YAML, by what people did rather than by what the parser met.

use std::ops::Range;

use super::lines::{Lines, without_comment};
use super::recover::blank;
use crate::text::{is_unusual_space, name_of, visible};
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// The marker that git writes before the first side of a conflict.
const CONFLICT: &str = "<<<<<<< ";

/// One error for each conflict that is not resolved.
pub(super) fn conflicts(source: &SourceFile<'_>) -> Vec<Diagnostic> {
    let lines = Lines::new(source.text);
    let marked = (0..lines.len()).filter(|number| lines.line(*number).starts_with(CONFLICT));
    let error = |number| {
        let span = lines.span(number, 0..lines.line(number).len());
        let message = "a merge conflict is not resolved";
        let help = "keep one side, and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`";
        source.error(Code::MergeConflict, span, message).help(help)
    };
    marked.map(error).collect()
}

/// The text with the first side of each conflict alone; spaces are in place of all else.
pub(super) fn without_conflicts(text: &str) -> String {
    let lines = Lines::new(text);
    let mut made = text.to_owned();
    let mut side = ConflictSide::None;
    for number in 0..lines.len() {
        let line = lines.line(number);
        let (after, is_kept) = match side {
            ConflictSide::None if line.starts_with(CONFLICT) => (ConflictSide::First, false),
            ConflictSide::First if line == "=======" || line.starts_with("||||||| ") => {
                (ConflictSide::Other, false)
            }
            ConflictSide::Other if line.starts_with(">>>>>>> ") => (ConflictSide::None, false),
            ConflictSide::None | ConflictSide::First => (side, true),
            ConflictSide::Other => (side, false),
        };
        side = after;
        if !is_kept {
            blank(&mut made, lines.bytes(number..number + 1));
        }
    }
    made
}

#[derive(Clone, Copy)]
enum ConflictSide {
    None,
    First,
    Other,
}

/// The slip on the line of a syntax error, or next to it, where it is a known one: the same in all lines of the block.
pub(super) fn known(
    source: &SourceFile<'_>,
    lines: &Lines<'_>,
    at: Span,
    block: &Range<usize>,
) -> Vec<Diagnostic> {
    let number = (at.line as usize).max(1) - 1;
    // The parser reports a tab where the token before it ended.
    let near = [Some(number), Some(number + 1), number.checked_sub(1)];
    let near: Vec<usize> = near
        .into_iter()
        .flatten()
        .filter(|number| block.contains(number))
        .collect();
    if let Some(odd) = near
        .iter()
        .find_map(|number| odd_indentation(lines, *number))
    {
        let all = block.clone().filter(|number| {
            let other = odd_indentation(lines, *number);
            other.is_some_and(|other| other == odd)
        });
        return all
            .map(|number| indented(source, lines, number, &odd))
            .collect();
    }
    let mut unquoted = [Some(number), number.checked_sub(1)].into_iter().flatten();
    let slip = unquoted_colon(source, lines, number)
        .or_else(|| unquoted.find_map(|number| without_space(source, lines, number)));
    slip.into_iter().collect()
}

/// What comes before the first character of an indentation that YAML does not take, and that character.
fn odd_indentation<'l>(lines: &Lines<'l>, number: usize) -> Option<(&'l str, char)> {
    let line = lines.line(number);
    let blanks = &line[..line.len() - line.trim_start().len()];
    let at = blanks
        .find(|c| c != ' ')
        .filter(|_| blanks.len() < line.len())?;
    blanks[at..].chars().next().map(|c| (&line[..at], c))
}

fn indented(
    source: &SourceFile<'_>,
    lines: &Lines<'_>,
    number: usize,
    (before, c): &(&str, char),
) -> Diagnostic {
    let span = lines.span(number, before.len()..before.len() + c.len_utf8());
    let message = format!("{} indents this line", name_of(*c));
    let error = source.error(Code::YamlSyntax, span, message);
    error.help("indent with plain spaces: YAML takes nothing else there")
}

fn unquoted_colon(source: &SourceFile<'_>, lines: &Lines<'_>, number: usize) -> Option<Diagnostic> {
    let line = lines.line(number);
    let words = line.trim_start();
    let (key, value) = words.trim_start_matches("- ").split_once(": ")?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let is_text = !value.starts_with(['"', '\'', '[', '{', '&', '*', '|', '>', '!']);
    if !is_text || !(value.contains(": ") || value.ends_with(':')) {
        return None;
    }
    let column = line.len() - words.len() + words.find(value)?;
    let span = lines.span(number, column..column + value.len());
    let error = source.error(
        Code::YamlSyntax,
        span,
        "a text with a colon is not in quotes",
    );
    let plain = value.trim_matches(['“', '”', '„', '‘', '’']);
    let help = format!("write it in quotes: `{key}: \"{plain}\"`");
    let is_curly = plain.len() < value.len();
    Some(error.help(if is_curly {
        help + "; curly quotes do not quote"
    } else {
        help
    }))
}

/// A key or a dash that its value follows at once, or after something that only looks like a space.
fn without_space(source: &SourceFile<'_>, lines: &Lines<'_>, number: usize) -> Option<Diagnostic> {
    let line = lines.line(number);
    let words = without_comment(line);
    let column = line.find(words)?;
    let (sign, at) = match words.strip_prefix('-') {
        Some(rest) if rest.starts_with(is_unusual_space) => ("dash", 0),
        Some(_) => return None,
        None => ("colon", words.find(':')?),
    };
    let key = &words[..at];
    let rest = &words[at + 1..];
    let value = rest.trim();
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_other =
        rest.starts_with([' ', '/', ':']) || words.contains(": ") || value.ends_with(':');
    if !is_plain || is_other || value.is_empty() {
        return None;
    }
    let odd = rest.chars().next().filter(|c| is_unusual_space(*c));
    let message = match odd {
        Some(c) => format!("{} follows the {sign}, and not a space", name_of(c)),
        None => format!("no space follows the {sign}"),
    };
    let from = column + at;
    let end = from + 1 + odd.map_or(0, char::len_utf8);
    let span = lines.span(number, from..end);
    let help = format!("write `{key}{} {}`", &words[at..=at], visible(value));
    Some(source.error(Code::YamlSyntax, span, message).help(help))
}
