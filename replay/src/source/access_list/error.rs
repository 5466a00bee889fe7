//! Why an access list was not taken, or could not be made.

use crate::source::{file::ReadError, witness::Fault};
use alloy_eip7928::{BlockAccessListGasError, BlockAccessListValidationError};
use alloy_primitives::{Address, B256};
use std::{io, path::PathBuf};
use thinstate_engine::StateError;
use thinstate_formats::{access_list::AccessListCodecError, trace::BlockAccessIndex};

/// A file of an access list that cannot be used or written, and why.
#[derive(Debug, thiserror::Error)]
#[error("access list {} cannot be used", path.display())]
pub struct AccessListError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub source: AccessListFault,
}

/// What is wrong with an access list.
#[derive(Debug, thiserror::Error)]
pub enum AccessListFault {
    /// The file cannot be read or written.
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
    /// More bytes than any list has.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit, after decompression.
        limit: u64,
    },
    /// The bytes are no list. Check that the file is the RLP of a list, and of nothing else.
    #[error("it does not decode as the RLP of an access list")]
    Rlp(#[source] alloy_rlp::Error),
    /// Bytes are left over behind the list.
    #[error("it has {left} bytes behind its end")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// The document is no list.
    #[error("it is not the JSON of an access list, as eth_getBlockAccessList returns it")]
    Json(#[source] serde_json::Error),
    /// The list breaks a rule of EIP-7928. Whoever made it is wrong.
    #[error("it breaks EIP-7928")]
    Rule(#[from] BlockAccessListValidationError),
    /// The list names more than the block's gas pays for.
    #[error("it breaks EIP-7928's bound of size")]
    Size(#[from] BlockAccessListGasError),
    /// The block has another list.
    #[error("its hash is {got}, expected {expected} (header)")]
    Hash {
        /// The header's.
        expected: B256,
        /// The list's.
        got: B256,
    },
    /// The name does not say which block the list is of. Name it `N.rlp`, `N.bal.rlp` or `N.bal.json`.
    #[error("its name does not begin with the number of its block")]
    Unnumbered,
    /// The file of its block, which stands beside the list, is at fault.
    #[error("its block {} cannot be used", path.display())]
    Block {
        /// The block's file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Fault>,
    },
    /// The file of its block holds another block.
    #[error("its block {} is block {got}, expected {expected}", path.display())]
    BlockNumber {
        /// The block's file.
        path: PathBuf,
        /// The list's.
        expected: u64,
        /// The file's.
        got: u64,
    },
    /// The state that knows the values before has no answer.
    #[error("what was there before is not known")]
    State(#[from] StateError),
    /// A list holds the code that is deployed, and only its hash is at hand. Make the list where the
    /// block is executed, or read from a list.
    #[error("{address} is given code {hash} at index {index}, of which the bytes are not at hand")]
    Code {
        /// The account.
        address: Address,
        /// Where in the block.
        index: BlockAccessIndex,
        /// The code's hash.
        hash: B256,
    },
    /// Storage is wiped: no list says which slots. Such blocks are before Cancun.
    #[error("all storage of {address} is dropped at index {index}, which no list can say")]
    Wiped {
        /// The account.
        address: Address,
        /// Where in the block.
        index: BlockAccessIndex,
    },
}

impl AccessListFault {
    /// The fault with its file.
    pub(super) fn at(self, path: impl Into<PathBuf>) -> AccessListError {
        AccessListError {
            path: path.into(),
            source: self,
        }
    }
}

impl From<AccessListCodecError> for AccessListFault {
    fn from(error: AccessListCodecError) -> Self {
        match error {
            AccessListCodecError::Rlp(error) => Self::Rlp(error),
            AccessListCodecError::Trailing { left } => Self::Trailing { left },
            AccessListCodecError::Json(error) => Self::Json(error),
        }
    }
}

impl From<ReadError> for AccessListFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::TooLarge { limit } => Self::TooLarge { limit },
        }
    }
}
