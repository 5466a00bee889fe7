//! Access lists as they come from others: taken apart, and held to the rules.

use super::AccessListFault;
use crate::source::{figures::BlockFigures, witness::json};
use alloy_eip7928::{
    BlockAccessList, BlockAccessListGasError, ITEM_COST, total_bal_items,
    validate_block_access_list,
};
use serde_json::Value;
use thinstate_formats::access_list;
pub use thinstate_formats::access_list::{ListEncoding, encode_json, encode_rlp, hash};

/// The list in these bytes, and nothing else, with the encoding that they are in. Where both are possible
/// (no slot and no value has a leading zero) it is that of integers.
pub fn decode_rlp(bytes: &[u8]) -> Result<(BlockAccessList, ListEncoding), AccessListFault> {
    Ok(access_list::decode_rlp(bytes)?)
}

/// The list in a document: the result of `eth_getBlockAccessList`, bare or as the whole response. The
/// names of fields in the Ethereum tests are taken too.
pub fn decode_json(document: Value) -> Result<BlockAccessList, AccessListFault> {
    Ok(access_list::decode_json(json::unwrap_response(document))?)
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
