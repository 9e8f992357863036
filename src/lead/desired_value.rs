//! [`DesiredValue`]: what a file asks of a field, by the field's kind.

use std::collections::BTreeSet;

use super::normal::{Compare, has_note, same_sets};
use super::{AgentId, Note, Status, TagRule, Value};

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
    /// Yes or no.
    Boolean(bool),
    /// Each of these is there, among others.
    Notes(Vec<Note>),
}

impl DesiredValue {
    /// These notes, each once.
    pub fn notes_once(notes: Vec<Note>) -> Self {
        Self::Notes(distinct(&notes))
    }

    /// Whether `live` is as asked. Most are, so nothing is made to find out.
    pub fn is_met(&self, live: &Value, compare: Compare) -> bool {
        match self {
            Self::Choice(status) => live.choice() == Some(status),
            Self::Reference(agent) => live.reference() == agent.as_ref(),
            Self::Set(TagRule::Exact(tags)) => same_sets(live.set(), tags),
            Self::Set(TagRule::Patch { present, absent }) => {
                let tags = live.set();
                present.iter().all(|tag| tags.contains(tag))
                    && !absent.iter().any(|tag| tags.contains(tag))
            }
            Self::Boolean(value) => *live == Value::Boolean(*value),
            Self::Text(wanted) => live
                .text()
                .is_some_and(|text| text == wanted || compare(text) == compare(wanted)),
            Self::Notes(notes) => notes.iter().all(|note| has_note(live.notes(), note)),
        }
    }

    /// Both sides of the difference; `None` where there is none.
    pub fn difference(&self, live: &Value) -> Option<(Value, Value)> {
        Some(self.sides(live)).filter(|(before, after)| before != after)
    }

    /// The value as it is and as it is to be. Of notes, both hold only those that are asked for.
    pub fn sides(&self, live: &Value) -> (Value, Value) {
        match self {
            Self::Notes(notes) => {
                let asked = distinct(notes);
                let there = asked.iter().filter(|note| has_note(live.notes(), note));
                (Value::Notes(there.cloned().collect()), Value::Notes(asked))
            }
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => (live.clone(), self.applied_to(live)),
        }
    }

    /// The value that is wanted of a lead that has `live`. Of notes: those that are asked for.
    pub fn applied_to(&self, live: &Value) -> Value {
        match self {
            Self::Choice(status) => Value::Choice(status.clone()),
            Self::Reference(agent) => agent.clone().map_or(Value::Absent, Value::Reference),
            Self::Set(rule) => Value::Set(rule.applied_to(live.set())),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Notes(notes) => Value::Notes(distinct(notes)),
        }
    }

    /// What a file says of a field that has just this value; `None` where no file can say it.
    pub fn exactly(value: &Value) -> Option<Self> {
        match value {
            Value::Absent => None,
            Value::Choice(Status::Other(_)) => None,
            Value::Choice(status) => Some(Self::Choice(status.clone())),
            Value::Reference(agent) => Some(Self::Reference(Some(agent.clone()))),
            Value::Set(tags) => Some(Self::Set(TagRule::Exact(tags.clone()))),
            Value::Text(text) => Some(Self::Text(text.clone())),
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Notes(notes) => Some(Self::Notes(distinct(notes))),
        }
    }

    /// The value that `live` satisfies, as near to this one as can be; `None` where no file can say it.
    ///
    /// A rule on tags keeps the tags that it names: one that must be present and is not becomes one that must be absent, and the other
    /// way round. Of notes those stay that are there.
    pub fn adopting(&self, live: &Value) -> Option<Self> {
        match self {
            Self::Reference(_) => Some(Self::Reference(live.reference().cloned())),
            Self::Set(TagRule::Patch { present, absent }) => {
                let named: BTreeSet<&String> = present.union(absent).collect();
                let is_live = |tag: &String| live.set().contains(tag);
                let (present, absent): (Vec<String>, Vec<String>) =
                    named.into_iter().cloned().partition(is_live);
                Some(Self::Set(TagRule::Patch {
                    present: present.into(),
                    absent: absent.into(),
                }))
            }
            Self::Notes(notes) => {
                let there = notes.iter().filter(|note| has_note(live.notes(), note));
                Some(Self::Notes(there.cloned().collect()))
            }
            Self::Choice(_) | Self::Set(TagRule::Exact(_)) | Self::Text(_) | Self::Boolean(_) => {
                Self::exactly(live)
            }
        }
    }

    /// Of the difference between `before` and `after`, the part that the files made since `base`; `None` where the value is one whole,
    /// so that only the whole can be intended.
    ///
    /// Of three sides of a tag, two always agree: there is no third value to fight over. With `base` `[a]`, `self` `[a, b]` and live
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
                    .filter(|tag| after.contains(tag) || !is_new(tag));
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
            Self::Choice(_) | Self::Reference(_) | Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    /// The rule on tags, where it is one.
    pub fn tag_rule(&self) -> Option<&TagRule> {
        match self {
            Self::Set(rule) => Some(rule),
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Text(_)
            | Self::Notes(_)
            | Self::Boolean(_) => None,
        }
    }

    /// The notes that are asked for; none where it is of another kind.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Notes(notes) => notes,
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => &[],
        }
    }

    /// Whether it asks for nothing: an empty list of notes.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Notes(notes) => notes.is_empty(),
            Self::Choice(_)
            | Self::Reference(_)
            | Self::Set(_)
            | Self::Text(_)
            | Self::Boolean(_) => false,
        }
    }
}

fn distinct(notes: &[Note]) -> Vec<Note> {
    let mut seen = BTreeSet::new();
    let first = notes.iter().filter(|note| seen.insert(*note));
    first.cloned().collect()
}
