//! A block from its RLP, or from the JSON in which an RPC describes it.

use super::{Fault, headers, json};
use alloy_consensus::{Block, BlockBody, Header, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable};
use serde_json::Value;

/// A block with its hash and its bytes.
#[derive(Debug)]
pub(super) struct RawBlock {
    pub(super) block: Block<TxEnvelope>,
    pub(super) hash: B256,
    pub(super) raw: Bytes,
}

/// A block from its RLP.
pub(super) fn from_rlp(raw: Bytes, field: &str) -> Result<RawBlock, Fault> {
    let fault = |source| Fault::Rlp {
        field: field.into(),
        expected: "a block",
        source,
    };
    // The header by itself first: its hash, and a better word where it is of an unknown fork.
    let mut payload = &raw[..];
    alloy_rlp::Header::decode(&mut payload).map_err(fault)?;
    let hash = headers::decode(&mut payload, field)?.hash();
    let mut rest = &raw[..];
    let block = Block::decode(&mut rest).map_err(fault)?;
    if !rest.is_empty() {
        return Err(Fault::Trailing {
            field: field.into(),
            left: rest.len(),
        });
    }
    Ok(RawBlock { block, hash, raw })
}

/// A block from a JSON document: a hex string with its RLP, or an RPC's block object with whole
/// transactions; both also as a JSON-RPC response.
pub(super) fn from_json(document: Value, field: &str) -> Result<RawBlock, Fault> {
    match json::unwrap_response(document) {
        value @ Value::String(_) => from_rlp(json::bytes(&value, field)?, field),
        Value::Object(object) => from_rpc(object),
        _ => Err(json::wrong_type(field, "a hex string or a block object")),
    }
}

/// A block object. Its hash is checked; its transactions are checked by the header's root when the
/// block is executed.
fn from_rpc(mut object: json::Object) -> Result<RawBlock, Fault> {
    let expected = json::need(&mut object, "hash")?;
    let transactions = json::list(json::need(&mut object, "transactions")?, "transactions")?;
    let ommers =
        json::take(&mut object, "uncles").map_or(Ok(Vec::new()), |v| json::list(v, "uncles"))?;
    let withdrawals = json::take(&mut object, "withdrawals");
    let header: Header = json::described(Value::Object(object), "block", "a block header")?;
    if !ommers.is_empty() {
        return Err(Fault::OmmersByHash {
            number: header.number,
            ommers: ommers.len(),
        });
    }
    let hash = header.hash_slow();
    json::same_hash("hash", json::hash(&expected, "hash")?, hash)?;
    let body = BlockBody {
        transactions: transactions
            .into_iter()
            .enumerate()
            .map(transaction)
            .collect::<Result<_, _>>()?,
        ommers: Vec::new(),
        withdrawals: withdrawals
            .map(|list| json::described::<Withdrawals>(list, "withdrawals", "withdrawals"))
            .transpose()?,
    };
    let block = Block::new(header, body);
    let raw = encoded(&block);
    Ok(RawBlock { block, hash, raw })
}

fn transaction((i, value): (usize, Value)) -> Result<TxEnvelope, Fault> {
    json::described(value, &format!("transactions[{i}]"), "a transaction")
}

fn encoded(block: &Block<TxEnvelope>) -> Bytes {
    let mut raw = Vec::with_capacity(block.length());
    block.encode(&mut raw);
    raw.into()
}
