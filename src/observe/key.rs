//! A lead's uuid as a number: what leads are counted and looked up by while a listing is read.
//!
//! The hash has a secret of this process in it, so that nobody can write uuids that fall together; of a million uuids, two do by
//! chance once in some ten million runs.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

/// The same for equal uuids, within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// Of the text as the listing shows it.
    pub fn of(uuid: &str) -> Self {
        static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        let mut hasher = SECRET.build_hasher();
        hasher.write(uuid.as_bytes());
        Self(hasher.finish())
    }

    /// As a number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Something for each of some leads.
pub(super) type ByKey<T> = HashMap<Key, T, BuildHasherDefault<Hashed>>;

/// Takes a hash for what it is.
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
