//! What is written besides nodes: comments, anchors, tags, the marks of the document.

use std::collections::HashMap;

use granit_parser::Event;

use super::builder::place;
use crate::yaml::NodeId;
use crate::yaml::diagnostic::Span;

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
    pub(super) fn note(&mut self, event: &Event<'_>, span: &granit_parser::Span, last: NodeId) {
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
