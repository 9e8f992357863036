//! Desired: what the files say, valid and without places to look anything up.
//!
//! Made from the lead files alone, and compared with what is live. Every value remembers the line that asks for it, because a plan
//! names that line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::normal::{self, Compare, has, has_note, same_sets};
use super::{AgentId, Field, LeadId, Note, Status, Value};

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

/// What a file asks of a field, by the field's kind. A field that is not managed has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredValue {
    /// One of the six statuses that can be written.
    Choice(Status),
    /// An agent; `None`: no agent.
    Reference(Option<AgentId>),
    /// A set, or a change to one.
    Set(TagRule),
    /// A text in its normal form.
    Text(String),
    /// Each of these is there, among others.
    Notes(Vec<Note>),
}

impl DesiredValue {
    /// Whether `live` is as asked. Most are, so nothing is made to find out.
    pub fn is_met(&self, live: &Value, compare: Compare) -> bool {
        match self {
            Self::Choice(status) => live.choice() == Some(status),
            Self::Reference(agent) => live.reference() == agent.as_ref(),
            Self::Set(TagRule::Exact(tags)) => same_sets(live.set(), tags),
            Self::Set(TagRule::Patch { present, absent }) => {
                let tags = live.set();
                present.iter().all(|tag| has(tags, tag)) && !absent.iter().any(|tag| has(tags, tag))
            }
            Self::Text(wanted) => live
                .text()
                .is_some_and(|text| text == wanted || compare(text) == compare(wanted)),
            Self::Notes(notes) => notes.iter().all(|note| has_note(live.notes(), note)),
        }
    }

    /// Both sides of the difference: as it is and as it is to be; `None` where there is none. Of notes, both sides hold only those that
    /// are asked for.
    pub fn difference(&self, live: &Value) -> Option<(Value, Value)> {
        let sides = match self {
            Self::Notes(notes) => {
                let asked = distinct(notes);
                let there = asked.iter().filter(|note| has_note(live.notes(), note));
                (Value::Notes(there.cloned().collect()), Value::Notes(asked))
            }
            Self::Choice(_) | Self::Reference(_) | Self::Set(_) | Self::Text(_) => {
                (live.clone(), self.applied_to(live))
            }
        };
        (sides.0 != sides.1).then_some(sides)
    }

    /// The value that is wanted of a lead that has `live`. Of notes: those that are asked for.
    pub fn applied_to(&self, live: &Value) -> Value {
        match self {
            Self::Choice(status) => Value::Choice(status.clone()),
            Self::Reference(agent) => agent.clone().map_or(Value::Absent, Value::Reference),
            Self::Set(rule) => Value::Set(rule.applied_to(live.set())),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Notes(notes) => Value::Notes(distinct(notes)),
        }
    }

    /// Whether the value is the same as one that a file declares, whole or, of sets and notes, item by item.
    pub fn declares_text(&self, text: &str) -> bool {
        match self {
            Self::Text(declared) => declared == text,
            Self::Choice(_) | Self::Reference(_) | Self::Set(_) | Self::Notes(_) => false,
        }
    }

    /// Of the difference between `before` and `after`, the part that the files made since `base`; `None` where the value is one whole,
    /// so that only the whole can be intended.
    ///
    /// Of three sides of a tag, two always agree: there is no third value to fight over. With `base` [a], `self` [a, b] and live
    /// [a, c], the tag b is intended, and c is drift: the intended part is [a, b, c].
    pub fn intended_part(
        &self,
        base: Option<&Self>,
        before: &Value,
        after: &Value,
    ) -> Option<Value> {
        match self {
            Self::Set(rule) => {
                let base = base.and_then(Self::tag_rule);
                let is_new =
                    |tag: &String| base.and_then(|base| base.wants(tag)) != rule.wants(tag);
                let (before, after) = (before.set(), after.set());
                let kept = before
                    .iter()
                    .filter(|tag| after.contains(*tag) || !is_new(tag));
                let added = after.difference(before).filter(|tag| is_new(tag));
                Some(Value::Set(kept.chain(added).cloned().collect()))
            }
            Self::Notes(_) => {
                let base = base.map(Self::notes).unwrap_or_default();
                let is_intended =
                    |note: &&Note| before.notes().contains(note) || !base.contains(note);
                let intended = after.notes().iter().filter(is_intended);
                Some(Value::Notes(intended.cloned().collect()))
            }
            Self::Choice(_) | Self::Reference(_) | Self::Text(_) => None,
        }
    }

    /// The rule on tags, where it is one.
    pub fn tag_rule(&self) -> Option<&TagRule> {
        match self {
            Self::Set(rule) => Some(rule),
            Self::Choice(_) | Self::Reference(_) | Self::Text(_) | Self::Notes(_) => None,
        }
    }

    /// The notes that are asked for; none where it is of another kind.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Notes(notes) => notes,
            Self::Choice(_) | Self::Reference(_) | Self::Set(_) | Self::Text(_) => &[],
        }
    }

    /// Whether it asks for nothing: an empty list of notes.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Notes(notes) => notes.is_empty(),
            Self::Choice(_) | Self::Reference(_) | Self::Set(_) | Self::Text(_) => false,
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

fn distinct(notes: &[Note]) -> Vec<Note> {
    let mut seen = BTreeSet::new();
    let first = notes.iter().filter(|note| seen.insert(*note));
    first.cloned().collect()
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
