//! A million accounts, then a thousand blocks that insert, update, delete, wipe and make anew. The
//! root is compared all along with that of a model in plain maps by hashed key, hashed by
//! alloy-trie from all of its leaves.

mod support;

use alloy_primitives::{Address, B256, U256, keccak256, map::U256Map};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, TrieAccount};
use nybbles::Nibbles;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};
use support::{block, random};
use tempfile::TempDir;
use thinstate_engine::{
    Options, PermanentTier, TrieWork,
    leaf_store::{RocksOptions, RocksStore},
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};

const ACCOUNTS: u64 = 1_000_000;
/// Accounts in a block while loading.
const BATCH: u64 = 50_000;
/// Accounts with more slots than the others.
const LARGE: u64 = 4;
const LARGE_SLOTS: u64 = 12_000;
const BLOCKS: u64 = 1_000;
const COMPARED_EVERY: u64 = 100;
const MEMORY_MAX_KB: u64 = 4 << 20;
const SEED: u64 = 1_000_000;

/// An account, its storage by hashed slot, and its storage root since it was last computed.
#[derive(Debug, Default)]
struct Entry {
    account: Account,
    slots: BTreeMap<B256, U256>,
    storage_root: Option<B256>,
}

/// The state by hashed address.
#[derive(Debug, Default)]
struct HashedModel {
    entries: BTreeMap<B256, Entry>,
}

impl HashedModel {
    fn apply(&mut self, changes: &StateChanges) {
        for (address, change) in &changes.accounts {
            let hashed = keccak256(address);
            let AccountUpdate::Set(account) = change.account else {
                self.entries.remove(&hashed);
                continue;
            };
            let entry = self.entries.entry(hashed).or_default();
            entry.account = account;
            if change.wipe_storage {
                entry.slots.clear();
            }
            for (slot, value) in &change.storage {
                let slot = keccak256(slot.to_be_bytes::<32>());
                match value.is_zero() {
                    true => entry.slots.remove(&slot),
                    false => entry.slots.insert(slot, *value),
                };
            }
            if change.wipe_storage || !change.storage.is_empty() {
                entry.storage_root = None;
            }
        }
    }

    /// The state root, by alloy-trie.
    fn root(&mut self) -> B256 {
        let leaves = self.entries.iter_mut().map(|(hashed, entry)| {
            let storage_root = *entry.storage_root.get_or_insert_with(|| {
                let slots = entry.slots.iter();
                root(slots.map(|(slot, value)| (*slot, alloy_rlp::encode(value))))
            });
            let Account {
                nonce,
                balance,
                code_hash,
            } = entry.account;
            let account = TrieAccount::new(nonce, balance, storage_root, code_hash);
            (*hashed, alloy_rlp::encode(account))
        });
        root(leaves)
    }

    fn slots(&self) -> u64 {
        let slots = self.entries.values().map(|entry| entry.slots.len() as u64);
        slots.sum()
    }
}

/// The root of a trie with these leaves, ascending.
fn root(leaves: impl Iterator<Item = (B256, Vec<u8>)>) -> B256 {
    let mut leaves = leaves.peekable();
    if leaves.peek().is_none() {
        return EMPTY_ROOT_HASH;
    }
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &value);
    }
    builder.root()
}

fn slots(rng: &mut ChaCha8Rng, among: u64, count: u64) -> U256Map<U256> {
    let slot = |rng: &mut ChaCha8Rng| U256::from(rng.random_range(0..among));
    (0..count)
        .map(|_| (slot(rng), random::value(rng)))
        .collect()
}

fn set(rng: &mut ChaCha8Rng, wipe_storage: bool, storage: U256Map<U256>) -> AccountChange {
    AccountChange {
        account: AccountUpdate::Set(random::account(rng)),
        wipe_storage,
        storage,
    }
}

/// Accounts that are loaded: four large ones, one of ten with some slots.
fn loaded(rng: &mut ChaCha8Rng, index: u64) -> AccountChange {
    let storage = match index {
        0..LARGE => (0..LARGE_SLOTS)
            .map(|slot| (U256::from(slot), U256::from(slot + 1)))
            .collect(),
        _ if index.is_multiple_of(10) => {
            let count = rng.random_range(1..8);
            slots(rng, 20, count)
        }
        _ => U256Map::default(),
    };
    set(rng, false, storage)
}

/// A change of a random account: present, absent, deleted before, or one of the large ones.
fn change(rng: &mut ChaCha8Rng) -> (Address, AccountChange) {
    if rng.random_ratio(1, 40) {
        let index = rng.random_range(0..LARGE);
        let count = rng.random_range(1..200);
        let storage = slots(rng, LARGE_SLOTS * 2, count);
        return (random::address(index), set(rng, false, storage));
    }
    let kind = rng.random_range(0..20);
    let index = match kind {
        // New ones, some of them wiped or deleted by later blocks.
        0..4 => rng.random_range(ACCOUNTS..ACCOUNTS + ACCOUNTS / 5),
        // A small part of the others, so that changes meet again.
        4..10 => rng.random_range(LARGE..ACCOUNTS / 100),
        _ => rng.random_range(LARGE..ACCOUNTS),
    };
    let change = match rng.random_range(0..12) {
        0..2 => AccountChange {
            account: AccountUpdate::Delete,
            wipe_storage: true,
            storage: U256Map::default(),
        },
        2 => set(rng, true, U256Map::default()),
        3 => {
            let storage = slots(rng, 100, 30);
            set(rng, true, storage)
        }
        4..8 => {
            let count = rng.random_range(1..6);
            let storage = slots(rng, 20, count);
            set(rng, false, storage)
        }
        _ => set(rng, false, U256Map::default()),
    };
    (random::address(index), change)
}

/// A block of 200 to 1,000 changes. One of 250 takes a large account away, the next gives it back.
fn changes(number: u64) -> StateChanges {
    let rng = &mut random::rng(SEED, number);
    let count = rng.random_range(200..=1_000);
    let mut accounts: alloy_primitives::map::AddressMap<_> =
        (0..count).map(|_| change(rng)).collect();
    let large = random::address(number / 250 % LARGE);
    match number % 250 {
        120 => {
            let gone = AccountChange {
                account: AccountUpdate::Delete,
                wipe_storage: true,
                storage: U256Map::default(),
            };
            accounts.insert(large, gone);
        }
        121 => {
            let storage = slots(rng, LARGE_SLOTS, LARGE_SLOTS);
            accounts.insert(large, set(rng, false, storage));
        }
        _ => {}
    }
    StateChanges {
        accounts,
        ..StateChanges::default()
    }
}

fn open(folder: &TempDir) -> PermanentTier<RocksStore> {
    let rocks = RocksOptions {
        cache_bytes: 128 << 20,
        write_buffer_bytes: 16 << 20,
        ..RocksOptions::default()
    };
    let options = Options {
        threads: Some(2),
        // Less than all buckets take.
        leaf_hash_bytes_max: 16 << 20,
        ..Options::default()
    };
    let store = RocksStore::open(folder.path(), rocks).expect("open the store");
    PermanentTier::open(store, options).expect("open the state")
}

fn load(tier: &PermanentTier<RocksStore>, model: &mut HashedModel) -> u64 {
    let rng = &mut random::rng(SEED, u64::MAX);
    let mut number = 0;
    for first in (0..ACCOUNTS).step_by(BATCH as usize) {
        let accounts = (first..first + BATCH).map(|i| (random::address(i), loaded(rng, i)));
        let changes = StateChanges {
            accounts: accounts.collect(),
            ..StateChanges::default()
        };
        model.apply(&changes);
        tier.apply(block(number), &changes).expect("apply");
        number += 1;
    }
    number
}

/// Peak memory of this process; `None` where the system does not tell.
fn memory_kb_max() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_million_accounts_never_drift_from_alloy_trie() {
    let folder = TempDir::new().expect("folder");
    let tier = open(&folder);
    let mut model = HashedModel::default();
    let started = Instant::now();
    let first = load(&tier, &mut model);
    println!("loaded in {:.1?}", started.elapsed());
    assert_eq!(tier.head().root, model.root(), "after loading");

    let (mut work, mut hashing, mut committing) =
        (TrieWork::default(), Duration::ZERO, Duration::ZERO);
    let started = Instant::now();
    for number in 0..BLOCKS {
        let changes = changes(number);
        model.apply(&changes);
        let report = tier.apply(block(first + number), &changes).expect("apply");
        work.add(&report.work);
        hashing += report.state_hash;
        committing += report.commit;
        if (number + 1) % COMPARED_EVERY == 0 {
            assert_eq!(report.root, model.root(), "block {number}");
        }
    }
    println!(
        "{BLOCKS} blocks in {:.1?}, {:.1?} of it hashing, {:.1?} committing ({:.1} blocks/s): \
         {} buckets, {} entries, {} branches, {} hashes a block",
        started.elapsed(),
        hashing,
        committing,
        BLOCKS as f64 / (hashing + committing).as_secs_f64(),
        work.buckets / BLOCKS,
        work.bucket_entries / BLOCKS,
        work.branches / BLOCKS,
        work.hashes / BLOCKS,
    );
    assert_eq!(tier.head().accounts, model.entries.len() as u64);
    assert_eq!(tier.head().slots, model.slots());

    let (started, root) = (Instant::now(), model.root());
    let report = tier.verify().expect("verifies");
    println!("verified in {:.1?}: {report:?}", started.elapsed());
    let head = tier.head();
    drop(tier);
    let started = Instant::now();
    let tier = open(&folder);
    println!("reopened in {:.1?}", started.elapsed());
    assert_eq!(tier.head(), head);
    assert_eq!(tier.head().root, root);
    let memory = memory_kb_max();
    println!("peak memory {memory:?} kB");
    assert!(memory.is_none_or(|kb| kb < MEMORY_MAX_KB), "{memory:?} kB");
}
