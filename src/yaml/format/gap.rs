//! Between nodes: blank lines, comments and signs.

use crate::yaml::Written;
use crate::yaml::format::lines::{Beside, OutputLine};

/// A part that is written in a way that is left as it is.
#[derive(Debug)]
pub(crate) struct Fallback;

/// A line between two entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between<'a> {
    Blank,
    /// A comment, and its column from 0.
    Comment(&'a str, usize),
}

/// The lines after that of `from` (or from the beginning of the file) and before `to`; what is there besides comments may only be `signs`.
pub(crate) fn between<'a>(
    written: &Written<'a>,
    from: usize,
    to: usize,
    signs: &[char],
) -> Result<Vec<Between<'a>>, Fallback> {
    let text = written.text.get(from..to).ok_or(Fallback)?;
    let mut made = Vec::new();
    let mut at = from;
    let total = text.matches('\n').count();
    for (number, line) in text.split('\n').enumerate() {
        let end = at + line.len();
        let comment = written.comments_in(at, end.max(at + 1)).first();
        let start = comment
            .map_or(end, |comment| comment.start as usize)
            .min(end);
        let before = &written.text[at..start];
        if !before
            .chars()
            .all(|c| c.is_whitespace() || signs.contains(&c))
        {
            return Err(Fallback);
        }
        match comment {
            Some(_) if start < end => made.push(Between::Comment(
                written.text[start..end].trim_end(),
                column(written, start),
            )),
            // The ends of the stretch are parts of lines.
            _ if before.trim().is_empty() && number > 0 && number < total => {
                made.push(Between::Blank);
            }
            _ if from == 0 && number == 0 && total > 0 => made.push(Between::Blank),
            _ => {}
        }
        at = end + 1;
    }
    Ok(made)
}

/// The column of a byte, from 0, in characters.
pub(crate) fn column(written: &Written<'_>, at: usize) -> usize {
    written.text[written.line_start(at)..at].chars().count()
}

/// Comments and blank lines at an indentation: single blank lines, and none at the beginning; whether there was one at the beginning.
pub(crate) fn laid_out(between: &[Between<'_>], indent: usize) -> (bool, Vec<OutputLine>) {
    let mut made: Vec<OutputLine> = Vec::new();
    let (mut first, mut blank) = (false, false);
    for line in between {
        match line {
            Between::Blank => blank = true,
            Between::Comment(text, _) => {
                if std::mem::take(&mut blank) {
                    if made.is_empty() {
                        first = true;
                    } else {
                        made.push(OutputLine::blank());
                    }
                }
                made.push(OutputLine::new(indent, *text));
            }
        }
    }
    if blank && made.is_empty() {
        first = true;
    } else if blank {
        made.push(OutputLine::blank());
    }
    (first, made)
}

/// The comments after the last entry of a block that are indented as far as its entries, and the end of the last of them.
pub(crate) fn below(
    written: &Written<'_>,
    from: usize,
    limit: usize,
    column: usize,
    indent: usize,
) -> (Vec<OutputLine>, usize) {
    let (mut made, mut done, mut at, mut blank) = (Vec::new(), from, from, false);
    for line in written
        .text
        .get(from..limit)
        .unwrap_or_default()
        .split('\n')
    {
        let end = at + line.len();
        let words = line.trim();
        if at > from && words.starts_with('#') && line.len() - line.trim_start().len() >= column {
            if std::mem::take(&mut blank) {
                made.push(OutputLine::blank());
            }
            made.push(OutputLine::new(indent, words));
            done = end;
        } else if !words.is_empty() {
            break;
        } else if at > from {
            blank = true;
        }
        at = end + 1;
    }
    (made, done)
}

/// The rest of a line: a comment or nothing, after a comma where `flow`. Gives its end; in brackets more may follow on the line.
pub(crate) fn rest(
    written: &Written<'_>,
    at: usize,
    flow: bool,
) -> Result<(Option<Beside>, usize), Fallback> {
    let end = written.line_end(at);
    let line = &written.text[at..end];
    let mut words = line.trim_start();
    if flow {
        words = words.strip_prefix(',').unwrap_or(words).trim_start();
    }
    let start = end - words.len();
    if words.starts_with('#') {
        let beside = Beside {
            text: words.trim_end().to_owned(),
            column: column(written, start),
            gap: start - written.text[..start].trim_end_matches([' ', '\t']).len(),
        };
        return Ok((Some(beside), end));
    }
    if words.trim().is_empty() {
        return Ok((None, end));
    }
    if flow {
        Ok((None, start))
    } else {
        Err(Fallback)
    }
}
