//! Reads written leads back while others are being written: a page of the listing once every lead on it that this run writes has ended.
//!
//! Concludes only what needs no second look: a lead that shows what was written, with nothing else changed. All others are left to
//! `read_back`, which waits for them, so a platform whose listing lags or moves costs no more than a few pages.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};

use super::look::ReadResult;
use super::{Planned, Writes, WrittenLead};
use crate::apply::Writer;
use crate::apply::check::{Check, check};
use crate::apply::run::{Context, Progress};
use crate::apply::verify::verified;
use crate::observe::Seen;

/// After this many consecutive pages that confirmed nothing, the listing is assumed to lag, or to move when leads are written.
const GIVE_UP: u32 = 2;

/// The pages of the listing that hold leads of a run.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    open: BTreeMap<Seen, PageLeads>,
    /// Pages of which all leads have ended, in that order, if any was written.
    due: VecDeque<Seen>,
    in_vain: u32,
}

/// The leads of a run on one page.
#[derive(Debug, Default)]
struct PageLeads {
    /// How many have not ended.
    left: usize,
    is_any_written: bool,
}

impl Confirmations {
    /// The pages of these leads; none where nothing is to be read back meanwhile.
    pub(super) fn new<W: Writer>(
        context: &Context<'_, W>,
        leads: &[Planned<'_>],
        width: usize,
    ) -> Self {
        let mut open: BTreeMap<Seen, PageLeads> = BTreeMap::new();
        // One at a time, nothing else is written meanwhile.
        if context.options.verify && width > 1 {
            for seen in leads.iter().filter_map(Planned::place) {
                open.entry(seen).or_default().left += 1;
            }
        }
        Self {
            open,
            ..Self::default()
        }
    }

    /// A lead of this page has ended.
    pub(super) fn ended(&mut self, page: Option<Seen>, is_written: bool) {
        let Some(page) = page else { return };
        let Some(leads) = self.open.get_mut(&page) else {
            return;
        };
        leads.left -= 1;
        leads.is_any_written |= is_written;
        if leads.left == 0 {
            self.due.extend(leads.is_any_written.then_some(page));
            self.open.remove(&page);
        }
    }

    /// The next page to read.
    pub(super) fn next(&mut self) -> Option<Seen> {
        self.due.pop_front().filter(|_| self.in_vain < GIVE_UP)
    }
}

impl<W: Writer> Writes<'_, '_, W> {
    /// Concludes the written leads that a page confirms. What is wrong with a page that cannot be read, reading back reports.
    pub(super) fn confirm(&mut self, page: ReadResult) {
        let mut is_in_vain = true;
        for (id, now) in page.leads {
            let Entry::Occupied(written) = self.written.entry(id) else {
                continue;
            };
            let WrittenLead {
                task,
                failed,
                ended,
            } = written.get();
            if failed.is_some() || *ended > page.reading.sent {
                continue;
            }
            let check = check(task, &now, self.context.options.side_effects);
            if is_plain(&check) {
                is_in_vain = false;
                (self.context.progress)(Progress::Verified);
                verified(self.context, self.report, written.remove(), check, now);
            }
        }
        self.confirmations.in_vain = if is_in_vain {
            self.confirmations.in_vain + 1
        } else {
            0
        };
    }
}

/// Whether a lead shows what was written, and nothing else of it changed.
fn is_plain(check: &Check) -> bool {
    check.agrees()
        && check.effects.is_empty()
        && check.changed.is_empty()
        && check.emptied.is_empty()
        && !check.notes_doubled
}
