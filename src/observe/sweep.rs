//! Sweeps over the listing: requests pages ahead, takes them in order, and proves the end.
//!
//! Flow: a sweep reads `lead` and `non-lead` alternately, several pages ahead, and takes the answers in the order of the requests.
//! Guarantee: what it has read when it stops depends on the listing alone, not on the order of the answers.
//! Assumption: a list has ended when two pages in a row bring nothing new, that is, are empty or a repetition of the page before. One page
//! is not enough: pages are filtered after they are cut, and a chat that arrives meanwhile can push a page of one record onto the next.
//! In a list with one record a page, three repetitions are asked for: several chats may arrive while the other list is read.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use rayon::prelude::*;
use tokio::time::Instant;

use super::collected::Collected;
use super::cursor::{Cursor, next_page, next_scout};
use super::hints::look_where_seen;
use super::{ChatType, Leads, ListingHints, Live, ObserveError, Page, Projection, Reader, Seen};
use crate::lead::{Desired, DesiredLead, FieldMask, LeadId};

/// Reads the listing until each lead of `wanted` is found, or to its end if one is not found or `full` is set. It looks first where the
/// hints have them. Leads that the first sweep did not find are looked for in a second one, because a lead can move from an unread page to a
/// read one. If the two sweeps differ, a third one reads page by page.
///
/// # Errors
/// A page cannot be read, or a list does not end: an incomplete listing is never taken for a complete one.
pub async fn observe<R: Reader>(
    reader: &R,
    wanted: &BTreeSet<LeadId>,
    full: bool,
    hints: &ListingHints,
) -> Result<Live, ObserveError<R::Error>> {
    let wanted: Vec<_> = wanted.iter().map(|id| (id, FieldMask::ALL)).collect();
    look_for(reader, &wanted, full, hints).await
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
    // What nobody declares, and no rule is about, may have any form.
    let fields_of = |id: &LeadId| {
        let fields = desired.get(id).map(|lead| lead.fields.iter());
        let fields = fields.into_iter().flatten().map(|desired| &desired.field);
        FieldMask::exactly(fields).with(ruled)
    };
    let wanted: Vec<(&LeadId, FieldMask)> = desired
        .par_iter()
        // A held lead is not compared, so it need not be found.
        .filter(|(_, lead)| lead.hold.is_none())
        .map(|(id, lead)| (id, mask(lead)))
        .collect();
    let live = look_for(reader, &wanted, full, hints).await?;
    Ok(live.with_fields_read(fields_of))
}

async fn look_for<R: Reader>(
    reader: &R,
    wanted: &[(&LeadId, FieldMask)],
    full: bool,
    hints: &ListingHints,
) -> Result<Live, ObserveError<R::Error>> {
    let projection = Projection::only(wanted.iter().copied());
    let mut collected = Collected::with_lengths(hints.lengths);
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
    let all = Extent {
        width,
        is_whole: full,
    };
    let first = sweep(reader, &projection, &mut collected, all, |collected| {
        !full && done(collected)
    })
    .await?;
    if first.is_some() && !done(&collected) {
        let until_found = Extent::until_done(width);
        let second = sweep(reader, &projection, &mut collected, until_found, done).await?;
        if second.is_some() && second != first {
            // The listing changes, and concurrent pages may each miss what moved to the other. Sequential pages do not.
            let one_by_one = Extent::until_done(1);
            sweep(reader, &projection, &mut collected, one_by_one, done).await?;
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
    let whole = |width| Extent {
        width,
        is_whole: true,
    };
    let first = sweep(reader, &all, &mut collected, whole(width), |_| false).await?;
    let second = sweep(reader, &all, &mut collected, whole(width), |_| false).await?;
    if second != first {
        sweep(reader, &all, &mut collected, whole(1), |_| false).await?;
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
        let extent = Extent::until_done(reader.width());
        sweep(reader, &projection, &mut collected, extent, |collected| {
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

/// How far a sweep goes, and how many pages at a time.
#[derive(Clone, Copy)]
struct Extent {
    width: usize,
    /// Whether both lists are read to their ends in any case.
    is_whole: bool,
}

impl Extent {
    fn until_done(width: usize) -> Self {
        Self {
            width,
            is_whole: false,
        }
    }
}

/// Reads both lists, up to `width` pages at a time, until `done` or to their ends. At the ends, returns a signature of everything
/// listed.
async fn sweep<R: Reader>(
    reader: &R,
    projection: &Projection,
    collected: &mut Collected,
    extent: Extent,
    done: impl Fn(&Collected) -> bool,
) -> Result<Option<u64>, ObserveError<R::Error>> {
    let cap = reader.page_cap();
    let wanted = projection.count().unwrap_or_default();
    // The reader has `width` requests open; as many pages wait, so that no request waits for the slowest of the others.
    let width = if extent.width > 1 {
        2 * extent.width
    } else {
        1
    };
    let at_first = if extent.is_whole {
        2 * AT_FIRST
    } else {
        AT_FIRST
    };
    let (mut ahead, mut largest) = (at_first.min(width.max(AT_FIRST)), 1);
    let is_whole = extent.is_whole && width > 1;
    let mut lists = [ChatType::Lead, ChatType::NonLead]
        .map(|list| Cursor::new(list, collected.lengths.get(list), is_whole));
    let mut nowhere = 0;
    let mut answers = FuturesOrdered::new();
    let nothing = Projection::only([]);
    let mut scouts = FuturesUnordered::new();
    collected.tally.begin();
    loop {
        let needed = wanted.saturating_sub(collected.listed()).div_ceil(largest);
        if width > 1
            && let Some(seen) = next_scout(&mut lists, cap, width, needed)
        {
            scouts.push(fetch(reader, seen, &nothing));
        }
        while answers.len() < ahead
            && let Some(seen) = next_page(&mut lists, cap, width, needed)
        {
            answers.push_back(fetch(reader, seen, projection));
        }
        let next = tokio::select! {
            Some((seen, answer)) = scouts.next() => {
                let cursor = &mut lists[usize::from(seen.list == ChatType::NonLead)];
                cursor.note_scouted(answer.ok().as_ref(), seen.page);
                continue;
            }
            next = answers.next() => next,
        };
        let Some((seen, answer)) = next else {
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

#[cfg(test)]
mod tests;
