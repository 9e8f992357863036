//! How many requests were sent, and what they were answered with.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// The requests of a process, for metrics and for those who watch whether it goes ahead.
#[derive(Debug, Default)]
pub struct RequestCounts(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    by_answer: BTreeMap<(String, Option<u16>), u64>,
    last_answer: Option<Instant>,
    pages: u64,
    chats: u64,
}

impl RequestCounts {
    /// Counts a request, repeated ones too, with the status of its answer; `None` where none came.
    pub(crate) fn count(&self, method: &str, status: Option<u16>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = counted.by_answer.entry((method.to_owned(), status));
        *number.or_default() += 1;
        if status.is_some() {
            counted.last_answer = Some(Instant::now());
        }
    }

    /// The number of requests by method and status.
    pub fn by_answer(&self) -> BTreeMap<(String, Option<u16>), u64> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.by_answer.clone()
    }

    /// Counts a page of a list that was read.
    pub(crate) fn count_page(&self, chats: usize) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.pages += 1;
        counted.chats += chats as u64;
    }

    /// The number of pages that were read, and of the chats on them.
    pub fn read_so_far(&self) -> (u64, u64) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counted.pages, counted.chats)
    }

    /// When a request was last answered.
    pub fn last_answer(&self) -> Option<Instant> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.last_answer
    }
}
