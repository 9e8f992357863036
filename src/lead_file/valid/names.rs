//! The names that lead files use: agents are resolved to ids, tags are compared with the policy's.

use std::collections::BTreeSet;

use super::Checker;
use crate::lead::normal::same;
use crate::lead::{AgentId, TagRule, TagSet, tag};
use crate::yaml::decode::{At, Decoder, odd_text};
use crate::yaml::diagnostic::{Code, Span, meant};
use crate::yaml::excerpt::quoted;

/// Up to this many tags, comparing one by one is faster than a search.
const FEW: usize = 8;

impl Checker<'_> {
    /// `None` where the name is wrong; `Some(None)` for no agent.
    pub(super) fn agent(
        &self,
        reader: &mut Decoder<'_>,
        text: At<&str>,
    ) -> Option<Option<AgentId>> {
        let name = text.value.trim();
        if name == "none" {
            return Some(None);
        }
        let agents = self.vocabulary.agents?;
        if let Some(agent) = agents.get(name) {
            return Some(Some(agent.id.clone()));
        }
        if let Some(id) = AgentId::parse(name) {
            return Some(Some(id));
        }
        let odd = odd_text(name);
        let help = match meant(name, agents.keys().map(String::as_str).chain(["none"])) {
            Some(near) if !odd.is_empty() => format!("write `{near}`: {odd}"),
            Some(near) => format!("did you mean `{near}`?"),
            None if agents.is_empty() => {
                "name the agent in convertalk.yaml under `agents:`, or write the 24-hex id"
                    .to_owned()
            }
            None => {
                let known = agents
                    .keys()
                    .take(8)
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("convertalk.yaml names {known}; a 24-hex id or `none` will do, too")
            }
        };
        reader.error(
            Code::UnknownAgent,
            text.span,
            format!("no agent is called {}", quoted(name)),
            help,
        );
        None
    }

    pub(super) fn patch(
        &self,
        reader: &mut Decoder<'_>,
        span: Span,
        present: &[At<&str>],
        absent: &[At<&str>],
    ) -> TagRule {
        if present.is_empty() && absent.is_empty() {
            let help = "name a tag in `present` or `absent`; `tags: []` clears; leave `tags` out to not manage them";
            reader.error(Code::TagsSayNothing, span, "`tags` names no tag", help);
        }
        for text in absent {
            let is_same = |other: &&At<&str>| same(other.value, text.value);
            if let Some(both) = present.iter().find(is_same) {
                let message = format!("the tag {} is to be present and absent", quoted(text.value));
                let error = reader.source.error(Code::TagOverlap, text.span, message);
                reader.out.push(
                    error
                        .also(reader.source, both.span, "present here")
                        .help("keep it in one of the two lists"),
                );
            }
        }
        TagRule::Patch {
            present: self.tag_set(reader, present),
            absent: self.tag_set(reader, absent),
        }
    }

    pub(super) fn tag_set(&self, reader: &mut Decoder<'_>, list: &[At<&str>]) -> TagSet {
        let mut names = Vec::with_capacity(list.len());
        let mut seen = BTreeSet::new();
        for text in list {
            let Some(name) = tag(text.value) else {
                continue;
            };
            if name.contains(',') {
                let help = "some platforms keep tags as one text with commas, and would read this as several: split it";
                reader.warning(
                    Code::TagWithComma,
                    text.span,
                    format!("the tag {} holds a comma", quoted(&name)),
                    help,
                );
            }
            if self.vocabulary.lacks_tag(&name) {
                let known = self.vocabulary.tags.unwrap_or_default();
                let odd = odd_text(&name);
                let help = match meant(&name, known.iter().map(String::as_str)) {
                    Some(near) if !odd.is_empty() => format!("write `{near}`: {odd}"),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "use a tag of `policy.tags` in convertalk.yaml, or add it there".to_owned()
                    }
                };
                reader.error(
                    Code::UnknownTag,
                    text.span,
                    format!("`policy.tags` does not list {}", quoted(&name)),
                    help,
                );
            }
            let is_known = match list.len() {
                0..=FEW => names.contains(&name),
                _ => !seen.insert(name.clone()),
            };
            if is_known {
                let message = format!("the tag {} appears twice", quoted(&name));
                reader.warning(
                    Code::DuplicateTag,
                    text.span,
                    message,
                    "remove one of the two",
                );
            } else {
                names.push(name);
            }
        }
        names.into()
    }
}
