//! What can end a demo.

use super::{
    generate::{GenerateError, ProfileError},
    oracle::OracleError,
};
use crate::{exec::UnsignedError, source::genesis::GenesisError};
use alloy_primitives::{Address, B256, U256};
use core::error::Error;
use std::{io, path::PathBuf};
use thinstate_engine::{
    CommitError, OpenError, StateError, UndoError, VerifyError, leaf_store::StoreError,
};
use thinstate_formats::{Account, BlockNumber};

/// Why a demo did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The genesis file is not there, or none.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The genesis file is not mainnet's, or the store hashes wrongly: the oracle tells which.
    #[error(
        "the genesis state's root is {got} in the store, {oracle} by the oracle, expected \
         mainnet's {expected}"
    )]
    GenesisRoot {
        /// Mainnet's.
        expected: B256,
        /// The store's.
        got: B256,
        /// The oracle's.
        oracle: B256,
    },
    /// The profile is not there, or cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The profile asks for more than the genesis accounts can pay.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The folder for the results cannot be used.
    #[error(transparent)]
    OutDir(#[from] OutDirError),
    /// The leaf store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The store cannot be opened.
    #[error("the store could not be opened")]
    Open(#[from] OpenError),
    /// A block could not be executed through the store.
    #[error("block {block} could not be executed")]
    Execute {
        /// The block.
        block: BlockNumber,
        /// Why not.
        source: Box<UnsignedError<StateError>>,
    },
    /// A block could not be executed by the oracle.
    #[error("block {block} could not be executed by the oracle")]
    Oracle {
        /// The block.
        block: BlockNumber,
        /// Why not.
        source: Box<OracleError>,
    },
    /// The store and the oracle do not agree: one of them is wrong.
    #[error("block {block}: the store's root is {got}, but the oracle's is {expected}")]
    Root {
        /// The first block after which they differ.
        block: BlockNumber,
        /// The oracle's root.
        expected: B256,
        /// The store's.
        got: B256,
    },
    /// A block used another amount of gas on the oracle: one of the two states was read wrongly.
    #[error("block {block}: {got} gas used on the store, but {expected} on the oracle")]
    Gas {
        /// The block.
        block: BlockNumber,
        /// The oracle's gas.
        expected: u64,
        /// The store's.
        got: u64,
    },
    /// A block could not be committed.
    #[error("block {block} could not be committed")]
    Commit {
        /// The block.
        block: BlockNumber,
        /// Why not.
        source: CommitError,
    },
    /// A block could not be undone.
    #[error("block {block} could not be undone")]
    Undo {
        /// The block.
        block: BlockNumber,
        /// Why not.
        source: UndoError,
    },
    /// A block that was undone, or done again, does not lead to the root that it led to before.
    #[error("block {block}, {what}: the root is {got}, expected {expected}")]
    Replayed {
        /// The block.
        block: BlockNumber,
        /// `undone` or `done again`.
        what: &'static str,
        /// The root that was there before.
        expected: B256,
        /// The root now.
        got: B256,
    },
    /// The reopened store shows something else than was committed.
    #[error("the reopened store's {what} is {got}, expected {expected}")]
    Reopened {
        /// Of what.
        what: &'static str,
        /// What was committed.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Full verification has found damage.
    #[error("the store does not verify")]
    Verify(#[from] VerifyError),
    /// An entry of the store is not what the oracle says.
    #[error("the store does not hold what the oracle holds")]
    Content(#[from] Difference<StateError>),
}

/// A store and the oracle's state differ.
#[derive(Debug, thiserror::Error)]
pub enum Difference<E: Error + 'static> {
    /// The store could not be read.
    #[error("the store could not be read")]
    Unreadable(#[source] E),
    /// An account.
    #[error("account {address} is {got:?}, expected {expected:?}")]
    Account {
        /// Its address.
        address: Address,
        /// The oracle's.
        expected: Box<Account>,
        /// The store's.
        got: Box<Option<Account>>,
    },
    /// A slot.
    #[error("slot {slot:#x} of account {address} is {got}, expected {expected}")]
    Slot {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
        /// The oracle's value.
        expected: Box<U256>,
        /// The store's.
        got: Box<U256>,
    },
    /// A code is missing, or not what its hash says.
    #[error("code {0} is missing or altered")]
    Code(B256),
}

impl<E: Error + 'static> Difference<E> {
    pub(super) fn account(address: Address, expected: Box<Account>, got: Option<Account>) -> Self {
        Self::Account {
            address,
            expected,
            got: Box::new(got),
        }
    }

    pub(super) fn slot(address: Address, slot: U256, expected: U256, got: U256) -> Self {
        Self::Slot {
            address,
            slot,
            expected: Box::new(expected),
            got: Box::new(got),
        }
    }
}

/// The folder for the results cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutDirError {
    /// There is a store that no demo has made. Move it, or choose another folder.
    #[error(
        "{}: not made by an earlier demo (no file {marker} in it), so it is not removed; \
         choose another folder with --out", path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// The file that would say so.
        marker: &'static str,
    },
    /// Another demo is running in this folder. Wait for it, or choose another folder.
    #[error("{}: another demo is using it; choose another folder with --out", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}", path.display())]
    Os {
        /// What was to be done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it could not be done.
        source: io::Error,
    },
}
