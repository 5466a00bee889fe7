//! Opening a store that exists.
//!
//! The leaf store makes what is missing: a folder, tables. A command that looks into a store must
//! not, or a mistyped path would be answered with an empty state, and a database of another program
//! would gain tables. So the folder is asked first which tables it has, which writes nothing.

use std::{
    io,
    path::{Path, PathBuf},
};
use thinstate_engine::{
    OpenError, Options, PermanentTier, StateError,
    leaf_store::{RocksOptions, RocksStore, StoreError, Table},
};

/// There is no store to look into.
#[derive(Debug, thiserror::Error)]
pub enum DatadirError {
    /// There is nothing at the path, or it cannot be reached. Check the path.
    #[error("there is no store at {path}")]
    Absent {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is there is no thinstate store. Check the path.
    #[error("{path} is not a thinstate store: {reason}")]
    NotAStore {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        reason: String,
    },
    /// The files cannot be opened: another process holds them, or they are damaged.
    #[error(transparent)]
    Files(#[from] StoreError),
    /// The state in the files cannot be used.
    #[error("the state in {path} cannot be used")]
    State {
        /// The path.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
}

impl DatadirError {
    /// Whether the store is there, and what it holds is damaged.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Absent { .. } | Self::NotAStore { .. } => false,
            Self::Files(error) => is_corrupt(error),
            Self::State { source, .. } => match source {
                OpenError::Store(error) | OpenError::State(StateError::Store(error)) => {
                    is_corrupt(error)
                }
                OpenError::BadHead { .. }
                | OpenError::RootMismatch { .. }
                | OpenError::State(StateError::Contradiction { .. }) => true,
                _ => false,
            },
        }
    }
}

const fn is_corrupt(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Corrupt { .. } | StoreError::BadEntry { .. }
    )
}

/// Opens the state in the folder `dir`, which must hold a store.
pub fn open(dir: &Path, options: Options) -> Result<PermanentTier<RocksStore>, DatadirError> {
    require_store(dir)?;
    let store = RocksStore::open(dir, RocksOptions::default())?;
    PermanentTier::open(store, options).map_err(|source| DatadirError::State {
        path: dir.to_owned(),
        source,
    })
}

/// Refuses a folder that is not there, or whose tables are not a store's. Writes nothing.
fn require_store(dir: &Path) -> Result<(), DatadirError> {
    let not_a_store = |reason: String| DatadirError::NotAStore {
        path: dir.to_owned(),
        reason,
    };
    let metadata = dir.metadata().map_err(|source| DatadirError::Absent {
        path: dir.to_owned(),
        source,
    })?;
    if !metadata.is_dir() {
        return Err(not_a_store("it is no folder".to_owned()));
    }
    if !dir.join("CURRENT").exists() {
        return Err(not_a_store("there is no file CURRENT in it".to_owned()));
    }
    let tables = RocksStore::tables(dir)
        .map_err(|error| not_a_store(format!("its tables cannot be listed: {error}")))?;
    let missing = Table::ALL
        .iter()
        .find(|table| !tables.iter().any(|name| name == table.name()));
    match missing {
        None => Ok(()),
        Some(table) => Err(not_a_store(format!(
            "it has no table {}, but {}",
            table.name(),
            tables.join(", ")
        ))),
    }
}
