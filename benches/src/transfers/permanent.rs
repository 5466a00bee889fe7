//! The permanent tier under transfers: two slots of the token's storage trie for each.

use super::{Applied, Holding, TOKEN, TransferBlock, TransferStore};
use alloy_primitives::{B256, keccak256};
use std::path::Path;
use thinstate_engine::{
    BlockId, Options, PermanentTier,
    leaf_store::{RocksOptions, RocksStore},
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, BlockNumber, StateChanges};

/// Balances in slots of one contract.
pub struct PermanentTransfers {
    tier: PermanentTier<RocksStore>,
    next: u64,
    prepared: StateChanges,
}

impl PermanentTransfers {
    /// A new store in `dir`.
    pub fn create(dir: &Path) -> Self {
        let store = RocksStore::open(dir, RocksOptions::default()).expect("the store opens");
        let tier = PermanentTier::open(store, Options::default()).expect("the tier opens");
        Self {
            tier,
            next: 0,
            prepared: StateChanges::default(),
        }
    }

    fn set(&mut self, holdings: &[Holding]) {
        let contract = Account {
            nonce: 1,
            code_hash: keccak256("the token's code"),
            ..Account::default()
        };
        let slots = holdings.iter().map(|h| (h.slot, h.balance));
        let change = AccountChange {
            account: AccountUpdate::Set(contract),
            storage: slots.collect(),
            ..AccountChange::default()
        };
        self.prepared = StateChanges::default();
        self.prepared.accounts.insert(TOKEN, change);
    }
}

impl TransferStore for PermanentTransfers {
    fn name(&self) -> &'static str {
        "permanent"
    }

    fn load(&mut self, holdings: &[Holding]) {
        self.set(holdings);
        self.apply();
    }

    fn settle(&mut self) {
        self.tier.compact().expect("the store compacts");
    }

    fn prepare(&mut self, block: &TransferBlock) {
        self.set(&block.holdings);
    }

    fn apply(&mut self) -> Applied {
        let before = self.tier.counters();
        let block = BlockId {
            number: BlockNumber(self.next),
            hash: B256::ZERO,
        };
        let report = self.tier.apply(block, &self.prepared);
        let report = report.expect("the block applies");
        self.next += 1;
        Applied {
            updates: report.slots_written,
            hashes: report.work.hashes,
            reads: self.tier.counters().since(&before).block_reads,
            logical_bytes: report.batch_bytes,
            ..Applied::default()
        }
    }

    fn flush(&mut self) {
        self.tier.flush().expect("the store flushes");
    }
}
