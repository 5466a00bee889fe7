//! Undoing the last block.

use super::{
    UtxoError, UtxoTier,
    keys::{
        ARCHIVE, HEAD, Place, UNDO, UndoEntry, UtxoHead, WINDOW, number_key, write_batch,
        write_place, write_position,
    },
    tier::Blocks,
    window::{WindowBlock, load},
};
use crate::{
    archive::records::ArchivePosition,
    leaf_store::{Batch, LeafRead, Table},
    spent::{BitChange, FieldId},
};
use thinstate_formats::{BlockNumber, RecordIndex, list::StagedDigest};

/// The last block, ready to be undone.
#[derive(Debug)]
pub struct UtxoUndo {
    /// What this does to the spent bits.
    pub changes: Vec<BitChange>,
    block: BlockNumber,
    blocks: Option<Blocks>,
    next_index: RecordIndex,
    place: Option<Place>,
    ring: StagedDigest,
    unseals: bool,
    /// The block that enters the window again.
    window: Option<WindowBlock>,
    position: Option<ArchivePosition>,
}

impl UtxoTier {
    /// Prepares to undo the last block, and adds what that changes to a batch. Nothing visible changes
    /// until [`Self::publish_undo`]; if the batch is not committed, there is nothing to take back.
    pub fn stage_undo<R: LeafRead>(
        &self,
        read: &R,
        batch: &mut Batch,
    ) -> Result<UtxoUndo, UtxoError> {
        let now = self.blocks.ok_or(UtxoError::NothingToUndo)?;
        let block = now.last;
        let entry = UndoEntry::read(read, block)?;
        let entry = entry.ok_or(UtxoError::TooOld { block })?;
        let written = self.ring.place(block);
        let next_index = written.map_or(self.next_index, |place| place.index);
        let blocks = block.prev().filter(|_| block > now.first);
        let blocks = blocks.map(|last| Blocks { last, ..now });
        let root = entry
            .place
            .map_or_else(Default::default, |place| place.root);
        let archive = self.archive.as_ref();
        let undo = UtxoUndo {
            changes: self.undo_bits(entry.spent, next_index),
            block,
            blocks,
            next_index,
            place: entry.place,
            ring: self.ring.stage(&self.hasher, block, root),
            unseals: self.ring.seals(block).is_some(),
            window: self.entering(read, now)?,
            position: archive.map(|a| a.position_before(block, self.ring.batch_of(block))),
        };
        self.write_undo(&undo, batch);
        Ok(undo)
    }

    fn undo_bits(&self, spent: Vec<u64>, next_index: RecordIndex) -> Vec<BitChange> {
        let shrinks = next_index != self.next_index;
        if !shrinks && spent.is_empty() {
            return Vec::new();
        }
        let mut change = BitChange::of(FieldId::Utxo);
        change.len = shrinks.then_some(next_index.0);
        // The block that appended the first records created the field.
        change.remove = shrinks && next_index.0 == 0;
        change.clear = spent;
        vec![change]
    }

    /// The block that enters the window from below once the last one leaves it.
    fn entering<R: LeafRead>(
        &self,
        read: &R,
        now: Blocks,
    ) -> Result<Option<WindowBlock>, UtxoError> {
        let window = self.window_blocks();
        let before = now
            .last
            .0
            .checked_sub(window)
            .filter(|_| window > 0)
            .map(BlockNumber);
        // Only next to the others: a window opened anew may begin later.
        let next = before.and_then(BlockNumber::next);
        let Some(before) = before.filter(|at| self.window.oldest() == next && *at >= now.first)
        else {
            return Ok(None);
        };
        match self.range(before) {
            Some(range) => Ok(load(read, &self.hasher, range)?),
            None => Ok(None),
        }
    }

    fn write_undo(&self, undo: &UtxoUndo, batch: &mut Batch) {
        let block = undo.block;
        batch.delete(Table::Utxo, number_key(UNDO, block.0));
        write_place(batch, self.ring.place_of(block), undo.place);
        if undo.unseals {
            write_batch(batch, self.ring.batch_of(block), None);
        }
        if self.window_blocks() > 0 {
            let from = number_key(WINDOW, block.0);
            let to = number_key(WINDOW, block.0.saturating_add(1));
            batch.delete_range(Table::Utxo, from, to);
        }
        match undo.position {
            Some(position) => write_position(batch, position),
            None => batch.delete(Table::Utxo, ARCHIVE),
        }
        match undo.blocks {
            None => batch.delete(Table::Utxo, HEAD),
            Some(blocks) => {
                let head = UtxoHead {
                    rules: self.rules,
                    first: blocks.first,
                    last: blocks.last,
                    next_index: undo.next_index,
                };
                head.write(batch);
            }
        }
    }

    /// Makes the undoing visible. Its batch must be durable.
    pub fn publish_undo(&mut self, undo: UtxoUndo) {
        self.blocks = undo.blocks;
        self.next_index = undo.next_index;
        self.ring.apply(undo.block, undo.ring, undo.place);
        if undo.unseals {
            let sealed = self.batches.len().saturating_sub(1);
            self.batches.truncate(&self.hasher, sealed);
        }
        self.window.pop(undo.block, undo.window);
        if let (Some(archive), Some(position)) = (&mut self.archive, undo.position) {
            archive.cut(position);
        }
    }
}
