//! RocksDB as a leaf store.
//!
//! A table is a column family. A commit is one write batch over all of them, which RocksDB logs as
//! one record with a checksum and syncs before it answers: after a crash the batch is there whole
//! or not at all. Snapshots are RocksDB's sequence numbers, so readers block nobody.
//!
//! Files: `*.log` the log of what memtables hold, `*.sst` the tables, `*.blob` large values of some,
//! `MANIFEST-*` which of them count, `CURRENT` which manifest does, `LOCK`, `LOG*` diagnostics,
//! `bulk/` while loading.
//!
//! Cost in a compacted store: a point read is one data block (4 KiB), an absent key none in 99 of
//! 100 cases, a bucket one or two data blocks; between compactions a bucket asks every level, of
//! which all but the last are a tenth of the data and mostly cached. Writing costs the log once,
//! the flush once, and about ten times the bytes in later compactions of a large store.
//!
//! Measured with 2 M slots of 64 + 32 bytes, all in the cache, one thread on two shared cores of a
//! virtual machine (p50 / p99, µs):
//!
//! | | compacted | after 80 commits of 10,000 puts |
//! |---|---|---|
//! | get, present | 3.7 / 5.2 | 4.6 / 9.4 |
//! | get, absent | 0.5 / 2.5 | 0.8 / 4.2 |
//! | bucket of 16 entries | 6.1 / 8.9 | 13.2 / 22 |
//! | bucket of 40 entries | 9.4 / 14 | 20.0 / 51 |
//! | snapshot | 0.13 / 0.17 | |
//!
//! A commit of 10,000 puts takes 24 ms of CPU and 35 ms in all (p50, synced or not: the device
//! answers fast there). RocksDB's statistics, at the level without timers and histograms, add
//! 0.05 µs to a get and under 2 % to a scan; in commits they do not show.
//!
//! The reasons for all settings stand in `options.rs`, those for how iterators are used in
//! `snapshot.rs`, and what happens to a commit that has to wait in `write.rs`.

mod bulk;
mod cold;
mod failure;
mod options;
mod snapshot;
mod write;

pub use bulk::RocksBulk;
pub use options::RocksOptions;
pub use snapshot::RocksSnapshot;

use super::counters::LogicalCounters;
use super::{Batch, IoCounters, LeafStore, StoreError, Table, TableStats};
use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use failure::{os, typed};
use rocksdb::statistics::Ticker;
use rocksdb::{
    BottommostLevelCompaction, CStrLike, Cache, ColumnFamily, ColumnFamilyDescriptor,
    CompactOptions, DB, FlushOptions, Options, WaitForCompactOptions, WriteOptions, properties,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The property that the bindings have no name for.
const LIVE_BLOB_BYTES: &CStr = c"rocksdb.live-blob-file-size";

/// A [`LeafStore`] in a folder of RocksDB files.
pub struct RocksStore {
    db: DB,
    path: PathBuf,
    /// Also the owner of the statistics.
    database_options: Options,
    /// Of writes that come back where they would have to wait.
    unwaiting: WriteOptions,
    waiting: WriteOptions,
    cache: Cache,
    options: RocksOptions,
    logical: LogicalCounters,
    bulk_bytes: AtomicU64,
    /// Of table files that are written beside the store; made when they are first needed.
    bulk_options: [OnceLock<Options>; Table::ALL.len()],
    poison: OnceLock<String>,
}

impl RocksStore {
    /// Opens the store in the folder `path`, which is made if it is missing, and recovers what the
    /// last process committed.
    pub fn open(path: impl AsRef<Path>, options: RocksOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        fs::create_dir_all(path).map_err(|error| os("create folder", path, &error))?;
        refuse_headless(path)?;
        let database_options = options.database();
        let cache = options.cache();
        let families = Table::ALL
            .map(|table| ColumnFamilyDescriptor::new(table.name(), options.table(table, &cache)));
        let db = DB::open_cf_descriptors(&database_options, path, families)
            .map_err(|error| typed("open", path, &error))?;
        bulk::remove_leftovers(path)?;
        Ok(Self {
            db,
            path: path.to_owned(),
            database_options,
            unwaiting: options.write(false),
            waiting: options.write(true),
            cache,
            options,
            logical: LogicalCounters::default(),
            bulk_bytes: AtomicU64::new(0),
            bulk_options: Default::default(),
            poison: OnceLock::new(),
        })
    }

    /// Names of the tables of the database in the folder `path`. Writes nothing, unlike
    /// [`Self::open`], which adds the tables that are missing.
    pub fn tables(path: &Path) -> Result<Vec<String>, StoreError> {
        DB::list_cf(&Options::default(), path).map_err(|error| typed("list tables", path, &error))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the store was opened with.
    pub fn options(&self) -> &RocksOptions {
        &self.options
    }

    fn family(&self, table: Table) -> &ColumnFamily {
        self.db
            .cf_handle(table.name())
            .expect("every table's column family is opened with the store")
    }

    fn property(&self, table: Table, name: impl CStrLike) -> Result<u64, StoreError> {
        let value = self
            .db
            .property_int_value_cf(self.family(table), name)
            .map_err(|error| typed("read property", &self.path, &error))?;
        Ok(value.unwrap_or(0))
    }

    fn ticker(&self, ticker: Ticker) -> u64 {
        self.database_options.get_ticker_count(ticker)
    }
}

/// Refuses a folder that has tables or logs but no `CURRENT`: RocksDB would take it for an empty
/// one and start a new history over it.
fn refuse_headless(path: &Path) -> Result<(), StoreError> {
    if path.join("CURRENT").exists() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|error| os("list folder", path, &error))?;
    for entry in entries {
        let name = entry
            .map_err(|error| os("list folder", path, &error))?
            .file_name();
        let extension = Path::new(&name).extension();
        if extension
            .is_some_and(|extension| ["sst", "blob", "log"].iter().any(|of| extension == *of))
        {
            return Err(StoreError::Corrupt {
                path: path.to_owned(),
                message: format!("file CURRENT is missing beside {}", name.display()),
            });
        }
    }
    Ok(())
}

impl LeafStore for RocksStore {
    type Snapshot<'a> = RocksSnapshot<'a>;
    type Bulk<'a> = RocksBulk<'a>;

    fn snapshot(&self) -> RocksSnapshot<'_> {
        RocksSnapshot::new(self)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if let Some(cause) = self.poison.get() {
            return Err(StoreError::Poisoned {
                cause: cause.clone(),
            });
        }
        self.write(&batch).map_err(|error| {
            let error = typed("commit", &self.path, &error);
            self.poison.get_or_init(|| error.to_string());
            error
        })?;
        self.logical.committed(&batch);
        Ok(())
    }

    fn bulk_writer(&self, table: Table) -> Result<RocksBulk<'_>, StoreError> {
        RocksBulk::new(self, table)
    }

    fn counters(&self) -> IoCounters {
        let logical = self.logical.read();
        if !self.options.statistics {
            return logical;
        }
        IoCounters {
            block_reads: self.ticker(Ticker::BlockCacheMiss),
            block_read_bytes: self.ticker(Ticker::LastLevelReadBytes)
                + self.ticker(Ticker::NonLastLevelReadBytes),
            block_cache_hits: self.ticker(Ticker::BlockCacheHit),
            store_written_bytes: self.ticker(Ticker::WalFileBytes)
                + self.ticker(Ticker::FlushWriteBytes)
                + self.ticker(Ticker::CompactWriteBytes)
                + self.bulk_bytes.load(Relaxed),
            syncs: self.ticker(Ticker::WalFileSynced),
            ..logical
        }
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        Ok(TableStats {
            entries: self.property(table, properties::ESTIMATE_NUM_KEYS)?,
            file_bytes: self.property(table, properties::LIVE_SST_FILES_SIZE)?
                + self.property(table, LIVE_BLOB_BYTES)?,
            memory_bytes: self.property(table, properties::CUR_SIZE_ALL_MEM_TABLES)?,
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        let failed = |error| typed("flush", &self.path, &error);
        for table in Table::ALL {
            let flushed = self
                .db
                .flush_cf_opt(self.family(table), &FlushOptions::default());
            flushed.map_err(failed)?;
        }
        self.db
            .wait_for_compact(&WaitForCompactOptions::default())
            .map_err(failed)
    }

    fn compact(&self) -> Result<(), StoreError> {
        let failed = |error| typed("compact", &self.path, &error);
        // Files of the last level too: those whose entries a snapshot has kept apart would
        // otherwise be compacted by themselves, in the middle of a measurement.
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        for table in Table::ALL {
            self.db
                .flush_cf_opt(self.family(table), &FlushOptions::default())
                .map_err(failed)?;
            let family = self.family(table);
            let all = None::<&[u8]>;
            self.db.compact_range_cf_opt(family, all, all, &options);
        }
        // Compactions report nothing by themselves; what stopped them is kept until asked for.
        self.db
            .wait_for_compact(&WaitForCompactOptions::default())
            .map_err(failed)
    }
}
