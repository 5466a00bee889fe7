//! The UTXO tier under transfers: a record spent and two made for each.

use super::{
    Applied, Holding, TransferBlock, TransferStore,
    wallet::{Paths, Wallet},
};
use alloy_primitives::B256;
use std::path::Path;
use thinstate_engine::{
    BlockChanges, BlockId, Store, StoreOptions, StoreRules,
    leaf_store::{RocksOptions, RocksStore},
    store::ArchiveOptions,
};
use thinstate_formats::BlockNumber;

/// How records are shown to be there, and what is kept of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UtxoKind {
    /// By paths into the ring.
    Ring,
    /// By paths that end in a sealed batch.
    Batch,
    /// Not at all: all records are in the hybrid window, for as many blocks as it has.
    Window,
    /// As [`Self::Ring`], and the node archives all records.
    Archive,
}

/// Balances in records.
pub struct UtxoTransfers {
    kind: UtxoKind,
    store: Store<RocksStore>,
    wallet: Wallet,
    next: u64,
    prepared: BlockChanges,
}

impl UtxoTransfers {
    /// A new store in `dir`.
    pub fn create(dir: &Path, kind: UtxoKind) -> Self {
        let mut rules = StoreRules::default();
        let ring_len = rules.utxo.ring_length as u32;
        let paths = match kind {
            UtxoKind::Window => Paths::Unneeded,
            UtxoKind::Ring | UtxoKind::Batch | UtxoKind::Archive => Paths::Needed { ring_len },
        };
        if kind == UtxoKind::Window {
            // The longest there is: what is older than the ring has only its batch's root.
            rules.utxo.hybrid_window = u64::from(ring_len) - 1;
        }
        let leaves = RocksStore::open(dir.join("leaves"), RocksOptions::default());
        let options = StoreOptions {
            rules,
            dir: Some(dir.to_owned()),
            archive: ArchiveOptions {
                records: kind == UtxoKind::Archive,
                ..ArchiveOptions::NONE
            },
            ..StoreOptions::default()
        };
        let store = Store::open(leaves.expect("the leaf store opens"), options);
        Self {
            kind,
            store: store.expect("the store opens"),
            wallet: Wallet::new(paths),
            next: 0,
            prepared: BlockChanges::default(),
        }
    }

    const fn number(&self) -> BlockNumber {
        BlockNumber(self.next)
    }

    /// Empty blocks, until the ring has been sealed.
    fn fill_ring(&mut self) {
        let ring_len = self.store.rules().utxo.ring_length;
        self.prepared = BlockChanges::default();
        while self.next < ring_len {
            self.apply();
        }
        self.wallet.seal(ring_len as u32);
    }
}

impl TransferStore for UtxoTransfers {
    fn name(&self) -> &'static str {
        match self.kind {
            UtxoKind::Ring => "utxo, paths to the ring",
            UtxoKind::Batch => "utxo, paths to a batch",
            UtxoKind::Window => "utxo, hybrid window",
            UtxoKind::Archive => "utxo, ring, records archived",
        }
    }

    fn load(&mut self, holdings: &[Holding]) {
        let holding = |h: &Holding| (h.party, h.balance.to::<u64>());
        let issued = self
            .wallet
            .issue(self.number(), holdings.iter().map(holding));
        self.prepared = issued;
        self.apply();
    }

    fn settle(&mut self) {
        if self.kind == UtxoKind::Batch {
            self.fill_ring();
        }
        let settled = self.store.permanent().compact();
        settled.expect("the store compacts");
    }

    fn prepare(&mut self, block: &TransferBlock) {
        self.prepared = self.wallet.block(self.number(), &block.transfers);
    }

    fn apply(&mut self) -> Applied {
        let before = self.store.permanent().counters();
        let block = BlockId {
            number: self.number(),
            hash: B256::ZERO,
        };
        let report = self.store.apply(block, &self.prepared);
        let report = report.expect("the block applies");
        self.next += 1;
        let io = self.store.permanent().counters().since(&before);
        let utxo = report.cheap.utxo;
        Applied {
            updates: utxo.spent + utxo.appended,
            hashes: report.cheap.hashes(),
            reads: io.block_reads,
            logical_bytes: io.logical_written_bytes,
            witness_bytes: utxo.witness_bytes,
            archive_bytes: utxo.archive_bytes,
        }
    }

    fn flush(&mut self) {
        let flushed = self.store.permanent().flush();
        flushed.expect("the store flushes");
    }
}
