//! One entry of the cache. Who has it holds its lock.

use super::{
    CacheKey, FileError,
    error::os,
    files::{self, CachedFile},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The version of `entry.json`, and of how entries lie in the folder.
const VERSION: u32 = 1;

/// An entry, which may not be there.
#[derive(Debug)]
pub(super) struct Entry {
    folder: PathBuf,
    partial: PathBuf,
    /// Where one that is damaged is put out of the way.
    damaged: PathBuf,
}

/// An entry that is there, whole.
#[derive(Debug)]
pub(super) struct Whole {
    store: PathBuf,
    files: Vec<CachedFile>,
}

/// `entry.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    key: BTreeMap<String, serde_json::Value>,
    files: Vec<CachedFile>,
}

impl Entry {
    pub(super) fn new(cache: &Path, key: &CacheKey) -> Self {
        Self {
            folder: cache.join(key.to_string()),
            partial: cache.join(format!("{key}.partial")),
            damaged: cache.join(format!("{key}.damaged")),
        }
    }

    /// The entry, if it is there and every file is as it was. One that is not is removed.
    pub(super) fn whole(&self, key: &CacheKey) -> Result<Option<Whole>, FileError> {
        files::remove_folder(&self.damaged)?;
        if !self.folder.exists() {
            return Ok(None);
        }
        let whole = read_manifest(&self.folder.join("entry.json"))
            .filter(|it| it.version == VERSION && it.key == *key.parts())
            .map(|it| Whole {
                store: self.folder.join("store"),
                files: it.files,
            })
            .filter(Whole::is_undamaged);
        if whole.is_none() {
            // First out of the way: half removed it must not be found again.
            let path = &self.damaged;
            fs::rename(&self.folder, path).map_err(os("rename to", path))?;
            files::remove_folder(path)?;
        }
        Ok(whole)
    }

    /// Removes what an interrupted build has left.
    pub(super) fn clear(&self) -> Result<(), FileError> {
        files::remove_folder(&self.partial)
    }

    /// The folder to build in, with what an interrupted build has left.
    pub(super) fn begin(&self) -> Result<PathBuf, FileError> {
        let store = self.partial.join("store");
        fs::create_dir_all(&store).map_err(os("create the folder", &store))?;
        Ok(store)
    }

    /// Makes what was built the entry.
    pub(super) fn finish(&self, key: &CacheKey) -> Result<Whole, FileError> {
        let files = files::list(&self.partial.join("store"))?;
        let manifest = Manifest {
            version: VERSION,
            key: key.parts().clone(),
            files,
        };
        let json = serde_json::to_vec_pretty(&manifest).expect("names and numbers");
        files::write_synced(&self.partial.join("entry.json"), &json)?;
        files::sync_folder(&self.partial)?;
        fs::rename(&self.partial, &self.folder).map_err(os("rename to", &self.folder))?;
        if let Some(cache) = self.folder.parent() {
            files::sync_folder(cache)?;
        }
        Ok(Whole {
            store: self.folder.join("store"),
            files: manifest.files,
        })
    }
}

fn read_manifest(path: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

impl Whole {
    /// Compares every file with its length and checksum.
    fn is_undamaged(&self) -> bool {
        self.files
            .par_iter()
            .all(|file| file.is_undamaged(&self.store))
    }

    /// Puts a copy into a folder that is empty.
    pub(super) fn copy_to(&self, into: &Path) -> Result<(), FileError> {
        let (last, others): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|file| file.opens_the_store());
        for file in others.into_iter().chain(last) {
            file.copy(&self.store, into)?;
        }
        files::sync_folder(into)
    }
}
