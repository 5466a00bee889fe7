//! A tiny chain, in each of the shapes that a node gives: three blocks of two transactions.

use crate::node_server::Chain;
use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Its blocks.
pub(crate) const BLOCKS: [u64; 3] = [100, 101, 102];

/// The address whose last byte is this.
pub(crate) fn address(last: u8) -> String {
    format!("0x{last:040x}")
}

fn word(number: u64) -> String {
    format!("{:#066x}", number)
}

/// A block as `eth_getBlockByNumber` gives it, with hashes of transactions.
pub(crate) fn block(number: u64) -> Value {
    let header = Header {
        number,
        timestamp: 1_700_000_000 + number,
        gas_limit: 30_000_000,
        gas_used: 42_000,
        parent_hash: B256::from(alloy_primitives::U256::from(number - 1)),
        state_root: keccak256([1]),
        ..Header::default()
    };
    let mut block = serde_json::to_value(&header).unwrap();
    block["hash"] = json!(header.hash_slow());
    block["transactions"] = json!(txs(number));
    block
}

fn txs(number: u64) -> [B256; 2] {
    [1u8, 2].map(|tx| keccak256([number.to_be_bytes().to_vec(), vec![tx]].concat()))
}

/// What each transaction found.
pub(crate) fn prestate(number: u64) -> Value {
    let [first, second] = txs(number);
    json!([
        {"txHash": first, "result": {
            address(1): {"balance": "0x64", "nonce": 5},
            address(2): {"balance": "0x0", "nonce": 1, "code": "0x6001",
                         "storage": {word(7): word(0), word(8): word(80), word(9): word(90)}},
            address(3): {"balance": "0x0"},
        }},
        {"txHash": second, "result": {
            address(1): {"balance": "0x5a", "nonce": "0x6"},
            address(2): {"balance": "0x0", "nonce": 1, "code": "0x6001",
                         "storage": {word(7): word(70)}},
        }},
    ])
}

/// What each transaction changed.
pub(crate) fn diff(number: u64) -> Value {
    let [first, second] = txs(number);
    json!([
        {"txHash": first, "result": {
            "pre": {
                address(1): {"balance": "0x64", "nonce": 5},
                address(2): {"balance": "0x0", "nonce": 1, "code": "0x6001", "storage": {word(8): word(80)}},
            },
            "post": {
                address(1): {"balance": "0x5a", "nonce": 6},
                address(2): {"storage": {word(7): word(70)}},
                address(4): {"balance": "0xa", "nonce": 1, "code": "0x6002", "storage": {word(1): word(2)}},
            },
        }},
        {"txHash": second, "result": {
            "pre": {
                address(1): {"balance": "0x5a", "nonce": 6},
                address(2): {"balance": "0x0", "nonce": 1, "code": "0x6001", "storage": {word(7): word(70)}},
            },
            "post": {address(1): {"nonce": 7}},
        }},
    ])
}

/// The block's access list.
pub(crate) fn access_list(number: u64) -> Value {
    let nonce = 5 + 2 * (number - BLOCKS[0]);
    let quantity = |number: u64| format!("{number:#x}");
    json!([
        {
            "address": address(1), "storageChanges": [], "storageReads": [],
            "balanceChanges": [{"index": "0x1", "value": quantity(1_000_000 - number)}],
            "nonceChanges": [
                {"index": "0x1", "value": quantity(nonce + 1)},
                {"index": "0x2", "value": quantity(nonce + 2)},
            ],
            "codeChanges": [],
        },
        {
            "address": address(2),
            "storageChanges": [{"key": word(7), "changes": [
                {"index": "0x1", "value": word(number)},
                {"index": "0x2", "value": word(number + 1_000)},
            ]}],
            "storageReads": [word(8), word(9)],
            "balanceChanges": [], "nonceChanges": [], "codeChanges": [],
        },
        {
            "address": address(4), "storageChanges": [], "storageReads": [], "balanceChanges": [],
            "nonceChanges": [{"index": "0x2", "value": quantity(1)}],
            "codeChanges": [{"index": "0x2", "code": "0x6002"}],
        },
    ])
}

/// A node's view of it. Each block of the list creates the same contract: block 100 alone has it.
pub(crate) fn chain() -> Chain {
    let mut results = BTreeMap::new();
    for number in BLOCKS {
        let mut put =
            |method: &str, result| results.insert((method.to_owned(), Some(number)), result);
        put("eth_getBlockByNumber", block(number));
        put("debug_traceBlockByNumber", prestate(number));
        put("debug_traceBlockByNumber diff", diff(number));
        let mut list = access_list(number);
        if number > BLOCKS[0] {
            list.as_array_mut().unwrap().pop();
        }
        put("eth_getBlockAccessList", list);
    }
    Chain {
        chain_id: 1,
        latest: 102,
        results,
    }
}
