//! What a power cut leaves.
//!
//! Each unsynced change is kept, lost, or, if it is a write, torn: of the sectors of 512 bytes that
//! it touches each may have reached the device, as a whole. Devices and file systems order nothing
//! that is not synced. How much is kept differs from one cut to the next, so that the extremes,
//! all and nothing, are met as well.

use super::state::{FileChange, Inode, State, write};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The device writes as many bytes whole or not at all.
const SECTOR: u64 = 512;

/// How a cut, or a lost sync, treats unsynced changes.
struct Luck {
    random: ChaCha8Rng,
    /// Of the changes that are not torn, how many are kept.
    kept: f64,
    torn: f64,
}

impl Luck {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self {
            kept: [0.0, 0.5, 0.9, 1.0][random.random_range(0..4_usize)],
            torn: [0.0, 0.1, 0.5][random.random_range(0..3_usize)],
            random,
        }
    }

    fn is_kept(&mut self) -> bool {
        self.random.random_bool(self.kept)
    }

    /// Makes a part of the changes durable.
    fn settle(&mut self, durable: &mut Vec<u8>, changes: &[FileChange]) {
        for change in changes {
            match change {
                FileChange::Write(offset, bytes) if self.random.random_bool(self.torn) => {
                    self.tear(durable, *offset, bytes);
                }
                change if self.is_kept() => change.apply(durable),
                _ => {}
            }
        }
    }

    /// Makes some sectors of a write durable.
    fn tear(&mut self, durable: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        let mut at = offset;
        while at < end {
            let next = end.min((at / SECTOR + 1) * SECTOR);
            if self.random.random_bool(0.5) {
                let sector = &bytes[(at - offset) as usize..(next - offset) as usize];
                write(durable, at, sector);
            }
            at = next;
        }
    }
}

/// The disk after a cut, with the power on again and no faults.
pub(super) fn after(before: &State, seed: u64) -> State {
    let mut luck = Luck::new(seed);
    let files = before.files.iter().map(|file| {
        let mut bytes = file.durable.clone();
        luck.settle(&mut bytes, &file.unsynced);
        Inode {
            live: bytes.clone(),
            durable: bytes,
            unsynced: Vec::new(),
        }
    });
    let files = files.collect();
    let mut names = before.durable_names.clone();
    for change in &before.folder_changes {
        if luck.is_kept() {
            change.apply(&mut names);
        }
    }
    State {
        files,
        durable_names: names.clone(),
        names,
        ..State::default()
    }
}

/// A sync that fails and leaves unsynced changes to chance.
pub(super) fn lose_sync(file: &mut Inode, seed: u64) {
    let changes = core::mem::take(&mut file.unsynced);
    Luck::new(seed).settle(&mut file.durable, &changes);
}
