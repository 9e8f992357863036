//! The values that nobody wrote: what of them a write changed, emptied or kept.

use std::collections::BTreeSet;

use super::Check;
use crate::apply::precheck::Task;
use crate::diff::{is_at_before, value};
use crate::lead::normal::has_note;
use crate::lead::{Field, FieldId, FieldMask, Lead};
use crate::observe::Observed;

/// Entries of the table with values that nobody wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::apply) struct Unwritten {
    /// The write left them out.
    left_out: FieldMask,
    /// They went back as they were read: the other items of a list that was written.
    sent_along: FieldMask,
}

impl Unwritten {
    /// Both together.
    pub(in crate::apply) fn with(self, other: Self) -> Self {
        Self {
            left_out: self.left_out.with(other.left_out),
            sent_along: self.sent_along.with(other.sent_along),
        }
    }

    /// Whether it has every entry of the other, and for the same reason.
    pub(in crate::apply) fn covers(self, other: Self) -> bool {
        self.left_out.covers(other.left_out) && self.sent_along.covers(other.sent_along)
    }

    /// Whether a write left some of them out.
    pub(in crate::apply) fn has_left_out(self) -> bool {
        self.left_out != FieldMask::default()
    }

    fn and(&mut self, entries: FieldMask, is_sent: bool) {
        let mask = if is_sent {
            &mut self.sent_along
        } else {
            &mut self.left_out
        };
        *mask = mask.with(entries);
    }
}

impl Check {
    /// Checks the fields that were not written.
    pub(super) fn compare_the_rest(
        &mut self,
        task: &Task,
        (was, now): (&Observed, &Observed),
        side_effects: FieldMask,
    ) {
        let written: BTreeSet<&Field> = task
            .change
            .fields
            .iter()
            .map(|change| &change.field)
            .collect();
        let entries = written.iter().map(|field| field.id());
        let entries = entries.fold(FieldMask::default(), FieldMask::and);
        // What was not understood and is nothing now is gone.
        for id in FieldId::all().filter(|id| was.unreadable.has(*id) && !now.unreadable.has(*id)) {
            if !entries.has(id) && now.lead.values().all(|(field, _)| field.id() != id) {
                self.emptied.push(id.spec().name.to_owned());
                self.emptied_in.and(FieldMask::default().and(id), false);
            }
        }
        let values = was.lead.values().chain(now.lead.values());
        let all: BTreeSet<&Field> = values.map(|(field, _)| field).collect();
        let unreadable = was.unreadable.with(now.unreadable);
        let is_other = |field: &&Field| !written.contains(field) && !unreadable.has(field.id());
        for field in all.into_iter().filter(is_other) {
            let (before, after) = (value(&was.lead, field), value(&now.lead, field));
            let entry = FieldMask::default().and(field.id());
            let is_sent = entries.overlaps(entry);
            if !before.is_empty() && !after.is_empty() {
                self.kept.and(entry, is_sent);
            }
            if before == after {
                continue;
            }
            self.effects.push(field.clone());
            if side_effects.has(field.id()) {
                let mut declared = task.change.unwritten.iter();
                if declared.any(|other| other.field == *field && !is_at_before(&now.lead, other)) {
                    self.undone.push(field.clone());
                }
                continue;
            }
            if after.is_empty() {
                self.emptied.push(field.to_string());
                self.emptied_in.and(entry, is_sent);
            } else {
                self.changed.push(field.to_string());
            }
        }
        if written.contains(&Field::NOTES) {
            let notes = FieldMask::default().and(Field::NOTES.id());
            let times = |lead: &Lead, note| lead.notes().iter().filter(|o| *o == note).count();
            let (old, new) = (&was.lead, &now.lead);
            self.notes_doubled = old
                .notes()
                .iter()
                .any(|note| times(new, note) > times(old, note));
            if old.notes().iter().any(|note| !has_note(new.notes(), note)) {
                self.emptied.push("an existing note".to_owned());
                self.emptied_in.and(notes, true);
            } else if !old.notes().is_empty() {
                self.kept.and(notes, true);
            }
        }
        for (name, value) in &now.unmanaged {
            if !was.unmanaged.contains(&(*name, value.clone())) {
                self.changed.push((*name).to_owned());
            }
        }
        for (name, _) in &was.unmanaged {
            if now.unmanaged.iter().all(|(other, _)| other != name) {
                self.emptied.push((*name).to_owned());
                self.emptied_in.and(FieldMask::UNMANAGED, false);
            }
        }
        if now
            .unmanaged
            .iter()
            .any(|(name, _)| was.unmanaged.iter().any(|(other, _)| other == name))
        {
            self.kept.and(FieldMask::UNMANAGED, false);
        }
    }
}
