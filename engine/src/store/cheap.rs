//! The temporary tier, the UTXO tier and their spent bits, staged and published together.

use super::{
    ApplyError, BlockChanges, PastError, StoreOpenError, StoreRules, UndoError, history,
    options::StoreOptions, report::CheapReport,
};
use crate::{
    archive::{
        periods::{Check, PeriodArchive},
        records::{RecordArchive, RecordArchiveOptions},
    },
    leaf_store::{Batch, LeafRead, StoreError},
    spent::{FieldId, SpentFields, SpentOptions, StagedSpent},
    temporary::{Setup, TemporaryLimits, TemporaryPast, TemporaryReport, TemporaryTier},
    utxo::{UtxoLimits, UtxoRules, UtxoStaged, UtxoTier, UtxoUndo},
};
use alloy_primitives::B256;
use rayon::ThreadPool;
use std::{path::Path, sync::Arc};
use thinstate_formats::{BlockNumber, Commitment, LeafIndex, PeriodId, RecordIndex};

/// The tiers that are not Ethereum's own.
#[derive(Debug)]
pub(super) struct Cheap {
    pub(super) temporary: TemporaryTier,
    pub(super) utxo: UtxoTier,
    pub(super) spent: SpentFields,
    pub(super) periods: Option<Arc<PeriodArchive>>,
    /// Times that this was taken to be changed.
    pub(super) changes: u64,
    /// Whether the leaf store has the rules.
    rules_written: bool,
}

/// A block on its way. The temporary tier shows it already; the others do not.
#[derive(Debug)]
pub(super) struct Staged {
    temporary: TemporaryReport,
    utxo: UtxoStaged,
    spent: StagedSpent,
}

/// An undoing on its way.
#[derive(Debug)]
pub(super) struct StagedUndo {
    utxo: UtxoUndo,
    spent: StagedSpent,
}

impl Staged {
    /// The roots of the tiers with the block.
    pub(super) fn commitment(&self, cheap: &Cheap, block: BlockNumber, root: B256) -> Commitment {
        Commitment {
            utxo: self.utxo.root,
            spent: self.spent.root(),
            ..cheap.commitment(block, root)
        }
    }
}

impl Cheap {
    pub(super) fn open<R: LeafRead>(
        read: &R,
        head: Option<BlockNumber>,
        rules_written: bool,
        options: &StoreOptions,
        pool: &Arc<ThreadPool>,
    ) -> Result<Self, StoreOpenError> {
        let undo_blocks = options.permanent.undo_blocks;
        let StoreRules { temporary, utxo } = options.rules;
        let spent = SpentOptions {
            dir: options.dir.as_ref().map(|dir| dir.join("spent")),
            hash: utxo.hash,
            checkpoint_commits: options.checkpoint_commits,
        };
        let archive = options.dir.as_ref().map(|dir| dir.join("archive"));
        let periods = open_periods(archive.as_deref(), options)?;
        let setup = Setup {
            rules: temporary,
            limits: TemporaryLimits {
                seal_leaves_per_block: options.seal_leaves_per_block,
                undo_blocks,
                ..TemporaryLimits::default()
            },
            archive: periods.clone().map(|archive| archive as Arc<_>),
            pool: Some(Arc::clone(pool)),
        };
        let limits = UtxoLimits {
            hybrid_window: utxo.hybrid_window,
            undo_blocks,
        };
        let records = record_options(archive.as_deref(), options);
        let utxo = UtxoTier::open(read, utxo_rules(options)?, limits, records)?;
        check_head(read, head, &utxo)?;
        Ok(Self {
            temporary: TemporaryTier::open(read, head, setup)?,
            utxo,
            spent: SpentFields::open(read, spent)?,
            periods,
            changes: 0,
            rules_written,
        })
    }

    /// The roots that memory shows, with the permanent tier's.
    pub(super) fn commitment(&self, block: BlockNumber, permanent: B256) -> Commitment {
        Commitment {
            block,
            permanent,
            temporary: self.temporary.live_root(),
            periods: self.temporary.periods_root(),
            utxo: self.utxo.root(),
            spent: self.spent.root(),
        }
    }

    /// Prepares a block and adds to the batch what is to be durable of it; the archive has its
    /// records. After an error everything is as before.
    pub(super) fn stage(
        &mut self,
        block: BlockNumber,
        changes: &BlockChanges,
        batch: &mut Batch,
    ) -> Result<Staged, ApplyError> {
        let (spends, records) = (&changes.spends, &changes.records);
        let utxo = self
            .utxo
            .stage(block, spends, records, &self.spent, batch)?;
        match self.stage_periods(block, changes, &utxo, batch) {
            Ok((temporary, spent)) => Ok(Staged {
                temporary,
                utxo,
                spent,
            }),
            Err(error) => {
                self.utxo.rollback(utxo);
                Err(error)
            }
        }
    }

    fn stage_periods(
        &mut self,
        block: BlockNumber,
        changes: &BlockChanges,
        utxo: &UtxoStaged,
        batch: &mut Batch,
    ) -> Result<(TemporaryReport, StagedSpent), ApplyError> {
        let (writes, resurrections) = (&changes.temporary, &changes.resurrections);
        let temporary = self
            .temporary
            .stage(block, writes, resurrections, &self.spent, batch)?;
        let mut bits = temporary.changes;
        bits.extend_from_slice(&utxo.changes);
        match self.spent.stage(&bits, batch) {
            Ok(spent) => Ok((temporary.report, spent)),
            Err(error) => {
                self.temporary.rollback();
                Err(error.into())
            }
        }
    }

    /// The batch is durable.
    pub(super) fn publish(&mut self, staged: Staged) -> CheapReport {
        let report = CheapReport {
            temporary: staged.temporary,
            utxo: staged.utxo.work,
            spent: staged.spent.work(),
            first_record: staged.utxo.first_index,
        };
        self.spent.publish(staged.spent);
        self.utxo.publish(staged.utxo);
        self.temporary.publish();
        self.rules_written = true;
        report
    }

    /// The batch failed: memory is as before the block. Whether the block is in the store is known
    /// after reopening.
    pub(super) fn abandon(&mut self, staged: Staged) {
        self.temporary.rollback();
        self.utxo.abandon(staged.utxo);
    }

    /// As [`Self::stage`], for undoing the last block.
    pub(super) fn stage_undo<R: LeafRead>(
        &mut self,
        read: &R,
        batch: &mut Batch,
    ) -> Result<StagedUndo, UndoError> {
        let utxo = self.utxo.stage_undo(read, batch)?;
        let mut bits = self.temporary.stage_undo(batch)?;
        bits.extend_from_slice(&utxo.changes);
        match self.spent.stage(&bits, batch) {
            Ok(spent) => Ok(StagedUndo { utxo, spent }),
            Err(error) => {
                self.temporary.rollback();
                Err(error.into())
            }
        }
    }

    /// The batch of an undoing is durable.
    pub(super) fn publish_undo(&mut self, staged: StagedUndo, head: Option<BlockNumber>) {
        self.spent.publish(staged.spent);
        self.utxo.publish_undo(staged.utxo);
        self.temporary.publish();
        self.temporary.set_head(head);
    }

    /// The batch of an undoing was refused.
    pub(super) fn rollback_undo(&mut self) {
        self.temporary.rollback();
    }

    /// Adds the rules to the batch of a store that does not have them yet.
    pub(super) fn write_rules(&self, rules: &StoreRules, batch: &mut Batch) {
        if !self.rules_written {
            history::write_rules(batch, rules);
        }
    }

    /// Whether no block, and no past, has left anything in these tiers.
    pub(super) fn is_untouched(&self) -> bool {
        self.utxo.head().is_none() && self.spent.is_empty() && self.temporary.is_untouched()
    }

    /// Makes a past of the temporary tier durable, and shows it: live entries through `commit`, all else
    /// in `batch`, the last one.
    pub(super) fn take_past(
        &mut self,
        past: TemporaryPast,
        rules: &StoreRules,
        commit: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
        batch: &mut Batch,
    ) -> Result<(), PastError> {
        let staged = self.temporary.stage_past(past, commit, batch)?;
        let spent = self.spent.stage(&staged.changes, batch)?;
        self.write_rules(rules, batch);
        commit(core::mem::take(batch))?;
        self.spent.publish(spent);
        self.temporary.publish_past(staged);
        self.rules_written = true;
        Ok(())
    }

    pub(super) fn is_resurrected(&self, period: PeriodId, index: LeafIndex) -> Option<bool> {
        self.spent.is_spent(FieldId::Period(period), index.0)
    }

    pub(super) fn is_spent(&self, index: RecordIndex) -> Option<bool> {
        self.spent.is_spent(FieldId::Utxo, index.0)
    }

    pub(super) const fn records(&self) -> Option<&RecordArchive> {
        self.utxo.archive()
    }
}

/// The tiers must be at the head: blocks may have been applied to the permanent one alone. Only
/// before their first block the others have none.
fn check_head<R: LeafRead>(
    read: &R,
    expected: Option<BlockNumber>,
    utxo: &UtxoTier,
) -> Result<(), StoreOpenError> {
    let got = utxo.head();
    let committed = match expected {
        Some(head) => history::read_commitment(read, head)?.is_some(),
        None => false,
    };
    match got {
        None if !committed => Ok(()),
        got if got == expected => Ok(()),
        got => Err(StoreOpenError::OtherHead { expected, got }),
    }
}

fn utxo_rules(options: &StoreOptions) -> Result<UtxoRules, StoreOpenError> {
    let utxo = options.rules.utxo;
    let ring_len = u32::try_from(utxo.ring_length);
    Ok(UtxoRules {
        ring_len: ring_len.map_err(|_| StoreOpenError::LongRing {
            got: utxo.ring_length,
        })?,
        hash: utxo.hash,
    })
}

fn open_periods(
    archive: Option<&Path>,
    options: &StoreOptions,
) -> Result<Option<Arc<PeriodArchive>>, StoreOpenError> {
    let Some(dir) = archive.filter(|_| options.archive.periods) else {
        return Ok(None);
    };
    let hash = options.rules.temporary.hash;
    let archive = PeriodArchive::open(dir.join("periods"), hash, Check::Everything)?;
    Ok(Some(Arc::new(archive)))
}

fn record_options(archive: Option<&Path>, options: &StoreOptions) -> Option<RecordArchiveOptions> {
    let dir = archive.filter(|_| options.archive.records)?;
    Some(RecordArchiveOptions {
        dir: dir.join("records"),
        index_owners: options.archive.owners,
    })
}
