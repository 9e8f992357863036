//! Which page of a list is requested next, and when a list has ended.
//!
//! Pages are requested ahead of the answers, so some may lie beyond the end: requests in vain. They are bounded by a tenth of the pages
//! that had records where nothing is known of a list, and of a list whose length is known there are none. A short page is a sign that the
//! list may have ended: then only the pages that would prove it are open.

use std::hash::{DefaultHasher, Hash};

use super::{ChatType, Page, Seen};

/// The next page to request: of the list that is less far along, and at most `width` at a time of one list. `needed` is the least
/// number of pages that the leads still to be found fill.
pub(super) fn next_page(
    lists: &mut [Cursor; 2],
    cap: u32,
    width: usize,
    needed: usize,
) -> Option<Seen> {
    let in_vain: u32 = lists.iter().map(Cursor::in_vain).sum();
    let open_lists = lists.iter().filter(|cursor| !cursor.ended()).count().max(1);
    let needed = u32::try_from(needed.div_ceil(open_lists)).unwrap_or(u32::MAX);
    let may_open = |cursor: &&mut Cursor| {
        !cursor.ended()
            && cursor.under_way < width
            && cursor.next
                <= cap
                    .saturating_add(1)
                    .min(cursor.horizon(needed, open_lists == 1, in_vain))
    };
    let cursor = lists
        .iter_mut()
        .filter(may_open)
        .min_by_key(|cursor| cursor.next)?;
    let seen = Seen {
        list: cursor.list,
        page: cursor.next,
    };
    cursor.next += 1;
    cursor.under_way += 1;
    Some(seen)
}

/// The number of pages without anything new that prove the end of a list.
const PROOF: u32 = 2;

/// A page that turns out to lie beyond the end was requested in vain. Of a list whose length is unknown, one such page is risked for
/// each of this many pages that had records.
const PAGES_PER_RISK: u32 = 10;

/// Where leads are still to be found, one page is risked for each of this many, if they fill as many pages.
const PAGES_PER_NEEDED: u32 = 3;

/// The position in one list.
pub(super) struct Cursor {
    list: ChatType,
    next: u32,
    pub(super) under_way: usize,
    last_signature: Option<u64>,
    pub(super) barren: u8,
    pub(super) shown: DefaultHasher,
    /// The last page that brought something new.
    pub(super) last: u32,
    /// The last page that brought something new when the list was read before: a hint.
    expected: Option<u32>,
    /// The largest number of records on a page.
    fullest: usize,
    /// Whether the last page had fewer records than another one: the list may have ended.
    is_short: bool,
    /// Whether more followed such a page: pages are filtered after they are cut, and a short one is no sign.
    has_short_pages: bool,
}

impl Cursor {
    pub(super) fn new(list: ChatType, expected: Option<u32>) -> Self {
        Self {
            list,
            next: 1,
            under_way: 0,
            last_signature: None,
            barren: 0,
            shown: DefaultHasher::new(),
            last: 0,
            expected,
            fullest: 0,
            is_short: false,
            has_short_pages: false,
        }
    }

    pub(super) fn note(&mut self, page: &Page, number: u32) {
        let repeats = self.last_signature == Some(page.signature);
        if page.is_end || repeats {
            self.barren += 1;
        } else {
            self.barren = 0;
            self.last = number;
            self.has_short_pages |= self.is_short;
            self.is_short = page.records() < self.fullest;
            self.fullest = self.fullest.max(page.records());
        }
        self.last_signature = Some(page.signature);
        page.signature.hash(&mut self.shown);
    }

    /// The last page that may be requested now. The pages that would prove the end after the last page with something new are always
    /// requested: they are needed whether the list ends there or not.
    fn horizon(&self, needed: u32, is_alone: bool, in_vain: u32) -> u32 {
        let may_have_ended = self.barren > 0 || self.is_short && !self.has_short_pages;
        let risked = match self.expected {
            _ if may_have_ended => 0,
            Some(expected) if self.last <= expected => expected - self.last,
            Some(_) | None => {
                let worth = if is_alone {
                    self.last
                } else {
                    self.last / PAGES_PER_NEEDED
                };
                (self.last / PAGES_PER_RISK)
                    .saturating_sub(in_vain)
                    .max(needed.min(worth))
            }
        };
        self.last.saturating_add(risked).saturating_add(PROOF)
    }

    /// The requests that turned out to be beyond the proof of the end.
    fn in_vain(&self) -> u32 {
        if self.ended() {
            (self.next - 1).saturating_sub(self.last.saturating_add(PROOF))
        } else {
            0
        }
    }

    pub(super) fn ended(&self) -> bool {
        u32::from(self.barren) >= PROOF
    }
}
