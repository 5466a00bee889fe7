//! Why a store cannot be filled.

use thinstate_engine::{BulkError, leaf_store::StoreError, store::StoreBulkError};

/// A store cannot be filled. It is empty again where that was possible; else opening it says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The permanent tier cannot be built.
    #[error("the state cannot be built")]
    Build(#[from] BulkError),
    /// The store of all tiers cannot be built.
    #[error("the store cannot be built")]
    Store(#[from] StoreBulkError),
    /// The leaf store failed once the state was built. Reopen it.
    #[error("the files cannot be settled")]
    Settle(#[from] StoreError),
    /// More accounts than are counted in 32 bits. Fill with fewer.
    #[error("{got} accounts, expected at most {}", u32::MAX)]
    Accounts {
        /// How many.
        got: u64,
    },
}
