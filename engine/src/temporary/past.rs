//! A past for a tier that never had a block: periods that are sealed, and entries that are live.
//!
//! The head's number says which periods there must be: those readable are live, the ones whose seal was
//! due by then are in the period table, and one between the two is frozen and has no entries. The live
//! entries are written out as a checkpoint of the head, so that opening finds them without any log.
//! Under the deferred commitment the chain of logs begins behind them.

use super::{
    bits::created,
    block::TemporaryWrite,
    checkpoint::Checkpoints,
    commitment::incremental_root,
    live::Live,
    period::Period,
    period_table::{PeriodTable, Sealed, put_sealed},
    seal::{Header, PeriodSink, put_header, seal_sorted},
    tier::TemporaryTier,
};
use crate::{
    leaf_store::{Batch, StoreError},
    spent::BitChange,
    temporary::SealError,
};
use alloy_primitives::B256;
use std::sync::Arc;
use thinstate_formats::{
    BlockNumber, NodeHasher, PeriodId, TemporaryRules,
    counted::{Leaf, Node},
    temporary::{LiveCommitment, Retention},
};

/// What a tier begins with.
#[derive(Debug)]
pub(crate) struct TemporaryPast {
    /// The last block of the past.
    pub(crate) head: BlockNumber,
    /// Sealed periods without gaps, up to the last that is due at the head; none, or all from some on.
    pub(crate) sealed: Vec<(PeriodId, Node)>,
    /// Entries of the head's period, each location once.
    pub(crate) current: Vec<TemporaryWrite>,
    /// Entries of the period before.
    pub(crate) previous: Vec<TemporaryWrite>,
}

/// A past that memory shows and the store does not have yet.
pub(crate) struct StagedPast {
    live: Live,
    table: PeriodTable,
    checkpoints: Checkpoints,
    frozen: Option<PeriodId>,
    head: BlockNumber,
    /// The bits of the sealed periods, all zero.
    pub(crate) changes: Vec<BitChange>,
}

/// Seals periods of the past, without the tier.
pub(crate) struct PastSealer {
    hasher: NodeHasher,
    archive: Option<Arc<dyn PeriodSink>>,
}

impl PastSealer {
    /// Seals leaves that ascend by location; the archive has them then.
    pub(crate) fn seal(&self, period: PeriodId, leaves: &[Leaf]) -> Result<Node, SealError> {
        seal_sorted(period, leaves, &self.hasher, self.archive.as_deref())
    }
}

/// The newest period that must be in the period table once block `head` is applied.
pub(crate) const fn last_due(rules: &TemporaryRules, head: BlockNumber) -> Option<PeriodId> {
    let Some(frozen_at) = head.0.checked_sub(rules.seal_delay_blocks) else {
        return None;
    };
    match rules
        .period(BlockNumber(frozen_at))
        .0
        .checked_sub(rules.periods_readable())
    {
        Some(period) => Some(PeriodId(period)),
        None => None,
    }
}

impl TemporaryTier {
    /// Whether no block, and no past, has left anything here.
    pub(crate) fn is_untouched(&self) -> bool {
        let stats = self.stats();
        self.pending.is_none()
            && self.past.is_empty()
            && self.checkpoints.in_use.is_none()
            && self.table.len() == 0
            && stats.log_bytes == 0
            && stats.current_entries + stats.previous_entries + stats.frozen_entries == 0
    }

    /// What seals periods of the past.
    pub(crate) fn past_sealer(&self) -> PastSealer {
        PastSealer {
            hasher: self.hashing.hasher,
            archive: self.archive.clone(),
        }
    }

    /// Prepares a past. The entries go through `commit` in batches; what makes them count is in the
    /// last batch, `batch`, and [`Self::publish_past`] follows once that is durable.
    pub(crate) fn stage_past(
        &self,
        past: TemporaryPast,
        commit: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
        batch: &mut Batch,
    ) -> Result<StagedPast, StoreError> {
        let head = past.head;
        let live = self.live_past(&past);
        let mut table = PeriodTable::new(self.hashing.hasher);
        for (id, root) in &past.sealed {
            let sealed = Sealed {
                root: *root,
                sealed_at: self.rules.sealed_at(*id),
            };
            table.push_unrooted(*id, sealed);
            put_sealed(batch, *id, &sealed);
        }
        table.update_root();
        let frozen = self.frozen_past(head);
        if let Some(id) = frozen {
            let page_bits = self.freeze(id, None).page_bits();
            let root = None;
            put_header(batch, id, Header { page_bits, root });
        }
        let root = self.root_of(&live);
        let checkpoints = Checkpoints::of_past(head, root, &live, commit, batch)?;
        let sealed = past.sealed.iter();
        Ok(StagedPast {
            live,
            table,
            checkpoints,
            frozen,
            head,
            changes: sealed
                .filter_map(|(id, root)| created(*id, root.count))
                .collect(),
        })
    }

    /// The past is durable.
    pub(crate) fn publish_past(&mut self, staged: StagedPast) {
        if let Some(frozen) = &mut self.frozen {
            // A step of an empty period that opening began; how it ended does not matter any more.
            drop(frozen.wait(&self.worker));
        }
        self.root = self.root_of(&staged.live);
        self.live = staged.live;
        self.table = staged.table;
        self.checkpoints = staged.checkpoints;
        self.head = Some(staged.head);
        self.frozen = staged.frozen.map(|id| self.freeze(id, None));
        if let Some(frozen) = &mut self.frozen {
            frozen.start(&self.worker, self.limits.seal_leaves_per_block);
        }
    }

    fn live_past(&self, past: &TemporaryPast) -> Live {
        let current = self.rules.period(past.head);
        let period = |id, entries: &[TemporaryWrite]| {
            let mut period = Period::new(id, self.with_trees());
            for entry in entries {
                period.entries.push(entry.location, entry.value);
            }
            period
        };
        let before = current.0.checked_sub(1).map(PeriodId);
        let before = before.filter(|_| self.rules.retention == Retention::CurrentAndPrevious);
        let mut live = Live {
            zero_rule: self.rules.zero_rule,
            current: period(current, &past.current),
            previous: before.map(|id| period(id, &past.previous)),
        };
        live.mark_shadows();
        live.current.fill_tree(&self.hashing);
        if let Some(previous) = &mut live.previous {
            previous.fill_tree(&self.hashing);
        }
        live
    }

    /// The period that is out of sight at the head and not due yet.
    fn frozen_past(&self, head: BlockNumber) -> Option<PeriodId> {
        let period = self.rules.period(head).0;
        let id = period
            .checked_sub(self.rules.periods_readable())
            .map(PeriodId);
        id.filter(|id| self.rules.sealed_at(*id) > head)
    }

    fn root_of(&self, live: &Live) -> B256 {
        match self.rules.commitment {
            LiveCommitment::Deferred => self.root,
            LiveCommitment::Incremental => incremental_root(&self.hashing.hasher, live),
        }
    }
}
