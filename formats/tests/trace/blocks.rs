//! Blocks for the tests of the trace's codec: arbitrary ones, and one that holds every variant.

use alloy_primitives::{Address, B256, U256};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use thinstate_formats::trace::{
    AccountAccess, BlockAccessIndex, BlockTrace, CodeRead, CodeWrite, ObjectClass, PreimageOrder,
    SlotAccess, SlotPreimage, TxAccesses,
};
use thinstate_formats::{Account, BlockNumber};

fn word() -> impl Strategy<Value = B256> {
    // Few distinct words, so that equal values before and after are met, beside wholly random ones.
    prop_oneof![
        (0u8..4).prop_map(B256::with_last_byte),
        any::<[u8; 32]>().prop_map(B256::from)
    ]
}

fn uint() -> impl Strategy<Value = U256> {
    word().prop_map(Into::into)
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        (0u8..4).prop_map(Address::with_last_byte),
        any::<[u8; 20]>().prop_map(Address::from),
    ]
}

fn account() -> impl Strategy<Value = Account> {
    (any::<u64>(), uint(), word()).prop_map(|(nonce, balance, code_hash)| Account {
        nonce,
        balance,
        code_hash,
    })
}

fn maybe_account() -> impl Strategy<Value = Option<Account>> {
    proptest::option::of(account())
}

fn preimage() -> impl Strategy<Value = SlotPreimage> {
    (any::<bool>(), word(), uint()).prop_map(|(vyper, key, base)| SlotPreimage {
        order: if vyper {
            PreimageOrder::BaseThenKey
        } else {
            PreimageOrder::KeyThenBase
        },
        key,
        base,
    })
}

fn accounts() -> impl Strategy<Value = Vec<AccountAccess>> {
    let kind = (maybe_account(), maybe_account(), any::<bool>());
    btree_map(address(), kind, 0..5).prop_map(|accounts| {
        let access =
            |(address, (before, after, wiped))| AccountAccess::write(address, before, after, wiped);
        accounts.into_iter().map(access).collect()
    })
}

fn slots() -> impl Strategy<Value = Vec<SlotAccess>> {
    let class = proptest::sample::select(ObjectClass::ALL.to_vec());
    let kind = (uint(), uint(), class, vec(preimage(), 0..3));
    btree_map((address(), uint()), kind, 0..8).prop_map(|slots| {
        let access = |((address, slot), (before, after, class, preimages))| SlotAccess {
            class,
            preimages,
            ..SlotAccess::write(address, slot, before, after)
        };
        slots.into_iter().map(access).collect()
    })
}

fn group() -> impl Strategy<Value = TxAccesses> {
    let codes = || btree_map(word(), any::<u32>(), 0..3);
    (accounts(), slots(), codes(), codes()).prop_map(|(accounts, slots, reads, writes)| {
        let read = |(hash, length)| CodeRead { hash, length };
        let write = |(hash, length)| CodeWrite { hash, length };
        TxAccesses {
            accounts,
            slots,
            code_reads: reads.into_iter().map(read).collect(),
            code_writes: writes.into_iter().map(write).collect(),
            ..TxAccesses::default()
        }
    })
}

/// Any block that keeps the record's rules.
pub(crate) fn block() -> impl Strategy<Value = BlockTrace> {
    let figures = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let hashes = (word(), word(), proptest::option::of(word()));
    let groups = (btree_set(0u64..12, 0..5), vec(group(), 5));
    (figures, hashes, groups).prop_map(|(figures, hashes, (indexes, groups))| {
        let mut accesses: Vec<TxAccesses> = groups;
        accesses.truncate(indexes.len());
        for (group, index) in accesses.iter_mut().zip(indexes) {
            group.index = BlockAccessIndex::new(index);
        }
        accesses.retain(|group| !group.is_empty());
        BlockTrace {
            number: BlockNumber(figures.0),
            timestamp: figures.1,
            gas_used: figures.2,
            gas_limit: figures.3,
            tx_count: 10,
            hash: hashes.0,
            parent_hash: hashes.1,
            state_root: hashes.2,
            accesses,
        }
    })
}

/// A block in which every variant of every enum, option and list occurs.
pub(crate) fn every_variant() -> BlockTrace {
    let account = |nonce| Account {
        nonce,
        balance: U256::from(0x0102),
        code_hash: B256::repeat_byte(0xcc),
    };
    let at = Address::with_last_byte;
    let preimage = |order, key| SlotPreimage {
        order,
        key: B256::with_last_byte(key),
        base: U256::from(9),
    };
    let mut slots: Vec<_> = (0u8..)
        .zip(ObjectClass::ALL)
        .map(|(key, class)| SlotAccess {
            class,
            ..SlotAccess::write(at(7), U256::from(key), U256::from(key / 2), U256::from(3))
        })
        .collect();
    slots[1].preimages = vec![
        preimage(PreimageOrder::KeyThenBase, 1),
        preimage(PreimageOrder::BaseThenKey, 2),
    ];
    let before = TxAccesses {
        slots,
        ..TxAccesses::new(BlockAccessIndex::PRE_EXECUTION)
    };
    let transaction = TxAccesses {
        accounts: vec![
            AccountAccess::read(at(1), None),
            AccountAccess::read(at(2), Some(account(1))),
            AccountAccess::write(at(3), None, Some(account(1)), false),
            AccountAccess::write(at(4), Some(account(5)), None, true),
        ],
        code_reads: vec![CodeRead {
            hash: B256::repeat_byte(0xcc),
            length: 24_576,
        }],
        code_writes: vec![CodeWrite {
            hash: B256::repeat_byte(0xcd),
            length: 45,
        }],
        ..TxAccesses::new(BlockAccessIndex::from_tx_index(0))
    };
    BlockTrace {
        number: BlockNumber(0x1122),
        timestamp: 0x3344,
        gas_used: 0x5566,
        gas_limit: 0x7788,
        tx_count: 1,
        hash: B256::repeat_byte(0xaa),
        parent_hash: B256::repeat_byte(0xbb),
        state_root: Some(B256::repeat_byte(0xdd)),
        accesses: vec![before, transaction],
    }
}
