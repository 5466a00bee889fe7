//! The temporary tier under transfers: a balance at the location of its slot, in the current period.

use super::{Applied, Holding, TransferBlock, TransferStore};
use alloy_primitives::B256;
use std::path::Path;
use thinstate_engine::{
    BlockChanges, BlockId, Store, StoreOptions, StoreRules, TemporaryWrite,
    leaf_store::{RocksOptions, RocksStore},
};
use thinstate_formats::{BlockNumber, TemporaryRules, temporary::LiveCommitment};

/// Balances in temporary storage.
pub struct TemporaryTransfers {
    store: Store<RocksStore>,
    commitment: LiveCommitment,
    next: u64,
    prepared: BlockChanges,
}

impl TemporaryTransfers {
    /// A new store in `dir`.
    pub fn create(dir: &Path, commitment: LiveCommitment) -> Self {
        let rules = StoreRules {
            temporary: TemporaryRules {
                commitment,
                ..TemporaryRules::default()
            },
            ..StoreRules::default()
        };
        let leaves = RocksStore::open(dir.join("leaves"), RocksOptions::default());
        let options = StoreOptions {
            rules,
            dir: Some(dir.to_owned()),
            ..StoreOptions::default()
        };
        let store = Store::open(leaves.expect("the leaf store opens"), options);
        Self {
            store: store.expect("the store opens"),
            commitment,
            next: 0,
            prepared: BlockChanges::default(),
        }
    }

    fn set(&mut self, holdings: &[Holding]) {
        let write = |holding: &Holding| TemporaryWrite {
            location: holding.slot.into(),
            value: holding.balance.into(),
        };
        self.prepared.temporary = holdings.iter().map(write).collect();
    }
}

impl TransferStore for TemporaryTransfers {
    fn name(&self) -> &'static str {
        match self.commitment {
            LiveCommitment::Deferred => "temporary, deferred",
            LiveCommitment::Incremental => "temporary, incremental",
        }
    }

    fn load(&mut self, holdings: &[Holding]) {
        self.set(holdings);
        self.apply();
    }

    fn settle(&mut self) {
        let settled = self.store.permanent().compact();
        settled.expect("the store compacts");
    }

    fn prepare(&mut self, block: &TransferBlock) {
        self.set(&block.holdings);
    }

    fn apply(&mut self) -> Applied {
        let before = self.store.permanent().counters();
        let block = BlockId {
            number: BlockNumber(self.next),
            hash: B256::ZERO,
        };
        let report = self.store.apply(block, &self.prepared);
        let report = report.expect("the block applies");
        self.next += 1;
        let io = self.store.permanent().counters().since(&before);
        Applied {
            updates: report.cheap.temporary.writes,
            hashes: report.cheap.hashes(),
            reads: io.block_reads,
            logical_bytes: io.logical_written_bytes,
            ..Applied::default()
        }
    }

    fn flush(&mut self) {
        let flushed = self.store.permanent().flush();
        flushed.expect("the store flushes");
    }
}
