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
use goal::{Rewriter, known_of};

use crate::lead::{DesiredValue, Field, LeadId, TagRule};
use crate::lead_file::valid::{Meaning, Vocabulary, one_meaning};
use crate::lead_file::value::unwritable;
use crate::yaml::excerpt::quoted;

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
    match finish::written(file, text) {
        Ok(before) => {
            let mut editor = Editor {
                rewriter: Rewriter::new(file, vocabulary).saying_no_notes(),
                edited: &mut edited,
                attempts: 0,
            };
            editor.settle(&fit);
            let made = std::mem::take(&mut edited.text);
            edited.text = finish::with_layout_kept(file, &before, made);
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
        let unknown = tags.iter().find(|tag| vocabulary.lacks_tag(tag));
        return unknown.map(|tag| format!("`policy.tags` has no tag {}", quoted(tag)));
    }
    unwritable(&edit.field, &edit.value).map(str::to_owned)
}

struct Editor<'e> {
    rewriter: Rewriter<'e>,
    edited: &'e mut Edited,
    attempts: usize,
}

impl Editor<'_> {
    /// All at once; where that does not come out, each half by itself, down to the edits that cannot be made.
    fn settle(&mut self, edits: &[Edit]) {
        if edits.is_empty() {
            return;
        }
        self.attempts += 1;
        let outcome = if self.attempts > ATTEMPTS {
            Err("too many of the file's lines cannot be changed by themselves".to_owned())
        } else {
            self.edit(edits)
        };
        match outcome {
            Ok(text) => self.edited.text = text,
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

    /// The text with all of these.
    fn edit(&self, edits: &[Edit]) -> Result<String, String> {
        let before = self.rewriter.written(&self.edited.text)?;
        let desired = self.rewriter.says(&before)?;
        let mut goals: BTreeMap<&LeadId, Meaning> = BTreeMap::new();
        for edit in edits {
            let declared = desired
                .get(&edit.id)
                .ok_or("the file no longer declares this lead")?;
            let goal = goals
                .entry(&edit.id)
                .or_insert_with(|| one_meaning(declared));
            say(goal, edit);
        }
        let goals: Vec<(&LeadId, &Meaning)> = goals.iter().map(|(id, goal)| (*id, goal)).collect();
        let made = self.rewriter.reach(&before, &known_of(&desired), &goals)?;
        Ok(made.text)
    }
}

/// Makes a lead say one thing.
fn say(lead: &mut Meaning, edit: &Edit) {
    if edit.value.is_empty() {
        lead.fields.remove(&edit.field);
    } else {
        lead.fields.insert(edit.field.clone(), edit.value.clone());
    }
}
