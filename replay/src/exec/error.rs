//! Why a block was not executed.

use super::{AccessIndex, ForkError, ReadError, SenderError};
use alloy_evm::block::BlockExecutionError;
use core::error::Error;

/// Why a block was not executed to its end. `E` is the error of the state that it was read from.
#[derive(Debug, thiserror::Error)]
pub enum ExecError<E: Error + 'static> {
    /// The header fits no fork of the chain.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// A transaction has no valid signature.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// Something that the block needs could not be read: the block may be right. With a partial
    /// state, get what is missing and execute again.
    #[error("step {index} of the block could not read what it needs")]
    Read {
        /// The step that asked.
        index: AccessIndex,
        /// What could not be read.
        source: ReadError<E>,
    },
    /// The block breaks a rule of its fork, or the state is not the one it was made on.
    #[error("step {index} of the block is invalid")]
    Invalid {
        /// The step that failed.
        index: AccessIndex,
        /// The rule.
        source: BlockExecutionError,
    },
}
