//! From what the inbox shows to what a file can say of it.

use super::value::unwritable;
use crate::lead::{DesiredValue, Field, Value};

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

/// What a file says of a field once it takes over `live`.
pub fn adopt(field: &Field, desired: &DesiredValue, live: &Value) -> Adopted {
    match desired.adopting(live) {
        Some(adopted) if adopted == *desired => Adopted::Same,
        Some(adopted) => match unwritable(field, &adopted) {
            None => Adopted::Say(adopted),
            Some(why) => Adopted::Cannot(why),
        },
        None => Adopted::Cannot(reason(field, live)),
    }
}

fn reason(field: &Field, live: &Value) -> &'static str {
    if !live.is_empty() {
        "the inbox shows a value that no file can hold"
    } else if field.is_personal() {
        "the inbox no longer has it, and contact values cannot be cleared"
    } else {
        "the inbox no longer has it; take the line out to leave it alone"
    }
}

/// The longest key, in quotes, that YAML takes before a `:`.
pub(crate) const LONGEST_KEY: usize = 1000;
