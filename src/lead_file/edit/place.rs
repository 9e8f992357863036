//! Where in a file a value goes: the scalar that says it, or a new key where the lead has none of its own.
//!
//! Only what is written in the lead itself is touched. Where a value comes from elsewhere (`defaults`, an alias, `<<`), the lead gets
//! its own key, and where the whole lead is an alias, a mapping that merges it.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::lead::LeadId;
use crate::yaml::quote::ScalarContext;
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, flow_entry};
use crate::yaml::{NodeId, NodeKind, Style, Written};

mod add;
mod change;

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

/// Collects the splices of an edit.
struct Placer<'p, 'a> {
    written: &'p Written<'a>,
    line_break: &'static str,
    splices: Vec<Splice>,
}

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

pub(super) fn pairs(written: &Written<'_>, mapping: NodeId) -> Vec<(NodeId, NodeId)> {
    let mut children = written.tree.children(mapping);
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}
