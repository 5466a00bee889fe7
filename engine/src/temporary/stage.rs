//! A block: staged, then published or rolled back.

use super::{
    bits::{IsSpent, created, flipped},
    block::{Resurrection, TemporaryReport, TemporaryStaged, TemporaryWrite},
    checkpoint::Checkpoints,
    commitment::{HashWork, deferred_root, incremental_root},
    error::TemporaryError,
    live::Trail,
    log::{BlockLog, log_key, log_range},
    period_table::{Sealed, put_sealed},
    seal::{Frozen, Header, clear_progress, put_header},
    tier::{Pending, TemporaryTier},
    undo::PastBlock,
};
use crate::leaf_store::{Batch, Table};
use core::time::Duration;
use std::time::Instant;
use thinstate_formats::{BlockNumber, PeriodId, counted::Node, temporary::LiveCommitment};

/// A block that memory shows.
pub(super) struct StagedBlock {
    past: PastBlock,
    /// The period that it sealed.
    sealed: Option<Frozen>,
    /// As they were before.
    checkpoints: Checkpoints,
}

/// A period's tree, finished in time.
#[derive(Clone, Copy, Debug, Default)]
struct SealDone {
    period: Option<(PeriodId, Node)>,
    leaves: u64,
    pause: Duration,
}

impl TemporaryTier {
    /// Applies the next block to memory, and adds what the store needs of it to the batch.
    ///
    /// After an error nothing has changed, the batch included.
    pub(crate) fn stage(
        &mut self,
        block: BlockNumber,
        writes: &[TemporaryWrite],
        resurrections: &[Resurrection],
        spent: &impl IsSpent,
        batch: &mut Batch,
    ) -> Result<TemporaryStaged, TemporaryError> {
        self.check_next(block)?;
        self.check_room(block, writes.len())?;
        let resurrections = self.check_resurrections(resurrections, spent)?;
        let done = self.finish_seal(block)?;
        // From here on nothing fails.
        let former = (self.head, self.root);
        let checkpoints = self.checkpoints.clone();
        let sealed = done
            .period
            .map(|(id, root)| self.seal(id, root, block, batch));
        let rotated = self.cross(block, batch);
        if let Some(frozen) = &mut self.frozen {
            frozen.save(batch);
        }
        let entries = self.live.current.entries.len();
        let mut trail = Trail::default();
        self.live.write_all(writes, &mut trail);
        let work = self.commit_to(block, writes, &trail);
        trail.back.shrink();
        let mut log = BlockLog {
            root: self.root,
            entries: self.live.current.entries.len(),
            resurrections,
            writes: trail.log,
        };
        let log_bytes = self.put_log(block, &log, batch);
        let checkpoint_entries = self.advance_checkpoint(block, log_bytes, rotated, batch);
        let mut changes = flipped(&log.resurrections, true);
        changes.extend(done.period.and_then(|(id, root)| created(id, root.count)));
        let report = TemporaryReport {
            writes: writes.len() as u64,
            created: u64::from(log.entries - entries),
            resurrections: log.resurrections.len() as u64,
            log_bytes,
            work,
            seal_leaves: done.leaves,
            seal_pause: done.pause,
            checkpoint_entries,
        };
        self.head = Some(block);
        let past = PastBlock {
            block,
            former_head: former.0,
            former_root: former.1,
            back: trail.back,
            rotated,
            sealed: sealed.is_some(),
            resurrections: core::mem::take(&mut log.resurrections),
            log_bytes,
        };
        let sealed = sealed.flatten();
        self.pending = Some(Pending::Block(StagedBlock {
            past,
            sealed,
            checkpoints,
        }));
        Ok(TemporaryStaged { changes, report })
    }

    pub(super) fn check_idle(&self) -> Result<(), TemporaryError> {
        match (&self.pending, self.head) {
            (None, _) => Ok(()),
            (Some(_), head) => Err(TemporaryError::Pending(head.unwrap_or_default())),
        }
    }

    fn check_next(&self, got: BlockNumber) -> Result<(), TemporaryError> {
        self.check_idle()?;
        match self.head.map(BlockNumber::next) {
            Some(Some(expected)) if expected != got => {
                Err(TemporaryError::NotNext { expected, got })
            }
            _ => Ok(()),
        }
    }

    fn check_room(&self, block: BlockNumber, writes: usize) -> Result<(), TemporaryError> {
        let period = self.rules.period(block);
        let same = period == self.live.current.id;
        let entries = if same {
            self.live.current.entries.len()
        } else {
            0
        };
        let got = u64::from(entries) + writes as u64;
        if got > u64::from(u32::MAX) {
            return Err(TemporaryError::Full { period, got });
        }
        Ok(())
    }

    /// Takes what the background has done, and does the rest if a period is sealed in this block.
    fn finish_seal(&mut self, block: BlockNumber) -> Result<SealDone, TemporaryError> {
        let mut done = SealDone::default();
        if let Some(frozen) = &mut self.frozen {
            done.leaves = frozen.collect(&self.worker);
        }
        let Some(id) = self.rules.seals(block) else {
            return Ok(done);
        };
        let started = Instant::now();
        // A period that ended before the store began has no entries.
        let mut root = Node::EMPTY;
        if let Some(frozen) = self.frozen.as_mut().filter(|frozen| frozen.id == id) {
            let (built, leaves) = frozen.finish(&self.worker)?;
            root = built;
            done.leaves += leaves;
        }
        done.period = Some((id, root));
        done.pause = started.elapsed();
        Ok(done)
    }

    /// The period enters the table; all else that the store has of it goes, in a few operations.
    fn seal(
        &mut self,
        id: PeriodId,
        root: Node,
        block: BlockNumber,
        batch: &mut Batch,
    ) -> Option<Frozen> {
        let sealed = Sealed {
            root,
            sealed_at: block,
        };
        self.table.push(id, sealed);
        put_sealed(batch, id, &sealed);
        let (from, to) = log_range(id);
        batch.delete_range(Table::Temporary, from, to);
        clear_progress(batch, id);
        self.checkpoints.seal(id, batch);
        self.frozen.take_if(|frozen| frozen.id == id)
    }

    /// Begins the block's period, if it is its first block; whether it is.
    fn cross(&mut self, block: BlockNumber, batch: &mut Batch) -> bool {
        let period = self.rules.period(block);
        if self.head.is_none() {
            self.begin(block);
        }
        if self.live.current.id == period {
            return false;
        }
        let ended = self.rotate(period);
        if let Some(id) = self.rules.freezes(block) {
            let frozen = self.freeze(id, ended);
            let page_bits = frozen.page_bits();
            let root = None;
            put_header(batch, id, Header { page_bits, root });
            debug_assert!(self.frozen.is_none(), "the one before is sealed by now");
            self.frozen = Some(frozen);
        }
        true
    }

    /// Sets the period of an empty tier: that of the first block, or the one before it where the
    /// block is a period's first.
    fn begin(&mut self, block: BlockNumber) {
        let period = self.rules.period(block);
        let first = self.rules.first_block(period) == block;
        self.live.current.id = PeriodId(period.0.saturating_sub(u64::from(first)));
    }

    /// Sets the live root after the writes of a block.
    fn commit_to(
        &mut self,
        block: BlockNumber,
        writes: &[TemporaryWrite],
        trail: &Trail,
    ) -> HashWork {
        match self.rules.commitment {
            LiveCommitment::Deferred => {
                let hasher = &self.hashing.hasher;
                let (root, work) = deferred_root(hasher, block, self.root, writes);
                self.root = root;
                work
            }
            LiveCommitment::Incremental => {
                let touched = self.live.touched(&trail.back);
                let work = self.live.update_trees(&self.hashing, &touched);
                self.root = incremental_root(&self.hashing.hasher, &self.live);
                work + HashWork::of(1, 128)
            }
        }
    }

    fn put_log(&mut self, block: BlockNumber, log: &BlockLog, batch: &mut Batch) -> u64 {
        let current = &mut self.live.current;
        let key = log_key(current.id, block);
        let value = log.encode(&key);
        let bytes = (key.len() + value.len()) as u64;
        current.log_bytes += bytes;
        batch.put(Table::Temporary, key, value);
        bytes
    }

    /// The staged block, or undoing, is durable.
    pub(crate) fn publish(&mut self) {
        match self.pending.take() {
            Some(Pending::Block(staged)) => {
                self.past.push_back(staged.past);
                while self.past.len() as u64 > self.limits.undo_blocks {
                    self.past.pop_front();
                }
                if let Some(sealed) = staged.sealed {
                    self.worker.free(sealed);
                }
                if let Some(frozen) = &mut self.frozen {
                    frozen.saved(true);
                }
            }
            // What was begun of sealing a period that lives again goes.
            Some(Pending::Undo(staged)) => self.worker.free(staged),
            None => return,
        }
        if let Some(frozen) = &mut self.frozen {
            frozen.start(&self.worker, self.limits.seal_leaves_per_block);
        }
    }

    /// The staged block, or undoing, is not to be: everything is as before it.
    pub(crate) fn rollback(&mut self) {
        match self.pending.take() {
            Some(Pending::Block(staged)) => self.rollback_block(staged),
            Some(Pending::Undo(staged)) => self.rollback_undo(staged),
            None => {}
        }
    }

    fn rollback_block(&mut self, staged: StagedBlock) {
        let past = staged.past;
        self.live.current.log_bytes -= past.log_bytes;
        self.revert(&past.back);
        if past.rotated {
            let frozen = self.frozen.take().and_then(Frozen::thaw);
            self.rotate_back(frozen.map(|(period, _)| period));
        } else if let Some(frozen) = &mut self.frozen {
            frozen.saved(false);
        }
        if past.sealed {
            self.table.pop();
            self.frozen = staged.sealed;
        }
        self.checkpoints = staged.checkpoints;
        (self.head, self.root) = (past.former_head, past.former_root);
    }
}
