//! The tier: what it holds, and what it answers.

use super::{
    block::TemporaryStats,
    checkpoint::Checkpoints,
    commitment::{Hashing, incremental_root},
    live::Live,
    options::TemporaryLimits,
    period::Period,
    period_table::{PeriodTable, Sealed},
    seal::{Frozen, PeriodSink, Sealer, Sealing, Worker},
    stage::StagedBlock,
    undo::{PastBlock, StagedUndo},
};
use alloy_primitives::B256;
use core::fmt;
use rayon::ThreadPool;
use std::{collections::VecDeque, sync::Arc};
use thinstate_formats::{
    BlockNumber, PeriodId, TemporaryRules,
    counted::Node,
    temporary::{LiveCommitment, Retention},
};

/// What a tier is opened with.
#[derive(Clone)]
pub(crate) struct Setup {
    /// What all nodes agree on.
    pub(crate) rules: TemporaryRules,
    /// What they need not.
    pub(crate) limits: TemporaryLimits,
    /// Where sealed leaves go; `None` to drop them.
    pub(crate) archive: Option<Arc<dyn PeriodSink>>,
    /// Threads for the trees of the incremental commitment.
    pub(crate) pool: Option<Arc<ThreadPool>>,
}

/// The temporary tier.
pub(crate) struct TemporaryTier {
    pub(super) rules: TemporaryRules,
    pub(super) limits: TemporaryLimits,
    pub(super) archive: Option<Arc<dyn PeriodSink>>,
    pub(super) hashing: Hashing,
    pub(super) head: Option<BlockNumber>,
    pub(super) root: B256,
    pub(super) live: Live,
    /// There is never more than one: the seal delay is at most a period.
    pub(super) frozen: Option<Frozen>,
    pub(super) table: PeriodTable,
    /// Blocks that can be undone, the oldest first.
    pub(super) past: VecDeque<PastBlock>,
    pub(super) checkpoints: Checkpoints,
    pub(super) pending: Option<Pending>,
    pub(super) worker: Worker,
}

/// What memory shows and the store does not have yet.
pub(super) enum Pending {
    Block(StagedBlock),
    Undo(StagedUndo),
}

impl TemporaryTier {
    /// The value at a location: zero if there is none.
    pub(crate) fn get(&self, location: &B256) -> B256 {
        self.live.get(location)
    }

    /// The value at a location, and the period that has it; `None` if there is none.
    pub(crate) fn entry(&self, location: &B256) -> Option<(PeriodId, B256)> {
        self.live.entry(location)
    }

    /// The value at a location as the transactions of `block`, the next one, see it: entries whose
    /// life ended with the block before are gone already.
    pub(crate) fn get_in(&self, block: BlockNumber, location: &B256) -> B256 {
        self.lives_in(block)
            .map_or(B256::ZERO, |get| get(&self.live, location))
    }

    /// As [`Self::get_in`], for many locations, each value to its place.
    pub(crate) fn get_all_in(&self, block: BlockNumber, locations: &[B256], values: &mut [B256]) {
        let Some(get) = self.lives_in(block) else {
            return values.fill(B256::ZERO);
        };
        for (location, value) in locations.iter().zip(values) {
            *value = get(&self.live, location);
        }
    }

    /// How the transactions of `block`, the next one, find an entry; `None` if none lives on in its period.
    fn lives_in(&self, block: BlockNumber) -> Option<fn(&Live, &B256) -> B256> {
        if self.rules.period(block) == self.live.current.id {
            return Some(Live::get);
        }
        match self.rules.retention {
            Retention::OnePeriod => None,
            Retention::CurrentAndPrevious => Some(Live::get_current),
        }
    }

    /// The frozen period, if its entries are not in memory any more: its seal was undone.
    pub(crate) fn frozen_elsewhere(&self) -> Option<PeriodId> {
        let frozen = self.frozen.as_ref()?;
        frozen.period().is_none().then_some(frozen.id)
    }

    /// The value at a location in the period that is frozen and not sealed, if it is to be sealed.
    pub(crate) fn frozen_value(&self, location: &B256) -> Option<B256> {
        let entries = &self.frozen.as_ref()?.period()?.entries;
        let id = entries.find(location)?;
        let value = entries.value(location);
        (!value.is_zero() && !entries.is_shadowed(id)).then_some(value)
    }

    /// What the last block commits to of the live entries.
    pub(crate) const fn live_root(&self) -> B256 {
        self.root
    }

    /// What the last block commits to of the sealed periods.
    pub(crate) const fn periods_root(&self) -> B256 {
        self.table.root()
    }

    /// A sealed period.
    pub(crate) fn period(&self, period: PeriodId) -> Option<Sealed> {
        self.table.get(period).copied()
    }

    /// All sealed periods, by ascending number.
    pub(crate) fn periods(&self) -> impl Iterator<Item = (PeriodId, Sealed)> + '_ {
        self.table.iter().map(|(period, sealed)| (period, *sealed))
    }

    /// What is under the current period's version of an entry, as the transactions of `block`, the
    /// next one, see it: the value that shows when that version is deleted without a tombstone.
    pub(crate) fn get_below(&self, block: BlockNumber, location: &B256) -> B256 {
        let same_period = self.rules.period(block) == self.live.current.id;
        match (self.rules.retention, same_period) {
            (Retention::OnePeriod, _) => B256::ZERO,
            (Retention::CurrentAndPrevious, false) => self.live.get_current(location),
            (Retention::CurrentAndPrevious, true) => {
                let previous = self.live.previous.as_ref();
                previous.map_or(B256::ZERO, |previous| previous.entries.value(location))
            }
        }
    }

    /// The head after an undoing, which the store knows: there may be none.
    pub(crate) const fn set_head(&mut self, head: Option<BlockNumber>) {
        self.head = head;
    }

    /// The last block.
    #[cfg(test)]
    pub(crate) const fn head(&self) -> Option<BlockNumber> {
        self.head
    }

    /// Sizes.
    pub(crate) fn stats(&self) -> TemporaryStats {
        let frozen = self.frozen.as_ref().and_then(Frozen::period);
        let current = Some(&self.live.current);
        let previous = self.live.previous.as_ref();
        let all = || [current, previous, frozen].into_iter().flatten();
        let leaves = |period: &Period| u64::from(period.entries.leaves());
        let log_bytes = |period: &Period| period.log_bytes - self.log_bytes_dropped(period.id);
        let past = self.past.iter().map(|past| past.back.memory_bytes());
        TemporaryStats {
            current_entries: u64::from(self.live.current.entries.present()),
            previous_entries: previous.map_or(0, leaves),
            frozen_entries: frozen.map_or(0, leaves),
            memory_bytes: all().map(Period::memory_bytes).sum(),
            undo_bytes: past.sum(),
            log_bytes: all().map(log_bytes).sum(),
            periods_sealed: self.table.len() as u64,
            leaves_sealed: self.table.iter().map(|(_, sealed)| sealed.root.count).sum(),
            period_table_bytes: 61 * self.table.len() as u64,
        }
    }

    pub(super) fn with_trees(&self) -> bool {
        self.rules.commitment == LiveCommitment::Incremental
    }

    /// The live root before the first block.
    pub(super) fn initial_root(&self) -> B256 {
        match self.rules.commitment {
            LiveCommitment::Deferred => B256::ZERO,
            LiveCommitment::Incremental => incremental_root(&self.hashing.hasher, &self.live),
        }
    }

    /// Begins a period, and takes the one out that no read looks in any more.
    pub(super) fn rotate(&mut self, to: PeriodId) -> Option<Period> {
        let next = Period::new(to, self.with_trees());
        let ended = core::mem::replace(&mut self.live.current, next);
        match self.rules.retention {
            Retention::OnePeriod => Some(ended),
            Retention::CurrentAndPrevious => self.live.previous.replace(ended),
        }
    }

    /// The opposite of [`Self::rotate`]. The current period must be as it began.
    pub(super) fn rotate_back(&mut self, taken_out: Option<Period>) {
        match self.rules.retention {
            Retention::OnePeriod => {
                if let Some(ended) = taken_out {
                    self.live.current = ended;
                }
            }
            Retention::CurrentAndPrevious => {
                if let Some(ended) = core::mem::replace(&mut self.live.previous, taken_out) {
                    self.live.current = ended;
                }
            }
        }
    }

    /// How a period is going to be sealed of which nothing is done yet.
    pub(super) fn sealing_of(&self, period: &Period) -> Sealing {
        let known = period.tree.as_ref().map(|tree| tree.root());
        match known {
            Some(root) if self.archive.is_none() => Sealing::known(root),
            _ => {
                let (hasher, archive) = (self.hashing.hasher, self.archive.clone());
                let sealer = Sealer::new(period.id, period.entries.len(), hasher, archive);
                Sealing::with(expecting(sealer, known))
            }
        }
    }

    /// A frozen period, `period` if there was one.
    pub(super) fn freeze(&self, id: PeriodId, period: Option<Period>) -> Frozen {
        let period = period.filter(|period| period.id == id);
        let period = period.unwrap_or_else(|| Period::new(id, self.with_trees()));
        let sealing = self.sealing_of(&period);
        Frozen::new(period, sealing)
    }
}

/// The sealer, which accepts no other root than the one blocks have committed to.
pub(super) const fn expecting(mut sealer: Sealer, known: Option<Node>) -> Sealer {
    if let Some(root) = known {
        sealer.expect_root(root);
    }
    sealer
}

impl fmt::Debug for TemporaryTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryTier")
            .field("rules", &self.rules)
            .field("head", &self.head)
            .field("root", &self.root)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
