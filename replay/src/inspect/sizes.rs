//! What a store takes, on disk and in memory.

use super::datadir::OpenStore;
use alloy_primitives::B256;
use core::ops::ControlFlow;
use serde::Serialize;
use thinstate_engine::{
    Head, InteriorSize, PermanentTier, StateEntry, StateError, View,
    leaf_store::{LeafStore, StoreError, Table, TableStats},
    store::{StoreSizes as Objects, TierSize},
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
    /// The interiors of its tries: the account trie's, all storage tries'. None in the other tiers.
    pub interior: Vec<TrieSizes>,
    /// Its objects, and what they take.
    pub objects: ObjectSizes,
}

/// Objects of a tier, and what they take; see [`TierSize`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ObjectSizes {
    /// Objects that can be read, or spent.
    pub live: u64,
    /// Objects that are no longer live.
    pub dead: u64,
    /// Of the dead, those whose bit is set.
    pub spent: u64,
    /// Bytes on disk for live objects.
    pub live_disk_bytes: u64,
    /// Bytes of memory for live objects.
    pub live_memory_bytes: u64,
    /// Bytes that stay for ever because of dead objects.
    pub permanent_bytes: u64,
    /// Of these, the spent bitfields.
    pub bitfield_bytes: u64,
    /// Memory of the trees over them.
    pub bitfield_memory_bytes: u64,
    /// Bytes of the archive, if there is one here.
    pub archive_bytes: u64,
    /// Bytes on disk for each live object; `None` where there is none.
    pub live_bytes_per_object: Option<f64>,
    /// Permanent bytes for each dead object; `None` where there is none.
    pub permanent_bytes_per_dead_object: Option<f64>,
    /// Permanent bits for each object whose bit is set; `None` where there is none.
    pub bits_per_spent_object: Option<f64>,
}

impl From<TierSize> for ObjectSizes {
    fn from(size: TierSize) -> Self {
        Self {
            live: size.live_objects,
            dead: size.dead_objects,
            spent: size.spent_objects,
            live_disk_bytes: size.live_disk_bytes,
            live_memory_bytes: size.live_memory_bytes,
            permanent_bytes: size.permanent_bytes,
            bitfield_bytes: size.bitfield_bytes,
            bitfield_memory_bytes: size.bitfield_memory_bytes,
            archive_bytes: size.archive_bytes,
            live_bytes_per_object: size.live_bytes_per_object(),
            permanent_bytes_per_dead_object: size.permanent_bytes_per_dead_object(),
            bits_per_spent_object: size.bits_per_spent_object(),
        }
    }
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

/// Version of the description: 2 since it has all tiers.
const VERSION: u32 = 2;

impl StoreSizes {
    /// Sizes of a store that was opened with buckets of at most `bucket_entries_max` entries; zeros
    /// for tiers that it does not have. Scans all slots once, and reads all spent bits.
    pub fn of(store: &OpenStore, bucket_entries_max: usize) -> Result<Self, SizesError> {
        let tier = store.permanent();
        let objects = match store {
            OpenStore::All(store) => store.sizes()?,
            OpenStore::Permanent(tier) => Objects {
                permanent: TierSize::of_permanent(tier)?,
                ..Objects::default()
            },
        };
        let head = tier.head();
        let storage = StorageTries::count(&tier.view(), bucket_entries_max)?;
        let of_tier = |name, tables: &[Table], interior, objects: TierSize| {
            let tables = tables.iter().map(|table| {
                let stats = tier.table_stats(*table)?;
                Ok(table_sizes(*table, &head, &storage, stats))
            });
            Ok::<_, StoreError>(TierSizes {
                tier: name,
                tables: tables.collect::<Result<_, StoreError>>()?,
                interior,
                objects: objects.into(),
            })
        };
        let interior = interiors(tier, &head, &storage);
        Ok(Self {
            version: VERSION,
            head: HeadSummary::from(&head),
            tiers: vec![
                of_tier("permanent", &PERMANENT, interior, objects.permanent)?,
                of_tier("temporary", &TEMPORARY, Vec::new(), objects.temporary)?,
                of_tier("utxo", &UTXO, Vec::new(), objects.utxo)?,
            ],
        })
    }
}

const PERMANENT: [Table; 5] = [
    Table::Accounts,
    Table::Storage,
    Table::Code,
    Table::Meta,
    Table::Undo,
];
const TEMPORARY: [Table; 2] = [Table::Temporary, Table::Periods];
/// The journal of spent bits is that of sealed leaves too.
const UTXO: [Table; 2] = [Table::Utxo, Table::Journal];

fn interiors<S: LeafStore>(
    tier: &PermanentTier<S>,
    head: &Head,
    storage: &StorageTries,
) -> Vec<TrieSizes> {
    let (accounts_interior, storage_interior) = tier.interior_size();
    let account_entries = head.accounts + account_stubs(head, storage);
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
    vec![account_trie, storage_tries]
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

    /// Bytes of memory: what is not in table files yet, interiors, live objects, trees over bitfields.
    pub fn memory_bytes(&self) -> u64 {
        let tables: u64 = self.tables.iter().map(|table| table.memory_bytes).sum();
        let interior: u64 = self.interior.iter().map(|tries| tries.bytes).sum();
        // A tier with interiors has no other memory for its live objects.
        let live = match self.interior.is_empty() {
            true => self.objects.live_memory_bytes,
            false => 0,
        };
        tables + interior + live + self.objects.bitfield_memory_bytes
    }
}

fn table_sizes(table: Table, head: &Head, storage: &StorageTries, stats: TableStats) -> TableSizes {
    let account_stubs = account_stubs(head, storage);
    let (entries, stubs, entries_exact) = match table {
        Table::Accounts => (head.accounts + account_stubs, account_stubs, true),
        Table::Storage => (head.slots + storage.stubs, storage.stubs, true),
        _ => (stats.entries, 0, false),
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
