//! YAML as a flat tree with places: the one reader of every file.
//!
//! Takes a `SourceFile`, and returns a [`Tree`] whose scalars borrow from the text and whose nodes know their bytes, line and
//! column, or reports why the text is not YAML. Whatever could make a small file into much work (aliases, depth, many documents)
//! ends here; behind it, walking a tree costs at most ten times what the file holds.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::yaml::diagnostic::Span;

/// A node's number in its tree. Nodes stand in the order of the text, children right after their parent.
pub type NodeId = u32;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// Without quotes, after `!!str`: text, whatever it looks like.
    PlainText,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind<'a> {
    /// Text, escapes and folding undone.
    Scalar(Cow<'a, str>, Style),
    /// A list; `true` where it is written `[…]`.
    Sequence(bool),
    /// Keys and values in turn; `flow` where it is written `{…}`, `merge` where one of the keys is `<<`.
    Mapping {
        /// Written `{…}`.
        flow: bool,
        /// Has a `<<`.
        merge: bool,
    },
    /// `*name`: the node that the anchor is on.
    Alias(NodeId),
}

/// A node and its place. An anchor or a tag before it is not part of its span.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// What it is.
    pub kind: NodeKind<'a>,
    /// Where it stands.
    pub span: Span,
    /// The node after its last descendant.
    pub(crate) next: NodeId,
}

/// A document. The root is node 0.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    /// Whether the text holds no document.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many nodes are written.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node as written: an alias is an alias.
    pub fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id as usize]
    }

    /// The node that `id` stands for: behind an alias, the anchored one.
    pub fn target(&self, id: NodeId) -> NodeId {
        match self.node(id).kind {
            NodeKind::Alias(target) => target,
            _ => id,
        }
    }

    /// What `id` stands for, behind an alias.
    pub fn kind(&self, id: NodeId) -> &NodeKind<'a> {
        &self.node(self.target(id)).kind
    }

    /// The place of `id` itself.
    pub fn span(&self, id: NodeId) -> Span {
        self.node(id).span
    }

    /// The nodes right below `id` as they are written; of a mapping, keys and values in turn, `<<` among them.
    pub fn children(&self, id: NodeId) -> Children<'_, 'a> {
        let id = self.target(id);
        Children {
            tree: self,
            at: id + 1,
            end: self.node(id).next,
        }
    }

    /// The keys and values of a mapping, `<<` followed: own keys first (all of them, repeated ones too), then those merged in.
    pub fn pairs(&self, id: NodeId) -> Pairs<'_, 'a> {
        match self.kind(id) {
            NodeKind::Mapping { merge: true, .. } => Pairs::Merged(self.merged(id).into_iter()),
            NodeKind::Mapping { .. } => Pairs::Written(self.children(id)),
            NodeKind::Scalar(..) | NodeKind::Sequence(_) | NodeKind::Alias(_) => {
                Pairs::Merged(Vec::new().into_iter())
            }
        }
    }

    fn merged(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let mut own = Vec::new();
        let mut below = Vec::new();
        let mut written = Pairs::Written(self.children(id));
        for (key, value) in written.by_ref() {
            if !self.is_merge(key) {
                own.push((key, value));
            } else if matches!(self.kind(value), NodeKind::Sequence(_)) {
                below.extend(self.children(value));
            } else {
                below.push(value);
            }
        }
        let text = |key| match self.kind(key) {
            NodeKind::Scalar(text, _) => text.as_ref(),
            _ => "",
        };
        let mut seen: HashSet<&str> = own.iter().map(|(key, _)| text(*key)).collect();
        for source in below {
            own.extend(
                self.pairs(source)
                    .filter(|(key, _)| seen.insert(text(*key))),
            );
        }
        own
    }

    fn is_merge(&self, key: NodeId) -> bool {
        matches!(&self.node(key).kind, NodeKind::Scalar(text, Style::Plain) if text == "<<")
    }
}

/// The nodes right below one.
#[derive(Debug)]
pub struct Children<'t, 'a> {
    tree: &'t Tree<'a>,
    at: NodeId,
    end: NodeId,
}

impl Iterator for Children<'_, '_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let at = self.at;
        if at >= self.end {
            return None;
        }
        self.at = self.tree.node(at).next;
        Some(at)
    }
}

/// The entries of a mapping.
#[derive(Debug)]
pub enum Pairs<'t, 'a> {
    /// As they stand.
    Written(Children<'t, 'a>),
    /// With what `<<` brings.
    Merged(std::vec::IntoIter<(NodeId, NodeId)>),
}

impl Iterator for Pairs<'_, '_> {
    type Item = (NodeId, NodeId);

    fn next(&mut self) -> Option<(NodeId, NodeId)> {
        match self {
            Self::Written(children) => Some((children.next()?, children.next()?)),
            Self::Merged(pairs) => pairs.next(),
        }
    }
}
