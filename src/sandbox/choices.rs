//! The values of the switches that choose one of several ways; the first of each is the default, the most likely one.

use clap::ValueEnum;

/// The two types of chat, each with a listing of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Kind {
    /// `lead`
    Lead,
    /// `non-lead`
    NonLead,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Lead, Self::NonLead];

    /// The word in the query and in a seed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::NonLead => "non-lead",
        }
    }
}

/// The status of an answer to a wrong or missing token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum WrongToken {
    /// With a message about 24 hex characters, as on a sister endpoint
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

/// How a list ends: what a page past the last one is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum End {
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
    /// The last page once more
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
    /// As seeded; only new chats come to the front
    None,
}

/// What an update does with tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Tags {
    /// The sent ones become the chat's tags
    #[default]
    Replace,
    /// The sent ones join those that are there
    Add,
    /// Nothing
    Ignore,
    /// As replace, but tags are one comma-separated text, kept and listed so; an array answers 400
    TextOnly,
}

/// The shape in which tags are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TagsShown {
    /// As they are kept: an array, unless the seed has another shape
    #[default]
    Array,
    /// One comma-separated text
    Text,
}

/// What an update does with the fields that it sends, and leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Put {
    /// Sets what is sent, leaves the rest
    #[default]
    Partial,
    /// Sets what is sent, clears the rest (the status to OPEN)
    Replace,
    /// Says ok and changes nothing
    Ignore,
}

/// What an update does with notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Notes {
    /// The sent ones become the chat's notes; equal ones keep their `_id`
    #[default]
    Replace,
    /// Each sent one is added, even where an equal one is there
    Append,
    /// The sent ones become the chat's notes just as they were sent, without keys that were not
    Verbatim,
}

/// What a platform makes of texts that it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Normalise {
    /// White space around them is taken away
    Trim,
    /// Lines end with CR LF
    Crlf,
    /// E-mail addresses are in lower case
    LowerEmail,
    /// Tags are in lower case
    LowerTags,
    /// Characters are composed
    Nfc,
    /// `&`, `<`, `>` and `"` are escaped as in HTML, again at each write
    Html,
    /// They are cut after 40 characters
    Cut,
    /// A chat has at most 5 tags
    Cap,
}

/// What an update does besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SideEffect {
    /// Assigning an agent sets the status to INPROGRESS
    AssignOpens,
    /// Closing takes the agent away
    CloseUnassigns,
}

/// What an update does with attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Attributes {
    /// Sets the sent keys, leaves the others
    #[default]
    Merge,
    /// The sent ones become the chat's attributes just as they were sent
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
    /// Says ok and changes nothing
    Ignore,
}

/// Which `agentId` takes the agent away; the others of the two are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Unassign {
    /// The empty text and null
    #[default]
    Either,
    /// The empty text
    Empty,
    /// Null
    Null,
    /// None
    Never,
}

/// How an agent, and nobody, are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AgentKey {
    /// An id; the key is missing for nobody
    #[default]
    Missing,
    /// An id; null for nobody
    Null,
    /// An id; the empty text for nobody
    Empty,
    /// An object with `_id` and `name`; the key is missing for nobody
    Object,
}
