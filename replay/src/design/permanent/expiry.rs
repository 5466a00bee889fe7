//! The sweep: one step after each block, all of it when a store is filled.

use super::PermanentDesign;
use crate::design::{DesignError, ExpirySpec, FillContext, Rested};
use std::time::Instant;
use thinstate_engine::ExpiryReport;
use thinstate_formats::BlockNumber;

/// Entries that a step looks at when nothing waits for it.
const FILL_CAP: usize = 1 << 18;

impl PermanentDesign {
    /// One step of the sweep.
    pub(super) fn expire_step(&self) -> Result<Rested, DesignError> {
        let started = Instant::now();
        let Some(expiry) = self.spec.expiry else {
            return Ok(Rested::default());
        };
        let report = self.expire(&expiry, expiry.cap_per_block)?;
        Ok(Rested {
            expired_entries: report.accounts + report.slots,
            archive_bytes: report.archive_bytes,
            took: started.elapsed(),
        })
    }

    /// Sweeps until a whole pass cuts nothing: what is cold already when a store is filled is not the work
    /// of the blocks that follow.
    pub(super) fn expire_all(&self, context: &FillContext<'_>) -> Result<(), DesignError> {
        let Some(expiry) = self.spec.expiry else {
            return Ok(());
        };
        let all = self.tier.head().accounts + self.tier.head().slots;
        let cap = FILL_CAP.max(expiry.cap_per_block);
        let mut quiet = false;
        loop {
            let report = self.expire(&expiry, cap)?;
            quiet &= report.stubs == 0;
            let gone = self.tier.expired().leaves;
            (context.progress)("expired entries", gone, all);
            if report.pass_finished {
                if quiet {
                    return Ok(());
                }
                quiet = true;
            }
        }
    }

    fn expire(&self, expiry: &ExpirySpec, cap: usize) -> Result<ExpiryReport, DesignError> {
        let _changing = self.changing();
        let head = self.tier.head().block.map_or(0, |block| block.number.0);
        // The blocks from this one to the head are as many as it takes to be cold.
        let first_warm = (head + 1).saturating_sub(expiry.after_blocks);
        if first_warm == 0 {
            let nothing = ExpiryReport {
                pass_finished: true,
                ..ExpiryReport::default()
            };
            return Ok(nothing);
        }
        self.tier
            .expire(&expiry.rule(BlockNumber(first_warm)), cap)
            .map_err(DesignError::store("expire what is cold"))
    }
}
