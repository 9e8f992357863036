//! Why an assignment cannot be made.

use crate::text::name_of;
use crate::yaml::excerpt::quoted;

/// Why a text is no assignment, or a value is none of its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// No `=`.
    #[error("write FIELD=VALUE, such as status=CLOSED")]
    NoValue,
    /// Not a field that can be assigned.
    #[error(
        "{} is not a field; one of status, agent, tags, attributes.KEY, contact.KEY, label, hold",
        quoted(.0)
    )]
    Field(String),
    /// A spreadsheet took the text for a number, or shows an error.
    #[error("{} is what a spreadsheet made of a number: format the column as text and enter it again", quoted(.0))]
    Spreadsheet(String),
    /// `+=` or `-=` for another field than tags.
    #[error("only tags can be added to and taken from")]
    NotTags,
    /// A field that cannot be unset, or not by this name.
    #[error("{} cannot be unset; one of status, agent, tags, notes, attributes, attributes.KEY, contact, contact.KEY, label, hold", quoted(.0))]
    NotUnset(String),
    /// Each note is a text and cannot be written in one.
    #[error("notes are written in the lead file")]
    Notes,
    /// No empty status.
    #[error("a status cannot be cleared; to leave it to the inbox, use --unset status")]
    StatusCleared,
    /// Not one of the six.
    #[error("{} is not a status{}", quoted(word), did_you_mean(near))]
    Status {
        /// As it was written.
        word: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// Not an agent of the workspace.
    #[error(
        "{} is not an agent of the workspace{}",
        quoted(name),
        near.as_ref().map_or_else(|| ADD_AGENT.to_owned(), |_| did_you_mean(near))
    )]
    Agent {
        /// As it was written.
        name: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// Names that differ only in letter case.
    #[error("{} could be several agents; write the name as convertalk.yaml does", quoted(.0))]
    AgentCase(String),
    /// A tag that the policy does not know.
    #[error("`policy.tags` does not list {}{}", quoted(tag), did_you_mean(near))]
    Tag {
        /// The tag.
        tag: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// A character that no one can see.
    #[error("the tag {} holds {}; delete the character", quoted(.0), name_of(*.1))]
    InvisibleTag(String, char),
    /// `+=` or `-=` without a tag.
    #[error("a tag is missing")]
    NoTag,
    /// One tag to be present and absent.
    #[error("the tag {} is to be present and absent", quoted(.0))]
    TagOverlap(String),
    /// Marked tags beside plain ones.
    #[error("mark all tags with + or -, or none")]
    TagMarks,
    /// Contact values have no empty form.
    #[error("contact values cannot be cleared; to leave one to the inbox, use --unset")]
    ContactCleared,
    /// Not a value of this field.
    #[error("{} is not a value of {field}: {help}", quoted(text))]
    Value {
        /// The field.
        field: String,
        /// As it was written.
        text: String,
        /// What to write instead.
        help: &'static str,
    },
}

/// What to do about an agent that no name resembles.
const ADD_AGENT: &str = "; add it under `agents:` in convertalk.yaml, or write the 24-hex id";

fn did_you_mean(near: &Option<impl AsRef<str>>) -> String {
    near.as_ref().map_or_else(String::new, |near| {
        format!("; did you mean {}?", quoted(near.as_ref()))
    })
}
