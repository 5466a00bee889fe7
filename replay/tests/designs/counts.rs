//! What is counted, compared with blocks made by hand.

use super::{
    conformance::{carry_out, chain, world::address},
    opened, spec,
};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use std::sync::Arc;
use thinstate_formats::{
    Account, BlockNumber,
    object::ObjectClass,
    trace::{CodeRead, CodeWrite},
};
use thinstate_replay::{
    design::{Applied, ReadCost, StateDesign},
    load::{AccountLoad, BlockLoad, SlotLoad},
    measure::TierWork,
};

/// Three bytes: nonce and balance.
fn account(nonce: u64, balance: u64) -> Account {
    Account {
        nonce,
        balance: U256::from(balance),
        code_hash: KECCAK256_EMPTY,
    }
}

fn of_account(index: u64, before: Option<Account>, after: Option<Account>) -> AccountLoad {
    AccountLoad {
        address: address(index),
        before,
        after,
        storage_wiped: false,
    }
}

fn of_slot(index: u64, slot: u64, before: u64, after: u64) -> SlotLoad {
    SlotLoad {
        address: address(index),
        slot: U256::from(slot),
        before: U256::from(before),
        after: U256::from(after),
        class: ObjectClass::PlainSlot,
        object: None,
    }
}

/// One account.
fn first() -> BlockLoad {
    BlockLoad {
        number: BlockNumber(1),
        accounts: vec![of_account(1, None, Some(account(1, 256)))],
        ..BlockLoad::default()
    }
}

/// It gets a slot.
fn second() -> BlockLoad {
    let same = Some(account(1, 256));
    BlockLoad {
        number: BlockNumber(2),
        accounts: vec![of_account(1, same, same)],
        slots: vec![of_slot(1, 5, 0, 77)],
        ..BlockLoad::default()
    }
}

/// What the last block below finds.
fn third() -> BlockLoad {
    let mut load = BlockLoad {
        number: BlockNumber(3),
        accounts: (2..5)
            .map(|index| of_account(index, None, Some(account(2, 300))))
            .collect(),
        slots: vec![
            of_slot(2, 1, 0, 10),
            of_slot(2, 2, 0, 300),
            of_slot(2, 3, 0, 30),
        ],
        ..BlockLoad::default()
    };
    load.accounts[1].after = Some(Account {
        code_hash: B256::repeat_byte(9),
        ..account(2, 300)
    });
    load.code_writes = vec![CodeWrite {
        hash: B256::repeat_byte(9),
        length: 1_000,
    }];
    load
}

/// Of everything one, or a few.
fn fourth() -> BlockLoad {
    let plain = Some(account(2, 300));
    let contract = third().accounts[1].after;
    BlockLoad {
        number: BlockNumber(4),
        accounts: vec![
            of_account(1, Some(account(1, 256)), Some(account(2, 256))),
            of_account(2, plain, plain),
            of_account(3, contract, contract),
            of_account(4, plain, None),
            of_account(5, None, None),
            of_account(6, None, Some(account(1, 1))),
        ],
        slots: vec![
            of_slot(2, 1, 10, 11),
            of_slot(2, 2, 300, 0),
            of_slot(2, 3, 30, 30),
            of_slot(2, 4, 0, 0),
            of_slot(2, 5, 0, 1),
            of_slot(2, 6, 0, 70_000),
        ],
        code_reads: vec![CodeRead {
            hash: B256::repeat_byte(9),
            length: 1_000,
        }],
        ..BlockLoad::default()
    }
}

struct Counted {
    read: ReadCost,
    applied: Applied,
    /// What the leaf store was handed, by its own counters.
    written_bytes: u64,
}

fn carried_out(design: &dyn StateDesign, load: BlockLoad) -> Counted {
    let before = design.counters().logical_written_bytes;
    let outcome = carry_out(design, &Arc::new(load));
    let (read, applied) = outcome.unwrap_or_else(|error| panic!("{}", chain(&error)));
    Counted {
        read,
        applied,
        written_bytes: design.counters().logical_written_bytes - before,
    }
}

fn written(work: &TierWork) -> [u64; 3] {
    [work.created, work.updated, work.deleted]
}

/// Reads and writes of the fourth block: the same under every design.
fn assert_keys(counted: &Counted) {
    let Counted { read, applied, .. } = counted;
    let accounts = TierWork {
        reads_hit: 4,
        reads_absent: 2,
        // Keys, three accounts of 3 bytes, one with the hash of its code.
        logical_read_bytes: 6 * 32 + 3 * 3 + 35,
        ..TierWork::default()
    };
    let slots = TierWork {
        reads_hit: 3,
        reads_absent: 3,
        logical_read_bytes: 6 * 64 + 1 + 2 + 1,
        ..TierWork::default()
    };
    let expected = ReadCost {
        accounts,
        slots,
        codes: 1,
        code_bytes: 1_000,
        ..ReadCost::default()
    };
    assert_eq!(*read, expected);
    assert_eq!(written(&applied.accounts), [1, 1, 1]);
    assert_eq!(written(&applied.slots), [2, 1, 1]);
    assert_eq!(applied.temporary, TierWork::default());
    assert_eq!(applied.utxo, TierWork::default());
    let bytes = applied.accounts.logical_written_bytes + applied.slots.logical_written_bytes;
    assert_eq!(bytes, counted.written_bytes);
}

#[test]
fn the_permanent_design_counts_what_it_does() {
    let dir = tempfile::tempdir().expect("a folder");
    let design = opened(&spec("mpt"), dir.path(), 2);
    let Counted { applied, .. } = carried_out(design.as_ref(), first());
    // The root is a leaf, of less than 136 bytes.
    assert_eq!(
        (applied.accounts.hashes, applied.accounts.permutations),
        (1, 1)
    );
    assert_eq!(written(&applied.accounts), [1, 0, 0]);
    let Counted { applied, read, .. } = carried_out(design.as_ref(), second());
    // A leaf in the storage trie, and the account's again.
    assert_eq!(
        (applied.accounts.hashes, applied.accounts.permutations),
        (2, 2)
    );
    assert_eq!(written(&applied.accounts), [0, 0, 0]);
    assert_eq!(written(&applied.slots), [1, 0, 0]);
    assert_eq!((read.accounts.reads_hit, read.slots.reads_absent), (1, 1));
    carried_out(design.as_ref(), third());
    assert_keys(&carried_out(design.as_ref(), fourth()));
    let size = design.size().expect("size");
    assert_eq!((size.accounts, size.slots), (4, 5));
    assert!(size.folder_bytes > 0);
}

#[test]
fn the_flat_design_counts_what_it_does() {
    let dir = tempfile::tempdir().expect("a folder");
    let design = opened(&spec("flat-lthash"), dir.path(), 2);
    let hashed = |work: &TierWork| (work.hashes, work.permutations);
    let Counted { applied, .. } = carried_out(design.as_ref(), first());
    // One element, and the checksum.
    assert_eq!(hashed(&applied.accounts), (2, 33 + 33));
    let Counted { applied, .. } = carried_out(design.as_ref(), second());
    assert_eq!(hashed(&applied.accounts), (1, 33));
    assert_eq!(hashed(&applied.slots), (1, 33));
    carried_out(design.as_ref(), third());
    let counted = carried_out(design.as_ref(), fourth());
    assert_keys(&counted);
    let Counted { applied, .. } = counted;
    // An update is two elements: the former value and the new one.
    assert_eq!(hashed(&applied.accounts), (2 + 1 + 1 + 1, 5 * 33));
    assert_eq!(hashed(&applied.slots), (2 + 1 + 2, 5 * 33));
    assert_eq!(applied.slots.logical_written_bytes, 4 * 64 + 1 + 1 + 3);
    let size = design.size().expect("size");
    assert_eq!((size.accounts, size.slots), (4, 5));
}

/// Slots that go with their account, named or not.
#[test]
fn no_slot_that_goes_with_its_account_is_left_out() {
    for name in ["mpt", "flat-lthash"] {
        let dir = tempfile::tempdir().expect("a folder");
        let design = opened(&spec(name), dir.path(), 2);
        for load in [first(), second(), third()] {
            carried_out(design.as_ref(), load);
        }
        let goes = BlockLoad {
            number: BlockNumber(4),
            accounts: vec![of_account(2, Some(account(2, 300)), None)],
            slots: vec![of_slot(2, 1, 10, 0)],
            ..BlockLoad::default()
        };
        let Counted { applied, .. } = carried_out(design.as_ref(), goes);
        assert_eq!(written(&applied.accounts), [0, 0, 1], "{name}");
        assert_eq!(written(&applied.slots), [0, 0, 3], "{name}");
        let size = design.size().expect("size");
        assert_eq!((size.accounts, size.slots), (3, 1), "{name}");
    }
}
