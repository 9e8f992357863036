//! Reads written leads back while others are being written: a page of the listing once every lead on it that this run writes has ended.
//!
//! Concludes only what needs no second look: a lead that shows what was written, with nothing else changed. All others are left to
//! `read_back`, which waits for them, so a platform whose listing lags or moves costs no more than a few pages. A lead that shows
//! a value gone that nobody wrote, and that no lead has kept, stops the run where it is the third: the canary had nothing there that
//! could be cleared.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use super::look::ReadResult;
use super::{Planned, Stage, Writes, WrittenLead};
use crate::apply::Writer;
use crate::apply::check::{Check, check};
use crate::apply::run::{Context, Progress};
use crate::apply::verify::verified;
use crate::cancel::Reason;
use crate::lead::LeadId;
use crate::observe::{ObserveError, Seen};

/// After this many consecutive pages that could not be read, or confirmed nothing, the listing is assumed to lag, or to move when leads
/// are written.
const GIVE_UP: u32 = 2;

/// The number of canaries that are written without a look at them.
const FEW: usize = 20;

/// On as many leads, a value that is gone was cleared by the platform: on fewer, somebody in the inbox may have done it.
const CLEARED: usize = 3;

/// The pages of the listing that hold leads of a run.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    open: BTreeMap<Seen, PageLeads>,
    /// Pages of which all leads have ended, in that order, and those of them that were written.
    due: VecDeque<(Seen, Vec<LeadId>)>,
    in_vain: u32,
}

/// The leads of a run on one page.
#[derive(Debug, Default)]
struct PageLeads {
    /// How many have not ended.
    left: usize,
    written: Vec<LeadId>,
}

impl Confirmations {
    /// The pages of these leads; none where nothing is to be read back meanwhile.
    pub(super) fn new<W: Writer>(
        context: &Context<'_, W>,
        leads: &[Planned<'_>],
        stage: Stage,
    ) -> Self {
        let mut open: BTreeMap<Seen, PageLeads> = BTreeMap::new();
        // A few canaries are read back before anything else is written.
        let is_many = stage == Stage::Rest || leads.len() > FEW;
        if context.options.verify && is_many {
            for seen in leads.iter().filter_map(Planned::place) {
                open.entry(seen).or_default().left += 1;
            }
        }
        Self {
            open,
            ..Self::default()
        }
    }

    /// A lead of this page has ended, and was written if it is given.
    pub(super) fn ended(&mut self, page: Option<Seen>, written: Option<&LeadId>) {
        let Some(Entry::Occupied(mut leads)) = page.map(|page| self.open.entry(page)) else {
            return;
        };
        let PageLeads { left, written: all } = leads.get_mut();
        *left -= 1;
        all.extend(written.cloned());
        if *left == 0 {
            let (page, PageLeads { written, .. }) = leads.remove_entry();
            self.due.push_back((page, written));
        }
    }

    /// The next page to read. One is not read if other pages confirmed all its leads.
    fn next(&mut self, is_open: impl Fn(&LeadId) -> bool) -> Option<Seen> {
        while let Some((page, written)) = self.due.pop_front() {
            if self.in_vain < GIVE_UP && written.iter().any(&is_open) {
                return Some(page);
            }
        }
        None
    }

    fn count(&mut self, is_in_vain: bool) {
        self.in_vain = if is_in_vain { self.in_vain + 1 } else { 0 };
    }
}

impl<W: Writer> Writes<'_, '_, W> {
    /// The next page to read back.
    pub(super) fn next_confirmation(&mut self) -> Option<Seen> {
        self.confirmations
            .next(|id| self.written.get(id).is_some_and(may_be_confirmed))
    }

    /// Concludes the written leads that a page confirms. What is wrong with a page that cannot be read, reading back reports.
    pub(super) fn confirm(&mut self, page: Result<ReadResult, ObserveError<W::Error>>) {
        let Ok(page) = page else {
            self.confirmations.count(true);
            return;
        };
        self.cannot_read(&page.unreadable);
        let side_effects = self.context.options.side_effects;
        let mut shown = Vec::new();
        for (id, now) in page.leads {
            self.see(&id, &now, page.reading);
            if let Some(lead) = self.written.get(&id)
                && may_be_confirmed(lead)
                && lead.ended <= page.reading.sent
            {
                let check = check(&lead.task, &now, side_effects);
                self.report.learn_kept(&check);
                shown.push((id, check, now));
            }
        }
        let mut is_in_vain = true;
        for (id, check, now) in shown {
            if is_plain(&check)
                && let Some(written) = self.written.remove(&id)
            {
                is_in_vain = false;
                (self.context.progress)(Progress::Verified);
                verified(self.context, self.report, written, check, now);
            } else if check.shows_the_write() && self.report.may_be_cleared(&check) {
                self.report.cleared.insert(id, check.emptied_in);
            }
        }
        let kept = self.report.kept;
        self.report
            .cleared
            .retain(|_, values| !kept.covers(*values));
        // Notes that a platform replaces which added them before are written back.
        let restores_notes = self.report.knowledge.adds_notes;
        let cleared = self.report.cleared.values();
        let cleared = cleared.filter(|values| !restores_notes || values.has_left_out());
        if cleared.count() >= CLEARED {
            self.context.stop.ask(Reason::Emptied);
        }
        self.confirmations.count(is_in_vain);
    }
}

/// Whether one reading may conclude it: of a failed write, reading back decides.
fn may_be_confirmed(written: &WrittenLead) -> bool {
    written.failed.is_none()
}

/// Whether a lead shows what was written, and nothing else of it changed.
fn is_plain(check: &Check) -> bool {
    check.agrees()
        && check.effects.is_empty()
        && check.changed.is_empty()
        && check.emptied.is_empty()
        && !check.notes_doubled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::ChatType;

    fn lead(n: usize) -> LeadId {
        LeadId::new(format!("00000000-0000-4000-8000-{n:012}"))
    }

    fn page(page: u32) -> Seen {
        Seen {
            list: ChatType::Lead,
            page,
        }
    }

    /// Pages with this number of leads on each of these pages.
    fn confirmations(pages: &[(u32, usize)]) -> Confirmations {
        let leads = |left| PageLeads {
            left,
            ..PageLeads::default()
        };
        Confirmations {
            open: pages
                .iter()
                .map(|(n, left)| (page(*n), leads(*left)))
                .collect(),
            ..Confirmations::default()
        }
    }

    #[test]
    fn a_page_is_due_when_all_its_leads_have_ended() {
        let mut all = confirmations(&[(1, 2), (2, 1)]);
        all.ended(Some(page(1)), Some(&lead(1)));
        all.ended(None, Some(&lead(9)));
        assert_eq!(all.next(|_| true), None);
        all.ended(Some(page(2)), Some(&lead(3)));
        all.ended(Some(page(1)), None);
        assert_eq!(all.next(|_| true), Some(page(2)));
        assert_eq!(all.next(|_| true), Some(page(1)));
        assert_eq!(all.next(|_| true), None);
    }

    #[test]
    fn a_page_is_not_read_for_leads_that_it_cannot_confirm() {
        let mut all = confirmations(&[(1, 1), (2, 1), (3, 1)]);
        all.ended(Some(page(1)), None);
        all.ended(Some(page(2)), Some(&lead(2)));
        all.ended(Some(page(3)), Some(&lead(3)));
        assert_eq!(all.next(|id| *id == lead(3)), Some(page(3)));
    }

    #[test]
    fn pages_in_vain_end_it() {
        let mut all = confirmations(&[(1, 1), (2, 1)]);
        all.ended(Some(page(1)), Some(&lead(1)));
        all.ended(Some(page(2)), Some(&lead(2)));
        for is_in_vain in [true, false, true] {
            all.count(is_in_vain);
        }
        assert_eq!(all.next(|_| true), Some(page(1)));
        all.count(true);
        assert_eq!(all.next(|_| true), None);
    }
}
