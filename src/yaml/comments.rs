//! Comments and what they belong to: whether an edit kept each where it belongs.
//!
//! A comment beside a value belongs to what is on its line, any other to what is on the next line. Entries are known by their keys,
//! items of lists by their values, so that a comment may stay beside a key whose value changed, but not beside another item.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::yaml::{NodeId, NodeKind, Written};

/// Entries and items by what they are: hashes of their paths.
#[derive(Default)]
struct Owners {
    all: HashSet<u64>,
    /// Those that begin or end on a line, by the line's first byte.
    by_line: BTreeMap<usize, Vec<u64>>,
}

/// A comment and what it belongs to.
struct Owned {
    is_beside: bool,
    owners: Vec<u64>,
}

/// Whether each comment that was lost belonged to something lost, and each other still belongs to what it belonged to.
pub(crate) fn are_kept(before: &Written<'_>, after: &Written<'_>) -> bool {
    if before.comments.is_empty() && after.comments.is_empty() {
        return true;
    }
    let (owners, owners_after) = (Owners::new(before), Owners::new(after));
    let mut left = owned(after, &owners_after);
    for (text, comments) in owned(before, &owners) {
        let candidates = left.remove(text).unwrap_or_default();
        if !are_alike(comments, candidates, &owners_after) {
            return false;
        }
    }
    left.is_empty()
}

/// The same for comments of one text. Those that belong to the same are paired first, then those that must be there: many leads may have one
/// remark.
fn are_alike(comments: Vec<Owned>, mut candidates: Vec<Owned>, after: &Owners) -> bool {
    let mut take = |comment: &Owned, fits: fn(&Owned, &Owned) -> bool| {
        let at = candidates.iter().position(|other| fits(comment, other));
        at.map(|at| drop(candidates.swap_remove(at))).is_some()
    };
    let mut moved = comments;
    moved.retain(|comment| !take(comment, shares_owner));
    let (mut kept, lost): (Vec<Owned>, Vec<Owned>) = moved
        .into_iter()
        .partition(|comment| comment.owners.iter().all(|id| after.all.contains(id)));
    kept.retain(|comment| !take(comment, may_move));
    for comment in &lost {
        take(comment, may_move);
    }
    kept.is_empty() && candidates.is_empty()
}

fn shares_owner(one: &Owned, other: &Owned) -> bool {
    one.owners.iter().any(|id| other.owners.contains(id))
}

/// Whether a comment may belong to something else now: one on a line of its own, for lines are only added or removed around it.
fn may_move(one: &Owned, other: &Owned) -> bool {
    !(one.is_beside && other.is_beside)
}

fn owned<'a>(written: &Written<'a>, owners: &Owners) -> BTreeMap<&'a str, Vec<Owned>> {
    let mut made: BTreeMap<&str, Vec<Owned>> = BTreeMap::new();
    for comment in &written.comments {
        let (start, end) = (comment.start as usize, comment.end as usize);
        let line = written.line_start(start);
        let on_line = owners.by_line.get(&line).cloned().unwrap_or_default();
        let is_beside = !written.text[line..start].trim().is_empty() && !on_line.is_empty();
        let next = owners.by_line.range(start..).next();
        let next = next.map(|(_, ids)| ids.clone()).unwrap_or_default();
        let owners = if is_beside { on_line } else { next };
        let text = written.text[start..end].trim_end();
        made.entry(text)
            .or_default()
            .push(Owned { is_beside, owners });
    }
    made
}

impl Owners {
    fn new(written: &Written<'_>) -> Self {
        let mut made = Self::default();
        let mut paths: HashMap<NodeId, u64> = HashMap::new();
        for id in 0..written.tree.len() as NodeId {
            let path = paths.get(&id).copied().unwrap_or_default();
            match written.tree.node(id).kind {
                NodeKind::Sequence(_) => {
                    for item in written.tree.children(id) {
                        let child = hash(path, &values(written, item));
                        paths.insert(item, child);
                        made.note(written, item, item, child);
                    }
                }
                NodeKind::Mapping { .. } => {
                    let children: Vec<NodeId> = written.tree.children(id).collect();
                    for pair in children.chunks_exact(2) {
                        let child = hash(path, &values(written, pair[0]));
                        paths.insert(pair[1], child);
                        made.note(written, pair[0], pair[1], child);
                    }
                }
                NodeKind::Scalar(..) | NodeKind::Alias(_) => {}
            }
        }
        made
    }

    fn note(&mut self, written: &Written<'_>, first: NodeId, value: NodeId, id: u64) {
        self.all.insert(id);
        let start = written.line_start(written.start(first));
        self.by_line.entry(start).or_default().push(id);
        let is_block = matches!(
            written.tree.node(value).kind,
            NodeKind::Sequence(false) | NodeKind::Mapping { flow: false, .. }
        );
        let end = written.line_start(written.end(value));
        if !is_block && end > start {
            self.by_line.entry(end).or_default().push(id);
        }
    }
}

/// The scalars of a node, in order.
fn values(written: &Written<'_>, id: NodeId) -> Vec<String> {
    let tree = &written.tree;
    let id = tree.target(id);
    let after = tree.node(id).next;
    let text = |id| match tree.kind(id) {
        NodeKind::Scalar(text, _) => Some(text.trim().to_owned()),
        NodeKind::Sequence(_) | NodeKind::Mapping { .. } | NodeKind::Alias(_) => None,
    };
    (id..after).filter_map(text).collect()
}

fn hash(path: u64, values: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (path, values).hash(&mut hasher);
    hasher.finish()
}
