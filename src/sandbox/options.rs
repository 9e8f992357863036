//! The options of a sandbox: flags of `convertalk sandbox`, fields for programs and tests.
//!
//! Every doubt in api.md is a switch here; the defaults are the most likely behavior.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;

use super::choices::{
    AgentKey, Attributes, ListEnd, Normalise, Notes, Put, SideEffect, SignedBy, Sort, Tags,
    TagsShown, Unassign, Unknown, WrongToken,
};
use super::fault::Fault;
use crate::duration;

/// A token expected from clients. Never printed, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Whether a header contains exactly this token.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for Token {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A header that every request must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedHeader {
    /// The name, in lower case.
    pub name: String,
    /// The value.
    pub value: String,
}

impl FromStr for NamedHeader {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        Ok(Self {
            name: name.trim().to_ascii_lowercase(),
            value: value.trim().to_owned(),
        })
    }
}

/// All options of a sandbox.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Options {
    /// Listen on this address; port 0 chooses a free one
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)), help_heading = "Data")]
    pub listen: SocketAddr,
    /// Initial data in YAML or JSON: `{ lead: [records], non-lead: [records] }`, or a sequence of leads
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub seed: Option<PathBuf>,
    /// Generate N chats, one in ten of them a non-lead
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Data")]
    pub leads: u32,
    /// Store the data in this file: loaded if it exists (instead of the seed), saved after changes and at the end
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub state: Option<PathBuf>,
    /// Cache up to N MiB of pages, for inboxes too large to render for each request
    #[arg(long, value_name = "MIB", default_value_t = 0, help_heading = "Data")]
    pub keep_pages: usize,
    /// Append each request to this file as a line of JSON, without tokens
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub requests: Option<PathBuf>,
    /// Seed for the random generator
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Data")]
    pub random_seed: u64,

    /// Accept only this token for listing [default: any that is not empty]; visible in the process list when given as a flag
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CONVERTALK_SANDBOX_READ_TOKEN",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub read_token: Option<Token>,
    /// Accept only this token for updates [default: any that is not empty]; visible in the process list when given as a flag
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CONVERTALK_SANDBOX_WRITE_TOKEN",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub write_token: Option<Token>,
    /// Accept only this bot [default: any]
    #[arg(long, value_name = "ID", help_heading = "Access")]
    pub bot_id: Option<String>,
    /// Accept only this customer [default: any]
    #[arg(long, value_name = "ID", help_heading = "Access")]
    pub customer_id: Option<String>,
    /// How requests sign in
    #[arg(long, value_enum, default_value_t, help_heading = "Access")]
    pub auth: SignedBy,
    /// Answer 401 to requests without this header, such as `authtype=Key` (repeatable)
    #[arg(
        long = "require-header",
        value_name = "NAME=VALUE",
        help_heading = "Access"
    )]
    pub required: Vec<NamedHeader>,
    /// The status of the answer to a wrong or missing token
    #[arg(
        long,
        value_name = "STATUS",
        value_enum,
        default_value_t,
        help_heading = "Access"
    )]
    pub wrong_token: WrongToken,

    /// Chats per page
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100_000), help_heading = "Listing")]
    pub page_size: usize,
    /// The answer for a page after the last one
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub end: ListEnd,
    /// The order of chats, newest first
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub sort: Sort,
    /// The form in which tags are listed
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub tags_shown: TagsShown,
    /// How an agent, or no agent, is listed
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub agent_key: AgentKey,
    /// Perform a write, and show it in listings, only after this time
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Listing")]
    pub lag: Duration,
    /// Show a write in listings only after N further list requests
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub lag_reads: u64,
    /// At every N-th list request, a chat becomes active and gets new dates; 0 for never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub churn: u64,
    /// At every N-th list request, a new chat arrives; 0 for never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub arrivals: u64,
    /// At every N-th list request, a non-lead becomes a lead; 0 for never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub promote: u64,
    /// Let an agent edit a chat this often: its status, a tag, a note or an attribute; 0 for never
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Listing")]
    pub edits: Duration,
    /// Show the chat on the border of two pages on both
    #[arg(long, help_heading = "Listing")]
    pub duplicates: bool,
    /// Include records in every odd format that may occur
    #[arg(long, help_heading = "Listing")]
    pub odd_shapes: bool,

    /// What an update does with fields that it sends, and with those it leaves out
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub put: Put,
    /// What an update does with tags
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub tags: Tags,
    /// What an update does with notes
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub notes: Notes,
    /// What an update does with attributes
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub attributes: Attributes,
    /// What an update of an unknown uuid does
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub unknown: Unknown,
    /// Which agentId unassigns the agent
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub unassign: Unassign,

    /// How an update normalizes texts (repeatable)
    #[arg(long, value_enum, help_heading = "Updates")]
    pub normalise: Vec<Normalise>,
    /// Side effects of an update (repeatable)
    #[arg(long, value_enum, help_heading = "Updates")]
    pub side_effect: Vec<SideEffect>,
    /// Apply the fields of an update one at a time, with this delay between them
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Updates")]
    pub apart: Duration,

    /// Inject a fault: `KIND[@read|@write][=PERCENT%|:N,N…]`, such as `429=5%` or `drop-after@write:3,7` (repeatable)
    ///
    /// KIND is 429, 500, 502-html, 503, html (200 with a page), truncated (200 with half of the JSON), success-false (200), empty
    /// (200), oversized (200), drop-before and drop-after (before or after the write; no answer), slow or hang. Only truncated, oversized,
    /// drop-after and slow perform the write.
    #[arg(long = "fault", value_name = "FAULT", help_heading = "Faults")]
    pub faults: Vec<Fault>,
    /// The Retry-After of a 429, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 1,
        help_heading = "Faults"
    )]
    pub retry_after: u64,
    /// Send Retry-After as a date
    #[arg(long, help_heading = "Faults")]
    pub retry_after_date: bool,
    /// Answer 429 to requests over N per second
    #[arg(long, value_name = "N", help_heading = "Faults")]
    pub rate: Option<NonZeroU32>,
    /// The delay of an answer with the fault `slow`
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::parse, help_heading = "Faults")]
    pub slow: Duration,
    /// The delay of every answer
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Faults")]
    pub latency: Duration,

    /// Whether to keep requests in memory for [`Sandbox::requests`](super::Sandbox::requests). Not a flag.
    #[arg(skip)]
    pub log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            seed: None,
            leads: 0,
            state: None,
            keep_pages: 0,
            requests: None,
            random_seed: 1,
            read_token: None,
            write_token: None,
            bot_id: None,
            customer_id: None,
            auth: SignedBy::default(),
            required: Vec::new(),
            wrong_token: WrongToken::default(),
            page_size: 20,
            end: ListEnd::default(),
            sort: Sort::default(),
            tags_shown: TagsShown::default(),
            agent_key: AgentKey::default(),
            lag: Duration::ZERO,
            lag_reads: 0,
            churn: 0,
            arrivals: 0,
            promote: 0,
            edits: Duration::ZERO,
            duplicates: false,
            odd_shapes: false,
            put: Put::default(),
            tags: Tags::default(),
            notes: Notes::default(),
            attributes: Attributes::default(),
            unknown: Unknown::default(),
            unassign: Unassign::default(),
            normalise: Vec::new(),
            side_effect: Vec::new(),
            apart: Duration::ZERO,
            faults: Vec::new(),
            retry_after: 1,
            retry_after_date: false,
            rate: None,
            slow: Duration::from_secs(2),
            latency: Duration::ZERO,
            log: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct TestCli {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn no_flags_are_the_default() {
        assert_eq!(TestCli::parse_from(["sandbox"]).options, Options::default());
    }

    #[test]
    fn flags_are_read() {
        let words = "sandbox --page-size 5 --end not-found-html --tags text-only --fault 429@write:3,7 --fault slow=2.5% --lag 20ms";
        let options = TestCli::parse_from(words.split(' ')).options;
        assert_eq!(
            (options.page_size, options.end, options.tags),
            (5, ListEnd::NotFoundHtml, Tags::TextOnly)
        );
        assert_eq!(
            (options.faults.len(), options.lag),
            (2, Duration::from_millis(20))
        );
        assert!(TestCli::try_parse_from(["sandbox", "--page-size", "0"]).is_err());
        assert!(TestCli::try_parse_from(["sandbox", "--wrong-token", "401"]).is_ok());
    }

    #[test]
    fn debug_shows_no_token() {
        let options = Options {
            read_token: Some(Token::from("s3cret")),
            ..Options::default()
        };
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
