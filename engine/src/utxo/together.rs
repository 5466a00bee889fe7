//! Checking all spends of a block together: sorted, in batches, what paths share only once.
//!
//! It says that all hold, or that some do not; which one and why is asked of
//! [`UtxoTier::check_record`], one by one.

use super::{Spend, UtxoTier};
use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_formats::{
    BatchId, BlockNumber, RecordIndex,
    list::{Placed, roots_by_paths},
    record::{RecordPath, RecordRange, batch_root, block_root},
};

/// Spends that one thread checks at a time: their messages fit into a near cache.
const SPENDS: usize = 256;

/// A spend with the hash of its record.
struct Hashed<'a> {
    spend: &'a Spend,
    hash: B256,
}

/// A record in a block of a root that is to be shown.
struct Shown<'a> {
    path: &'a RecordPath,
    block_root: B256,
}

impl UtxoTier {
    /// The hashes that it took to find that all records were appended in earlier blocks, as they
    /// are; `None` if some were not.
    pub(super) fn check_together(&self, spends: &[Spend]) -> Option<u64> {
        let mut sorted: Vec<&Spend> = spends.iter().collect();
        sorted.par_sort_unstable_by_key(|spend| spend.record.index);
        let chunks = sorted.par_chunks(SPENDS);
        chunks.map(|chunk| self.check_chunk(chunk)).sum()
    }

    fn check_chunk(&self, spends: &[&Spend]) -> Option<u64> {
        let hashed = self.hash_records(spends)?;
        let windowed = hashed.iter().filter(|h| h.spend.path.is_none());
        for Hashed { spend, hash } in windowed {
            if self.window.hash(spend.record.index) != Some(*hash) {
                return None;
            }
        }
        let (shown, hashes) = self.block_roots(&hashed)?;
        let (ring, batch): (Vec<_>, Vec<_>) =
            shown.into_iter().partition(|s| s.path.batch.is_none());
        if !ring.iter().all(|shown| self.is_in_ring(shown)) {
            return None;
        }
        Some(hashed.len() as u64 + hashes + self.check_batches(&batch)?)
    }

    fn hash_records<'a>(&self, spends: &[&'a Spend]) -> Option<Vec<Hashed<'a>>> {
        let mut messages = Vec::with_capacity(spends.len());
        for spend in spends {
            let record = &spend.record;
            if record.index >= self.next_index() {
                return None;
            }
            messages.push(record.leaf_message().ok()?);
        }
        let mut hashes = Vec::with_capacity(spends.len());
        self.hasher.hash_blocks(&messages, &mut hashes);
        let pairs = spends.iter().zip(hashes);
        Some(pairs.map(|(spend, hash)| Hashed { spend, hash }).collect())
    }

    /// The block roots that paths lead to.
    fn block_roots<'a>(&self, hashed: &[Hashed<'a>]) -> Option<(Vec<Shown<'a>>, u64)> {
        let with_path =
            |h: &Hashed<'a>| Some((h.spend.record.index, h.hash, h.spend.path.as_ref()?));
        let paths: Vec<_> = hashed.iter().filter_map(with_path).collect();
        let placed = |(index, hash, path): &(RecordIndex, B256, &'a RecordPath)| {
            Some(Placed {
                list: path.block.0,
                digest: *hash,
                index: path.range().position(*index)?,
                len: u64::from(path.count),
                siblings: &path.siblings,
            })
        };
        let placed: Vec<_> = paths.iter().map(placed).collect::<Option<_>>()?;
        let (lists, mut hashes) = roots_by_paths(&self.hasher, &placed).ok()?;
        let mut last: Option<(RecordRange, B256, B256)> = None;
        let mut shown = Vec::with_capacity(lists.len());
        for ((_, _, path), list) in paths.into_iter().zip(lists) {
            let range = path.range();
            let block_root = match last {
                Some((r, l, root)) if (r, l) == (range, list) => root,
                _ => {
                    hashes += 1;
                    block_root(&self.hasher, &range, list)
                }
            };
            last = Some((range, list, block_root));
            shown.push(Shown { path, block_root });
        }
        Some((shown, hashes))
    }

    /// Whether the ring has the root. It commits to block, first index and count, so that the record
    /// is of this block.
    fn is_in_ring(&self, shown: &Shown<'_>) -> bool {
        self.block_root(shown.path.block) == Some(shown.block_root)
    }

    /// The hashes that it took to find that all block roots are in sealed batches.
    fn check_batches(&self, shown: &[Shown<'_>]) -> Option<u64> {
        let len = u64::from(self.rules.ring_len);
        let placed = shown.iter().map(|shown| {
            Some(Placed {
                list: shown.path.block.0 / len,
                digest: shown.block_root,
                index: shown.path.block.0 % len,
                len,
                siblings: shown.path.batch.as_ref()?,
            })
        });
        let placed: Vec<_> = placed.collect::<Option<_>>()?;
        let (lists, mut hashes) = roots_by_paths(&self.hasher, &placed).ok()?;
        let mut last: Option<(BatchId, B256)> = None;
        for (shown, list) in shown.iter().zip(lists) {
            let id = self.ring.batch_of(shown.path.block);
            if last == Some((id, list)) {
                continue;
            }
            hashes += 1;
            let root = batch_root(&self.hasher, id, self.rules.ring_len, list);
            if !self.has_block(shown.path.block) || self.batch_root(id) != Some(root) {
                return None;
            }
            last = Some((id, list));
        }
        Some(hashes)
    }

    fn has_block(&self, block: BlockNumber) -> bool {
        self.blocks.is_some_and(|blocks| block <= blocks.last)
    }
}
