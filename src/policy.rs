//! What a plan may not do, and who may be given leads: the values of `agents` and `policy` in `convertalk.yaml`.

use std::str::FromStr;

use crate::lead::desired::Place;
use crate::lead::{AgentId, Field, Status};

mod drift;
mod freeze;
mod guard;
mod rule;

pub use drift::{DriftPolicies, DriftPolicy};
pub use freeze::{Freeze, WeekTime, WeeklyError, Window};
pub use guard::{Guard, UnknownGuard};
pub use rule::{ChangeRule, Verdict};

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

/// A value of the policy and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What a plan may not do. Every rule is optional.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The only tags that lead files may ask for.
    pub tags: Option<Rule<Vec<String>>>,
    /// How many leads one run may change.
    pub max_changes: Option<Rule<MaxChanges>>,
    /// Refused moves of the status.
    pub deny: Vec<Rule<Transition>>,
    /// Moves of the status that are reported, and go ahead.
    pub warn: Vec<Rule<Transition>>,
    /// Statuses in which a lead must have an agent.
    pub require_agent: Option<Rule<Vec<Status>>>,
    /// Rules on changes, by the lead before and after.
    pub rules: Vec<ChangeRule>,
    /// Times in which nothing is written.
    pub freeze: Vec<Freeze>,
    /// What is done about drift.
    pub drift: Option<Rule<DriftPolicies>>,
}

impl Policy {
    /// The fields that rules look at, which are read of every lead that is compared.
    pub fn fields(&self) -> Vec<Field> {
        self.rules.iter().flat_map(ChangeRule::fields).collect()
    }
}

/// A number of leads, or a share of the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// A number of leads.
    Leads(u32),
    /// A share of the declared leads.
    Percent(u8),
}

/// The text is not a number of leads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaxChangesError {
    /// Neither digits nor digits and `%`.
    #[error("write a number of leads, such as 50, or a share of the declared leads, such as 20%")]
    Unreadable,
    /// More than all.
    #[error("a share is at most 100%")]
    Share,
}

impl FromStr for MaxChanges {
    type Err = MaxChangesError;

    fn from_str(text: &str) -> Result<Self, MaxChangesError> {
        let text = text.trim();
        let (digits, is_share) = match text.strip_suffix('%') {
            Some(share) => (share.trim_end(), true),
            None => (text, false),
        };
        // `parse` takes a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MaxChangesError::Unreadable);
        }
        let number: u32 = digits.parse().map_err(|_| MaxChangesError::Unreadable)?;
        if !is_share {
            return Ok(Self::Leads(number));
        }
        match u8::try_from(number) {
            Ok(share) if share <= 100 => Ok(Self::Percent(share)),
            _ => Err(MaxChangesError::Share),
        }
    }
}

/// A move from one status to another; `None` stands for `*`, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// From this.
    pub from: Option<Status>,
    /// To this.
    pub to: Option<Status>,
}
