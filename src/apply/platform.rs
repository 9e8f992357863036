//! What runs learned about the platform, kept in `.convertalk/platform.json` for the next one.
//!
//! Two habits show only after a write: adding the notes that are sent to those there, and side effects, which are fields that change
//! with a write of others (assigning opens a lead). The file is bound to one inbox. It is a hint: one that is broken, of another
//! inbox or of another version is ignored, and what it says is corrected by what later runs see.

use std::collections::{BTreeMap, BTreeSet};
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

/// A value that a field changed to on at least this many leads is the platform's, and another one an edit of a person.
const SURE: u64 = 3;

/// The same, if it was one in at most this many of the leads on which the field changed: people, too, may give several leads one value.
const SHARE: u64 = 10;

/// More leads than these count as these, so that a platform that changes its ways is believed after a few leads.
const ENOUGH: u64 = 30;

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

/// What a write did with a field that it did not write, on how many leads of this run.
pub(super) type LeadCounts = BTreeMap<UnwrittenField, u64>;

/// A field that a write did not write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnwrittenField {
    /// The fields that were written.
    pub(super) with: BTreeSet<String>,
    pub(super) field: &'static str,
    /// What it showed after the write.
    pub(super) shown: Option<String>,
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

    /// Whether this write would have had the effect, and did not. Where the field already showed what the effect gives it, nothing is known.
    fn is_missing_in(&self, write: &UnwrittenField) -> bool {
        let would_show = self.shown.is_some() && self.shown == write.shown;
        self.field == write.field && !would_show && self.with.is_subset(&write.with)
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

    /// Notes that a field changed with a write of others. `unchanged` has the leads seen before on which fields did not: an effect
    /// that is seen only now would have shown there.
    pub(super) fn saw_effect(&mut self, seen: UnwrittenField, unchanged: &LeadCounts) {
        let is_same = |effect: &LearnedEffect| {
            effect.field == seen.field
                && effect.shown == seen.shown
                && !effect.with.is_disjoint(&seen.with)
        };
        let at = self.side_effects.iter().position(is_same);
        let known = at.map(|at| self.side_effects.remove(at));
        let common =
            |effect: &LearnedEffect| effect.with.intersection(&seen.with).cloned().collect();
        let known_with = known.as_ref().map(common);
        let mut effect = LearnedEffect {
            with: known_with.unwrap_or(seen.with),
            field: seen.field.to_owned(),
            shown: seen.shown,
            leads: known.as_ref().map_or(1, |effect| effect.leads + 1),
            without: known.as_ref().map_or(0, |effect| effect.without),
        };
        let was_counted = |write: &UnwrittenField| {
            let known = known.as_ref();
            known.is_some_and(|effect| effect.is_missing_in(write))
        };
        let missing = unchanged
            .iter()
            .filter(|(write, _)| effect.is_missing_in(write) && !was_counted(write));
        effect.without += missing.map(|(_, leads)| leads).sum::<u64>();
        let at = at.unwrap_or(self.side_effects.len());
        self.side_effects.insert(at, effect);
    }

    /// Notes that a write of others left a field as it was.
    pub(super) fn saw_none(&mut self, seen: &UnwrittenField) {
        for effect in &mut self.side_effects {
            effect.without += u64::from(effect.is_missing_in(seen));
        }
    }

    /// Whether a field, after a write of others, has none of the values that the platform gives it then: somebody in the inbox changed it.
    pub(super) fn is_edit(&self, seen: &UnwrittenField) -> bool {
        let mut leads: BTreeMap<&Option<String>, u64> = BTreeMap::new();
        let is_about = |effect: &&LearnedEffect| {
            effect.field == seen.field && effect.with.is_subset(&seen.with)
        };
        for effect in self.side_effects.iter().filter(is_about) {
            *leads.entry(&effect.shown).or_default() += effect.leads;
        }
        leads
            .values_mut()
            .for_each(|leads| *leads = ENOUGH.min(*leads));
        let all: u64 = leads.values().sum();
        leads.retain(|_, leads| *leads >= SURE && *leads * SHARE >= all);
        !leads.is_empty() && !leads.contains_key(&seen.shown)
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

    fn seen(with: &[&str], shown: &str) -> UnwrittenField {
        UnwrittenField {
            with: with.iter().map(|name| (*name).to_owned()).collect(),
            field: "status",
            shown: Some(shown.to_owned()),
        }
    }

    #[test]
    fn an_effect_keeps_what_all_its_writes_had_in_common() {
        let mut known = Knowledge::default();
        known.saw_effect(seen(&["agent", "tags"], "INPROGRESS"), &LeadCounts::new());
        known.saw_effect(seen(&["agent"], "INPROGRESS"), &LeadCounts::new());
        known.saw_none(&seen(&["tags"], "OPEN"));
        known.saw_none(&seen(&["agent"], "INPROGRESS"));
        assert_eq!(
            known.lines(),
            ["writing agent changed status to INPROGRESS, on 2 of 2 leads"]
        );
    }

    #[test]
    fn writes_without_an_effect_count_in_any_order() {
        let effects = [
            seen(&["agent", "tags"], "REVIEW"),
            seen(&["agent"], "REVIEW"),
        ];
        let none = [
            (seen(&["agent"], "OPEN"), 3),
            (seen(&["agent", "tags"], "OPEN"), 1),
            (seen(&["agent", "tags"], "REVIEW"), 1),
        ];
        let (mut first, mut last) = (Knowledge::default(), Knowledge::default());
        for effect in effects.clone() {
            first.saw_effect(effect, &LeadCounts::new());
        }
        for (write, leads) in &none {
            for _ in 0..*leads {
                first.saw_none(write);
                last.saw_none(write);
            }
        }
        let before = LeadCounts::from(none);
        for effect in effects {
            last.saw_effect(effect, &before);
        }
        assert_eq!(first, last);
        assert_eq!(
            (first.side_effects[0].leads, first.side_effects[0].without),
            (2, 4)
        );
        assert_eq!(first.lines(), Vec::<String>::new());
    }

    #[test]
    fn an_edit_of_a_person_is_no_effect() {
        let mut known = Knowledge::default();
        known.saw_effect(seen(&["agent"], "REVIEW"), &LeadCounts::new());
        known.saw_none(&seen(&["agent"], "OPEN"));
        assert_eq!(known.lines(), Vec::<String>::new());
        let is_edit = |known: &Knowledge, shown| known.is_edit(&seen(&["agent", "tags"], shown));
        assert!(!is_edit(&known, "ONHOLD"), "nothing is sure yet");
        for _ in 0..3 {
            known.saw_effect(seen(&["agent"], "INPROGRESS"), &LeadCounts::new());
        }
        assert!(is_edit(&known, "ONHOLD"));
        assert!(is_edit(&known, "REVIEW"), "seen once");
        assert!(!is_edit(&known, "INPROGRESS"));
        let none = UnwrittenField {
            shown: None,
            ..seen(&["agent"], "")
        };
        assert!(known.is_edit(&none));
        assert!(
            !known.is_edit(&seen(&["tags"], "ONHOLD")),
            "after another write"
        );
    }

    #[test]
    fn a_value_of_few_leads_among_many_is_no_effect() {
        let mut known = Knowledge::default();
        for (shown, leads) in [("INPROGRESS", 1_000), ("REVIEW", 4), ("ONHOLD", 3)] {
            for _ in 0..leads {
                known.saw_effect(seen(&["agent"], shown), &LeadCounts::new());
            }
        }
        // The platform leaves most leads alone: those that it changes, it changes to these all the same.
        for _ in 0..100 {
            known.saw_none(&seen(&["agent"], "OPEN"));
        }
        let is_edit = |shown| known.is_edit(&seen(&["agent"], shown));
        assert_eq!(
            ["INPROGRESS", "REVIEW", "ONHOLD", "OPEN"].map(is_edit),
            [false, false, true, true]
        );
    }
}
