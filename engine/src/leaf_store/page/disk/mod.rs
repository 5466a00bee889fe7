//! A folder of files: all that the page store asks of the operating system.
//!
//! | implementation | folder | for |
//! |---|---|---|
//! | [`OsDisk`] | `os/` | real files |
//! | `SimDisk` | `sim/` | tests: power cuts, failures of any operation, damage |
//!
//! What the page store may rely on, and no more:
//!
//! * Bytes that were written are read again at once, by every handle of the file.
//! * They survive a power cut once [`DiskFile::sync`] has answered, the length of the file with
//!   them. Before that each write may have survived, or not, or in part: in sectors of 512 bytes,
//!   in any order.
//! * A file that was created or removed is there or gone after a power cut once
//!   [`Disk::sync_folder`] has answered; before that it may be either.
//! * After a sync that failed, what it was to sync may be lost although it is still read, and
//!   although a later sync succeeds: the operating system forgets what it could not write.
//! * No other process changes the folder: it is locked for as long as the disk, or a file of it,
//!   lives.
//!
//! Costs: a read or write is one system call; [`DiskFile::read_many`] of `n` requests has up to 64
//! of them in flight by io_uring, with a system call for each time that it waits, or up to 16 by
//! threads.

mod counters;
mod failure;
mod os;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
mod transfer;

pub(crate) use counters::DiskCounters;
pub(crate) use os::{OsDisk, OsOptions};
#[cfg(test)]
pub(crate) use sim::{Fault, On, Operation, SimDisk};

use super::super::StoreError;

/// What one of many reads came to.
type Answer = Result<Vec<u8>, StoreError>;

/// A folder of files with positioned reads and writes.
pub(crate) trait Disk: Send + Sync + 'static {
    /// A file of the folder. It may outlive the disk, and its own name.
    type File: DiskFile;

    /// Opens a file of the folder, creating an empty one if it is absent.
    fn open(&self, name: &str) -> Result<Self::File, StoreError>;

    /// Removes a file, which must be there. Its handles go on reading and writing it.
    fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// Names of all files, sorted.
    fn list(&self) -> Result<Vec<String>, StoreError>;

    /// Makes creations and removals durable.
    fn sync_folder(&self) -> Result<(), StoreError>;
}

/// An open file.
pub(crate) trait DiskFile: Send + Sync + 'static {
    /// Bytes in the file.
    fn len(&self) -> Result<u64, StoreError>;

    /// Fills `buffer`; an end of the file before that is [`StoreError::Corrupt`].
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError>;

    /// Many reads of (offset, bytes), in flight together. The answers come in the order of the
    /// requests, each as [`Self::read_at`] would give it.
    fn read_many(&self, requests: &[(u64, usize)]) -> Vec<Result<Vec<u8>, StoreError>>;

    /// Writes all of `bytes`, making the file longer where it must; a gap before them is zeros.
    /// After an error any part of them may be written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// Cuts the file, or makes it longer by zeros.
    fn set_len(&self, len: u64) -> Result<(), StoreError>;

    /// Makes the file's bytes and its length durable, as fdatasync does.
    fn sync(&self) -> Result<(), StoreError>;

    /// What this handle has done.
    fn counters(&self) -> DiskCounters;
}
