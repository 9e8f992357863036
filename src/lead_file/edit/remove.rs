//! Taking an entry out of a lead: its key, its value, and the comments that belong to them.

use super::place::{self, pairs};
use crate::yaml::splice::Splice;
use crate::yaml::{NodeId, NodeKind, Written};

/// An entry of a node that is written as a mapping.
fn own(written: &Written<'_>, mapping: NodeId, name: &str) -> Option<(NodeId, NodeId)> {
    match written.tree.node(mapping).kind {
        NodeKind::Mapping { .. } => place::entry(written, mapping, name),
        NodeKind::Scalar(..) | NodeKind::Sequence(_) | NodeKind::Alias(_) => None,
    }
}

/// The splice that takes `group`, or `member` of it, out of a lead's own mapping.
pub(super) fn entry(
    written: &Written<'_>,
    lead: NodeId,
    group: &str,
    member: Option<&str>,
) -> Result<Splice, String> {
    let elsewhere =
        || format!("`{group}` is not written in the lead itself, so it cannot be taken out there");
    let (key, value) = own(written, lead, group).ok_or_else(elsewhere)?;
    let Some(member) = member else {
        return whole(written, lead, key, value);
    };
    let (inner_key, inner) = own(written, value, member).ok_or_else(elsewhere)?;
    if pairs(written, value).len() == 1 {
        return whole(written, lead, key, value);
    }
    whole(written, value, inner_key, inner)
}

fn whole(
    written: &Written<'_>,
    mapping: NodeId,
    key: NodeId,
    value: NodeId,
) -> Result<Splice, String> {
    let all = pairs(written, mapping);
    let at = all
        .iter()
        .position(|(other, _)| *other == key)
        .unwrap_or_default();
    let next = all.get(at + 1).map(|(key, _)| written.start(*key));
    let previous = at.checked_sub(1).map(|at| end(written, all[at]));
    let (start, end) = (written.start(key), end(written, (key, value)));
    if matches!(
        written.tree.node(mapping).kind,
        NodeKind::Mapping { flow: true, .. }
    ) {
        return Ok(match (next, previous) {
            (Some(next), _) => Splice::new(start..next, ""),
            (None, Some(previous)) => Splice::new(previous..end, ""),
            (None, None) => Splice::new(start..end, ""),
        });
    }
    let line = written.line_start(start);
    if !written.text[line..start].trim().is_empty() {
        // The key stands behind another one on its line.
        return match next {
            Some(next) => Ok(Splice::new(start..next, "")),
            None => Err("it stands on the line of another key".to_owned()),
        };
    }
    let from = previous.map_or(line, |previous| {
        above(written, previous, line, start - line)
    });
    let line_end = written.line_end(end);
    let to = written.text[line_end..]
        .find('\n')
        .map_or(written.text.len(), |at| line_end + at + 1);
    Ok(Splice::new(from..to, ""))
}

fn end(written: &Written<'_>, (key, value): (NodeId, NodeId)) -> usize {
    written.end(value).max(written.end(key))
}

/// Where the comments directly above a key begin, those in its column: they belong to it.
fn above(written: &Written<'_>, previous: usize, line: usize, column: usize) -> usize {
    let mut from = line;
    while from > 0 {
        let start = written.line_start(from - 1);
        let text = &written.text[start..from];
        let indent = text.len() - text.trim_start_matches(' ').len();
        if start <= previous || indent != column || !text.trim_start().starts_with('#') {
            break;
        }
        from = start;
    }
    from
}
