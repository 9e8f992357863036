//! The order of a listing, in which any page is found without sorting or traversing the whole.
//!
//! Owns a sorted sequence in chunks of about a thousand keys: a page, an insertion and a removal each cost one pass over the
//! chunk lengths (a thousand of them for a million leads) and one binary search.

use std::cmp::Reverse;

/// A position in a listing: newest first, later arrivals before earlier ones of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SortKey {
    /// Milliseconds since 1970.
    pub(super) time: Reverse<i64>,
    /// Breaks ties, and is the whole order if the listing is not sorted by a date.
    pub(super) rank: Reverse<i64>,
    /// The slot of the chat.
    pub(super) slot: u32,
}

const FULL: usize = 1_024;

/// Keys in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// No chunk is empty.
    chunks: Vec<Vec<SortKey>>,
    len: usize,
}

impl Order {
    pub(super) fn new(mut keys: Vec<SortKey>) -> Self {
        keys.sort_unstable();
        Self {
            len: keys.len(),
            chunks: keys.chunks(FULL / 2).map(<[SortKey]>::to_vec).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, key: SortKey) {
        self.len += 1;
        let Some(last) = self.chunks.len().checked_sub(1) else {
            self.chunks.push(vec![key]);
            return;
        };
        let index = self.chunk_of(&key).min(last);
        let chunk = &mut self.chunks[index];
        let place = chunk.partition_point(|other| *other < key);
        chunk.insert(place, key);
        if chunk.len() >= FULL {
            let tail = chunk.split_off(FULL / 2);
            self.chunks.insert(index + 1, tail);
        }
    }

    pub(super) fn remove(&mut self, key: &SortKey) {
        let index = self.chunk_of(key);
        let Some(chunk) = self.chunks.get_mut(index) else {
            return;
        };
        let Ok(place) = chunk.binary_search(key) else {
            return;
        };
        chunk.remove(place);
        self.len -= 1;
        if chunk.is_empty() {
            self.chunks.remove(index);
        }
    }

    /// The slots of `count` keys from index `start` on; fewer at the end.
    pub(super) fn window(&self, start: usize, count: usize) -> impl Iterator<Item = u32> {
        let mut skip = start;
        let first = self.chunks.iter().position(|chunk| {
            let here = skip < chunk.len();
            skip -= if here { 0 } else { chunk.len() };
            here
        });
        let chunks = &self.chunks[first.unwrap_or(self.chunks.len())..];
        chunks
            .iter()
            .flatten()
            .skip(skip)
            .take(count)
            .map(|key| key.slot)
    }

    /// The first chunk that may contain `key`.
    fn chunk_of(&self, key: &SortKey) -> usize {
        self.chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| last < key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(time: i64, slot: u32) -> SortKey {
        SortKey {
            time: Reverse(time),
            rank: Reverse(0),
            slot,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_sorted_vector(
            first in prop::collection::btree_set(0_i64..5_000, 0..2_500),
            moves in prop::collection::vec((0_i64..5_000, any::<bool>()), 0..300),
            start in 0_usize..3_000,
        ) {
            let mut plain: std::collections::BTreeSet<SortKey> = first.iter().map(|&time| key(time, 1)).collect();
            let mut order = Order::new(plain.iter().copied().collect());
            for (time, add) in moves {
                let key = key(time, 1);
                if add && plain.insert(key) {
                    order.insert(key);
                } else if !add {
                    plain.remove(&key);
                    order.remove(&key);
                }
            }
            prop_assert_eq!(order.len(), plain.len());
            prop_assert_eq!(order.chunks.concat(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(order.window(start, 7).count(), plain.len().saturating_sub(start).min(7));
        }
    }

    #[test]
    fn finds_windows_across_chunks() {
        let order = Order::new(
            (0..5_000_u32)
                .map(|slot| key(-i64::from(slot), slot))
                .collect(),
        );
        for start in [0, 511, 512, 4_990] {
            let expected: Vec<u32> = (start..(start + 20).min(5_000)).collect();
            assert_eq!(
                order.window(start as usize, 20).collect::<Vec<_>>(),
                expected
            );
        }
    }
}
