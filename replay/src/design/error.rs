//! Why a design cannot go on.

use super::WrongCode;
use crate::fill::FillError;
use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{Account, BlockNumber};

/// A design cannot fill its store, or carry out a block.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    /// The state does not hold what the load expects: store and workload do not belong together, or the
    /// store lost something.
    #[error(transparent)]
    Account(#[from] Box<WrongAccount>),
    /// The same of a slot, in whatever tier it lives.
    #[error(transparent)]
    Slot(#[from] Box<WrongSlot>),
    /// The same of a code.
    #[error(transparent)]
    Code(#[from] Box<WrongCode>),
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
    /// The block does not follow the head. Nothing was changed; give the one that does.
    #[error("block {got} does not follow the head, expected {expected}")]
    NotNext {
        /// The number that follows.
        expected: BlockNumber,
        /// The number given.
        got: BlockNumber,
    },
    /// A plan that another design made.
    #[error("block {number}: the plan is not one of this design")]
    ForeignPlan {
        /// The block.
        number: BlockNumber,
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

/// An account is not what the load expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {number}: account {address}: expected {}, found {}",
    show(expected),
    show(got)
)]
pub struct WrongAccount {
    /// The block.
    pub number: BlockNumber,
    /// The account.
    pub address: Address,
    /// What the load says.
    pub expected: Option<Account>,
    /// What the store has.
    pub got: Option<Account>,
}

fn show(account: &Option<Account>) -> String {
    account.map_or("none".to_owned(), |it| {
        let Account {
            nonce,
            balance,
            code_hash,
        } = it;
        format!("nonce {nonce}, balance {balance}, code {code_hash}")
    })
}

/// A slot does not hold what the load expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {number}: slot {slot:#x} of {address} ({tier}): expected {expected:#x}, found {got:#x}"
)]
pub struct WrongSlot {
    /// The block.
    pub number: BlockNumber,
    /// The tier.
    pub tier: &'static str,
    /// The contract.
    pub address: Address,
    /// The slot.
    pub slot: U256,
    /// What the load says.
    pub expected: U256,
    /// What the store has.
    pub got: U256,
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

impl From<FillError> for DesignError {
    fn from(error: FillError) -> Self {
        Self::store("fill the store")(error)
    }
}
