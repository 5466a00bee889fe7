//! A trace of pre-states must say what the tracer said, and nothing that it did not.

use crate::{
    chain::{self, address},
    support::mainnet,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use serde_json::{Value, json};
use thinstate_formats::{
    Account,
    trace::{AccountAccess, BlockTrace, CodeRead, CodeWrite, SlotAccess, encode_record},
};
use thinstate_replay::{
    load::BlockLoad,
    source::{
        figures::BlockFigures,
        input,
        prestate::{self, Prestate, PrestateError, decode_diffs, decode_prestates},
    },
};

fn trace(found: Option<Value>, changed: Option<Value>) -> Result<BlockTrace, PrestateError> {
    let figures = BlockFigures::from_json(chain::block(100)).unwrap();
    let state = Prestate::Traced {
        found: found.map(|it| decode_prestates(it).unwrap()),
        changed: changed.map(|it| decode_diffs(it).unwrap()),
    };
    let trace = prestate::to_trace(&state, &figures)?;
    encode_record(&trace).expect("a trace that keeps the rules");
    Ok(trace)
}

fn who(last: u8) -> Address {
    Address::with_last_byte(last)
}

fn account(nonce: u64, balance: u64, code: &[u8]) -> Option<Account> {
    Some(Account {
        nonce,
        balance: U256::from(balance),
        code_hash: keccak256(code),
    })
}

fn slot(last: u8, slot: u64, before: u64, after: u64) -> SlotAccess {
    let [slot, before, after] = [slot, before, after].map(U256::from);
    SlotAccess::write(who(last), slot, before, after)
}

#[test]
fn both_results_never_lose_a_read_or_a_write() {
    let whole = trace(Some(chain::prestate(100)), Some(chain::diff(100))).unwrap();
    let [first, second] = &whole.accesses[..] else {
        panic!("{whole:?}")
    };
    assert_eq!((first.index.get(), second.index.get()), (1, 2));
    assert_eq!(
        first.accounts,
        [
            AccountAccess::write(who(1), account(5, 100, &[]), account(6, 90, &[]), false),
            AccountAccess::read(who(2), account(1, 0, &[0x60, 1])),
            AccountAccess::read(who(3), None),
            AccountAccess::write(who(4), None, account(1, 10, &[0x60, 2]), false),
        ]
    );
    assert_eq!(
        first.slots,
        [
            slot(2, 7, 0, 70),
            slot(2, 8, 80, 0),
            slot(2, 9, 90, 90),
            slot(4, 1, 0, 2)
        ]
    );
    let code = |code: &[u8]| (keccak256(code), 2);
    let (hash, length) = code(&[0x60, 1]);
    assert_eq!(first.code_reads, [CodeRead { hash, length }]);
    let (hash, length) = code(&[0x60, 2]);
    assert_eq!(first.code_writes, [CodeWrite { hash, length }]);
    // The second transaction destroys account 2, whose slot was touched.
    assert_eq!(
        second.accounts,
        [
            AccountAccess::write(who(1), account(6, 90, &[]), account(7, 90, &[]), false),
            AccountAccess::write(who(2), account(1, 0, &[0x60, 1]), None, true),
        ]
    );
    assert_eq!(second.slots, [slot(2, 7, 70, 70)]);
    BlockLoad::collapse(&whole).expect("each transaction finds what the one before left");
}

#[test]
fn one_result_never_says_what_the_other_would() {
    let reads = trace(Some(chain::prestate(100)), None).unwrap();
    for group in &reads.accesses {
        assert!(group.accounts.iter().all(|it| it.before() == it.after()));
        assert!(group.slots.iter().all(|it| it.before() == it.after()));
    }
    assert_eq!(reads.accesses[0].slots.len(), 3);
    let writes = trace(None, Some(chain::diff(100))).unwrap();
    let [first, _] = &writes.accesses[..] else {
        panic!("{writes:?}")
    };
    assert_eq!(
        first.slots,
        [slot(2, 7, 0, 70), slot(2, 8, 80, 0), slot(4, 1, 0, 2)]
    );
}

#[test]
fn results_of_another_block_are_not_taken() {
    let other = trace(Some(chain::prestate(101)), None).unwrap_err();
    assert!(
        matches!(other, PrestateError::Transaction { at: 0, .. }),
        "{other}"
    );
    let mut short = chain::diff(100);
    short.as_array_mut().unwrap().pop();
    let error = trace(None, Some(short)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "diff: 1 transactions, expected 2 (block)"
    );
}

#[test]
fn what_a_tracer_does_not_write_is_not_read() {
    let one = |account: Value| decode_prestates(json!([{"result": {address(1): account}}]));
    for (account, expected) in [
        (json!({"balance": "zz"}), "`result[0].result.0x"),
        (json!({"nonce": "x"}), ".nonce` is of the wrong type"),
        (
            json!({"storage": {"0x1": "1"}}),
            ".storage.0x1` is not the hex",
        ),
        (json!({"storage": []}), ".storage` is of the wrong type"),
        (
            json!({"code": "0x60", "codeHash": B256::ZERO}),
            ".code` has hash",
        ),
        (json!([]), "is of the wrong type"),
    ] {
        let error = one(account.clone()).unwrap_err().to_string();
        assert!(error.contains(expected), "{account}: {error}");
    }
    let error = decode_prestates(json!([{"error": "execution timeout"}])).unwrap_err();
    assert_eq!(error.to_string(), "`result[0].result` is missing");
    let error = decode_diffs(json!([{"result": {"pre": {}}}])).unwrap_err();
    assert_eq!(error.to_string(), "`result[0].result.post` is missing");
    assert!(decode_prestates(json!({"result": []})).unwrap().is_empty());
}

#[test]
fn no_prestate_of_mainnet_is_left_out() {
    let Some(folder) = mainnet("prestate") else {
        return;
    };
    let (mut accounts, mut slots) = (0, 0);
    let inputs = input::find(&[folder]).unwrap();
    for input in &inputs {
        let (state, figures) = prestate::read(&input.path).unwrap();
        let trace = prestate::to_trace(&state, &figures).unwrap();
        assert_eq!(trace.number, input.number);
        encode_record(&trace).expect("a trace that keeps the rules");
        let Prestate::Whole(state) = state else {
            panic!("{:?} is of a whole block", input.path)
        };
        let load = BlockLoad::collapse(&trace).unwrap();
        assert_eq!(load.accounts.len(), state.len());
        let named: usize = state.values().map(|it| it.storage.len()).sum();
        assert_eq!(load.slots.len(), named);
        accounts += load.accounts.len();
        slots += load.slots.len();
    }
    assert_eq!((inputs.len(), accounts, slots), (85, 36_862, 64_065));
}
