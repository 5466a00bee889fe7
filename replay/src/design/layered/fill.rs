//! The state before the first block.
//!
//! ```text
//! .. base           permanent state of the population, without what is in other tiers
//! base              temporary tier: live entries, sealed periods, by the ages of the population's slots
//! base + 1 .. head  blocks that append the population's records
//! ```
//!
//! What it is filled with is noted before anything else, so that a fill that was interrupted can be gone on with: the
//! trie step by step, a period of the temporary tier, a block of records.

use super::{
    LayeredDesign,
    apply::block_id,
    open::{Filled, fill_records, read_filled},
    sealed::Homes,
    state::State,
    wallet::{Origin, Periods},
};
use crate::{
    design::{DesignError, FillContext, Preload, StateDesign, seed},
    fill,
    population::Population,
};
use alloy_primitives::B256;
use rayon::prelude::*;
use std::sync::Arc;
use thinstate_engine::{BlockChanges, TemporaryWrite, store::PastError};
use thinstate_formats::{BlockNumber, counted::Leaf, object::Tier};

/// Entries that a step of expiry looks at when nothing waits for it.
const EXPIRY_CAP: usize = 1 << 18;
/// Records of one block of the fill, where there are blocks enough.
const RECORDS_PER_BLOCK: u64 = 1 << 20;

impl LayeredDesign {
    /// Fills the empty store.
    pub(super) fn fill_with(
        &self,
        population: &Population,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let begun = self.head();
        let mut state = self.state();
        // Records may move the base, and with it the end of a period: what comes first is how many there are.
        let name = &self.spec.name;
        let build = |homes: Homes| {
            let homes = Some(&homes);
            let build = || Origin::build(name, population, self.placement, homes, context.progress);
            self.pool.install(build)
        };
        let (mut origin, mut periods) = build(self.homes(context.block))?;
        let (blocks, per_block) = self.record_blocks(origin.records(), context.block)?;
        let base = BlockNumber(context.block.0 - blocks);
        if blocks > 0 && self.placement.uses(Tier::Temporary) {
            (origin, periods) = build(self.homes(base))?;
        }
        let origin = Arc::new(origin);
        let filled = Filled {
            population: population.spec().clone(),
            base,
            records_per_block: per_block,
            head: context.block,
        };
        match begun {
            None => {
                self.write_filled(&filled)?;
                self.fill_trie(population, base, context)?;
            }
            // An interrupted fill of the same has come as far as that.
            Some(head)
                if read_filled(&self.dir)?.as_ref() == Some(&filled) && head <= filled.head => {}
            Some(head) => {
                return Err(self.unsupported(format!("filling a store that is at block {head}")));
            }
        }
        if self.head() == Some(base) {
            let base_context = FillContext {
                block: base,
                ..*context
            };
            self.expire_all(&base_context)?;
            if self.placement.uses(Tier::Temporary) {
                self.fill_temporary(&origin, periods, base, context)?;
            }
        }
        *state = State::new(self.spec.utxo);
        self.know(&mut state, origin, base);
        for block in base.0 + 1..=context.block.0 {
            let done = state.wallet.next_index();
            let all = state.wallet.origin().map_or(0, |origin| origin.records());
            (context.progress)("records", done.0, all);
            let records = match state.wallet.origin() {
                Some(origin) => self.pool.install(|| fill_records(origin, done, per_block)),
                None => Vec::new(),
            };
            let block = BlockNumber(block);
            let wallet = &mut state.wallet;
            self.pool.install(|| wallet.follow_fill(block, &records));
            if self.head() >= Some(block) {
                continue;
            }
            let changes = BlockChanges {
                records,
                ..BlockChanges::default()
            };
            let applied = self.store.apply(block_id(block), &changes);
            applied.map_err(DesignError::store(format!(
                "append records in block {block}"
            )))?;
        }
        Ok(())
    }

    /// Blocks that append so many records, and records of each.
    fn record_blocks(&self, records: u64, last: BlockNumber) -> Result<(u64, u64), DesignError> {
        if records == 0 {
            return Ok((0, 0));
        }
        if last.0 == 0 {
            let what = "filling a store with records as of block 0: the block before is needed";
            return Err(self.unsupported(what.to_owned()));
        }
        let least = records.div_ceil(last.0).max(RECORDS_PER_BLOCK);
        // Whole groups of each block's tree.
        let per_block = least.next_multiple_of(super::wallet::GROUP);
        Ok((records.div_ceil(per_block), per_block))
    }

    fn fill_trie(
        &self,
        population: &Population,
        base: BlockNumber,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let keep = |class| !self.placement.is_cheap(class);
        let context = FillContext {
            block: base,
            ..*context
        };
        let filled = fill::permanent(self.store.permanent(), population, &keep, &context);
        filled.map_err(DesignError::store("fill the trie"))?;
        Ok(())
    }

    /// Sweeps until a whole pass cuts nothing: what is cold already when a store is filled is not the work
    /// of the blocks that follow.
    fn expire_all(&self, context: &FillContext<'_>) -> Result<(), DesignError> {
        let mut quiet = false;
        let mut expired = 0;
        while let Some(report) = self.expire(EXPIRY_CAP)? {
            expired += report.accounts + report.slots;
            (context.progress)(
                "expired entries",
                expired,
                self.store.head().slots + expired,
            );
            if report.pass_finished && quiet && report.stubs == 0 {
                break;
            }
            // A pass that began before the last cut may yet find what that has left.
            quiet = report.stubs == 0 && (quiet || report.pass_finished);
        }
        Ok(())
    }

    fn fill_temporary(
        &self,
        origin: &Origin,
        periods: Periods,
        base: BlockNumber,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let last_sealed = self.store.rules().last_sealed(base);
        let mut past = match self.store.past() {
            // An interrupted fill had finished it.
            Err(PastError::InUse) => return Ok(()),
            past => past.map_err(DesignError::store("begin the temporary tier's past"))?,
        };
        let all: u64 = periods.values().map(|numbers| numbers.len() as u64).sum();
        let mut done = 0;
        for (period, numbers) in periods {
            (context.progress)("temporary entries", done, all);
            done += numbers.len() as u64;
            let leaves = self.pool.install(|| leaves(origin, &numbers));
            let context = format!("fill period {period}");
            let filled = match Some(period) <= last_sealed {
                true => past.seal(period, &leaves).map(drop),
                false => {
                    let entry = |leaf: &Leaf| TemporaryWrite {
                        location: leaf.location,
                        value: leaf.value,
                    };
                    past.live(period, leaves.iter().map(entry).collect())
                }
            };
            filled.map_err(DesignError::store(context))?;
        }
        (context.progress)("temporary entries", done, all);
        let finished = past.finish();
        finished.map_err(DesignError::store("finish the temporary tier's past"))
    }

    /// Puts a trace's pre-state on top of what is there, as blocks that create it.
    pub(super) fn preload_with(
        &self,
        preload: &Preload,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let loads = seed::preload_blocks(&self.spec.name, preload, self.head(), context.block)?;
        let all = loads.len() as u64;
        for (done, load) in loads.into_iter().enumerate() {
            (context.progress)("preloaded blocks", done as u64, all);
            self.apply(self.plan(Arc::new(load))?)?;
        }
        (context.progress)("preloaded blocks", all, all);
        self.flush()
    }
}

/// The entries of a period, ascending.
fn leaves(origin: &Origin, numbers: &[u32]) -> Vec<Leaf> {
    let leaf = |number: &u32| {
        let native = origin.native(*number)?;
        Some(Leaf {
            location: native.location(),
            value: B256::from(native.object.object.word()),
        })
    };
    let mut leaves: Vec<Leaf> = numbers.par_iter().filter_map(leaf).collect();
    leaves.par_sort_unstable();
    leaves
}
