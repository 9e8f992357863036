//! The check: compares a lead after a write with the write and with the lead before. Pure.

use std::collections::BTreeSet;
use std::fmt;

use super::precheck::Task;
use crate::diff::{FieldChange, is_at_before, value};
use crate::lead::normal::{self, Normalization, form, form_of_new, form_of_note};
use crate::lead::{Field, FieldMask, Kind, Lead, Shown, Value};
use crate::observe::Observed;
use crate::text::distinct_from;
use help::{ALL_IGNORED, OTHER, OTHER_OR_EFFECT, hint};

mod help;
mod rest;

pub(super) use rest::Unwritten;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Check {
    /// Fields that do not have the written value, with what they show instead.
    pub(super) instead: Vec<(Field, Instead)>,
    /// Fields with the written value in a form that the platform has normalized: notes.
    pub(super) reformed: Vec<(Field, Normalization)>,
    /// Fields that were not written and have another value.
    pub(super) changed: Vec<String>,
    /// Fields that were not written and are empty now.
    pub(super) emptied: Vec<String>,
    /// The entries of the table that those are of.
    pub(super) emptied_in: Unwritten,
    /// The entries with such values that are there still.
    pub(super) kept: Unwritten,
    /// Managed fields that were not written and have another value, accepted as side effects or not.
    pub(super) effects: Vec<Field>,
    /// Those of them that are accepted as side effects, and are not as declared any more.
    pub(super) undone: Vec<Field>,
    /// Whether existing notes appear twice: the platform adds the notes it is sent.
    pub(super) notes_doubled: bool,
    /// A setting that may make the platform accept the write.
    pub(super) hints: BTreeSet<&'static str>,
}

/// What a field shows instead of the written value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Instead {
    /// The value before the write.
    Ignored,
    /// The new tags and the old ones.
    Added,
    /// The value as normalized by the platform.
    Normalised(Normalised),
    /// Something else.
    Other,
}

/// A value that the platform has normalized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normalised {
    /// The difference.
    what: &'static str,
    /// Whether it had this form before the write, too.
    is_as_before: bool,
    /// Whether it is hardly somebody's edit: more than a text that was cut short.
    is_sure: bool,
    sent: Value,
    pub(super) shown: Value,
}

impl Check {
    /// Whether every field has the written value.
    pub(super) fn agrees(&self) -> bool {
        self.instead.is_empty()
    }

    /// Whether every field has the written value, or what the platform made of it by now.
    pub(super) fn shows_the_write(&self) -> bool {
        self.instead.iter().all(|(_, instead)| {
            matches!(instead, Instead::Normalised(normalised) if !normalised.is_as_before)
        })
    }

    /// As [`Check::shows_the_write`], also for a write that may not have been done.
    pub(super) fn proves_the_write(&self) -> bool {
        self.shows_the_write() && self.normalised().all(|(_, normalised)| normalised.is_sure)
    }

    /// Whether waiting is pointless: a field has a value that is neither the old nor the new one.
    pub(super) fn is_final(&self) -> bool {
        self.instead.iter().any(|(_, instead)| match instead {
            Instead::Ignored => false,
            Instead::Normalised(normalised) => !normalised.is_as_before,
            Instead::Added | Instead::Other => true,
        })
    }

    /// Whether the only differences are normalized values.
    pub(super) fn is_only_normalised(&self) -> bool {
        self.instead
            .iter()
            .all(|(_, instead)| matches!(instead, Instead::Normalised(_)))
    }

    /// The normalized values: texts that quote them must be redacted like those that were sent.
    pub(super) fn normalised(&self) -> impl Iterator<Item = (&Field, &Normalised)> {
        self.instead
            .iter()
            .filter_map(|(field, instead)| match instead {
                Instead::Normalised(normalised) => Some((field, normalised)),
                Instead::Ignored | Instead::Added | Instead::Other => None,
            })
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        self.reformed
            .iter()
            .map(|(field, form)| {
                format!(
                    "{field} are there as normalised by the platform ({})",
                    form.as_str()
                )
            })
            .collect()
    }

    pub(super) fn changed_words(&self) -> Vec<String> {
        self.changed
            .iter()
            .map(|name| format!("{name} changed meanwhile, although it was not written"))
            .collect()
    }

    pub(super) fn undone_words(&self) -> Vec<String> {
        self.undone
            .iter()
            .map(|field| {
                format!("{field} is not as declared any more, although it was not written")
            })
            .collect()
    }

    pub(super) fn emptied_words(&self) -> Vec<String> {
        self.emptied
            .iter()
            .map(|name| format!("{name} is empty now, although it was not written"))
            .collect()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instead = self.instead.iter().map(|(field, instead)| {
            let (was, is) = if matches!(field.kind(), Kind::Set | Kind::Notes) {
                ("were", "are")
            } else {
                ("was", "is")
            };
            match instead {
                Instead::Ignored => format!("{field} {was} ignored"),
                Instead::Added => {
                    format!("{field} {was} added to those there instead of replacing them")
                }
                Instead::Normalised(Normalised {
                    what, sent, shown, ..
                }) => {
                    let (sent, shown) = (words(sent, shown), words(shown, sent));
                    format!(
                        "{field} {was} normalised by the platform ({what}): sent {sent}, shown {shown}"
                    )
                }
                Instead::Other => format!("{field} {is} neither the old nor the written value"),
            }
        });
        let words: Vec<String> = instead
            .chain(self.emptied_words())
            .chain(self.changed_words())
            .collect();
        f.write_str(&words.join("; "))
    }
}

/// A value for a message that has another one, too: two that look the same are shown apart.
fn words(value: &Value, other: &Value) -> String {
    match (value.shown(), other.shown()) {
        (Shown::One(Some(text)), Shown::One(Some(other))) => {
            format!("`{}`", distinct_from(text, [other]))
        }
        (Shown::One(text), _) => format!("`{}`", text.unwrap_or("none")),
        (Shown::Agent(agent), _) => format!("`{agent}`"),
        (Shown::Tags(tags), Shown::Tags(other)) => {
            let all = || tags.union(other).map(String::as_str);
            let shown = tags.iter().map(|tag| distinct_from(tag, all()));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
        (Shown::Tags(tags), _) => {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            format!("[{}]", tags.join(", "))
        }
        (Shown::Notes(notes), _) => format!("{} notes", notes.len()),
    }
}

/// Compares the lead as read back with what was written. What changed besides is no remark where it is one of `side_effects`.
pub(super) fn check(task: &Task, now: &Observed, side_effects: FieldMask) -> Check {
    let nothing = Lead::default();
    let was = task.live.as_ref().map_or(&nothing, |live| &live.lead);
    let wrong: Vec<(&FieldChange, Instead)> = task
        .change
        .fields
        .iter()
        .filter(|change| !change.is_done(&now.lead))
        .map(|change| (change, instead(was, &now.lead, change)))
        .collect();
    let mut hints: BTreeSet<&'static str> = wrong
        .iter()
        .map(|(change, instead)| {
            let is_alone = task.change.fields.len() == 1;
            hint(
                change,
                instead,
                is_alone || side_effects.has(change.field.id()),
            )
        })
        .collect();
    let all_ignored = wrong.len() == task.change.fields.len()
        && wrong
            .iter()
            .all(|(_, instead)| *instead == Instead::Ignored);
    let is_about_others = hints.contains(OTHER) || hints.contains(OTHER_OR_EFFECT);
    if all_ignored && (wrong.len() > 1 || is_about_others) {
        hints = BTreeSet::from([ALL_IGNORED]);
    }
    let mut check = Check {
        instead: wrong
            .iter()
            .map(|(change, instead)| (change.field.clone(), instead.clone()))
            .collect(),
        reformed: reformed(task, &now.lead),
        hints,
        ..Check::default()
    };
    if let Some(was) = &task.live {
        check.compare_the_rest(task, (was, now), side_effects);
    }
    check
}

fn instead(was: &Lead, now: &Lead, change: &FieldChange) -> Instead {
    let compares_items = change.field.kind() == Kind::Notes || change.patch.is_some();
    let is_as_before = if compares_items {
        is_at_before(now, change)
    } else {
        value(was, &change.field) == value(now, &change.field)
    };
    let (before, shown) = (value(was, &change.field), value(now, &change.field));
    if let Some(what) = normalised(&change.after, &shown, &before) {
        return Instead::Normalised(Normalised {
            what,
            is_as_before,
            is_sure: normalised(&change.after, &shown, &shown).is_some(),
            sent: change.after.clone(),
            shown,
        });
    }
    match (&before, &shown, &change.after) {
        _ if is_as_before => Instead::Ignored,
        (Value::Set(was), Value::Set(now), Value::Set(asked))
            // Nothing was to be removed, so someone in the inbox added the others.
            if !was.is_subset(asked) && now.is_superset(was) && now.is_superset(asked) =>
        {
            Instead::Added
        }
        _ => Instead::Other,
    }
}

/// How the platform's value derives from the one sent, and not from the one `before`; `None` if no known normalization explains it.
/// Notes in another form count as present.
fn normalised(sent: &Value, shown: &Value, before: &Value) -> Option<&'static str> {
    match (sent, shown) {
        (Value::Text(sent), Value::Text(text)) => {
            let form = if shown == before { form } else { form_of_new };
            form(sent, text).map(Normalization::as_str)
        }
        (Value::Set(sent), Value::Set(shown)) if !shown.is_empty() => {
            let form = |sent: &String, tag: &String| {
                let was_there = before.set().contains(tag);
                let form = if was_there { form } else { form_of_new };
                form(sent, tag)
            };
            let form_of = |tag: &String| sent.iter().find_map(|sent| form(sent, tag));
            let forms: Vec<Normalization> = shown.iter().map(form_of).collect::<Option<_>>()?;
            let is_whole = sent
                .iter()
                .all(|tag| shown.iter().any(|other| form(tag, other).is_some()));
            match forms.into_iter().max() {
                Some(form) if is_whole => Some(form.as_str()),
                // A cap leaves out only some of many.
                Some(_) if shown.len() >= FEWEST_OF_A_CAP => Some("number"),
                Some(_) | None => None,
            }
        }
        (
            Value::Absent
            | Value::Choice(_)
            | Value::Reference(_)
            | Value::Set(_)
            | Value::Text(_)
            | Value::Boolean(_)
            | Value::Notes(_),
            _,
        ) => None,
    }
}

/// The smallest number of tags that a cap may have left.
const FEWEST_OF_A_CAP: usize = 3;

/// Notes and tags that are present in another form than the one sent: those that are new, and those that went back as they were read.
fn reformed(task: &Task, now: &Lead) -> Vec<(Field, Normalization)> {
    let form = |change: &FieldChange| {
        let is_notes = change.field == Field::NOTES;
        let old = task.live.as_ref().filter(|_| is_notes);
        let old = old.map(|live| live.lead.notes()).unwrap_or_default();
        let notes = change.after.notes().iter().chain(old).filter_map(|note| {
            let is_there = now.notes().contains(note);
            let mut others = now.notes().iter().filter(|_| !is_there);
            others.find_map(|other| form_of_note(note, other))
        });
        // What is wrong with tags that are not as wanted is reported as that.
        let is_patched = change.patch.is_some() && change.is_done(now);
        let tags = change.after.set().iter().filter(|_| is_patched);
        let tags = tags.filter_map(|tag| {
            let is_there = now.tags().contains(tag);
            let mut others = now.tags().iter().filter(|_| !is_there);
            others.find_map(|other| normal::form(tag, other))
        });
        let forms = notes.chain(tags);
        Some((
            change.field.clone(),
            forms.max().filter(|form| *form > Normalization::Same)?,
        ))
    };
    task.change.fields.iter().filter_map(form).collect()
}
