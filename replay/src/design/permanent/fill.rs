//! The state before the first block.

use super::PermanentDesign;
use crate::{
    design::{DesignError, FillContext, Preload, StateDesign, seed},
    population::Population,
};

impl PermanentDesign {
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
            self.apply_changes(&load, &load.changes(|_| true))?;
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
        let head = self.tier.head().block.map(|block| block.number);
        let loads = seed::preload_blocks(&self.spec.name, preload, head, context.block)?;
        let all = loads.len() as u64;
        for (done, load) in loads.iter().enumerate() {
            (context.progress)("preloaded blocks", done as u64, all);
            self.apply_changes(load, &load.changes(|_| true))?;
        }
        (context.progress)("preloaded blocks", all, all);
        self.flush()
    }
}
