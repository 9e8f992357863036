//! Which page of a list is requested next, and when a list has ended.
//!
//! Pages are requested ahead of the answers, so some may lie beyond the end: requests in vain. They are bounded by a tenth of the pages
//! that had records, and two more where leads are still to be found, where nothing is known of a list, and of a list whose length is known
//! there are none. A short page is a sign that the
//! list may have ended: then only the pages that would prove it are open.
//!
//! Where a list is read to its end, or many leads are still to be found, single pages far ahead are scouted: one that has records shows that
//! those before it have some too, so that all of them may be requested at once, and one that has none bounds the list. Scouts count among the requests in vain, for a page
//! is read again in its turn. What they show is a hint, as an earlier length is: a list ends where its pages do.

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
    let needed = Needed {
        pages: u32::try_from(needed).unwrap_or(u32::MAX),
        open_lists: u32::try_from(open_lists).unwrap_or(u32::MAX),
        ahead: lists.iter().map(Cursor::ahead).sum(),
    };
    let may_open = |cursor: &&mut Cursor| {
        !cursor.ended()
            && cursor.under_way < width
            && cursor.next <= cap.saturating_add(1).min(cursor.horizon(&needed, in_vain))
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

/// The next page to scout, if what is known of a list does not reach `width` pages ahead and one more request in vain may be risked.
/// `needed` is as in [`next_page`].
pub(super) fn next_scout(
    lists: &mut [Cursor; 2],
    cap: u32,
    width: usize,
    needed: usize,
) -> Option<Seen> {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (width, needed) = (narrow(width), narrow(needed));
    let read: u32 = lists.iter().map(|cursor| cursor.last).sum();
    // Leads that are listed fill pages that are there; but some may not be listed.
    let is_whole = lists.iter().any(|cursor| cursor.is_whole);
    let assumed = if is_whole { 0 } else { needed.min(MAX_ASSUMED) };
    let known = read.saturating_add(assumed);
    let risked: u32 = lists
        .iter()
        .map(|cursor| cursor.in_vain() + cursor.exposed())
        .sum();
    if risked >= known / PAGES_PER_RISK {
        return None;
    }
    lists
        .iter_mut()
        .find_map(|cursor| cursor.scout(cap, width, needed))
}

/// The number of pages without anything new that prove the end of a list.
const PROOF: u32 = 2;

/// The same in a list with one record a page: every chat that arrives between two requests makes a page show the record before again,
/// and several may while the other list is read.
const PROOF_OF_ONE: u32 = 3;

/// A page that turns out to lie beyond the end was requested in vain. Of a list whose length is unknown, one such page is risked for
/// each of this many pages that had records.
const PAGES_PER_RISK: u32 = 10;

/// The maximum number of pages that are assumed to be there because leads are still to be found.
const MAX_ASSUMED: u32 = 2 * PAGES_PER_RISK;

/// Where leads are still to be found, one page is risked for each of this many, if they fill as many pages.
const PAGES_PER_NEEDED: u32 = 3;

/// The pages that the leads still to be found fill.
struct Needed {
    /// The least number of them.
    pages: u32,
    /// The lists that they may be on, at least one.
    open_lists: u32,
    /// How many are requested already.
    ahead: u32,
}

/// The position in one list.
pub(super) struct Cursor {
    list: ChatType,
    next: u32,
    pub(super) under_way: usize,
    last_signature: Option<u64>,
    pub(super) barren: u8,
    /// Whether the last page has the records of the page before.
    repeats: bool,
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
    /// Whether it is read to its end in any case.
    is_whole: bool,
    scouting: Scouting,
}

/// What scouted pages show of a list.
#[derive(Default)]
struct Scouting {
    /// The furthest page that had records, and its signature.
    reach: u32,
    signature: Option<u64>,
    /// The first page known to have none.
    ceiling: Option<u32>,
    is_under_way: bool,
    requests: u32,
}

impl Cursor {
    pub(super) fn new(list: ChatType, expected: Option<u32>, is_whole: bool) -> Self {
        Self {
            list,
            next: 1,
            under_way: 0,
            last_signature: None,
            barren: 0,
            repeats: false,
            shown: DefaultHasher::new(),
            last: 0,
            expected,
            fullest: 0,
            is_short: false,
            has_short_pages: false,
            is_whole,
            scouting: Scouting::default(),
        }
    }

    fn may_have_ended(&self) -> bool {
        self.barren > 0 || self.is_short && !self.has_short_pages
    }

    fn scout(&mut self, cap: u32, width: u32, needed: u32) -> Option<Seen> {
        let known = self.last.max(self.scouting.reach);
        let is_known = self.expected.is_some_and(|expected| expected >= known)
            || known >= self.last.saturating_add(width.saturating_mul(2));
        if self.last == 0 || self.scouting.is_under_way || self.may_have_ended() || is_known {
            return None;
        }
        let page = match self.scouting.ceiling {
            Some(ceiling) => known + (ceiling - known.min(ceiling)) / 2,
            None => {
                let far = known.saturating_mul(2).saturating_add(width).min(cap);
                let near = self.last.saturating_add(needed);
                if self.is_whole { far } else { near.min(far) }
            }
        };
        if page <= self.last.saturating_add(self.proof()).max(known) {
            return None;
        }
        self.scouting.is_under_way = true;
        self.scouting.requests += 1;
        let list = self.list;
        Some(Seen { list, page })
    }

    /// Takes what a scouted page shows. A short page with records may be the last one, repeated beyond the end, and so may one that is
    /// the same as a page before it. A page that cannot be read is taken for one that is not there.
    pub(super) fn note_scouted(&mut self, page: Option<&Page>, number: u32) {
        let scouting = &mut self.scouting;
        scouting.is_under_way = false;
        let Some(page) = page else {
            scouting.ceiling = Some(number);
            return;
        };
        let repeats = [scouting.signature, self.last_signature].contains(&Some(page.signature));
        if page.is_end || page.records() < self.fullest || repeats {
            let ceiling = if repeats {
                scouting.reach.min(number)
            } else {
                number
            };
            scouting.ceiling = Some(scouting.ceiling.unwrap_or(u32::MAX).min(ceiling));
        } else {
            (scouting.reach, scouting.signature) = (number, Some(page.signature));
        }
    }

    /// The requested pages that are not read yet, but for those that prove the end.
    fn ahead(&self) -> u32 {
        (self.next - 1).saturating_sub(self.last.saturating_add(self.proof()))
    }

    /// The open requests for pages that may not be there.
    fn exposed(&self) -> u32 {
        if self.ended() {
            return 0;
        }
        let known = self
            .last
            .max(self.scouting.reach)
            .max(self.expected.unwrap_or_default());
        (self.next - 1).saturating_sub(known.saturating_add(self.proof()))
    }

    pub(super) fn note(&mut self, page: &Page, number: u32) {
        let repeats = self.last_signature == Some(page.signature);
        self.repeats = repeats && !page.is_end;
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
    fn horizon(&self, needed: &Needed, in_vain: u32) -> u32 {
        let risked = match self.expected {
            _ if self.may_have_ended() => 0,
            Some(expected) if self.last <= expected => expected - self.last,
            Some(_) | None => {
                let worth = if needed.open_lists == 1 {
                    self.last
                } else {
                    self.last / PAGES_PER_NEEDED
                };
                let reach = self.scouting.reach.saturating_sub(self.last);
                let shown = if self.is_whole {
                    reach
                } else {
                    let others = needed.ahead - self.ahead();
                    reach.min(needed.pages.saturating_sub(others))
                };
                // Half of it is left to the scouts.
                let share = if self.is_whole { 2 } else { 1 };
                ((self.last / PAGES_PER_RISK).saturating_sub(in_vain) / share)
                    .max(needed.pages.div_ceil(needed.open_lists).min(worth))
                    .max(shown)
            }
        };
        let proof = self.last.saturating_add(self.proof());
        let horizon = proof.saturating_add(risked);
        match self.scouting.ceiling.filter(|ceiling| *ceiling > self.last) {
            Some(ceiling) => horizon.min(ceiling.saturating_sub(1)).max(proof),
            None => horizon,
        }
    }

    /// The scouts, and the requests that turned out to be beyond the proof of the end.
    fn in_vain(&self) -> u32 {
        let beyond = if self.ended() {
            (self.next - 1).saturating_sub(self.last.saturating_add(self.proof()))
        } else {
            0
        };
        self.scouting.requests + beyond
    }

    /// The number of pages without anything new that prove the end.
    fn proof(&self) -> u32 {
        let has_single_records = self.fullest == 1 && self.last > PROOF;
        if self.repeats && has_single_records {
            PROOF_OF_ONE
        } else {
            PROOF
        }
    }

    pub(super) fn ended(&self) -> bool {
        u32::from(self.barren) >= self.proof()
    }
}
