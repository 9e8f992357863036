//! Assignments: what the declaration of a lead is to become, as `set` and its sheets write it.
//!
//! `status=CLOSED` or a cell of a sheet becomes an [`Assignment`], checked by itself, and an assignment applied to a lead's
//! `Meaning` gives the one that its file is to have. Pure.

use std::str::FromStr;

use crate::lead::field_table::groups;
use crate::lead::{AgentId, DesiredValue, Field, Kind, Status, TagRule, TagSet, tag};
use crate::lead_file::valid::{Meaning, Vocabulary};
use crate::lead_file::value::unwritable;
use crate::text::invisible_in;
use crate::yaml::diagnostic::meant;

mod error;

pub use error::AssignError;

/// One thing that a lead's declaration is to say, or no longer to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignment {
    /// The label, or none.
    Label(Option<String>),
    /// Why the lead is held; `None`: it no longer is.
    Hold(Option<String>),
    /// A value of a field.
    Say(Field, DesiredValue),
    /// These tags too.
    AddTags(TagSet),
    /// Not these tags.
    RemoveTags(TagSet),
    /// The field is no longer managed.
    Unset(Field),
    /// No field under this key of a lead is managed: `attributes`, say.
    UnsetGroup(&'static str),
}

impl Assignment {
    /// Reads `FIELD=VALUE`, `tags+=TAGS` or `tags-=TAGS`. An empty value clears.
    ///
    /// # Errors
    /// It is none, or the field does not take the value.
    pub fn parse(text: &str, vocabulary: Vocabulary<'_>) -> Result<Self, AssignError> {
        let (key, value) = text.split_once('=').ok_or(AssignError::NoValue)?;
        if let Some(key) = key.strip_suffix(['+', '-']) {
            if key.trim() != "tags" {
                return Err(AssignError::NotTags);
            }
            let tags = tag_set(value, vocabulary)?;
            if tags.is_empty() {
                return Err(AssignError::NoTag);
            }
            return Ok(if text.starts_with(&format!("{key}+")) {
                Self::AddTags(tags)
            } else {
                Self::RemoveTags(tags)
            });
        }
        let filled = Some(value).filter(|value| !value.trim().is_empty());
        match key.trim() {
            "label" => Ok(Self::Label(filled.map(str::to_owned))),
            "hold" => Ok(Self::Hold(filled.map(|text| text.trim().to_owned()))),
            key => {
                let field = Field::from_str(key).map_err(|_| AssignError::Field(key.to_owned()))?;
                if field.kind() == Kind::Set {
                    let tags = tag_set(value, vocabulary)?;
                    return Ok(Self::Say(field, DesiredValue::Set(TagRule::Exact(tags))));
                }
                let value = value_of(&field, filled, vocabulary)?;
                Ok(Self::Say(field, value))
            }
        }
    }

    /// Reads the name of a field for `--unset`.
    ///
    /// # Errors
    /// It is none.
    pub fn unset(name: &str) -> Result<Self, AssignError> {
        match name.trim() {
            "label" => Ok(Self::Label(None)),
            "hold" => Ok(Self::Hold(None)),
            name => {
                let group = || {
                    let found = groups().find(|(group, _)| *group == name);
                    found.map(|(group, _)| Self::UnsetGroup(group))
                };
                let field = Field::from_str(name).ok().map(Self::Unset);
                let unset = field.or_else(group);
                unset.ok_or_else(|| AssignError::NotUnset(name.to_owned()))
            }
        }
    }

    /// A tag that one of two assignments adds and the other one takes away.
    pub fn contradicts<'a>(&'a self, other: &'a Self) -> Option<&'a String> {
        let ((Self::AddTags(one), Self::RemoveTags(other))
        | (Self::RemoveTags(one), Self::AddTags(other))) = (self, other)
        else {
            return None;
        };
        one.iter().find(|tag| other.contains(tag))
    }

    /// What it is about: two assignments of one subject contradict each other, but for those of tags.
    pub fn subject(&self) -> String {
        match self {
            Self::Label(_) => "label".to_owned(),
            Self::Hold(_) => "hold".to_owned(),
            Self::Say(field, _) => field.to_string(),
            Self::AddTags(_) | Self::RemoveTags(_) => Field::TAGS.to_string(),
            Self::Unset(field) => field.to_string(),
            Self::UnsetGroup(group) => (*group).to_owned(),
        }
    }

    /// Whether it leaves something to the inbox.
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Unset(_) | Self::UnsetGroup(_))
    }

    /// Makes a declaration say this.
    pub(crate) fn apply(&self, lead: &mut Meaning) {
        match self {
            Self::Label(label) => lead.label = label.as_deref().map(Into::into),
            Self::Hold(reason) => lead.hold = reason.as_deref().map(Into::into),
            Self::Say(field, value) => lead.say(field.clone(), value.clone()),
            Self::AddTags(tags) => {
                lead.say(Field::TAGS, DesiredValue::Set(moved(lead, tags, true)));
            }
            Self::RemoveTags(tags) => {
                lead.say(Field::TAGS, DesiredValue::Set(moved(lead, tags, false)));
            }
            Self::Unset(field) => lead.fields.remove(field),
            Self::UnsetGroup(group) => lead.fields.retain(|field| field.path().0 != *group),
        }
    }
}

/// The rule on a lead's tags with these to be there, or to be away.
fn moved(lead: &Meaning, tags: &TagSet, there: bool) -> TagRule {
    let now = lead
        .fields
        .get(&Field::TAGS)
        .and_then(DesiredValue::tag_rule)
        .cloned();
    match now {
        Some(TagRule::Exact(now)) if there => TagRule::Exact(&now | tags),
        Some(TagRule::Exact(now)) => TagRule::Exact(&now - tags),
        Some(TagRule::Patch { present, absent }) if there => TagRule::Patch {
            present: &present | tags,
            absent: &absent - tags,
        },
        Some(TagRule::Patch { present, absent }) => TagRule::Patch {
            present: &present - tags,
            absent: &absent | tags,
        },
        None if there => TagRule::Patch {
            present: tags.clone(),
            absent: TagSet::new(),
        },
        None => TagRule::Patch {
            present: TagSet::new(),
            absent: tags.clone(),
        },
    }
}

/// The value of a field but for tags; `None` clears it.
pub(crate) fn value_of(
    field: &Field,
    text: Option<&str>,
    vocabulary: Vocabulary<'_>,
) -> Result<DesiredValue, AssignError> {
    match field.kind() {
        Kind::Choice => {
            let word = text.ok_or(AssignError::StatusCleared)?;
            status(word).map(DesiredValue::Choice)
        }
        Kind::Reference => match text {
            None => Ok(DesiredValue::Reference(None)),
            Some(name) => agent(name, vocabulary).map(DesiredValue::Reference),
        },
        Kind::Set => Ok(DesiredValue::Set(TagRule::Exact(TagSet::new()))),
        Kind::KeyedText => fitting(field, text.unwrap_or_default()),
        Kind::Text => fitting(field, text.ok_or(AssignError::ContactCleared)?),
        Kind::Boolean => match text {
            Some("true") => Ok(DesiredValue::Boolean(true)),
            Some("false") => Ok(DesiredValue::Boolean(false)),
            other => Err(AssignError::Value {
                field: field.to_string(),
                text: other.unwrap_or_default().to_owned(),
                help: "write true or false",
            }),
        },
        Kind::Notes => Err(AssignError::Notes),
    }
}

/// A text in the normal form of its field.
fn fitting(field: &Field, text: &str) -> Result<DesiredValue, AssignError> {
    let spec = field.spec();
    let normal = (spec.normalise)(text);
    let help = (spec.check)(&normal);
    let value = DesiredValue::Text(normal);
    match help.or_else(|| unwritable(field, &value)) {
        None => Ok(value),
        Some(help) => Err(AssignError::Value {
            field: field.to_string(),
            text: text.to_owned(),
            help,
        }),
    }
}

/// A status in any letter case, with or without blanks and dashes: `In Progress`.
fn status(text: &str) -> Result<Status, AssignError> {
    let word: String = text
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '-' | '_'))
        .flat_map(char::to_uppercase)
        .collect();
    Status::writable(&word).ok_or_else(|| {
        let known = Status::WRITABLE;
        let near = meant(text, known.iter().map(Status::as_str));
        let near = near.and_then(|near| WORDS.iter().copied().find(|word| *word == near));
        AssignError::Status {
            word: text.to_owned(),
            near,
        }
    })
}

const WORDS: [&str; 6] = [
    "OPEN",
    "INPROGRESS",
    "REVIEW",
    "ONHOLD",
    "DEPENDANCY",
    "CLOSED",
];

/// An agent by name, in any letter case where that names one alone, by id, or `none`.
pub(crate) fn agent(
    text: &str,
    vocabulary: Vocabulary<'_>,
) -> Result<Option<AgentId>, AssignError> {
    let name = text.trim();
    if name.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let known = vocabulary.agents.into_iter().flatten();
    let exact = vocabulary.agents.and_then(|agents| agents.get(name));
    if let Some(agent) = exact {
        return Ok(Some(agent.id.clone()));
    }
    let folded = name.to_lowercase();
    let mut found = known
        .clone()
        .filter(|(other, _)| other.to_lowercase() == folded);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => return Err(AssignError::AgentCase(name.to_owned())),
        (Some((_, agent)), None) => return Ok(Some(agent.id.clone())),
        (None, _) => {}
    }
    AgentId::parse(name).map(Some).ok_or_else(|| {
        let names = known.map(|(name, _)| name.as_str()).chain(["none"]);
        AssignError::Agent {
            name: name.to_owned(),
            near: meant(name, names).map(str::to_owned),
        }
    })
}

/// Tags with commas between them; `\,` is a comma in a tag.
fn tag_set(text: &str, vocabulary: Vocabulary<'_>) -> Result<TagSet, AssignError> {
    let mut tags = Vec::new();
    let mut one = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&',') => one.extend(letters.next()),
            ',' => tags.extend(tag(&std::mem::take(&mut one))),
            letter => one.push(letter),
        }
    }
    tags.extend(tag(&one));
    if tags.is_empty() && !text.trim().is_empty() {
        return Err(AssignError::NoTag);
    }
    // Two forms of a tag are one.
    let one_by_one = tags.into_iter().map(|tag| TagSet::from([tag]));
    let tags = one_by_one.fold(TagSet::new(), |all, one| &all | &one);
    check_tags(&tags, vocabulary)?;
    Ok(tags)
}

/// Checks that tags can be seen, and are those of the policy.
pub(crate) fn check_tags(tags: &TagSet, vocabulary: Vocabulary<'_>) -> Result<(), AssignError> {
    for tag in tags {
        if let Some(c) = invisible_in(tag) {
            return Err(AssignError::InvisibleTag(tag.clone(), c));
        }
        if vocabulary.lacks_tag(tag) {
            let known = vocabulary.tags.unwrap_or_default();
            return Err(AssignError::Tag {
                tag: tag.clone(),
                near: meant(tag, known.iter().map(String::as_str)).map(str::to_owned),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
