//! From the library's events to a tree, and the limits that keep a small file from becoming much work.

mod lines;
mod recover;
mod shape;
mod slips;

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, Tag};

use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::yaml::excerpt::quoted;
use crate::yaml::{Node, NodeId, NodeKind, Style, Tree};

/// The maximum nesting depth of collections.
const DEPTH: usize = 64;

/// Reads one document. Where the text is not one, says so in `out` and gives `None`; other mistakes (tags) leave a tree.
pub fn parse<'a>(source: &SourceFile<'a>, out: &mut Vec<Diagnostic>) -> Option<Tree<'a>> {
    read(source, out, &mut None)
}

/// The same, and what else is written: comments, anchors, tags, the marks of the document.
pub(crate) fn parse_all<'a>(
    source: &SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
) -> Option<(Tree<'a>, Marks)> {
    let mut marks = Some(Marks {
        tail: source.text.len() as u32,
        ..Marks::default()
    });
    let tree = read(source, out, &mut marks)?;
    Some((tree, marks.unwrap_or_default()))
}

/// What is written besides nodes.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// In the order of the text.
    pub(crate) comments: Vec<Span>,
    /// Where the first anchor or tag of a node begins.
    pub(crate) properties: HashMap<NodeId, u32>,
    /// After a written `---`, or 0.
    pub(crate) head: u32,
    /// At a written `...`, or the end of the text.
    pub(crate) tail: u32,
}

impl Marks {
    /// Notes what a tree has no place for; `last` is the node before.
    fn note(&mut self, event: &Event<'_>, span: &granit_parser::Span, last: NodeId) {
        let at = place(span);
        let mut property = |node, start| {
            let first = self.properties.entry(node).or_insert(start);
            *first = start.min(*first);
        };
        if let Some(tag) = span
            .tag_start()
            .and_then(|mark| mark.byte_offset())
            .filter(|_| event.is_node())
        {
            property(last.wrapping_add(1), tag as u32);
        }
        match event {
            Event::Anchor(..) => property(last, at.start),
            Event::Comment(..) => self.comments.push(at),
            Event::DocumentStart(true, _) => self.head = at.end,
            Event::DocumentEnd if at.end > at.start => self.tail = at.start,
            _ => {}
        }
    }
}

fn read<'a>(
    source: &SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
    marks: &mut Option<Marks>,
) -> Option<Tree<'a>> {
    let mut options = Options::default();
    options.set_emit_comments(marks.is_some());
    options.emit_anchor_events = marks.is_some();
    let mut builder = Builder::new(source, out);
    for event in Parser::new_from_str_with_options(source.text, options) {
        let step = match event {
            Ok((event, span)) => {
                if let Some(marks) = marks {
                    marks.note(
                        &event,
                        &span,
                        (builder.nodes.len() as NodeId).wrapping_sub(1),
                    );
                }
                builder.event(event, &span)
            }
            Err(error) => {
                builder.out.extend(recover::errors(source, &error));
                return None;
            }
        };
        if let Err(stop) = step {
            builder.out.push(*stop);
            return None;
        }
    }
    builder.finish()
}

/// What can be read of a text that is not YAML as a whole: spaces are in place of the blocks with errors. `None` where nothing is left.
pub(crate) fn readable_part(source: &SourceFile<'_>) -> Option<String> {
    let rest = recover::recover(source).rest;
    Some(rest).filter(|rest| rest != source.text && !rest.trim().is_empty())
}

fn too_deep(source: &SourceFile<'_>, at: Span) -> Diagnostic {
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

pub(crate) struct Builder<'s, 'a, 'o> {
    pub(crate) source: &'s SourceFile<'a>,
    out: &'o mut Vec<Diagnostic>,
    nodes: Vec<Node<'a>>,
    stack: Vec<Frame>,
    anchors: Vec<Option<Anchor>>,
    merges: Vec<(NodeId, NodeId)>,
    expanded: u64,
    /// The alias that brings most.
    widest: Option<(u64, Span)>,
    documents: usize,
}

impl<'s, 'a, 'o> Builder<'s, 'a, 'o> {
    pub(crate) fn new(source: &'s SourceFile<'a>, out: &'o mut Vec<Diagnostic>) -> Self {
        let nodes = Vec::with_capacity(source.text.len() / 32);
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

    fn event(
        &mut self,
        event: Event<'a>,
        span: &granit_parser::Span,
    ) -> Result<(), Box<Diagnostic>> {
        let at = place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = self.style(style, tag.as_deref(), at);
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

    pub(crate) fn push(&mut self, kind: NodeKind<'a>, span: Span) -> NodeId {
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
    pub(crate) fn grew(&mut self, size: u64) {
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

    pub(crate) fn open(
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

    pub(crate) fn close(&mut self, at: Span) {
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

    pub(crate) fn finish(self) -> Option<Tree<'a>> {
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

fn place(span: &granit_parser::Span) -> Span {
    Span {
        start: span.start.byte_offset().unwrap_or_default() as u32,
        end: span.end.byte_offset().unwrap_or_default() as u32,
        line: span.start.line() as u32,
        column: span.start.col() as u32 + 1,
    }
}
