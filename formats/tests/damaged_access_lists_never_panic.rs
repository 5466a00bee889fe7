//! Access lists from outside: whatever was done to their bytes, decoding ends with a list or an error, what decodes
//! encodes to the same bytes, and a list survives all of its encodings.

use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, CodeChange, NonceChange, SlotChanges,
    StorageChange,
};
use alloy_primitives::{Address, Bytes, U256};
use core::cell::Cell;
use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};
use thinstate_formats::access_list::{
    BlockAccessList, ListEncoding, decode_json, decode_rlp, encode_json, encode_rlp, hash,
};

const CASES: u32 = 2_000;

fn index() -> impl Strategy<Value = BlockAccessIndex> {
    (0..300_u64).prop_map(BlockAccessIndex::from_tx_index)
}

/// Small numbers, large ones, and those on both sides of where RLP changes its form.
fn number() -> impl Strategy<Value = U256> {
    prop_oneof![
        (0..260_u64).prop_map(U256::from),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes),
        (0..256_usize).prop_map(|bit| U256::from(1) << bit),
    ]
}

fn account() -> impl Strategy<Value = AccountChanges> {
    let change = || (index(), number());
    let slot = (number(), vec(change(), 1..4));
    (
        any::<[u8; 20]>(),
        vec(slot, 0..4),
        vec(number(), 0..4),
        vec(change(), 0..3),
        vec((index(), any::<u64>()), 0..3),
        vec((index(), vec(any::<u8>(), 0..70)), 0..2),
    )
        .prop_map(
            |(address, slots, reads, balances, nonces, codes)| AccountChanges {
                address: Address::from(address),
                storage_changes: slots
                    .into_iter()
                    .map(|(slot, changes)| {
                        let changes = changes.into_iter();
                        let changes =
                            changes.map(|(index, value)| StorageChange::new(index, value));
                        SlotChanges::new(slot, changes.collect())
                    })
                    .collect(),
                storage_reads: reads,
                balance_changes: balances
                    .into_iter()
                    .map(|(index, value)| BalanceChange::new(index, value))
                    .collect(),
                nonce_changes: nonces
                    .into_iter()
                    .map(|(index, value)| NonceChange::new(index, value))
                    .collect(),
                code_changes: codes
                    .into_iter()
                    .map(|(index, code)| CodeChange::new(index, Bytes::from(code)))
                    .collect(),
            },
        )
}

/// What is done to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    /// Bytes from one place written over those at another.
    Copy(Index, Index, u8),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<Index>;
        // Lengths and prefixes of RLP, more often than others.
        let byte = prop_oneof![
            any::<u8>(),
            Just(0x00),
            Just(0x80),
            Just(0xa0),
            Just(0xb8),
            Just(0xbf),
            Just(0xc0),
            Just(0xf8),
            Just(0xff)
        ];
        prop_oneof![
            (at(), byte.clone()).prop_map(|(at, byte)| Self::Set(at, byte)),
            (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            (at(), byte).prop_map(|(at, byte)| Self::Insert(at, byte)),
            at().prop_map(Self::Remove),
            at().prop_map(Self::Cut),
            (at(), at(), 1..40_u8).prop_map(|(from, to, len)| Self::Copy(from, to, len)),
        ]
    }

    fn inflict(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match self {
            Self::Set(at, byte) => bytes[at.index(len)] = *byte,
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Self::Remove(at) => drop(bytes.remove(at.index(len))),
            Self::Cut(at) => bytes.truncate(at.index(len)),
            Self::Copy(from, to, count) => {
                let (from, to) = (from.index(len), to.index(len));
                let count = usize::from(*count).min(len - from).min(len - to);
                bytes.copy_within(from..from + count, to);
            }
        }
    }
}

fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    damage.iter().for_each(|it| it.inflict(&mut bytes));
    bytes
}

fn survives(list: &BlockAccessList) {
    for encoding in [ListEncoding::Integers, ListEncoding::Words] {
        // Bytes that are both are read as integers.
        let (again, _) = decode_rlp(&encode_rlp(list, encoding)).expect("bytes just written");
        assert_eq!(&again, list);
    }
    let again = decode_json(encode_json(list)).expect("a document just written");
    assert_eq!(&again, list);
    assert_eq!(hash(&again), hash(list));
}

/// Decodes bytes that may be anything; whether they were a list.
fn decodes(bytes: &[u8]) -> bool {
    let Ok((list, encoding)) = decode_rlp(bytes) else {
        return false;
    };
    assert_eq!(
        encode_rlp(&list, encoding),
        bytes,
        "a list has one encoding"
    );
    survives(&list);
    true
}

/// Runs the cases, with how many were lists; a proptest prints what it failed on.
fn count<T: core::fmt::Debug>(
    cases: &impl Strategy<Value = T>,
    is_list: impl Fn(T) -> bool,
) -> u32 {
    let lists = Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        source_file: Some(file!()),
        ..Config::default()
    });
    let run = runner.run(cases, |case| {
        lists.set(lists.get() + u32::from(is_list(case)));
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    lists.get()
}

fn lists() -> impl Strategy<Value = (BlockAccessList, ListEncoding)> {
    let encoding = prop_oneof![Just(ListEncoding::Integers), Just(ListEncoding::Words)];
    (vec(account(), 0..4), encoding)
}

#[test]
fn no_damage_to_rlp_panics_or_decodes_to_another_list() {
    let cases = (lists(), vec(Damage::any(), 0..4));
    let lists = count(&cases, |((list, encoding), damage)| {
        let bytes = encode_rlp(&list, encoding);
        assert!(decodes(&bytes), "an undamaged list");
        decodes(&damaged(bytes, &damage))
    });
    // Damage to a value leaves a list, damage to a length none.
    assert!(
        lists > CASES / 10 && lists < CASES * 9 / 10,
        "{lists} of {CASES}"
    );
}

#[test]
fn no_bytes_panic() {
    count(&vec(any::<u8>(), 0..200), |bytes| decodes(&bytes));
}

#[test]
fn no_damage_to_json_panics_or_leaves_what_does_not_survive() {
    let cases = (lists(), vec(Damage::any(), 0..3));
    let lists = count(&cases, |((list, _), damage)| {
        let text = encode_json(&list).to_string().into_bytes();
        let Ok(document) = serde_json::from_slice(&damaged(text, &damage)) else {
            return false;
        };
        let list = decode_json(document);
        list.iter().for_each(survives);
        list.is_ok()
    });
    assert!(
        lists > CASES / 10 && lists < CASES * 9 / 10,
        "{lists} of {CASES}"
    );
}
