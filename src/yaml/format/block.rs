//! Blocks: mappings and lists over several lines, each entry with the comments that belong to it.
//!
//! Comments above an entry belong to it, and so does one beside it. Comments after the last entry of a block belong to the block as
//! long as they are indented as far as its entries. An entry that is written in an odd way is moved as a whole, its lines as they are.

use std::cell::Cell;

use crate::lead_file::emit::rank;
use crate::yaml::format::between::{
    Above, Fallback, above, below, push_indent, push_line, rest_of_line,
};
use crate::yaml::format::inline::{inline, shifted};
use crate::yaml::{Kind, NodeId, Style, Written};

/// What a mapping is, where that says something about its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    File,
    Leads,
    Lead,
    Other,
}

impl Role {
    /// The role of the value of a key.
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::File, "leads") => Self::Leads,
            (Self::File, "defaults") | (Self::Leads, _) => Self::Lead,
            _ => Self::Other,
        }
    }
}

/// An entry, laid out.
struct Entry {
    rank: usize,
    above: Above,
    text: String,
    /// A blank line after it would be a part of its value.
    keeps: bool,
}

/// Lays out one file.
pub(crate) struct Printer<'p, 'a> {
    pub(crate) written: &'p Written<'a>,
    /// Whether the keys of a lead are put in order.
    pub(crate) sorts: bool,
    /// Whether what was laid out last is a scalar to which a blank line after it would belong.
    pub(crate) keeps: Cell<bool>,
    /// Whether something was moved as it stands.
    pub(crate) odd: Cell<bool>,
}

impl Printer<'_, '_> {
    /// The whole file; `None` where it is none that has blocks.
    pub(crate) fn file(&self) -> Option<String> {
        let written = self.written;
        let text = written.text;
        if !matches!(written.tree.node(0).kind, Kind::Mapping { flow: false, .. })
            || written.start(0) < written.content(0)
        {
            return None;
        }
        let head = if written.head > 0 {
            written.line_end(written.head)
        } else {
            0
        };
        let mut made = text[..head].trim_end().to_owned();
        if head > 0 {
            made.push('\n');
        }
        let done = self
            .mapping(0, 0, Role::File, head, written.tail, false, &mut made)
            .ok()?;
        if !text
            .get(done..written.tail)
            .is_some_and(|rest| rest.trim().is_empty())
        {
            return None;
        }
        let tail = text[written.tail..].trim_end();
        if !tail.is_empty() {
            push_line(&mut made, 0, tail);
        }
        Some(made)
    }

    /// A mapping whose key's line ends at `from`, before `limit`. `compact`: its first entry is on a line that is begun already.
    #[allow(
        clippy::too_many_arguments,
        reason = "where it stands in the text, and where it is to stand"
    )]
    fn mapping(
        &self,
        id: NodeId,
        indent: usize,
        role: Role,
        from: usize,
        limit: usize,
        compact: bool,
        out: &mut String,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let children: Vec<NodeId> = written.tree.children(id).collect();
        let first = *children.first().ok_or(Fallback)?;
        let column = self.column(first);
        let mut entries = Vec::with_capacity(children.len() / 2);
        let mut at = from;
        for (number, pair) in children.chunks_exact(2).enumerate() {
            let (key, value) = (pair[0], pair[1]);
            let begun = compact && number == 0;
            let above = if begun {
                Above::default()
            } else {
                above(written.text, at, written.start(key), indent)?
            };
            let limit = children
                .get(2 * number + 2)
                .map_or(limit, |next| written.start(*next));
            let mut text = String::new();
            self.keeps.set(false);
            at = match self.entry(key, value, indent, role, limit, begun, &mut text) {
                Ok(at) => at,
                Err(Fallback) if begun => return Err(Fallback),
                Err(Fallback) => {
                    text.clear();
                    self.as_it_stands(key, value, indent, &mut text)?
                }
            };
            let rank = if self.sorts && role == Role::Lead {
                self.name(key).map_or(usize::MAX, rank)
            } else {
                0
            };
            entries.push(Entry {
                rank,
                above,
                text,
                keeps: self.keeps.get(),
            });
        }
        entries.sort_by_key(|entry| entry.rank);
        print(&entries, role, out);
        self.keeps
            .set(entries.last().is_some_and(|entry| entry.keeps));
        Ok(self.below(at, limit, column, indent, out))
    }

    /// A key and its value. Gives the end of the last line that is theirs.
    #[allow(clippy::too_many_arguments, reason = "as above")]
    fn entry(
        &self,
        key: NodeId,
        value: NodeId,
        indent: usize,
        role: Role,
        limit: usize,
        begun: bool,
        out: &mut String,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let (text, name) = (written.text, written.slice(key));
        if name.contains('\n')
            || name.is_empty()
            || matches!(
                written.tree.node(key).kind,
                Kind::Sequence(_) | Kind::Mapping { .. }
            )
        {
            return Err(Fallback);
        }
        let after = written.end(key);
        let colon = after
            + text[after..]
                .find(|c: char| !matches!(c, ' ' | '\t'))
                .ok_or(Fallback)?;
        if !text[colon..].starts_with(':') {
            return Err(Fallback);
        }
        if !begun {
            push_indent(out, indent);
        }
        out.push_str(name);
        if matches!(written.tree.node(key).kind, Kind::Alias(_)) {
            out.push(' ');
        }
        out.push(':');
        let role = role.of(self.name(key).unwrap_or_default());
        self.value(value, colon + 1, indent, role, limit, out)
    }

    /// What is written after `at`, a colon or a dash.
    fn value(
        &self,
        id: NodeId,
        at: usize,
        indent: usize,
        role: Role,
        limit: usize,
        out: &mut String,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let kind = &written.tree.node(id).kind;
        if written.start(id) >= written.end(id) {
            return rest_of_line(written, at, out);
        }
        if let Kind::Sequence(false) | Kind::Mapping { flow: false, .. } = kind {
            let at = self.properties(id, at, out)?;
            let end = rest_of_line(written, at, out)?;
            return match kind {
                Kind::Sequence(_) => self.list(id, indent + 2, end, limit, out),
                _ => self.mapping(id, indent + 2, role, end, limit, false, out),
            };
        }
        if !written
            .text
            .get(at..written.start(id))
            .is_some_and(|gap| gap.trim().is_empty())
        {
            return Err(Fallback);
        }
        out.push(' ');
        if let Kind::Scalar(_, Style::Literal | Style::Folded) = kind {
            return self.lines(id, indent, out);
        }
        out.push_str(
            &inline(written, id, indent, role == Role::Lead && self.sorts).ok_or(Fallback)?,
        );
        rest_of_line(written, written.end(id), out)
    }

    /// The anchor and tag of a block, on the line of its key. Gives the byte after them.
    fn properties(&self, id: NodeId, at: usize, out: &mut String) -> Result<usize, Fallback> {
        let written = self.written;
        let end = written.line_end(at);
        let line = &written.text[at..end];
        if written.start(id) >= written.content(id) {
            return Ok(at);
        }
        let mut done = at;
        for word in line
            .split_whitespace()
            .take_while(|word| word.starts_with(['&', '!']))
        {
            out.push(' ');
            out.push_str(word);
            done = at + (word.as_ptr() as usize - line.as_ptr() as usize) + word.len();
        }
        if written.start(id) < end && done > at {
            Ok(done)
        } else {
            Err(Fallback)
        }
    }

    /// A list of `- ` lines.
    fn list(
        &self,
        id: NodeId,
        indent: usize,
        from: usize,
        limit: usize,
        out: &mut String,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let items: Vec<NodeId> = written.tree.children(id).collect();
        let parent = self.column(
            written
                .tree
                .children(written.parent(id))
                .next()
                .unwrap_or(id),
        );
        let (mut at, mut column) = (from, 0);
        for (number, item) in items.iter().enumerate() {
            let start = written.start(*item);
            let line = written.line_start(start);
            let before = &written.text[line..start];
            if before.trim() != "-" {
                return Err(Fallback);
            }
            let dash = before.len() - before.trim_start().len();
            let above = above(written.text, at, line + dash, indent)?;
            column = if dash > parent { dash } else { dash + 1 };
            if above.blank && number > 0 && !self.keeps.get() {
                out.push('\n');
            }
            out.push_str(&above.lines);
            push_indent(out, indent);
            out.push('-');
            self.keeps.set(false);
            let limit = items
                .get(number + 1)
                .map_or(limit, |next| written.start(*next));
            at = match written.tree.node(*item).kind {
                Kind::Mapping { flow: false, .. }
                    if written.start(*item) == written.content(*item) =>
                {
                    out.push(' ');
                    self.mapping(*item, indent + 2, Role::Other, start, limit, true, out)?
                }
                Kind::Sequence(false) | Kind::Mapping { flow: false, .. } => return Err(Fallback),
                _ => self.value(*item, line + dash + 1, indent, Role::Other, limit, out)?,
            };
        }
        Ok(self.below(at, limit, column, indent, out))
    }

    /// A block scalar: its header as it is, its lines moved.
    fn lines(&self, id: NodeId, indent: usize, out: &mut String) -> Result<usize, Fallback> {
        let written = self.written;
        let (start, content, end) = (written.start(id), written.content(id), written.end(id));
        let header_end = written.line_end(content);
        if written.text[start..content].contains('\n') {
            return Err(Fallback);
        }
        out.push_str(written.text[start..header_end].trim_end());
        out.push('\n');
        let body = written.text.get(header_end + 1..end).unwrap_or_default();
        if body.is_empty() {
            return Ok(header_end);
        }
        let header = written.text[content..header_end]
            .split('#')
            .next()
            .unwrap_or_default();
        self.keeps.set(header.contains('+'));
        let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let (from, to) = match header.chars().find_map(|c| c.to_digit(10)) {
            Some(_) => return Err(Fallback),
            None => (
                body.split('\n')
                    .find(|line| !line.trim_matches(' ').is_empty())
                    .map(blanks)
                    .ok_or(Fallback)?,
                indent + 2,
            ),
        };
        for line in body.split('\n') {
            if blanks(line) < from || line.len() == from {
                out.push('\n');
            } else {
                push_line(out, to, &line[from..]);
            }
        }
        Ok(end)
    }

    /// The lines of an entry, moved as a whole.
    fn as_it_stands(
        &self,
        key: NodeId,
        value: NodeId,
        indent: usize,
        out: &mut String,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        self.odd.set(true);
        let start = written.start(key);
        let line = written.line_start(start);
        let end = written.line_end(written.end(value).max(written.end(key)));
        self.keeps.set(
            written.text[start..end].contains("|+") || written.text[start..end].contains(">+"),
        );
        if !written.text[line..start].trim().is_empty() {
            return Err(Fallback);
        }
        push_line(
            out,
            indent,
            &shifted(&written.text[start..end], start - line, indent),
        );
        Ok(end)
    }

    /// Comments that end a collection.
    fn below(
        &self,
        at: usize,
        limit: usize,
        column: usize,
        indent: usize,
        out: &mut String,
    ) -> usize {
        let done = below(self.written.text, at, limit, column, indent, out);
        self.keeps.set(self.keeps.get() && done == at);
        done
    }

    fn column(&self, id: NodeId) -> usize {
        let start = self.written.start(id);
        start - self.written.line_start(start)
    }

    fn name(&self, key: NodeId) -> Option<&str> {
        match self.written.tree.kind(key) {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }
}

/// Entries with their blank lines: one between leads, elsewhere as they are, one at a time.
fn print(entries: &[Entry], role: Role, out: &mut String) {
    let is_long = |entry: &Entry| entry.text.matches('\n').nth(1).is_some();
    for (number, entry) in entries.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| &entries[before]);
        let wanted = |before: &Entry| {
            entry.above.blank || (role == Role::Leads && (is_long(before) || is_long(entry)))
        };
        let parted = |before: &Entry| !before.keeps && wanted(before);
        if before.is_some_and(parted) {
            out.push('\n');
        }
        out.push_str(&entry.above.lines);
        out.push_str(&entry.text);
    }
}
