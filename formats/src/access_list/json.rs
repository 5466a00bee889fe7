//! The JSON of access lists.

use super::AccessListCodecError;
use alloy_eip7928::{AccountChanges, BlockAccessIndex, BlockAccessList};
use alloy_primitives::{B256, U256};
use serde_json::{Value, json};

/// The list in the result of `eth_getBlockAccessList`. The names of fields in the Ethereum tests are taken too.
pub fn decode_json(document: Value) -> Result<BlockAccessList, AccessListCodecError> {
    Ok(serde_json::from_value(document)?)
}

/// The list as `eth_getBlockAccessList` returns it: keys and values as 32 bytes, the rest as quantities.
pub fn encode_json(list: &BlockAccessList) -> Value {
    list.iter().map(account_json).collect()
}

fn account_json(account: &AccountChanges) -> Value {
    let slots: Vec<Value> = account
        .storage_changes
        .iter()
        .map(|slot| {
            let changes = slot.changes.iter();
            let changes: Vec<Value> = changes
                .map(|it| json!({"index": quantity(it.block_access_index), "value": word(it.new_value)}))
                .collect();
            json!({"key": word(slot.slot), "changes": changes})
        })
        .collect();
    let reads: Vec<Value> = account
        .storage_reads
        .iter()
        .map(|it| json!(word(*it)))
        .collect();
    let balances: Vec<Value> = account
        .balance_changes
        .iter()
        .map(|it| json!({"index": quantity(it.block_access_index), "value": it.post_balance}))
        .collect();
    let nonces: Vec<Value> = account
        .nonce_changes
        .iter()
        .map(|it| {
            let nonce = format!("{:#x}", it.new_nonce);
            json!({"index": quantity(it.block_access_index), "value": nonce})
        })
        .collect();
    let codes: Vec<Value> = account
        .code_changes
        .iter()
        .map(|it| json!({"index": quantity(it.block_access_index), "code": it.new_code}))
        .collect();
    json!({
        "address": account.address,
        "storageChanges": slots,
        "storageReads": reads,
        "balanceChanges": balances,
        "nonceChanges": nonces,
        "codeChanges": codes,
    })
}

fn quantity(index: BlockAccessIndex) -> String {
    format!("{:#x}", index.get())
}

fn word(number: U256) -> B256 {
    B256::from(number)
}
