//! Applying a block: root, comparison, one durable commit.

use super::{PermanentDesign, witness::Brought};
use crate::{
    design::{Applied, DesignError, tally},
    load::BlockLoad,
};
use alloy_primitives::B256;
use std::time::Instant;
use thinstate_engine::{BlockId, CommitError, CommitReport, PreparedBlock, StateError};
use thinstate_formats::{BlockNumber, StateChanges};

impl PermanentDesign {
    /// Applies the changes of a load. A root that is not the load's is found before anything is stored.
    pub(super) fn apply_changes(
        &self,
        load: &BlockLoad,
        changes: &StateChanges,
    ) -> Result<Applied, DesignError> {
        let _changing = self.changing();
        self.check_next(load.number)?;
        let started = Instant::now();
        let mut brought = Brought::default();
        let prepared = self.prepare(load, changes, &mut brought)?;
        let root = prepared.root();
        if let Some(expected) = load.state_root
            && expected != root
        {
            return Err(DesignError::Root {
                number: load.number,
                expected,
                got: root,
            });
        }
        let state_hash = started.elapsed();
        let report = self
            .tier
            .commit(block_id(load.number), prepared)
            .map_err(DesignError::store(format!("commit block {}", load.number)))?;
        let mut applied = applied(load, &report);
        applied.state_hash = state_hash;
        applied.accounts.witness_bytes = brought.accounts_bytes;
        applied.slots.witness_bytes = brought.slots_bytes;
        Ok(applied)
    }

    /// The state after the block. Where a change runs into what has expired (reads came from pending
    /// blocks, or it expired again since), all that lies over the load's keys is brought first; then,
    /// one by one, what only the change itself needs: a sibling that is left alone.
    fn prepare(
        &self,
        load: &BlockLoad,
        changes: &StateChanges,
        brought: &mut Brought,
    ) -> Result<PreparedBlock, DesignError> {
        loop {
            match self.tier.prepare(changes) {
                Ok(prepared) => return Ok(prepared),
                Err(CommitError::State(StateError::Missing(node))) => {
                    let mut missing = match self.is_strict() {
                        true => self.missing_for(load)?,
                        false => Vec::new(),
                    };
                    if missing.is_empty() {
                        missing.push(*node);
                    }
                    brought.add(self.bring(load.number, missing)?);
                }
                Err(other) => {
                    let context = format!("prepare block {}", load.number);
                    return Err(DesignError::store(context)(other));
                }
            }
        }
    }

    /// Whether a block follows the head; any does in a store that has none.
    pub(super) fn check_next(&self, got: BlockNumber) -> Result<(), DesignError> {
        let head = self.tier.head().block;
        match head.and_then(|block| block.number.next()) {
            Some(expected) if expected != got => Err(DesignError::NotNext { expected, got }),
            _ => Ok(()),
        }
    }
}

/// The name of a block in the store: loads do not know their block's hash, and several blocks may have
/// gone into one.
pub(super) const fn block_id(number: BlockNumber) -> BlockId {
    BlockId {
        number,
        hash: B256::ZERO,
    }
}

/// What a commit did, in a design's terms.
fn applied(load: &BlockLoad, report: &CommitReport) -> Applied {
    let mut accounts = tally::written_accounts(load);
    let mut slots = tally::written_slots(load, |_| true);
    if load.accounts.iter().any(|account| account.drops_storage()) {
        // The rest of what was written went with its account.
        let named = slots.created + slots.updated + slots.deleted;
        slots.deleted += report.slots_written.saturating_sub(named);
    }
    accounts.hashes = report.work.hashes;
    accounts.permutations = report.work.permutations;
    accounts.logical_written_bytes = report.batch_bytes;
    Applied {
        state_root: Some(report.root),
        commitment: report.root,
        accounts,
        slots,
        commit: report.commit,
        ..Applied::default()
    }
}
