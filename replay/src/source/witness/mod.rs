//! Blocks with the trie nodes and codes that their execution needs.
//!
//! [`find`] lists the witness files at a path, [`read`] takes one. Each may be compressed as one
//! zstd frame (`.zst`). Two shapes are read, told apart by their fields:
//!
//! **Self-contained** (`N.json`), one object:
//!
//! | field | what |
//! |---|---|
//! | `number`, `hash` | of the block; both are compared with it |
//! | `pre_state_root` | root of the state before the block; compared with the parent's header where that is held |
//! | `block` | RLP of the whole block |
//! | `headers` | RLP of ancestors' headers |
//! | `block_hashes` | `[number, hash]` of ancestors whose headers are not held; taken as they are |
//! | `state` | RLP of trie nodes, of all tries and in any order |
//! | `codes` | bytecodes |
//!
//! **As nodes return it**: the result of `debug_executionWitness`, bare or as the whole JSON-RPC
//! response, in `N.witness.json` (or `N.json`), with the block in a file beside it that has the
//! same stem: `N.block.rlp` (binary), `N.block.hex` (text), or `N.block.json`, which is the result
//! of `debug_getRawBlock` or of `eth_getBlockByNumber` with whole transactions. reth gives `headers`
//! as RLP, geth as objects; older versions of both give `state` and `codes` as maps from hash to
//! bytes. The parent's header has to be among `headers`.
//!
//! What is checked: the block decodes without a byte left over and has the hash it should have; the
//! headers hash, link by link, to the block's parent hash; maps are keyed by the hash of what they
//! hold. Not checked are the nodes of a list against the root (whoever takes them into a trie does
//! that) and the block's body against its header
//! ([`check_body`](crate::exec::check_body)). Memory: the JSON document and its decoded bytes, some
//! four times the size of the witness, while it is read.

mod block;
mod error;
mod files;
pub(in crate::source) mod headers;
pub(in crate::source) mod json;
mod parse;

pub use error::{Fault, WitnessError};
pub use files::find;

use crate::exec::BlockHashes;
use alloy_consensus::{Block, Header, TxEnvelope};
use alloy_primitives::{B256, Bytes};
use std::path::Path;
use thinstate_formats::BlockNumber;

/// A block with what its execution needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockWitness {
    /// The block.
    pub block: Block<TxEnvelope>,
    /// Its hash.
    pub hash: B256,
    /// Its RLP.
    pub raw_block: Bytes,
    /// Root of the state before the block. Proven by the parent's header where that is held.
    pub pre_state_root: B256,
    /// The parent's header.
    pub parent_header: Option<Header>,
    /// Hashes of ancestors, for `BLOCKHASH`.
    pub block_hashes: BlockHashes,
    /// RLP of trie nodes, in no particular order.
    pub state: Vec<Bytes>,
    /// Codes, in no particular order.
    pub codes: Vec<Bytes>,
}

impl BlockWitness {
    /// The block's number.
    pub const fn number(&self) -> BlockNumber {
        BlockNumber(self.block.header.number)
    }
}

/// Reads a witness from its file and, where it has one of its own, the file of its block.
pub fn read(path: &Path) -> Result<BlockWitness, WitnessError> {
    read_inner(path).map_err(|fault| fault.at(path))
}

fn read_inner(path: &Path) -> Result<BlockWitness, Fault> {
    let document = json::object(files::document(path)?)?;
    if parse::holds_block(&document) {
        return parse::self_contained(document);
    }
    // A file of another kind should hear that, not that it lacks a block.
    if !document.keys().any(|key| key.eq_ignore_ascii_case("state")) {
        return Err(Fault::Missing {
            field: "state".into(),
        });
    }
    parse::plain(document, files::companion(path)?)
}
