//! Lists: one line for each dash.

use crate::yaml::format::block::{NodeLayout, Printer, signs};
use crate::yaml::format::entries::push_below;
use crate::yaml::format::gap::{Fallback, between, laid_out, rest};
use crate::yaml::format::lines::OutputLine;
use crate::yaml::format::rules::LayoutRules;
use crate::yaml::{NodeId, NodeKind};

impl<'p> Printer<'p, '_> {
    /// A list of `- ` lines.
    pub(super) fn list(
        &self,
        id: NodeId,
        spot: NodeLayout<'p>,
        from: usize,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let items: Vec<NodeId> = written.tree.children(id).collect();
        let (mut at, mut column) = (from, 0);
        for (number, item) in items.iter().enumerate() {
            let limit = items
                .get(number + 1)
                .map_or(spot.limit, |next| written.start(*next));
            let dash = written
                .dash(at, limit.max(written.start(*item)))
                .ok_or(Fallback)?;
            let (blank, above) = laid_out(&between(written, at, dash, &[])?, spot.indent);
            let place = dash - written.line_start(dash);
            column = if place > spot.column {
                place
            } else {
                place + 1
            };
            if blank && number > 0 && !self.keeps.get() {
                out.push(OutputLine::blank());
            }
            out.extend(above);
            self.keeps.set(false);
            let line = OutputLine::new(spot.indent, "-");
            let spot = NodeLayout {
                column: place,
                limit,
                rules: LayoutRules::unknown(),
                ..spot
            };
            at = match written.tree.node(*item).kind {
                NodeKind::Sequence(false) | NodeKind::Mapping { flow: false, .. }
                    if written.start(*item) == written.content(*item) =>
                {
                    self.nested(*item, line, dash, spot, out)?
                }
                _ => self.value(*item, dash + 1, line, spot, out)?,
            };
        }
        self.after_last(at, spot, column, out)
    }

    /// A block that begins on the line of a dash, or on the next.
    pub(super) fn nested(
        &self,
        id: NodeId,
        mut line: OutputLine,
        dash: usize,
        spot: NodeLayout<'p>,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let start = written.start(id);
        let mut from = start;
        if start > written.line_end(dash) {
            (line.beside, from) = rest(written, dash + 1, false)?;
        }
        let inner = NodeLayout {
            indent: spot.indent + 2,
            ..spot
        };
        let mut lines = Vec::new();
        let at = match written.tree.node(id).kind {
            NodeKind::Sequence(_) => self.list(id, inner, from, &mut lines)?,
            _ => self.mapping(id, inner, from, &mut lines)?,
        };
        push_below(line, lines, out);
        Ok(at)
    }

    /// The items of a list in brackets, as `- ` lines.
    pub(super) fn items(
        &self,
        id: NodeId,
        spot: NodeLayout<'p>,
        from: usize,
        out: &mut Vec<OutputLine>,
    ) -> Result<usize, Fallback> {
        let written = self.written;
        let mut at = from;
        for item in written.tree.children(id) {
            let start = written.start(item);
            let gap = between(written, at, start, signs(true))?;
            out.extend(
                laid_out(&gap, spot.indent)
                    .1
                    .into_iter()
                    .filter(|line| !line.text.is_empty()),
            );
            let line = OutputLine::new(spot.indent, "-");
            let spot = NodeLayout {
                rules: LayoutRules::unknown(),
                ..spot
            };
            at = self.value(item, start, line, spot, out)?;
        }
        self.after_last(at, spot, 0, out)
    }
}
