//! Builds a tree from the library's events, within limits on depth and aliases.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};

use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::yaml::excerpt::quoted;
use crate::yaml::{Node, NodeId, NodeKind, Style, Tree};

/// The maximum nesting depth of collections.
const DEPTH: usize = 64;

pub(super) fn too_deep(source: &SourceFile<'_>, at: Span) -> Diagnostic {
    let error = source.error(
        Code::TooDeep,
        at,
        format!("more than {DEPTH} collections inside one another"),
    );
    error.help("no field of these files is more than 6 deep; this is not what it was meant to be")
}

struct Frame {
    node: NodeId,
    /// Nodes in it, with every alias written out.
    size: u64,
    anchor: usize,
    key_next: bool,
}

struct Anchor {
    node: NodeId,
    size: Option<u64>,
}

pub(super) struct Builder<'s, 'a, 'o> {
    source: &'s SourceFile<'a>,
    pub(super) out: &'o mut Vec<Diagnostic>,
    pub(super) nodes: Vec<Node<'a>>,
    stack: Vec<Frame>,
    anchors: Vec<Option<Anchor>>,
    merges: Vec<(NodeId, NodeId)>,
    expanded: u64,
    /// The alias that brings most.
    widest: Option<(u64, Span)>,
    documents: usize,
}

impl<'s, 'a, 'o> Builder<'s, 'a, 'o> {
    pub(super) fn new(source: &'s SourceFile<'a>, out: &'o mut Vec<Diagnostic>) -> Self {
        let nodes = Vec::with_capacity(source.text.len() / 12);
        Self {
            source,
            out,
            nodes,
            stack: Vec::new(),
            anchors: Vec::new(),
            merges: Vec::new(),
            expanded: 0,
            widest: None,
            documents: 0,
        }
    }

    pub(super) fn event(
        &mut self,
        event: Event<'a>,
        span: &granit_parser::Span,
    ) -> Result<(), Box<Diagnostic>> {
        let at = place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = self.style(style, tag.as_deref(), at);
                let text = self.without_added_break(text, style, at);
                let id = self.push(NodeKind::Scalar(text, style), at);
                self.anchor(anchor, id, Some(1));
                if style == Style::Plain && self.is_key() && self.scalar(id) == "<<" {
                    self.note_merge(id);
                }
                self.grew(1);
            }
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::SequenceStart(style, anchor, tag) => {
                self.open(
                    NodeKind::Sequence(style == StructureStyle::Flow),
                    anchor,
                    tag.as_deref(),
                    at,
                )?;
            }
            Event::MappingStart(style, anchor, tag) => {
                let kind = NodeKind::Mapping {
                    flow: style == StructureStyle::Flow,
                    merge: false,
                };
                self.open(kind, anchor, tag.as_deref(), at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let error = self.source.error(
                        Code::SeveralDocuments,
                        at,
                        "a second document begins here",
                    );
                    return Err(Box::new(
                        error.help("keep one document in a file: remove the `---`, or move the rest to a file of its own"),
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A block scalar whose last line is the last of the file and has no line break: the reader adds one, and YAML has none.
    fn without_added_break(&self, text: Cow<'a, str>, style: Style, at: Span) -> Cow<'a, str> {
        match style {
            Style::Literal | Style::Folded => {}
            Style::Plain | Style::PlainText | Style::Single | Style::Double => return text,
        }
        let whole = self.source.text;
        let last = whole.rsplit('\n').next().unwrap_or_default();
        let is_cut = at.end as usize == whole.len() && !last.trim_matches([' ', '\r']).is_empty();
        match text.strip_suffix('\n') {
            Some(made) if is_cut => Cow::Owned(made.to_owned()),
            Some(_) | None => text,
        }
    }

    fn push(&mut self, kind: NodeKind<'a>, span: Span) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node {
            kind,
            span,
            next: id + 1,
        });
        id
    }

    fn is_key(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.key_next)
    }

    fn scalar(&self, id: NodeId) -> &str {
        match &self.nodes[id as usize].kind {
            NodeKind::Scalar(text, _) => text,
            _ => "",
        }
    }

    fn note_merge(&mut self, key: NodeId) {
        let Some(frame) = self.stack.last() else {
            return;
        };
        self.merges.push((frame.node, key));
        if let NodeKind::Mapping { merge, .. } = &mut self.nodes[frame.node as usize].kind {
            *merge = true;
        }
    }

    /// A node of `size` is complete; the next one is a key where this was a value, and the other way round.
    fn grew(&mut self, size: u64) {
        self.expanded = self.expanded.saturating_add(size);
        if let Some(frame) = self.stack.last_mut() {
            frame.size = frame.size.saturating_add(size);
            if matches!(
                self.nodes[frame.node as usize].kind,
                NodeKind::Mapping { .. }
            ) {
                frame.key_next = !frame.key_next;
            }
        }
    }

    fn anchor(&mut self, anchor: usize, node: NodeId, size: Option<u64>) {
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize_with(anchor + 1, || None);
            }
            self.anchors[anchor] = Some(Anchor { node, size });
        }
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Box<Diagnostic>> {
        let known = self
            .anchors
            .get(anchor)
            .and_then(Option::as_ref)
            .map(|anchor| (anchor.node, anchor.size));
        let Some((node, Some(size))) = known else {
            let error = self.source.error(
                Code::RecursiveAlias,
                at,
                "an alias inside of what it stands for",
            );
            return Err(Box::new(error.help(
                "write the value out; an alias can only stand for what is complete before it",
            )));
        };
        self.push(NodeKind::Alias(node), at);
        if self.widest.is_none_or(|(widest, _)| size > widest) {
            self.widest = Some((size, at));
        }
        self.grew(size);
        Ok(())
    }

    fn open(
        &mut self,
        kind: NodeKind<'a>,
        anchor: usize,
        tag: Option<&Tag>,
        at: Span,
    ) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() >= DEPTH {
            return Err(Box::new(too_deep(self.source, at)));
        }
        if let Some(tag) = tag {
            self.refuse(tag, at);
        }
        let key_next = matches!(kind, NodeKind::Mapping { .. });
        let node = self.push(kind, at);
        self.anchor(anchor, node, None);
        self.stack.push(Frame {
            node,
            size: 1,
            anchor,
            key_next,
        });
        Ok(())
    }

    fn close(&mut self, at: Span) {
        let Some(frame) = self.stack.pop() else {
            return;
        };
        let next = self.nodes.len() as NodeId;
        let node = &mut self.nodes[frame.node as usize];
        node.next = next;
        node.span.end = at.end.max(node.span.end);
        self.anchor(frame.anchor, frame.node, Some(frame.size));
        // Its inside has been counted already; only the collection itself is new to the whole.
        self.expanded = self.expanded.saturating_sub(frame.size - 1);
        self.grew(frame.size);
    }

    fn style(&mut self, style: ScalarStyle, tag: Option<&Tag>, at: Span) -> Style {
        let text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if let Some(tag) = tag.filter(|_| !text) {
            self.refuse(tag, at);
        }
        match style {
            ScalarStyle::Plain if text => Style::PlainText,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        }
    }

    fn refuse(&mut self, tag: &Tag, at: Span) {
        let error = self.source.error(
            Code::YamlTag,
            at,
            format!(
                "a YAML tag, {}, means nothing here",
                quoted(&tag.original())
            ),
        );
        self.out.push(
            error.help("remove the tag; text that looks like something else is written in quotes"),
        );
    }

    pub(super) fn finish(self) -> Option<Tree<'a>> {
        let budget = 10 * self.nodes.len() as u64 + 10_000;
        if let Some((_, at)) = self.widest.filter(|_| self.expanded > budget) {
            let error = self.source.error(
                Code::AliasBomb,
                at,
                "the aliases of this file stand for far more than it holds",
            );
            self.out.push(error.help("write the values out, or use `defaults`; aliases of aliases of aliases are not followed"));
            return None;
        }
        let tree = Tree { nodes: self.nodes };
        for (mapping, key) in self.merges {
            let value = tree.node(key).next;
            let good = |id| matches!(tree.kind(id), NodeKind::Mapping { .. });
            let fine = good(value)
                || (matches!(tree.kind(value), NodeKind::Sequence(_))
                    && tree.children(value).all(good));
            if !fine || tree.target(value) == mapping {
                let error = self.source.error(
                    Code::MergeKey,
                    tree.span(value),
                    "`<<` takes a mapping, or a list of mappings",
                );
                self.out
                    .push(error.help("write `<<: *name`, with `&name` on a mapping further up"));
            }
        }
        Some(tree)
    }
}

/// The library's span as one of ours.
pub(super) fn place(span: &granit_parser::Span) -> Span {
    Span {
        start: span.start.byte_offset().unwrap_or_default() as u32,
        end: span.end.byte_offset().unwrap_or_default() as u32,
        line: span.start.line() as u32,
        column: span.start.col() as u32 + 1,
    }
}
