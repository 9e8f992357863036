//! Slips that make a text no YAML, by what people did rather than by what the parser met.

use crate::text::name_of;
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// The markers that git writes around the two sides of a conflict.
const MARKERS: [&str; 3] = ["<<<<<<< ", "=======", ">>>>>>> "];

/// One error for each conflict that is not resolved.
pub(super) fn merge_conflicts(source: &SourceFile<'_>) -> Vec<Diagnostic> {
    let mut made = Vec::new();
    let mut at = 0;
    for (number, line) in source.text.split('\n').enumerate() {
        if line.starts_with(MARKERS[0]) {
            let span = on_line(at, 0, line.len(), number as u32 + 1, line);
            let message = "a merge conflict is not resolved";
            let help = "keep one side, and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`";
            made.push(source.error(Code::MergeConflict, span, message).help(help));
        }
        at += line.len() + 1;
    }
    made
}

/// The slip on the line of a syntax error, or next to it, where it is a known one.
pub(super) fn known(source: &SourceFile<'_>, span: Span) -> Option<Diagnostic> {
    let mut starts = vec![0];
    starts.extend(source.text.match_indices('\n').map(|(at, _)| at + 1));
    let number = (span.line as usize).max(1) - 1;
    let line_of = |number: usize| {
        let start = *starts.get(number)?;
        let text = &source.text[start..];
        Some((
            number,
            start,
            text.split('\n')
                .next()
                .unwrap_or_default()
                .trim_end_matches('\r'),
        ))
    };
    // The parser reports a tab where the token before it ended.
    let near = [Some(number), Some(number + 1), number.checked_sub(1)];
    let lines = || near.into_iter().flatten().filter_map(line_of);
    for (number, start, line) in lines() {
        let blanks = line.len() - line.trim_start().len();
        let odd = line[..blanks].char_indices().find(|(_, c)| *c != ' ');
        if let Some((at, c)) = odd.filter(|_| blanks < line.len()) {
            let span = on_line(start, at, at + c.len_utf8(), number as u32 + 1, line);
            let message = format!("{} indents this line", name_of(c));
            let error = source.error(Code::YamlSyntax, span, message);
            return Some(error.help("indent with plain spaces: YAML takes nothing else there"));
        }
    }
    let (number, start, line) = line_of(number)?;
    let words = line.trim_start();
    let (key, value) = words.trim_start_matches("- ").split_once(": ")?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let is_text = !value.starts_with(['"', '\'', '[', '{', '&', '*', '|', '>', '!']);
    if !is_text || !(value.contains(": ") || value.ends_with(':')) {
        return None;
    }
    let column = line.len() - line.trim_start().len() + words.find(value)?;
    let span = on_line(start, column, column + value.len(), number as u32 + 1, line);
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

fn on_line(start: usize, from: usize, to: usize, number: u32, line: &str) -> Span {
    Span {
        start: (start + from) as u32,
        end: (start + to) as u32,
        line: number,
        column: line[..from].chars().count() as u32 + 1,
    }
}
