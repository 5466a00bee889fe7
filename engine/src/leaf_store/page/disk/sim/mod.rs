//! A disk in memory whose power can be cut, and whose operations can be made to fail.
//!
//! Every file has the bytes that a process sees, the bytes that a power cut leaves for sure, and the
//! changes between the two, one by one. [`SimDisk::power_cut`] gives the disk as it may be found
//! afterwards: of the changes that were not synced it keeps a random part, and the old disk stays
//! as it was, so that many outcomes of one cut can be tried. What the operating system would keep
//! when only the process ends is the disk itself: clones of a [`SimDisk`] are one disk.
//!
//! [`SimDisk::inject`] lets a number of operations pass and makes the next one go wrong, by a
//! [`Fault`]. Operations are counted by kind, so that a test can first run without faults to
//! see how many there are, and then make each of them fail in turn.

mod cut;
mod fault;
mod file;
mod state;
mod tests;

pub(crate) use fault::{Fault, On, Operation};
pub(crate) use file::SimFile;

use super::super::super::StoreError;
use super::{Disk, failure};
use fault::{Armed, error_of};
use state::State;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Where the files of a simulated disk are said to lie.
const FOLDER: &str = "sim";

/// A folder of files in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// An empty disk without faults.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lets `after` operations of this kind pass and makes the next one go wrong, in place of what
    /// was injected before.
    pub(crate) fn inject(&self, fault: Fault, on: On, after: u64) {
        let mut state = self.lock();
        state.armed = Some(Armed { fault, on, after });
        state.has_fired = false;
    }

    /// Whether what was injected last has happened.
    pub(crate) fn has_fired(&self) -> bool {
        self.lock().has_fired
    }

    /// Takes back what was injected and has not happened, and any limit of space.
    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.armed = None;
        state.has_fired = false;
        state.space = None;
    }

    /// Lets all files together have so many bytes more than now.
    pub(crate) fn limit_space(&self, more: u64) {
        let mut state = self.lock();
        state.space = Some(state.bytes() + more);
    }

    /// Operations so far of this kind, failed ones among them.
    pub(crate) fn count(&self, on: On) -> u64 {
        self.lock().count(on)
    }

    /// The disk as it may be found after a power cut now. The same seed gives the same disk.
    pub(crate) fn power_cut(&self, seed: u64) -> Self {
        let after = cut::after(&self.lock(), seed);
        Self(Arc::new(Mutex::new(after)))
    }

    /// Forgets what the operating system holds in memory and takes for written. Only after a lost
    /// sync does that change what is read.
    pub(crate) fn drop_cache(&self) {
        self.lock().files.iter_mut().for_each(state::Inode::reread);
    }

    /// The bytes of a file that has this name.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.lock();
        state.files[state.names[name]].live.clone()
    }

    /// Changes one bit of a file, durably, as a failing device may.
    pub(crate) fn flip(&self, name: &str, offset: u64, bit: u8) {
        self.damage(name, |bytes| bytes[offset as usize] ^= 1 << bit);
    }

    /// Changes the durable bytes of a file, past all operations. Nothing may be unsynced.
    pub(crate) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let id = state.names[name];
        let file = &mut state.files[id];
        assert!(file.unsynced.is_empty(), "{name} has unsynced changes");
        change(&mut file.live);
        file.durable.clone_from(&file.live);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panics while it holds the lock has failed anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does an operation that is all or nothing, or fails as it is to.
    fn act<T>(
        &self,
        operation: Operation,
        path: &Path,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> Result<T, StoreError> {
        let mut state = self.lock();
        let done = match state.begin(operation) {
            None => act(&mut state),
            Some(fault) => {
                // It was on its way when the power went; a sync has made nothing sure.
                if fault == Fault::PowerOff && operation != Operation::SyncFolder {
                    drop(act(&mut state));
                }
                Err(error_of(fault))
            }
        };
        done.map_err(|error| failure::of(operation.name(), path, &error))
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open(&self, name: &str) -> Result<SimFile, StoreError> {
        let operation = if self.lock().names.contains_key(name) {
            Operation::Open
        } else {
            Operation::Create
        };
        let id = self.act(operation, &path(name), |state| Ok(state.open(name)))?;
        Ok(SimFile::new(self.clone(), id, path(name)))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.act(Operation::Remove, &path(name), |state| state.remove(name))
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.act(Operation::List, &path(""), |state| {
            Ok(state.names.keys().cloned().collect())
        })
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        self.act(Operation::SyncFolder, &path(""), |state| {
            state.sync_folder();
            Ok(())
        })
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}
