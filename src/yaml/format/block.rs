//! Blocks: mappings and lists, each entry with the comments that belong to it.
//!
//! Comments above an entry belong to it, and so does one beside it. Comments after the last entry of a block belong to the block as
//! long as they are indented as far as its entries, and so do those below an empty value that are indented further than its key: a
//! template to uncomment stays where it nests. Mappings in braces become blocks, because prettier and yamllint disagree on the spaces
//! inside braces. An entry that is written in an unusual way is moved as a whole.

use std::cell::Cell;

use crate::yaml::format::entries::{MappingEntry, push_entries, take_commented_out};
use crate::yaml::format::gap::{Between, Fallback, below, between, laid_out, rest};
use crate::yaml::format::inline::{requoted, shifted};
use crate::yaml::format::lines::{OutputLine, print};
use crate::yaml::format::rules::LayoutRules;
use crate::yaml::{NodeId, NodeKind, Written};

/// Where a node is, and where it goes.
#[derive(Clone, Copy)]
pub(super) struct NodeLayout<'r> {
    /// The indentation to write.
    pub(super) indent: usize,
    /// The column of the key or dash that it is the value of.
    pub(super) column: usize,
    /// The byte before which it and its comments end.
    pub(super) limit: usize,
    /// Whether it is inside of brackets.
    pub(super) flow: bool,
    pub(super) rules: &'r LayoutRules,
}

/// Lays out one file.
pub(crate) struct Printer<'p, 'a> {
    pub(crate) written: &'p Written<'a>,
    pub(crate) rules: &'p LayoutRules,
    /// Whether keys are put in order.
    pub(crate) sorts: bool,
    /// Whether what was laid out last is a scalar to which a blank line after it would belong.
    pub(crate) keeps: Cell<bool>,
    /// Whether something was moved as it is.
    pub(crate) odd: Cell<bool>,
}

impl<'p, 'a> Printer<'p, 'a> {
    pub(super) fn new(written: &'p Written<'a>, rules: &'p LayoutRules, sorts: bool) -> Self {
        Self {
            written,
            rules,
            sorts,
            keeps: Cell::new(false),
            odd: Cell::new(false),
        }
    }
}

impl<'p> Printer<'p, '_> {
    /// The whole file; `None` where it is not a mapping.
    pub(crate) fn file(&self) -> Option<String> {
        let written = self.written;
        let text = written.text;
        if !matches!(written.tree.node(0).kind, NodeKind::Mapping { .. })
            || written.start(0) < written.content(0)
        {
            return None;
        }
        let head = match written.head {
            0 => 0,
            head => written.line_end(head),
        };
        let mut lines = Vec::new();
        let done = self.root(head, &mut lines).ok()?;
        let after = text.get(done..written.tail)?;
        if !after.trim().is_empty() {
            return None;
        }
        let mut made = without_blank_before_mark(&text[..head]);
        if head > 0 {
            made.push('\n');
        }
        made.push_str(&print(&lines));
        let tail = text[written.tail..].trim_end();
        if !tail.is_empty() {
            made.push_str(tail);
            made.push('\n');
        }
        Some(made)
    }

    fn root(&self, head: usize, out: &mut Vec<OutputLine>) -> Result<usize, Fallback> {
        let written = self.written;
        let mut spot = NodeLayout {
            indent: 0,
            column: 0,
            limit: written.tail,
            flow: false,
            rules: self.rules,
        };
        if matches!(
            written.tree.node(0).kind,
            NodeKind::Mapping { flow: false, .. }
        ) {
            return self.mapping(0, spot, head, out);
        }
        out.extend(laid_out(&between(written, head, written.start(0), &[])?, 0).1);
        (spot.flow, spot.limit) = (true, written.end(0) - 1);
        let (beside, from) = rest(written, written.content(0) + 1, true)?;
        out.extend(beside.map(|beside| OutputLine::new(0, beside.text)));
        self.mapping(0, spot, from, out)?;
        let (beside, from) = rest(written, written.end(0), false)?;
        out.extend(beside.map(|beside| OutputLine::new(0, beside.text)));
        let (lines, done) = below(written, from, written.tail, 0, 0);
        out.extend(lines);
        Ok(done)
    }

    /// A mapping whose key's line, or whose opening brace, ends at `from`. Gives the end of the last line that is its own.
    pub(super) fn mapping(
        &self,
        id: NodeId,
        spot: NodeLayout<'p>,
        from: usize,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let children: Vec<NodeId> = written.tree.children(id).collect();
        let column = self.column(*children.first().ok_or(Fallback)?);
        let mut entries: Vec<MappingEntry<'_>> = Vec::with_capacity(children.len() / 2);
        let mut at = from;
        for (number, pair) in children.chunks_exact(2).enumerate() {
            let (key, value) = (pair[0], pair[1]);
            let mut gap = between(written, at, written.start(key), signs(spot.flow))?;
            if let Some(before) = entries.last_mut() {
                take_commented_out(&mut gap, before, spot.indent);
            }
            let (blank, above) = laid_out(&gap, spot.indent);
            let next = children.get(2 * number + 2);
            let spot = NodeLayout {
                column,
                limit: next.map_or(spot.limit, |next| written.start(*next)),
                ..spot
            };
            let mut lines = Vec::new();
            self.keeps.set(false);
            at = match self.entry(key, value, spot, &mut lines) {
                Ok(at) => at,
                Err(Fallback) if spot.flow => return Err(Fallback),
                Err(Fallback) => {
                    lines.clear();
                    self.as_it_stands(key, value, spot.indent, &mut lines)?
                }
            };
            let name = self.name(key).unwrap_or_default();
            let rank = if self.sorts { spot.rules.rank(name) } else { 0 };
            let keeps = self.keeps.get();
            entries.push(MappingEntry {
                rank,
                name,
                blank,
                above,
                lines,
                keeps,
            });
        }
        entries.sort_by_key(|entry| entry.rank);
        self.keeps
            .set(entries.last().is_some_and(|entry| entry.keeps));
        push_entries(entries, spot.rules, out);
        self.after_last(at, spot, column, out)
    }

    /// The comments after the last entry of a mapping or list.
    pub(super) fn after_last(
        &self,
        at: usize,
        spot: NodeLayout<'_>,
        column: usize,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        if spot.flow {
            let mut gap = between(self.written, at, spot.limit, signs(true))?;
            while gap.last() == Some(&Between::Blank) {
                gap.pop();
            }
            out.extend(laid_out(&gap, spot.indent).1);
            return Ok(spot.limit);
        }
        let (lines, done) = below(self.written, at, spot.limit, column, spot.indent);
        out.extend(lines);
        self.keeps.set(self.keeps.get() && done == at);
        Ok(done)
    }

    /// A key and its value. Gives the end of the last line that is theirs.
    fn entry(
        &self,
        key: NodeId,
        value: NodeId,
        spot: NodeLayout<'p>,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let (text, name) = (written.text, written.slice(key));
        let kind = &written.tree.node(key).kind;
        if name.contains('\n')
            || name.is_empty()
            || matches!(kind, NodeKind::Sequence(_) | NodeKind::Mapping { .. })
        {
            return Err(Fallback);
        }
        let after = written.end(key);
        let is_explicit = text[..written.start(key)].trim_end().ends_with('?');
        let words = if is_explicit || spot.flow {
            text[after..].trim_start()
        } else {
            text[after..].trim_start_matches([' ', '\t'])
        };
        let mut line = OutputLine::new(spot.indent, requoted(written, key));
        if matches!(kind, NodeKind::Alias(_)) {
            line.text.push(' ');
        }
        line.text.push(':');
        let rules = spot.rules.value(self.name(key).unwrap_or_default());
        let spot = NodeLayout { rules, ..spot };
        if words.starts_with(':') {
            return self.value(value, text.len() - words.len() + 1, line, spot, out);
        }
        let is_set = spot.flow && written.start(value) >= written.end(value);
        if is_set {
            self.empty(line, after, spot, out)
        } else {
            Err(Fallback)
        }
    }

    /// The lines of an entry, moved as a whole.
    fn as_it_stands(
        &self,
        key: NodeId,
        value: NodeId,
        indent: usize,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        self.odd.set(true);
        let start = written.start(key);
        let line = written.line_start(start);
        let end = written.line_end(written.end(value).max(written.end(key)));
        let text = &written.text[start..end];
        self.keeps.set(text.contains("|+") || text.contains(">+"));
        if !written.text[line..start].trim().is_empty() {
            return Err(Fallback);
        }
        let moved = shifted(text, start - line, indent);
        let mut moved = moved.split('\n');
        out.push(OutputLine::new(indent, moved.next().unwrap_or_default()));
        out.extend(moved.map(|line| OutputLine::new(0, line)));
        Ok(end)
    }

    fn column(&self, id: NodeId) -> usize {
        let start = self.written.start(id);
        start - self.written.line_start(start)
    }

    fn name(&self, key: NodeId) -> Option<&'p str> {
        match self.written.tree.kind(key) {
            NodeKind::Scalar(text, _) => Some(text),
            NodeKind::Sequence(_) | NodeKind::Mapping { .. } | NodeKind::Alias(_) => None,
        }
    }
}

/// What comes before a document, `---` included, without blank lines at its end.
fn without_blank_before_mark(head: &str) -> String {
    let head = head.trim_end();
    match head.rfind("\n---") {
        Some(at) => format!("{}{}", head[..at].trim_end(), &head[at..]),
        None => head.to_owned(),
    }
}

/// What may stand between entries besides comments.
pub(super) fn signs(flow: bool) -> &'static [char] {
    if flow { &[',', '?'] } else { &['?'] }
}
