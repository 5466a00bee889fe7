//! Why a study cannot be carried out.

use crate::{
    compare::CompareError,
    generate::GenerateError,
    measure::{ReadError, device::ProfileLoadError},
    replay::ReplayError,
};
use alloy_primitives::B256;
use std::path::PathBuf;

/// A study ends.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The text is no TOML, or names something unknown. The message says what and where.
    #[error("not a study: {0}")]
    Syntax(toml::de::Error),
    /// A field cannot be what it is.
    #[error("{name}: expected {expected}, got {got}")]
    BadField {
        /// The field.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// The folder holds another study. Take another folder, or remove this one.
    #[error("{path}: holds another study: {difference}")]
    OtherStudy {
        /// The file that says so.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// Another process carries a study out in the folder. Wait for it, or take another folder.
    #[error("{path}: another study is writing into it")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file of the study cannot be read or written.
    #[error("{action} {path}")]
    Os {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the study is not what this version writes.
    #[error("{path}: expected {expected}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// What is wrong with it.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// Two designs with the same trie have different roots after the same block.
    #[error(
        "block {block}: {a} has state root {root_a}, {b}, whose trie is the same, has {root_b}"
    )]
    RootsDiffer {
        /// The block.
        block: u64,
        /// A design.
        a: String,
        /// Its root.
        root_a: B256,
        /// The other.
        b: String,
        /// Its root.
        root_b: B256,
    },
    /// A prediction is asked for the device that was measured, and none was. Give its profile (`--device`).
    #[error(
        "a prediction for the measured device: expected its profile, which `thinstate device -o FILE` writes"
    )]
    NoDevice,
    /// A prediction is asked for a device whose profile cannot be had.
    #[error("a prediction")]
    Device(#[from] ProfileLoadError),
    /// The workload or a design cannot be made.
    #[error("the workload or a design")]
    Workload(#[from] Box<ReplayError>),
    /// Its blocks cannot be generated.
    #[error("the workload's blocks beside mainnet's")]
    Generate(#[from] Box<GenerateError>),
    /// The result of a run cannot be read.
    #[error(transparent)]
    Read(#[from] Box<ReadError>),
    /// A run and its repetition cannot be compared.
    #[error("the noise floor")]
    Noise(#[from] Box<CompareError>),
    /// A run failed.
    #[error("{design}, {accounts} accounts, {multiple}x")]
    Run {
        /// The design.
        design: String,
        /// Accounts.
        accounts: u64,
        /// The gas multiple.
        multiple: u32,
        /// Why.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

impl StudyError {
    /// An error of the operating system, with what it refused.
    pub(super) fn os<'a>(
        action: &'static str,
        path: &'a std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Os {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
