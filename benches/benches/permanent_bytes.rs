//! What stays for ever of objects that are no longer live, in files and in memory, on each tier.
//!
//! Records are appended and spent; temporary entries are sealed, period by period; slots are written
//! and left alone. Then the stores are compacted, closed, and opened again from what is left, which
//! must lead to the same commitment. Archives, which a node need not keep, are off.
//!
//! `THINSTATE_BENCH_OBJECTS=1000000` chooses how many objects, `THINSTATE_BENCH_SLOTS=1000000` how
//! many slots the permanent tier has, `THINSTATE_BENCH_DIR` the folder for the stores.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::{fs, path::Path, time::Instant};
use thinstate_benches::{folder, numbers, print_rows};
use thinstate_engine::{
    BlockChanges, BlockId, Options, Store, StoreOptions, StoreRules, TemporaryWrite,
    leaf_store::{RocksOptions, RocksStore, Table},
    utxo::Spend,
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, RecordIndex, StateChanges, TemporaryRules,
    record::NewRecord,
    temporary::{LiveCommitment, Retention},
};

const CONTRACT: Address = Address::repeat_byte(0x70);
const OBJECTS_TOGETHER: u64 = 1_000_000;
const PERIODS: u64 = 10;
const UNDO_BLOCKS: u64 = 2;
const SEAL_DELAY: u64 = UNDO_BLOCKS + 1;
const SEED: u64 = 0xb17e;

/// What is left of a number of objects.
struct Left {
    state: String,
    objects: u64,
    /// Bitfields, with header and room for more.
    bits: u64,
    /// Tables of the leaf store.
    tables: u64,
    /// Everything in the folder but RocksDB's own log and notes, and preallocated room.
    folder: u64,
    /// Nodes held in memory.
    memory: u64,
}

struct Running {
    store: Store<RocksStore>,
    next: u64,
}

fn options(dir: &Path, rules: StoreRules) -> StoreOptions {
    StoreOptions {
        permanent: Options {
            undo_blocks: UNDO_BLOCKS,
            ..Options::default()
        },
        rules,
        dir: Some(dir.to_owned()),
        seal_leaves_per_block: 4 << 20,
        checkpoint_commits: 1,
        ..StoreOptions::default()
    }
}

impl Running {
    fn open(dir: &Path, rules: StoreRules) -> Self {
        let leaves = RocksStore::open(dir.join("leaves"), RocksOptions::default());
        let leaves = leaves.expect("the leaf store opens");
        let store = Store::open(leaves, options(dir, rules)).expect("the store opens");
        let next = store.head().block.map_or(0, |head| head.number.0 + 1);
        Self { store, next }
    }

    fn apply(&mut self, changes: &BlockChanges) {
        let block = BlockId {
            number: BlockNumber(self.next),
            hash: B256::ZERO,
        };
        self.store.apply(block, changes).expect("the block applies");
        self.next += 1;
    }

    /// Blocks without anything: old ones can no longer be undone, bitfields are synced.
    fn idle(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.apply(&BlockChanges::default());
        }
    }

    /// Compacts, closes, opens again, compares; the sizes.
    fn measure(self, dir: &Path, state: String, objects: u64) -> Left {
        let rules = *self.store.rules();
        let commitment = self.store.commitment();
        self.store
            .permanent()
            .compact()
            .expect("the store compacts");
        drop(self);
        let started = Instant::now();
        let again = Self::open(dir, rules);
        let took = started.elapsed();
        assert_eq!(again.store.commitment(), commitment);
        eprintln!("{state}: {objects} objects, opened again in {took:.1?}");
        let permanent = again.store.permanent();
        let table = |table| permanent.table_stats(table).expect("the table is there");
        let (accounts, storage) = permanent.interior_size();
        let nodes = again.store.spent_sizes();
        Left {
            state,
            objects,
            bits: nodes.iter().map(|field| field.file_bytes).sum(),
            tables: Table::ALL.map(|t| table(t).file_bytes).iter().sum(),
            folder: folder_bytes(dir),
            memory: nodes.iter().map(|field| field.node_bytes).sum::<u64>()
                + accounts.bytes
                + storage.bytes,
        }
    }
}

/// Bytes of the files that hold state.
fn folder_bytes(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).expect("the folder is there");
    let bytes = |entry: fs::DirEntry| {
        let (path, data) = (entry.path(), entry.metadata().expect("the file is there"));
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let own = name.starts_with("LOG") || name.starts_with("OPTIONS") || name.ends_with(".log");
        match (data.is_dir(), own) {
            (true, _) => folder_bytes(&path),
            (false, true) => 0,
            (false, false) => data.len(),
        }
    };
    entries.map(|e| bytes(e.expect("it is read"))).sum()
}

/// `objects` records, of which one in `every` is never spent; with 1, all are.
fn utxo(objects: u64, unspent: Option<u64>) -> Left {
    let dir = folder(env!("CARGO_TARGET_TMPDIR"));
    let mut rules = StoreRules::default();
    // Records of the last block need no path, which keeps this short; nothing that stays depends on it.
    rules.utxo.hybrid_window = 1;
    let mut running = Running::open(dir.path(), rules);
    let payload = Bytes::from_static(&[1, 2, 3, 4, 5]);
    let record = NewRecord {
        class: 2,
        contract: CONTRACT,
        owner: Address::repeat_byte(9),
        payload,
    };
    let is_spent = |index: &u64| unspent.is_none_or(|every| !index.is_multiple_of(every));
    let mut before = 0..0;
    let mut changes = BlockChanges::default();
    while before.end < objects || !before.is_empty() {
        let now = before.end..(before.end + OBJECTS_TOGETHER).min(objects);
        let spend = |index: u64| Spend {
            record: record.clone().at(RecordIndex(index)),
            path: None,
        };
        changes.spends = before.filter(is_spent).map(spend).collect();
        changes.records = now.clone().map(|_| record.clone()).collect();
        running.apply(&changes);
        before = now;
    }
    running.idle(UNDO_BLOCKS + 6);
    let share = unspent.map_or("all".to_owned(), |every| {
        format!("{} of {every}", every - 1)
    });
    running.measure(dir.path(), format!("utxo, {share} spent"), objects)
}

/// `objects` entries, sealed with ten periods.
fn temporary(objects: u64) -> Left {
    let dir = folder(env!("CARGO_TARGET_TMPDIR"));
    let each = objects / PERIODS;
    let blocks = each.div_ceil(OBJECTS_TOGETHER) + SEAL_DELAY;
    let rules = StoreRules {
        temporary: TemporaryRules {
            period_length: blocks,
            retention: Retention::OnePeriod,
            commitment: LiveCommitment::Deferred,
            seal_delay_blocks: SEAL_DELAY,
            ..TemporaryRules::default()
        },
        ..StoreRules::default()
    };
    let mut running = Running::open(dir.path(), rules);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut changes = BlockChanges::default();
    for _ in 0..PERIODS {
        let mut left = each;
        for _ in 0..blocks {
            let now = left.min(OBJECTS_TOGETHER);
            left -= now;
            let write = |_| {
                let (mut location, mut value) = (B256::ZERO, B256::ZERO);
                random.fill_bytes(&mut location.0);
                random.fill_bytes(&mut value[24..]);
                TemporaryWrite { location, value }
            };
            changes.temporary = (0..now).map(write).collect();
            running.apply(&changes);
        }
    }
    running.idle(SEAL_DELAY + 6);
    let sealed = running.store.periods();
    let leaves: u64 = sealed.iter().map(|(_, node)| node.count).sum();
    // Empty periods may have followed.
    assert!(sealed.len() as u64 >= PERIODS);
    assert_eq!(leaves, PERIODS * each);
    running.measure(dir.path(), "temporary, sealed".to_owned(), leaves)
}

/// Slots of one token, which stay whether somebody needs them or not.
fn permanent(slots: u64) -> Left {
    let dir = folder(env!("CARGO_TARGET_TMPDIR"));
    let mut running = Running::open(dir.path(), StoreRules::default());
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut left = slots;
    while left > 0 {
        let now = left.min(OBJECTS_TOGETHER / 4);
        left -= now;
        let slot = |_| {
            let mut slot = [0; 32];
            random.fill_bytes(&mut slot);
            (U256::from_be_bytes(slot), U256::from(random.next_u64()))
        };
        let account = Account {
            nonce: 1,
            code_hash: keccak256("the token's code"),
            ..Account::default()
        };
        let change = AccountChange {
            account: AccountUpdate::Set(account),
            storage: (0..now).map(slot).collect(),
            ..AccountChange::default()
        };
        let mut changes = StateChanges::default();
        changes.accounts.insert(CONTRACT, change);
        running.apply(&BlockChanges::permanent(changes));
    }
    running.idle(UNDO_BLOCKS + 2);
    running.measure(dir.path(), "permanent".to_owned(), slots)
}

fn print(lefts: &[Left]) {
    let heads = [
        "tier",
        "objects",
        "bitfield B/object",
        "tables B/object",
        "folder B/object",
        "memory B/object",
        "files and memory B/object",
        "permanent : this",
    ];
    let total = |left: &Left| (left.folder + left.memory) as f64 / left.objects as f64;
    let base = lefts.iter().find(|left| left.state == "permanent");
    let row = |left: &Left| {
        let each = |bytes: u64| format!("{:.4}", bytes as f64 / left.objects as f64);
        vec![
            left.state.clone(),
            left.objects.to_string(),
            each(left.bits),
            each(left.tables),
            each(left.folder),
            each(left.memory),
            format!("{:.4}", total(left)),
            base.map_or("-".to_owned(), |b| format!("{:.0}", total(b) / total(left))),
        ]
    };
    print_rows(&heads, &lefts.iter().map(row).collect::<Vec<_>>());
}

fn main() {
    let mut lefts = Vec::new();
    for slots in numbers("THINSTATE_BENCH_SLOTS", "1000000") {
        lefts.push(permanent(slots));
    }
    for objects in numbers("THINSTATE_BENCH_OBJECTS", "1000000") {
        lefts.push(utxo(objects, None));
        lefts.push(utxo(objects, Some(2)));
        lefts.push(temporary(objects));
    }
    print(&lefts);
}
