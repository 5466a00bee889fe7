//! Blocks and undos that may not be are refused by name, and leave everything as it was.

mod support;

use alloy_primitives::{Address, U256, keccak256};
use support::{Model, apply, block, random};
use thinstate_engine::{
    CommitError, OpenError, Options, PermanentTier, StateError, UndoError, leaf_store::MemoryStore,
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, BlockNumber, StateChanges};

const KEPT: u64 = 3;

fn options() -> Options {
    Options {
        bucket_entries_max: 4,
        undo_blocks: KEPT,
        threads: Some(1),
        ..Options::default()
    }
}

fn open(store: MemoryStore) -> PermanentTier<MemoryStore> {
    PermanentTier::open(store, options()).expect("open")
}

fn one(address: Address, account: AccountUpdate, slots: u64) -> StateChanges {
    let storage = (0..slots).map(|slot| (U256::from(slot), U256::from(slot + 1)));
    let change = AccountChange {
        account,
        wipe_storage: false,
        storage: storage.collect(),
    };
    StateChanges {
        accounts: [(address, change)].into_iter().collect(),
        ..StateChanges::default()
    }
}

fn set(number: u64) -> StateChanges {
    let account = Account {
        nonce: number + 1,
        ..Account::default()
    };
    one(random::address(number), AccountUpdate::Set(account), 9)
}

/// Blocks 0 to `last`.
fn chain(last: u64) -> (PermanentTier<MemoryStore>, Model) {
    let tier = open(MemoryStore::new());
    let mut model = Model::default();
    for number in 0..=last {
        apply(&tier, &mut model, number, &set(number));
    }
    (tier, model)
}

#[test]
fn a_block_that_does_not_follow_is_never_taken() {
    let (tier, model) = chain(4);
    let head = tier.head();
    for number in [0, 3, 4, 6, u64::MAX] {
        let refused = tier.apply(block(number), &set(9));
        let Err(CommitError::NotNext { expected, got }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((expected, got), (BlockNumber(5), BlockNumber(number)));
        assert_eq!(tier.head(), head);
    }
    model.assert_shown_by(&tier.view(), &[random::address(9)]);
    tier.apply(block(5), &set(9)).expect("the next block");
}

#[test]
fn a_block_prepared_on_another_state_is_never_committed() {
    let (tier, model) = chain(4);
    let (first, second) = (tier.prepare(&set(5)), tier.prepare(&set(6)));
    let (first, second) = (first.expect("prepare"), second.expect("prepare"));
    tier.commit(block(5), first).expect("commit");
    let head = tier.head();
    let refused = tier.commit(block(6), second);
    let Err(CommitError::Stale {
        prepared_on,
        head: at,
    }) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((prepared_on, at), (head.commit - 1, head.commit));
    assert_eq!(tier.head(), head);

    // Undone, the state is the one that it was prepared on, but not the same commit.
    let stale = tier.prepare(&set(6)).expect("prepare");
    tier.undo().expect("undo");
    let refused = tier.commit(block(5), stale);
    assert!(
        matches!(refused, Err(CommitError::Stale { .. })),
        "{refused:?}"
    );
    model.assert_shown_by(&tier.view(), &[random::address(5), random::address(6)]);
}

#[test]
fn a_prepared_block_that_is_dropped_never_leaves_a_trace() {
    let (tier, model) = chain(4);
    let head = tier.head();
    let prepared = tier.prepare(&set(5)).expect("prepare");
    assert_ne!(prepared.root(), head.root);
    drop(prepared);
    assert_eq!(tier.head(), head);
    model.assert_shown_by(&tier.view(), &[random::address(5)]);
}

#[test]
fn storage_is_never_given_to_nobody() {
    let (tier, model) = chain(4);
    let (head, nobody) = (tier.head(), random::address(77));
    for slots in [1, 20] {
        let refused = tier.apply(block(5), &one(nobody, AccountUpdate::Keep, slots));
        let Err(CommitError::State(StateError::NoSuchAccount { account })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(account, keccak256(nobody));
        assert_eq!(tier.head(), head);
    }
    model.assert_shown_by(&tier.view(), &[nobody]);
    tier.verify().expect("verifies");
}

#[test]
fn more_blocks_than_are_kept_are_never_undone() {
    let (tier, _) = chain(9);
    let mut tier = open(tier.into_store().reopen());
    for undone in 1..=KEPT {
        let head = tier.undo().expect("undo");
        let (_, model) = chain(9 - undone);
        assert_eq!(head.block, Some(block(9 - undone)));
        model.assert_shown_by(&tier.view(), &[]);
        tier = open(tier.into_store().reopen());
    }
    let head = tier.head();
    let refused = tier.undo();
    let Err(UndoError::TooOld(number)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(number, BlockNumber(9 - KEPT));
    assert_eq!(tier.head(), head);
    tier.verify().expect("verifies");
}

#[test]
fn nothing_is_never_undone() {
    let tier = open(MemoryStore::new());
    assert!(matches!(tier.undo(), Err(UndoError::NothingToUndo)));
    let (tier, _) = chain(0);
    assert_eq!(tier.undo().expect("undo").block, None);
    assert!(matches!(tier.undo(), Err(UndoError::NothingToUndo)));
}

#[test]
fn the_storage_of_a_deleted_account_never_comes_back() {
    for slots_with_deletion in [0, 1, 30] {
        let tier = open(MemoryStore::new());
        let mut model = Model::default();
        let address = random::address(1);
        let account = AccountUpdate::Set(Account::default());
        apply(&tier, &mut model, 0, &one(address, account, 200));
        let gone = one(address, AccountUpdate::Delete, slots_with_deletion);
        apply(&tier, &mut model, 1, &gone);
        apply(&tier, &mut model, 2, &one(address, account, 3));
        model.assert_shown_by(&tier.view(), &[]);
        tier.verify().expect("verifies");
    }
}

#[test]
fn parameters_without_sense_are_never_taken() {
    let with = |bucket_entries_max, threads| Options {
        bucket_entries_max,
        threads,
        ..options()
    };
    for bad in [
        with(0, None),
        with(1, None),
        with(4097, None),
        with(4, Some(0)),
    ] {
        let refused = PermanentTier::open(MemoryStore::new(), bad);
        assert!(
            matches!(refused, Err(OpenError::BadOption { .. })),
            "{refused:?}"
        );
    }
}
