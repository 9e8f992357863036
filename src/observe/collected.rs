//! What the pages of a reading have shown so far.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use tokio::time::Instant;

use super::key::{ByKey, Key};
use super::tally::Tally;
use super::{Leads, Lengths, Live, Observed, Page, Reading, Seen, Unreadable};
use crate::lead::LeadId;

/// What the pages have shown so far.
#[derive(Default)]
pub(super) struct Collected {
    /// Shared: those who write and compare a lead hold it, too.
    pub(super) leads: Vec<(LeadId, Arc<Observed>)>,
    /// The index of each of them.
    places: ByKey<usize>,
    pub(super) unreadable: BTreeMap<LeadId, String>,
    lookalikes: BTreeSet<LeadId>,
    pub(super) tally: Tally,
    pub(super) pages: u64,
    pub(super) lengths: Lengths,
}

impl Collected {
    /// Nothing yet, of lists that had these lengths.
    pub(super) fn with_lengths(lengths: Lengths) -> Self {
        Self {
            lengths,
            ..Self::default()
        }
    }

    /// Requested leads that are listed, readable or not.
    pub(super) fn listed(&self) -> usize {
        self.leads.len() + self.unreadable.len()
    }

    pub(super) fn has(&self, id: &LeadId) -> bool {
        self.places.contains_key(&Key::for_lead(id)) || self.unreadable.contains_key(id)
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
            match self.places.entry(Key::for_lead(&id)) {
                Entry::Vacant(place) => {
                    place.insert(self.leads.len());
                    self.leads.push((id, Arc::new(observed)));
                }
                Entry::Occupied(place) => {
                    let (_, other) = &mut self.leads[*place.get()];
                    if other.updated <= observed.updated {
                        *other = Arc::new(observed);
                    }
                }
            }
        }
        for Unreadable { id, reason } in page.unreadable {
            if !self.places.contains_key(&Key::for_lead(&id)) {
                self.unreadable.insert(id, reason);
            }
        }
    }

    pub(super) fn in_order(mut self) -> Leads {
        // The map sorts what is left in disorder.
        self.leads.par_sort_by_cached_key(|(id, _)| id.beginning());
        self.leads.into_iter().collect()
    }

    pub(super) fn into_live(mut self, sent: Instant, complete: bool) -> Live {
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
