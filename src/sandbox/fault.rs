//! Faults: what fails, and at which requests.
//!
//! Owns the notation `KIND[@WHERE][=PERCENT%|:N,N…]`, and the counting and random choice that decide when a fault occurs.

use std::fmt;
use std::str::FromStr;

use super::random::Random;

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// `429`: too many requests, with `Retry-After`; nothing is written.
    TooManyRequests,
    /// `500`: an error envelope; nothing is written.
    InternalError,
    /// `502-html`: a gateway's web page; nothing is written.
    BadGatewayHtml,
    /// `503`: an error envelope; nothing is written.
    Unavailable,
    /// `html`: 200 with a web page; nothing is written.
    Html,
    /// `truncated`: 200 with the first half of the JSON and the length of that half; the write is done.
    Truncated,
    /// `success-false`: 200 with `"success": false`; nothing is written.
    SuccessFalse,
    /// `empty`: 200 without a body; nothing is written.
    Empty,
    /// `oversized`: 200 with a body of 256 MiB, then a broken connection; the write is done.
    Oversized,
    /// `drop-before`: the connection is closed without an answer; nothing is written.
    DropBefore,
    /// `drop-after`: the write is done, then the connection is closed without an answer.
    DropAfter,
    /// `slow`: the correct answer, late; the write is done late, too.
    Slow,
    /// `hang`: no answer as long as the client waits; nothing is written.
    Hang,
}

impl FaultKind {
    /// All kinds, in the order of the help.
    pub const ALL: [Self; 13] = [
        Self::TooManyRequests,
        Self::InternalError,
        Self::BadGatewayHtml,
        Self::Unavailable,
        Self::Html,
        Self::Truncated,
        Self::SuccessFalse,
        Self::Empty,
        Self::Oversized,
        Self::DropBefore,
        Self::DropAfter,
        Self::Slow,
        Self::Hang,
    ];

    /// The name in the notation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyRequests => "429",
            Self::InternalError => "500",
            Self::BadGatewayHtml => "502-html",
            Self::Unavailable => "503",
            Self::Html => "html",
            Self::Truncated => "truncated",
            Self::SuccessFalse => "success-false",
            Self::Empty => "empty",
            Self::Oversized => "oversized",
            Self::DropBefore => "drop-before",
            Self::DropAfter => "drop-after",
            Self::Slow => "slow",
            Self::Hang => "hang",
        }
    }
}

/// The two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultSide {
    /// The listing.
    Read,
    /// The update.
    Write,
}

/// How often a fault occurs.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// At every request.
    Always,
    /// At this percentage of requests, chosen by the seeded generator.
    Percent(f64),
    /// At these requests of its side, counted from 1.
    Nth(Vec<u64>),
}

/// A fault: what, where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// The endpoint; `None` for both.
    pub side: Option<FaultSide>,
    /// How often.
    pub when: When,
}

/// The text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Unknown kind.
    #[error("unknown fault `{0}`; expected one of {kinds}", kinds = Kinds)]
    ChatKind(String),
    /// Neither `read` nor `write`.
    #[error("unknown place `@{0}`; write @read, @write, or nothing for both")]
    FaultSide(String),
    /// Not a percentage.
    #[error("`={0}` is not a percentage of requests; write 0% to 100%, as in =5%")]
    Percent(String),
    /// Not request numbers.
    #[error(
        "`:{0}` is not a list of request numbers; write numbers from 1 separated by commas, as in :3,7"
    )]
    Nth(String),
}

struct Kinds;

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&FaultKind::ALL.map(FaultKind::as_str).join(", "))
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (head, when) = match text.find(['=', ':']) {
            None => (text, When::Always),
            Some(at) if text.as_bytes()[at] == b'=' => (&text[..at], percent(&text[at + 1..])?),
            Some(at) => (&text[..at], nth(&text[at + 1..])?),
        };
        let (kind, side) = match head.split_once('@') {
            None => (head, None),
            Some((kind, "read")) => (kind, Some(FaultSide::Read)),
            Some((kind, "write")) => (kind, Some(FaultSide::Write)),
            Some((_, other)) => return Err(FaultError::FaultSide(other.to_owned())),
        };
        let known = FaultKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind);
        Ok(Self {
            kind: known.ok_or_else(|| FaultError::ChatKind(kind.to_owned()))?,
            side,
            when,
        })
    }
}

fn percent(text: &str) -> Result<When, FaultError> {
    let share = text
        .strip_suffix('%')
        .and_then(|number| number.parse::<f64>().ok());
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .map(When::Percent)
        .ok_or_else(|| FaultError::Percent(text.to_owned()))
}

fn nth(text: &str) -> Result<When, FaultError> {
    let numbers: Result<Vec<u64>, _> = text
        .split(',')
        .map(|number| number.trim().parse())
        .collect();
    numbers
        .ok()
        .filter(|numbers| !numbers.contains(&0))
        .map(When::Nth)
        .ok_or_else(|| FaultError::Nth(text.to_owned()))
}

/// Counts requests and chooses the fault for each.
#[derive(Debug)]
pub(super) struct Faults {
    /// Each fault with the number of requests that it has seen.
    rules: Vec<(Fault, u64)>,
    random: Random,
}

impl Faults {
    pub(super) fn new(rules: &[Fault], random: Random) -> Self {
        Self {
            rules: rules.iter().map(|fault| (fault.clone(), 0)).collect(),
            random,
        }
    }

    /// The first fault that applies to the next request of this side. Every fault counts all requests of its side.
    pub(super) fn strike(&mut self, side: FaultSide) -> Option<FaultKind> {
        let mut struck = None;
        for (fault, seen) in &mut self.rules {
            if fault.side.is_some_and(|wanted| wanted != side) {
                continue;
            }
            *seen += 1;
            let hit = match &fault.when {
                When::Always => true,
                When::Percent(share) => self.random.unit() * 100.0 < *share,
                When::Nth(numbers) => numbers.contains(seen),
            };
            struck = struck.or(hit.then_some(fault.kind));
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_notation() {
        for kind in FaultKind::ALL {
            let fault = Fault {
                kind,
                side: None,
                when: When::Always,
            };
            assert_eq!(kind.as_str().parse(), Ok(fault));
        }
        let fault = Fault {
            kind: FaultKind::DropAfter,
            side: Some(FaultSide::Write),
            when: When::Nth(vec![3, 7]),
        };
        assert_eq!("drop-after@write:3,7".parse(), Ok(fault));
        let fault = Fault {
            kind: FaultKind::BadGatewayHtml,
            side: None,
            when: When::Percent(2.5),
        };
        assert_eq!("502-html=2.5%".parse(), Ok(fault));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, words) in [
            ("418", "unknown fault `418`; expected one of 429, 500"),
            ("429@put", "@read, @write"),
            ("429=5", "as in =5%"),
            ("429=101%", "0% to 100%"),
            ("429:0", "numbers from 1"),
            ("429:", "numbers from 1"),
            ("", "unknown fault"),
        ] {
            assert!(
                text.parse::<Fault>()
                    .is_err_and(|error| error.to_string().contains(words)),
                "{text}"
            );
        }
    }

    #[test]
    fn counts_each_side_for_itself() {
        let rules = [
            "500@write:2".parse().expect("a fault"),
            "503:4".parse().expect("a fault"),
        ];
        let mut faults = Faults::new(&rules, Random::new(1, 1));
        let sides = [
            FaultSide::Write,
            FaultSide::Read,
            FaultSide::Write,
            FaultSide::Read,
            FaultSide::Read,
        ];
        let struck: Vec<_> = sides
            .map(|side| faults.strike(side).map(FaultKind::as_str))
            .into();
        assert_eq!(struck, [None, None, Some("500"), Some("503"), None]);
    }

    #[test]
    fn a_share_is_drawn_the_same_way_each_time() {
        let rules = ["429=20%".parse().expect("a fault")];
        let draw = || {
            let mut faults = Faults::new(&rules, Random::new(1, 7));
            (0..1_000)
                .filter(|_| faults.strike(FaultSide::Read).is_some())
                .count()
        };
        assert_eq!(draw(), draw());
        assert!((150..250).contains(&draw()), "{}", draw());
    }
}
