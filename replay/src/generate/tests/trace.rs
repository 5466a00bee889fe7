//! A load as a trace.

use super::{ACCOUNTS, generator, population};
use crate::{
    generate::to_trace,
    load::{AccountLoad, BlockLoad, SlotLoad},
};
use alloy_primitives::{Address, U256};
use thinstate_formats::{
    Account, BlockNumber,
    object::{ObjectClass, ObjectKey},
    trace::{decode_frame, encode_frame},
};

#[test]
fn no_trace_collapses_to_another_load() {
    let population = population(ACCOUNTS);
    for load in generator(&population, 1).take(5) {
        let trace = to_trace(&load);
        trace.check().expect("a sound trace");
        let frame = encode_frame(&trace).expect("it fits");
        assert_eq!(decode_frame(&frame, 0).expect("it was just encoded"), trace);
        assert_eq!(BlockLoad::collapse(&trace), Ok(load.clone()));
        let busy = trace
            .accesses
            .iter()
            .filter(|group| group.slots.len() > 64)
            .count();
        assert!(
            busy * 10 < trace.accesses.len(),
            "{busy} transactions do most"
        );
    }
}

/// Wiped storage, slots without transactions, and objects that lie elsewhere than the population's.
#[test]
fn no_unusual_load_is_lost() {
    let address = Address::repeat_byte(7);
    let slot = |slot: u64, before: u64, after: u64| SlotLoad {
        address,
        slot: U256::from(slot),
        before: U256::from(before),
        after: U256::from(after),
        class: ObjectClass::PlainSlot,
        object: None,
    };
    let mut load = BlockLoad {
        number: BlockNumber(9),
        blocks: 1,
        accounts: vec![AccountLoad {
            address,
            before: Some(Account::default()),
            after: None,
            storage_wiped: true,
        }],
        slots: vec![slot(1, 5, 0), slot(2, 5, 6), slot(3, 0, 6), slot(4, 0, 0)],
        ..BlockLoad::default()
    };
    for tx_count in [0, 1, 3] {
        load.tx_count = tx_count;
        let trace = to_trace(&load);
        trace.check().expect("a sound trace");
        assert_eq!(BlockLoad::collapse(&trace), Ok(load.clone()), "{tx_count}");
    }
    let owner = Address::repeat_byte(9);
    load.accounts.clear();
    load.slots = vec![SlotLoad {
        class: ObjectClass::Erc20Balance,
        object: Some(ObjectKey::Erc20Balance { owner }),
        ..slot(1, 1, 2)
    }];
    let collapsed = BlockLoad::collapse(&to_trace(&load)).expect("one access");
    assert_eq!(
        collapsed.slots[0].object, None,
        "its slot is not where the mapping puts it"
    );
}
