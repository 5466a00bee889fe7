//! The stores under test, behind one trait.

use crate::{AppendLog, Block, MemoryTrie, Record, Update};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256, keccak256};
use std::path::Path;
use thinstate_engine::{
    BlockId, Options, PermanentTier,
    leaf_store::{Batch, LeafStore, PageOptions, PageStore, RocksOptions, RocksStore, Table},
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BatchHasher, BlockNumber, StateChanges,
};

/// A store that takes blocks of account updates, durably.
pub trait Contender {
    /// Its name in tables.
    fn name(&self) -> &str;
    /// Applies a block; what it did is added to `record`.
    fn apply(&mut self, block: &Block, record: &mut Record);
    /// Settles the store before a measurement.
    fn settle(&mut self);
}

/// The permanent tier over a leaf store: root and durable commit for each block.
pub struct Ours<L: LeafStore> {
    name: String,
    tier: PermanentTier<L>,
    next: u64,
}

impl Ours<PageStore> {
    /// Its name in tables.
    pub const NAME: &str = "thinstate on pages";

    /// Opens, or makes, a store of pages in `dir`.
    pub fn on_pages(dir: &Path, pages: PageOptions, options: Options) -> Self {
        let name = format!("{}, {} MiB for them", Self::NAME, pages.cache_bytes >> 20);
        let store = PageStore::open(dir, pages).expect("the store opens");
        Self::over(name, store, options)
    }
}

impl Ours<RocksStore> {
    /// Its name in tables.
    pub const NAME: &str = "thinstate on RocksDB";

    /// Opens, or makes, a RocksDB store in `dir`.
    pub fn on_rocksdb(dir: &Path, options: Options) -> Self {
        let store = RocksStore::open(dir, RocksOptions::default()).expect("the store opens");
        Self::over(Self::NAME.to_owned(), store, options)
    }
}

impl<L: LeafStore> Ours<L> {
    fn over(name: String, store: L, options: Options) -> Self {
        let tier = PermanentTier::open(store, options).expect("the tier opens");
        let next = tier.head().block.map_or(0, |b| b.number.0 + 1);
        Self { name, tier, next }
    }

    /// The tier itself.
    pub const fn tier(&self) -> &PermanentTier<L> {
        &self.tier
    }
}

impl<L: LeafStore> Contender for Ours<L> {
    fn name(&self) -> &str {
        &self.name
    }

    fn apply(&mut self, block: &Block, record: &mut Record) {
        let before = self.tier.counters();
        let mut changes = StateChanges::default();
        for (address, balance) in block {
            let account = Account {
                nonce: 1,
                balance: *balance,
                code_hash: KECCAK256_EMPTY,
            };
            let change = AccountChange {
                account: AccountUpdate::Set(account),
                ..AccountChange::default()
            };
            changes.accounts.insert(*address, change);
        }
        let id = BlockId {
            number: BlockNumber(self.next),
            hash: B256::ZERO,
        };
        let report = self.tier.apply(id, &changes).expect("the block applies");
        self.next += 1;
        record.io.push(self.tier.counters().since(&before));
        record.reports.push(report);
    }

    fn settle(&mut self) {
        self.tier.compact().expect("the store compacts");
    }
}

/// Plain RocksDB puts of the same keys and values, durable, without a root: the floor.
pub struct Floor {
    store: RocksStore,
}

impl Floor {
    /// Opens, or makes, a store in `dir`.
    pub fn open(dir: &Path, rocks: RocksOptions) -> Self {
        let store = RocksStore::open(dir, rocks).expect("the store opens");
        Self { store }
    }
}

impl Contender for Floor {
    fn name(&self) -> &str {
        "RocksDB puts, no root"
    }

    fn apply(&mut self, block: &Block, record: &mut Record) {
        let before = self.store.counters();
        let mut batch = Batch::default();
        for (address, balance) in block {
            let mut value = vec![0u8; 3];
            value.extend_from_slice(&balance.to_be_bytes_trimmed_vec());
            batch.put(Table::Accounts, keccak256(address).as_slice(), value);
        }
        self.store.commit(batch).expect("the batch commits");
        record.io.push(self.store.counters().since(&before));
    }

    fn settle(&mut self) {
        self.store.compact().expect("the store compacts");
    }
}

/// An append log with twigs, durable, with a root: the floor of a store that has one.
#[derive(Debug)]
pub struct AppendLogFloor {
    log: AppendLog,
}

impl AppendLogFloor {
    /// A new log in `dir`.
    pub fn create(dir: &Path) -> Self {
        let log = AppendLog::create(dir).expect("the log is created");
        Self { log }
    }
}

impl Contender for AppendLogFloor {
    fn name(&self) -> &str {
        "append log, twigs, bits"
    }

    fn apply(&mut self, block: &Block, _: &mut Record) {
        let update = |(address, balance): &(_, U256)| (keccak256(address), B256::from(*balance));
        let updates: Vec<Update> = block.iter().map(update).collect();
        self.log.apply(&updates).expect("the block is appended");
    }

    fn settle(&mut self) {}
}

/// A Merkle-Patricia trie wholly in memory, with a log: the floor of a store that has Ethereum's root.
#[derive(Debug)]
pub struct MemoryTrieFloor {
    trie: MemoryTrie,
    hasher: BatchHasher,
}

impl MemoryTrieFloor {
    /// An empty trie with a new log in `dir`, on as many threads as there are cores.
    pub fn create(dir: &Path) -> Self {
        let hasher = BatchHasher::new();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let trie = MemoryTrie::create(dir, threads, hasher).expect("the log is created");
        Self { trie, hasher }
    }

    /// The trie itself.
    pub const fn trie(&self) -> &MemoryTrie {
        &self.trie
    }
}

impl Contender for MemoryTrieFloor {
    fn name(&self) -> &str {
        "MPT in memory, log"
    }

    fn apply(&mut self, block: &Block, _: &mut Record) {
        let (addresses, values): (Vec<_>, Vec<B256>) = block
            .iter()
            .map(|(address, balance)| (*address, B256::from(*balance)))
            .unzip();
        let mut keys = Vec::with_capacity(addresses.len());
        self.hasher.hash_addresses(&addresses, &mut keys);
        let mut updates: Vec<Update> = keys.into_iter().zip(values).collect();
        self.trie.apply(&mut updates).expect("the block is applied");
    }

    fn settle(&mut self) {}
}
