//! The rules and the commitments, as the leaf store keeps them.
//!
//! ```text
//! table "meta"
//! "rules"                          version u8 = 1 | JSON of the rules
//! "commitment" | block u64 BE      the 192 bytes that are hashed (formats::commitment)
//! ```
//!
//! One commitment is put with each block. Those of blocks that can be undone are kept, so that
//! undoing is checked against what was committed then.

use super::{error::StoreOpenError, options::StoreRules};
use crate::leaf_store::{Batch, LeafRead, StoreError, Table};
use thinstate_formats::{BlockNumber, Commitment};

const RULES_KEY: &[u8] = b"rules";
const RULES_VERSION: u8 = 1;
const COMMITMENT_PREFIX: &[u8] = b"commitment";

fn commitment_key(block: BlockNumber) -> Vec<u8> {
    [COMMITMENT_PREFIX, &block.0.to_be_bytes()].concat()
}

/// The rules that the store was made with; `None` in a new one.
pub(super) fn read_rules<R: LeafRead>(store: &R) -> Result<Option<StoreRules>, StoreOpenError> {
    let Some(bytes) = store.get(Table::Meta, RULES_KEY)? else {
        return Ok(None);
    };
    let damaged = |got: String| StoreOpenError::BadRules { got };
    match bytes.split_first() {
        Some((&RULES_VERSION, json)) => serde_json::from_slice(json)
            .map(Some)
            .map_err(|error| damaged(error.to_string())),
        _ => Err(damaged(alloy_primitives::hex::encode_prefixed(&bytes))),
    }
}

pub(super) fn write_rules(batch: &mut Batch, rules: &StoreRules) {
    let mut bytes = vec![RULES_VERSION];
    serde_json::to_writer(&mut bytes, rules).expect("rules are numbers and names");
    batch.put(Table::Meta, RULES_KEY, bytes);
}

/// The commitment of a block, where it is kept.
pub(super) fn read_commitment<R: LeafRead>(
    store: &R,
    block: BlockNumber,
) -> Result<Option<Commitment>, StoreError> {
    let key = commitment_key(block);
    let Some(bytes) = store.get(Table::Meta, &key)? else {
        return Ok(None);
    };
    let decoded = Commitment::decode(&bytes).filter(|commitment| commitment.block == block);
    decoded.map(Some).ok_or_else(|| StoreError::BadEntry {
        table: Table::Meta,
        key: alloy_primitives::hex::encode(&key),
        expected: "a commitment of that block",
        got: alloy_primitives::hex::encode_prefixed(&bytes),
    })
}

/// Keeps a block's commitment, and drops the one that can no longer be undone to.
pub(super) fn write_commitment(batch: &mut Batch, commitment: &Commitment, undo_blocks: u64) {
    let block = commitment.block;
    batch.put(Table::Meta, commitment_key(block), commitment.encode());
    if let Some(old) = block.0.checked_sub(undo_blocks + 1) {
        batch.delete(Table::Meta, commitment_key(BlockNumber(old)));
    }
}

pub(super) fn delete_commitment(batch: &mut Batch, block: BlockNumber) {
    batch.delete(Table::Meta, commitment_key(block));
}
