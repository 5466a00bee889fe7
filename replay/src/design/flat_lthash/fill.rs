//! The state before the first block, and the sum of all of it.

use super::{FlatLtHash, entry::Delta, entry::Entry};
use crate::{
    design::{DesignError, FillContext, Preload, StateDesign as _, seed},
    population::Population,
};
use alloy_primitives::B256;
use core::ops::ControlFlow;
use thinstate_engine::leaf_store::{LeafRead as _, LeafStore as _, Table};

/// Entries that are summed up at a time.
const AT_A_TIME: usize = 1 << 14;

impl FlatLtHash {
    /// Fills the empty store.
    pub(super) fn fill_with(
        &self,
        population: &Population,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let all = population.accounts() + population.slots();
        let mut done = 0;
        for load in seed::population_blocks(population, context.block) {
            (context.progress)("filled entries", done, all);
            done += (load.accounts.len() + load.slots.len()) as u64;
            self.apply_load(&load)?;
        }
        (context.progress)("filled entries", done, all);
        Ok(())
    }

    /// Puts a trace's pre-state on top of what is there.
    pub(super) fn preload_with(
        &self,
        preload: &Preload,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let head = self.head().block;
        let loads = seed::preload_blocks(&self.spec.name, preload, head, context.block)?;
        let all = loads.len() as u64;
        for (done, load) in loads.iter().enumerate() {
            (context.progress)("preloaded blocks", done as u64, all);
            self.read_load(load, &crate::design::Overlay::default())?;
            self.apply_load(load)?;
        }
        (context.progress)("preloaded blocks", all, all);
        self.flush()
    }

    /// Sums up all entries anew: checksum, accounts and slots. One scan of each table.
    pub fn verify(&self) -> Result<(B256, u64, u64), DesignError> {
        let mut total = Delta::default();
        let store = self.store.snapshot();
        for table in [Table::Accounts, Table::Storage] {
            let mut pending = Vec::with_capacity(AT_A_TIME);
            let mut failed = None;
            store
                .scan(table, &[], None, &mut |key, value| {
                    pending.push(Entry {
                        key: key.to_vec(),
                        before: None,
                        after: Some(value.to_vec()),
                    });
                    if pending.len() < AT_A_TIME {
                        return ControlFlow::Continue(());
                    }
                    match self.delta(&pending) {
                        Ok(delta) => {
                            total = core::mem::take(&mut total).join(delta);
                            pending.clear();
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            failed = Some(error);
                            ControlFlow::Break(())
                        }
                    }
                })
                .map_err(DesignError::store("read all entries"))?;
            if let Some(error) = failed {
                return Err(error);
            }
            total = total.join(self.delta(&pending)?);
        }
        let Delta {
            sum,
            accounts,
            slots,
            ..
        } = total;
        Ok((sum.checksum(), accounts as u64, slots as u64))
    }
}
