//! The records of one generation in memory: what deltas point into.
//!
//! Commits append records while readers of older states go on reading: nothing that was appended
//! moves or changes, so a delta is eight bytes, and copying deltas copies no key.

use super::super::{StoreError, cold};
use super::deltas::Deltas;
use super::folder::SharedFile;
use super::log::record::{self, Change, Far, OpView};
use core::sync::atomic::{
    AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::sync::OnceLock;

/// An operation in an [`Arena`]: number of the record, offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DeltaRef(u64);

impl DeltaRef {
    pub(super) fn new(record: u32, at: usize) -> Self {
        Self(u64::from(record) << 32 | at as u64)
    }
}

/// A record, without its far values.
struct Record {
    ops: Box<[u8]>,
    log: SharedFile,
    /// Where in the log its far values begin.
    far_at: u64,
}

/// Records in the order of their commits.
#[derive(Default)]
pub(super) struct Arena {
    records: Slots<Record>,
    record_bytes: AtomicU64,
    /// Changes of single keys in all records.
    changes: AtomicU64,
}

impl Arena {
    /// Adds a record that was checked; `ops` goes up to the far values. One writer at a time.
    pub(super) fn push(&self, ops: Box<[u8]>, log: SharedFile, far_at: u64) -> u32 {
        self.record_bytes.fetch_add(ops.len() as u64, Relaxed);
        self.records.push(Record { ops, log, far_at })
    }

    /// Memory of all records.
    pub(super) fn record_bytes(&self) -> u64 {
        self.record_bytes.load(Relaxed)
    }

    /// Notes that deltas point to so many more changes.
    pub(super) fn note_changes(&self, count: usize) {
        self.changes.fetch_add(count as u64, Relaxed);
    }

    /// Memory of all records and of the deltas that point into them.
    pub(super) fn bytes(&self) -> u64 {
        let deltas = self.changes.load(Relaxed) * Deltas::BYTES_PER_CHANGE as u64;
        self.record_bytes() + deltas
    }

    pub(super) fn ops(&self, record: u32) -> &[u8] {
        &self.record(record).ops
    }

    fn record(&self, record: u32) -> &Record {
        self.records
            .get(record)
            .expect("a delta points to a record that was appended before it")
    }

    #[inline]
    fn place(&self, at: DeltaRef) -> (&Record, usize) {
        (self.record((at.0 >> 32) as u32), at.0 as u32 as usize)
    }

    #[inline]
    pub(super) fn key(&self, at: DeltaRef) -> &[u8] {
        let (record, at) = self.place(at);
        record::key_at(&record.ops, at).expect("records are checked before they are appended")
    }

    #[inline]
    pub(super) fn op(&self, at: DeltaRef) -> OpView<'_> {
        let (record, at) = self.place(at);
        let (op, _) =
            record::op_at(&record.ops, at).expect("records are checked before they are appended");
        op
    }

    /// The bound of a deletion of a range.
    pub(super) fn bound(&self, at: DeltaRef) -> &[u8] {
        match self.op(at).change {
            Change::DeleteTo(to) => to,
            Change::Put(_) | Change::PutFar(_) | Change::Delete => &[],
        }
    }

    /// Reads a far value of the record that holds `at`.
    pub(super) fn far(&self, at: DeltaRef, far: Far) -> Result<Vec<u8>, StoreError> {
        let (record, _) = self.place(at);
        let mut value = vec![0; far.bytes as usize];
        let offset = record.far_at + u64::from(far.offset);
        record.log.read_at(offset, &mut value)?;
        cold::add(1);
        let checksum = crc32fast::hash(&value);
        if checksum != far.checksum {
            return Err(StoreError::Corrupt {
                path: "log".into(),
                message: format!(
                    "value of {} bytes at byte {offset}: checksum: expected {}, got {checksum}",
                    far.bytes, far.checksum
                ),
            });
        }
        Ok(value)
    }
}

/// Size of the first bucket; each further one is twice as large.
const FIRST_BUCKET: u32 = 64;
const BUCKETS: usize = 26;

/// A vector that grows while it is read. Items never move.
struct Slots<T> {
    buckets: [OnceLock<Box<[OnceLock<T>]>>; BUCKETS],
    len: AtomicU32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            buckets: [const { OnceLock::new() }; BUCKETS],
            len: AtomicU32::new(0),
        }
    }
}

impl<T> Slots<T> {
    #[inline]
    fn place(index: u32) -> (usize, usize) {
        let block = index / FIRST_BUCKET + 1;
        let bucket = block.ilog2();
        let first = FIRST_BUCKET * ((1 << bucket) - 1);
        (bucket as usize, (index - first) as usize)
    }

    #[inline]
    fn get(&self, index: u32) -> Option<&T> {
        let (bucket, place) = Self::place(index);
        self.buckets[bucket].get()?[place].get()
    }

    /// Appends an item; one thread at a time.
    fn push(&self, item: T) -> u32 {
        let index = self.len.load(Acquire);
        let (bucket, place) = Self::place(index);
        let items = self.buckets[bucket].get_or_init(|| {
            let items = (FIRST_BUCKET as usize) << bucket;
            (0..items).map(|_| OnceLock::new()).collect()
        });
        let is_free = items[place].set(item).is_ok();
        assert!(is_free, "one thread appends at a time");
        self.len.store(index + 1, Release);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_where_they_were_put() {
        let slots = Slots::default();
        for item in 0..5_000_u32 {
            assert_eq!(slots.push(item), item);
        }
        assert!((0..5_000).all(|item| slots.get(item) == Some(&item)));
        assert_eq!(slots.get(5_000), None);
    }
}
