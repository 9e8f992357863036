//! A lead's uuid as a number, by which leads are counted and looked up while a listing is read.
//!
//! The hash is keyed with a secret of this process, so that no one can construct colliding uuids. Among a million uuids,
//! a collision by chance happens about once in ten million runs.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use crate::lead::LeadId;

/// Equal for equal uuids, within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The hash of the text as listed.
    pub fn new(uuid: &str) -> Self {
        Self::hash_of(uuid.as_bytes())
    }

    fn hash_of(uuid: &[u8]) -> Self {
        static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        let mut hasher = SECRET.build_hasher();
        hasher.write(uuid);
        Self(hasher.finish())
    }

    /// The hash of a lead's uuid.
    pub fn for_lead(id: &LeadId) -> Self {
        Self::hash_of(id.bytes())
    }

    /// The hash as a number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A map keyed by leads.
pub(super) type ByKey<T> = HashMap<Key, T, BuildHasherDefault<Hashed>>;

/// Passes a hash through unchanged.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
