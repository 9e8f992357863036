//! New leads at the end of a file that is there.

use super::place::{entry, line_break, pairs};
use crate::lead::LeadId;
use crate::yaml::quote::{ScalarContext, scalar};
use crate::yaml::splice::Splice;
use crate::yaml::value::{YamlValue, block_entry, flow, flow_entry};
use crate::yaml::{NodeId, NodeKind, Written};

/// The splice that adds these leads, with a blank line between leads where the file has them.
pub(super) fn leads(
    written: &Written<'_>,
    new: &[(&LeadId, Vec<(String, YamlValue)>)],
) -> Result<Splice, String> {
    let Some((key, value)) = key_of_leads(written) else {
        return without_leads(written, new);
    };
    let nl = line_break(written.text);
    let node = &written.tree.node(value).kind;
    let all = match node {
        NodeKind::Mapping { .. } => pairs(written, value),
        NodeKind::Scalar(..) => Vec::new(),
        NodeKind::Sequence(_) | NodeKind::Alias(_) => {
            return Err("`leads` is not a mapping".to_owned());
        }
    };
    let last = all.last().copied();
    let is_flow = matches!(node, NodeKind::Mapping { flow: true, .. });
    match last {
        Some(last) if is_flow => {
            let entries: String = new
                .iter()
                .map(|(id, put)| format!(", {}", inline(id, put)))
                .collect();
            Ok(Splice::insert(end(written, last), entries))
        }
        Some(last) => {
            let indent = column(written, last.0);
            let gap = match all.len() {
                1 => nl,
                _ if is_apart(written, last.0) => nl,
                _ => "",
            };
            let at = after(written, end(written, last), indent.len());
            let text: String = new
                .iter()
                .map(|(id, put)| format!("{nl}{gap}{indent}{}", block(id, put, &indent, nl)))
                .collect();
            Ok(Splice::insert(at, text))
        }
        None => {
            let text: Vec<String> = new
                .iter()
                .map(|(id, put)| format!("{nl}  {}", block(id, put, "  ", nl)))
                .collect();
            let text = text.join(nl);
            // `leads:`, or `leads: {}` and `leads: ~`, of which the value goes. A comment beside it stays beside the key.
            let is_said = written.end(value) > written.content(value);
            if is_flow || is_said {
                let colon = written.end(key)
                    + written.text[written.end(key)..]
                        .find(':')
                        .unwrap_or_default()
                    + 1;
                let line_end = written.line_end(written.end(value));
                let beside = written.text[written.end(value)..line_end].trim_end();
                if beside.trim_start().starts_with('#') {
                    Ok(Splice::new(colon..line_end, format!("{beside}{text}")))
                } else {
                    Ok(Splice::new(colon..written.end(value), text))
                }
            } else {
                Ok(Splice::insert(written.line_end(written.end(key)), text))
            }
        }
    }
}

/// The key `leads` and its value.
fn key_of_leads(written: &Written<'_>) -> Option<(NodeId, NodeId)> {
    match is_mapping(written) {
        true => entry(written, 0, "leads"),
        false => None,
    }
}

fn is_mapping(written: &Written<'_>) -> bool {
    let tree = &written.tree;
    !tree.is_empty() && matches!(tree.node(0).kind, NodeKind::Mapping { .. })
}

/// The splice that adds `leads` to a file without it: behind its last key, or as the whole of a file that says nothing.
fn without_leads(
    written: &Written<'_>,
    new: &[(&LeadId, Vec<(String, YamlValue)>)],
) -> Result<Splice, String> {
    let nl = line_break(written.text);
    let blocks: Vec<String> = new
        .iter()
        .map(|(id, put)| format!("{nl}  {}", block(id, put, "  ", nl)))
        .collect();
    let leads = format!("leads:{}", blocks.join(nl));
    if !is_mapping(written) {
        let text = written.text;
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            nl
        };
        let all = format!("{gap}version: 1{nl}{nl}{leads}{nl}");
        return Ok(Splice::insert(text.len(), all));
    }
    let last = pairs(written, 0).last().copied();
    let at = last
        .map(|last| end(written, last))
        .ok_or("the file has no key")?;
    if matches!(
        written.tree.node(0).kind,
        NodeKind::Mapping { flow: true, .. }
    ) {
        let entries: Vec<String> = new.iter().map(|(id, put)| inline(id, put)).collect();
        let entries = format!(", leads: {{ {} }}", entries.join(", "));
        return Ok(Splice::insert(at, entries));
    }
    let at = after(written, at, 0);
    Ok(Splice::insert(at, format!("{nl}{nl}{leads}")))
}

fn block(id: &LeadId, put: &[(String, YamlValue)], indent: &str, nl: &str) -> String {
    let key = scalar(id.as_str(), ScalarContext::Flow);
    if put.is_empty() {
        return format!("{key}: {{}}");
    }
    let deeper = format!("{indent}  ");
    let entries = put
        .iter()
        .map(|(key, form)| format!("{nl}{deeper}{}", block_entry(key, form, &deeper, nl)));
    format!("{key}:{}", entries.collect::<String>())
}

fn inline(id: &LeadId, put: &[(String, YamlValue)]) -> String {
    if put.is_empty() {
        return format!(
            "{}: {}",
            scalar(id.as_str(), ScalarContext::Flow),
            flow(&YamlValue::Map(Vec::new()), ScalarContext::Flow)
        );
    }
    flow_entry(
        id.as_str(),
        &YamlValue::Map(put.to_vec()),
        ScalarContext::Flow,
    )
}

fn end(written: &Written<'_>, (key, value): (NodeId, NodeId)) -> usize {
    written.end(value).max(written.end(key))
}

/// The blanks before a key.
fn column(written: &Written<'_>, key: NodeId) -> String {
    let start = written.start(key);
    " ".repeat(start - written.line_start(start))
}

/// Whether a blank line stands before a lead, or before the comments above it.
fn is_apart(written: &Written<'_>, key: NodeId) -> bool {
    let mut at = written.line_start(written.start(key));
    while at > 0 {
        let start = written.line_start(at - 1);
        let line = written.text[start..at].trim();
        if !line.starts_with('#') {
            return line.is_empty();
        }
        at = start;
    }
    false
}

/// The end of the last line of a lead: the comments below it that stand further in than leads do are its own.
fn after(written: &Written<'_>, end: usize, indent: usize) -> usize {
    let mut at = written.line_end(end);
    let mut rest = at;
    while let Some(next) = written.text[rest..]
        .find('\n')
        .map(|found| rest + found + 1)
    {
        let line_end = written.line_end(next);
        let line = &written.text[next..line_end];
        let trimmed = line.trim_start_matches(' ');
        if trimmed.starts_with('#') && line.len() - trimmed.len() > indent {
            at = line_end;
        } else if !trimmed.trim().is_empty() || line_end >= written.text.len() {
            break;
        }
        rest = line_end;
    }
    at
}
