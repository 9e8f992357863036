//! `--only`: the declared leads that a run is about.
//!
//! A selector is about what the files say, not about the inbox. Several add up, as terraform's `-target` does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use crate::desired::{Desired, DesiredLead};
use crate::lead::{AgentId, Lead, LeadId, Status, TagRule, Wanted};
use crate::policy::Agent;

/// The shortest beginning of a uuid that is taken for it.
const SHORTEST_PREFIX: usize = 4;

/// Any of these selectors; every lead where there are none.
#[derive(Debug, Default)]
pub struct Selection(Vec<Selector>);

#[derive(Debug)]
enum Selector {
    Uuid(String),
    Status(Status),
    Agent(Option<AgentId>),
    Tag(String),
    File(GlobMatcher),
}

/// A selector that says nothing, or selects nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("--only {text}: {reason}")]
pub struct BadSelector {
    /// As it was written.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl Selection {
    /// Reads selectors; agents by the workspace's names or by id.
    ///
    /// # Errors
    /// The first one that is not a selector.
    pub fn parse(texts: &[String], agents: &BTreeMap<String, Agent>) -> Result<Self, BadSelector> {
        let one = |text: &String| {
            selector(text, agents).map_err(|reason| BadSelector {
                text: text.clone(),
                reason,
            })
        };
        texts.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The leads that are selected.
    ///
    /// # Errors
    /// Nothing is: a run about nothing is a typing error. Or the beginning of a uuid fits several.
    pub fn of<'a>(&self, desired: &'a Desired) -> Result<Cow<'a, Desired>, BadSelector> {
        if self.0.is_empty() {
            return Ok(Cow::Borrowed(desired));
        }
        for selector in &self.0 {
            if let Selector::Uuid(prefix) = selector {
                let fitting = desired
                    .keys()
                    .filter(|id| id.as_str().starts_with(prefix.as_str()))
                    .count();
                let reason = match fitting {
                    0 => "no declared lead has this uuid".to_owned(),
                    1 => continue,
                    _ if desired.contains_key(prefix.as_str()) => continue,
                    several => format!("{several} declared leads begin with this"),
                };
                return Err(BadSelector {
                    text: prefix.clone(),
                    reason,
                });
            }
        }
        let all = desired.len();
        let exact = |prefix: &String| desired.contains_key(prefix.as_str());
        let exact: Vec<bool> = self
            .0
            .iter()
            .map(|selector| matches!(selector, Selector::Uuid(prefix) if exact(prefix)))
            .collect();
        let chosen = |id: &LeadId, lead: &DesiredLead| {
            self.0
                .iter()
                .zip(&exact)
                .any(|(selector, exact)| selector.selects(id, lead, *exact))
        };
        let selected = desired.iter().filter(|(id, lead)| chosen(id, lead));
        let selected: Desired = selected
            .map(|(id, lead)| (id.clone(), lead.clone()))
            .collect();
        if selected.is_empty() {
            return Err(BadSelector {
                text: "…".to_owned(),
                reason: format!("none of {all} declared leads is selected"),
            });
        }
        Ok(Cow::Owned(selected))
    }
}

impl Selection {
    /// Of live leads, those that are selected by what the inbox shows of them.
    ///
    /// # Errors
    /// A `file=`, which no inbox knows; the beginning of a uuid that fits several, or none; nothing is selected.
    pub fn of_live<'l>(
        &self,
        live: Vec<(&'l LeadId, &'l Lead)>,
    ) -> Result<Vec<(&'l LeadId, &'l Lead)>, BadSelector> {
        if self.0.is_empty() {
            return Ok(live);
        }
        for selector in &self.0 {
            let (text, reason) = match selector {
                Selector::File(glob) => {
                    let reason = "files are about what is declared; a pull takes uuid, status=, agent= and tag=";
                    (format!("file={}", glob.glob().glob()), reason.to_owned())
                }
                Selector::Uuid(uuid) => {
                    let exact = live.iter().any(|(id, _)| id.as_str() == uuid);
                    match live
                        .iter()
                        .filter(|(id, _)| id.as_str().starts_with(uuid.as_str()))
                        .count()
                    {
                        0 => (
                            uuid.clone(),
                            "no lead of the inbox has this uuid".to_owned(),
                        ),
                        several if several > 1 && !exact => (
                            uuid.clone(),
                            format!("{several} leads of the inbox begin with this"),
                        ),
                        _ => continue,
                    }
                }
                _ => continue,
            };
            return Err(BadSelector { text, reason });
        }
        let all = live.len();
        let exact = |uuid: &String| live.iter().any(|(id, _)| id.as_str() == uuid);
        let exact: Vec<bool> = self
            .0
            .iter()
            .map(|selector| matches!(selector, Selector::Uuid(uuid) if exact(uuid)))
            .collect();
        let chosen = |id: &LeadId, lead: &Lead| {
            self.0
                .iter()
                .zip(&exact)
                .any(|(selector, exact)| selector.shows(id, lead, *exact))
        };
        let selected: Vec<_> = live
            .iter()
            .copied()
            .filter(|(id, lead)| chosen(id, lead))
            .collect();
        if selected.is_empty() {
            return Err(BadSelector {
                text: "…".to_owned(),
                reason: format!("none of {all} leads of the inbox is selected"),
            });
        }
        Ok(selected)
    }
}

fn selector(text: &str, agents: &BTreeMap<String, Agent>) -> Result<Selector, String> {
    let Some((key, value)) = text.split_once('=') else {
        return match text.trim() {
            short if short.len() < SHORTEST_PREFIX => Err(format!(
                "a uuid, or its first {SHORTEST_PREFIX} characters or more; or status=, agent=, tag=, file="
            )),
            uuid => Ok(Selector::Uuid(uuid.to_owned())),
        };
    };
    match key.trim() {
        "uuid" => Ok(Selector::Uuid(value.to_owned())),
        "status" => Status::writable(value)
            .map(Selector::Status)
            .ok_or_else(|| {
                format!(
                    "not a status; one of {}",
                    Status::WRITABLE.map(|status| status.to_string()).join(" ")
                )
            }),
        "agent" if value == "none" => Ok(Selector::Agent(None)),
        "agent" => match agents
            .get(value)
            .map(|agent| agent.id.clone())
            .or_else(|| AgentId::parse(value))
        {
            Some(id) => Ok(Selector::Agent(Some(id))),
            None => Err(format!(
                "not an agent of the workspace; one of {}",
                agents
                    .keys()
                    .map(String::as_str)
                    .chain(["none"])
                    .collect::<Vec<_>>()
                    .join(" ")
            )),
        },
        "tag" => Ok(Selector::Tag(value.trim().to_owned())),
        "file" => GlobBuilder::new(value)
            .literal_separator(true)
            .build()
            .map(|glob| Selector::File(glob.compile_matcher()))
            .map_err(|error| error.kind().to_string()),
        _ => Err("a uuid, status=, agent=, tag= or file=".to_owned()),
    }
}

impl Selector {
    fn selects(&self, id: &LeadId, lead: &DesiredLead, exact: bool) -> bool {
        let wants =
            |test: &dyn Fn(&Wanted) -> bool| lead.demands.iter().any(|demand| test(&demand.wanted));
        match self {
            Self::Uuid(uuid) if exact => id.as_str() == uuid,
            Self::Uuid(prefix) => id.as_str().starts_with(prefix.as_str()),
            Self::Status(status) => {
                wants(&|wanted| matches!(wanted, Wanted::Status(other) if other == status))
            }
            Self::Agent(agent) => {
                wants(&|wanted| matches!(wanted, Wanted::Agent(other) if other == agent))
            }
            Self::Tag(tag) => {
                wants(&|wanted| matches!(wanted, Wanted::Tags(rule) if asks_for(rule, tag)))
            }
            Self::File(glob) => glob.is_match(&*lead.place.file),
        }
    }
}

impl Selector {
    /// Whether a live lead is one of those meant.
    fn shows(&self, id: &LeadId, lead: &Lead, exact: bool) -> bool {
        match self {
            Self::Uuid(uuid) if exact => id.as_str() == uuid,
            Self::Uuid(prefix) => id.as_str().starts_with(prefix.as_str()),
            Self::Status(status) => lead.status.as_ref() == Some(status),
            Self::Agent(agent) => lead.agent == *agent,
            Self::Tag(tag) => lead.tags.contains(tag),
            Self::File(_) => false,
        }
    }
}

fn asks_for(rule: &TagRule, tag: &str) -> bool {
    rule.asked().contains(tag)
}
