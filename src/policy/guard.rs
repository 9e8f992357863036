//! The guards by name: what refuses a plan, or warns about it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What refuses a plan, or warns about it. Shown and read as `max-changes`, `rule:NAME`.
///
/// ```
/// use convertalk::policy::Guard;
///
/// assert_eq!("max-leads".parse(), Ok(Guard::MaxLeads));
/// assert_eq!(Guard::Rule("vip keeps an agent".into()).to_string(), "rule:vip keeps an agent");
/// assert!("max-lead".parse::<Guard>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Guard {
    /// More leads would change than `policy.max_changes` or `--max-changes` permits.
    MaxChanges,
    /// A transition that `policy.transitions` names.
    Transition,
    /// A lead without an agent in a status that `policy.require_agent` names.
    RequireAgent,
    /// More leads for an agent than its `max_leads`.
    MaxLeads,
    /// An inbox that lists nothing at all.
    EmptyListing,
    /// The files and the inbox changed a field to different values.
    Conflict,
    /// The inbox changed, and drift is to fail.
    Drift,
    /// A window of `policy.freeze`.
    Freeze,
    /// The commit is older than the one that was applied last.
    Rewind,
    /// The desired state asks for another inbox.
    Target,
    /// A rule of `policy.rules`, by its name.
    Rule(Box<str>),
    /// Values that a snapshot does not hold. A warning only.
    Snapshot,
    /// The files at the base have errors, so that differences have no classes. A warning only.
    Base,
}

/// The guards that have a fixed name.
const NAMED: [Guard; 12] = [
    Guard::MaxChanges,
    Guard::Transition,
    Guard::RequireAgent,
    Guard::MaxLeads,
    Guard::EmptyListing,
    Guard::Conflict,
    Guard::Drift,
    Guard::Freeze,
    Guard::Rewind,
    Guard::Target,
    Guard::Snapshot,
    Guard::Base,
];

impl Guard {
    /// The guards of a fixed name that `--allow` overrides; rules come to them. The others have flags of their own, or none.
    pub const ALLOWABLE: [Self; 6] = [
        Self::Transition,
        Self::RequireAgent,
        Self::MaxLeads,
        Self::EmptyListing,
        Self::Freeze,
        Self::Rewind,
    ];

    /// Its name where it is fixed; `rule` of every rule.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MaxChanges => "max-changes",
            Self::Transition => "transition",
            Self::RequireAgent => "require-agent",
            Self::MaxLeads => "max-leads",
            Self::EmptyListing => "empty-listing",
            Self::Conflict => "conflict",
            Self::Drift => "drift",
            Self::Freeze => "freeze",
            Self::Rewind => "rewind",
            Self::Target => "target",
            Self::Rule(_) => "rule",
            Self::Snapshot => "snapshot",
            Self::Base => "base",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "{}:{name}", self.kind()),
            named => f.write_str(named.kind()),
        }
    }
}

/// The text is not the name of a guard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a guard")]
pub struct UnknownGuard(String);

impl FromStr for Guard {
    type Err = UnknownGuard;

    fn from_str(text: &str) -> Result<Self, UnknownGuard> {
        let rule = text.strip_prefix("rule:").filter(|name| !name.is_empty());
        if let Some(name) = rule {
            return Ok(Self::Rule(name.into()));
        }
        let mut named = NAMED.into_iter();
        named
            .find(|guard| guard.kind() == text)
            .ok_or_else(|| UnknownGuard(text.to_owned()))
    }
}

impl TryFrom<String> for Guard {
    type Error = UnknownGuard;

    fn try_from(text: String) -> Result<Self, UnknownGuard> {
        text.parse()
    }
}

impl From<Guard> for String {
    fn from(guard: Guard) -> Self {
        guard.to_string()
    }
}
