//! Hashes of JSON that is never held in memory as a whole.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SHA-256 of a value's JSON, in hexadecimal.
pub(super) fn hash_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut out = BufWriter::with_capacity(1 << 14, Hashing(Sha256::new()));
    serde_json::to_writer(&mut out, value)?;
    let hashing = out
        .into_inner()
        .map_err(|error| serde_json::Error::io(error.into_error()))?;
    Ok(hashing
        .0
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
