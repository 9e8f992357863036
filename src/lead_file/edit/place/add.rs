//! Entries that a lead does not have yet, in the order of a lead's keys.

use super::{Placer, pairs, text};
use crate::lead_file::emit::rank;
use crate::yaml::NodeId;
use crate::yaml::quote::ScalarContext;
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, block_entry, flow, flow_entry};

impl Placer<'_, '_> {
    /// Nothing is written after the key.
    pub(super) fn fill(
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

    /// New entries in `{…}`.
    pub(super) fn add_inline(
        &mut self,
        mapping: NodeId,
        new: &[(&str, &YamlValue)],
        room: ScalarContext,
    ) {
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
    pub(super) fn add_lines(&mut self, mapping: NodeId, new: &[(&str, &YamlValue)]) {
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
}
