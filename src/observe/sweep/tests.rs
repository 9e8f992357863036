//! A first full reading: how long it takes, counted in answers of a server that takes 20 ms for each, and how many requests are in vain.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::*;
use crate::observe::key::Key;
use crate::observe::{Observed, Sighting};

const PER_PAGE: u64 = 10;
const LATENCY: Duration = Duration::from_millis(20);

/// Two lists of these lengths in full pages, served to `width` requests at a time.
struct ServedLists {
    pages: [u32; 2],
    width: usize,
    open: Semaphore,
    requests: AtomicUsize,
    /// Whether the last page is shown beyond the end.
    repeats: bool,
}

impl ServedLists {
    fn new(pages: [u32; 2], width: usize) -> Self {
        Self {
            pages,
            width,
            open: Semaphore::new(width),
            requests: AtomicUsize::new(0),
            repeats: false,
        }
    }

    fn total(&self) -> usize {
        (self.pages[0] + self.pages[1]) as usize
    }

    /// Reads all of it for the first time: the requests, and the time in answers.
    async fn read(&self) -> (usize, f64) {
        let start = Instant::now();
        let live = observe(self, &BTreeSet::new(), true, &ListingHints::default())
            .await
            .expect("it is read");
        assert_eq!(live.listing.leads_read, self.total() as u64 * PER_PAGE);
        assert!(live.listing.complete);
        let rounds = start.elapsed().as_secs_f64() / LATENCY.as_secs_f64();
        (self.requests.load(Ordering::Relaxed), rounds)
    }
}

fn id(list: ChatType, page: u32, at: u64) -> LeadId {
    LeadId::new(format!("{list:?}-{page}-{at}"))
}

impl Reader for ServedLists {
    type Error = Infallible;

    async fn page(
        &self,
        list: ChatType,
        number: u32,
        projection: &Projection,
    ) -> Result<Page, Infallible> {
        let _permit = self.open.acquire().await.expect("it is open");
        self.requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(LATENCY).await;
        let pages = self.pages[usize::from(list == ChatType::NonLead)];
        let shown = if self.repeats {
            number.min(pages)
        } else {
            number
        };
        if shown > pages || pages == 0 {
            return Ok(Page {
                is_end: true,
                ..Page::default()
            });
        }
        let record = |at| Sighting {
            key: Key::new(id(list, shown, at).as_str()),
            updated: 0,
            agent: None,
        };
        let ids = (0..PER_PAGE).map(|at| id(list, shown, at));
        let wanted = ids.filter(|id| projection.mask(Key::new(id.as_str())).is_some());
        Ok(Page {
            sightings: (0..PER_PAGE).map(record).collect(),
            leads: wanted.map(|id| (id, Observed::default())).collect(),
            signature: u64::from(shown),
            ..Page::default()
        })
    }

    fn writes(&self) -> bool {
        false
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn width(&self) -> usize {
        self.width
    }

    fn page_cap(&self) -> u32 {
        10_000
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_full_reading_takes_little_more_time_than_the_bare_fetch() {
    for (pages, width, limit) in [
        ([900, 100], 8, 1.05),
        ([90, 10], 8, 1.5),
        ([4_500, 500], 64, 1.10),
        ([2_000, 0], 64, 1.25),
    ] {
        let inbox = ServedLists::new(pages, width);
        let bare = (inbox.total() + 4).div_ceil(width) as f64;
        let (_, rounds) = inbox.read().await;
        assert!(
            rounds <= limit * bare,
            "{pages:?}, {width} at a time: {rounds} answers in turn, {bare} for the bare fetch"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn leads_that_fill_many_pages_are_found_in_few_answers_in_turn() {
    for (pages, [lead, other], limits) in [
        ([50, 5], [50, 0], (4.0, 62)),
        ([50, 50], [25, 25], (6.0, 100)),
        ([60, 5], [30, 5], (4.0, 50)),
        ([500, 50], [300, 0], (9.0, 360)),
        // Most of them are not there.
        ([20, 2], [300, 0], (10.0, 76)),
    ] {
        let inbox = ServedLists::new(pages, 64);
        let ids = |(list, pages)| {
            (1..=pages).flat_map(move |page| (0..PER_PAGE).map(move |at| id(list, page, at)))
        };
        let lists = [(ChatType::Lead, lead), (ChatType::NonLead, other)];
        let wanted: BTreeSet<LeadId> = lists.into_iter().flat_map(ids).collect();
        let start = Instant::now();
        let live = observe(&inbox, &wanted, false, &ListingHints::default())
            .await
            .expect("it is read");
        let listed = [lead.min(pages[0]), other.min(pages[1])];
        assert_eq!(
            live.leads.len() as u64,
            u64::from(listed[0] + listed[1]) * PER_PAGE
        );
        let rounds = start.elapsed().as_secs_f64() / LATENCY.as_secs_f64();
        let requests = inbox.requests.load(Ordering::Relaxed);
        assert!(
            rounds <= limits.0 && requests <= limits.1,
            "{wanted} leads on {lead} and {other} of {pages:?} pages: {rounds} answers in turn, {requests} requests",
            wanted = wanted.len(),
        );
    }
}

#[tokio::test(start_paused = true)]
async fn requests_in_vain_are_bounded_by_a_tenth_of_the_pages() {
    for width in [1, 2, 8, 64] {
        for lead in (0..40).chain([77, 134, 135, 500]) {
            for other in [0, 1, 4, 30] {
                let inbox = ServedLists::new([lead, other], width);
                let (requests, _) = inbox.read().await;
                let limit = inbox.total() + 4 + inbox.total() / 10;
                assert!(
                    requests <= limit,
                    "{lead} and {other} pages, {width} at a time: {requests} requests"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_repeats_its_last_page_costs_a_few_requests_more() {
    for pages in [[36, 4], [150, 20], [500, 7]] {
        let mut inbox = ServedLists::new(pages, 8);
        inbox.repeats = true;
        let (requests, _) = inbox.read().await;
        let limit = inbox.total() + 4 + inbox.total() / 10;
        assert!(requests <= limit + 16, "{pages:?}: {requests} requests");
    }
}
