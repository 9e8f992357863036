//! From what the inbox shows to what a file can say of it.

use std::collections::BTreeSet;

use super::value::unwritable;
use crate::lead::{DesiredValue, Field, Status, TagRule, Value};

/// What a file's value becomes when the live value is pulled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    /// The file says it already.
    Same,
    /// The file is to say this.
    Say(DesiredValue),
    /// No file can say it.
    Cannot(&'static str),
}

/// The value that `live` satisfies, as near to what the file says now as can be.
///
/// A rule on tags keeps the tags that it names: one that must be present and is not becomes one that must be absent, and the other way
/// round. Of notes those stay that are there.
pub fn adopt(field: &Field, desired: &DesiredValue, live: &Value) -> Adopted {
    let adopted = match desired {
        DesiredValue::Choice(_) => match live.choice() {
            Some(Status::Other(_)) => Err("the inbox shows a status that cannot be written"),
            Some(status) => Ok(DesiredValue::Choice(status.clone())),
            None => Err("the inbox shows no status"),
        },
        DesiredValue::Reference(_) => Ok(DesiredValue::Reference(live.reference().cloned())),
        DesiredValue::Set(TagRule::Exact(_)) => {
            Ok(DesiredValue::Set(TagRule::Exact(live.set().clone())))
        }
        DesiredValue::Set(TagRule::Patch { present, absent }) => {
            let named: BTreeSet<&String> = present.union(absent).collect();
            let is_live = |tag: &String| live.set().contains(tag);
            let (present, absent) = named.into_iter().cloned().partition(is_live);
            Ok(DesiredValue::Set(TagRule::Patch { present, absent }))
        }
        DesiredValue::Text(_) => match live.text() {
            Some(text) => Ok(DesiredValue::Text(text.clone())),
            None if field.is_personal() => {
                Err("the inbox no longer has it, and contact values cannot be cleared")
            }
            None => Err("the inbox no longer has it; take the line out to leave it alone"),
        },
        DesiredValue::Notes(notes) => {
            let there = notes.iter().filter(|note| live.notes().contains(note));
            Ok(DesiredValue::Notes(there.cloned().collect()))
        }
    };
    match adopted {
        Ok(adopted) if adopted == *desired => Adopted::Same,
        Ok(adopted) => match unwritable(field, &adopted) {
            None => Adopted::Say(adopted),
            Some(why) => Adopted::Cannot(why),
        },
        Err(why) => Adopted::Cannot(why),
    }
}

/// The longest key, in quotes, that YAML takes before a `:`.
pub(crate) const LONGEST_KEY: usize = 1000;
