//! What the tier takes.

use super::{
    UtxoTier,
    keys::{BATCH, PLACE, UNDO, WINDOW},
};
use crate::leaf_store::{LeafRead, StoreError, Table};
use core::ops::ControlFlow;

/// Bytes of the tier: keys and values as they were written, without what the leaf store adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtxoSizes {
    /// The block roots of the ring. They never grow beyond its length.
    pub ring_bytes: u64,
    /// The roots of sealed batches, which stay.
    pub batch_bytes: u64,
    /// The records of the hybrid window.
    pub window_bytes: u64,
    /// What undoing the last blocks needs.
    pub undo_bytes: u64,
    /// Memory: places of the ring and nodes over them, roots of batches, hashes of the window.
    pub memory_bytes: u64,
}

/// Memory of a place of the ring, with the node above it.
const PLACE_MEMORY: u64 = 72;
/// Memory of a batch's root, with the node above it.
const BATCH_MEMORY: u64 = 64;

impl UtxoTier {
    /// Sizes of the tier, from a scan of its table: a ring, a window, an entry for each batch.
    pub fn sizes<R: LeafRead>(&self, read: &R) -> Result<UtxoSizes, StoreError> {
        let mut sizes = UtxoSizes::default();
        read.scan(Table::Utxo, &[], None, &mut |key, value| {
            let bytes = (key.len() + value.len()) as u64;
            match key.first() {
                Some(&PLACE) => sizes.ring_bytes += bytes,
                Some(&BATCH) => sizes.batch_bytes += bytes,
                Some(&WINDOW) => sizes.window_bytes += bytes,
                Some(&UNDO) => sizes.undo_bytes += bytes,
                // Head, and position of the archive: constant.
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        sizes.memory_bytes = PLACE_MEMORY * u64::from(self.rules.ring_len)
            + BATCH_MEMORY * self.batches.len() as u64
            + 32 * self.window.records();
        Ok(sizes)
    }
}
