//! The append log under transfers: the bar for the cheap tiers.

use super::{Applied, Holding, TransferBlock, TransferStore};
use crate::{AppendLog, Update};
use std::path::Path;

/// Balances in an append log: two updates for each transfer.
#[derive(Debug)]
pub struct FloorTransfers {
    log: AppendLog,
    prepared: Vec<Update>,
}

impl FloorTransfers {
    /// A new log in `dir`.
    pub fn create(dir: &Path) -> Self {
        let log = AppendLog::create(dir).expect("the log is created");
        Self {
            log,
            prepared: Vec::new(),
        }
    }

    fn set(&mut self, holdings: &[Holding]) {
        let update = |holding: &Holding| (holding.slot.into(), holding.balance.into());
        self.prepared = holdings.iter().map(update).collect();
    }
}

impl TransferStore for FloorTransfers {
    fn name(&self) -> &'static str {
        "floor: append log"
    }

    fn load(&mut self, holdings: &[Holding]) {
        self.set(holdings);
        self.apply();
    }

    fn settle(&mut self) {}

    fn prepare(&mut self, block: &TransferBlock) {
        self.set(&block.holdings);
    }

    fn apply(&mut self) -> Applied {
        let done = self.log.apply(&self.prepared);
        let done = done.expect("the block is appended");
        Applied {
            updates: self.prepared.len() as u64,
            hashes: done.hashes,
            logical_bytes: done.written_bytes,
            ..Applied::default()
        }
    }

    fn flush(&mut self) {}
}
