//! Bytes and JSON of access lists.

use super::{AccessListFault, words};
use crate::source::{figures::BlockFigures, witness::json};
use alloy_eip7928::{
    AccountChanges, BlockAccessIndex, BlockAccessList, BlockAccessListGasError, ITEM_COST,
    total_bal_items, validate_block_access_list,
};
use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Decodable as _;
use serde_json::{Value, json};

/// How slots and values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListEncoding {
    /// As integers without leading zeros: EIP-7928 and its tests.
    #[default]
    Integers,
    /// As 32 bytes: EIP-8159, and lists that were made before the EIP was settled.
    Words,
}

/// The list in these bytes, and nothing else, with the encoding that they are in. Where both are possible
/// (no slot and no value has a leading zero) it is that of integers.
pub fn decode_rlp(bytes: &[u8]) -> Result<(BlockAccessList, ListEncoding), AccessListFault> {
    let mut rest = bytes;
    let (list, encoding) = match BlockAccessList::decode(&mut rest) {
        Ok(list) => (list, ListEncoding::Integers),
        Err(error) => {
            rest = bytes;
            let list = words::decode(&mut rest).map_err(|_| AccessListFault::Rlp(error))?;
            (list, ListEncoding::Words)
        }
    };
    if rest.is_empty() {
        return Ok((list, encoding));
    }
    Err(AccessListFault::Trailing { left: rest.len() })
}

/// The list's RLP.
pub fn encode_rlp(list: &BlockAccessList, encoding: ListEncoding) -> Vec<u8> {
    match encoding {
        ListEncoding::Integers => alloy_rlp::encode(list),
        ListEncoding::Words => words::encode(list),
    }
}

/// The list in a document: the result of `eth_getBlockAccessList`, bare or as the whole response. The
/// names of fields in the Ethereum tests are taken too.
pub fn decode_json(document: Value) -> Result<BlockAccessList, AccessListFault> {
    serde_json::from_value(json::unwrap_response(document)).map_err(AccessListFault::Json)
}

/// The list as `eth_getBlockAccessList` returns it: keys and values as 32 bytes, the rest as quantities.
pub fn encode_json(list: &BlockAccessList) -> Value {
    list.iter().map(account_json).collect()
}

/// keccak256 of the list's RLP: what a header from Amsterdam on commits to.
pub fn hash(list: &BlockAccessList) -> B256 {
    keccak256(encode_rlp(list, ListEncoding::Integers))
}

/// Holds a list to the rules of EIP-7928: accounts, slots and indexes ascend, each once; a slot is
/// changed or read, not both; no index is above the block's last. Where the block's header commits to a
/// list, this has to be it, and its size has to be within the block's gas.
pub fn check(list: &BlockAccessList, figures: &BlockFigures) -> Result<(), AccessListFault> {
    let tx_count = usize::try_from(figures.tx_count).unwrap_or(usize::MAX);
    validate_block_access_list(list, tx_count)?;
    let Some(header) = &figures.header else {
        return Ok(());
    };
    let Some(expected) = header.access_list_hash else {
        return Ok(());
    };
    let got = hash(list);
    if got != expected {
        return Err(AccessListFault::Hash { expected, got });
    }
    let items = total_bal_items(list);
    if items > header.gas_limit / ITEM_COST as u64 {
        return Err(BlockAccessListGasError::new(items, header.gas_limit).into());
    }
    Ok(())
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
