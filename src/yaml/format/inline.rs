//! What is on the line of its key: scalars, aliases, and short lists in brackets.

use crate::yaml::format::lines::{WIDTH, columns};
use crate::yaml::{NodeId, NodeKind, Style, Written};

/// A scalar or alias as it is written, in double quotes where it has quotes and nothing in it speaks against them: prettier's choice.
pub(crate) fn requoted(written: &Written<'_>, id: NodeId) -> String {
    let text = written.slice(id);
    let NodeKind::Scalar(_, style @ (Style::Single | Style::Double)) = &written.tree.node(id).kind
    else {
        return text.to_owned();
    };
    let content = written.content(id);
    let properties = &written.text[written.start(id)..content];
    let end = written.end(id);
    let Some(raw) = written.text.get(content + 1..end.max(content + 2) - 1) else {
        return text.to_owned();
    };
    let is_single = *style == Style::Single;
    // `\"` is the only escape that single quotes do without.
    let escapes = raw.replace("\\\"", "").contains('\\');
    let (quote, raw) = match raw.contains('"') {
        _ if escapes => return text.to_owned(),
        true if is_single => return text.to_owned(),
        true => ('\'', raw.replace("\\\"", "\"").replace('\'', "''")),
        false if is_single => ('"', raw.replace("''", "'")),
        false => return text.to_owned(),
    };
    format!("{properties}{quote}{raw}{quote}")
}

/// A list of scalars on one line; an empty list or mapping; `None` for anything else, and where there are comments in it.
pub(crate) fn one_line(written: &Written<'_>, id: NodeId) -> Option<String> {
    let (content, end) = (written.content(id), written.end(id));
    if !written.comments_in(content, end).is_empty() {
        return None;
    }
    let kind = &written.tree.node(id).kind;
    let children: Vec<NodeId> = written.tree.children(id).collect();
    match kind {
        NodeKind::Mapping { .. } => children.is_empty().then(|| "{}".to_owned()),
        NodeKind::Sequence(_) => {
            let items: Option<Vec<String>> = children
                .into_iter()
                .map(|item| item_on_one_line(written, item))
                .collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        NodeKind::Scalar(..) | NodeKind::Alias(_) => None,
    }
}

fn item_on_one_line(written: &Written<'_>, item: NodeId) -> Option<String> {
    match written.tree.node(item).kind {
        NodeKind::Sequence(_) | NodeKind::Mapping { .. } => {
            let properties = written.text[written.start(item)..written.content(item)].trim();
            let gap = if properties.is_empty() { "" } else { " " };
            Some(format!("{properties}{gap}{}", one_line(written, item)?))
        }
        NodeKind::Scalar(..) | NodeKind::Alias(_) => {
            Some(requoted(written, item)).filter(|text| !text.is_empty() && !text.contains('\n'))
        }
    }
}

/// A scalar with line breaks in place of single spaces, so that no line is longer than others may be where that can be had: `taken` columns
/// of the first line are taken, and `indent` of each other. A reader takes such a line break as the space.
pub(crate) fn folded(text: &str, taken: usize, indent: usize) -> String {
    let mut made = String::with_capacity(text.len());
    let mut end = taken;
    let words = words(text);
    if words
        .first()
        .is_some_and(|word| taken + columns(word) > WIDTH)
    {
        return text.to_owned();
    }
    for (number, word) in words.into_iter().enumerate() {
        let width = columns(word);
        if number > 0 && end + 1 + width > WIDTH {
            made.push('\n');
            end = indent + width;
        } else if number > 0 {
            made.push(' ');
            end += 1 + width;
        } else {
            end += width;
        }
        made.push_str(word);
    }
    made
}

/// The parts of a scalar between which a line may end: at a single space, before a letter or digit, so that no reader takes what follows
/// for a comment, a key or an escape.
fn words(text: &str) -> Vec<&str> {
    let mut made = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        let before = text[..at].chars().next_back();
        let after = text[at + 1..].chars().next();
        let is_inner = before.is_some_and(|c| !matches!(c, ' ' | '\\' | '"' | '\'' | ':'))
            && after.is_some_and(char::is_alphanumeric);
        if is_inner {
            made.push(&text[start..at]);
            start = at + 1;
        }
    }
    made.push(&text[start..]);
    made
}

/// A text over several lines, all but the first moved from one column to another.
pub(crate) fn shifted(text: &str, from: usize, to: usize) -> String {
    let mut made = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number == 0 {
            made.push_str(line);
            continue;
        }
        made.push('\n');
        let words = line.trim_start_matches(' ');
        if !words.trim().is_empty() {
            made.extend(std::iter::repeat_n(
                ' ',
                (line.len() - words.len() + to).saturating_sub(from),
            ));
            made.push_str(words);
        }
    }
    made
}
