//! Opening a store that exists.
//!
//! The leaf store makes what is missing: a folder, tables. A command that looks into a store must
//! not, or a mistyped path would be answered with an empty state, and a database of another program
//! would gain tables. So the folder is asked first which tables it has, which writes nothing.
//!
//! A folder of all tiers:
//!
//! ```text
//! DIR/                    the leaf store's own files
//! DIR/spent/              mapped spent bitfields
//! DIR/archive/periods/    leaves of sealed periods     } each where this node
//! DIR/archive/records/    records                      } keeps such an archive
//! DIR/archive/expired/    leaves that expired in place }
//! ```
//!
//! The rules are those that the store was made with, which it has itself. A store that was never
//! given any has a permanent tier alone.

use core::fmt;
use std::{
    io,
    path::{Path, PathBuf},
};
use thinstate_engine::{
    OpenError, Options, PermanentTier, StateError, Store, StoreOptions, StoreRules,
    TemporaryOpenError,
    archive::{periods::PeriodArchiveError, records::RecordArchiveError},
    leaf_store::{
        DiskOptions, DiskStore, LeafStore as _, RocksStore, StoreError, StoreKind, Table,
    },
    spent::SpentError,
    store::{ArchiveOptions, StoreOpenError, recorded_rules},
    utxo::UtxoError,
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
        source: Box<OpenError>,
    },
    /// One of the tiers cannot be used.
    #[error("the tiers in {path} cannot be used")]
    Tiers {
        /// The path.
        path: PathBuf,
        /// Why.
        source: Box<StoreOpenError>,
    },
    /// The command needs a tier that the store does not have.
    #[error("the store at {path} has a permanent tier alone, expected one of all tiers")]
    PermanentAlone {
        /// The path.
        path: PathBuf,
    },
}

/// A store, with the tiers that it has.
pub enum OpenStore {
    /// Accounts, slots and code, and nothing else.
    Permanent(Box<PermanentTier<DiskStore>>),
    /// All tiers.
    All(Box<Store<DiskStore>>),
}

impl fmt::Debug for OpenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permanent(_) => "Permanent",
            Self::All(_) => "All",
        })
    }
}

impl OpenStore {
    /// The permanent tier.
    pub fn permanent(&self) -> &PermanentTier<DiskStore> {
        match self {
            Self::Permanent(tier) => tier,
            Self::All(store) => store.permanent(),
        }
    }
}

impl DatadirError {
    /// Whether the store is there, and what it holds is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Absent { .. } | Self::NotAStore { .. } | Self::PermanentAlone { .. } => false,
            Self::Files(error) => is_corrupt(error),
            Self::State { source, .. } => is_damaged_state(source),
            Self::Tiers { source, .. } => are_damaged_tiers(source),
        }
    }
}

const fn is_damaged_state(error: &OpenError) -> bool {
    match error {
        OpenError::Store(error) | OpenError::State(StateError::Store(error)) => is_corrupt(error),
        OpenError::BadHead { .. }
        | OpenError::RootMismatch { .. }
        | OpenError::State(StateError::Contradiction { .. }) => true,
        _ => false,
    }
}

const fn are_damaged_tiers(error: &StoreOpenError) -> bool {
    match error {
        StoreOpenError::Store(error)
        | StoreOpenError::Temporary(TemporaryOpenError::Store(error))
        | StoreOpenError::Utxo(UtxoError::Store(error)) => is_corrupt(error),
        StoreOpenError::Permanent(error) => is_damaged_state(error),
        StoreOpenError::BadRules { .. } | StoreOpenError::CommitmentMismatch { .. } => true,
        StoreOpenError::Temporary(error) => matches!(
            error,
            TemporaryOpenError::BadEntry { .. }
                | TemporaryOpenError::MissingLog { .. }
                | TemporaryOpenError::Misfit { .. }
                | TemporaryOpenError::Root { .. }
                | TemporaryOpenError::Table { .. }
                | TemporaryOpenError::Unsealed(_)
        ),
        StoreOpenError::Spent(error) => matches!(
            error,
            SpentError::Missing { .. }
                | SpentError::Truncated { .. }
                | SpentError::BadHeader { .. }
                | SpentError::BadJournal { .. }
                | SpentError::JournalGap { .. }
                | SpentError::RootMismatch { .. }
        ),
        StoreOpenError::Periods(error) => matches!(error, PeriodArchiveError::Damaged { .. }),
        StoreOpenError::Utxo(UtxoError::Archive(error)) => {
            matches!(error, RecordArchiveError::Corrupt { .. })
        }
        _ => false,
    }
}

const fn is_corrupt(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Corrupt { .. } | StoreError::BadEntry { .. }
    )
}

/// Opens the state in the folder `dir`, which must hold a store.
pub fn open(dir: &Path, options: Options) -> Result<PermanentTier<DiskStore>, DatadirError> {
    require_store(dir)?;
    let store = DiskStore::open(dir, &DiskOptions::default())?;
    PermanentTier::open(store, options).map_err(|source| DatadirError::State {
        path: dir.to_owned(),
        source: Box::new(source),
    })
}

/// Opens all tiers that the store in the folder `dir` has. Spent bits that a crash has left behind in
/// the journal are written into their files; archives are opened where their folders are.
pub fn open_all(dir: &Path, options: Options) -> Result<OpenStore, DatadirError> {
    require_store(dir)?;
    let store = DiskStore::open(dir, &DiskOptions::default())?;
    let failed = |source| DatadirError::Tiers {
        path: dir.to_owned(),
        source: Box::new(source),
    };
    let rules = recorded_rules(&store.snapshot()).map_err(failed)?;
    let Some(rules) = rules else {
        let tier = PermanentTier::open(store, options);
        let tier = tier.map_err(|source| DatadirError::State {
            path: dir.to_owned(),
            source: Box::new(source),
        })?;
        return Ok(OpenStore::Permanent(Box::new(tier)));
    };
    let store = Store::open(store, store_options(dir, options, rules)).map_err(failed)?;
    Ok(OpenStore::All(Box::new(store)))
}

/// Opens a store of all tiers; see [`open_all`].
pub fn open_tiers(dir: &Path, options: Options) -> Result<Store<DiskStore>, DatadirError> {
    match open_all(dir, options)? {
        OpenStore::All(store) => Ok(*store),
        OpenStore::Permanent(_) => Err(DatadirError::PermanentAlone {
            path: dir.to_owned(),
        }),
    }
}

/// No more blocks can be undone than a seal is delayed; a store with short delays undoes fewer.
fn store_options(dir: &Path, permanent: Options, rules: StoreRules) -> StoreOptions {
    let archive = dir.join("archive");
    let archived = |name| archive.join(name).is_dir();
    let undo_blocks = rules.temporary.seal_delay_blocks.saturating_sub(1);
    let has_files = dir.join("spent").is_dir() || archive.is_dir();
    StoreOptions {
        permanent: Options {
            undo_blocks: permanent.undo_blocks.min(undo_blocks),
            ..permanent
        },
        rules,
        dir: has_files.then(|| dir.to_owned()),
        archive: ArchiveOptions {
            periods: archived("periods"),
            records: archived("records"),
            owners: false,
            expired: archived("expired"),
        },
        ..StoreOptions::default()
    }
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
    match StoreKind::of(dir) {
        Some(StoreKind::RocksDb) => {}
        // Its tables are always all there, and its first page says whose it is.
        Some(StoreKind::Page) => return Ok(()),
        None => {
            let reason = "there is neither a file CURRENT nor a file pages in it";
            return Err(not_a_store(reason.to_owned()));
        }
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
