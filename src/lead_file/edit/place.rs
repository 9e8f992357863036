//! Where in a file a value goes: the scalar that says it, or a new key where the lead has none of its own.
//!
//! Only what is written in the lead itself is touched. Where a value comes from elsewhere (`defaults`, an alias, `<<`), the lead gets
//! its own key, and where the whole lead is an alias, a mapping that merges it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::Changes;
use crate::lead::LeadId;
use crate::lead_file::emit::{AgentNames, entries, rank};
use crate::yaml::list;
use crate::yaml::quote::{ScalarContext, like};
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, block_entry, flow, flow_entry};
use crate::yaml::{NodeId, NodeKind, Style, Written};

/// The splices that make these leads say these things.
pub(crate) fn all(
    written: &Written<'_>,
    differing: &[(&LeadId, Changes)],
    names: &AgentNames<'_>,
) -> Result<Vec<Splice>, String> {
    let tree = &written.tree;
    let leads = entry(written, 0, "leads")
        .ok_or("the file has no `leads`")?
        .1;
    let is_flow = |id| matches!(tree.kind(id), NodeKind::Mapping { flow: true, .. });
    let within_flow = is_flow(0) || is_flow(leads);
    let pairs: HashMap<&str, (NodeId, NodeId)> = tree
        .pairs(leads)
        .filter_map(|(key, value)| Some((text(written, key)?, (key, value))))
        .collect();
    let mut placer = Placer {
        written,
        line_break: line_break(written.text),
        splices: Vec::new(),
    };
    for (id, wanted) in differing {
        let (key, value) = pairs
            .get(id.as_str())
            .ok_or("the lead is nowhere in the file")?;
        placer.set(*key, *value, &entries(wanted, names), within_flow)?;
    }
    Ok(placer.splices)
}

/// Where each lead of a file stands.
pub(super) struct Index<'w, 'a> {
    written: &'w Written<'a>,
    leads: NodeId,
    entries: HashMap<&'w str, (NodeId, NodeId)>,
}

impl<'w, 'a> Index<'w, 'a> {
    pub(super) fn new(written: &'w Written<'a>) -> Result<Self, String> {
        let (_, leads) = entry(written, 0, "leads").ok_or("the file has no `leads`")?;
        let entries = written
            .tree
            .pairs(leads)
            .filter_map(|(key, value)| Some((text(written, key)?, (key, value))))
            .collect();
        Ok(Self {
            written,
            leads,
            entries,
        })
    }

    /// A lead's key and value.
    pub(super) fn lead(&self, id: &LeadId) -> Result<(NodeId, NodeId), String> {
        let found = self.entries.get(id.as_str()).copied();
        found.ok_or_else(|| "the lead is nowhere in the file".to_owned())
    }

    /// The splices that give a lead these entries.
    pub(super) fn set(
        &self,
        (key, value): (NodeId, NodeId),
        entries: &[(String, YamlValue)],
    ) -> Result<Vec<Splice>, String> {
        of_mapping(self.written, key, value, entries, &[0, self.leads])
    }
}

/// The splices that give `defaults` these entries.
pub(super) fn defaults(
    written: &Written<'_>,
    entries: &[(String, YamlValue)],
) -> Result<Vec<Splice>, String> {
    let (key, value) = entry(written, 0, "defaults").ok_or("the file has no `defaults`")?;
    of_mapping(written, key, value, entries, &[0])
}

fn of_mapping(
    written: &Written<'_>,
    key: NodeId,
    value: NodeId,
    entries: &[(String, YamlValue)],
    around: &[NodeId],
) -> Result<Vec<Splice>, String> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let is_flow =
        |id: &NodeId| matches!(written.tree.kind(*id), NodeKind::Mapping { flow: true, .. });
    let mut placer = Placer {
        written,
        line_break: line_break(written.text),
        splices: Vec::new(),
    };
    placer.set(key, value, entries, around.iter().any(is_flow))?;
    Ok(placer.splices)
}

/// The lines of `defaults`; `None` where the file has none.
pub(super) fn defaults_lines(written: &Written<'_>) -> Option<RangeInclusive<u32>> {
    let (key, value) = entry(written, 0, "defaults")?;
    let first = written.tree.span(key).line;
    let end = written.end(value).max(written.end(key));
    let more = written.text[written.start(key)..end].matches('\n').count();
    Some(first..=first + u32::try_from(more).unwrap_or(u32::MAX))
}

/// The line break of a file: that of its first line.
pub(crate) fn line_break(text: &str) -> &'static str {
    let end = text.find('\n').unwrap_or_default();
    if text[..end].ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    }
}

/// A key and value that are written in a mapping itself.
pub(super) fn entry(
    written: &Written<'_>,
    mapping: NodeId,
    name: &str,
) -> Option<(NodeId, NodeId)> {
    if written.tree.is_empty() {
        return None;
    }
    let mut children = written.tree.children(mapping);
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        if text(written, key) == Some(name) {
            return Some((key, value));
        }
    }
    None
}

fn text<'w>(written: &'w Written<'_>, id: NodeId) -> Option<&'w str> {
    match written.tree.kind(id) {
        NodeKind::Scalar(text, _) => Some(text),
        _ => None,
    }
}

struct Placer<'p, 'a> {
    written: &'p Written<'a>,
    line_break: &'static str,
    splices: Vec<Splice>,
}

/// The keys of a rule on tags.
const SIDES: [&str; 2] = ["present", "absent"];

impl Placer<'_, '_> {
    fn put(&mut self, splice: Splice) {
        self.splices.push(splice);
    }

    /// Gives the mapping that is the value of `key` these entries.
    fn set(
        &mut self,
        key: NodeId,
        value: NodeId,
        entries: &[(String, YamlValue)],
        within_flow: bool,
    ) -> Result<(), String> {
        let written = self.written;
        match &written.tree.node(value).kind {
            NodeKind::Alias(_) => {
                let merged = format!("<<: {}", written.slice(value));
                let own = entries
                    .iter()
                    .map(|(key, form)| flow_entry(key, form, ScalarContext::Flow));
                let all: Vec<String> = std::iter::once(merged).chain(own).collect();
                self.put(Splice::new(
                    written.content(value)..written.end(value),
                    format!("{{ {} }}", all.join(", ")),
                ));
            }
            NodeKind::Scalar(..) => self.fill(key, value, entries, within_flow),
            NodeKind::Mapping { flow, .. } => {
                let (flow, room) = (within_flow || *flow, self.room(value, *flow || within_flow));
                let mut new = Vec::new();
                for (name, form) in entries {
                    match entry(written, value, name) {
                        Some((key, node)) => self.change(key, node, name, form, room, flow)?,
                        None => new.push((name.as_str(), form)),
                    }
                }
                if matches!(
                    written.tree.node(value).kind,
                    NodeKind::Mapping { flow: true, .. }
                ) {
                    self.add_inline(value, &new, room);
                } else {
                    self.add_lines(value, &new);
                }
            }
            NodeKind::Sequence(_) => {
                return Err("a list stands where a mapping was expected".to_owned());
            }
        }
        Ok(())
    }

    /// Nothing is written after the key.
    fn fill(
        &mut self,
        key: NodeId,
        value: NodeId,
        entries: &[(String, YamlValue)],
        within_flow: bool,
    ) {
        let written = self.written;
        let inline = |room| flow(&YamlValue::Map(entries.to_vec()), room);
        let is_empty = written.content(value) >= written.end(value);
        if is_empty && written.start(value) < written.end(value) {
            // An anchor or a tag alone: the mapping is what it is on.
            let end = written.end(value);
            if within_flow {
                self.put(Splice::insert(
                    end,
                    format!(" {}", inline(ScalarContext::Flow)),
                ));
            } else {
                self.put(Splice::insert(
                    written.line_end(end),
                    self.entries_below(key, entries),
                ));
            }
            return;
        }
        if !is_empty {
            self.put(Splice::new(
                written.content(value)..written.end(value),
                inline(ScalarContext::Flow),
            ));
            return;
        }
        let end = written.end(key);
        let colon = written.text[end..]
            .find(|c: char| !c.is_whitespace())
            .map(|at| end + at);
        let colon = colon.filter(|at| written.text[*at..].starts_with(':'));
        match colon {
            Some(at) if within_flow || written.start(value) > end + 1 => self.put(Splice::insert(
                at + 1,
                format!(" {}", inline(ScalarContext::Flow)),
            )),
            None => self.put(Splice::insert(
                end,
                format!(": {}", inline(ScalarContext::Flow)),
            )),
            Some(_) => {
                let lines = self.entries_below(key, entries);
                self.put(Splice::insert(written.line_end(end), lines));
            }
        }
    }

    /// Entries on lines of their own, one level below a key.
    fn entries_below(&self, key: NodeId, entries: &[(String, YamlValue)]) -> String {
        let indent = format!("{}  ", self.indent(key));
        let lines = entries.iter().map(|(key, form)| {
            let entry = block_entry(key, form, &indent, self.line_break);
            format!("{}{indent}{entry}", self.line_break)
        });
        lines.collect()
    }

    fn change(
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

    fn room(&self, mapping: NodeId, is_flow: bool) -> ScalarContext {
        let first = self
            .written
            .tree
            .children(mapping)
            .next()
            .map(|key| &self.written.tree.node(key).kind);
        match first {
            Some(NodeKind::Scalar(_, Style::Double)) if is_flow => ScalarContext::Json,
            _ if is_flow => ScalarContext::Flow,
            _ => ScalarContext::Block,
        }
    }

    /// New entries in `{…}`.
    fn add_inline(&mut self, mapping: NodeId, new: &[(&str, &YamlValue)], room: ScalarContext) {
        let written = self.written;
        let entries: Vec<(NodeId, NodeId)> = pairs(written, mapping);
        let open = written.content(mapping) + 1;
        if entries.is_empty() {
            let all: Vec<String> = new
                .iter()
                .map(|(key, form)| flow_entry(key, form, room))
                .collect();
            if !all.is_empty() {
                self.put(Splice::insert(open, format!(" {} ", all.join(", "))));
            }
            return;
        }
        for (name, form) in new {
            let (key, value) = self
                .before(&entries, name)
                .unwrap_or(entries[entries.len() - 1]);
            let at = written.end(value).max(written.end(key));
            self.put(Splice::insert(
                at,
                format!(", {}", flow_entry(name, form, room)),
            ));
        }
    }

    /// New entries on lines of their own.
    fn add_lines(&mut self, mapping: NodeId, new: &[(&str, &YamlValue)]) {
        let written = self.written;
        let entries = pairs(written, mapping);
        let Some((first, _)) = entries.first().copied() else {
            return;
        };
        let indent = self.indent(first);
        for (name, form) in new {
            let lines = block_entry(name, form, &indent, self.line_break);
            let start = written.start(first);
            let above = written.text[..written.line_start(start)].trim_end_matches(['\r', '\n']);
            let commented = above[above.rfind('\n').map_or(0, |at| at + 1)..]
                .trim_start()
                .starts_with('#');
            match self.before(&entries, name) {
                None if !commented => self.put(Splice::insert(
                    start,
                    format!("{lines}{}{indent}", self.line_break),
                )),
                found => {
                    let (key, value) = found.unwrap_or(entries[entries.len() - 1]);
                    let at = written.line_end(written.end(value).max(written.end(key)));
                    self.put(Splice::insert(
                        at,
                        format!("{}{indent}{lines}", self.line_break),
                    ));
                }
            }
        }
    }

    /// The entry after which a new key goes: the last that comes before it in a lead's order.
    fn before(&self, entries: &[(NodeId, NodeId)], name: &str) -> Option<(NodeId, NodeId)> {
        let rank_of = |key: NodeId| text(self.written, key).map_or(usize::MAX, rank);
        if rank(name) == usize::MAX {
            return entries.last().copied();
        }
        entries
            .iter()
            .rev()
            .find(|(key, _)| rank_of(*key) < rank(name))
            .copied()
    }

    /// The blanks before a node's line, or as many as bring a line to its column.
    fn indent(&self, node: NodeId) -> String {
        let written = self.written;
        let start = written.line_start(written.start(node));
        let line = &written.text[start..];
        let blanks = &line[..line.len() - line.trim_start_matches(' ').len()];
        let column = written.tree.span(node).column.saturating_sub(1) as usize;
        let is_first = start + blanks.len() == written.start(node);
        let of_value = !is_first
            && matches!(
                written.tree.node(node).kind,
                NodeKind::Scalar(_, Style::Literal | Style::Folded)
            );
        if is_first || of_value {
            blanks.to_owned()
        } else {
            " ".repeat(column)
        }
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

pub(super) fn pairs(written: &Written<'_>, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let mut children = written.tree.children(mapping);
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}
