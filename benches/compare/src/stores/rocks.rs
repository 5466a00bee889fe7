//! RocksDB with plain puts: no root, what storing alone costs.

use crate::{
    layout::Hashed,
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions, each_on},
};
use rayon::ThreadPool;
use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, Options, WriteBatch, WriteOptions};

/// Key of the head: no entry's key has this length.
const HEAD: &[u8] = b"head";
/// Bits of a filter for each key.
const FILTER_BITS: f64 = 10.0;

/// The store.
pub struct RocksPlain(DB);

impl KeyValueStore for RocksPlain {
    type Layout = Hashed;

    const FACTS: Facts = Facts {
        name: "rocksdb",
        summary: "RocksDB 11.8 with plain puts: no root, what storing alone costs",
        root: "none",
        durability: "write-ahead log, synced with each block",
        is_ethereum: false,
    };

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&Cache::new_lru_cache(options.cache_bytes));
        blocks.set_ribbon_filter(FILTER_BITS);
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        let mut rocks = Options::default();
        rocks.create_if_missing(true);
        rocks.set_block_based_table_factory(&blocks);
        rocks.set_compression_type(DBCompressionType::Lz4);
        rocks.increase_parallelism(i32::try_from(options.threads).unwrap_or(i32::MAX));
        Ok(Self(DB::open(&rocks, &options.dir)?))
    }

    fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.0.get(HEAD)?)
    }

    fn read(&self, keys: &[[u8; 32]], pool: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        each_on(pool, keys, |key| self.0.get(key))
    }

    fn commit(
        &self,
        changes: Vec<Change<[u8; 32]>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError> {
        let mut batch = WriteBatch::default();
        for Change { key, value } in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        if let Some(head) = head {
            batch.put(HEAD, head);
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.0.write_opt(batch, &synced)?;
        Ok(Committed::default())
    }

    fn settle(&self) -> Result<(), BoxError> {
        self.0.flush()?;
        self.0.compact_range(None::<&[u8]>, None::<&[u8]>);
        Ok(())
    }

    fn flush(&self) -> Result<(), BoxError> {
        Ok(self.0.flush()?)
    }
}
