//! Undoing the last block.
//!
//! All that it takes is in memory, also after a restart: opening replays the last blocks. The store
//! loses the block's log, and what a period's end or seal added.
//!
//! A block that sealed a period can be undone, but not so many more that the period would have to
//! live again: the seal delay is longer than that. So its log and its pages may go with the seal; the
//! period is then known by its root alone, until the next block with that number seals it again.

use super::{
    bits::{flipped, removed},
    change::ChangeList,
    checkpoint::Checkpoints,
    error::{SealError, TemporaryError},
    live::Touched,
    log::log_key,
    period_table::{Sealed, TABLE_KEY, period_key},
    seal::{Frozen, Header, Sealing, clear_progress, put_header},
    tier::{Pending, TemporaryTier},
};
use crate::{
    leaf_store::{Batch, Table},
    spent::BitChange,
};
use alloy_primitives::B256;
use thinstate_formats::{BlockNumber, LeafIndex, PeriodId, temporary::LiveCommitment};

/// What undoing a block takes.
pub(super) struct PastBlock {
    pub(super) block: BlockNumber,
    pub(super) former_head: Option<BlockNumber>,
    pub(super) former_root: B256,
    /// Its changes of entries, backwards.
    pub(super) back: ChangeList,
    /// It is the first of its period.
    pub(super) rotated: bool,
    /// It sealed a period.
    pub(super) sealed: bool,
    pub(super) resurrections: Vec<(PeriodId, LeafIndex)>,
    pub(super) log_bytes: u64,
}

/// An undoing that memory shows, with what takes it back.
pub(super) struct StagedUndo {
    past: PastBlock,
    root: B256,
    /// Its changes of entries, forwards.
    forth: ChangeList,
    /// How far a period had come that lives again.
    sealing: Option<Sealing>,
    /// The period that is not in the table any more.
    unsealed: Option<(PeriodId, Sealed)>,
    /// As they were before.
    checkpoints: Checkpoints,
}

impl TemporaryTier {
    /// Undoes the last block in memory, and adds what the store needs for it to the batch.
    ///
    /// [`Self::publish`] follows, or [`Self::rollback`]. After an error nothing has changed.
    pub(crate) fn stage_undo(
        &mut self,
        batch: &mut Batch,
    ) -> Result<Vec<BitChange>, TemporaryError> {
        self.check_idle()?;
        let past = self.past_block()?;
        let mut changes = flipped(&past.resurrections, false);
        let period = &mut self.live.current;
        period.log_bytes -= past.log_bytes;
        batch.delete(Table::Temporary, log_key(period.id, past.block));
        let checkpoints = self.checkpoints.clone();
        self.checkpoints.undo(past.block, batch);
        let forth = self.revert(&past.back);
        let sealing = past.rotated.then(|| self.uncross(past.block, batch));
        let unsealed = past.sealed.then(|| self.unseal(batch)).flatten();
        if let Some((period, sealed)) = &unsealed {
            changes.extend(removed(*period, sealed.root.count));
        }
        let root = self.root;
        (self.head, self.root) = (past.former_head, past.former_root);
        self.pending = Some(Pending::Undo(StagedUndo {
            past,
            root,
            forth,
            sealing: sealing.flatten(),
            unsealed,
            checkpoints,
        }));
        Ok(changes)
    }

    /// The last block, once it is clear that it can be undone.
    fn past_block(&mut self) -> Result<PastBlock, TemporaryError> {
        let undo_blocks = self.limits.undo_blocks;
        let none = TemporaryError::NothingToUndo { undo_blocks };
        let last = self.past.back().ok_or(none)?;
        if last.rotated
            && let Some(frozen) = &mut self.frozen
        {
            // The worker must not hold what is to live again. A step that failed is over, too.
            match frozen.wait(&self.worker) {
                Ok(_) | Err(SealError::Archive { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if frozen.period().is_none() {
                return Err(TemporaryError::NothingToUndo { undo_blocks });
            }
        }
        let none = TemporaryError::NothingToUndo { undo_blocks };
        self.past.pop_back().ok_or(none)
    }

    /// Takes back the changes of a block, in the trees too; what leads forth again.
    pub(super) fn revert(&mut self, changes: &ChangeList) -> ChangeList {
        let touched = self.touched(changes);
        let opposite = self.live.revert(changes);
        self.live.update_trees(&self.hashing, &touched);
        opposite
    }

    /// What trees must be told of, if there are trees.
    fn touched(&self, back: &ChangeList) -> Touched {
        match self.rules.commitment {
            LiveCommitment::Deferred => Touched::default(),
            LiveCommitment::Incremental => self.live.touched(back),
        }
    }

    /// The period before lives again.
    fn uncross(&mut self, block: BlockNumber, batch: &mut Batch) -> Option<Sealing> {
        if let Some(id) = self.rules.freezes(block) {
            clear_progress(batch, id);
        }
        let (period, sealing) = self.frozen.take().and_then(Frozen::thaw).unzip();
        self.rotate_back(period);
        sealing
    }

    /// The last period of the table is not sealed yet.
    fn unseal(&mut self, batch: &mut Batch) -> Option<(PeriodId, Sealed)> {
        let sealed = self.table.pop()?;
        let id = self.rules.seals(self.head?)?;
        batch.delete(Table::Periods, period_key(TABLE_KEY, id));
        let root = Some(sealed.root);
        put_header(batch, id, Header { page_bits: 0, root });
        self.frozen = Some(Frozen::known(id, sealed.root));
        Some((id, sealed))
    }

    /// The undone block is there again.
    pub(super) fn rollback_undo(&mut self, staged: StagedUndo) {
        let past = staged.past;
        if let Some((id, sealed)) = staged.unsealed {
            self.table.push(id, sealed);
            self.frozen = None;
        }
        if past.rotated {
            let ended = self.rotate(self.rules.period(past.block));
            self.frozen = match (self.rules.freezes(past.block), ended, staged.sealing) {
                (Some(_), Some(period), Some(sealing)) => Some(Frozen::new(period, sealing)),
                (Some(id), ended, _) => Some(self.freeze(id, ended)),
                (None, _, _) => None,
            };
        }
        self.live.revert(&staged.forth);
        let touched = self.touched(&past.back);
        self.live.update_trees(&self.hashing, &touched);
        self.live.current.log_bytes += past.log_bytes;
        (self.head, self.root) = (Some(past.block), staged.root);
        self.checkpoints = staged.checkpoints;
        self.past.push_back(past);
    }
}
