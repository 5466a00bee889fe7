//! The entries of one period, in memory.
//!
//! ```text
//! chunks     location 32 | value 32, 4,096 entries to a chunk; an entry's id is its position
//! shards     256 by the first byte of the location, each a hash table of ids
//! shadowed   one bit an entry
//! ```
//!
//! An entry keeps its id for as long as its period lives, also while its value is zero (deleted):
//! ids depend on the writes alone, so a log can name entries by them. The newest entry can be taken
//! back ([`PeriodEntries::pop`]), which undoing a block does.
//!
//! An entry is *shadowed* if the period after has a version of it that is present: then no read
//! returns it, and it is not sealed. Only entries that are present are shadowed.
//!
//! Memory for each entry: 64 bytes, 1 bit, and 5 bytes for each place of a hash table that is 7/16
//! to 7/8 full: 70 to 76 bytes. Chunks do not move when the period grows; hash tables do, but one
//! shard at a time.

use alloy_primitives::B256;
use core::hash::{BuildHasher, Hasher};
use hashbrown::HashTable;
use std::hash::RandomState;

/// Bits of a location that name its shard.
pub(super) const SHARD_BITS: u32 = 8;
const SHARDS: usize = 1 << SHARD_BITS;
const CHUNK: usize = 4096;

/// An entry of a period, by the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EntryId(pub(super) u32);

impl EntryId {
    const fn chunk(self) -> (usize, usize) {
        let at = self.0 as usize;
        (at / CHUNK, at % CHUNK)
    }

    const fn bit(self) -> (usize, u64) {
        (self.0 as usize / 64, 1 << (self.0 % 64))
    }
}

/// A location and its value; zero is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) location: B256,
    pub(super) value: B256,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// The entries of one period.
pub(super) struct PeriodEntries {
    shards: Box<[HashTable<EntryId>; SHARDS]>,
    chunks: Vec<Vec<Entry>>,
    shadowed: Vec<u64>,
    present: u32,
    shadows: u32,
    /// Locations are hashes of what users choose: without a secret, they could choose those that
    /// collide in a table.
    secret: [u64; 2],
}

impl PeriodEntries {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        let secret = [0u64, 1].map(|n| {
            let mut hasher = random.build_hasher();
            hasher.write_u64(n);
            hasher.finish()
        });
        Self {
            shards: Box::new([const { HashTable::new() }; SHARDS]),
            chunks: Vec::new(),
            shadowed: Vec::new(),
            present: 0,
            shadows: 0,
            secret,
        }
    }

    /// Entries, deleted ones included: the id of the next one.
    pub(super) fn len(&self) -> u32 {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        (full + self.chunks.last().map_or(0, Vec::len)) as u32
    }

    /// Entries whose value is not zero.
    pub(super) const fn present(&self) -> u32 {
        self.present
    }

    /// Entries that a seal would take: present, and not shadowed.
    pub(super) const fn leaves(&self) -> u32 {
        self.present - self.shadows
    }

    /// The entry with this id, if there is one.
    pub(super) fn get(&self, id: EntryId) -> Option<&Entry> {
        let (chunk, at) = id.chunk();
        self.chunks.get(chunk)?.get(at)
    }

    /// The entry with an id that was given out.
    pub(super) fn entry(&self, id: EntryId) -> &Entry {
        self.get(id).expect("ids in use are those of entries")
    }

    pub(super) fn is_shadowed(&self, id: EntryId) -> bool {
        let (word, bit) = id.bit();
        self.shadowed.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The id of the entry at a location.
    pub(super) fn find(&self, location: &B256) -> Option<EntryId> {
        let shard = &self.shards[usize::from(location[0])];
        let same = |id: &EntryId| self.entry(*id).location == *location;
        shard.find(hash(self.secret, location), same).copied()
    }

    /// The id of the entry at a location, unless it is deleted.
    pub(super) fn find_present(&self, location: &B256) -> Option<EntryId> {
        let found = self.find(location)?;
        (!self.entry(found).value.is_zero()).then_some(found)
    }

    /// The value at a location: zero if there is none.
    pub(super) fn value(&self, location: &B256) -> B256 {
        self.find(location)
            .map_or(B256::ZERO, |id| self.entry(id).value)
    }

    /// What a seal would take at a location: zero for nothing.
    pub(super) fn sealable(&self, location: &B256) -> B256 {
        match self.find(location) {
            Some(id) if !self.is_shadowed(id) => self.entry(id).value,
            _ => B256::ZERO,
        }
    }

    /// Adds an entry at a location that has none.
    pub(super) fn push(&mut self, location: B256, value: B256) -> EntryId {
        let id = EntryId(self.len());
        let (chunk, _) = id.chunk();
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[chunk].push(Entry { location, value });
        let (word, _) = id.bit();
        if word == self.shadowed.len() {
            self.shadowed.push(0);
        }
        self.present += u32::from(!value.is_zero());
        let (secret, chunks) = (self.secret, &self.chunks);
        let rehash = |id: &EntryId| {
            let (chunk, at) = id.chunk();
            hash(secret, &chunks[chunk][at].location)
        };
        self.shards[usize::from(location[0])].insert_unique(hash(secret, &location), id, rehash);
        id
    }

    /// Takes the newest entry away, which is not shadowed.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let id = EntryId(self.len().checked_sub(1)?);
        debug_assert!(!self.is_shadowed(id), "entries are taken back unshadowed");
        let entry = self.chunks.last_mut()?.pop()?;
        let shard = &mut self.shards[usize::from(entry.location[0])];
        let found = shard.find_entry(hash(self.secret, &entry.location), |other| *other == id);
        found.expect("every entry is in its shard").remove();
        self.present -= u32::from(!entry.value.is_zero());
        if self.chunks.last().is_some_and(Vec::is_empty) {
            self.chunks.pop();
        }
        self.shadowed.truncate(self.len().div_ceil(64) as usize);
        Some(entry)
    }

    /// Sets a value; the one before.
    pub(super) fn set(&mut self, id: EntryId, value: B256) -> B256 {
        let (chunk, at) = id.chunk();
        let entry = &mut self.chunks[chunk][at];
        self.present += u32::from(!value.is_zero());
        self.present -= u32::from(!entry.value.is_zero());
        core::mem::replace(&mut entry.value, value)
    }

    /// Sets or clears the mark of an entry; whether it was set.
    pub(super) fn shadow(&mut self, id: EntryId, shadowed: bool) -> bool {
        let was = self.is_shadowed(id);
        let (word, bit) = id.bit();
        if was != shadowed {
            self.shadowed[word] ^= bit;
            self.shadows += u32::from(shadowed);
            self.shadows -= u32::from(was);
        }
        was
    }

    /// The ids of the entries in a shard, in no order.
    pub(super) fn shard(&self, shard: usize) -> impl Iterator<Item = EntryId> + '_ {
        self.shards.get(shard).into_iter().flatten().copied()
    }

    /// Entries in a shard, deleted ones included.
    pub(super) fn shard_len(&self, shard: usize) -> usize {
        self.shards.get(shard).map_or(0, HashTable::len)
    }

    /// All entries, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> + '_ {
        let ids = (0..).map(EntryId);
        ids.zip(self.chunks.iter().flatten())
    }

    /// Bytes that the entries occupy.
    pub(super) fn memory_bytes(&self) -> u64 {
        let chunks = self.chunks.len() * CHUNK * size_of::<Entry>();
        let tables: usize = self.shards.iter().map(HashTable::allocation_size).sum();
        let lists = self.shadowed.capacity() * 8 + SHARDS * size_of::<HashTable<EntryId>>();
        (chunks + tables + lists) as u64
    }
}

/// A location folded with a secret: one multiplication.
fn hash(secret: [u64; 2], location: &B256) -> u64 {
    let word = |at: usize| {
        let bytes = location[at..].first_chunk().expect("a location has 32");
        u64::from_le_bytes(*bytes)
    };
    let product = u128::from(word(8) ^ secret[0]) * u128::from(word(16) ^ secret[1]);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    fn location(n: u32) -> B256 {
        keccak256(n.to_le_bytes())
    }

    fn value(n: u8) -> B256 {
        B256::with_last_byte(n)
    }

    #[test]
    fn no_entry_is_lost_or_changes_its_id() {
        let mut entries = PeriodEntries::new();
        for n in 0..10_000 {
            assert_eq!(entries.find(&location(n)), None);
            assert_eq!(entries.push(location(n), value(1)), EntryId(n));
        }
        for n in 0..10_000 {
            assert_eq!(entries.find(&location(n)), Some(EntryId(n)));
        }
        assert_eq!(entries.len(), 10_000);
        assert_eq!(entries.set(EntryId(7), B256::ZERO), value(1));
        assert_eq!(entries.find(&location(7)), Some(EntryId(7)));
        assert_eq!(entries.find_present(&location(7)), None);
        assert!(!entries.shadow(EntryId(9), true));
        assert_eq!((entries.present(), entries.leaves()), (9_999, 9_998));
        assert_eq!(entries.sealable(&location(9)), B256::ZERO);
        let listed: usize = (0..SHARDS).map(|shard| entries.shard(shard).count()).sum();
        assert_eq!(listed, 10_000);
    }

    #[test]
    fn no_trace_is_left_of_what_is_taken_back() {
        let mut entries = PeriodEntries::new();
        for n in 0..9_000 {
            entries.push(location(n), value(2));
        }
        for n in (1..9_000).rev() {
            let taken = entries.pop().expect("one is left");
            assert_eq!(taken.location, location(n));
            assert_eq!(entries.find(&location(n)), None);
        }
        assert_eq!((entries.len(), entries.present()), (1, 1));
        assert!(entries.pop().is_some() && entries.pop().is_none());
        assert_eq!(entries.push(location(5), value(1)), EntryId(0));
    }

    #[test]
    fn no_entry_costs_more_memory_than_stated() {
        let mut entries = PeriodEntries::new();
        for n in 0..300_000 {
            entries.push(location(n), value(1));
        }
        let each = entries.memory_bytes() as f64 / 300_000.0;
        assert!((69.0..78.0).contains(&each), "{each} bytes an entry");
    }
}
