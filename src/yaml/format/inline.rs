//! What stands on the line of its key: scalars, aliases, and lists and mappings in brackets.

use crate::lead_file::emit::rank;
use crate::yaml::format::between::push_indent;
use crate::yaml::{Kind, NodeId, Style, Written};

/// A node without a block in it, laid out for a line that is indented by `indent`; `None` where it is written in an odd way.
pub(crate) fn inline(
    written: &Written<'_>,
    id: NodeId,
    indent: usize,
    is_lead: bool,
) -> Option<String> {
    let text = written.slice(id);
    if !text.contains('\n') {
        let is_scalar = !matches!(
            written.tree.node(id).kind,
            Kind::Sequence(true) | Kind::Mapping { flow: true, .. }
        );
        return if is_scalar {
            Some(text.to_owned())
        } else {
            brackets(written, id, is_lead).or_else(|| Some(text.to_owned()))
        };
    }
    match written.tree.node(id).kind {
        Kind::Scalar(_, Style::Plain | Style::PlainText | Style::Single | Style::Double) => {
            Some(folded(text, indent + 2))
        }
        Kind::Sequence(true) | Kind::Mapping { flow: true, .. } => {
            let line = &written.text[written.line_start(written.start(id))..];
            Some(shifted(
                text,
                line.len() - line.trim_start_matches(' ').len(),
                indent,
            ))
        }
        _ => None,
    }
}

/// A text over several lines, each but the first at a column; what is before it means nothing.
fn folded(text: &str, column: usize) -> String {
    let mut made = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            made.push('\n');
            if !line.trim().is_empty() {
                push_indent(&mut made, column);
            }
        }
        made.push_str(if number == 0 {
            line
        } else {
            line.trim_start_matches([' ', '\t'])
        });
    }
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
            push_indent(
                &mut made,
                (line.len() - words.len() + to).saturating_sub(from),
            );
            made.push_str(words);
        }
    }
    made
}

/// `[a, b]` and `{ key: value }`, evenly spaced.
fn brackets(written: &Written<'_>, id: NodeId, is_lead: bool) -> Option<String> {
    let tree = &written.tree;
    let (start, content, end) = (written.start(id), written.content(id), written.end(id));
    let properties = written.text[start..content].trim();
    let gap = if properties.is_empty() { "" } else { " " };
    let node = |id: NodeId| match tree.node(id).kind {
        Kind::Sequence(_) | Kind::Mapping { .. } => brackets(written, id, false),
        _ => Some(written.slice(id).to_owned()).filter(|text| !text.is_empty()),
    };
    // A pair in a list needs no brackets of its own: `[a: b]`.
    let open = written.text[content..]
        .chars()
        .next()
        .filter(|open| matches!(open, '[' | '{'))?;
    let children: Vec<NodeId> = tree.children(id).collect();
    let between = |from: NodeId, to: NodeId, sign: &str| {
        written
            .text
            .get(written.end(from)..written.start(to))
            .map(str::trim)
            == Some(sign)
    };
    let last = children
        .last()
        .map_or("", |last| written.text[written.end(*last)..end - 1].trim());
    if !matches!(last, "" | ",")
        || (children.is_empty() && !written.text[content + 1..end - 1].trim().is_empty())
    {
        return None;
    }
    let first = children
        .first()
        .map_or(content + 1, |first| written.start(*first));
    if !written.text[content + 1..first].trim().is_empty() {
        return None;
    }
    let inside = match (open, &tree.node(id).kind) {
        ('[', Kind::Sequence(_)) => {
            let even = children
                .windows(2)
                .all(|pair| between(pair[0], pair[1], ","));
            let items: Option<Vec<String>> = children.iter().map(|item| node(*item)).collect();
            format!("[{}]", items.filter(|_| even)?.join(", "))
        }
        ('{', Kind::Mapping { .. }) if children.is_empty() => "{}".to_owned(),
        ('{', Kind::Mapping { .. }) => {
            let mut entries = Vec::new();
            for pair in children.chunks_exact(2) {
                let (key, value) = (pair[0], pair[1]);
                let Kind::Scalar(name, _) = &tree.node(key).kind else {
                    return None;
                };
                if !between(key, value, ":") {
                    return None;
                }
                entries.push((
                    if is_lead { rank(name) } else { 0 },
                    format!("{}: {}", node(key)?, node(value)?),
                ));
            }
            if !children
                .windows(3)
                .step_by(2)
                .all(|three| between(three[1], three[2], ","))
            {
                return None;
            }
            entries.sort_by_key(|(rank, _)| *rank);
            format!(
                "{{ {} }}",
                entries
                    .into_iter()
                    .map(|(_, text)| text)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        _ => return None,
    };
    Some(format!("{properties}{gap}{inside}"))
}
