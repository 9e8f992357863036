//! Which new file a lead goes into, and what the file is called.
//!
//! Takes leads, and returns file names that every file system accepts and that no agent's name can turn into a path. Pure.

use std::collections::BTreeMap;

use crate::lead::{AgentId, Field, Lead, LeadId, Status};
use crate::lead_file::emit::AgentNames;

/// What decides which leads share a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// A file for each agent
    Agent,
    /// A file for each status
    Status,
}

impl By {
    /// The field whose value the leads of a file share.
    pub fn field(self) -> Field {
        match self {
            Self::Agent => Field::AGENT,
            Self::Status => Field::STATUS,
        }
    }
}

/// The file's name without its ending, for each lead. An agent that the workspace names has the same file in every pull.
pub fn stems<'l>(
    leads: &[(&'l LeadId, &Lead)],
    by: By,
    names: &AgentNames<'_>,
) -> BTreeMap<&'l LeadId, String> {
    let seen = leads.iter().filter_map(|(_, lead)| lead.agent());
    let agents: BTreeMap<&AgentId, String> = match by {
        By::Agent => agent_stems(names.ids().chain(seen), names),
        By::Status => BTreeMap::new(),
    };
    let stem = |lead: &Lead| match by {
        By::Status => status_stem(lead.status()).to_owned(),
        By::Agent => {
            let known = lead.agent().and_then(|agent| agents.get(agent));
            known.cloned().unwrap_or_else(|| "unassigned".to_owned())
        }
    };
    leads.iter().map(|(id, lead)| (*id, stem(lead))).collect()
}

fn status_stem(status: Option<&Status>) -> &'static str {
    match status {
        Some(Status::Open) => "open",
        Some(Status::InProgress) => "in-progress",
        Some(Status::Review) => "review",
        Some(Status::OnHold) => "on-hold",
        Some(Status::Dependancy) => "dependancy",
        Some(Status::Closed) => "closed",
        Some(Status::Other(_)) => "other-status",
        None => "no-status",
    }
}

/// An agent's name where it is one of its own, else with the id.
fn agent_stems<'l>(
    agents: impl Iterator<Item = &'l AgentId>,
    names: &AgentNames<'_>,
) -> BTreeMap<&'l AgentId, String> {
    let mut made: BTreeMap<&AgentId, String> = agents
        .map(|id| (id, names.name(id).map_or_else(String::new, safe)))
        .collect();
    let mut takers: BTreeMap<String, usize> = BTreeMap::new();
    made.values()
        .for_each(|stem| *takers.entry(stem.clone()).or_default() += 1);
    for (id, stem) in &mut made {
        if stem.is_empty() {
            *stem = id.to_string();
        } else if takers.get(stem).is_some_and(|takers| *takers > 1) || is_reserved(stem) {
            *stem = format!("{stem}-{id}");
        }
    }
    made
}

/// A name as a part of a path: small letters, digits, `-` and `_`.
fn safe(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let made: String = name.chars().take(60).map(letter).collect();
    let parts: Vec<&str> = made.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// Whether the name is that of another group, or of a device on Windows.
fn is_reserved(stem: &str) -> bool {
    let device = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(stem, "unassigned" | "inbox" | "con" | "prn" | "aux" | "nul")
        || device("com")
        || device("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::desired::Place;
    use crate::policy::Agent;

    #[test]
    fn nobody_s_name_is_a_path() {
        let named = [
            "../../etc/passwd",
            "Priya",
            "priya",
            "CON",
            "प्रिया",
            "unassigned",
            "a b/c",
        ];
        let place = Place {
            file: "convertalk.yaml".into(),
            line: 1,
        };
        let id = |number: usize| AgentId::parse(&format!("{number:024x}")).expect("24 hex digits");
        let agent = |number| Agent {
            id: id(number),
            max_leads: None,
            place: place.clone(),
        };
        let agents: BTreeMap<String, Agent> = named
            .iter()
            .enumerate()
            .map(|(number, name)| ((*name).to_owned(), agent(number)))
            .collect();
        let ids: Vec<AgentId> = (0..8).map(id).collect();
        let stems: Vec<String> = agent_stems(ids.iter(), &AgentNames::new(&agents))
            .into_values()
            .collect();
        assert_eq!(stems[0], "etc-passwd");
        assert_eq!(stems[1], format!("priya-{}", ids[1]));
        assert_eq!(stems[3], format!("con-{}", ids[3]));
        assert_eq!(stems[4], ids[4].as_str());
        assert_eq!(stems[5], format!("unassigned-{}", ids[5]));
        assert_eq!(stems[6], "a-b-c");
        assert_eq!(stems[7], ids[7].as_str(), "an agent without a name");
    }
}
