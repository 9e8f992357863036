//! Desired: what the files declare, validated.
//!
//! Made from the lead files alone, and compared with live values. Every value records the line that declares it, because plans
//! name that line.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{DesiredValue, Field, LeadId, TagSet};

/// A line of a file. The path is relative to the workspace's folder, with `/` as the separator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a file declares for a lead's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRule {
    /// Exactly these tags.
    Exact(TagSet),
    /// Some tags present, others absent. No tag is in both sets.
    Patch {
        /// Must be present.
        present: TagSet,
        /// Must be absent.
        absent: TagSet,
    },
}

impl TagRule {
    /// The tags that a lead with the tags `live` should have.
    ///
    /// ```
    /// # use convertalk::lead::TagSet;
    /// use convertalk::lead::TagRule;
    ///
    /// let tags = |all: &[&str]| all.iter().map(|tag| (*tag).to_owned()).collect::<TagSet>();
    /// let rule = TagRule::Patch { present: tags(&["vip"]), absent: tags(&["cold"]) };
    /// assert_eq!(rule.applied_to(&tags(&["cold", "trial"])), tags(&["trial", "vip"]));
    /// ```
    pub fn applied_to(&self, live: &TagSet) -> TagSet {
        match self {
            Self::Exact(tags) => respelled(tags, live),
            Self::Patch { present, absent } => live
                .union(present)
                .filter(|tag| !absent.contains(tag))
                .cloned()
                .collect(),
        }
    }

    /// The tags that must be present.
    pub fn required(&self) -> &TagSet {
        match self {
            Self::Exact(tags) => tags,
            Self::Patch { present, .. } => present,
        }
    }

    /// Whether the rule requires a tag to be present or absent; `None` if it does not mention it.
    pub fn wants(&self, tag: &str) -> Option<bool> {
        match self {
            Self::Exact(tags) => Some(tags.contains(tag)),
            Self::Patch { present, .. } if present.contains(tag) => Some(true),
            Self::Patch { absent, .. } => absent.contains(tag).then_some(false),
        }
    }
}

/// Tags as `live` has them, where it has them: what is there is not taken away to be written in another form.
fn respelled(tags: &TagSet, live: &TagSet) -> TagSet {
    let as_live = |tag: &String| live.get(tag).unwrap_or(tag).clone();
    tags.iter().map(as_live).collect()
}

/// One field that a file manages, and the line that declares it. For a default, that is the line in `defaults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredField {
    /// The field.
    pub field: Field,
    /// The declared value.
    pub value: DesiredValue,
    /// The line, from 1, in the lead's own file.
    pub line: u32,
}

/// A lead as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredLead {
    /// The place of its uuid.
    pub place: Place,
    /// For readers; never sent.
    pub label: Option<Box<str>>,
    /// Why it is held: a held lead is never written, and its differences do not count. `None` if it is not held.
    pub hold: Option<Box<str>>,
    /// Whether it may be created if the API does not list it.
    pub create: bool,
    /// At most one of each field, in the order of the fields.
    pub fields: Vec<DesiredField>,
}

impl DesiredLead {
    /// The declared value of a field; `None` if the field is not managed.
    pub fn get(&self, field: &Field) -> Option<&DesiredField> {
        self.fields.iter().find(|desired| desired.field == *field)
    }

    /// Whether another declaration says the same, wherever the two say it.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&DesiredField, &DesiredField)| {
            one.field == other.field && one.value == other.value
        };
        self.label == other.label
            && self.hold == other.hold
            && self.create == other.create
            && self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(is_same)
    }
}

/// All declared leads, by uuid.
pub type Desired = BTreeMap<LeadId, DesiredLead>;
