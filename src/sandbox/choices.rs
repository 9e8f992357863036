//! The values of switches that choose between several behaviors. The first value of each is the default, and the most likely one.

use clap::ValueEnum;

/// The two types of chat, each with its own listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum ChatKind {
    /// `lead`
    Lead,
    /// `non-lead`
    NonLead,
}

impl ChatKind {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::Lead, Self::NonLead];

    /// The value in the query and in a seed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::NonLead => "non-lead",
        }
    }
}

/// The status of the answer to a wrong or missing token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum WrongToken {
    /// With a message about 24 hex characters, as on a related endpoint
    #[default]
    #[value(name = "400")]
    BadRequest,
    /// Unauthorized
    #[value(name = "401")]
    Unauthorized,
    /// Forbidden
    #[value(name = "403")]
    Forbidden,
}

/// How requests sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SignedBy {
    /// A token in the header `x-bot-token` for listing, in `x-bp-token` for updates
    #[default]
    Token,
    /// `Authorization: Bearer TOKEN`
    Bearer,
}

/// How a list ends: the answer for a page after the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListEnd {
    /// `data` is an empty array
    #[default]
    Empty,
    /// The envelope has no `data`
    MissingData,
    /// `data` is null
    NullData,
    /// 404 with an envelope
    NotFound,
    /// 404 with a web page
    NotFoundHtml,
    /// The last page again
    RepeatLast,
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// By `updatedAt`: an update moves a chat to the front
    #[default]
    Updated,
    /// By `createdAt`
    Created,
    /// As seeded; only new chats are added at the front
    None,
}

/// What an update does with tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Tags {
    /// Replaces the chat's tags
    #[default]
    Replace,
    /// Adds to the chat's tags
    Add,
    /// Ignores them
    Ignore,
    /// As replace, but tags are stored and listed as one comma-separated text; an array is answered with 400
    TextOnly,
}

/// The form in which tags are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TagsShown {
    /// As stored: an array, unless the seed has another form
    #[default]
    Array,
    /// One comma-separated text
    Text,
}

/// What an update does with fields that it sends, and with those it leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Put {
    /// Sets the fields that are sent, leaves the others
    #[default]
    Partial,
    /// Sets the fields that are sent, clears the others (status becomes OPEN)
    Replace,
    /// Reports success and changes nothing
    Ignore,
}

/// What an update does with notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Notes {
    /// Replaces the chat's notes; equal ones keep their `_id`
    #[default]
    Replace,
    /// Adds each note, even if an equal one exists
    Append,
    /// Replaces the chat's notes with exactly what was sent; adds no keys
    Verbatim,
}

/// What a platform makes of texts that it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Normalise {
    /// Trims surrounding white space
    Trim,
    /// Ends lines with CR LF
    Crlf,
    /// Converts email addresses to lower case
    LowerEmail,
    /// Converts tags to lower case
    LowerTags,
    /// Composes characters
    Nfc,
    /// Escapes `&`, `<`, `>` and `"` as in HTML, again at each write
    Html,
    /// Truncates to 40 characters
    Cut,
    /// Keeps at most 5 tags of a chat
    Cap,
}

/// What an update does besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SideEffect {
    /// Assigning an agent sets the status to INPROGRESS
    AssignOpens,
    /// Closing unassigns the agent
    CloseUnassigns,
}

/// What an update does with attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Attributes {
    /// Sets the keys that are sent, leaves the others
    #[default]
    Merge,
    /// Replaces the chat's attributes, exactly as sent
    Replace,
}

/// What an update of an unknown uuid does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Unknown {
    /// Creates a lead with that uuid
    #[default]
    Create,
    /// Answers 404
    Reject,
    /// Reports success and changes nothing
    Ignore,
}

/// Which `agentId` unassigns the agent; the other value is ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Unassign {
    /// An empty text, or null
    #[default]
    Either,
    /// An empty text
    Empty,
    /// Null
    Null,
    /// Neither
    Never,
}

/// How an agent, or no agent, is listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AgentKey {
    /// An id; no key without an agent
    #[default]
    Missing,
    /// An id; null without an agent
    Null,
    /// An id; an empty text without an agent
    Empty,
    /// An object with `_id` and `name`; no key without an agent
    Object,
}
