//! The grammar of selectors: terms separated by commas, each a word, a uuid, or a key, an operator and a value.

use std::collections::BTreeMap;

use globset::GlobBuilder;

use super::{SHORTEST_PREFIX, Selector, SelectorProblem, SelectorTest, Term};
use crate::lead::{AgentId, Status, tag};
use crate::policy::Agent;

impl Selector {
    pub(super) fn parse(
        text: &str,
        agents: &BTreeMap<String, Agent>,
    ) -> Result<Self, SelectorProblem> {
        let mut terms = Vec::new();
        for part in parts(text) {
            terms.push(term(part.trim(), agents)?);
        }
        Ok(Self {
            text: text.to_owned(),
            terms,
        })
    }
}

/// Splits a selector into terms at each comma that is neither escaped nor inside the braces of a glob.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut escaped) = (Vec::new(), 0, 0_usize, false);
    for (at, letter) in text.char_indices() {
        let is_glob = text[start..].trim_start().starts_with("file");
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' if is_glob => depth += 1,
            '}' if is_glob => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn term(text: &str, agents: &BTreeMap<String, Agent>) -> Result<Term, SelectorProblem> {
    let Some(at) = text.find(['=', '~']) else {
        let test = match text {
            "" => return Err(SelectorProblem::Empty),
            "held" => SelectorTest::Held,
            "changed" => SelectorTest::Changed,
            text => uuid(text)?,
        };
        return Ok(Term {
            negated: false,
            test,
        });
    };
    let (key, value) = (&text[..at], text[at + 1..].trim().replace("\\,", ","));
    let is_part = text[at..].starts_with('~');
    let (key, negated) = match key.strip_suffix('!') {
        Some(key) if !is_part => (key.trim(), true),
        _ => (key.trim(), false),
    };
    if value.is_empty() {
        return Err(SelectorProblem::NoValue);
    }
    let test = match key {
        "label" if is_part => SelectorTest::Label(value.to_lowercase()),
        _ if is_part => return Err(SelectorProblem::Unknown),
        "uuid" => uuid(&value)?,
        "status" => SelectorTest::Status(status(&value).ok_or(SelectorProblem::Status)?),
        "agent" => SelectorTest::Agent(agent(&value, agents)?),
        "tag" => SelectorTest::Tag(tag(&value).ok_or(SelectorProblem::NoValue)?),
        "file" => SelectorTest::File(glob(&value)?),
        key => match key.strip_prefix("attributes.") {
            Some(key) if !key.is_empty() => SelectorTest::Attribute(key.replace("\\,", ","), value),
            _ => return Err(SelectorProblem::Unknown),
        },
    };
    Ok(Term { negated, test })
}

pub(super) fn uuid(text: &str) -> Result<SelectorTest, SelectorProblem> {
    if text.chars().count() < SHORTEST_PREFIX {
        Err(SelectorProblem::Unknown)
    } else {
        Ok(SelectorTest::Uuid(text.to_owned()))
    }
}

fn status(text: &str) -> Option<Status> {
    Status::WRITABLE
        .into_iter()
        .find(|status| status.as_str().eq_ignore_ascii_case(text))
}

fn agent(name: &str, agents: &BTreeMap<String, Agent>) -> Result<Option<AgentId>, SelectorProblem> {
    if name == "none" {
        return Ok(None);
    }
    let id = agents.get(name).map(|agent| agent.id.clone());
    match id.or_else(|| AgentId::parse(name)) {
        Some(id) => Ok(Some(id)),
        None => {
            let names: Vec<&str> = agents.keys().map(String::as_str).chain(["none"]).collect();
            Err(SelectorProblem::Agent {
                names: names.join(" "),
            })
        }
    }
}

fn glob(text: &str) -> Result<globset::GlobMatcher, SelectorProblem> {
    GlobBuilder::new(text)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| SelectorProblem::Glob(error.kind().to_string()))
}
