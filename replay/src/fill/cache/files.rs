//! Files of an entry: listed, compared, copied.

use super::{FileError, error::os};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};
use thinstate_engine::leaf_store::StoreKind;

/// Extensions of files that are written once and never changed.
const IMMUTABLE: [&str; 2] = ["sst", "blob"];
/// Names, or beginnings of names, of files that belong to a process and not to the store.
const NOT_KEPT: [&str; 2] = ["LOCK", "LOG"];
/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// A file of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedFile {
    /// Below the folder of the store.
    path: PathBuf,
    bytes: u64,
    blake3: String,
}

impl CachedFile {
    pub(super) fn is_undamaged(&self, store: &Path) -> bool {
        let path = store.join(&self.path);
        let same_length = path
            .metadata()
            .is_ok_and(|metadata| metadata.len() == self.bytes);
        same_length && checksum(&path).is_ok_and(|found| found == self.blake3)
    }

    /// Whether a store can be opened once this file is there.
    pub(super) fn opens_the_store(&self) -> bool {
        let known_by = StoreKind::ALL.map(StoreKind::known_by);
        known_by.iter().any(|name| self.path.as_os_str() == *name)
    }

    fn is_immutable(&self) -> bool {
        let extension = self.path.extension();
        extension.is_some_and(|it| IMMUTABLE.iter().any(|of| it == *of))
    }

    /// Links or copies the file; a link that another file system does not take is a copy.
    pub(super) fn copy(&self, store: &Path, into: &Path) -> Result<(), FileError> {
        let (from, to) = (store.join(&self.path), into.join(&self.path));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(os("create the folder", folder))?;
        }
        if self.is_immutable() && fs::hard_link(&from, &to).is_ok() {
            return Ok(());
        }
        fs::copy(&from, &to).map_err(os("copy to", &to))?;
        let file = File::open(&to).map_err(os("open the file", &to))?;
        file.sync_all().map_err(os("sync the file", &to))
    }
}

/// All files below a folder that are to be kept, made durable.
pub(super) fn list(store: &Path) -> Result<Vec<CachedFile>, FileError> {
    let mut found = Vec::new();
    list_below(store, Path::new(""), &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn list_below(store: &Path, below: &Path, found: &mut Vec<CachedFile>) -> Result<(), FileError> {
    let folder = store.join(below);
    let failed = || os("list the folder", &folder);
    for entry in fs::read_dir(&folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name();
        let path = below.join(&name);
        if entry.file_type().map_err(failed())?.is_dir() {
            list_below(store, &path, found)?;
        } else if !is_not_kept(&name.to_string_lossy()) {
            found.push(described(store, path)?);
        }
    }
    sync_folder(&folder)
}

fn is_not_kept(name: &str) -> bool {
    let rest = NOT_KEPT.iter().find_map(|of| name.strip_prefix(of));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn described(store: &Path, path: PathBuf) -> Result<CachedFile, FileError> {
    let file = store.join(&path);
    let failed = || os("read the file", &file);
    let open = File::open(&file).map_err(failed())?;
    open.sync_all().map_err(failed())?;
    Ok(CachedFile {
        bytes: open.metadata().map_err(failed())?.len(),
        blake3: checksum(&file).map_err(failed())?,
        path,
    })
}

fn checksum(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&chunk[..read]),
        };
    }
}

/// Makes a folder, which may be there if nothing is in it.
pub(super) fn make_empty(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(os("create the folder", folder))?;
    let mut entries = fs::read_dir(folder).map_err(os("list the folder", folder))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(os("fill the folder", folder)(
            io::ErrorKind::DirectoryNotEmpty.into(),
        )),
    }
}

pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(os("write the file", path))
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(os("sync the folder", folder))
}

pub(super) fn remove_folder(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(os("remove the folder", folder)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
