//! Reads from a store whose files are out of the page cache, then the same ones again.

use super::{PhaseError, nanoseconds};
use crate::{keys::KeySpace, peer::Peer, rounds::Bytes};
use alloy_primitives::B256;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Instant};
use thinstate_replay::{measure::probes::Probes, replay::drop_page_cache};

/// Keys that a store is asked for at once.
const BATCH: usize = 1_000;

/// What reads by so many threads came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadFigures {
    /// Threads that read, where the store lets one say so.
    pub threads: usize,
    /// Time to open the store, in nanoseconds.
    pub open_ns: u64,
    /// Whether the page cache of the whole machine was dropped; else only that of the store's files was asked to go
    /// (`posix_fadvise`), which pages that are mapped do not follow.
    pub whole_machine_dropped: bool,
    /// The first time.
    pub cold: Pass,
    /// The same keys again.
    pub warm: Pass,
}

/// Reads once over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Keys read.
    pub reads: u64,
    /// Time that the store took, in nanoseconds.
    pub ns: u64,
    /// Bytes and operations of process and device.
    pub bytes: Bytes,
}

impl Pass {
    /// Reads per second.
    pub fn per_second(&self) -> f64 {
        self.reads as f64 * 1e9 / self.ns.max(1) as f64
    }

    /// The device's reads for each; `None` where they are not known.
    pub fn device_reads_each(&self) -> Option<f64> {
        let reads = self.bytes.device_reads?;
        Some(reads as f64 / self.reads.max(1) as f64)
    }
}

/// What is read.
pub(super) struct Asked {
    pub(super) keys: Vec<B256>,
    pub(super) numbers: Vec<u64>,
    /// The last block that has written something.
    pub(super) block: u64,
}

/// Reads all of it twice, after the page cache is dropped.
pub(super) fn read(
    peer: &dyn Peer,
    space: &KeySpace,
    asked: &Asked,
    threads: usize,
    folder: &Path,
) -> Result<ReadFigures, PhaseError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    // Its threads are there before the time counts.
    pool.broadcast(|_| ());
    let dropped = drop_page_cache(folder)?;
    let mut probes = Probes::open(folder);
    let mut pass = || {
        let before = probes.now();
        let mut ns = 0;
        for (keys, numbers) in asked.keys.chunks(BATCH).zip(asked.numbers.chunks(BATCH)) {
            let started = Instant::now();
            let values = peer.read(keys, &pool);
            ns += nanoseconds(started);
            let values = values.map_err(PhaseError::store("read"))?;
            check(space, keys, numbers, &values, asked.block)?;
        }
        let bytes = Bytes::of(&probes.now().since(&before));
        Ok::<_, PhaseError>(Pass {
            reads: asked.keys.len() as u64,
            ns,
            bytes,
        })
    };
    Ok(ReadFigures {
        threads,
        open_ns: 0,
        whole_machine_dropped: dropped.whole_machine,
        cold: pass()?,
        warm: pass()?,
    })
}

/// Each value has to be one that a block up to the last has written.
fn check(
    space: &KeySpace,
    keys: &[B256],
    numbers: &[u64],
    values: &[Option<B256>],
    block: u64,
) -> Result<(), PhaseError> {
    for ((key, number), value) in keys.iter().zip(numbers).zip(values) {
        let written = value.and_then(|value| space.written_by(*key, *number, value));
        if written.is_none_or(|written| written > block) {
            return Err(PhaseError::Wrong {
                number: *number,
                got: value.map_or_else(|| "absent".to_owned(), |it| it.to_string()),
                block,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wrong_value_passes() {
        let space = KeySpace::new(5);
        let keys = space.keys(&[1, 2]);
        let value = |at: usize, block| Some(space.value(keys[at], at as u64 + 1, block));
        let check = |values: &[Option<B256>]| check(&space, &keys, &[1, 2], values, 9);
        assert!(check(&[value(0, 0), value(1, 9)]).is_ok());
        for wrong in [
            [value(0, 0), None],
            [value(0, 10), value(1, 0)],
            [value(1, 0), value(0, 0)],
        ] {
            let error = check(&wrong).expect_err("one is wrong");
            assert!(matches!(error, PhaseError::Wrong { .. }), "{error}");
        }
    }
}
