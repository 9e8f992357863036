//! Totals specific to leads: status transitions, and each agent's number of leads before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::{AgentLoad, Change, TransitionCount};
use crate::lead::{AgentId, Field, Status};
use crate::observe::Live;
use crate::policy::Agent;

/// Counts the status transitions.
pub(super) fn transitions(changes: &[Change]) -> Vec<TransitionCount> {
    let mut counts: BTreeMap<(Option<String>, String), usize> = BTreeMap::new();
    for field in changes
        .iter()
        .flat_map(|change| change.fields.iter())
        .filter(|change| change.field == Field::STATUS)
    {
        if let Some(to) = field.after.choice() {
            let from = field.before.choice().map(Status::to_string);
            *counts.entry((from, to.to_string())).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|((from, to), count)| TransitionCount { from, to, count })
        .collect()
}

/// Each agent's number of leads: agents with a name by name, then the others by id. Where not the whole inbox was read, `saved` are the
/// numbers of a plan whose leads alone were read again.
pub(super) fn workload(
    changes: &[Change],
    live: &Live,
    saved: &[AgentLoad],
    named: &BTreeMap<String, Agent>,
) -> Vec<AgentLoad> {
    let mut before: BTreeMap<String, u64> = BTreeMap::new();
    match &live.workload {
        Some(counts) => before.extend(
            counts
                .iter()
                .map(|(agent, count)| (agent.to_string(), *count)),
        ),
        None if !saved.is_empty() => {
            before.extend(saved.iter().map(|load| (load.id.clone(), load.before)));
        }
        None => {
            for agent in live.leads.values().filter_map(|seen| seen.lead.agent()) {
                *before.entry(agent.to_string()).or_default() += 1;
            }
        }
    }
    let mut after = before.clone();
    let moves = changes
        .iter()
        .flat_map(|change| change.fields.iter())
        .filter(|change| change.field == Field::AGENT);
    for change in moves {
        if let Some(from) = change.before.reference() {
            let count = after.entry(from.to_string()).or_default();
            *count = count.saturating_sub(1);
        }
        if let Some(to) = change.after.reference() {
            *after.entry(to.to_string()).or_default() += 1;
        }
    }
    let load = |id: &str, name: Option<&str>, max_leads| AgentLoad {
        id: id.to_owned(),
        name: name.map(str::to_owned),
        before: before.get(id).copied().unwrap_or_default(),
        after: after.get(id).copied().unwrap_or_default(),
        max_leads,
    };
    let known: BTreeSet<&AgentId> = named.values().map(|agent| &agent.id).collect();
    let with_name = named
        .iter()
        .map(|(name, agent)| load(agent.id.as_str(), Some(name), agent.max_leads));
    let others = after
        .keys()
        .filter(|id| !known.iter().any(|agent| agent.as_str() == id.as_str()));
    with_name
        .chain(others.map(|id| load(id, None, None)))
        .collect()
}
