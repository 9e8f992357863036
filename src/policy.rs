//! Policy: the values of `agents` and `policy` in `convertalk.yaml`.

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

/// An agent with a name in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The id on the platform.
    pub id: AgentId,
    /// The maximum number of leads after a run.
    pub max_leads: Option<u32>,
    /// The place of the cap, or else of the name.
    pub place: Place,
}

/// A value of the policy and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub place: Place,
}

/// The limits of a plan. Every rule is optional.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The only tags that lead files may use.
    pub tags: Option<Rule<Vec<String>>>,
    /// The maximum number of leads that one run may change.
    pub max_changes: Option<Rule<MaxChanges>>,
    /// Status transitions that are refused.
    pub deny: Vec<Rule<Transition>>,
    /// Status transitions that cause a warning.
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

/// A number of leads, or a percentage of the declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// A number of leads.
    Leads(u32),
    /// A percentage of the declared leads.
    Percent(u8),
}

/// The text is not a number of leads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaxChangesError {
    /// Neither digits nor a percentage.
    #[error(
        "expected a number of leads, such as 50, or a percentage of the declared leads, such as 20%"
    )]
    Unreadable,
    /// More than 100%.
    #[error("a percentage must be 100% or less")]
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
        // `parse` accepts a sign.
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

/// A status transition; `None` stands for `*`, any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The status before.
    pub from: Option<Status>,
    /// The status after.
    pub to: Option<Status>,
}
