//! Ids of agents that become names: what a reviewer reads in a file is who, not a number.

use std::borrow::Cow;
use std::sync::Arc;

use crate::lead::AgentId;
use crate::lead_file::emit::AgentNames;
use crate::yaml::diagnostic::SourceFile;
use crate::yaml::quote::{ScalarContext, like};
use crate::yaml::splice::{self, Splice};
use crate::yaml::{NodeId, NodeKind, Style, Written};

/// The text with the name of each agent that has one in place of its id.
pub(crate) fn with_agent_names<'t>(
    file: &Arc<str>,
    text: &'t str,
    names: &AgentNames<'_>,
) -> Cow<'t, str> {
    if !may_have_ids(text) {
        return Cow::Borrowed(text);
    }
    let source = SourceFile {
        file: file.clone(),
        text,
    };
    let Some(written) = Written::read(&source, &mut Vec::new()) else {
        return Cow::Borrowed(text);
    };
    let mut splices = Vec::new();
    for (key, value) in entries(&written, 0) {
        match key {
            "defaults" => splices.extend(agent(&written, value, names)),
            "leads" => {
                for (_, lead) in entries(&written, value) {
                    splices.extend(agent(&written, lead, names));
                }
            }
            _ => {}
        }
    }
    splices.extend(splice::keep_columns(&written, &splices));
    Cow::Owned(splice::into(text, splices))
}

/// Whether an id can be in a text, as its digits or behind escapes. Most files have names only, and are not read for this.
fn may_have_ids(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |byte: &&u8| byte.is_ascii_hexdigit();
    // A row of that length covers one of each multiple of it.
    let is_inside = |at: usize| {
        let before = bytes[..at].iter().rev().take_while(is_digit).count();
        let after = bytes[at..].iter().take_while(is_digit).count();
        after > 0 && before + after >= AgentId::DIGITS
    };
    let mut places = (0..bytes.len()).step_by(AgentId::DIGITS);
    text.contains('\\') || places.any(is_inside)
}

/// The entries that are written in a mapping itself, with the texts of their keys.
fn entries<'w>(written: &'w Written<'_>, id: NodeId) -> Vec<(&'w str, NodeId)> {
    if !matches!(written.tree.node(id).kind, NodeKind::Mapping { .. }) {
        return Vec::new();
    }
    let children: Vec<NodeId> = written.tree.children(id).collect();
    let entry = |pair: &[NodeId]| match written.tree.kind(pair[0]) {
        NodeKind::Scalar(text, _) => Some((text.as_ref(), pair[1])),
        NodeKind::Sequence(_) | NodeKind::Mapping { .. } | NodeKind::Alias(_) => None,
    };
    children.chunks_exact(2).filter_map(entry).collect()
}

fn agent(written: &Written<'_>, lead: NodeId, names: &AgentNames<'_>) -> Option<Splice> {
    let (_, value) = *entries(written, lead)
        .iter()
        .find(|(key, _)| *key == "agent")?;
    let NodeKind::Scalar(text, style) = &written.tree.node(value).kind else {
        return None;
    };
    if matches!(style, Style::Literal | Style::Folded) {
        return None;
    }
    let name = names.name(&AgentId::parse(text.trim())?)?;
    let range = written.content(value)..written.end(value);
    Some(Splice::new(range, like(name, *style, ScalarContext::Flow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_wherever_it_begins() {
        let id = "631aa793bcfa100487d13d0d";
        for before in 0..50 {
            let blanks = " ".repeat(before);
            assert!(may_have_ids(&format!("{blanks}{id}")));
            assert!(may_have_ids(&format!("{blanks}{id}\n")));
            assert!(!may_have_ids(&format!("{blanks}{}\n", &id[1..])));
        }
        assert!(may_have_ids("\"\\x36\""));
        assert!(!may_have_ids(""));
    }
}
