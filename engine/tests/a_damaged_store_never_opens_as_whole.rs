//! A store that holds something else than what was committed is refused by name of what is wrong,
//! at the latest by the check that recomputes it all.

mod support;

use alloy_primitives::{U256, keccak256};
use support::{
    block,
    chain::all,
    random::{self, Universe},
};
use thinstate_engine::{
    CommitError, FORMAT_VERSION, OpenError, Options, PermanentTier, StateError, UndoError,
    VerifyError,
    leaf_store::{Batch, LeafRead, LeafStore, MemoryStore, StoreError, Table},
};
use thinstate_formats::{AccountChange, AccountUpdate, BlockNumber, StateChanges, StateReader};

const BLOCKS: u64 = 6;
const UNIVERSE: Universe = Universe {
    accounts: 80,
    hubs: 2,
    slots: 300,
};

fn open(store: MemoryStore) -> Result<PermanentTier<MemoryStore>, OpenError> {
    let options = Options {
        bucket_entries_max: 8,
        threads: Some(2),
        ..Options::default()
    };
    PermanentTier::open(store, options)
}

fn whole() -> MemoryStore {
    let tier = open(MemoryStore::new()).expect("open");
    let first = random::first_block(UNIVERSE);
    tier.apply(block(0), &first).expect("apply");
    for number in 1..BLOCKS {
        let changes = random::block(&mut random::rng(5, number), UNIVERSE, 60);
        tier.apply(block(number), &changes).expect("apply");
    }
    tier.into_store()
}

/// Length of an account leaf without the block of its last write.
fn undated_len(leaf: &[u8]) -> usize {
    let hashes = usize::from(leaf[0] & 1) + usize::from(leaf[0] >> 1 & 1);
    2 + usize::from(leaf[0] >> 2) + usize::from(leaf[1]) + 32 * hashes
}

/// A whole store, but for one entry.
fn with(table: Table, key: &[u8], value: Option<Vec<u8>>) -> MemoryStore {
    let store = whole();
    let mut batch = Batch::default();
    match value {
        Some(value) => batch.put(table, key, value),
        None => batch.delete(table, key),
    }
    store.commit(batch).expect("commit");
    store
}

fn entry(table: Table, key: &[u8]) -> Vec<u8> {
    let value = whole().snapshot().get(table, key).expect("read");
    value.expect("is there")
}

#[test]
fn another_version_is_never_read() {
    let mut format = entry(Table::Meta, b"format");
    format[8] += 1;
    let refused = open(with(Table::Meta, b"format", Some(format)));
    let Err(OpenError::Version { expected, got }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((expected, got), (FORMAT_VERSION, FORMAT_VERSION + 1));
}

#[test]
fn a_foreign_store_is_never_taken_for_ours() {
    for foreign in [
        &b""[..],
        b"thinstat",
        b"somebody else's",
        b"thinstat\x01\0\0\0\0",
    ] {
        let refused = open(with(Table::Meta, b"format", Some(foreign.to_vec())));
        assert!(
            matches!(refused, Err(OpenError::NotOurs { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_store_with_entries_but_no_format_is_never_taken_for_a_new_one() {
    let whole = whole();
    let used = |table: &Table| !all(&whole.snapshot(), *table).is_empty();
    for table in Table::ALL.into_iter().filter(used) {
        // As a bulk load that was cut off leaves it: this table, and no other.
        let store = MemoryStore::new();
        let mut batch = Batch::default();
        for (key, value) in all(&whole.snapshot(), table) {
            if key != b"format" {
                batch.put(table, key, value);
            }
        }
        store.commit(batch).expect("commit");
        let refused = open(store);
        assert!(
            matches!(refused, Err(OpenError::NotOurs { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_damaged_head_is_never_believed() {
    let head = entry(Table::Meta, b"head");
    for at in 0..head.len() {
        let mut damaged = head.clone();
        damaged[at] ^= 0x40;
        for damaged in [damaged, head[..at].to_vec()] {
            let refused = open(with(Table::Meta, b"head", Some(damaged)));
            assert!(
                matches!(refused, Err(OpenError::BadHead { .. })),
                "{refused:?}"
            );
        }
    }
    let refused = open(with(Table::Meta, b"head", None));
    assert!(
        matches!(refused, Err(OpenError::BadHead { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_account_changed_behind_the_back_is_never_served() {
    let accounts = all(&whole().snapshot(), Table::Accounts);
    for (key, value) in &accounts {
        let mut changed = value.clone();
        // The last byte of a balance or hash, or the balance's length. What follows is the block
        // of the last write, which no root covers.
        let at = undated_len(value) - 1;
        changed[at] ^= 1;
        for value in [Some(changed), None] {
            let refused = open(with(Table::Accounts, key, value));
            let by_name = matches!(
                refused,
                Err(OpenError::RootMismatch { .. }
                    | OpenError::State(StateError::Store(StoreError::BadEntry { .. })))
            );
            assert!(by_name, "{refused:?}");
        }
    }
    let added = keccak256(b"added").to_vec();
    let refused = open(with(Table::Accounts, &added, Some(accounts[0].1.clone())));
    assert!(
        matches!(refused, Err(OpenError::RootMismatch { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_slot_changed_behind_the_back_is_never_verified() {
    let slots = all(&whole().snapshot(), Table::Storage);
    for (key, value) in slots.iter().step_by(slots.len() / 60) {
        let mut changed = value.clone();
        changed[1] ^= 0x80;
        let absent = [&key[..32], keccak256(b"added").as_slice()].concat();
        let orphan = [keccak256(b"nobody").as_slice(), &key[32..]].concat();
        let changes = [
            (key.clone(), Some(changed)),
            (key.clone(), Some(vec![0, 1])),
            (key.clone(), Some(Vec::new())),
            (key.clone(), None),
            (absent, Some(value.clone())),
            (orphan, Some(value.clone())),
            (key[..40].to_vec(), Some(value.clone())),
        ];
        for (key, value) in changes {
            // Opening may find it, where the trie has an interior to be computed.
            let Ok(tier) = open(with(Table::Storage, &key, value)) else {
                continue;
            };
            let found = tier.verify();
            let by_name = matches!(
                found,
                Err(VerifyError::StorageRoot { .. }
                    | VerifyError::State(_)
                    | VerifyError::Store(_))
            );
            assert!(by_name, "{found:?}");
        }
    }
}

#[test]
fn an_entry_that_does_not_decode_is_never_an_answer() {
    let hub = random::address(0);
    let bad_account = with(
        Table::Accounts,
        keccak256(hub).as_slice(),
        Some(vec![0xff; 3]),
    );
    let refused = open(bad_account);
    let by_name = matches!(
        refused,
        Err(OpenError::State(StateError::Store(
            StoreError::BadEntry { .. }
        )))
    );
    assert!(by_name, "{refused:?}");
    let view_of = random::address(UNIVERSE.accounts);
    let slot = U256::from(1);
    let key = [keccak256(view_of), keccak256(slot.to_be_bytes::<32>())].map(|hash| hash.0);
    // An orphan in a trie of its own: opening does not look at it.
    let tier = open(with(Table::Storage, &key.concat(), Some(vec![0, 1]))).expect("open");
    let read = tier.view().slot(view_of, slot);
    assert!(
        matches!(read, Err(StateError::Store(StoreError::BadEntry { .. }))),
        "{read:?}"
    );
}

#[test]
fn storage_that_cannot_be_read_is_never_wiped_in_part() {
    let nobody = random::address(1_000_000);
    let mut key = keccak256(nobody).to_vec();
    key.extend([1; 34]);
    let tier = open(with(Table::Storage, &key, Some(vec![1]))).expect("open");
    let gone = AccountChange {
        account: AccountUpdate::Delete,
        ..AccountChange::default()
    };
    let changes = StateChanges {
        accounts: [(nobody, gone)].into_iter().collect(),
        ..StateChanges::default()
    };
    let refused = tier.prepare(&changes);
    let bad_entry = matches!(
        refused,
        Err(CommitError::State(StateError::Store(
            StoreError::BadEntry { .. }
        )))
    );
    assert!(bad_entry, "{refused:?}");
}

#[test]
fn a_damaged_reverse_diff_never_changes_the_state() {
    let last = (BLOCKS - 1).to_be_bytes();
    let diff = entry(Table::Undo, &last);
    let mut damages: Vec<Vec<u8>> = (0..diff.len())
        .step_by(diff.len() / 50)
        .flat_map(|at| {
            let mut flipped = diff.clone();
            flipped[at] ^= 1;
            [flipped, diff[..at].to_vec()]
        })
        .collect();
    damages.push([diff.as_slice(), &[0]].concat());
    for damaged in damages {
        let tier = open(with(Table::Undo, &last, Some(damaged))).expect("open");
        let head = tier.head();
        let refused = tier.undo();
        let Err(UndoError::BadDiff { block, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(block, BlockNumber(BLOCKS - 1));
        assert_eq!(tier.head(), head);
        tier.verify().expect("unchanged");
    }
}

#[test]
fn the_reverse_diff_of_another_block_never_leads_to_another_root() {
    let last = (BLOCKS - 1).to_be_bytes();
    let other = entry(Table::Undo, &(BLOCKS - 2).to_be_bytes());
    let tier = open(with(Table::Undo, &last, Some(other))).expect("open");
    let head = tier.head();
    let refused = tier.undo();
    assert!(
        matches!(refused, Err(UndoError::RootMismatch { .. })),
        "{refused:?}"
    );
    assert_eq!(tier.head(), head);
    tier.verify().expect("unchanged");
}

#[test]
fn an_entry_under_another_is_never_hashed() {
    // A stub with the path of the root lies over every account.
    let mut key = vec![0; 32];
    key.push(0);
    let stub = [&[0][..], keccak256(b"subtree").as_slice()].concat();
    let tier = open(with(Table::Accounts, &key, Some(stub)));
    assert!(tier.is_err(), "opened at {:?}", tier.map(|t| t.head()));
}
