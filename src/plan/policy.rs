//! The guards: checks a plan before the first write.
//!
//! Each refusal names its number, the place of its rule, and how to override it, once or for good.

use std::collections::BTreeMap;

use super::{Action, AgentLoad, Change, Refusal, Source};
use jiff::Timestamp;

use crate::lead::desired::Place;
use crate::lead::{Field, Lead, LeadId, Status, Value};
use crate::observe::Live;
use crate::policy::{
    Agent, ChangeRule, Freeze, Guard, MaxChanges, Policy, Rule, Transition, Verdict,
};
use crate::text::{count, shell_word};

/// The limits of one run.
#[derive(Debug)]
pub struct Limits<'a> {
    /// The policy of the workspace.
    pub policy: &'a Policy,
    /// Agents with their caps.
    pub agents: &'a BTreeMap<String, Agent>,
    /// `--max-changes`, which replaces the policy's limit.
    pub max_changes: Option<MaxChanges>,
    /// `--allow`: guards that are overridden for this run.
    pub allow: &'a [Guard],
    /// The time that freeze windows are compared with; `None` to ignore them.
    pub now: Option<Timestamp>,
    /// Whether the run may write: a freeze window refuses a run that writes, and warns otherwise.
    pub writes: bool,
}

impl<'a> Limits<'a> {
    /// The limits of the workspace, without overrides and without a clock.
    pub fn new(policy: &'a Policy, agents: &'a BTreeMap<String, Agent>) -> Self {
        Self {
            policy,
            agents,
            max_changes: None,
            allow: &[],
            now: None,
            writes: false,
        }
    }

    /// Whether this run overrides a guard.
    pub(super) fn overrides(&self, guard: &Guard) -> bool {
        self.allow.contains(guard) || *guard == Guard::MaxChanges && self.max_changes.is_some()
    }
}

/// What is checked.
pub(super) struct Facts<'a> {
    pub(super) changes: &'a [Change],
    pub(super) live: &'a Live,
    pub(super) declared: usize,
    pub(super) agents: &'a [AgentLoad],
}

/// The refusals and warnings of the guards.
#[derive(Debug, Default)]
pub(super) struct Evaluation {
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<Refusal>,
}

pub(super) fn judge(facts: &Facts<'_>, limits: &Limits<'_>) -> Evaluation {
    let Policy {
        tags: _,
        drift: _,
        max_changes: _,
        deny,
        warn,
        require_agent: statuses,
        rules,
        freeze,
    } = limits.policy;
    let mut refusals = Vec::new();
    refusals.extend(empty_listing(facts));
    refusals.extend(max_changes(facts, limits));
    refusals.extend(
        deny.iter()
            .filter_map(|rule| transition(facts, rule, "is denied", OVERRIDE_TRANSITION)),
    );
    refusals.extend(
        statuses
            .iter()
            .filter_map(|rule| require_agent(facts, rule)),
    );
    refusals.extend(
        facts
            .agents
            .iter()
            .filter_map(|load| max_leads(load, limits.agents)),
    );
    let mut warnings: Vec<Refusal> = warn
        .iter()
        .filter_map(|rule| transition(facts, rule, "requires review", WARNS))
        .collect();
    for rule in rules {
        match rule.verdict {
            Verdict::Deny(_) | Verdict::Max(_) => refusals.extend(change_rule(facts, rule)),
            Verdict::Warn(_) => warnings.extend(change_rule(facts, rule)),
        }
    }
    if let Some(now) = limits.now.filter(|_| !facts.changes.is_empty()) {
        let frozen = freeze.iter().filter(|freeze| freeze.covers(now));
        let verdicts = if limits.writes {
            &mut refusals
        } else {
            &mut warnings
        };
        verdicts.extend(frozen.map(freeze_window));
    }
    refusals.retain(|refusal| !limits.allow.contains(&refusal.rule));
    warnings
        .retain(|warning| warning.rule != Guard::Freeze || !limits.allow.contains(&Guard::Freeze));
    Evaluation { refusals, warnings }
}

fn freeze_window(freeze: &Freeze) -> Refusal {
    let reason = freeze
        .reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    Refusal {
        rule: Guard::Freeze,
        message: format!("nothing is written in the freeze {freeze}{reason}"),
        source: Some(Source::from(&freeze.place)),
        lift:
            "wait for its end; to override once: --allow freeze; to change the rule: policy.freeze"
                .to_owned(),
        leads: Vec::new(),
    }
}

fn change_rule(facts: &Facts<'_>, rule: &ChangeRule) -> Option<Refusal> {
    let leads: Vec<LeadId> = facts
        .changes
        .iter()
        .filter(|change| is_matched(rule, change, facts.live))
        .map(|change| change.uuid.clone())
        .collect();
    let found = count(leads.len(), "lead");
    let (is_met, what) = match &rule.verdict {
        Verdict::Deny(why) | Verdict::Warn(why) => (leads.is_empty(), why.clone()),
        Verdict::Max(most) => (
            leads.len() <= *most as usize,
            format!("one run may change {most}"),
        ),
    };
    let guard = Guard::Rule(rule.name.clone());
    let lift = match rule.verdict {
        Verdict::Warn(_) => "to change the rule: policy.rules".to_owned(),
        Verdict::Deny(_) | Verdict::Max(_) => {
            let argument = shell_word(&guard.to_string());
            format!("to override once: --allow {argument}; to change the rule: policy.rules")
        }
    };
    (!is_met).then(|| Refusal {
        message: format!("{}: {found}: {what}", rule.name),
        rule: guard,
        source: Some(Source::from(&rule.place)),
        lift,
        leads,
    })
}

/// Whether a rule matches a change, by the live lead and by what the change makes of it.
fn is_matched(rule: &ChangeRule, change: &Change, live: &Live) -> bool {
    let before = live.get(&change.uuid).map(|seen| &seen.lead);
    let mut after = before.cloned().unwrap_or_default();
    for field in change.fields.iter() {
        after.set(field.field.clone(), field.after.clone());
    }
    rule.matches(&change.uuid, before, &after)
}

fn empty_listing(facts: &Facts<'_>) -> Option<Refusal> {
    (facts.live.listing.leads_read == 0 && facts.declared > 0).then(|| Refusal {
        rule: Guard::EmptyListing,
        message: format!(
            "the inbox lists no chats, but {} {} declared",
            count(facts.declared, "lead"),
            if facts.declared == 1 { "is" } else { "are" }
        ),
        source: None,
        lift:
            "check api.endpoint, bot_id and customer_id; if the inbox is new: --allow empty-listing"
                .to_owned(),
        leads: Vec::new(),
    })
}

fn max_changes(facts: &Facts<'_>, limits: &Limits<'_>) -> Option<Refusal> {
    let rule = limits.policy.max_changes.as_ref();
    let limit = limits.max_changes.or(rule.map(|rule| rule.value))?;
    let (most, limit) = match limit {
        MaxChanges::Leads(leads) => (leads as usize, format!("{leads}")),
        MaxChanges::Percent(percent) => {
            let most = facts.declared * usize::from(percent) / 100;
            (
                most,
                format!(
                    "{percent}% of {}, which is {most}",
                    count(facts.declared, "declared lead")
                ),
            )
        }
    };
    let changes = facts.changes.len();
    (changes > most).then(|| Refusal {
        rule: Guard::MaxChanges,
        message: format!(
            "{} would change, and the limit is {limit}",
            count(changes, "lead")
        ),
        source: if limits.max_changes.is_some() {
            None
        } else {
            rule.map(|rule| Source::from(&rule.place))
        },
        lift: format!(
            "to override once: --max-changes {changes}; to change the rule: policy.max_changes"
        ),
        leads: Vec::new(),
    })
}

const OVERRIDE_TRANSITION: &str =
    "to override once: --allow transition; to change the rule: policy.transitions";
/// A warning refuses nothing.
const WARNS: &str = "look at these leads; to change the rule: policy.transitions";

fn transition(
    facts: &Facts<'_>,
    rule: &Rule<Transition>,
    effect: &str,
    help: &str,
) -> Option<Refusal> {
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
        rule: Guard::Transition,
        message: format!(
            "{}: {} -> {} {effect}",
            count(leads.len(), "lead"),
            word(&rule.value.from),
            word(&rule.value.to)
        ),
        source: Some(Source::from(&rule.place)),
        lift: help.to_owned(),
        leads,
    })
}

/// Checks only leads whose status or agent this plan writes: an existing violation must not stop unrelated changes.
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
        rule: Guard::RequireAgent,
        message: format!(
            "{} would be in {} without an agent",
            count(leads.len(), "lead"),
            words.join(" or ")
        ),
        source: Some(Source::from(&rule.place)),
        lift:
            "give the lead an `agent:`; to override once: --allow require-agent; to change the rule: policy.require_agent"
                .to_owned(),
        leads,
    })
}

fn max_leads(load: &AgentLoad, agents: &BTreeMap<String, Agent>) -> Option<Refusal> {
    let cap = load.max_leads?;
    let name = load.name.as_deref()?;
    let place: Option<&Place> = agents.get(name).map(|agent| &agent.place);
    (load.after > u64::from(cap) && load.after > load.before).then(|| Refusal {
        rule: Guard::MaxLeads,
        message: format!(
            "{name} would have {} leads ({} now), and the limit is {cap}",
            load.after, load.before
        ),
        source: place.map(Source::from),
        lift: "to override once: --allow max-leads; to change the rule: agents' max_leads"
            .to_owned(),
        leads: Vec::new(),
    })
}
