//! What a store takes, on disk and in memory.

use alloy_primitives::B256;
use core::ops::ControlFlow;
use serde::Serialize;
use thinstate_engine::{
    Head, InteriorSize, PermanentTier, StateEntry, StateError, View,
    leaf_store::{LeafStore, StoreError, Table, TableStats},
};

/// The sizes of a store cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SizesError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry cannot be used. Verify the store.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Sizes of a store, tier by tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoreSizes {
    /// Version of this description.
    pub version: u32,
    /// What the store was left at.
    pub head: HeadSummary,
    /// The tiers.
    pub tiers: Vec<TierSizes>,
}

/// What the store was left at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeadSummary {
    /// Number of the last block; `None` in a store that was just made.
    pub block_number: Option<u64>,
    /// Its hash.
    pub block_hash: Option<B256>,
    /// The state root after it.
    pub state_root: B256,
    /// Commits so far.
    pub commit: u64,
    /// Accounts held.
    pub accounts: u64,
    /// Slots held.
    pub slots: u64,
    /// Stubs held.
    pub stubs: u64,
}

/// Sizes of one tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierSizes {
    /// Its name.
    pub tier: &'static str,
    /// Its tables.
    pub tables: Vec<TableSizes>,
    /// The interiors of its tries: the account trie's, all storage tries'.
    pub interior: [TrieSizes; 2],
}

/// Size of one table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TableSizes {
    /// Its name.
    pub table: &'static str,
    /// Entries.
    pub entries: u64,
    /// Whether `entries` was counted; otherwise the files' estimate.
    pub entries_exact: bool,
    /// Of the entries, stubs.
    pub stubs: u64,
    /// Bytes in table files.
    pub file_bytes: u64,
    /// Bytes of memory for what is not in table files yet.
    pub memory_bytes: u64,
    /// Bytes in files for each entry; `None` where there are none.
    pub bytes_per_entry: Option<f64>,
}

/// The interiors of some tries, as they lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TrieSizes {
    /// Which tries: `account` or `storage`.
    pub tries: &'static str,
    /// How many there are.
    pub count: u64,
    /// Those with an interior. The others are at most one bucket, and nothing of them is in memory.
    pub with_interior: u64,
    /// Branches.
    pub branches: u64,
    /// Buckets under them.
    pub buckets: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// Bytes for each bucket; `None` where there are none.
    pub bytes_per_bucket: Option<f64>,
    /// Entries in a bucket, on average; `None` where there are none.
    pub entries_per_bucket: Option<f64>,
}

impl StoreSizes {
    /// Sizes of a store that was opened with buckets of at most `bucket_entries_max` entries.
    /// Scans all slots once.
    pub fn of<S: LeafStore>(
        tier: &PermanentTier<S>,
        bucket_entries_max: usize,
    ) -> Result<Self, SizesError> {
        let head = tier.head();
        let storage = StorageTries::count(&tier.view(), bucket_entries_max)?;
        let tables = Table::ALL
            .iter()
            .map(|table| {
                Ok(table_sizes(
                    *table,
                    &head,
                    &storage,
                    tier.table_stats(*table)?,
                ))
            })
            .collect::<Result<_, StoreError>>()?;
        let (accounts_interior, storage_interior) = tier.interior_size();
        let account_entries = head.accounts + account_stubs(&head, &storage);
        let has_interior = accounts_interior.branches > 0;
        let account_trie = TrieSizes {
            tries: "account",
            count: u64::from(account_entries > 0),
            with_interior: u64::from(has_interior),
            ..TrieSizes::new(accounts_interior, account_entries)
        };
        let storage_tries = TrieSizes {
            tries: "storage",
            count: storage.tries,
            with_interior: storage.large,
            ..TrieSizes::new(storage_interior, storage.entries_of_large)
        };
        Ok(Self {
            version: 1,
            head: HeadSummary::from(&head),
            tiers: vec![TierSizes {
                tier: "permanent",
                tables,
                interior: [account_trie, storage_tries],
            }],
        })
    }
}

impl From<&Head> for HeadSummary {
    fn from(head: &Head) -> Self {
        Self {
            block_number: head.block.map(|block| block.number.0),
            block_hash: head.block.map(|block| block.hash),
            state_root: head.root,
            commit: head.commit,
            accounts: head.accounts,
            slots: head.slots,
            stubs: head.stubs,
        }
    }
}

impl TrieSizes {
    /// Of an interior with this many entries under it.
    fn new(interior: InteriorSize, entries: u64) -> Self {
        let InteriorSize {
            branches,
            buckets,
            bytes,
        } = interior;
        Self {
            branches,
            buckets,
            bytes,
            bytes_per_bucket: ratio(bytes, buckets),
            entries_per_bucket: ratio(entries, buckets),
            ..Self::default()
        }
    }
}

impl TierSizes {
    /// Bytes in table files.
    pub fn file_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.file_bytes).sum()
    }

    /// Bytes of memory: what is not in table files yet, and the interiors.
    pub fn memory_bytes(&self) -> u64 {
        let tables: u64 = self.tables.iter().map(|table| table.memory_bytes).sum();
        tables + self.interior.iter().map(|tries| tries.bytes).sum::<u64>()
    }
}

fn table_sizes(table: Table, head: &Head, storage: &StorageTries, stats: TableStats) -> TableSizes {
    let account_stubs = account_stubs(head, storage);
    let (entries, stubs, entries_exact) = match table {
        Table::Accounts => (head.accounts + account_stubs, account_stubs, true),
        Table::Storage => (head.slots + storage.stubs, storage.stubs, true),
        Table::Code | Table::Meta | Table::Undo => (stats.entries, 0, false),
    };
    TableSizes {
        table: table.name(),
        entries,
        entries_exact,
        stubs,
        file_bytes: stats.file_bytes,
        memory_bytes: stats.memory_bytes,
        bytes_per_entry: ratio(stats.file_bytes, entries).filter(|_| stats.file_bytes > 0),
    }
}

const fn account_stubs(head: &Head, storage: &StorageTries) -> u64 {
    head.stubs.saturating_sub(storage.stubs)
}

fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| of as f64 / to as f64)
}

/// What a scan of the slots tells of their tries.
#[derive(Clone, Copy, Debug, Default)]
struct StorageTries {
    tries: u64,
    /// Tries of more than one bucket.
    large: u64,
    entries_of_large: u64,
    stubs: u64,
}

impl StorageTries {
    fn count<S: LeafStore>(
        view: &View<'_, S>,
        bucket_entries_max: usize,
    ) -> Result<Self, StateError> {
        let mut all = Self::default();
        let (mut current, mut entries) = (None, 0);
        let _completed = view.for_each_storage_entry(|entry| {
            let account = match entry {
                StateEntry::Slot { account, .. } => Some(account),
                StateEntry::Stub { trie, .. } => {
                    all.stubs += 1;
                    trie.0
                }
                StateEntry::Account { .. } => None,
            };
            if account != current {
                all.add(entries, bucket_entries_max);
                (current, entries) = (account, 0);
            }
            entries += 1;
            ControlFlow::<()>::Continue(())
        })?;
        all.add(entries, bucket_entries_max);
        Ok(all)
    }

    /// Adds a trie with this many entries.
    fn add(&mut self, entries: u64, bucket_entries_max: usize) {
        self.tries += u64::from(entries > 0);
        if entries > bucket_entries_max as u64 {
            self.large += 1;
            self.entries_of_large += entries;
        }
    }
}
