//! Sweeps over the listing: pages opened ahead, taken in order, to a proven end.
//!
//! A sweep reads `lead` and `non-lead` in turn, several pages ahead, and takes the answers in the order of the asking: what it
//! has read when it stops depends on the listing alone, not on which answer was quickest. A list has ended where two pages in a
//! row bring nothing: empty ones, or repetitions of the page before. One is not enough: pages are filtered after they are
//! cut, or a chat that arrives while we read pushes a page of one record onto the next.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use rayon::prelude::*;
use tokio::time::Instant;

use super::key::{ByKey, Key};
use super::tally::Tally;
use super::{
    ChatType, Leads, Live, ObserveError, Observed, Page, Projection, Reader, Reading, Seen,
    Unreadable,
};
use crate::lead::{Desired, DesiredLead, FieldMask, LeadId};

/// Reads the listing until each lead of `wanted` is found, or to its end where one is not or `full` says so. What one sweep
/// did not show is looked for once more, because a lead can slip from an unread page to a read one; and if the two sweeps did
/// not show the same, a third time, page by page.
///
/// # Errors
/// A page that cannot be read, or a list that does not end: an incomplete listing is never taken for a whole one.
pub async fn observe<R: Reader>(
    reader: &R,
    wanted: BTreeSet<LeadId>,
    full: bool,
) -> Result<Live, ObserveError<R::Error>> {
    look(
        reader,
        Projection::only(wanted.iter().map(|id| (id, FieldMask::ALL))),
        full,
    )
    .await
}

/// As [`observe`], of declared leads. By a reader that does not write, of each lead only what its file is about is kept: enough to
/// compare it.
///
/// # Errors
/// As [`observe`].
pub async fn observe_declared<R: Reader>(
    reader: &R,
    desired: &Desired,
    ruled: FieldMask,
    full: bool,
) -> Result<Live, ObserveError<R::Error>> {
    let compared = |lead: &DesiredLead| {
        FieldMask::covering(lead.fields.iter().map(|desired| &desired.field)).with(ruled)
    };
    let mask = |lead| {
        if reader.writes() {
            FieldMask::ALL
        } else {
            compared(lead)
        }
    };
    let wanted: Vec<(&LeadId, FieldMask)> = desired
        .par_iter()
        // A held lead is not compared, so that the inbox need not show it.
        .filter(|(_, lead)| lead.hold.is_none())
        .map(|(id, lead)| (id, mask(lead)))
        .collect();
    look(reader, Projection::only(wanted), full).await
}

async fn look<R: Reader>(
    reader: &R,
    projection: Projection,
    full: bool,
) -> Result<Live, ObserveError<R::Error>> {
    let sent = Instant::now();
    let mut collected = Collected::default();
    let done = |collected: &Collected| projection.count() == Some(collected.listed());
    let width = reader.width();
    let first = sweep(reader, &projection, &mut collected, width, |collected| {
        !full && done(collected)
    })
    .await?;
    if first.is_some() && !done(&collected) {
        let second = sweep(reader, &projection, &mut collected, width, done).await?;
        if second.is_some() && second != first {
            // It moves, and pages read at the same time may each miss what the other had. One after the other they do not.
            sweep(reader, &projection, &mut collected, 1, done).await?;
        }
    }
    Ok(collected.into_live(sent, first.is_some()))
}

/// Reads the whole listing, every lead with its values: twice, because a lead can slip from an unread page to a read one, and a third
/// time, page by page, where the two did not show the same.
///
/// # Errors
/// As [`observe`].
pub async fn observe_all<R: Reader>(reader: &R) -> Result<Live, ObserveError<R::Error>> {
    let sent = Instant::now();
    let mut collected = Collected::default();
    let (all, width) = (Projection::All, reader.width());
    let first = sweep(reader, &all, &mut collected, width, |_| false).await?;
    let second = sweep(reader, &all, &mut collected, width, |_| false).await?;
    if second != first {
        sweep(reader, &all, &mut collected, 1, |_| false).await?;
    }
    Ok(collected.into_live(sent, true))
}

/// After this many pages in a row without a lead that was seen there, leads are taken to move when they are written, and are looked
/// for from the front.
const GIVE_UP_HINTS: usize = 4;

/// Reads leads back. Looks where each was seen first, then from the front, where a write may have moved it, to the end.
/// What is still not found is not in the answer.
///
/// # Errors
/// As [`observe`].
pub async fn look_again<R: Reader>(
    reader: &R,
    hints: &BTreeMap<LeadId, Option<Seen>>,
) -> Result<Leads, ObserveError<R::Error>> {
    let projection = Projection::only(hints.keys().map(|id| (id, FieldMask::ALL)));
    let mut collected = Collected::default();
    let places: BTreeSet<Seen> = hints.values().flatten().copied().collect();
    let mut places = places.into_iter();
    let mut answers = FuturesUnordered::new();
    let mut in_vain = 0;
    loop {
        while answers.len() < reader.width() && in_vain < GIVE_UP_HINTS {
            let Some(seen) = places.next() else { break };
            answers.push(fetch(reader, seen, &projection));
        }
        let Some((seen, answer)) = answers.next().await else {
            break;
        };
        let before = collected.listed();
        collected.take(answer?, seen);
        in_vain = if collected.listed() > before {
            0
        } else {
            in_vain + 1
        };
    }
    if collected.listed() < hints.len() {
        let width = reader.width();
        sweep(reader, &projection, &mut collected, width, |collected| {
            collected.listed() == hints.len()
        })
        .await?;
    }
    Ok(collected.in_order())
}

/// Reads one page: the leads on it that `projection` keeps, and of those that could not be understood the reasons.
///
/// # Errors
/// The page cannot be read.
pub async fn read_page<R: Reader>(
    reader: &R,
    seen: Seen,
    projection: &Projection,
) -> Result<(Leads, BTreeMap<LeadId, String>), ObserveError<R::Error>> {
    let mut collected = Collected::default();
    collected.take(fetch(reader, seen, projection).await.1?, seen);
    Ok((collected.leads.into_iter().collect(), collected.unreadable))
}

type Answer<E> = (Seen, Result<Page, ObserveError<E>>);

async fn fetch<R: Reader>(reader: &R, seen: Seen, projection: &Projection) -> Answer<R::Error> {
    let Seen { list, page } = seen;
    (
        seen,
        reader
            .page(list, page, projection)
            .await
            .map_err(|source| ObserveError::Page { list, page, source }),
    )
}

/// Pages that are opened at first, one of each list: they may be enough, and they show how large pages are.
const AT_FIRST: usize = 2;

/// Records of pages that may wait for those before them. Of small pages this is never reached; of huge ones it bounds the memory.
const MAX_WAITING: usize = 1_000_000;

/// Reads both lists, up to `width` pages at a time, until `done` or to their ends. At the ends there is a signature of all that was
/// shown.
async fn sweep<R: Reader>(
    reader: &R,
    projection: &Projection,
    collected: &mut Collected,
    width: usize,
    done: impl Fn(&Collected) -> bool,
) -> Result<Option<u64>, ObserveError<R::Error>> {
    let cap = reader.page_cap();
    // The reader has `width` of them under way; as many wait, so that none has to wait for the slowest of the others.
    let width = if width > 1 { 2 * width } else { 1 };
    let (mut ahead, mut largest) = (AT_FIRST, 1);
    let mut lists = [Cursor::new(ChatType::Lead), Cursor::new(ChatType::NonLead)];
    let mut nowhere = 0;
    let mut answers = FuturesOrdered::new();
    collected.tally.begin();
    loop {
        while answers.len() < ahead
            && let Some(seen) = next_page(&mut lists, cap, width)
        {
            answers.push_back(fetch(reader, seen, projection));
        }
        let Some((seen, answer)) = answers.next().await else {
            collected.tally.settle();
            return Ok(Some(
                lists[0].shown.finish() ^ lists[1].shown.finish().rotate_left(1),
            ));
        };
        let cursor = &mut lists[usize::from(seen.list == ChatType::NonLead)];
        cursor.under_way -= 1;
        if cursor.ended() {
            continue;
        }
        let page = answer?;
        cursor.note(&page);
        if page.is_nowhere && seen.page == 1 {
            nowhere += 1;
            if nowhere == 2 {
                return Err(ObserveError::Nowhere);
            }
        }
        largest = largest.max(page.records());
        collected.take(page, seen);
        if done(collected) {
            return Ok(None);
        }
        if seen.page > cap && cursor.barren == 0 {
            return Err(ObserveError::PageCap {
                list: seen.list,
                cap,
            });
        }
        ahead = (ahead * 2)
            .min(width)
            .min(MAX_WAITING / largest)
            .max(AT_FIRST);
    }
}

/// The next page to ask for: of the list that is less far along, at most `width` at a time of one list, and only one at a time of a
/// list that may have ended.
fn next_page(lists: &mut [Cursor; 2], cap: u32, width: usize) -> Option<Seen> {
    let open = |cursor: &&mut Cursor| {
        let most = if cursor.barren == 0 { width } else { 1 };
        !cursor.ended() && cursor.next <= cap.saturating_add(1) && cursor.under_way < most
    };
    let cursor = lists
        .iter_mut()
        .filter(open)
        .min_by_key(|cursor| cursor.next)?;
    let seen = Seen {
        list: cursor.list,
        page: cursor.next,
    };
    cursor.next += 1;
    cursor.under_way += 1;
    Some(seen)
}

/// How far one list has been read.
struct Cursor {
    list: ChatType,
    next: u32,
    under_way: usize,
    last_signature: Option<u64>,
    barren: u8,
    shown: DefaultHasher,
}

impl Cursor {
    fn new(list: ChatType) -> Self {
        Self {
            list,
            next: 1,
            under_way: 0,
            last_signature: None,
            barren: 0,
            shown: DefaultHasher::new(),
        }
    }

    fn note(&mut self, page: &Page) {
        let repeats = self.last_signature == Some(page.signature);
        self.barren = if page.is_end || repeats {
            self.barren + 1
        } else {
            0
        };
        self.last_signature = Some(page.signature);
        page.signature.hash(&mut self.shown);
    }

    fn ended(&self) -> bool {
        self.barren >= 2
    }
}

/// What the pages have shown so far.
#[derive(Default)]
struct Collected {
    /// In boxes: values this large are too much to be moved about.
    leads: Vec<(LeadId, Box<Observed>)>,
    /// The place of each of them.
    places: ByKey<usize>,
    unreadable: BTreeMap<LeadId, String>,
    tally: Tally,
    pages: u64,
}

impl Collected {
    /// Leads that were asked for and are listed, readable or not.
    fn listed(&self) -> usize {
        self.leads.len() + self.unreadable.len()
    }

    fn take(&mut self, page: Page, seen: Seen) {
        self.pages += 1;
        for sighting in page.sightings {
            self.tally.take(sighting);
        }
        for (id, mut observed) in page.leads {
            (observed.seen, observed.reading) = (Some(seen), page.reading);
            self.unreadable.remove(&id);
            match self.places.entry(Key::of(id.as_str())) {
                Entry::Vacant(place) => {
                    place.insert(self.leads.len());
                    self.leads.push((id, observed));
                }
                Entry::Occupied(place) => {
                    let (_, other) = &mut self.leads[*place.get()];
                    if other.updated <= observed.updated {
                        *other = observed;
                    }
                }
            }
        }
        for Unreadable { id, reason } in page.unreadable {
            if !self.places.contains_key(&Key::of(id.as_str())) {
                self.unreadable.insert(id, reason);
            }
        }
    }

    fn in_order(mut self) -> Leads {
        // What is left in disorder, the map puts right.
        self.leads.par_sort_by_cached_key(|(id, _)| id.beginning());
        self.leads.into_iter().collect()
    }

    fn into_live(mut self, sent: Instant, complete: bool) -> Live {
        let (leads_read, workload) = std::mem::take(&mut self.tally).total();
        let unreadable = std::mem::take(&mut self.unreadable);
        let listing = super::Listing {
            complete,
            leads_read,
            pages_read: self.pages,
        };
        Live {
            leads: self.in_order(),
            unreadable,
            listing,
            workload: complete.then_some(workload),
            reading: Some(Reading {
                sent,
                answered: Instant::now(),
            }),
        }
    }
}
