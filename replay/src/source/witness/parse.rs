//! The two shapes of a witness document.

use super::{
    BlockWitness, Fault,
    block::{self, RawBlock},
    headers::{self, Ancestors},
    json::{self, Object},
};
use crate::exec::BlockHashes;
use alloy_primitives::B256;
use serde_json::Value;

/// Whether the document holds its block itself.
pub(super) fn holds_block(document: &Object) -> bool {
    document.contains_key("block") && document.contains_key("pre_state_root")
}

/// A witness that holds its block: the self-contained shape.
pub(super) fn self_contained(mut document: Object) -> Result<BlockWitness, Fault> {
    let block = json::need(&mut document, "block")?;
    let block = block::from_rlp(json::bytes(&block, "block")?, "block")?;
    let expected = json::need(&mut document, "hash")?;
    json::same_hash("block", json::hash(&expected, "hash")?, block.hash)?;
    let number = json::number(&json::need(&mut document, "number")?, "number")?;
    same_number("number", block.block.header.number, number)?;

    let mut ancestors = ancestors(&mut document, &block)?;
    if let Some(given) = json::take(&mut document, "block_hashes") {
        add_hashes(&mut ancestors.hashes, json::list(given, "block_hashes")?)?;
    }
    let claimed = json::need(&mut document, "pre_state_root")?;
    let claimed = json::hash(&claimed, "pre_state_root")?;
    if let Some(parent) = &ancestors.parent
        && parent.state_root != claimed
    {
        return Err(Fault::PreStateRoot {
            expected: parent.state_root,
            got: claimed,
        });
    }
    assemble(document, block, ancestors, claimed)
}

/// A result of `debug_executionWitness`, with the block that it is of.
pub(super) fn plain(mut document: Object, block: RawBlock) -> Result<BlockWitness, Fault> {
    let ancestors = ancestors(&mut document, &block)?;
    let parent = ancestors.parent.as_ref();
    let number = block.block.header.number;
    let root = parent.ok_or(Fault::NoParent { number })?.state_root;
    assemble(document, block, ancestors, root)
}

fn ancestors(document: &mut Object, block: &RawBlock) -> Result<Ancestors, Fault> {
    let headers = json::take(document, "headers");
    let headers = headers.map_or(Ok(Vec::new()), |value| json::list(value, "headers"))?;
    headers::ancestors(&block.block.header, headers)
}

fn assemble(
    mut document: Object,
    block: RawBlock,
    ancestors: Ancestors,
    pre_state_root: B256,
) -> Result<BlockWitness, Fault> {
    Ok(BlockWitness {
        block: block.block,
        hash: block.hash,
        raw_block: block.raw,
        pre_state_root,
        parent_header: ancestors.parent,
        block_hashes: ancestors.hashes,
        state: json::preimages(json::need(&mut document, "state")?, "state")?,
        codes: json::preimages(json::need(&mut document, "codes")?, "codes")?,
    })
}

/// Adds `[number, hash]` pairs, none of which may contradict a header.
fn add_hashes(hashes: &mut BlockHashes, given: Vec<Value>) -> Result<(), Fault> {
    for (i, pair) in given.into_iter().enumerate() {
        let field = format!("block_hashes[{i}]");
        let pair = json::list(pair, &field)?;
        let [number, hash] = &pair[..] else {
            return Err(json::wrong_type(&field, "a pair of number and hash"));
        };
        let number = json::number(number, &field)?;
        let hash = json::hash(hash, &field)?;
        json::same_hash(&field, *hashes.entry(number).or_insert(hash), hash)?;
    }
    Ok(())
}

fn same_number(field: &str, expected: u64, got: u64) -> Result<(), Fault> {
    if expected == got {
        return Ok(());
    }
    Err(Fault::Number {
        field: field.into(),
        expected,
        got,
    })
}
