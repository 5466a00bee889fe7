//! A store that is given a past never differs from one that lived it.

use alloy_primitives::{Address, B256, keccak256};
use std::path::Path;
use thinstate_engine::{
    BlockChanges, BlockId, Resurrection, Store, StoreOptions, StoreRules, TemporaryWrite,
    leaf_store::MemoryStore,
    store::{ArchiveOptions, PastError},
};
use thinstate_formats::{
    AccountChange, AccountUpdate, BlockNumber, PeriodId, StateChanges, TemporaryRules,
    counted::{Leaf, LocationProof},
    temporary::LiveCommitment,
};

/// The seal of period 0 is due at 397, that of period 1 at 531.
const HEAD: u64 = 540;

fn options(dir: &Path) -> StoreOptions {
    let temporary = TemporaryRules {
        period_length: 134,
        seal_delay_blocks: 129,
        commitment: LiveCommitment::Incremental,
        ..TemporaryRules::default()
    };
    StoreOptions {
        rules: StoreRules {
            temporary,
            ..StoreRules::default()
        },
        dir: Some(dir.to_owned()),
        archive: ArchiveOptions {
            periods: true,
            ..ArchiveOptions::NONE
        },
        ..StoreOptions::default()
    }
}

fn block(number: u64) -> BlockId {
    BlockId {
        number: BlockNumber(number),
        hash: B256::ZERO,
    }
}

/// 300 entries of each of the periods 0, 1, 3 and 4.
fn entries(period: u64) -> Vec<TemporaryWrite> {
    let entry = |n: u64| TemporaryWrite {
        location: keccak256([period.to_le_bytes(), n.to_le_bytes()].concat()),
        value: B256::with_last_byte(1 + (n % 200) as u8),
    };
    (0..300).map(entry).collect()
}

fn leaves(period: u64) -> Vec<Leaf> {
    let leaf = |entry: TemporaryWrite| Leaf {
        location: entry.location,
        value: entry.value,
    };
    let mut leaves: Vec<_> = entries(period).into_iter().map(leaf).collect();
    leaves.sort_unstable();
    leaves
}

/// A store that went through all blocks.
fn lived(dir: &Path) -> Store<MemoryStore> {
    let store = Store::open(MemoryStore::new(), options(dir)).expect("open");
    for number in 0..=HEAD {
        let mut changes = BlockChanges::default();
        if [5, 140, 410, 538].contains(&number) {
            changes.temporary = entries(number / 134);
        }
        store.apply(block(number), &changes).expect("apply");
    }
    store
}

/// A store that was given the same past.
fn given(dir: &Path) -> Store<MemoryStore> {
    let store = Store::open(MemoryStore::new(), options(dir)).expect("open");
    assert!(matches!(store.past(), Err(PastError::NoHead)));
    let applied = store
        .permanent()
        .apply(block(HEAD), &StateChanges::default());
    applied.expect("the permanent state");
    let mut past = store.past().expect("a new store");
    past.seal(PeriodId(0), &leaves(0)).expect("due");
    past.seal(PeriodId(1), &leaves(1)).expect("due");
    let early = past.seal(PeriodId(2), &leaves(2));
    assert!(matches!(early, Err(PastError::NotDue { .. })), "{early:?}");
    let late = past.live(PeriodId(1), entries(1));
    assert!(matches!(late, Err(PastError::NotLive { .. })), "{late:?}");
    past.live(PeriodId(3), entries(3)).expect("readable");
    past.live(PeriodId(4), entries(4)).expect("readable");
    past.finish().expect("durable");
    assert!(matches!(store.past(), Err(PastError::InUse)));
    store
}

#[test]
fn no_given_past_differs_from_one_that_was_lived() {
    let (dir, other) = (tempfile::tempdir(), tempfile::tempdir());
    let (dir, other) = (dir.expect("a folder"), other.expect("a folder"));
    let (lived, given) = (lived(dir.path()), given(other.path()));
    let roots = |store: &Store<MemoryStore>| {
        let commitment = store.commitment().expect("there is a head");
        (commitment.temporary, commitment.periods, commitment.spent)
    };
    assert_eq!(roots(&lived), roots(&given));
    // Opened again, and with what comes after.
    let leaves = given.into_leaf_store();
    let given = Store::open(leaves, options(other.path())).expect("it opens");
    assert_eq!(roots(&lived), roots(&given));
    for number in HEAD + 1..HEAD + 140 {
        let mut changes = BlockChanges::default();
        if number == HEAD + 1 {
            changes.temporary = entries(3);
            changes.resurrections = resurrections(&given);
        }
        for store in [&lived, &given] {
            store.apply(block(number), &changes).expect("apply");
        }
        assert_eq!(roots(&lived), roots(&given), "block {number}");
    }
    for _ in 0..100 {
        lived.undo().expect("undo");
        given.undo().expect("undo");
    }
    assert_eq!(roots(&lived), roots(&given));
}

fn resurrections(store: &Store<MemoryStore>) -> Vec<Resurrection> {
    let archive = store.period_archive().expect("there is one");
    let use_of = |leaf: &Leaf| {
        let proof = archive.prove(PeriodId(1), &leaf.location).expect("read");
        let LocationProof::Included { leaf, proof, .. } = proof else {
            panic!("the leaf is in the archive");
        };
        Resurrection {
            period: PeriodId(1),
            leaf,
            proof,
        }
    };
    leaves(1).iter().step_by(50).map(use_of).collect()
}

#[test]
fn no_store_in_use_is_given_a_past() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(MemoryStore::new(), options(dir.path())).expect("open");
    let mut changes = BlockChanges::default();
    let account = AccountChange {
        account: AccountUpdate::Set(Default::default()),
        ..AccountChange::default()
    };
    let accounts = &mut changes.permanent.accounts;
    accounts.insert(Address::repeat_byte(1), account);
    changes.temporary = entries(0);
    store.apply(block(0), &changes).expect("apply");
    assert!(matches!(store.past(), Err(PastError::InUse)));
}
