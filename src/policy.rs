//! What a plan may not do, and who may be given leads: the values of `agents` and `policy` in `convertalk.yaml`.

use crate::desired::Place;
use crate::lead::{AgentId, Status};

/// An agent that has a name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The platform's id.
    pub id: AgentId,
    /// How many leads the agent may have after a run.
    pub max_leads: Option<u32>,
    /// Where the cap, or else the name, stands.
    pub place: Place,
}

/// A value of the policy and the line that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What a plan may not do. Every rule is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The only tags that lead files may ask for.
    pub tags: Option<Rule<Vec<String>>>,
    /// How many leads one run may change.
    pub max_changes: Option<Rule<MaxChanges>>,
    /// Refused moves of the status.
    pub deny: Vec<Rule<Transition>>,
    /// Moves of the status that are told, and go ahead.
    pub warn: Vec<Rule<Transition>>,
    /// Statuses in which a lead must have an agent.
    pub require_agent: Option<Rule<Vec<Status>>>,
}

/// A number of leads, or a share of the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// So many leads.
    Leads(u32),
    /// So many of a hundred declared leads.
    Percent(u8),
}

/// A move from one status to another; `None` stands for `*`, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// From this.
    pub from: Option<Status>,
    /// To this.
    pub to: Option<Status>,
}
