//! What the observer counts, on blocks that can be counted by hand.

use crate::{
    load::{AccountLoad, BlockLoad, SlotLoad},
    profile::{Ages, Observer},
};
use alloy_primitives::{Address, U256};
use thinstate_formats::{Account, BlockNumber, object::ObjectClass};

fn slot(slot: u64, before: u64, after: u64) -> SlotLoad {
    SlotLoad {
        address: Address::repeat_byte(1),
        slot: U256::from(slot),
        before: U256::from(before),
        after: U256::from(after),
        class: ObjectClass::PlainSlot,
        object: None,
    }
}

fn block(number: u64, slots: &[SlotLoad]) -> BlockLoad {
    BlockLoad {
        number: BlockNumber(number),
        blocks: 1,
        slots: slots.to_vec(),
        ..BlockLoad::default()
    }
}

#[test]
fn no_access_is_counted_as_another() {
    let mut observer = Observer::new(1.0);
    let first = [
        slot(1, 0, 5),
        slot(2, 5, 0),
        slot(3, 5, 6),
        slot(4, 0, 0),
        slot(5, 7, 7),
    ];
    observer.add(&block(1, &first), &Ages::default());
    observer.add(&block(2, &[slot(1, 5, 5), slot(6, 0, 1)]), &Ages::default());
    let observed = observer.finish();
    assert_eq!(observed.blocks, 2);
    assert_eq!(observed.block.slots_written.mean, 2.0);
    assert_eq!(observed.block.slots_created.mean, 1.0);
    assert_eq!(observed.block.slots_deleted.mean, 0.5);
    assert_eq!(observed.block.slots_read.mean, 1.5);
    assert!((observed.slots_read_zero - 1.0 / 3.0).abs() < 1e-9);
    // Only slots 4 and 5 were never written.
    assert!((observed.slots_zero_distinct - 0.5).abs() < 1e-9);
    // Of slots 1 and 6 the first was read later.
    assert!((observed.never_again - 0.5).abs() < 1e-9);
}

/// Without ages a window counts from the block on from which it is known whole.
#[test]
fn no_update_counts_in_a_window_that_is_not_known() {
    let mut observer = Observer::new(1.0);
    let updates = [(1, 1), (2, 2), (3, 1), (4, 2)];
    for (number, at) in updates {
        let slots = [slot(at, number, number + 1)];
        observer.add(&block(number, &slots), &Ages::default());
    }
    // Known for a day: blocks 2, 3 and 4. Slots were written two days before, or not seen yet.
    assert_eq!(observer.finish().slot_locality, [0.0; 5]);
    let mut observer = Observer::new(1.0);
    for number in 1..=4 {
        let slots = [slot(1, number, number + 1)];
        let ages = Ages {
            slots: vec![(number == 1).then_some(40.0)],
            accounts: Vec::new(),
        };
        observer.add(&block(number, &slots), &ages);
    }
    assert_eq!(
        observer.finish().slot_locality,
        [0.75, 0.75, 0.75, 1.0, 1.0]
    );
}

#[test]
fn no_account_that_is_only_read_counts_as_written() {
    let account = |byte: u8, before: Option<u64>, after: Option<u64>| AccountLoad {
        address: Address::repeat_byte(byte),
        before: before.map(with_nonce),
        after: after.map(with_nonce),
        storage_wiped: false,
    };
    let mut observer = Observer::new(1.0);
    let mut load = block(1, &[]);
    load.accounts = vec![
        account(1, None, None),
        account(2, Some(1), Some(1)),
        account(3, Some(1), Some(2)),
        account(4, None, Some(1)),
    ];
    observer.add(&load, &Ages::default());
    let observed = observer.finish();
    assert_eq!(observed.block.accounts_touched.mean, 4.0);
    assert_eq!(observed.block.accounts_written.mean, 2.0);
    assert_eq!(observed.block.accounts_created.mean, 1.0);
    assert!((observed.accounts_read_absent - 0.5).abs() < 1e-9);
    assert_eq!(observed.accounts_net, [1.0, 1.0]);
}

fn with_nonce(nonce: u64) -> Account {
    Account {
        nonce,
        ..Account::default()
    }
}
