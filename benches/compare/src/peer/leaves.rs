//! thinstate's leaf stores, opened alike.

use crate::store::{Facts, StoreOptions};
use thinstate_engine::leaf_store::{
    LeafStore, PageOptions, PageStore, RocksOptions, RocksStore, StoreError,
};

/// A leaf store under the permanent tier.
pub trait Leaves: LeafStore + Sized {
    /// What tables say of the tier on this store.
    const FACTS: Facts;

    /// Opens it, new or not.
    fn open_in(options: &StoreOptions) -> Result<Self, StoreError>;
}

impl Leaves for RocksStore {
    const FACTS: Facts = Facts {
        name: "thinstate-rocksdb",
        summary: "thinstate's permanent tier on RocksDB: slots of one contract, interior in memory",
        root: "Ethereum's state root, Keccak-256",
        durability: "write-ahead log, synced with each block; reverse diffs of 128 blocks in it",
        is_ethereum: true,
    };

    fn open_in(options: &StoreOptions) -> Result<Self, StoreError> {
        let rocks = RocksOptions {
            cache_bytes: options.cache_bytes,
            ..RocksOptions::default()
        };
        Self::open(&options.dir, rocks)
    }
}

impl Leaves for PageStore {
    const FACTS: Facts = Facts {
        name: "thinstate-page",
        summary: "thinstate's permanent tier on its page store: slots of one contract, interior in memory",
        root: "Ethereum's state root, Keccak-256",
        durability: "write-ahead log, synced with each block; reverse diffs of 128 blocks in it",
        is_ethereum: true,
    };

    fn open_in(options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open(
            &options.dir,
            PageOptions::within(options.cache_bytes, false),
        )
    }
}
