//! What runs learned about the platform, kept in `.convertalk/platform.json` for the next one.
//!
//! Two habits show only after a write: adding the notes that are sent to those there, and side effects, which are fields that change
//! with a write of others (assigning opens a lead). The file is bound to one inbox. It is a hint: one that is broken, of another
//! inbox or of another version is ignored, and what it says is corrected by what later runs see.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::atomic_file::{self, WriteError};
use crate::lead::Field;
use crate::plan::Target;
use crate::text::count;

/// The version of the format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The habit of adding notes, in words.
const ADDS_NOTES: &str = "it adds notes to those there";

/// After this many leads with one value, another value is taken for an edit of a person.
const SURE: u64 = 3;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformRecord {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The inbox.
    pub target: Target,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// What was learned.
    #[serde(flatten)]
    pub knowledge: Knowledge,
}

/// What was learned about a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Knowledge {
    /// Whether it adds the notes that it is sent to those there.
    #[serde(default)]
    pub adds_notes: bool,
    /// Fields that changed with a write of others.
    #[serde(default)]
    pub side_effects: Vec<LearnedEffect>,
}

/// A field that nobody wrote and that changed with a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LearnedEffect {
    /// The fields that every such write had in common.
    pub with: BTreeSet<String>,
    /// The field that changed.
    pub field: String,
    /// What it showed then: a status or an agent; null for none, and for fields of other kinds.
    pub shown: Option<String>,
    /// The number of leads on which this was seen.
    pub leads: u64,
    /// The number of leads on which the same write left the field as it was.
    pub without: u64,
}

impl LearnedEffect {
    /// Whether it was seen on most leads. People in the inbox change fields, too, on a few.
    pub fn is_likely(&self) -> bool {
        self.leads > self.without
    }

    /// What was seen, in words.
    pub(super) fn words(&self) -> String {
        let with: Vec<&str> = self.with.iter().map(String::as_str).collect();
        let shown = self.shown.as_ref();
        let shown = shown.map_or_else(String::new, |shown| format!(" to {shown}"));
        let leads = count(
            usize::try_from(self.leads + self.without).unwrap_or(usize::MAX),
            "lead",
        );
        format!(
            "writing {} changed {}{shown}, on {} of {leads}",
            with.join(", "),
            self.field,
            self.leads
        )
    }
}

impl Knowledge {
    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        !self.adds_notes && self.side_effects.is_empty()
    }

    /// One line for each habit.
    pub fn lines(&self) -> Vec<String> {
        let notes = self.adds_notes.then(|| ADDS_NOTES.to_owned());
        let likely = self.likely().map(LearnedEffect::words);
        notes.into_iter().chain(likely).collect()
    }

    /// One line for each habit that a write of these fields meets.
    pub fn lines_about(&self, fields: &BTreeSet<&str>) -> Vec<String> {
        let meets = |effect: &&LearnedEffect| {
            effect
                .with
                .iter()
                .all(|name| fields.contains(name.as_str()))
        };
        let notes = self.adds_notes && fields.contains(Field::NOTES.id().group());
        let notes = notes.then(|| ADDS_NOTES.to_owned());
        let likely = self.likely().filter(meets).map(LearnedEffect::words);
        notes.into_iter().chain(likely).collect()
    }

    fn likely(&self) -> impl Iterator<Item = &LearnedEffect> {
        self.side_effects.iter().filter(|effect| effect.is_likely())
    }

    /// Notes that `field` changed with a write of these.
    pub(super) fn saw_effect(&mut self, with: &BTreeSet<String>, field: &str, shown: Option<&str>) {
        let is_same = |effect: &&mut LearnedEffect| {
            effect.field == field
                && effect.shown.as_deref() == shown
                && !effect.with.is_disjoint(with)
        };
        match self.side_effects.iter_mut().find(is_same) {
            Some(effect) => {
                effect.with.retain(|name| with.contains(name));
                effect.leads += 1;
            }
            None => self.side_effects.push(LearnedEffect {
                with: with.clone(),
                field: field.to_owned(),
                shown: shown.map(str::to_owned),
                leads: 1,
                without: 0,
            }),
        }
    }

    /// Notes that a write of these left `field` as it was, which showed `shown`.
    pub(super) fn saw_none(&mut self, with: &BTreeSet<String>, field: &str, shown: Option<&str>) {
        for effect in &mut self.side_effects {
            let would_show = effect.shown.is_some() && effect.shown.as_deref() == shown;
            if effect.field == field && !would_show && effect.with.is_subset(with) {
                effect.without += 1;
            }
        }
    }

    /// Whether a value is none that the platform gave this field on several leads: then somebody in the inbox changed it.
    pub(super) fn is_edit(&self, field: &str, shown: Option<&str>) -> bool {
        let about = |effect: &&LearnedEffect| effect.field == field && effect.is_likely();
        let seen = self.side_effects.iter().filter(about);
        shown.is_some()
            && seen.clone().map(|effect| effect.leads).sum::<u64>() >= SURE
            && seen.clone().all(|effect| effect.shown.is_some())
            && seen.clone().all(|effect| effect.shown.as_deref() != shown)
    }
}

/// Where the file is.
pub fn path(root: &Path) -> PathBuf {
    root.join(".convertalk/platform.json")
}

/// Reads what was learned about an inbox: nothing where there is no file.
///
/// # Errors
/// Why the file is ignored.
pub fn read(root: &Path, target: &Target) -> Result<Knowledge, String> {
    let path = path(root);
    crate::state::refuse_links(root, &path).map_err(|error| error.to_string())?;
    let is_large = std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGEST);
    if is_large {
        return Err("it is too large".to_owned());
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Knowledge::default());
        }
        Err(error) => return Err(error.to_string()),
    };
    let record: PlatformRecord =
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if record.format_version != FORMAT_VERSION {
        return Err(format!("it has format version {}", record.format_version));
    }
    if record.target != *target {
        return Err("it is about another inbox".to_owned());
    }
    Ok(record.knowledge)
}

/// Writes what was learned, so that a reader sees this file or the one before.
///
/// # Errors
/// The file cannot be written.
pub fn save(root: &Path, record: &PlatformRecord) -> Result<(), WriteError> {
    atomic_file::write(&path(root), |out| {
        serde_json::to_writer_pretty(&mut *out, record)?;
        out.write_all(b"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_effect_keeps_what_all_its_writes_had_in_common() {
        let mut known = Knowledge::default();
        known.saw_effect(&names(&["agent", "tags"]), "status", Some("INPROGRESS"));
        known.saw_effect(&names(&["agent"]), "status", Some("INPROGRESS"));
        known.saw_none(&names(&["tags"]), "status", Some("OPEN"));
        known.saw_none(&names(&["agent"]), "status", Some("INPROGRESS"));
        assert_eq!(
            known.lines(),
            ["writing agent changed status to INPROGRESS, on 2 of 2 leads"]
        );
    }

    #[test]
    fn an_edit_of_a_person_is_no_effect() {
        let mut known = Knowledge::default();
        let agent = names(&["agent"]);
        known.saw_effect(&agent, "status", Some("REVIEW"));
        known.saw_none(&agent, "status", Some("OPEN"));
        assert_eq!(known.lines(), Vec::<String>::new());
        assert!(
            !known.is_edit("status", Some("ONHOLD")),
            "nothing is sure yet"
        );
        for _ in 0..3 {
            known.saw_effect(&agent, "status", Some("INPROGRESS"));
        }
        assert!(known.is_edit("status", Some("ONHOLD")));
        assert!(!known.is_edit("status", Some("INPROGRESS")));
    }
}
