//! Desired: what the files say, valid and without places to look anything up.
//!
//! Made from the lead files alone, and compared with what is live. Every value remembers the line that asks for it, because a plan
//! names that line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::normal::{self, has};
use super::{DesiredValue, Field, LeadId};

/// A line of a file. The path is relative to the workspace's folder, with `/` between its parts.
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

/// What a file says of a lead's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRule {
    /// Exactly these.
    Exact(BTreeSet<String>),
    /// These among others, and not those. The two never share a tag.
    Patch {
        /// Must be there.
        present: BTreeSet<String>,
        /// Must not be there.
        absent: BTreeSet<String>,
    },
}

impl TagRule {
    /// The full set that is wanted of a lead that has `live`.
    ///
    /// ```
    /// # use std::collections::BTreeSet;
    /// use convertalk::lead::TagRule;
    ///
    /// let tags = |all: &[&str]| all.iter().map(|tag| (*tag).to_owned()).collect::<BTreeSet<_>>();
    /// let rule = TagRule::Patch { present: tags(&["vip"]), absent: tags(&["cold"]) };
    /// assert_eq!(rule.applied_to(&tags(&["cold", "trial"])), tags(&["trial", "vip"]));
    /// ```
    pub fn applied_to(&self, live: &BTreeSet<String>) -> BTreeSet<String> {
        match self {
            Self::Exact(tags) => respelled(tags, live),
            Self::Patch { present, absent } => live
                .union(&respelled(present, live))
                .filter(|tag| !has(absent, tag))
                .cloned()
                .collect(),
        }
    }

    /// The tags that must be there.
    pub fn required(&self) -> &BTreeSet<String> {
        match self {
            Self::Exact(tags) => tags,
            Self::Patch { present, .. } => present,
        }
    }

    /// Whether the rule wants a tag there, or away; `None` where it leaves it alone.
    pub fn wants(&self, tag: &str) -> Option<bool> {
        match self {
            Self::Exact(tags) => Some(tags.contains(tag)),
            Self::Patch { present, .. } if present.contains(tag) => Some(true),
            Self::Patch { absent, .. } => absent.contains(tag).then_some(false),
        }
    }
}

/// Tags as `live` has them, where it has them: what is there is not taken away to be written in another form.
fn respelled(tags: &BTreeSet<String>, live: &BTreeSet<String>) -> BTreeSet<String> {
    let as_live = |tag: &String| {
        let same = |other: &&String| normal::text(other) == normal::text(tag);
        match live.contains(tag) {
            true => tag.clone(),
            false => live.iter().find(same).unwrap_or(tag).clone(),
        }
    };
    tags.iter().map(as_live).collect()
}

/// One field that a file manages, and the line that says so. With `defaults` in force, that is a line of `defaults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredField {
    /// Which.
    pub field: Field,
    /// What is asked of it.
    pub value: DesiredValue,
    /// The line, from 1, in the lead's own file.
    pub line: u32,
}

/// A lead as the files want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredLead {
    /// Where its uuid stands.
    pub place: Place,
    /// For readers; never sent.
    pub label: Option<Box<str>>,
    /// Why it is held: it is never written, and no difference of it counts. `None` where it is not.
    pub hold: Option<Box<str>>,
    /// Whether it may be created where the API does not know it.
    pub create: bool,
    /// At most one of each field, in the fields' order.
    pub fields: Vec<DesiredField>,
}

impl DesiredLead {
    /// What the files ask of a field; `None` where they do not manage it.
    pub fn get(&self, field: &Field) -> Option<&DesiredField> {
        self.fields.iter().find(|desired| desired.field == *field)
    }
}

/// All declared leads, by uuid.
pub type Desired = BTreeMap<LeadId, DesiredLead>;
