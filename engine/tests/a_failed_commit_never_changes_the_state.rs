//! A commit that the disk refuses leaves head, root and every answer as they were, and nothing
//! more is committed until the store is reopened: with the state before that commit, or, where the
//! disk had it after all, with the one after it.

mod support;

use alloy_primitives::Address;
use core::error::Error;
use support::{
    block,
    chain::Chain,
    random::{self, Universe},
};
use thinstate_engine::{
    CommitError, Options, PermanentTier, StateError, UndoError,
    leaf_store::{Fault, MemoryStore, StoreError},
};
use thinstate_formats::{StateChanges, StateReader};

const SEED: u64 = 11;
const BLOCKS: u64 = 12;
const UNIVERSE: Universe = Universe {
    accounts: 60,
    hubs: 2,
    slots: 150,
};

type Tier = PermanentTier<MemoryStore>;

fn open(store: MemoryStore) -> Tier {
    let options = Options {
        bucket_entries_max: 8,
        threads: Some(2),
        leaf_hash_bytes_max: 64 << 10,
        ..Options::default()
    };
    PermanentTier::open(store, options).expect("open")
}

fn changes(number: u64) -> StateChanges {
    match number {
        0 => random::first_block(UNIVERSE),
        _ => random::block(&mut random::rng(SEED, number), UNIVERSE, 40),
    }
}

fn addresses() -> Vec<Address> {
    (0..UNIVERSE.accounts).map(random::address).collect()
}

/// A state of some blocks, whose store then fails in its next commit.
fn about_to_fail(blocks: u64, fault: Fault) -> (Tier, Chain) {
    let tier = open(MemoryStore::new());
    let mut chain = Chain::default();
    for number in 0..blocks {
        chain.apply(&changes(number));
        tier.apply(block(number), &changes(number)).expect("apply");
    }
    let store = tier.into_store().reopen();
    store.inject(fault, 0);
    (open(store), chain)
}

/// The cause of a refused commit is the store's, and says how it failed.
fn assert_is(error: &(dyn Error + 'static), fault: Fault) {
    let store = match error.downcast_ref::<CommitError>() {
        Some(CommitError::Store(store)) => store,
        _ => match error.downcast_ref::<UndoError>() {
            Some(UndoError::Store(store)) => store,
            _ => panic!("{error:?}"),
        },
    };
    let as_injected = match fault {
        Fault::NoSpace => matches!(store, StoreError::NoSpace { .. }),
        _ => matches!(store, StoreError::Io { .. }),
    };
    assert!(as_injected, "{fault:?} came as {store:?}");
}

/// Nothing has changed, and nothing can be changed.
fn assert_stands_still(tier: &Tier, chain: &Chain, number: u64) {
    let head = tier.head();
    chain.assert_shown_by(tier, &addresses());
    let again = tier.apply(block(number), &changes(number));
    assert!(
        matches!(again, Err(CommitError::Store(StoreError::Poisoned { .. }))),
        "{again:?}"
    );
    if number > 0 {
        let undone = tier.undo();
        assert!(
            matches!(undone, Err(UndoError::Store(StoreError::Poisoned { .. }))),
            "{undone:?}"
        );
    }
    assert_eq!(tier.head(), head);
    chain.assert_shown_by(tier, &addresses());
}

/// What is found after reopening is whole, and blocks follow it.
fn assert_goes_on(tier: Tier, mut chain: Chain, next: u64) {
    let tier = open(tier.into_store().reopen());
    let last = next.checked_sub(1).map(block);
    assert_eq!(tier.head().block, last);
    chain.assert_shown_by(&tier, &addresses());
    for number in next..next + 2 {
        chain.apply(&changes(number));
        tier.apply(block(number), &changes(number)).expect("apply");
        chain.assert_shown_by(&tier, &addresses());
    }
    for _ in 0..2 {
        chain.undo();
        tier.undo().expect("undo");
        chain.assert_shown_by(&tier, &addresses());
    }
    let head = tier.head();
    chain.assert_is_all_of(&tier.into_store(), &head);
}

#[test]
fn a_block_that_is_not_stored_never_shows() {
    for fault in [Fault::Refused, Fault::NoSpace] {
        for blocks in 0..BLOCKS {
            let (tier, chain) = about_to_fail(blocks, fault);
            let before = tier.head();
            let refused = tier.apply(block(blocks), &changes(blocks));
            assert_is(&refused.expect_err("the store fails"), fault);
            assert_eq!(tier.head(), before);
            assert_stands_still(&tier, &chain, blocks);
            assert_goes_on(tier, chain, blocks);
        }
    }
}

#[test]
fn a_block_that_was_stored_unawares_never_shows_before_reopening() {
    for blocks in 0..BLOCKS {
        let (tier, mut chain) = about_to_fail(blocks, Fault::Unacknowledged);
        let refused = tier.apply(block(blocks), &changes(blocks));
        assert_is(
            &refused.expect_err("the store fails"),
            Fault::Unacknowledged,
        );
        assert_stands_still(&tier, &chain, blocks);
        chain.apply(&changes(blocks));
        assert_goes_on(tier, chain, blocks + 1);
    }
}

#[test]
fn an_undo_that_is_not_stored_never_shows() {
    for fault in [Fault::Refused, Fault::NoSpace, Fault::Unacknowledged] {
        for blocks in 1..BLOCKS {
            let (tier, mut chain) = about_to_fail(blocks, fault);
            assert_is(&tier.undo().expect_err("the store fails"), fault);
            assert_stands_still(&tier, &chain, blocks);
            let mut next = blocks;
            if fault == Fault::Unacknowledged {
                chain.undo();
                next -= 1;
            }
            assert_goes_on(tier, chain, next);
        }
    }
}

/// A state whose store fails in the read with this number, counted from before it is opened.
fn failing_in_read(store: &MemoryStore, after: u64) -> Option<Tier> {
    let store = store.reopen();
    store.inject(Fault::Read, after);
    let options = Options {
        threads: Some(1),
        leaf_hash_bytes_max: 64 << 10,
        ..Options::default()
    };
    PermanentTier::open(store, options).ok()
}

#[test]
fn a_read_that_fails_never_becomes_an_answer() {
    let (tier, mut chain) = about_to_fail(6, Fault::Refused);
    let store = tier.into_store();
    let opening = (0..).find(|after| failing_in_read(&store, *after).is_some());
    let opening = opening.expect("some number of reads is enough");
    assert!(opening > 3, "{opening} reads in opening");

    let tier = failing_in_read(&store, opening).expect("opens");
    let first = addresses()[0];
    assert!(tier.view().account(first).is_err());
    assert!(tier.view().account(first).expect("read again").is_some());

    let mut failed = 0;
    loop {
        let tier = failing_in_read(&store, opening + failed).expect("opens");
        let head = tier.head();
        let Err(error) = tier.prepare(&changes(6)) else {
            break;
        };
        failed += 1;
        let (CommitError::Store(store) | CommitError::State(StateError::Store(store))) = error
        else {
            panic!("{error:?}")
        };
        assert!(matches!(store, StoreError::Io { .. }), "{store:?}");
        assert_eq!(tier.head(), head);
        // Unlike a failed write, it stands in nobody's way.
        tier.apply(block(6), &changes(6)).expect("apply");
    }
    assert!(failed > 3, "{failed} reads in a block");
    chain.apply(&changes(6));
    let tier = failing_in_read(&store, opening + failed - 1).expect("opens");
    assert!(tier.apply(block(6), &changes(6)).is_err());
    tier.apply(block(6), &changes(6)).expect("apply");
    chain.assert_shown_by(&tier, &addresses());
}
