//! What a process does with one store: each phase gets a process of its own.
//!
//! ```text
//! keys        Fill ─► Blocks, Reads  for the first distribution ─► Blocks, Reads  for the next ...   one store throughout
//! transfers   Transfers              for each distribution                                         a new store for each
//! ```
//!
//! Memory is therefore that of opening a store and applying blocks, and of opening it and reading; what filling took is
//! apart. Between two phases the store is closed and opened. Under a limit of memory only `Fill` is outside of it.
//!
//! A process is told its [`Task`] on standard input and answers with a [`Found`] on standard output, both JSON.

mod cold;
mod error;
mod found;
mod keys;
mod phase;
mod transfers;

pub use cold::{Pass, ReadFigures};
pub use error::PhaseError;
pub use found::{BlocksFound, FillFound, Found, ReadsFound, SizeFound};
pub use phase::{Phase, Size};
pub use transfers::{STATES, StateEntry, state_named};

use crate::{peer, store::StoreOptions};
use core::sync::atomic::AtomicBool;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Instant};

/// A phase and the store that it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The store's name.
    pub store: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Memory for its caches.
    pub cache_bytes: u64,
    /// Threads that hash.
    pub threads: usize,
    /// About how many entries it will hold.
    pub entries: u64,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// What is done.
    pub phase: Phase,
}

impl Task {
    /// Does it in this process.
    pub fn run(&self, stop: &AtomicBool) -> Result<Found, PhaseError> {
        match &self.phase {
            Phase::Fill { keys } => Ok(Found::Filled(self.fill(*keys)?)),
            Phase::Blocks {
                draws,
                at,
                sizes,
                drop_caches,
            } => {
                let found = self.blocks(*draws, *at, sizes, *drop_caches, stop)?;
                Ok(Found::Blocks(found))
            }
            Phase::Reads {
                draws,
                at,
                reads,
                threads,
            } => Ok(Found::Reads(self.reads(*draws, *at, *reads, threads)?)),
            Phase::Transfers {
                draws,
                holders,
                sizes,
            } => {
                let found = self.transfers(*draws, *holders, sizes, stop)?;
                Ok(Found::Blocks(found))
            }
        }
    }

    fn entry(&self) -> Result<peer::PeerEntry, PhaseError> {
        peer::named(&self.store).ok_or_else(|| PhaseError::Unknown {
            name: self.store.clone(),
        })
    }

    fn open(&self) -> Result<Box<dyn peer::Peer>, PhaseError> {
        let opened = self.entry()?.open(&self.options());
        opened.map_err(PhaseError::store("open the store"))
    }

    fn options(&self) -> StoreOptions {
        StoreOptions {
            dir: self.dir.clone(),
            cache_bytes: usize::try_from(self.cache_bytes).unwrap_or(usize::MAX),
            threads: self.threads,
            entries: self.entries,
        }
    }
}

/// Nanoseconds since then.
fn nanoseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
