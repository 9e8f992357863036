//! The guards: what a plan may not do, judged before the first write.
//!
//! Each refusal names its number, the place of its rule, and how to lift it, once or for good.

use std::collections::BTreeMap;

use super::{Action, AgentLoad, Change, Refusal, Source};
use crate::lead::desired::Place;
use crate::lead::{Field, Lead, LeadId, Status, Value};
use crate::observe::Live;
use crate::policy::{Agent, MaxChanges, Policy, Rule, Transition};
use crate::text::count;

/// A guard that one run may lift with `--allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Allow {
    /// Moves of the status that `policy.transitions.deny` names.
    Transition,
    /// Leads without an agent in a status that `policy.require_agent` names.
    RequireAgent,
    /// More leads for an agent than its `max_leads`.
    MaxLeads,
    /// An inbox that lists nothing at all.
    EmptyListing,
}

/// The limits of one run.
#[derive(Debug)]
pub struct Limits<'a> {
    /// The workspace's.
    pub policy: &'a Policy,
    /// Agents with their caps.
    pub agents: &'a BTreeMap<String, Agent>,
    /// `--max-changes`: instead of the policy's.
    pub max_changes: Option<MaxChanges>,
    /// `--allow`: guards that are lifted for this run.
    pub allow: &'a [Allow],
}

impl Limits<'_> {
    /// Whether this run lifts a rule.
    pub(super) fn lifts(&self, rule: &str) -> bool {
        let named = |guard: &Allow| match guard {
            Allow::Transition => "transition",
            Allow::RequireAgent => "require-agent",
            Allow::MaxLeads => "max-leads",
            Allow::EmptyListing => "empty-listing",
        };
        rule == "max-changes" && self.max_changes.is_some()
            || self.allow.iter().any(|guard| named(guard) == rule)
    }
}

/// What is judged.
pub(super) struct Facts<'a> {
    pub(super) changes: &'a [Change],
    pub(super) live: &'a Live,
    pub(super) declared: usize,
    pub(super) agents: &'a [AgentLoad],
}

/// What the guards say.
#[derive(Debug, Default)]
pub(super) struct Evaluation {
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<Refusal>,
}

pub(super) fn judge(facts: &Facts<'_>, limits: &Limits<'_>) -> Evaluation {
    let allowed = |guard| limits.allow.contains(&guard);
    let mut refusals = Vec::new();
    if !allowed(Allow::EmptyListing) {
        refusals.extend(empty_listing(facts));
    }
    refusals.extend(max_changes(facts, limits));
    if !allowed(Allow::Transition) {
        refusals.extend(
            limits
                .policy
                .deny
                .iter()
                .filter_map(|rule| transition(facts, rule, "is denied")),
        );
    }
    if !allowed(Allow::RequireAgent) {
        refusals.extend(
            limits
                .policy
                .require_agent
                .as_ref()
                .and_then(|rule| require_agent(facts, rule)),
        );
    }
    if !allowed(Allow::MaxLeads) {
        refusals.extend(
            facts
                .agents
                .iter()
                .filter_map(|load| max_leads(load, limits.agents)),
        );
    }
    let warnings = limits
        .policy
        .warn
        .iter()
        .filter_map(|rule| transition(facts, rule, "wants a second look"))
        .collect();
    Evaluation { refusals, warnings }
}

fn empty_listing(facts: &Facts<'_>) -> Option<Refusal> {
    (facts.live.listing.leads_read == 0 && facts.declared > 0).then(|| Refusal {
        rule: "empty-listing".to_owned(),
        message: format!(
            "the inbox lists no chats at all, but {} {} declared",
            count(facts.declared, "lead"),
            if facts.declared == 1 { "is" } else { "are" }
        ),
        source: None,
        lift: "check api.endpoint, bot_id and customer_id; if the inbox is really new: --allow empty-listing".to_owned(),
        leads: Vec::new(),
    })
}

fn max_changes(facts: &Facts<'_>, limits: &Limits<'_>) -> Option<Refusal> {
    let rule = limits.policy.max_changes.as_ref();
    let limit = limits.max_changes.or(rule.map(|rule| rule.value))?;
    let (most, told) = match limit {
        MaxChanges::Leads(leads) => (leads as usize, format!("{leads}")),
        MaxChanges::Percent(percent) => {
            let most = facts.declared * usize::from(percent) / 100;
            (
                most,
                format!(
                    "{percent}% of {}, that is {most}",
                    count(facts.declared, "declared lead")
                ),
            )
        }
    };
    let changes = facts.changes.len();
    (changes > most).then(|| Refusal {
        rule: "max-changes".to_owned(),
        message: format!(
            "{} would change, and the limit is {told}",
            count(changes, "lead")
        ),
        source: if limits.max_changes.is_some() {
            None
        } else {
            rule.map(|rule| Source::from(&rule.place))
        },
        lift: format!("once: --max-changes {changes}; for good: policy.max_changes"),
        leads: Vec::new(),
    })
}

fn transition(facts: &Facts<'_>, rule: &Rule<Transition>, verdict: &str) -> Option<Refusal> {
    let matches = |wanted: &Option<Status>, status: Option<&Status>| {
        wanted.is_none() || wanted.as_ref() == status
    };
    let moves = |change: &&Change| {
        let status = change
            .fields
            .iter()
            .find(|field| field.field == Field::STATUS);
        status.is_some_and(|status| {
            let (from, to) = (status.before.choice(), status.after.choice());
            change.action == Action::Update
                && matches(&rule.value.from, from)
                && matches(&rule.value.to, to)
        })
    };
    let leads: Vec<LeadId> = facts
        .changes
        .iter()
        .filter(moves)
        .map(|change| change.uuid.clone())
        .collect();
    let word =
        |status: &Option<Status>| status.as_ref().map_or("*".to_owned(), ToString::to_string);
    (!leads.is_empty()).then(|| Refusal {
        rule: "transition".to_owned(),
        message: format!(
            "{}: {} -> {} {verdict}",
            count(leads.len(), "lead"),
            word(&rule.value.from),
            word(&rule.value.to)
        ),
        source: Some(Source::from(&rule.place)),
        lift: "once: --allow transition; for good: policy.transitions".to_owned(),
        leads,
    })
}

/// Only leads whose status or agent this plan writes: what is wrong already is no reason to stop what is not about it.
fn require_agent(facts: &Facts<'_>, rule: &Rule<Vec<Status>>) -> Option<Refusal> {
    let breaks = |change: &&Change| {
        let live = facts.live.get(&change.uuid).map(|seen| &seen.lead);
        let written = |field: Field| {
            change
                .fields
                .iter()
                .find(|other| other.field == field)
                .map(|other| &other.after)
        };
        let (status, agent) = (written(Field::STATUS), written(Field::AGENT));
        if status.is_none() && agent.is_none() && change.action == Action::Update {
            return false;
        }
        let status = status
            .and_then(Value::choice)
            .or(live.and_then(Lead::status));
        let assigned = match agent {
            Some(agent) => agent.reference().is_some(),
            None => live.is_some_and(|live| live.agent().is_some()),
        };
        !assigned && status.is_some_and(|status| rule.value.contains(status))
    };
    let leads: Vec<LeadId> = facts
        .changes
        .iter()
        .filter(breaks)
        .map(|change| change.uuid.clone())
        .collect();
    let words: Vec<&str> = rule.value.iter().map(Status::as_str).collect();
    (!leads.is_empty()).then(|| Refusal {
        rule: "require-agent".to_owned(),
        message: format!(
            "{} would be in {} without an agent",
            count(leads.len(), "lead"),
            words.join(" or ")
        ),
        source: Some(Source::from(&rule.place)),
        lift:
            "give the lead an `agent:`; once: --allow require-agent; for good: policy.require_agent"
                .to_owned(),
        leads,
    })
}

fn max_leads(load: &AgentLoad, agents: &BTreeMap<String, Agent>) -> Option<Refusal> {
    let cap = load.max_leads?;
    let name = load.name.as_deref()?;
    let place: Option<&Place> = agents.get(name).map(|agent| &agent.place);
    (load.after > u64::from(cap) && load.after > load.before).then(|| Refusal {
        rule: "max-leads".to_owned(),
        message: format!(
            "{name} would have {} leads ({} now), and the limit is {cap}",
            load.after, load.before
        ),
        source: place.map(Source::from),
        lift: "once: --allow max-leads; for good: agents' max_leads".to_owned(),
        leads: Vec::new(),
    })
}
