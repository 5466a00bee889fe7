//! How RocksDB is set up, and why.
//!
//! What the tables hold decides it. Keys are hashes: uniformly random, incompressible, 32 bytes
//! (accounts) or 64 (slots), one more for stubs. Values are short. Four of five slots that
//! transactions only read do not exist. Writes are one batch for each block; reads are points and
//! runs of some tens of entries (buckets).
//!
//! | choice | for | because |
//! |---|---|---|
//! | whole-key filter, 10 bits: Bloom in level 0, Ribbon below | accounts, storage | an absent key then costs no data block in 99 of 100 cases; Ribbon takes 30 % less memory than Bloom at the same speed, and its slower construction falls on compactions |
//! | filters without the last level | code, undo | what is asked for exists |
//! | no prefix extractor | all | ranges are bucket prefixes of any length that cross accounts, so prefix filters could not be asked, and whether an account has slots at all is known from its leaf; every iterator is in total order, and none can skip entries |
//! | blocks of 4 KiB | accounts, storage | a block is what a cold read costs; a bucket fits into one or two. Blocks of 16 KiB would save 5 % of a cached scan |
//! | blocks of 16 KiB | code, meta, undo | one entry mostly fills a block |
//! | no compression | accounts, storage | hashes do not compress, and prefix encoding inside a block already drops the account's part of slot keys: LZ4 finds less than an eighth in random slots and then stores the block as it is |
//! | LZ4, Zstandard in the last level | code | bytecode halves, is written once and read rarely |
//! | LZ4 | undo | short-lived: an entry lasts some hundred blocks, most never leave the memtable |
//! | index and filter in memory of their own, whole | all | against partitions in the cache a present key costs 3.9 µs, not 5.0, an absent one 0.5, not 0.95; partitions bound the memory, see [`RocksOptions::filters_in_memory`] |
//! | filter on memtables | accounts, storage | an absent key costs 1.6 µs, not 3.5, while memtables are full; a put 0.35 µs more |
//! | HyperClock cache | all | hits take no lock, and cost 8 % less than in an LRU cache on one thread |
//! | levels with dynamic sizes, files of 128 MiB | all | a tenth of space on top of the data; a store of 100 GB keeps under 1,000 files open |
//! | compaction on runs of deletions | storage, undo | a wiped account leaves thousands of tombstones that scans would walk over |
//! | ascending keys, pruned by range | temporary, journal, utxo | logs by block: what falls out of use goes in one operation |
//! | values of 1 KiB and more in files of their own | temporary, journal, utxo | each is written to the log and once more at the flush; level 0 would be merged, and a block of 100,000 transfers cost 60 bytes of the device for each, not 37 |
//! | one log record for a batch, synced | all | the batch is atomic over all tables, and a crash keeps or drops it whole |
//! | log recovery tolerates a torn tail only | all | a record cut by a power failure was never acknowledged and is dropped; a bad checksum in front of intact records is corruption and an error. Point-in-time recovery would drop acknowledged blocks there without a word |
//! | closed logs tracked in the manifest | all | a log that went missing is an error, not a shorter history |

use super::super::Table;
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel,
    Options, WriteOptions, statistics::StatsLevel,
};

/// Bits of filter for each key, as a Bloom filter of the same error rate would have them.
const FILTER_BITS: f64 = 10.0;
/// Share of a memtable's size that its filter takes: some 20 bits for each entry.
const MEMTABLE_FILTER_SHARE: f64 = 0.02;
/// Size of a table file.
const FILE_BYTES: u64 = 128 << 20;
/// Least bytes of a value that is kept apart from its key.
const SEPARATE_BYTES: u64 = 1024;
/// Size of one partition of an index or a filter.
const PARTITION_BYTES: usize = 4096;
/// A file with this many deletions in [`DELETION_WINDOW`] consecutive entries is compacted.
const DELETION_TRIGGER: usize = 512;
const DELETION_WINDOW: usize = 1024;

/// What the user may choose. All else follows from what the tables hold; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RocksOptions {
    /// Memory for data, index and filter blocks of all tables. Default 512 MiB.
    pub cache_bytes: usize,
    /// Keep the indexes and filters of open files in memory of their own, about 1.3 bytes for each
    /// entry, so that a point read is one block at most. Otherwise they lie in partitions in the
    /// cache: memory is bounded, and a cold read may have to fetch them first. Default yes.
    pub filters_in_memory: bool,
    /// Memory of one memtable of the storage table; accounts take a half, code and undo a quarter,
    /// meta a sixteenth, and up to three of each exist at a time. Default 64 MiB.
    pub write_buffer_bytes: usize,
    /// Bypass the page cache for table files, in reads, flushes and compactions. Default no.
    pub direct_io: bool,
    /// Wait in each commit until the device has the batch. Without it a process crash loses
    /// nothing, a power cut the last blocks. Default yes.
    pub sync: bool,
    /// Threads for flushes and compactions. Default 2.
    pub background_threads: u16,
    /// Files held open at most; opening more costs a read of index and footer. Default 900, under
    /// the usual limit of 1,024 for a process.
    pub open_files_max: u16,
    /// Count block reads, cache hits and bytes written. Default yes.
    pub statistics: bool,
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 512 << 20,
            filters_in_memory: true,
            write_buffer_bytes: 64 << 20,
            direct_io: false,
            sync: true,
            background_threads: 2,
            open_files_max: 900,
            statistics: true,
        }
    }
}

impl RocksOptions {
    /// Names and values, to be recorded beside what was measured with them.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("rocksdb.cache_bytes", self.cache_bytes.to_string()),
            (
                "rocksdb.filters_in_memory",
                self.filters_in_memory.to_string(),
            ),
            (
                "rocksdb.write_buffer_bytes",
                self.write_buffer_bytes.to_string(),
            ),
            ("rocksdb.direct_io", self.direct_io.to_string()),
            ("rocksdb.sync", self.sync.to_string()),
            (
                "rocksdb.background_threads",
                self.background_threads.to_string(),
            ),
            ("rocksdb.open_files_max", self.open_files_max.to_string()),
            ("rocksdb.statistics", self.statistics.to_string()),
        ]
    }

    pub(super) fn database(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_paranoid_checks(true);
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_track_and_verify_wals_in_manifest(true);
        // Tables that are seldom written would otherwise keep old logs alive.
        options.set_max_total_wal_size(4 * self.write_buffer_bytes as u64);
        let threads = i32::from(self.background_threads.max(1));
        options.increase_parallelism(threads);
        options.set_max_background_jobs(threads);
        options.set_use_direct_reads(self.direct_io);
        options.set_use_direct_io_for_flush_and_compaction(self.direct_io);
        options.set_max_open_files(i32::from(self.open_files_max));
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(4);
        options.set_max_log_file_size(4 << 20);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        if self.statistics {
            options.enable_statistics();
            options.set_statistics_level(StatsLevel::ExceptHistogramOrTimers);
        }
        options
    }

    /// Of a write that `waits` while RocksDB makes room, or is refused then.
    pub(super) fn write(&self, waits: bool) -> WriteOptions {
        let mut options = WriteOptions::default();
        options.set_sync(self.sync);
        options.set_no_slowdown(!waits);
        options
    }

    pub(super) fn cache(&self) -> Cache {
        // 0: the cache finds the size of its entries out by itself.
        Cache::new_hyper_clock_cache(self.cache_bytes, 0)
    }

    pub(super) fn table(&self, table: Table, cache: &Cache) -> Options {
        let mut options = Options::default();
        options.set_level_compaction_dynamic_level_bytes(true);
        options.set_target_file_size_base(FILE_BYTES);
        options.set_max_bytes_for_level_base(4 * self.write_buffer_bytes as u64);
        options.set_max_write_buffer_number(3);
        options.set_write_buffer_size(self.write_buffer_bytes / write_buffer_share(table));
        set_compression(&mut options, table);
        match table {
            Table::Accounts => filter_memtable(&mut options),
            Table::Storage => {
                filter_memtable(&mut options);
                compact_deletions(&mut options);
            }
            Table::Undo => {
                compact_deletions(&mut options);
                options.set_optimize_filters_for_hits(true);
            }
            Table::Code => options.set_optimize_filters_for_hits(true),
            Table::Temporary | Table::Utxo | Table::Journal => separate_values(&mut options),
            Table::Meta | Table::Periods => {}
        }
        options.set_block_based_table_factory(&self.blocks(table, cache));
        options
    }

    fn blocks(&self, table: Table, cache: &Cache) -> BlockBasedOptions {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(cache);
        blocks.set_block_size(match table {
            Table::Accounts | Table::Storage => 4 << 10,
            Table::Code
            | Table::Meta
            | Table::Undo
            | Table::Temporary
            | Table::Periods
            | Table::Utxo
            | Table::Journal => 16 << 10,
        });
        blocks.set_hybrid_ribbon_filter(FILTER_BITS, 1);
        blocks.set_optimize_filters_for_memory(true);
        blocks.set_whole_key_filtering(true);
        if self.filters_in_memory {
            blocks.set_cache_index_and_filter_blocks(false);
        } else {
            partition_filters(&mut blocks);
        }
        blocks.set_format_version(6);
        blocks
    }
}

fn partition_filters(blocks: &mut BlockBasedOptions) {
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_metadata_block_size(PARTITION_BYTES);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
}

fn write_buffer_share(table: Table) -> usize {
    match table {
        Table::Storage => 1,
        Table::Accounts => 2,
        Table::Code | Table::Undo | Table::Temporary | Table::Utxo | Table::Journal => 4,
        Table::Meta | Table::Periods => 16,
    }
}

fn set_compression(options: &mut Options, table: Table) {
    match table {
        // Logs, roots and bits are packed already.
        Table::Accounts
        | Table::Storage
        | Table::Meta
        | Table::Temporary
        | Table::Periods
        | Table::Utxo
        | Table::Journal => {
            options.set_compression_type(DBCompressionType::None);
        }
        Table::Code => {
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_bottommost_compression_type(DBCompressionType::Zstd);
        }
        Table::Undo => options.set_compression_type(DBCompressionType::Lz4),
    }
}

fn filter_memtable(options: &mut Options) {
    options.set_memtable_prefix_bloom_ratio(MEMTABLE_FILTER_SHARE);
    options.set_memtable_whole_key_filtering(true);
}

/// Values of a block each, which nobody changes: written to files of their own when a memtable is
/// flushed, so that compactions move keys alone. They fall out of use in the order in which they
/// came, so that a file's values go together, and no file need be rewritten for what is left in it.
fn separate_values(options: &mut Options) {
    options.set_enable_blob_files(true);
    options.set_min_blob_size(SEPARATE_BYTES);
    options.set_enable_blob_gc(false);
}

fn compact_deletions(options: &mut Options) {
    options.add_compact_on_deletion_collector_factory(DELETION_WINDOW, DELETION_TRIGGER, 0.5);
}
