//! What is on a simulated disk.

use super::fault::{Armed, Fault, On, Operation};
use std::{collections::BTreeMap, io};

/// The longest file. A longer one is a test that writes where it should not.
const FILE_BYTES_MAX: u64 = 1 << 32;

/// A file's place in [`State::files`]. A file without a name stays there.
pub(super) type FileId = usize;

/// Names as a process sees them, or as they are durable.
pub(super) type Names = BTreeMap<String, FileId>;

/// A simulated disk.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) files: Vec<Inode>,
    pub(super) names: Names,
    pub(super) durable_names: Names,
    /// From `durable_names` to `names`.
    pub(super) folder_changes: Vec<FolderChange>,
    pub(super) armed: Option<Armed>,
    pub(super) has_fired: bool,
    pub(super) is_off: bool,
    /// Bytes of all files together, at most.
    pub(super) space: Option<u64>,
    pub(super) counts: [u64; Operation::COUNT],
}

/// What was done to the folder.
#[derive(Clone, Debug)]
pub(super) enum FolderChange {
    Create(String, FileId),
    Remove(String),
}

impl FolderChange {
    pub(super) fn apply(&self, names: &mut Names) {
        match self {
            Self::Create(name, id) => {
                names.insert(name.clone(), *id);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// What is read.
    pub(super) live: Vec<u8>,
    /// What a power cut leaves for sure.
    pub(super) durable: Vec<u8>,
    /// What a sync would do to `durable`, in order.
    pub(super) unsynced: Vec<FileChange>,
}

/// What was done to a file.
#[derive(Clone, Debug)]
pub(super) enum FileChange {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl FileChange {
    pub(super) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => write(file, *offset, bytes),
            Self::SetLen(len) => file.resize(*len as usize, 0),
        }
    }
}

/// Writes into a file in memory; a gap before it is zeros.
pub(super) fn write(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let offset = offset as usize;
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

impl Inode {
    pub(super) fn change(&mut self, change: FileChange) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }

    /// Makes durable what was not; it may not be all that is live.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Shows what is durable, and what is to be.
    pub(super) fn reread(&mut self) {
        self.live.clone_from(&self.durable);
        for change in &self.unsynced {
            change.apply(&mut self.live);
        }
    }
}

impl State {
    /// Counts an operation, and says what is to go wrong with it.
    pub(super) fn begin(&mut self, operation: Operation) -> Option<Fault> {
        self.counts[operation as usize] += 1;
        if self.is_off {
            return Some(Fault::Io);
        }
        let armed = self.armed.as_mut().filter(|it| it.on.matches(operation))?;
        if armed.after > 0 {
            armed.after -= 1;
            return None;
        }
        let fault = armed.fault;
        self.armed = None;
        self.has_fired = true;
        self.is_off = fault == Fault::PowerOff;
        Some(fault)
    }

    pub(super) fn count(&self, on: On) -> u64 {
        use Operation::{Create, List, Open, Read, Remove, SetLen, Sync, SyncFolder, Write};
        [
            Open, Create, Remove, List, SyncFolder, Read, Write, SetLen, Sync,
        ]
        .into_iter()
        .filter(|operation| on.matches(*operation))
        .map(|operation| self.counts[operation as usize])
        .sum()
    }

    /// The file of this name, a new one if there is none.
    pub(super) fn open(&mut self, name: &str) -> FileId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.files.len();
        self.files.push(Inode::default());
        self.names.insert(name.to_owned(), id);
        let change = FolderChange::Create(name.to_owned(), id);
        self.folder_changes.push(change);
        id
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        if self.names.remove(name).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let change = FolderChange::Remove(name.to_owned());
        self.folder_changes.push(change);
        Ok(())
    }

    pub(super) fn sync_folder(&mut self) {
        self.durable_names.clone_from(&self.names);
        self.folder_changes.clear();
    }

    /// Bytes of all files that have a name.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = self.names.values().map(|id| self.files[*id].live.len());
        bytes.sum::<usize>() as u64
    }

    /// Writes as many of the bytes as there is space for, and gives their number.
    pub(super) fn write(&mut self, id: FileId, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let len = self.files[id].live.len() as u64;
        let mut end = offset.saturating_add(bytes.len() as u64);
        if end > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if let Some(space) = self.space {
            let len_max = len + space.saturating_sub(self.bytes());
            end = end.min(len_max.max(len));
        }
        if end <= offset && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let bytes = &bytes[..(end - offset) as usize];
        self.files[id].change(FileChange::Write(offset, bytes.to_vec()));
        Ok(bytes.len())
    }

    pub(super) fn set_len(&mut self, id: FileId, len: u64) -> io::Result<()> {
        if len > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.files[id].change(FileChange::SetLen(len));
        Ok(())
    }
}
