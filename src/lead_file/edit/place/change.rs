//! Another value for a key that is there.

use super::{Placer, entry};
use crate::yaml::list;
use crate::yaml::quote::{ScalarContext, like};
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, flow};
use crate::yaml::{NodeId, NodeKind, Style, Written};

/// The keys of a rule on tags.
const SIDES: [&str; 2] = ["present", "absent"];

impl Placer<'_, '_> {
    pub(super) fn change(
        &mut self,
        key: NodeId,
        node: NodeId,
        name: &str,
        form: &YamlValue,
        room: ScalarContext,
        within_flow: bool,
    ) -> Result<(), String> {
        let written = self.written;
        match (&written.tree.node(node).kind, form) {
            (NodeKind::Scalar(_, style), YamlValue::Text(text)) => {
                self.scalar(node, text, *style, room)
            }
            (NodeKind::Mapping { .. } | NodeKind::Alias(_), YamlValue::Map(entries))
                if name != "tags" =>
            {
                return self.set(key, node, entries, within_flow);
            }
            (NodeKind::Mapping { flow, .. }, YamlValue::Map(lists)) if self.has_lists(node) => {
                let (is_flow, is_inline) = (within_flow || *flow, *flow);
                let room = self.room(node, is_flow);
                let nothing = YamlValue::List(Vec::new());
                for side in SIDES {
                    if let Some((key, list)) = entry(written, node, side) {
                        let form = lists
                            .iter()
                            .find(|(name, _)| name == side)
                            .map_or(&nothing, |(_, form)| form);
                        self.change(key, list, side, form, room, is_flow)?;
                    }
                }
                let is_new = |name: &str| entry(written, node, name).is_none();
                let new: Vec<(&str, &YamlValue)> = lists
                    .iter()
                    .map(|(name, form)| (name.as_str(), form))
                    .filter(|(name, _)| is_new(name))
                    .collect();
                if is_inline {
                    self.add_inline(node, &new, room);
                } else {
                    self.add_lines(node, &new);
                }
            }
            (NodeKind::Sequence(is_flow), YamlValue::List(items)) => {
                let edit = list::ListEdit {
                    written,
                    line_break: self.line_break,
                    key,
                    list: node,
                    room,
                    item_value,
                };
                let splices = if *is_flow {
                    edit.flow(items)
                } else {
                    edit.block(items)
                };
                match splices {
                    Some(splices) => self.splices.extend(splices),
                    None => self.whole(key, node, form, room),
                }
            }
            _ => self.whole(key, node, form, room),
        }
        Ok(())
    }

    /// Whether a mapping is a rule on tags whose sides are lists written out.
    fn has_lists(&self, mapping: NodeId) -> bool {
        let tree = &self.written.tree;
        let sides: Vec<NodeId> = SIDES
            .into_iter()
            .filter_map(|side| entry(self.written, mapping, side))
            .map(|(_, list)| list)
            .collect();
        let are_lists = sides
            .iter()
            .all(|list| matches!(tree.node(*list).kind, NodeKind::Sequence(_)));
        are_lists && !sides.is_empty() && tree.children(mapping).count() == 2 * sides.len()
    }

    fn scalar(&mut self, node: NodeId, text: &str, style: Style, room: ScalarContext) {
        let written = self.written;
        let range = written.content(node)..written.end(node);
        let multiline = matches!(style, Style::Literal | Style::Folded);
        let indent = format!("{}  ", self.indent(node));
        let block = crate::yaml::quote::literal(text, &indent, self.line_break)
            .filter(|_| multiline && room == ScalarContext::Block);
        let mut text = block.unwrap_or_else(|| like(text, style, room));
        if multiline {
            // The comment on the header's line is within the scalar.
            let header = written.content(node)..written.line_end(written.content(node));
            if let Some(comment) = written.comments_in(header.start, header.end).first() {
                let first = text.find(self.line_break).unwrap_or(text.len());
                let comment = &written.text[comment.start as usize..comment.end as usize];
                text.insert_str(first, &format!(" {}", comment.trim_end()));
            }
        }
        self.put(Splice::new(range, text));
    }

    /// The value anew, on the line of its key. What was inside goes, comments too: that beside the last line is of something inside.
    fn whole(&mut self, key: NodeId, node: NodeId, form: &YamlValue, room: ScalarContext) {
        let written = self.written;
        let inline = flow(form, room);
        let (from, end) = (written.content(node), written.end(node));
        if !matches!(
            written.tree.node(node).kind,
            NodeKind::Sequence(false) | NodeKind::Mapping { flow: false, .. }
        ) {
            self.put(Splice::new(from..end, inline));
            return;
        }
        let last_line = end..written.line_end(end);
        let beside = written.comments_in(last_line.start, last_line.end);
        let end = beside.first().map_or(end, |_| last_line.end);
        let after_key = written.end(key);
        let between = written.text.get(after_key..from).unwrap_or_default();
        // An anchor or a comment between the key and its block stays where it is.
        let simple = between
            .trim_start()
            .strip_prefix(':')
            .is_some_and(|rest| rest.trim().is_empty());
        let from = if simple {
            after_key + between.find(':').unwrap_or_default() + 1
        } else {
            from
        };
        self.put(Splice::new(
            from..end,
            if simple { format!(" {inline}") } else { inline },
        ));
    }
}

/// The value of a tag or a note, as it would be wanted.
fn item_value(written: &Written<'_>, item: NodeId) -> Option<YamlValue> {
    let tree = &written.tree;
    match tree.kind(item) {
        NodeKind::Scalar(text, _) => Some(YamlValue::Text(text.trim().to_owned())),
        NodeKind::Mapping { .. } => {
            let text = |name: &str| {
                tree.pairs(item)
                    .find_map(|(key, value)| match (tree.kind(key), tree.kind(value)) {
                        (NodeKind::Scalar(key, _), NodeKind::Scalar(text, _)) if key == name => {
                            Some((name.to_owned(), YamlValue::Text(text.to_string())))
                        }
                        _ => None,
                    })
            };
            let description =
                text("description").filter(|(_, form)| *form != YamlValue::Text(String::new()));
            Some(YamlValue::Map(
                [text("title")?].into_iter().chain(description).collect(),
            ))
        }
        NodeKind::Sequence(_) | NodeKind::Alias(_) => None,
    }
}
