//! Values: what comes after a colon or a dash.

use crate::yaml::format::block::{NodeLayout, Printer};
use crate::yaml::format::entries::{blanks, push_below};
use crate::yaml::format::gap::{Fallback, below, rest};
use crate::yaml::format::inline::{folded, one_line, requoted};
use crate::yaml::format::lines::{OutputLine, WIDTH, columns};
use crate::yaml::{NodeId, NodeKind, Style};

impl<'p> Printer<'p, '_> {
    /// What is written after `at`, a colon or a dash, whose line so far is `line`.
    pub(super) fn value(
        &self,
        id: NodeId,
        at: usize,
        mut line: OutputLine,
        spot: NodeLayout<'p>,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let kind = &written.tree.node(id).kind;
        let (start, content, end) = (written.start(id), written.content(id), written.end(id));
        if start >= end {
            return self.empty(line, at, spot, out);
        }
        let deeper = NodeLayout {
            indent: spot.indent + 2,
            flow: false,
            ..spot
        };
        if let NodeKind::Sequence(false) | NodeKind::Mapping { flow: false, .. } = kind {
            let at = self.properties(id, at, &mut line)?;
            let (beside, from) = rest(written, at, false)?;
            line.beside = beside;
            out.push(line);
            return match kind {
                NodeKind::Sequence(_) => self.list(id, deeper, from, out),
                _ => self.mapping(id, deeper, from, out),
            };
        }
        if !written
            .text
            .get(at..start)
            .is_some_and(|gap| gap.trim().is_empty())
        {
            return Err(Fallback);
        }
        if let NodeKind::Sequence(true) | NodeKind::Mapping { flow: true, .. } = kind {
            let properties = written.text[start..content].trim();
            if properties.contains(['\n', '#']) {
                return Err(Fallback);
            }
            if !properties.is_empty() {
                line.text.push(' ');
                line.text.push_str(properties);
            }
            return self.collection(id, line, spot, out);
        }
        line.text.push(' ');
        if let NodeKind::Scalar(_, Style::Literal | Style::Folded) = kind {
            return self.lines(id, line, out);
        }
        let mut text = requoted(written, id);
        if !text.contains('\n') {
            let taken = line.indent + columns(&line.text);
            text = folded(&text, taken, spot.indent + 2);
        }
        let mut parts = text.split('\n');
        line.text
            .push_str(parts.next().unwrap_or_default().trim_end());
        for part in parts {
            out.push(std::mem::replace(
                &mut line,
                OutputLine::new(spot.indent + 2, part.trim()),
            ));
        }
        let (beside, done) = rest(written, end, spot.flow)?;
        line.beside = beside;
        out.push(line);
        Ok(done)
    }

    /// A line that ends after its key, and what is commented out below it.
    pub(super) fn empty(
        &self,
        mut line: OutputLine,
        at: usize,
        spot: NodeLayout<'_>,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let (beside, end) = rest(self.written, at, spot.flow)?;
        line.beside = beside;
        out.push(line);
        if spot.flow {
            return Ok(end);
        }
        let indent = spot.indent + 2;
        let (lines, done) = below(self.written, end, spot.limit, spot.column + 1, indent);
        out.extend(lines);
        Ok(done)
    }

    /// A list or mapping in brackets: on the line of its key where that is short enough, else as a block.
    pub(super) fn collection(
        &self,
        id: NodeId,
        mut line: OutputLine,
        spot: NodeLayout<'p>,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let (content, end) = (written.content(id), written.end(id));
        let is_empty = written.tree.children(id).next().is_none();
        let (beside, _) = rest(written, end, spot.flow)?;
        if let Some(one) = one_line(written, id) {
            let comment = beside
                .as_ref()
                .map_or(0, |beside| columns(&beside.text) + 1);
            let width = line.indent + columns(&line.text) + columns(&one) + 1 + comment;
            if is_empty || width <= WIDTH {
                line.text = format!("{} {one}", line.text);
                if is_empty {
                    return self.empty(line, end, spot, out);
                }
                let (beside, done) = rest(written, end, spot.flow)?;
                line.beside = beside;
                out.push(line);
                return Ok(done);
            }
        }
        let has_brackets = written.text[content..].starts_with(['[', '{']);
        let (open, limit) = if has_brackets {
            (content + 1, end - 1)
        } else {
            (content, end)
        };
        let (opening, from) = rest(written, open, true)?;
        let inner = NodeLayout {
            indent: spot.indent + 2,
            limit,
            flow: true,
            ..spot
        };
        let mut lines = Vec::new();
        if is_empty {
            line.text
                .push_str(if written.text[content..].starts_with('[') {
                    " []"
                } else {
                    " {}"
                });
            self.after_last(from, inner, 0, &mut lines)?;
        } else if let NodeKind::Sequence(_) = written.tree.node(id).kind {
            self.items(id, inner, from, &mut lines)?;
        } else {
            self.mapping(id, inner, from, &mut lines)?;
        }
        line.beside = opening;
        let first = out.len();
        push_below(line, lines, out);
        let (beside, done) = rest(written, end, spot.flow)?;
        let place = out[first..]
            .iter_mut()
            .find(|line| !line.is_comment() && !line.text.is_empty());
        match (beside, place) {
            (Some(beside), Some(line)) if line.beside.is_none() => line.beside = Some(beside),
            (Some(beside), _) => out.push(OutputLine::new(inner.indent, beside.text)),
            (None, _) => {}
        }
        Ok(done)
    }

    /// The anchor and tag of a block, on the line of its key. Gives the byte after them.
    pub(super) fn properties(
        &self,
        id: NodeId,
        at: usize,
        out: &mut OutputLine,
    ) -> Result<usize, Fallback> {
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
            out.text.push(' ');
            out.text.push_str(word);
            done = at + (word.as_ptr() as usize - line.as_ptr() as usize) + word.len();
        }
        if written.start(id) < end && done > at {
            Ok(done)
        } else {
            Err(Fallback)
        }
    }

    /// A block scalar: its header as it is, its lines moved.
    pub(super) fn lines(
        &self,
        id: NodeId,
        mut line: OutputLine,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let (start, content, end) = (written.start(id), written.content(id), written.end(id));
        let header_end = written.line_end(content);
        if written.text[start..content].contains('\n') {
            return Err(Fallback);
        }
        let comment = written.comments_in(content, header_end).first();
        let end_of_header = comment.map_or(header_end, |comment| comment.start as usize);
        line.text
            .push_str(written.text[start..end_of_header].trim_end());
        if written.open_block() == Some(id) {
            // Its last line gets a break, which is not a part of the value.
            line.text
                .truncate(line.text.trim_end_matches(['+', '-']).len());
            line.text.push('-');
        }
        if comment.is_some() {
            line.text.push(' ');
            line.text
                .push_str(written.text[end_of_header..header_end].trim_end());
        }
        let to = line.indent + 2;
        out.push(line);
        let body = written.text.get(header_end + 1..end).unwrap_or_default();
        if body.is_empty() {
            return Ok(header_end);
        }
        let header = written.text[content..header_end]
            .split('#')
            .next()
            .unwrap_or_default();
        self.keeps.set(header.contains('+'));
        if header.contains(|c: char| c.is_ascii_digit()) {
            return Err(Fallback);
        }
        let from = body
            .split('\n')
            .find(|line| !line.trim_matches(' ').is_empty())
            .map(blanks)
            .ok_or(Fallback)?;
        for line in body.split('\n') {
            if blanks(line) < from || line.len() == from {
                out.push(OutputLine::blank());
            } else {
                out.push(OutputLine::new(to, &line[from..]));
            }
        }
        Ok(end)
    }
}
