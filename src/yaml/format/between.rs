//! Between nodes: blank lines and comments, and the rest of a node's line.

use crate::yaml::Written;

/// A part that is written in a way that is left as it stands.
#[derive(Debug)]
pub(crate) struct Fallback;

/// The lines above a node.
#[derive(Debug, Default)]
pub(crate) struct Above {
    /// Whether the first of them is blank.
    pub(crate) blank: bool,
    /// Comments and single blank lines, laid out; the last of them may be blank.
    pub(crate) lines: String,
}

/// The lines after the line that `from` ends (or from the file's beginning) and before that of `to`.
pub(crate) fn above(text: &str, from: usize, to: usize, indent: usize) -> Result<Above, Fallback> {
    let mut lines: Vec<&str> = text.get(from..to).ok_or(Fallback)?.split('\n').collect();
    lines.pop();
    let skipped = usize::from(from > 0);
    if lines
        .iter()
        .take(skipped)
        .any(|rest| !rest.trim().is_empty())
    {
        return Err(Fallback);
    }
    let mut made = Above::default();
    let mut blank = false;
    for line in lines.iter().skip(skipped).map(|line| line.trim()) {
        if line.is_empty() {
            blank = true;
        } else if line.starts_with('#') {
            push_blank(&mut made, std::mem::take(&mut blank));
            push_line(&mut made.lines, indent, line);
        } else {
            return Err(Fallback);
        }
    }
    push_blank(&mut made, blank);
    Ok(made)
}

fn push_blank(above: &mut Above, blank: bool) {
    if blank && above.lines.is_empty() {
        above.blank = true;
    } else if blank {
        above.lines.push('\n');
    }
}

pub(crate) fn push_line(out: &mut String, indent: usize, line: &str) {
    push_indent(out, indent);
    out.push_str(line);
    out.push('\n');
}

pub(crate) fn push_indent(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Comments after the last entry of a collection that are indented as far as its entries: they are its own. Gives the end of the last.
pub(crate) fn below(
    text: &str,
    from: usize,
    limit: usize,
    column: usize,
    indent: usize,
    out: &mut String,
) -> usize {
    let (mut done, mut at, mut blank) = (from, from, false);
    for line in text.get(from..limit).unwrap_or_default().split('\n') {
        let end = at + line.len();
        let words = line.trim();
        if at > from && words.starts_with('#') && line.len() - line.trim_start().len() >= column {
            if std::mem::take(&mut blank) {
                out.push('\n');
            }
            push_line(out, indent, words);
            done = end;
        } else if !words.is_empty() {
            break;
        } else if at > from {
            blank = true;
        }
        at = end + 1;
    }
    done
}

/// The rest of a line: nothing, or a comment. Gives its end.
pub(crate) fn rest_of_line(
    written: &Written<'_>,
    at: usize,
    out: &mut String,
) -> Result<usize, Fallback> {
    let end = written.line_end(at);
    let rest = &written.text[at..end];
    let comment = rest.trim();
    if comment.starts_with('#') {
        let blanks = &rest[..rest.len() - rest.trim_start().len()];
        let blanks = if blanks.contains('\t') { "  " } else { blanks };
        out.push_str(blanks);
        out.push_str(comment);
    } else if !comment.is_empty() {
        return Err(Fallback);
    }
    out.push('\n');
    Ok(end)
}
