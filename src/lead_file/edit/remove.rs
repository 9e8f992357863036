//! Taking entries out of a lead: their keys, their values, and the comments that belong to them.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{self, pairs};
use crate::yaml::splice::Splice;
use crate::yaml::{NodeId, NodeKind, Written};

/// The keys of a lead to take out; of a group, these of its members, or all where none is named.
pub(super) type Gone = BTreeMap<&'static str, Vec<String>>;

/// An entry of a node that is written as a mapping.
fn own(written: &Written<'_>, mapping: NodeId, name: &str) -> Option<(NodeId, NodeId)> {
    match written.tree.node(mapping).kind {
        NodeKind::Mapping { .. } => place::entry(written, mapping, name),
        NodeKind::Scalar(..) | NodeKind::Sequence(_) | NodeKind::Alias(_) => None,
    }
}

/// The splices that take entries out of a lead's own mapping.
pub(super) fn entries(
    written: &Written<'_>,
    lead: NodeId,
    gone: &Gone,
) -> Result<Vec<Splice>, String> {
    let (mut splices, mut whole) = (Vec::new(), BTreeSet::new());
    for (group, members) in gone {
        let elsewhere = || {
            format!(
                "`{group}` comes to the lead by an alias or `<<`, and cannot be taken out there: write the lead's values out first"
            )
        };
        let (key, value) = own(written, lead, group).ok_or_else(elsewhere)?;
        let mut keys = BTreeSet::new();
        for member in members {
            keys.insert(own(written, value, member).ok_or_else(elsewhere)?.0);
        }
        if members.is_empty() || keys.len() == pairs(written, value).len() {
            whole.insert(key);
        } else {
            splices.extend(of_mapping(written, value, &keys)?);
        }
    }
    splices.extend(of_mapping(written, lead, &whole)?);
    Ok(splices)
}

/// The splices that take the entries with these keys out of a mapping.
fn of_mapping(
    written: &Written<'_>,
    mapping: NodeId,
    keys: &BTreeSet<NodeId>,
) -> Result<Vec<Splice>, String> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let all = pairs(written, mapping);
    if matches!(
        written.tree.node(mapping).kind,
        NodeKind::Mapping { flow: true, .. }
    ) {
        return Ok(of_flow(written, &all, keys));
    }
    let gone = (0..all.len()).filter(|at| keys.contains(&all[*at].0));
    gone.map(|at| of_block(written, &all, at)).collect()
}

/// Neighbours that go in one splice each, with the comma after them, or else before them.
fn of_flow(
    written: &Written<'_>,
    all: &[(NodeId, NodeId)],
    keys: &BTreeSet<NodeId>,
) -> Vec<Splice> {
    let runs = all.chunk_by(|one, other| keys.contains(&one.0) == keys.contains(&other.0));
    let (mut splices, mut at) = (Vec::new(), 0_usize);
    for run in runs {
        let previous = at.checked_sub(1).map(|at| end(written, all[at]));
        at += run.len();
        let next = all.get(at).map(|(key, _)| written.start(*key));
        if let [first, ..] = run
            && keys.contains(&first.0)
        {
            let (start, end) = (written.start(first.0), end(written, all[at - 1]));
            splices.push(match (next, previous) {
                (Some(next), _) => Splice::new(start..next, ""),
                (None, Some(previous)) => Splice::new(previous..end, ""),
                (None, None) => Splice::new(start..end, ""),
            });
        }
    }
    splices
}

fn of_block(written: &Written<'_>, all: &[(NodeId, NodeId)], at: usize) -> Result<Splice, String> {
    let (key, value) = all[at];
    let next = all.get(at + 1).map(|(key, _)| written.start(*key));
    let previous = at.checked_sub(1).map(|at| end(written, all[at]));
    let (start, end) = (written.start(key), end(written, (key, value)));
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
