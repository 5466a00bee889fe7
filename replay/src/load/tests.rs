//! Collapsing traces, and what loads change.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::{AccountLoad, BlockLoad, LoadFault, SlotFault, SlotLoad};
use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{
    Account, AccountUpdate, BlockNumber,
    object::{ObjectClass, ObjectKey},
    trace::{
        AccountAccess, BlockAccessIndex, BlockTrace, PreimageOrder, SlotAccess, SlotPreimage,
        TxAccesses,
    },
};

const WHO: Address = Address::repeat_byte(0xaa);
const OTHER: Address = Address::repeat_byte(0xbb);

fn account(nonce: u64) -> Option<Account> {
    Some(Account {
        nonce,
        ..Account::default()
    })
}

fn slot(key: u64, before: u64, after: u64) -> SlotAccess {
    let [key, before, after] = [key, before, after].map(U256::from);
    SlotAccess::write(WHO, key, before, after)
}

fn group(index: u64, accounts: Vec<AccountAccess>, slots: Vec<SlotAccess>) -> TxAccesses {
    TxAccesses {
        accounts,
        slots,
        ..TxAccesses::new(BlockAccessIndex::new(index))
    }
}

fn trace(accesses: Vec<TxAccesses>) -> BlockTrace {
    BlockTrace {
        number: BlockNumber(7),
        timestamp: 0,
        gas_used: 21_000,
        gas_limit: 30_000_000,
        tx_count: 9,
        hash: B256::ZERO,
        parent_hash: B256::ZERO,
        state_root: None,
        accesses,
    }
}

fn values(load: &BlockLoad) -> Vec<(u64, u64, u64)> {
    let of = |it: &SlotLoad| (it.slot.to(), it.before.to(), it.after.to());
    load.slots.iter().map(of).collect()
}

#[test]
fn no_value_between_first_and_last_is_left() {
    let load = BlockLoad::collapse(&trace(vec![
        group(1, vec![], vec![slot(1, 5, 6), slot(2, 3, 3)]),
        group(2, vec![], vec![slot(1, 6, 7), slot(2, 3, 4)]),
        group(3, vec![], vec![slot(1, 7, 5), slot(2, 4, 4)]),
    ]))
    .unwrap();
    assert_eq!(values(&load), [(1, 5, 5), (2, 3, 4)]);
    assert_eq!(load.slots_written().count(), 1);
    load.check().unwrap();
}

#[test]
fn no_gap_between_transactions_goes_unseen() {
    let of_slot = BlockLoad::collapse(&trace(vec![
        group(1, vec![], vec![slot(1, 5, 6)]),
        group(2, vec![], vec![slot(1, 5, 7)]),
    ]));
    let expected = LoadFault::SlotGap {
        number: BlockNumber(7),
        index: 2,
        slot: Box::new(SlotFault {
            address: WHO,
            slot: U256::from(1),
            expected: U256::from(6),
            got: U256::from(5),
        }),
    };
    assert_eq!(of_slot, Err(expected));
    let of_account = BlockLoad::collapse(&trace(vec![
        group(1, vec![AccountAccess::read(WHO, account(1))], vec![]),
        group(2, vec![AccountAccess::read(WHO, account(2))], vec![]),
    ]));
    let expected = LoadFault::AccountGap {
        number: BlockNumber(7),
        index: 2,
        address: WHO,
    };
    assert_eq!(of_account, Err(expected));
}

#[test]
fn nothing_survives_a_wipe_but_what_is_written_after_it() {
    let load = BlockLoad::collapse(&trace(vec![
        group(1, vec![], vec![slot(1, 5, 6), slot(2, 9, 9)]),
        group(
            2,
            vec![AccountAccess::write(WHO, account(1), None, true)],
            vec![slot(1, 6, 6), slot(3, 4, 4)],
        ),
        group(
            3,
            vec![AccountAccess::write(WHO, None, account(1), false)],
            vec![slot(2, 0, 9)],
        ),
    ]))
    .unwrap();
    assert_eq!(values(&load), [(1, 5, 0), (2, 9, 9), (3, 4, 0)]);
    let whole = AccountLoad {
        address: WHO,
        before: account(1),
        after: account(1),
        storage_wiped: true,
    };
    assert_eq!(load.accounts, [whole]);
    let changes = load.changes(|_| true);
    let change = &changes.accounts[&WHO];
    assert!(change.wipe_storage);
    assert_eq!(change.account, AccountUpdate::Keep);
    assert_eq!(
        change.storage.get(&U256::from(2)),
        Some(&U256::from(9)),
        "stored again after the wipe"
    );
}

#[test]
fn a_write_of_the_transaction_that_wipes_comes_after_the_wipe() {
    let load = BlockLoad::collapse(&trace(vec![
        group(1, vec![], vec![slot(1, 5, 6)]),
        group(
            2,
            vec![AccountAccess::write(WHO, account(1), account(2), true)],
            vec![slot(1, 0, 8)],
        ),
    ]))
    .unwrap();
    assert_eq!(values(&load), [(1, 5, 8)]);
}

#[test]
fn an_account_that_comes_and_goes_changes_nothing() {
    let load = BlockLoad::collapse(&trace(vec![
        group(
            1,
            vec![AccountAccess::write(WHO, None, account(1), false)],
            vec![slot(1, 0, 6)],
        ),
        group(
            2,
            vec![AccountAccess::write(WHO, account(1), None, true)],
            vec![],
        ),
    ]))
    .unwrap();
    assert_eq!(values(&load), [(1, 0, 0)]);
    let changes = load.changes(|_| true);
    assert_eq!(changes.accounts[&WHO].account, AccountUpdate::Delete);
    assert!(changes.accounts[&WHO].storage.is_empty());
}

#[test]
fn storage_goes_with_an_account_that_is_only_deleted() {
    let load = BlockLoad::collapse(&trace(vec![
        group(
            1,
            vec![AccountAccess::write(WHO, account(1), None, false)],
            vec![slot(1, 6, 6)],
        ),
        group(
            2,
            vec![AccountAccess::write(WHO, None, account(3), false)],
            vec![],
        ),
    ]))
    .unwrap();
    assert!(load.accounts[0].storage_wiped);
    assert_eq!(values(&load), [(1, 6, 0)]);
}

#[test]
fn slots_of_a_deleted_account_are_not_changed_on_their_own() {
    let load = BlockLoad::collapse(&trace(vec![group(
        1,
        vec![
            AccountAccess::write(WHO, account(1), None, true),
            AccountAccess::write(OTHER, account(1), account(2), false),
        ],
        vec![slot(1, 5, 5)],
    )]))
    .unwrap();
    assert_eq!(values(&load), [(1, 5, 0)]);
    let changes = load.changes(|_| true);
    assert_eq!(changes.accounts[&WHO].account, AccountUpdate::Delete);
    assert!(changes.accounts[&WHO].storage.is_empty());
    assert_eq!(
        changes.accounts[&OTHER].account,
        AccountUpdate::Set(account(2).unwrap())
    );
}

#[test]
fn no_word_that_is_no_address_becomes_an_owner() {
    let balance = |key: B256| {
        let mut access = slot(1, 5, 6);
        access.class = ObjectClass::Erc20Balance;
        access.preimages.push(SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key,
            base: U256::from(3),
        });
        let load = BlockLoad::collapse(&trace(vec![group(1, vec![], vec![access])]));
        load.unwrap().slots[0].object
    };
    let owner = ObjectKey::Erc20Balance { owner: OTHER };
    assert_eq!(balance(OTHER.into_word()), Some(owner));
    assert_eq!(balance(B256::repeat_byte(1)), None);
}

#[test]
fn no_key_stands_twice_or_out_of_order() {
    let mut load = BlockLoad::collapse(&trace(vec![group(
        1,
        vec![],
        vec![slot(1, 5, 6), slot(2, 0, 1)],
    )]))
    .unwrap();
    load.slots.swap(0, 1);
    let fault = LoadFault::Order {
        number: BlockNumber(7),
        what: "slots",
        at: 1,
    };
    assert_eq!(load.check(), Err(fault));
    load.sort();
    load.check().unwrap();
    let first = load.slots[0];
    load.slots.insert(0, first);
    assert!(load.check().is_err());
}
