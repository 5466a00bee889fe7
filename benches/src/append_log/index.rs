//! Where the current update of each key lies.

use alloy_primitives::B256;
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// Places by 64 bits of the key; about 17 bytes for each slot of the table.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: HashMap<u64, u32, BuildHasherDefault<Identity>>,
}

impl Index {
    /// Notes a key's place; returns the one that it had.
    pub(super) fn replace(&mut self, key: &B256, place: u64) -> Option<u64> {
        let bits = key.first_chunk().copied().unwrap_or_default();
        let place = u32::try_from(place).expect("the log has fewer than 2^32 updates");
        let previous = self.places.insert(u64::from_le_bytes(bits), place);
        previous.map(u64::from)
    }
}

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 is hashed");
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
