//! What a sandbox is told: flags of `convertalk sandbox`, fields for programs and tests.
//!
//! Every doubt in api.md is a switch here; the defaults are what is most likely.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;

use super::choices::{
    AgentKey, Attributes, End, Normalise, Notes, Put, SideEffect, Sort, Tags, TagsShown, Unassign,
    Unknown, WrongToken,
};
use super::fault::Fault;
use crate::duration;

/// A token that is expected of clients. Its text shows nowhere, `Debug` included.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Whether a header carries just this.
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

/// All switches of a sandbox.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Options {
    /// The address to answer at; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)), help_heading = "Data")]
    pub listen: SocketAddr,
    /// First data, YAML or JSON: `{ lead: [records], non-lead: [records] }`, or a sequence of leads
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub seed: Option<PathBuf>,
    /// Generate so many chats, one in ten of them a non-lead
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Data")]
    pub leads: u32,
    /// Keep the data in this file: read where it exists (no seed then), saved after changes and at the end
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub state: Option<PathBuf>,
    /// Keep so many MiB of pages in memory as they were sent, for inboxes too large to be written down anew at each listing
    #[arg(long, value_name = "MIB", default_value_t = 0, help_heading = "Data")]
    pub keep_pages: usize,
    /// Append each request to this file as a line of JSON; no token is written
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub requests: Option<PathBuf>,
    /// What all that is random is drawn from
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Data")]
    pub random_seed: u64,

    /// Accept only this token for listing; any that is not empty unless set
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CONVERTALK_SANDBOX_READ_TOKEN",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub read_token: Option<Token>,
    /// Accept only this token for updates; any that is not empty unless set
    #[arg(
        long,
        value_name = "TOKEN",
        env = "CONVERTALK_SANDBOX_WRITE_TOKEN",
        hide_env_values = true,
        help_heading = "Access"
    )]
    pub write_token: Option<Token>,
    /// Know only this bot; any unless set
    #[arg(long, value_name = "ID", help_heading = "Access")]
    pub bot_id: Option<String>,
    /// Know only this customer; any unless set
    #[arg(long, value_name = "ID", help_heading = "Access")]
    pub customer_id: Option<String>,
    /// The status of an answer to a wrong or missing token
    #[arg(
        long,
        value_name = "STATUS",
        value_enum,
        default_value_t,
        help_heading = "Access"
    )]
    pub wrong_token: WrongToken,

    /// Chats on a page
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100_000), help_heading = "Listing")]
    pub page_size: usize,
    /// What a page past the last one is
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub end: End,
    /// The order of chats; the newest is first
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub sort: Sort,
    /// The shape in which tags are listed
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub tags_shown: TagsShown,
    /// How an agent, and nobody, are listed
    #[arg(long, value_enum, default_value_t, help_heading = "Listing")]
    pub agent_key: AgentKey,
    /// A write is done, and shows in listings, only after this time
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Listing")]
    pub lag: Duration,
    /// A write shows in listings only after so many further list requests
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub lag_reads: u64,
    /// At every N-th list request a chat becomes active and gets new dates; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub churn: u64,
    /// At every N-th list request a new chat arrives; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub arrivals: u64,
    /// At every N-th list request a non-lead turns into a lead; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Listing")]
    pub promote: u64,
    /// An agent edits some chat this often: its status, or another tag, note or attribute; 0 is never
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Listing")]
    pub edits: Duration,
    /// The chat on the border of two pages shows on both
    #[arg(long, help_heading = "Listing")]
    pub duplicates: bool,
    /// Seed and generate records in every odd shape that may be met
    #[arg(long, help_heading = "Listing")]
    pub odd_shapes: bool,

    /// What an update does with the fields that it sends, and leaves out
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
    /// Which agentId takes the agent away
    #[arg(long, value_enum, default_value_t, help_heading = "Updates")]
    pub unassign: Unassign,

    /// What an update makes of texts; may be repeated
    #[arg(long, value_enum, help_heading = "Updates")]
    pub normalise: Vec<Normalise>,
    /// What an update does besides; may be repeated
    #[arg(long, value_enum, help_heading = "Updates")]
    pub side_effect: Vec<SideEffect>,
    /// An update sets its fields one after the other, this far apart
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Updates")]
    pub apart: Duration,

    /// A fault: KIND, then @read or @write or nothing, then =PERCENT% or :N,N… or nothing, as in `429=5%` or `drop-after@write:3,7`; may be repeated
    ///
    /// KIND is 429, 500, 502-html, 503, html (200 with a page), truncated (200, half of the JSON), success-false (200), empty
    /// (200), oversized (200), drop-before and drop-after (the write; no answer), slow or hang. Only truncated, oversized,
    /// drop-after and slow do the write.
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
    /// Say Retry-After as a date
    #[arg(long, help_heading = "Faults")]
    pub retry_after_date: bool,
    /// How late an answer of the fault `slow` is
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::parse, help_heading = "Faults")]
    pub slow: Duration,
    /// How late every answer is
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = "Faults")]
    pub latency: Duration,

    /// Whether requests are kept in memory for [`Sandbox::requests`](super::Sandbox::requests). Not a flag.
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
            wrong_token: WrongToken::default(),
            page_size: 20,
            end: End::default(),
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
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn no_flags_are_the_default() {
        assert_eq!(Cli::parse_from(["sandbox"]).options, Options::default());
    }

    #[test]
    fn flags_are_read() {
        let words = "sandbox --page-size 5 --end not-found-html --tags text-only --fault 429@write:3,7 --fault slow=2.5% --lag 20ms";
        let options = Cli::parse_from(words.split(' ')).options;
        assert_eq!(
            (options.page_size, options.end, options.tags),
            (5, End::NotFoundHtml, Tags::TextOnly)
        );
        assert_eq!(
            (options.faults.len(), options.lag),
            (2, Duration::from_millis(20))
        );
        assert!(Cli::try_parse_from(["sandbox", "--page-size", "0"]).is_err());
        assert!(Cli::try_parse_from(["sandbox", "--wrong-token", "401"]).is_ok());
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
