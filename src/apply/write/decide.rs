//! What a fresh reading decides for the leads that wait for one: written, given up, or done already.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Writes;
use super::look::ReadResult;
use crate::apply::check::check;
use crate::apply::precheck::{Precheck, precheck, precheck_but};
use crate::apply::queue::{Attempts, Look, Pending, Ready};
use crate::apply::reading::took;
use crate::apply::{Outcome, WriteCertainty, Writer};
use crate::cancel::Reason;
use crate::lead::LeadId;
use crate::observe::{ObserveError, Observed, Reading};

/// After the error of a write.
const UPDATED: &str = "; not sent again, because the lead was updated after it";

impl<'a, W: Writer> Writes<'a, '_, W> {
    /// A reading decides for each lead that waits for one, even if it was found on another lead's page.
    pub(super) fn take(&mut self, look: &Look, found: Result<ReadResult, ObserveError<W::Error>>) {
        self.queue.looked(look);
        let ReadResult {
            leads,
            unreadable,
            reading,
        } = match found {
            Ok(found) => found,
            Err(error) => {
                if !self.context.stop.interrupted() {
                    self.context.stop.ask(Reason::Fatal);
                    self.report.fatal.get_or_insert(crate::text::chain(&error));
                }
                return;
            }
        };
        if look.page.is_some() {
            self.page_took = self.page_took.max(took(reading));
        }
        for (id, observed) in &leads {
            self.see(id, observed, reading);
        }
        self.cannot_read(&unreadable);
        for id in look.leads.iter().filter(|id| !leads.contains_key(*id)) {
            match look.page {
                Some(seen) => self.queue.missed(id, seen),
                None => {
                    if let Some(pending) = self.queue.take(id, reading) {
                        let result = precheck(pending.change, None);
                        self.decide(pending, result, reading, None);
                    }
                }
            }
        }
    }

    /// A page shows a lead: that decides for it, if it is still to be written and this reading is newer than its own.
    pub(super) fn see(&mut self, id: &LeadId, observed: &Arc<Observed>, reading: Reading) {
        let reading = observed.reading.unwrap_or(reading);
        let Some(mut pending) = self.queue.take(id, reading) else {
            return;
        };
        pending.found(observed.seen);
        let side_effects = self.context.options.side_effects;
        // A write that may have been done was, if it shows as the platform normalizes: it is not sent again.
        let is_there = pending.attempts.as_ref().is_some_and(|attempts| {
            attempts.failed.certainty == WriteCertainty::Indeterminate
                && check(&attempts.task, observed, side_effects).proves_the_write()
        });
        let result = if is_there {
            Precheck::AlreadyApplied
        } else {
            let mine = pending.attempts.as_ref().map(|_| side_effects);
            precheck_but(pending.change, Some(observed), mine.unwrap_or_default())
        };
        self.decide(pending, result, reading, Some(observed));
    }

    /// The records of these leads could not be understood.
    pub(super) fn cannot_read(&mut self, unreadable: &BTreeMap<LeadId, String>) {
        for (id, reason) in unreadable {
            if let Some(pending) = self.queue.remove(id) {
                self.leave_alone(pending, format!("its record cannot be read: {reason}"));
            }
        }
    }

    /// A lead whose record cannot be read is not written; one that was may be as it was asked to be.
    fn leave_alone(&mut self, pending: Pending<'a>, why: String) {
        if pending.attempts.is_some() {
            self.count_failure();
        }
        self.give_up(pending, Some(why));
    }

    /// What the precheck says of a lead on this reading decides whether it is written, or how it ends.
    fn decide(
        &mut self,
        mut pending: Pending<'a>,
        result: Precheck,
        reading: Reading,
        seen: Option<&Arc<Observed>>,
    ) {
        let id = &pending.change.uuid;
        match (result, pending.attempts.take()) {
            (Precheck::Unreadable(why), attempts) => {
                pending.attempts = attempts;
                self.leave_alone(pending, why);
            }
            // It may be there, or have been set back: reading back decides.
            (Precheck::Proceed(_), Some(mut attempts)) if attempts.may_be_set_back(seen) => {
                attempts.failed.words += UPDATED;
                self.wrote(&pending, attempts.task, Some(attempts.failed));
                self.count_failure();
            }
            (Precheck::Proceed(task), attempts) => {
                pending.attempts = attempts;
                self.queue.ready(Ready {
                    pending,
                    task: *task,
                    reading,
                });
            }
            // An earlier write was done, although its answer was lost.
            (Precheck::AlreadyApplied, Some(attempts)) => {
                self.waits_in_a_row = 0;
                self.wrote(&pending, attempts.task, None);
            }
            (Precheck::AlreadyApplied, None) => {
                self.done(&pending, false);
                self.report
                    .end(self.context, id.clone(), Outcome::Already, None);
            }
            // Some of an earlier write is there: reading back says what of it.
            (Precheck::Stale(_), Some(attempts)) if attempts.is_done_in_part(seen) => {
                self.wrote(&pending, attempts.task, Some(attempts.failed));
                self.count_failure();
            }
            (Precheck::Stale(why), attempts) => {
                self.done(&pending, false);
                let why = match attempts {
                    Some(Attempts { failed, .. }) => {
                        format!("{why}; a write was sent before: {}", failed.words)
                    }
                    None => why,
                };
                self.report
                    .end(self.context, id.clone(), Outcome::Stale, Some(why));
            }
        }
    }
}
