//! What a run did: an outcome for each lead, and what was seen of the platform.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Outcome;
use super::check::{Check, Unwritten};
use super::journal::Line;
use super::platform::{Knowledge, LeadCounts, LearnedEffect};
use super::run::{Context, RunOptions};
use crate::cancel::Reason;
use crate::lead::{FieldId, LeadId};

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// By uuid: the outcome, and details if any.
    pub outcomes: BTreeMap<LeadId, (Outcome, Option<String>)>,
    /// Why it stopped early, if it did.
    pub stopped: Option<Reason>,
    /// The error that stopped it, if one did.
    pub fatal: Option<String>,
    /// A setting that may make the platform accept the writes.
    pub hints: BTreeSet<Cow<'static, str>>,
    /// The age of the oldest reading that a write was based on; `None` if nothing was sent.
    pub oldest_reading: Option<Duration>,
    /// Leads that may have been written: the platform did not say so, and they could not be read back.
    pub doubtful: BTreeSet<LeadId>,
    /// The number of leads that were or may have been written, and should have been read back but were not.
    pub not_read_back: usize,
    /// What is known about the platform.
    pub knowledge: Knowledge,
    /// What this run saw that was no side effect.
    pub(super) unchanged: LeadCounts,
    /// Leads that are written once more.
    pub(super) again: BTreeMap<LeadId, Again>,
    /// How many were, after a side effect.
    pub(super) rewritten: usize,
    /// Leads that show what was written, except for normalization by the platform.
    pub(super) normalised: BTreeSet<LeadId>,
    /// Leads on which somebody changed a field that the platform may change, too.
    pub(super) edited: BTreeSet<LeadId>,
    /// Values that nobody wrote and that leads have still which show what was written: the platform does not clear them.
    pub(super) kept: Unwritten,
    /// Leads that show what was written, and of which the platform may have cleared a value that was left out.
    pub(super) cleared: BTreeMap<LeadId, Unwritten>,
}

/// Why a lead is written once more.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// The remarks on its first write.
    pub(super) remarks: Option<String>,
    /// The notes that the first write replaced, as they were read: they are sent again. Empty after a side effect.
    pub(super) lost_notes: Vec<serde_json::Value>,
    /// What else of the first write is not as it should be.
    pub(super) wrong: Option<String>,
}

impl Report {
    /// The number of leads with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes
            .values()
            .filter(|(other, _)| *other == outcome)
            .count()
    }

    /// The outcomes as far as they are known: a lead that may have been written has failed.
    pub fn known_outcomes(&self) -> BTreeMap<LeadId, Outcome> {
        let known = |id: &LeadId, outcome| match outcome {
            Outcome::Written if self.doubtful.contains(id) => Outcome::Failed,
            outcome => outcome,
        };
        let outcomes = self.outcomes.iter();
        outcomes
            .map(|(id, (outcome, _))| (id.clone(), known(id, *outcome)))
            .collect()
    }

    /// Records the outcome of a lead, in the run file, too.
    pub(super) fn end<W>(
        &mut self,
        context: &Context<'_, W>,
        id: LeadId,
        outcome: Outcome,
        detail: Option<String>,
    ) {
        let (outcome, detail) = match self.again.remove(&id) {
            Some(again) => after_again(outcome, detail, again),
            None => (outcome, detail),
        };
        let line = Line::Outcome {
            uuid: id.clone(),
            outcome,
            detail: detail.clone(),
        };
        if let Err(error) = context.journal.line(&line) {
            context.stop.ask(Reason::Journal);
            self.fatal.get_or_insert(error.to_string());
        }
        self.outcomes.insert(id, (outcome, detail));
    }

    /// Takes what a lead shows of values that nobody wrote. One that does not show the write shows nothing of what the platform does.
    pub(super) fn learn_kept(&mut self, check: &Check) {
        if check.shows_the_write() {
            self.kept = self.kept.with(check.kept);
        }
    }

    /// Whether the platform may clear what a write leaves out, or replace what it should add to: a value is gone that no lead has
    /// shown to be kept.
    pub(super) fn may_be_cleared(&self, check: &Check) -> bool {
        !self.kept.covers(check.emptied_in)
    }

    /// The notes that a lead's first write replaced, as they were read.
    pub(super) fn lost_notes(&self, id: &LeadId) -> &[serde_json::Value] {
        let again = self.again.get(id);
        again.map_or(&[], |again| again.lost_notes.as_slice())
    }

    /// Whether a lead is written once more.
    pub(super) fn is_again(&self, id: &LeadId) -> bool {
        self.again.contains_key(id)
    }

    pub(crate) fn outcome(&self, id: &LeadId) -> Option<Outcome> {
        self.outcomes.get(id).map(|(outcome, _)| *outcome)
    }
}

/// The outcome of a lead that was written, of which a field was then to be written once more.
fn after_again(
    outcome: Outcome,
    detail: Option<String>,
    again: Again,
) -> (Outcome, Option<String>) {
    match outcome {
        Outcome::Verified | Outcome::Already if again.wrong.is_some() => {
            (Outcome::Unverified, again.wrong)
        }
        Outcome::Verified | Outcome::Already => {
            let parts: Vec<String> = again.remarks.into_iter().chain(detail).collect();
            (
                Outcome::Verified,
                (!parts.is_empty()).then(|| parts.join("; ")),
            )
        }
        Outcome::Written => (outcome, detail),
        Outcome::Stale | Outcome::Failed | Outcome::Untried | Outcome::Unverified => {
            let why = detail.map_or_else(String::new, |detail| format!(": {detail}"));
            let words = if again.lost_notes.is_empty() {
                format!("a side effect of the write was not corrected{why}")
            } else {
                format!("the notes that were there are lost, and could not be written back{why}")
            };
            (Outcome::Unverified, Some(words))
        }
    }
}

/// Hints at the side effects that this run saw.
pub(super) fn report_side_effects(options: &RunOptions, report: &mut Report) {
    if report.rewritten > 0 {
        let leads = crate::text::count(report.rewritten, "lead");
        let words = format!(
            "fields of {leads} were written once more after a side effect, as api.side_effects asks"
        );
        report.hints.insert(words.into());
    }
    let before = |effect: &LearnedEffect| {
        let mut known = options.known.side_effects.iter();
        known.any(|other| {
            other.leads == effect.leads
                && other.field == effect.field
                && other.shown == effect.shown
        })
    };
    let accepted = |effect: &LearnedEffect| {
        let mut ids = FieldId::all().filter(|id| id.group() == effect.field);
        ids.any(|id| options.side_effects.has(id))
    };
    let seen = report.knowledge.side_effects.iter();
    let seen = seen.filter(|effect| effect.is_likely() && !before(effect) && !accepted(effect));
    let hints: Vec<String> = seen
        .map(|effect| {
            format!(
                "{}: probably a side effect of this platform, unless someone changed it in the inbox; `api.side_effects: [{}]` accepts it",
                effect.words(),
                effect.field
            )
        })
        .collect();
    report.hints.extend(hints.into_iter().map(Cow::Owned));
}
