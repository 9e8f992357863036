//! Which leads' values are kept of a page; of all others only a count and the agent are.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;

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
    parts: HashMap<LeadId, Parts, RandomState>,
    /// A bit for each hash of a lead, among others: most of a large inbox is not looked for, and the map is too large to be asked each
    /// time.
    bits: Vec<u64>,
}

/// So many bits for each lead.
const BITS: usize = 16;

impl Kept {
    fn bit(&self, id: &str) -> (usize, u64) {
        // Of a power of two, the remainder is the lowest bits.
        let bit = (self.parts.hasher().hash_one(id) % (self.bits.len() as u64 * 64)) as usize;
        (bit / 64, 1 << (bit % 64))
    }

    fn get(&self, id: &str) -> Option<Parts> {
        let (word, bit) = self.bit(id);
        if self.bits.get(word)? & bit == 0 { None } else { self.parts.get(id).copied() }
    }
}

impl FromIterator<(LeadId, Parts)> for Kept {
    fn from_iter<I: IntoIterator<Item = (LeadId, Parts)>>(leads: I) -> Self {
        let parts: HashMap<LeadId, Parts, RandomState> = leads.into_iter().collect();
        let words = (parts.len() * BITS / 64).next_power_of_two();
        let mut made = Self { parts, bits: vec![0; words] };
        for (word, bit) in made.parts.keys().map(|id| made.bit(id.as_str())).collect::<Vec<_>>() {
            made.bits[word] |= bit;
        }
        made
    }
}

impl Keep {
    /// Of these leads, these parts.
    pub fn only(wanted: impl IntoIterator<Item = (LeadId, Parts)>) -> Self {
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
    pub fn wants(&self, id: &str) -> bool {
        self.parts(id).is_some()
    }

    /// Which parts of this lead are wanted, where any is.
    pub fn parts(&self, id: &str) -> Option<Parts> {
        match self {
            Self::Only(kept) => kept.get(id),
            Self::All => Some(Parts::ALL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_just_these() {
        for count in [0, 1, 3, 700] {
            let keep = Keep::only((0..count).map(|number| (LeadId::new(number.to_string()), Parts::TAGS)));
            let wanted = (0..2_000).filter(|number: &i32| keep.wants(&number.to_string())).count();
            assert_eq!((wanted, keep.count()), (count as usize, Some(count as usize)));
            assert!(Keep::All.wants("any") && !keep.wants("none"));
        }
    }
}
