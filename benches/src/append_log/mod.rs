//! The least that a store with a root and durable commits does: the bar for the cheap tiers.
//!
//! An update is appended to one log, and its place in the log is its leaf. 2,048 leaves make a twig: a
//! SHA-256 Merkle tree over them, and one activity bit for each, which is cleared when a later
//! update of the same key takes over. Old leaves are never hashed again: an update hashes its own leaf, and
//! clears one bit elsewhere, after which that twig's root and the path over twigs are hashed.
//! Where the current update of a key lies is kept in memory. One write and one `fdatasync` for each
//! block; the state can be rebuilt from the log alone.
//!
//! ```text
//! frame   | block u64 | updates u64 | CRC-32 of the updates u32 | zeros 4 | updates: key 32, value 32, ... |
//! twig    H(root of 2,048 leaves || 2,048 bits); leaf H(key || value), missing ones zero
//! root    Merkle tree over twigs, missing ones zero
//! ```
//!
//! What it leaves out, and a store would not: undo, reading values back, compaction of twigs that hold
//! little, proofs of absence. Keys are hashes already and are told apart in memory by 64 of their bits: at
//! 10 M keys the odds that two are taken for one are 3 in a million.

mod index;
mod log_file;
mod twigs;

#[cfg(test)]
mod tests;

use alloy_primitives::B256;
use index::Index;
pub(crate) use log_file::LogFile;
#[cfg(test)]
pub(crate) use log_file::{HEADER_BYTES, UPDATE_BYTES};
use std::{io, path::Path};
use twigs::Twigs;

/// A key and its new value.
pub type Update = (B256, B256);

/// What a block did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The root after it.
    pub root: B256,
    /// Hashes computed.
    pub hashes: u64,
    /// Bytes appended to the log.
    pub written_bytes: u64,
}

/// A log, its twigs, and the places of the current updates.
#[derive(Debug)]
pub struct AppendLog {
    log: LogFile,
    index: Index,
    twigs: Twigs,
}

impl AppendLog {
    /// A new log in `dir`.
    pub fn create(dir: &Path) -> io::Result<Self> {
        Ok(Self {
            log: LogFile::create(&dir.join("append.log"))?,
            index: Index::default(),
            twigs: Twigs::default(),
        })
    }

    /// Appends a block of updates, each key once: durable when this returns.
    pub fn apply(&mut self, updates: &[Update]) -> io::Result<Appended> {
        let written_bytes = self.log.append(updates)?;
        let first = self.twigs.append(updates);
        for ((key, _), place) in updates.iter().zip(first..) {
            if let Some(previous) = self.index.replace(key, place) {
                self.twigs.deactivate(previous);
            }
        }
        let (root, hashes) = self.twigs.root();
        self.log.sync()?;
        Ok(Appended {
            root,
            hashes,
            written_bytes,
        })
    }
}
