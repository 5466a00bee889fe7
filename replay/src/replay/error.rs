//! Why a replay cannot begin, or go on.

use super::{checkpoint::CheckpointError, config::ConfigError};
use crate::{
    amplify::SourceError,
    design::DesignError,
    measure::{ReadError, RecordError},
};
use alloy_primitives::B256;
use std::{io, path::PathBuf};
use thinstate_formats::BlockNumber;

/// A replay cannot begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// What is asked for contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The workload cannot be had, or ends in an error.
    #[error("the workload")]
    Source(#[from] SourceError),
    /// Something that the workload is made from cannot be used: the message says which file, and why.
    #[error("{what}")]
    Workload {
        /// What was to be used.
        what: String,
        /// Why not.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// The design cannot be had: no such name, or its file is wrong.
    #[error("design {name}")]
    Design {
        /// Name or file.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// The design failed. What it did until then is in the result.
    #[error("design {design}")]
    State {
        /// Its name.
        design: String,
        /// Why.
        source: DesignError,
    },
    /// Two states that must be the same are not. One of them is wrong.
    #[error("block {number}: state root of {design} is {got}, expected {expected} ({reference})")]
    Root {
        /// The block.
        number: BlockNumber,
        /// The design.
        design: String,
        /// Its root.
        got: B256,
        /// The other one.
        expected: B256,
        /// Whose that is.
        reference: String,
    },
    /// A run cannot be compared with: it is of another workload, or its design has another trie.
    #[error("{path}: cannot compare roots: {reason}", path = path.display())]
    Reference {
        /// The run.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The result cannot be written.
    #[error("the result")]
    Record(#[from] RecordError),
    /// An earlier run cannot be read.
    #[error("an earlier run")]
    Read(#[from] ReadError),
    /// A run cannot be gone on with.
    #[error("the run cannot be gone on with")]
    Checkpoint(#[from] CheckpointError),
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
    /// The workload ended before a block was measured: there is nothing to report.
    #[error("the workload has {got} blocks, expected more than the {warm_up} of the warm-up")]
    TooShort {
        /// Blocks that it has.
        got: u64,
        /// Blocks that are discarded.
        warm_up: u64,
    },
}

impl ReplayError {
    /// Wraps a refusal of the operating system.
    pub(super) fn os(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Os {
            action,
            path,
            source,
        }
    }

    /// Wraps an error of what the workload is made from.
    pub(super) fn workload<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: core::error::Error + Send + Sync + 'static,
    {
        let what = what.into();
        move |source| Self::Workload {
            what,
            source: Box::new(source),
        }
    }

    /// Wraps an error of a design.
    pub(super) fn state(design: &str) -> impl FnOnce(DesignError) -> Self {
        let design = design.to_owned();
        move |source| Self::State { design, source }
    }

    /// The error with its causes, in one line.
    pub fn chain(&self) -> String {
        let causes = std::iter::successors(core::error::Error::source(self), |it| it.source());
        causes.fold(self.to_string(), |line, cause| format!("{line}: {cause}"))
    }
}
