//! Why a design cannot go on.

use alloy_primitives::{Address, B256, U256};
use thinstate_formats::BlockNumber;

/// A design cannot fill its store, or carry out a block.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    /// The state does not hold what the load expects: store and workload do not belong together, or the
    /// store lost something.
    #[error("block {number}: account {address}: expected {expected}, found {got}")]
    Account {
        /// The block.
        number: BlockNumber,
        /// The account.
        address: Address,
        /// What the load says.
        expected: String,
        /// What the store has.
        got: String,
    },
    /// The same of a slot, in whatever tier it lives.
    #[error(
        "block {number}: slot {slot:#x} of {address} ({tier}): expected {expected:#x}, found {got:#x}"
    )]
    Slot {
        /// The block.
        number: BlockNumber,
        /// The tier.
        tier: &'static str,
        /// The contract.
        address: Address,
        /// The slot.
        slot: U256,
        /// What the load says.
        expected: U256,
        /// What the store has.
        got: U256,
    },
    /// The root is not the one that it must be.
    #[error("block {number}: state root: expected {expected}, got {got}")]
    Root {
        /// The block.
        number: BlockNumber,
        /// From the source, or from another design with the same trie.
        expected: B256,
        /// This design's.
        got: B256,
    },
    /// What the design cannot do, with what it would need.
    #[error("{design}: {what}")]
    Unsupported {
        /// The design.
        design: String,
        /// What cannot be done, and why.
        what: String,
    },
    /// The store under the design failed.
    #[error("{context}")]
    Store {
        /// What was attempted.
        context: String,
        /// What happened.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

impl DesignError {
    /// Wraps an error of the store with what was attempted.
    pub fn store<E>(context: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: core::error::Error + Send + Sync + 'static,
    {
        let context = context.into();
        move |source| Self::Store {
            context,
            source: Box::new(source),
        }
    }
}
