//! In-place edits: other values into a lead file that is there, touching nothing but what differs.
//!
//! Given a file's text and what leads are to say; hands on the text with those values in it. Bytes are spliced, so comments, order,
//! quotes, anchors, line breaks and all else stay. What comes of it is loaded and held against what was wanted: the edited leads say
//! the new values and every other lead says what it said, or the edit is refused. A value that others share (by an alias or `<<`)
//! changes for its own lead alone: whoever would change with it gets a key of its own. Pure.

mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use super::adopt::{Adopted, adopt, sayable};

use crate::lead::{Field, LeadId, TagRule, Wanted};
use crate::lead_file::emit::AgentNames;
use crate::lead_file::valid::{Meaning, Vocabulary, meaning};
use crate::yaml::Written;
use crate::yaml::diagnostic::Source;
use crate::yaml::excerpt::quoted;

/// One value that a lead of the file is to say from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which lead.
    pub id: LeadId,
    /// What it is to say. Notes: exactly these, and none where there are none.
    pub wanted: Wanted,
}

/// A file with its edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new text.
    pub text: String,
    /// Edits that are not in it, and why.
    pub refused: Vec<(Edit, String)>,
}

/// So often what one edit did to others is mended, at the most.
const ROUNDS: usize = 8;
/// So often edits that do not come out are looked for among others, at the most: each time the whole file is read.
const ATTEMPTS: usize = 400;

/// Puts edits into a file.
pub fn apply(file: &Arc<str>, text: &str, edits: &[Edit], vocabulary: Vocabulary<'_>) -> Edited {
    let mut edited = Edited {
        text: text.to_owned(),
        refused: Vec::new(),
    };
    let mut fit = Vec::with_capacity(edits.len());
    for edit in edits {
        match problem(&edit.wanted, vocabulary) {
            Some(why) => edited.refused.push((edit.clone(), why)),
            None => fit.push(edit.clone()),
        }
    }
    match meaning(file, text, vocabulary) {
        Ok(says) => Editor {
            file,
            vocabulary,
            edited: &mut edited,
            says,
            attempts: 0,
        }
        .settle(&fit),
        Err(why) => edited
            .refused
            .extend(fit.into_iter().map(|edit| (edit, why.clone()))),
    }
    edited
}

/// What no file of this workspace can say.
fn problem(wanted: &Wanted, vocabulary: Vocabulary<'_>) -> Option<String> {
    let unknown = |tags: &BTreeSet<String>| {
        let unknown = vocabulary
            .tags
            .and_then(|known| tags.iter().find(|tag| !known.contains(tag)));
        unknown.map(|tag| format!("the policy knows no tag {}", quoted(tag)))
    };
    match wanted {
        Wanted::Tags(TagRule::Exact(tags)) => unknown(tags),
        wanted => sayable(wanted).err().map(str::to_owned),
    }
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
        let known = edits.iter().all(|edit| {
            goal.get_mut(&edit.id)
                .map(|lead| say(lead, &edit.wanted))
                .is_some()
        });
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
        let mut text = self.edited.text.clone();
        let mut says = self.says.clone();
        for _ in 0..ROUNDS {
            let differing: Vec<(&LeadId, Vec<Wanted>)> = goal
                .iter()
                .map(|(id, lead)| (id, differences(says.get(id), lead)))
                .filter(|(_, wanted)| !wanted.is_empty())
                .collect();
            if differing.is_empty() {
                return if says == *goal {
                    Ok(text)
                } else {
                    Err("its line cannot be changed by itself".to_owned())
                };
            }
            text = self.round(&text, &differing)?;
            says = meaning(self.file, &text, self.vocabulary)?;
        }
        Err("too much hangs together by aliases here".to_owned())
    }

    fn round(&self, text: &str, differing: &[(&LeadId, Vec<Wanted>)]) -> Result<String, String> {
        let source = Source {
            file: self.file.clone(),
            text,
        };
        let written = Written::read(&source, &mut Vec::new()).ok_or("the file is no YAML")?;
        let names = self
            .vocabulary
            .agents
            .map(AgentNames::new)
            .unwrap_or_default();
        let placed = place::all(&written, differing, &names)?;
        Ok(crate::yaml::splice::into(text, placed))
    }
}

/// Makes a lead say one thing.
fn say(lead: &mut Meaning, wanted: &Wanted) {
    let field = wanted.field();
    let empty = matches!(wanted, Wanted::Notes(notes) if notes.is_empty());
    lead.wanted.retain(|said| said.field() != field);
    if !empty {
        lead.wanted.push(wanted.clone());
        lead.wanted.sort_by_key(Wanted::field);
    }
}

/// What a lead has yet to say.
fn differences(says: Option<&Meaning>, goal: &Meaning) -> Vec<Wanted> {
    let Some(says) = says else { return Vec::new() };
    let mut wanted: Vec<Wanted> = goal
        .wanted
        .iter()
        .filter(|wanted| !says.wanted.contains(wanted))
        .cloned()
        .collect();
    let fields: BTreeSet<Field> = goal.wanted.iter().map(Wanted::field).collect();
    let notes = says.wanted.iter().any(|said| said.field() == Field::Notes);
    if notes && !fields.contains(&Field::Notes) {
        wanted.push(Wanted::Notes(Vec::new()));
    }
    wanted
}
