//! Why a pre-state was not taken.

use crate::source::witness::Fault;
use alloy_primitives::B256;
use std::path::PathBuf;
use thinstate_formats::BlockNumber;

/// A block's pre-state that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrestateError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Fault>,
    },
    /// The block's own file is not there. Fetch it: `eth_getBlockByNumber`.
    #[error("{}: no block beside it, expected {expected}", path.display())]
    NoBlock {
        /// The file whose block is missing.
        path: PathBuf,
        /// Where it was looked for.
        expected: String,
    },
    /// The block's file holds another block.
    #[error("{}: block {got}, expected {expected}", path.display())]
    BlockNumber {
        /// The block's file.
        path: PathBuf,
        /// The number that the files are named for.
        expected: BlockNumber,
        /// The block that is there.
        got: BlockNumber,
    },
    /// A tracer's result has more or fewer transactions than the block. It is of another block.
    #[error("{what}: {got} transactions, expected {expected} (block)")]
    Transactions {
        /// Which result.
        what: &'static str,
        /// Those of the block.
        expected: usize,
        /// Those of the result.
        got: usize,
    },
    /// A transaction of the result is not the block's. It is of another block.
    #[error("{what}: transaction {at} is {got}, expected {expected} (block)")]
    Transaction {
        /// Which result.
        what: &'static str,
        /// Its position.
        at: usize,
        /// The block's.
        expected: B256,
        /// The result's.
        got: B256,
    },
}

impl PrestateError {
    /// A fault with its file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(Fault) -> Self {
        let path = path.into();
        move |fault| Self::File {
            path,
            source: Box::new(fault),
        }
    }
}
