//! Sweeps over the listing: requests pages ahead, takes them in order, and proves the end.
//!
//! Flow: a sweep reads `lead` and `non-lead` alternately, several pages ahead, and takes the answers in the order of the requests.
//! Guarantee: what it has read when it stops depends on the listing alone, not on the order of the answers.
//! Assumption: a list has ended when two pages in a row bring nothing new, that is, are empty or a repetition of the page before. One page
//! is not enough: pages are filtered after they are cut, and a chat that arrives meanwhile can push a page of one record onto the next.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use rayon::prelude::*;
use tokio::time::Instant;

use super::cursor::{Cursor, next_page};
use super::hints::look_where_seen;
use super::key::{ByKey, Key};
use super::tally::Tally;
use super::{
    ChatType, Leads, Lengths, ListingHints, Live, ObserveError, Observed, Page, Projection, Reader,
    Reading, Seen, Unreadable,
};
use crate::lead::{Desired, DesiredLead, FieldMask, LeadId};

/// Reads the listing until each lead of `wanted` is found, or to its end if one is not found or `full` is set. Leads that the first
/// sweep did not find are looked for in a second one, because a lead can move from an unread page to a read one. If the two sweeps
/// differ, a third one reads page by page.
///
/// # Errors
/// A page cannot be read, or a list does not end: an incomplete listing is never taken for a complete one.
pub async fn observe<R: Reader>(
    reader: &R,
    wanted: BTreeSet<LeadId>,
    full: bool,
) -> Result<Live, ObserveError<R::Error>> {
    look(
        reader,
        Projection::only(wanted.iter().map(|id| (id, FieldMask::ALL))),
        full,
        Collected::default(),
        Instant::now(),
    )
    .await
}

/// Like [`observe`], for declared leads. A reader that cannot write keeps of each lead only the declared fields, which is enough to
/// compare it.
///
/// # Errors
/// As [`observe`].
pub async fn observe_declared<R: Reader>(
    reader: &R,
    desired: &Desired,
    ruled: FieldMask,
    full: bool,
    hints: &ListingHints,
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
        // A held lead is not compared, so it need not be found.
        .filter(|(_, lead)| lead.hold.is_none())
        .map(|(id, lead)| (id, mask(lead)))
        .collect();
    let projection = Projection::only(wanted.iter().copied());
    let mut collected = Collected {
        lengths: hints.lengths,
        ..Collected::default()
    };
    let sent = Instant::now();
    if !full {
        let ids = wanted.iter().map(|(id, _)| *id);
        look_where_seen(reader, ids, &projection, &mut collected, hints).await?;
    }
    look(reader, projection, full, collected, sent).await
}

async fn look<R: Reader>(
    reader: &R,
    projection: Projection,
    full: bool,
    mut collected: Collected,
    sent: Instant,
) -> Result<Live, ObserveError<R::Error>> {
    let done = |collected: &Collected| projection.count() == Some(collected.listed());
    if !full && collected.pages > 0 && done(&collected) {
        return Ok(collected.into_live(sent, false));
    }
    let width = reader.width();
    let first = sweep(reader, &projection, &mut collected, width, |collected| {
        !full && done(collected)
    })
    .await?;
    if first.is_some() && !done(&collected) {
        let second = sweep(reader, &projection, &mut collected, width, done).await?;
        if second.is_some() && second != first {
            // The listing changes, and concurrent pages may each miss what moved to the other. Sequential pages do not.
            sweep(reader, &projection, &mut collected, 1, done).await?;
        }
    }
    Ok(collected.into_live(sent, first.is_some()))
}

/// Reads the whole listing with every value of every lead: twice, because a lead can move from an unread page to a read one, and a
/// third time, page by page, if the two differ.
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

/// After this many consecutive pages without a lead that was listed there, leads are assumed to move when written, and are searched
/// for from the front.
const GIVE_UP_HINTS: usize = 4;

/// Reads leads back. Looks first where each was listed, then from the front, where a write may have moved it, to the end.
/// Leads that are not found are missing from the result; of those that could not be understood it has the reasons.
///
/// # Errors
/// As [`observe`].
pub async fn look_again<R: Reader>(
    reader: &R,
    hints: &BTreeMap<LeadId, Option<Seen>>,
) -> Result<(Leads, BTreeMap<LeadId, String>), ObserveError<R::Error>> {
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
    let unreadable = std::mem::take(&mut collected.unreadable);
    Ok((collected.in_order(), unreadable))
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

pub(super) type PageAnswer<E> = (Seen, Result<Page, ObserveError<E>>);

pub(super) async fn fetch<R: Reader>(
    reader: &R,
    seen: Seen,
    projection: &Projection,
) -> PageAnswer<R::Error> {
    let Seen { list, page } = seen;
    (
        seen,
        reader
            .page(list, page, projection)
            .await
            .map_err(|source| ObserveError::Page { list, page, source }),
    )
}

/// The number of pages requested first, one of each list: they may be enough, and they show the page size.
const AT_FIRST: usize = 2;

/// The maximum number of records in pages that wait for earlier pages. Bounds the memory if pages are huge.
const MAX_WAITING: usize = 1_000_000;

/// Reads both lists, up to `width` pages at a time, until `done` or to their ends. At the ends, returns a signature of everything
/// listed.
async fn sweep<R: Reader>(
    reader: &R,
    projection: &Projection,
    collected: &mut Collected,
    width: usize,
    done: impl Fn(&Collected) -> bool,
) -> Result<Option<u64>, ObserveError<R::Error>> {
    let cap = reader.page_cap();
    let wanted = projection.count().unwrap_or_default();
    // The reader has `width` requests open; as many pages wait, so that no request waits for the slowest of the others.
    let width = if width > 1 { 2 * width } else { 1 };
    let (mut ahead, mut largest) = (AT_FIRST, 1);
    let mut lists = [ChatType::Lead, ChatType::NonLead]
        .map(|list| Cursor::new(list, collected.lengths.get(list)));
    let mut nowhere = 0;
    let mut answers = FuturesOrdered::new();
    collected.tally.begin();
    loop {
        let needed = wanted.saturating_sub(collected.listed()).div_ceil(largest);
        while answers.len() < ahead
            && let Some(seen) = next_page(&mut lists, cap, width, needed)
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
        cursor.note(&page, seen.page);
        if cursor.ended() {
            collected.lengths.set(seen.list, cursor.last);
        }
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

/// What the pages have shown so far.
#[derive(Default)]
pub(super) struct Collected {
    /// Boxed: these values are large.
    leads: Vec<(LeadId, Box<Observed>)>,
    /// The index of each of them.
    places: ByKey<usize>,
    unreadable: BTreeMap<LeadId, String>,
    lookalikes: BTreeSet<LeadId>,
    tally: Tally,
    pages: u64,
    lengths: Lengths,
}

impl Collected {
    /// Requested leads that are listed, readable or not.
    fn listed(&self) -> usize {
        self.leads.len() + self.unreadable.len()
    }

    pub(super) fn has(&self, id: &LeadId) -> bool {
        self.places.contains_key(&Key::new(id.as_str())) || self.unreadable.contains_key(id)
    }

    pub(super) fn take(&mut self, page: Page, seen: Seen) {
        self.pages += 1;
        self.lookalikes.extend(page.lookalikes);
        for sighting in page.sightings {
            self.tally.take(sighting);
        }
        for (id, mut observed) in page.leads {
            (observed.seen, observed.reading) = (Some(seen), page.reading);
            self.unreadable.remove(&id);
            match self.places.entry(Key::new(id.as_str())) {
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
            if !self.places.contains_key(&Key::new(id.as_str())) {
                self.unreadable.insert(id, reason);
            }
        }
    }

    fn in_order(mut self) -> Leads {
        // The map sorts what is left in disorder.
        self.leads.par_sort_by_cached_key(|(id, _)| id.beginning());
        self.leads.into_iter().collect()
    }

    fn into_live(mut self, sent: Instant, complete: bool) -> Live {
        let (leads_read, workload) = std::mem::take(&mut self.tally).total();
        let unreadable = std::mem::take(&mut self.unreadable);
        let lookalikes = std::mem::take(&mut self.lookalikes);
        let lengths = self.lengths;
        let listing = super::Listing {
            complete,
            leads_read,
            pages_read: self.pages,
        };
        Live {
            leads: self.in_order(),
            unreadable,
            lookalikes,
            listing,
            lengths,
            workload: complete.then_some(workload),
            reading: Some(Reading {
                sent,
                answered: Instant::now(),
            }),
        }
    }
}
