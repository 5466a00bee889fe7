//! A folder filled with a population, as a store that other commands open.

use super::{
    FillError,
    cache::{self, Cache, CacheError, CacheKey, FileError, Origin},
};
use crate::{design::FillContext, inspect::sizes::HeadSummary, population::Population};
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};
use thinstate_engine::{
    FORMAT_VERSION, Head, OpenError, Options, PermanentTier, Store, StoreOptions,
    leaf_store::{DiskOptions, DiskStore, RocksStore, StoreError, StoreKind},
    store::StoreOpenError,
};
use thinstate_formats::{BlockNumber, object::ObjectClass};

/// What a folder is filled with.
pub struct FolderFill<'a> {
    /// Accounts and slots: all of them go to the permanent tier.
    pub population: &'a Population,
    /// The block that the state is of.
    pub block: BlockNumber,
    /// The leaf store.
    pub store: StoreKind,
    /// Whether the store has all tiers, with default rules.
    pub all_tiers: bool,
    /// Entries after which an interrupted fill can be gone on with.
    pub step_entries: u64,
    /// As [`FillContext::progress`].
    pub progress: &'a (dyn Fn(&str, u64, u64) + Sync),
}

impl core::fmt::Debug for FolderFill<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FolderFill")
            .field("population", self.population.spec())
            .field("block", &self.block)
            .field("store", &self.store)
            .field("all_tiers", &self.all_tiers)
            .finish_non_exhaustive()
    }
}

/// What a folder was filled with, and what it took.
#[derive(Clone, Debug, Serialize)]
pub struct FilledFolder {
    /// Version of this description.
    pub version: u32,
    /// Block, root and counts.
    pub head: HeadSummary,
    /// The same, as the tier has it.
    #[serde(skip)]
    pub tier_head: Head,
    /// Accounts that an interrupted fill had brought in.
    pub accounts_kept: u64,
    /// Codes.
    pub codes: u64,
    /// Bytes of all files, those shared with the cache among them.
    pub folder_bytes: u64,
    /// From the command to the store that can be opened, or that was opened, if it comes from the cache.
    pub seconds: f64,
    /// Accounts and slots for each of these seconds.
    pub entries_per_second: f64,
    /// The most memory that the process held; `None` where the system does not say.
    pub peak_memory_bytes: Option<u64>,
    /// Whether it comes from the cache.
    pub cached: bool,
}

/// A folder cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is something in it. Choose another, or remove what is there.
    #[error("{}: not empty; choose another folder, or remove what is in it", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The leaf store failed.
    #[error(transparent)]
    Files(#[from] StoreError),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Open(#[from] OpenError),
    /// The store of all tiers cannot be opened.
    #[error("the store of all tiers cannot be opened")]
    OpenAll(#[from] StoreOpenError),
    /// The fill failed.
    #[error("the store cannot be filled")]
    Fill(#[from] FillError),
    /// The cache cannot hand a store out.
    #[error("the cache has no store to hand out")]
    Cache(#[source] Box<CacheError<Self>>),
}

impl FolderFill<'_> {
    /// Fills the folder `dir`, which is made, or empty, or holds a fill that was interrupted; from the cache
    /// where one is given. An interrupted fill with the same is gone on with, in the folder or in the cache;
    /// another one is removed.
    pub fn run(&self, dir: &Path, cache: Option<&Cache>) -> Result<FilledFolder, FolderError> {
        let started = Instant::now();
        check_room(dir, cache.is_some())?;
        let mut accounts_kept = 0;
        let mut fill = |dir: &Path| {
            accounts_kept = self.fill(dir)?;
            Ok::<_, FolderError>(())
        };
        let cached = match cache {
            None => {
                fill(dir)?;
                false
            }
            Some(cache) => {
                let origin = cache.get_or_resume(&self.key(), dir, fill);
                origin.map_err(|error| FolderError::Cache(Box::new(error)))? == Origin::Cached
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        let head = read_head(dir)?;
        let head_seconds = started.elapsed().as_secs_f64();
        let seconds = if cached { head_seconds } else { seconds };
        Ok(FilledFolder {
            version: 1,
            head: HeadSummary::from(&head),
            tier_head: head,
            accounts_kept,
            codes: self.population.code_lengths().len() as u64,
            folder_bytes: folder_bytes(dir)?,
            seconds,
            entries_per_second: (head.accounts + head.slots) as f64 / seconds,
            peak_memory_bytes: peak_memory_bytes(),
            cached,
        })
    }

    fn key(&self) -> CacheKey {
        CacheKey::new(if self.all_tiers {
            "all tiers"
        } else {
            "permanent"
        })
        .with_population(self.population)
        .with("format-version", &FORMAT_VERSION)
        .with("store", &self.store)
        .with("keep", &ObjectClass::ALL)
        .with("block", &self.block.0)
    }

    /// Fills a folder that is empty, or goes on with what is in it, and closes the store in it. What cannot be gone
    /// on with is removed first. Gives how many accounts were there.
    fn fill(&self, dir: &Path) -> Result<u64, FolderError> {
        let begun = StoreKind::of(dir).is_some();
        match self.fill_behind(dir) {
            Err(_) if begun => {
                cache::clear(dir)?;
                self.fill_behind(dir)
            }
            filled => filled,
        }
    }

    fn fill_behind(&self, dir: &Path) -> Result<u64, FolderError> {
        let store = DiskStore::open(dir, &DiskOptions::of(self.store))?;
        let context = FillContext {
            block: self.block,
            progress: self.progress,
        };
        let (population, keep) = (self.population, &|_: ObjectClass| true);
        if self.all_tiers {
            let options = StoreOptions {
                dir: Some(dir.to_owned()),
                permanent: self.options(),
                ..StoreOptions::default()
            };
            let store = Store::open(store, options)?;
            let report = super::layered(&store, population, keep, &context)?;
            Ok(report.accounts_kept)
        } else {
            let tier = PermanentTier::open(store, self.options())?;
            let report = super::permanent(&tier, population, keep, &context)?;
            Ok(report.accounts_kept)
        }
    }

    fn options(&self) -> Options {
        Options {
            bulk_step_entries: self.step_entries,
            ..resuming()
        }
    }
}

/// A store that may have been left unfinished, as an empty one.
fn resuming() -> Options {
    Options {
        resume_bulk: true,
        ..Options::default()
    }
}

/// Makes the folder, and refuses one with something in it that is no interrupted fill. With a cache the folder is
/// emptied of that: what an interrupted one has built there is in the cache.
fn check_room(dir: &Path, is_cached: bool) -> Result<(), FolderError> {
    let file = |operation: &'static str| {
        move |source| FileError {
            operation,
            path: dir.to_owned(),
            source,
        }
    };
    fs::create_dir_all(dir).map_err(file("create the folder"))?;
    let list = || fs::read_dir(dir).map(|mut entries| entries.next().is_none());
    if list().map_err(file("list the folder"))? {
        return Ok(());
    }
    if !is_unfinished(dir)? {
        return Err(FolderError::NotEmpty {
            path: dir.to_owned(),
        });
    }
    if is_cached {
        cache::clear(dir)?;
    }
    Ok(())
}

/// Whether there is a store whose building was interrupted, or had not begun.
fn is_unfinished(dir: &Path) -> Result<bool, FolderError> {
    let is_ours = match StoreKind::of(dir) {
        None => false,
        Some(StoreKind::Page) => true,
        Some(StoreKind::RocksDb) => RocksStore::tables(dir)?
            .iter()
            .any(|name| name == "accounts"),
    };
    if !is_ours {
        return Ok(false);
    }
    let store = DiskStore::open(dir, &DiskOptions::default())?;
    Ok(PermanentTier::open(store, resuming())?.head().commit == 0)
}

/// Opens the store, which computes its root from the leaves, and closes it.
fn read_head(dir: &Path) -> Result<Head, FolderError> {
    let store = DiskStore::open(dir, &DiskOptions::default())?;
    Ok(PermanentTier::open(store, Options::default())?.head())
}

/// Bytes of all files below a folder.
fn folder_bytes(dir: &Path) -> Result<u64, FileError> {
    let file = |source: io::Error| FileError {
        operation: "list the folder",
        path: dir.to_owned(),
        source,
    };
    let mut bytes = 0;
    for entry in fs::read_dir(dir).map_err(file)? {
        let entry = entry.map_err(file)?;
        let metadata = entry.metadata().map_err(file)?;
        bytes += match metadata.is_dir() {
            true => folder_bytes(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}

/// The most memory that this process has held (`VmHWM` of Linux).
fn peak_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
