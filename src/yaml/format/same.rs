//! Whether two documents say the same, whatever the order of a mapping's keys, and hold the same comments.

use std::collections::HashMap;

use crate::yaml::{NodeId, NodeKind, Style, Written};

/// Compares node by node; an alias must stand for the node that it stood for.
pub(crate) fn same(one: &Written<'_>, other: &Written<'_>) -> bool {
    let mut pairs = AliasPairs {
        one,
        other,
        met: HashMap::new(),
        aliases: Vec::new(),
    };
    pairs.equal(0, 0)
        && pairs
            .aliases
            .iter()
            .all(|(one, other)| pairs.met.get(one) == Some(other))
        && comments(one) == comments(other)
}

fn comments<'w>(written: &'w Written<'_>) -> Vec<&'w str> {
    let text = |span: &crate::yaml::diagnostic::Span| {
        written.text[span.start as usize..span.end as usize].trim_end()
    };
    let mut all: Vec<&str> = written.comments.iter().map(text).collect();
    all.sort_unstable();
    all
}

struct AliasPairs<'w, 'a> {
    one: &'w Written<'a>,
    other: &'w Written<'a>,
    met: HashMap<NodeId, NodeId>,
    aliases: Vec<(NodeId, NodeId)>,
}

impl AliasPairs<'_, '_> {
    fn equal(&mut self, one: NodeId, other: NodeId) -> bool {
        self.met.insert(one, other);
        let (first, second) = (&self.one.tree, &self.other.tree);
        match (&first.node(one).kind, &second.node(other).kind) {
            (NodeKind::Scalar(text, style), NodeKind::Scalar(other, its)) => {
                text == other && (style == its || (is_quoted(*style) && is_quoted(*its)))
            }
            (NodeKind::Alias(one), NodeKind::Alias(other)) => {
                self.aliases.push((*one, *other));
                true
            }
            (NodeKind::Sequence(_), NodeKind::Sequence(_)) => {
                let (ones, others): (Vec<_>, Vec<_>) = (
                    first.children(one).collect(),
                    second.children(other).collect(),
                );
                ones.len() == others.len()
                    && ones
                        .into_iter()
                        .zip(others)
                        .all(|(one, other)| self.equal(one, other))
            }
            (NodeKind::Mapping { .. }, NodeKind::Mapping { .. }) => {
                let (ones, others) = (sorted(self.one, one), sorted(self.other, other));
                ones.len() == others.len()
                    && ones.into_iter().zip(others).all(|(one, other)| {
                        self.equal(one.0, other.0) && self.equal(one.1, other.1)
                    })
            }
            _ => false,
        }
    }
}

fn is_quoted(style: Style) -> bool {
    match style {
        Style::Single | Style::Double => true,
        Style::Plain | Style::PlainText | Style::Literal | Style::Folded => false,
    }
}

/// The entries of a mapping in the order of their keys' values, whatever their quotes.
fn sorted(written: &Written<'_>, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let children: Vec<NodeId> = written.tree.children(mapping).collect();
    let mut pairs: Vec<(NodeId, NodeId)> = children
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let text = |key: NodeId| match written.tree.kind(key) {
        NodeKind::Scalar(text, _) => text.as_ref(),
        NodeKind::Sequence(_) | NodeKind::Mapping { .. } | NodeKind::Alias(_) => written.slice(key),
    };
    pairs.sort_by_key(|(key, _)| text(*key));
    pairs
}
