//! Why a witness was not taken.

use crate::source::file::ReadError;
use alloy_primitives::B256;
use std::{io, path::PathBuf};

/// A file that is no usable witness, and why.
#[derive(Debug, thiserror::Error)]
#[error("witness {} cannot be used", path.display())]
pub struct WitnessError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: Fault,
}

/// What is wrong with a witness or with the block that belongs to it. Each variant says where: a
/// field of the file's JSON, as in `state[17]`.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read, or its zstd frame is damaged.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// More bytes than any witness has. Raise the limit if that is no longer so.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit, after decompression.
        limit: u64,
    },
    /// The file is no JSON, or ends early.
    #[error("it is no complete JSON document")]
    Json(#[from] serde_json::Error),
    /// A field is missing.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// A field has another type than it must have.
    #[error("`{field}` is of the wrong type, expected {expected}")]
    Type {
        /// The field.
        field: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A field that must be 0x-prefixed hex is not.
    #[error("`{field}` is not the hex of {expected}")]
    Hex {
        /// The field.
        field: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A field's JSON does not describe such an object.
    #[error("`{field}` does not describe {expected}")]
    Object {
        /// The field.
        field: String,
        /// What belongs there.
        expected: &'static str,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// A field's bytes do not decode.
    #[error("`{field}` does not decode as {expected}")]
    Rlp {
        /// The field.
        field: String,
        /// What belongs there.
        expected: &'static str,
        /// What the decoder met.
        source: alloy_rlp::Error,
    },
    /// Bytes are left over behind the object.
    #[error("`{field}` has {left} bytes behind its end")]
    Trailing {
        /// The field.
        field: String,
        /// How many.
        left: usize,
    },
    /// The header has more fields than any known fork gives it.
    #[error(
        "`{field}` is of an unknown fork: its header has {got} fields, expected {known} at most"
    )]
    UnknownHeader {
        /// The field of the file that holds the header.
        field: String,
        /// Fields found.
        got: usize,
        /// Fields of a header of the newest known fork.
        known: usize,
    },
    /// Something does not hash to what it should.
    #[error("`{field}` has hash {got}, expected {expected}")]
    Hash {
        /// The field.
        field: String,
        /// The hash it must have.
        expected: B256,
        /// The hash it has.
        got: B256,
    },
    /// A number differs from the block's.
    #[error("`{field}` is {got}, expected {expected}")]
    Number {
        /// The field.
        field: String,
        /// What it must be.
        expected: u64,
        /// What it is.
        got: u64,
    },
    /// The parent header has another state root than the witness claims to start from.
    #[error("`pre_state_root` is {got}, expected {expected} (parent header)")]
    PreStateRoot {
        /// The parent header's state root.
        expected: B256,
        /// The field.
        got: B256,
    },
    /// Without the parent's header, nothing says which state the nodes belong to.
    #[error(
        "`headers` lacks the parent of block {number}: the root of the state before it is unknown"
    )]
    NoParent {
        /// The block.
        number: u64,
    },
    /// A block as JSON names its ommers by hash only. Give the block as RLP (`debug_getRawBlock`).
    #[error("block {number} has {ommers} ommers, given as hashes only: expected the block's RLP")]
    OmmersByHash {
        /// The block.
        number: u64,
        /// How many.
        ommers: usize,
    },
    /// A `debug_executionWitness` result holds no block, and no file beside it does.
    #[error("no block belongs to it: expected one of {}", expected.join(", "))]
    NoBlock {
        /// The names looked for in the same folder.
        expected: Vec<String>,
    },
    /// The block's file, which stands beside the witness, is at fault.
    #[error("its block {} cannot be used", path.display())]
    Block {
        /// The block's file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Fault>,
    },
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::TooLarge { limit } => Self::TooLarge { limit },
        }
    }
}

impl Fault {
    /// The fault with its file.
    pub(super) fn at(self, path: impl Into<PathBuf>) -> WitnessError {
        WitnessError {
            path: path.into(),
            source: self,
        }
    }
}
