//! Why a phase fails.

use crate::{rounds::RoundsError, store::BoxError};
use thinstate_replay::{design::DesignError, replay::ReplayError};

/// Why a phase failed.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// This build has no such store: `list` has the names.
    #[error("{name} is no store of this build")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The store failed.
    #[error("{action}")]
    Store {
        /// What it was doing.
        action: &'static str,
        /// Why.
        source: BoxError,
    },
    /// The store answered with what was never written: its figures are worth nothing.
    #[error("key {number} reads as {got}, which no block up to {block} wrote to it")]
    Wrong {
        /// The key's number.
        number: u64,
        /// What it reads as.
        got: String,
        /// The last block.
        block: u64,
    },
    /// Blocks failed, or were interrupted.
    #[error(transparent)]
    Rounds(#[from] RoundsError),
    /// The page cache cannot be dropped.
    #[error(transparent)]
    Cache(#[from] ReplayError),
    /// The folder cannot be looked through.
    #[error(transparent)]
    Folder(#[from] DesignError),
    /// Threads cannot be started.
    #[error("start threads that read")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl PhaseError {
    pub(crate) fn store(action: &'static str) -> impl Fn(BoxError) -> Self {
        move |source| Self::Store { action, source }
    }

    /// Whether somebody asked for an end.
    pub const fn is_interrupted(&self) -> bool {
        matches!(self, Self::Rounds(RoundsError::Interrupted))
    }
}
