//! Where the leaves lie: an ordered key-value store with atomic, durable batches.
//!
//! The permanent tier keeps its flat state (accounts, slots, code), its metadata and its reverse
//! diffs in one [`LeafStore`]. The trait is all that it knows of the disk: ordered get, scan of a
//! key range, floor, one atomic batch for each block. Keys are compared as unsigned bytes.
//!
//! | implementation | file | for |
//! |---|---|---|
//! | [`PageStore`] | `page/` | the default: a copy-on-write tree of pages with a log, few bytes read and written for each update |
//! | [`RocksStore`] | `rocks/` | RocksDB, an established engine to compare with |
//! | [`DiskStore`] | `disk.rs` | one of the two above, chosen when the program runs |
//! | [`MemoryStore`] | `memory.rs` | models and tests, with injected failures |

mod ahead;
mod batch;
mod bulk;
mod cold;
#[cfg(test)]
mod conformance;
mod counters;
mod disk;
mod error;
mod memory;
mod page;
mod rocks;

pub use ahead::ReadAhead;
pub use batch::{Action, Batch, Op};
pub use bulk::BulkWriter;
pub use cold::cold_reads;
pub use disk::{DiskBulk, DiskOptions, DiskSnapshot, DiskStore, StoreKind, UnknownStore};
pub use error::StoreError;
pub use memory::{Fault, MemoryBulk, MemorySnapshot, MemoryStore};
pub use page::{PageBulk, PageOptions, PageSnapshot, PageStats, PageStore};
pub use rocks::{RocksBulk, RocksOptions, RocksSnapshot, RocksStore};

use core::ops::ControlFlow;

/// The tables of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// Account leaves and stubs by hashed address.
    Accounts = 0,
    /// Slot leaves and stubs by hashed address and hashed slot.
    Storage = 1,
    /// Code by its hash.
    Code = 2,
    /// Format version, parameters, head block.
    Meta = 3,
    /// Reverse diffs by block number.
    Undo = 4,
    /// Write logs of the live periods, by period and block.
    Temporary = 5,
    /// The period table, and how far sealing has come.
    Periods = 6,
    /// Ring, batch roots and recent records of the UTXO tier.
    Utxo = 7,
    /// Spent bits set since the mapped files were last synced, by commit.
    Journal = 8,
}

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::Storage,
        Self::Code,
        Self::Meta,
        Self::Undo,
        Self::Temporary,
        Self::Periods,
        Self::Utxo,
        Self::Journal,
    ];

    /// The name of the table, as files and reports have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Storage => "storage",
            Self::Code => "code",
            Self::Meta => "meta",
            Self::Undo => "undo",
            Self::Temporary => "temporary",
            Self::Periods => "periods",
            Self::Utxo => "utxo",
            Self::Journal => "journal",
        }
    }
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Keys of a table, from one on, up to one that is not among them where it is given.
pub type KeyRange = (Table, Vec<u8>, Option<Vec<u8>>);

/// What [`LeafRead::scan`] calls for each entry, with key and value; `Break` ends the scan.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Reads from one immutable state of a store. Shared between threads.
pub trait LeafRead: Send + Sync {
    /// The value at `key`.
    ///
    /// Costs at most one data block read from the device once the store is compacted; an absent
    /// key mostly none, since filters are asked first.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the entries with `from <= key`, and `key < to` where `to` is given, in ascending
    /// order.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError>;

    /// The last entry with a key at or below `key` and at or above `floor`.
    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError>;

    /// Begins to bring what these ranges of keys lie in into the store's cache, with all reads in flight together,
    /// for reads that come soon. They go on while the caller does something else. Long ranges may be left to their
    /// scans. Does nothing by default.
    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = KeyRange>) -> ReadAhead {
        let _ = ranges;
        ReadAhead::done()
    }
}

/// An ordered store of bytes with snapshots and atomic, durable batches.
///
/// All methods take `&self`; the caller keeps to one writer at a time.
pub trait LeafStore: Send + Sync + 'static {
    /// An immutable state of the store.
    type Snapshot<'a>: LeafRead
    where
        Self: 'a;

    /// What fills a table.
    type Bulk<'a>: BulkWriter
    where
        Self: 'a;

    /// The state as of the last committed batch.
    fn snapshot(&self) -> Self::Snapshot<'_>;

    /// Applies the whole batch, durably, or nothing of it.
    ///
    /// After an error the store refuses every further commit with [`StoreError::Poisoned`]: what
    /// reached the disk is known only after reopening.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Begins to fill a table with sorted entries, past log and batches, behind all entries that it has. No
    /// other writer may be at work on it; other tables may be filled at the same time.
    fn bulk_writer(&self, table: Table) -> Result<Self::Bulk<'_>, StoreError>;

    /// Counters since the store was opened.
    fn counters(&self) -> IoCounters;

    /// Size of one table.
    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError>;

    /// Writes what is held in memory into files, and waits for the merging that this leads to: what
    /// the commits so far cost is then written and counted.
    fn flush(&self) -> Result<(), StoreError>;

    /// Merges what updates have scattered, so that a measurement begins from a settled state.
    fn compact(&self) -> Result<(), StoreError>;
}

/// What a store has done since it was opened. All counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoCounters {
    /// Calls of [`LeafRead::get`].
    pub gets: u64,
    /// Those that found a value.
    pub gets_found: u64,
    /// Calls of [`LeafRead::scan`] and [`LeafRead::last_at_or_before`].
    pub scans: u64,
    /// Entries that scans visited.
    pub entries_scanned: u64,
    /// Bytes that the caller received: values of gets, keys and values of scans.
    pub logical_read_bytes: u64,
    /// Batches committed.
    pub commits: u64,
    /// Entries put or deleted.
    pub entries_written: u64,
    /// Bytes of keys and values in committed batches.
    pub logical_written_bytes: u64,
    /// Data, index and filter blocks that the store's own cache did not hold: read from files
    /// (page cache or device), by callers and by compactions.
    pub block_reads: u64,
    /// Bytes read from table files for whatever cause, readahead included.
    pub block_read_bytes: u64,
    /// Blocks found in the store's own cache instead.
    pub block_cache_hits: u64,
    /// Bytes written to files: log, flushes, compactions.
    pub store_written_bytes: u64,
    /// Waits for a file to be on the device: of the log, and of the file of pages where there is one. What RocksDB's
    /// flushes and compactions wait for in the background is not among them.
    pub syncs: u64,
}

impl IoCounters {
    /// What happened between `before` and `self`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            gets: self.gets - before.gets,
            gets_found: self.gets_found - before.gets_found,
            scans: self.scans - before.scans,
            entries_scanned: self.entries_scanned - before.entries_scanned,
            logical_read_bytes: self.logical_read_bytes - before.logical_read_bytes,
            commits: self.commits - before.commits,
            entries_written: self.entries_written - before.entries_written,
            logical_written_bytes: self.logical_written_bytes - before.logical_written_bytes,
            block_reads: self.block_reads - before.block_reads,
            block_read_bytes: self.block_read_bytes - before.block_read_bytes,
            block_cache_hits: self.block_cache_hits - before.block_cache_hits,
            store_written_bytes: self.store_written_bytes - before.store_written_bytes,
            syncs: self.syncs - before.syncs,
        }
    }
}

/// Size of one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Entries; an estimate where the store keeps no exact count.
    pub entries: u64,
    /// Bytes in files.
    pub file_bytes: u64,
    /// Bytes not yet written to table files (held in memory and in the log).
    pub memory_bytes: u64,
}
