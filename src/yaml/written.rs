//! A tree beside its text: where each node begins and ends as written, and the comments between them.
//!
//! What a reader of values has no use for and a writer of files cannot do without. A block's own end is that of what is last in
//! it, without the blank lines and comments that follow.

use std::collections::HashMap;

use crate::yaml::diagnostic::{Diagnostic, SourceFile, Span};
use crate::yaml::parse::parse_all;
use crate::yaml::{NodeId, NodeKind, Style, Tree};

/// A document as it is written.
#[derive(Debug)]
pub struct Written<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Its nodes.
    pub tree: Tree<'a>,
    /// Its comments in order, each from its `#` to before the line break.
    pub comments: Vec<Span>,
    /// The byte after a written `---`, or 0.
    pub head: usize,
    /// The byte of a written `...`, or the end of the text.
    pub tail: usize,
    starts: HashMap<NodeId, u32>,
    ends: Vec<u32>,
    parents: Vec<NodeId>,
}

impl<'a> Written<'a> {
    /// Reads a document; `None`, and why in `out`, where it is none.
    pub fn read(source: &SourceFile<'a>, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let (tree, marks) = parse_all(source, out)?;
        let text = source.text;
        let (mut starts, mut ends, mut parents) =
            (marks.properties, vec![0; tree.len()], vec![0; tree.len()]);
        for id in 0..tree.len() as NodeId {
            if matches!(
                tree.node(id).kind,
                NodeKind::Sequence(_) | NodeKind::Mapping { .. }
            ) {
                tree.children(id)
                    .for_each(|child| parents[child as usize] = id);
            }
        }
        for id in (0..tree.len() as NodeId).rev() {
            let span = tree.span(id);
            let inside = ends[id as usize];
            ends[id as usize] = match tree.node(id).kind {
                NodeKind::Sequence(false) | NodeKind::Mapping { flow: false, .. } => inside,
                NodeKind::Scalar(_, Style::Literal | Style::Folded) => {
                    let header = header(text, span.start as usize);
                    starts
                        .entry(id)
                        .and_modify(|start| *start = header.min(*start))
                        .or_insert(header);
                    block_end(text, span, header)
                }
                _ => span.end,
            };
            let parent = parents[id as usize] as usize;
            ends[parent] = ends[parent].max(ends[id as usize]);
        }
        let (head, tail) = (marks.head as usize, marks.tail as usize);
        Some(Self {
            text,
            tree,
            comments: marks.comments,
            head,
            tail,
            starts,
            ends,
            parents,
        })
    }

    /// Where a node begins: at its anchor or tag, where it has one, and a block scalar at its `|`.
    pub fn start(&self, id: NodeId) -> usize {
        self.starts
            .get(&id)
            .map_or(self.tree.span(id).start, |start| *start) as usize
    }

    /// Where a node's own text begins, behind an anchor or a tag.
    pub fn content(&self, id: NodeId) -> usize {
        match self.tree.node(id).kind {
            NodeKind::Scalar(_, Style::Literal | Style::Folded) => {
                header(self.text, self.tree.span(id).start as usize) as usize
            }
            // The reader places a list that is not indented at its first item, behind the dash.
            NodeKind::Sequence(false)
                if !self.text[self.tree.span(id).start as usize..].starts_with('-') =>
            {
                let before = self.text[..self.tree.span(id).start as usize].trim_end();
                before.len() - usize::from(before.ends_with('-'))
            }
            _ => self.tree.span(id).start as usize,
        }
    }

    /// The byte after a node.
    pub fn end(&self, id: NodeId) -> usize {
        self.ends[id as usize] as usize
    }

    /// The block scalar that the text ends with, without a break after its last line: its value has none either.
    pub fn open_block(&self) -> Option<NodeId> {
        let last = (self.tree.len() as NodeId).checked_sub(1)?;
        let is_block = matches!(
            self.tree.node(last).kind,
            NodeKind::Scalar(_, Style::Literal | Style::Folded)
        );
        let is_open = self.end(last) == self.text.len() && !self.text.ends_with('\n');
        let has_lines = self.line_end(self.content(last)) < self.text.len();
        (is_block && is_open && has_lines).then_some(last)
    }

    /// The collection that a node stands in; the root stands in itself.
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.parents[id as usize]
    }

    /// A node as it is written, its anchor and tag with it.
    pub fn slice(&self, id: NodeId) -> &'a str {
        self.text
            .get(self.start(id)..self.end(id))
            .unwrap_or_default()
    }

    /// Where a node's line begins.
    pub fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where a line ends: at its line break, `\r\n` being one, or at the end of the text.
    pub fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |found| at + found);
        if self.text[..end].ends_with('\r') {
            end - 1
        } else {
            end
        }
    }

    /// The next dash of a list at or after `from`, behind blank lines and comments.
    pub(crate) fn dash(&self, from: usize, limit: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let words = self.text.get(at..limit)?.trim_start();
            at = limit - words.len();
            if words.starts_with('#') {
                at = self.line_end(at);
            } else {
                return self.text[at..].starts_with('-').then_some(at);
            }
        }
    }

    /// The beginning of the comment lines right above the line that begins at `line`, none of them before `limit`; or `line`.
    pub(crate) fn comments_above(&self, line: usize, limit: usize) -> usize {
        let mut from = line;
        while from > 0 {
            let above = self.line_start(from - 1);
            if above < limit || !self.text[above..from].trim_start().starts_with('#') {
                break;
            }
            from = above;
        }
        from
    }

    /// The comments that begin in a stretch of the text.
    pub(crate) fn comments_in(&self, from: usize, to: usize) -> &[Span] {
        let at = |byte: usize| {
            self.comments
                .partition_point(|comment| (comment.start as usize) < byte)
        };
        &self.comments[at(from)..at(to.max(from))]
    }
}

/// Where the `|` or `>` of a block scalar is, whose content the reader places at `content`.
fn header(text: &str, content: usize) -> u32 {
    let mut end = content.min(text.len());
    loop {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..end].trim_end_matches('\r');
        let marks = line.match_indices(['|', '>']).map(|(at, _)| at);
        if let Some(at) = marks.into_iter().find(|at| is_header(&line[at + 1..])) {
            return (start + at) as u32;
        }
        if start == 0 || (end < content && !line.trim().is_empty()) {
            return content as u32;
        }
        end = start - 1;
    }
}

fn is_header(rest: &str) -> bool {
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    rest.trim().is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'))
}

/// The end of a block scalar: after its last line that is not blank; where it keeps blank lines (`+`), after those, too.
fn block_end(text: &str, span: Span, header: u32) -> u32 {
    let all = &text[header as usize..(span.end as usize).max(header as usize)];
    let first = all.lines().next().unwrap_or_default();
    let keeps = first.split('#').next().unwrap_or_default().contains('+');
    if (span.end as usize) <= header as usize + first.len()
        || all.trim_end().len() <= first.trim_end().len() && !keeps
    {
        return header + first.trim_end().len() as u32;
    }
    let end = if keeps {
        all.rfind('\n').map_or(all.len(), |at| {
            if all[at..].trim().is_empty() {
                at
            } else {
                all.len()
            }
        })
    } else {
        all.trim_end().len()
    };
    header + end as u32
}
