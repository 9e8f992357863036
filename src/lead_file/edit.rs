//! In-place edits: other values into a lead file that is there, touching nothing but what differs.
//!
//! Takes a file's text and new values of leads, and returns the text with those values in it. Bytes are spliced, so comments, order,
//! quotes, anchors, line breaks and all else stay. The result is loaded and compared with what was requested: the edited leads have
//! the new values and every other lead is unchanged, or the edit is refused. A value that others share (by an alias or `<<`)
//! changes for its own lead alone: other leads that would change with it get a key of their own. Pure.

mod append;
mod excerpt;
mod finish;
mod goal;
mod place;
mod remove;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::adopt::{Adopted, adopt};
pub(crate) use goal::{Known, rewrite};

use crate::lead::{DesiredValue, Field, Kind, LeadId, TagRule};
use crate::lead_file::emit::{AgentNames, layout_rules};
use crate::lead_file::valid::{Meaning, Vocabulary, declared_in, meaning_of};
use crate::lead_file::value::unwritable;
use crate::yaml::Written;
use crate::yaml::excerpt::quoted;
use crate::yaml::format::{is_laid_out, layout};

/// One value that a lead of the file is to say from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which lead.
    pub id: LeadId,
    /// Which field.
    pub field: Field,
    /// What it is to say. Notes: exactly these, and none where there are none.
    pub value: DesiredValue,
}

/// A file with its edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new text.
    pub text: String,
    /// Edits that are not in it, and why.
    pub refused: Vec<(Edit, String)>,
}

/// The maximum number of attempts to undo the side effects of one edit on other leads.
const ROUNDS: usize = 8;
/// The maximum number of attempts to isolate failing edits: each attempt reads the whole file.
const ATTEMPTS: usize = 400;

/// Puts edits into a file.
pub fn apply(file: &Arc<str>, text: &str, edits: &[Edit], vocabulary: Vocabulary<'_>) -> Edited {
    let mut edited = Edited {
        text: text.to_owned(),
        refused: Vec::new(),
    };
    let mut fit = Vec::with_capacity(edits.len());
    for edit in edits {
        match problem(edit, vocabulary) {
            Some(why) => edited.refused.push((edit.clone(), why)),
            None => fit.push(edit.clone()),
        }
    }
    let read = finish::written(file, text).and_then(|before| {
        let says = declared_in(file, &before, vocabulary)?;
        Ok((before, meaning_of(says)))
    });
    match read {
        Ok((before, says)) => {
            let mut editor = Editor {
                file,
                vocabulary,
                edited: &mut edited,
                says,
                attempts: 0,
            };
            editor.settle(&fit);
            let made = std::mem::take(&mut edited.text);
            edited.text = with_layout_kept(file, &before, made);
        }
        Err(why) => edited
            .refused
            .extend(fit.into_iter().map(|edit| (edit, why.clone()))),
    }
    edited
}

/// What no file of this workspace can say.
fn problem(edit: &Edit, vocabulary: Vocabulary<'_>) -> Option<String> {
    if let Some(TagRule::Exact(tags)) = edit.value.tag_rule() {
        let known = vocabulary.tags?;
        let unknown = tags.iter().find(|tag| !known.contains(tag));
        return unknown.map(|tag| format!("`policy.tags` has no tag {}", quoted(tag)));
    }
    unwritable(&edit.field, &edit.value).map(str::to_owned)
}

struct Editor<'e> {
    file: &'e Arc<str>,
    vocabulary: Vocabulary<'e>,
    edited: &'e mut Edited,
    says: BTreeMap<LeadId, Meaning>,
    attempts: usize,
}

impl Editor<'_> {
    /// All at once; where that does not come out, each half by itself, down to the edits that cannot be made.
    fn settle(&mut self, edits: &[Edit]) {
        if edits.is_empty() {
            return;
        }
        let mut goal = self.says.clone();
        let known = edits
            .iter()
            .all(|edit| goal.get_mut(&edit.id).map(|lead| say(lead, edit)).is_some());
        self.attempts += 1;
        let outcome = match known {
            _ if self.attempts > ATTEMPTS => {
                Err("too many of the file's lines cannot be changed by themselves".to_owned())
            }
            true => self.reach(&goal),
            false => Err("the file no longer declares this lead".to_owned()),
        };
        match outcome {
            Ok(text) => {
                self.edited.text = text;
                self.says = goal;
            }
            Err(why) => match edits {
                [edit] => self.edited.refused.push((edit.clone(), why)),
                edits => {
                    let (one, other) = edits.split_at(edits.len() / 2);
                    self.settle(one);
                    self.settle(other);
                }
            },
        }
    }

    /// The text that says `goal`.
    fn reach(&self, goal: &BTreeMap<LeadId, Meaning>) -> Result<String, String> {
        let before = finish::written(self.file, &self.edited.text)?;
        let Some(mut text) = self.round(&before, &self.says, goal)? else {
            return Ok(self.edited.text.clone());
        };
        for _ in 1..ROUNDS {
            let unreadable = |_| finish::unreadable();
            let written = finish::written(self.file, &text).map_err(unreadable)?;
            let says = declared_in(self.file, &written, self.vocabulary).map_err(unreadable)?;
            match self.round(&written, &meaning_of(says), goal)? {
                Some(made) => text = made,
                None => {
                    finish::check_comments(&before, &written)?;
                    return Ok(text);
                }
            }
        }
        Err("too much hangs together by aliases here".to_owned())
    }

    /// The text with what its leads have yet to say; `None` where they say the goal.
    fn round(
        &self,
        written: &Written<'_>,
        says: &BTreeMap<LeadId, Meaning>,
        goal: &BTreeMap<LeadId, Meaning>,
    ) -> Result<Option<String>, String> {
        let differing: Vec<(&LeadId, Changes)> = goal
            .iter()
            .map(|(id, lead)| (id, differences(says.get(id), lead)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        if differing.is_empty() && says == goal {
            return Ok(None);
        }
        if differing.is_empty() {
            return Err("its line cannot be changed by itself".to_owned());
        }
        let names = self
            .vocabulary
            .agents
            .map(AgentNames::new)
            .unwrap_or_default();
        let placed = place::all(written, &differing, &names)?;
        Ok(Some(finish::put(written, placed)))
    }
}

/// The text of an edited file, laid out where the file was in the canonical layout before: a new value may be too long for its line, say.
fn with_layout_kept(file: &Arc<str>, before: &Written<'_>, edited: String) -> String {
    if edited == before.text || !is_laid_out(file, before, &layout_rules()) {
        return edited;
    }
    // A layout says the same as what was laid out: it is compared when it is made.
    layout(file, &edited, &layout_rules()).map_or(edited, |made| made.text)
}

/// Values that a lead has yet to have.
pub(crate) type Changes = Vec<(Field, DesiredValue)>;

/// Makes a lead say one thing.
fn say(lead: &mut Meaning, edit: &Edit) {
    if edit.value.is_empty() {
        lead.fields.remove(&edit.field);
    } else {
        lead.fields.insert(edit.field.clone(), edit.value.clone());
    }
}

/// What a lead has yet to say. Notes that it is no longer to say are none.
fn differences(says: Option<&Meaning>, goal: &Meaning) -> Changes {
    let Some(says) = says else { return Vec::new() };
    let differs = |(field, value): &(&Field, &DesiredValue)| says.fields.get(field) != Some(*value);
    let mut changes: Changes = goal
        .fields
        .iter()
        .filter(differs)
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    let gone = says
        .fields
        .fields()
        .filter(|field| !goal.fields.contains(field));
    for field in gone.filter(|field| field.kind() == Kind::Notes) {
        changes.push((field.clone(), DesiredValue::Notes(Vec::new())));
    }
    changes
}
