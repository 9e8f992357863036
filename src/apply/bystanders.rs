//! What reading back shows of leads that are still to be written: it is newer than the reading that they were planned on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::lead::{FieldMask, LeadId};
use crate::observe::{ChatType, Key, Observed, Page, Projection, Reader, Seen};

/// Passes pages through, and keeps what they show of other leads than those they are read for.
pub(super) struct Bystanders<'w, R> {
    reader: &'w R,
    /// All leads of the run.
    all: Projection,
    /// As they were seen last; `None` where a record could not be understood.
    seen: Mutex<Newest>,
}

/// Leads as they were seen last; `None` where a record could not be understood.
pub(super) type Newest = BTreeMap<LeadId, Option<Arc<Observed>>>;

impl<'w, R> Bystanders<'w, R> {
    pub(super) fn new<'a>(reader: &'w R, leads: impl Iterator<Item = &'a LeadId>) -> Self {
        Self {
            reader,
            all: Projection::only(leads.map(|id| (id, FieldMask::ALL))),
            seen: Mutex::default(),
        }
    }

    /// What was seen since the last time.
    pub(super) fn take(&self) -> Newest {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<R: Reader> Reader for Bystanders<'_, R> {
    type Error = R::Error;

    async fn page(
        &self,
        list: ChatType,
        number: u32,
        keep: &Projection,
    ) -> Result<Page, Self::Error> {
        let mut page = self.reader.page(list, number, &self.all).await?;
        let is_kept = |id: &LeadId| keep.mask(Key::for_lead(id)).is_some();
        let (leads, others) = page.leads.into_iter().partition(|(id, _)| is_kept(id));
        page.leads = leads;
        let place = Some(Seen { list, page: number });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, observed) in others {
            let observed = Observed {
                seen: place,
                reading: page.reading,
                ..observed
            };
            // Pages are read at the same time, and may be answered in another order.
            let is_newer = match seen.get(&id) {
                Some(Some(known)) => {
                    known.reading.map(|known| known.sent) < page.reading.map(|new| new.sent)
                }
                Some(None) => false,
                None => true,
            };
            if is_newer {
                seen.insert(id, Some(Arc::new(observed)));
            }
        }
        for other in page.unreadable.extract_if(.., |lead| !is_kept(&lead.id)) {
            seen.insert(other.id, None);
        }
        Ok(page)
    }

    fn writes(&self) -> bool {
        self.reader.writes()
    }

    fn is_remote(&self) -> bool {
        self.reader.is_remote()
    }

    fn width(&self) -> usize {
        self.reader.width()
    }

    fn page_cap(&self) -> u32 {
        self.reader.page_cap()
    }
}
