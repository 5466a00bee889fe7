//! Filled stores, kept for later runs.
//!
//! ```text
//! CACHE/KEY.lock            held by who looks at the entry or builds it
//! CACHE/KEY/entry.json      what it is, and each file with its length and checksum: written last
//! CACHE/KEY/store/          the files, never changed
//! CACHE/KEY.partial/        an entry that is being built: the next who holds the lock goes on with it, or removes it
//! ```
//!
//! `KEY` is a hash of everything that the bytes follow from ([`CacheKey`]). An entry is handed out as a copy: files
//! that nobody ever changes (`*.sst`, `*.blob`: RocksDB writes them once, and at most unlinks them) as hard links,
//! all others copied. The file without which no store opens (`StoreKind::known_by`) is put there last.
//!
//! Before it is handed out, every file of an entry is compared with its length and BLAKE3 checksum. An entry that
//! differs is removed and built anew. The checksums are read at some GB a second; the store that is opened
//! afterwards reads the same files.
//!
//! The folder is `$XDG_CACHE_HOME/thinstate/fill` (else `~/.cache/thinstate/fill`), unless another is given. It
//! grows without bound: remove entries, or all of it, whenever no run is at work.
//!
//! ```no_run
//! use std::{io, path::Path};
//! use thinstate_replay::fill::cache::{Cache, CacheKey};
//!
//! let cache = Cache::new(Cache::default_folder().expect("a home folder"));
//! let key = CacheKey::new("example").with("accounts", &1_000);
//! cache.get_or_build(&key, Path::new("/data/store"), |dir| std::fs::write(dir.join("file"), "built"))?;
//! # Ok::<(), thinstate_replay::fill::cache::CacheError<io::Error>>(())
//! ```

mod entry;
mod error;
mod files;
mod key;
#[cfg(test)]
mod tests;

pub use error::{CacheError, FileError};
pub use key::CacheKey;

use entry::Entry;
use error::os;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// A folder of filled stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

/// Where a store came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was in the cache.
    Cached,
    /// It was built, and is in the cache now.
    Built,
}

/// What becomes of what an interrupted build has left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leftovers {
    Removed,
    Kept,
}

/// Empties a folder that an entry is being built in.
pub fn clear(folder: &Path) -> Result<(), FileError> {
    files::remove_folder(folder)?;
    fs::create_dir_all(folder).map_err(os("create the folder", folder))
}

impl Cache {
    /// The cache in a folder, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder that is used where none is given; `None` where there is no home folder.
    pub fn default_folder() -> Option<PathBuf> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.filter(|path| path.is_absolute());
        let folder = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")))?;
        Some(folder.join("thinstate").join("fill"))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a copy of the entry with this key into the folder `into`, which is made, or empty. Where there is no
    /// such entry, `build` makes it in the folder that it is given; it closes all files before it returns.
    ///
    /// One process at a time builds an entry; others wait for it. What a killed one has left is never used.
    pub fn get_or_build<E>(
        &self,
        key: &CacheKey,
        into: &Path,
        build: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Origin, CacheError<E>>
    where
        E: core::error::Error + 'static,
    {
        self.get(key, into, Leftovers::Removed, build)
    }

    /// As [`Self::get_or_build`], where `build` goes on with what a build of the same key that was killed, or that
    /// failed, has left in the folder; [`clear`] empties that.
    pub fn get_or_resume<E>(
        &self,
        key: &CacheKey,
        into: &Path,
        build: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Origin, CacheError<E>>
    where
        E: core::error::Error + 'static,
    {
        self.get(key, into, Leftovers::Kept, build)
    }

    fn get<E>(
        &self,
        key: &CacheKey,
        into: &Path,
        leftovers: Leftovers,
        build: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Origin, CacheError<E>>
    where
        E: core::error::Error + 'static,
    {
        files::make_empty(into)?;
        let (entry, _lock) = self.locked(key)?;
        if let Some(found) = entry.whole(key)? {
            found.copy_to(into)?;
            return Ok(Origin::Cached);
        }
        if leftovers == Leftovers::Removed {
            entry.clear()?;
        }
        let partial = entry.begin()?;
        build(&partial).map_err(CacheError::Build)?;
        entry.finish(key)?.copy_to(into)?;
        Ok(Origin::Built)
    }

    /// The entry, and its lock.
    fn locked(&self, key: &CacheKey) -> Result<(Entry, File), FileError> {
        fs::create_dir_all(&self.folder).map_err(os("create the folder", &self.folder))?;
        let path = self.folder.join(format!("{key}.lock"));
        let lock = File::create(&path).map_err(os("create the file", &path))?;
        lock.lock().map_err(os("lock the file", &path))?;
        Ok((Entry::new(&self.folder, key), lock))
    }
}
