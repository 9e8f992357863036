//! What may help where a platform shows something else than what was written.

use super::Instead;
use crate::diff::FieldChange;
use crate::lead::Kind;

const NORMALISED: &str = "declare the value in the platform's form";
pub(super) const ALL_IGNORED: &str = "the platform took the update and changed nothing: check that the write token belongs to this bot; if its listing \
                           is only slow, run the same apply again later";
const TAGS_ADDED: &str =
    "this platform adds tags and never removes them: use `tags: { present: […] }`";
const TAGS_KEPT: &str = "this platform never removes tags: leave out `absent`";
const TAGS_WRONG: &str = "try the other format for tags: set api.tags to `string` or `array`";
const NOT_UNASSIGNED: &str =
    "set api.unassign to the value that this platform accepts for no agent";
const NOT_ASSIGNED: &str = "check that the agent is active";
pub(super) const OTHER: &str =
    "someone may have changed it in the inbox at the same time: plan again";
pub(super) const OTHER_OR_EFFECT: &str = "someone may have changed it in the inbox at the same time: plan again; if the platform sets it with other fields \
                               of a write, name it in api.side_effects";

/// The help for a field that shows something else. Where it `is_alone`, no other field was written that the platform could change it with, or
/// this is known.
pub(super) fn hint(change: &FieldChange, instead: &Instead, is_alone: bool) -> &'static str {
    match (change.field.kind(), instead) {
        (Kind::Choice, Instead::Ignored | Instead::Other) | (Kind::Reference, Instead::Other)
            if !is_alone =>
        {
            OTHER_OR_EFFECT
        }
        (_, Instead::Normalised(_)) => NORMALISED,
        (Kind::Set, Instead::Added) if change.patch.is_some() => TAGS_KEPT,
        (Kind::Set, Instead::Added) => TAGS_ADDED,
        (Kind::Set, Instead::Ignored) => TAGS_WRONG,
        (Kind::Reference, Instead::Ignored) if change.after.is_empty() => NOT_UNASSIGNED,
        (Kind::Reference, Instead::Ignored) => NOT_ASSIGNED,
        (
            Kind::Choice
            | Kind::KeyedText
            | Kind::Text
            | Kind::Boolean
            | Kind::Notes
            | Kind::Reference
            | Kind::Set,
            Instead::Ignored | Instead::Added | Instead::Other,
        ) => OTHER,
    }
}
