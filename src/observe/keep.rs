//! Which leads' values are kept of a page; of all others only a count and the agent are.

use std::sync::Arc;

use super::key::{ByKey, Key};
use crate::lead::{LeadId, Parts};

/// Which leads are kept.
#[derive(Debug, Clone)]
pub enum Keep {
    /// Of these, these parts.
    Only(Arc<Kept>),
    /// Every record that has a uuid, whole.
    All,
}

/// Leads, and of each the parts that are kept.
#[derive(Debug)]
pub struct Kept {
    parts: ByKey<Parts>,
    /// A bit for each lead, among others: most of a large inbox is not looked for, and the map is too large to be asked each time.
    bits: Vec<u64>,
}

/// So many bits for each lead.
const BITS: usize = 16;

impl Kept {
    fn bit(&self, key: Option<Key>) -> (usize, u64) {
        // Of a power of two, the remainder is the lowest bits.
        let bit = (key.map_or(0, Key::number) % (self.bits.len() as u64 * 64)) as usize;
        (bit / 64, 1 << (bit % 64))
    }

    fn may_have(&self, key: Option<Key>) -> bool {
        let (word, bit) = self.bit(key);
        self.bits[word] & bit != 0
    }

    fn get(&self, key: Option<Key>) -> Option<Parts> {
        self.parts.get(&key?).copied()
    }
}

impl<'a> FromIterator<(&'a LeadId, Parts)> for Kept {
    fn from_iter<I: IntoIterator<Item = (&'a LeadId, Parts)>>(leads: I) -> Self {
        let parts: ByKey<Parts> = leads
            .into_iter()
            .map(|(id, parts)| (Key::of(id.as_str()), parts))
            .collect();
        let words = (parts.len() * BITS / 64).next_power_of_two();
        let mut made = Self {
            parts,
            bits: vec![0; words],
        };
        for (word, bit) in made
            .parts
            .keys()
            .map(|key| made.bit(Some(*key)))
            .collect::<Vec<_>>()
        {
            made.bits[word] |= bit;
        }
        made
    }
}

impl Keep {
    /// Of these leads, these parts.
    pub fn only<'a>(wanted: impl IntoIterator<Item = (&'a LeadId, Parts)>) -> Self {
        Self::Only(Arc::new(wanted.into_iter().collect()))
    }

    /// How many leads are looked for; `None` where all are kept.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Only(kept) => Some(kept.parts.len()),
            Self::All => None,
        }
    }

    /// Whether this lead's values are wanted.
    pub fn wants(&self, key: Key) -> bool {
        match self {
            Self::Only(kept) => kept.get(Some(key)).is_some(),
            Self::All => true,
        }
    }

    /// Of these leads, the places of those whose values are wanted, and which parts of each.
    pub fn wanted(&self, keys: &[Option<Key>]) -> Vec<(usize, Parts)> {
        let there = keys.iter().copied().enumerate();
        match self {
            Self::All => there
                .filter_map(|(at, key)| key.map(|_| (at, Parts::ALL)))
                .collect(),
            Self::Only(kept) => {
                // All bits before all else: so memory is waited for once, and not for each lead.
                let may: Vec<bool> = keys.iter().map(|key| kept.may_have(*key)).collect();
                let may = there.zip(may).filter(|(_, may)| *may);
                may.filter_map(|((at, key), _)| Some((at, kept.get(key)?)))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_just_these() {
        for count in [0, 1, 3, 700] {
            let leads: Vec<LeadId> = (0..count)
                .map(|number| LeadId::new(number.to_string()))
                .collect();
            let keep = Keep::only(leads.iter().map(|id| (id, Parts::TAGS)));
            let keys: Vec<Option<Key>> = (0..2_000)
                .map(|number: i32| Some(Key::of(&number.to_string())))
                .chain([None])
                .collect();
            let wanted: Vec<usize> = keep.wanted(&keys).into_iter().map(|(at, _)| at).collect();
            assert_eq!(
                (wanted, keep.count()),
                ((0..count as usize).collect(), Some(count as usize))
            );
            assert_eq!(Keep::All.wanted(&keys).len(), 2_000);
            assert!(Keep::All.wants(Key::of("any")) && !keep.wants(Key::of("none")));
        }
    }
}
