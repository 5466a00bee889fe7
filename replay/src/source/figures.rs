//! A block's own figures, for traces of blocks that are not executed: from its RLP, from the JSON in
//! which an RPC describes it (with whole transactions or with their hashes), or not at all.

use super::{
    file,
    witness::{Fault, headers, json},
};
use alloy_consensus::{Block, Header, TxEnvelope};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable as _;
use serde_json::Value;
use std::path::Path;
use thinstate_formats::{BlockNumber, trace::BlockTrace};

/// What a block says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFigures {
    /// The block's number.
    pub number: BlockNumber,
    /// Number of transactions.
    pub tx_count: u32,
    /// The header's figures, where there is a header.
    pub header: Option<HeaderFigures>,
    /// Hashes of the transactions, where they are known.
    pub tx_hashes: Vec<B256>,
}

/// What a block's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderFigures {
    /// The block's hash; that of these very figures.
    pub hash: B256,
    /// The parent's hash.
    pub parent_hash: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Gas that could have been used.
    pub gas_limit: u64,
    /// Root of the state after the block.
    pub state_root: B256,
    /// Hash of the block's access list, from Amsterdam on (EIP-7928).
    pub access_list_hash: Option<B256>,
}

impl BlockFigures {
    /// Figures of a block of which only these are known.
    pub const fn without_header(number: BlockNumber, tx_count: u32) -> Self {
        Self {
            number,
            tx_count,
            header: None,
            tx_hashes: Vec::new(),
        }
    }

    /// Reads a block's file: RLP, or with a name in `.json` its JSON, each also with `.zst`.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let bytes = file::read(path)?;
        let name = path.to_string_lossy();
        if name.trim_end_matches(".zst").ends_with(".json") {
            Self::from_json(serde_json::from_slice(&bytes)?)
        } else {
            Self::from_rlp(&bytes)
        }
    }

    /// The figures in a block's RLP.
    pub fn from_rlp(raw: &[u8]) -> Result<Self, Fault> {
        let fault = |source| Fault::Rlp {
            field: "block".into(),
            expected: "a block",
            source,
        };
        let mut payload = raw;
        alloy_rlp::Header::decode(&mut payload).map_err(fault)?;
        let hash = headers::decode(&mut payload, "block")?.hash();
        let mut rest = raw;
        let block = Block::<TxEnvelope>::decode(&mut rest).map_err(fault)?;
        if !rest.is_empty() {
            return Err(Fault::Trailing {
                field: "block".into(),
                left: rest.len(),
            });
        }
        let txs = &block.body.transactions;
        let tx_hashes = txs.iter().map(|tx| *tx.tx_hash()).collect();
        Ok(Self::new(&block.header, hash, tx_hashes))
    }

    /// The figures in a document: RLP as a hex string, or an RPC's block object; both also as a
    /// JSON-RPC response. The object's hash has to be its header's.
    pub fn from_json(document: Value) -> Result<Self, Fault> {
        let mut object = match json::unwrap_response(document) {
            value @ Value::String(_) => {
                let raw: Bytes = json::bytes(&value, "block")?;
                return Self::from_rlp(&raw);
            }
            Value::Object(object) => object,
            _ => return Err(json::wrong_type("block", "a hex string or a block object")),
        };
        let expected = json::hash(&json::need(&mut object, "hash")?, "hash")?;
        let txs = json::list(json::need(&mut object, "transactions")?, "transactions")?;
        let tx_hashes = txs
            .iter()
            .enumerate()
            .map(tx_hash)
            .collect::<Result<_, _>>()?;
        let header: Header = json::described(Value::Object(object), "block", "a block header")?;
        json::same_hash("hash", expected, header.hash_slow())?;
        Ok(Self::new(&header, expected, tx_hashes))
    }

    fn new(header: &Header, hash: B256, tx_hashes: Vec<B256>) -> Self {
        Self {
            number: BlockNumber(header.number),
            tx_count: u32::try_from(tx_hashes.len())
                .expect("a block's gas pays for fewer than 2^32 transactions"),
            header: Some(HeaderFigures {
                hash,
                parent_hash: header.parent_hash,
                timestamp: header.timestamp,
                gas_used: header.gas_used,
                gas_limit: header.gas_limit,
                state_root: header.state_root,
                access_list_hash: header.block_access_list_hash,
            }),
            tx_hashes,
        }
    }

    /// A trace with these figures, and no accesses yet. What no header tells is zero.
    pub fn trace(&self) -> BlockTrace {
        let header = self.header.as_ref();
        BlockTrace {
            number: self.number,
            timestamp: header.map_or(0, |it| it.timestamp),
            gas_used: header.map_or(0, |it| it.gas_used),
            gas_limit: header.map_or(0, |it| it.gas_limit),
            tx_count: self.tx_count,
            hash: header.map_or(B256::ZERO, |it| it.hash),
            parent_hash: header.map_or(B256::ZERO, |it| it.parent_hash),
            state_root: header.map(|it| it.state_root),
            accesses: Vec::new(),
        }
    }
}

/// The hash of a transaction given as its hash, or as an object.
fn tx_hash((at, tx): (usize, &Value)) -> Result<B256, Fault> {
    let field = format!("transactions[{at}]");
    json::hash(tx.get("hash").unwrap_or(tx), &field)
}
