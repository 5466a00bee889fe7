//! The store as a world that ledgers run on, with archives in a folder and proofs from them.

use super::ledger_host::World;
use alloy_primitives::{Address, B256, keccak256};
use tempfile::TempDir;
use thinstate_engine::{
    BlockId, Options, Store, StoreOptions, StoreRules,
    leaf_store::MemoryStore,
    ledger::WalletIndex,
    store::{ArchiveOptions, BlockHost, HostError, SealedProof},
};
use thinstate_formats::{
    Account, BlockNumber, Commitment, PeriodId, TemporaryRules, counted::LocationProof,
    policy::UtxoParameters, temporary::location,
};

/// How a node works; what it commits to must not show it.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub threads: usize,
    pub seal_leaves_per_block: u64,
    pub checkpoint_commits: u64,
    /// The store is closed and opened again after every so many blocks.
    pub reopen_every: Option<u64>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            threads: 1,
            seal_leaves_per_block: 3,
            checkpoint_commits: 4,
            reopen_every: None,
        }
    }
}

/// A store, the index of unspent records, and the commitments so far.
pub struct StoreWorld {
    folder: TempDir,
    options: StoreOptions,
    manner: Manner,
    store: Option<Store<MemoryStore>>,
    wallet: WalletIndex,
    contracts: Vec<Address>,
    /// Blocks that can be undone.
    undoable: u64,
    pub commitments: Vec<Commitment>,
}

impl StoreWorld {
    /// An empty store in which the contracts exist, at block 0. Blocks that can be undone: one less
    /// than the seal is delayed.
    pub fn new(temporary: TemporaryRules, manner: Manner, contracts: Vec<Address>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let utxo = UtxoParameters {
            ring_length: 4,
            hybrid_window: 1,
            hash: temporary.hash,
        };
        let options = StoreOptions {
            permanent: Options {
                undo_blocks: temporary.seal_delay_blocks - 1,
                threads: Some(manner.threads),
                ..Options::default()
            },
            rules: StoreRules { temporary, utxo },
            dir: Some(folder.path().to_owned()),
            archive: ArchiveOptions::ALL,
            seal_leaves_per_block: manner.seal_leaves_per_block,
            checkpoint_commits: manner.checkpoint_commits,
        };
        let store = Store::open(MemoryStore::new(), options.clone()).expect("a new store");
        let mut world = Self {
            folder,
            options,
            manner,
            store: Some(store),
            wallet: WalletIndex::new(1_000),
            contracts,
            undoable: 0,
            commitments: Vec::new(),
        };
        world.make_block(BlockNumber(0), |_| {});
        // The contracts stay.
        world.undoable = 0;
        world
    }

    pub fn store(&self) -> &Store<MemoryStore> {
        self.store.as_ref().expect("the store is open")
    }

    /// Closes the store, as a process that ends does, and opens it again.
    pub fn reopen(&mut self) {
        let before = self.store().commitment();
        let store = self.store.take().expect("the store is open");
        let left = store.into_leaf_store().reopen();
        let store = Store::open(left, self.options.clone()).expect("the store opens again");
        assert_eq!(store.commitment(), before);
        self.store = Some(store);
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// A hash for a block, different on each branch that undoing makes.
fn block_id(number: BlockNumber, blocks: usize) -> BlockId {
    BlockId {
        number,
        hash: keccak256([number.0.to_be_bytes(), (blocks as u64).to_be_bytes()].concat()),
    }
}

impl World for StoreWorld {
    type Proof = SealedProof;
    type Error = HostError;
    type Host<'a> = BlockHost<'a, 'a, MemoryStore>;

    fn make_block(&mut self, number: BlockNumber, make: impl FnOnce(&mut Self::Host<'_>)) {
        let (changes, followed) = {
            let store = self.store.as_ref().expect("the store is open");
            let mut builder = store.next_block(number);
            if number == BlockNumber(0) {
                for contract in &self.contracts {
                    builder.set_account(
                        *contract,
                        Account {
                            nonce: 1,
                            ..Account::default()
                        },
                    );
                }
            }
            let mut host = BlockHost::new(builder, &self.wallet);
            make(&mut host);
            host.finish()
        };
        let id = block_id(number, self.commitments.len());
        let report = self
            .store()
            .apply(id, &changes)
            .expect("the block is applied");
        assert_eq!(self.store().commitment(), Some(report.commitment));
        followed
            .follow(&mut self.wallet, number, report.cheap.first_record)
            .expect("the wallet follows every block");
        self.commitments.push(report.commitment);
        self.undoable = self.options.permanent.undo_blocks.min(self.undoable + 1);
        if self
            .manner
            .reopen_every
            .is_some_and(|every| number.0.is_multiple_of(every))
        {
            self.reopen();
        }
    }

    fn undoable(&self) -> usize {
        self.undoable as usize
    }

    fn undo(&mut self) {
        self.store().undo().expect("the block is undone");
        self.wallet.undo().expect("a block to undo");
        self.undoable -= 1;
        self.commitments.pop();
        assert_eq!(self.store().commitment().as_ref(), self.commitments.last());
    }

    fn prove(&mut self, contract: Address, key: B256, _: B256, period: PeriodId) -> SealedProof {
        let archive = self.store().period_archive().expect("periods are archived");
        let at = location(contract, key);
        match archive.prove(period, &at).expect("the period is archived") {
            LocationProof::Included { proof, .. } => SealedProof { period, proof },
            LocationProof::Excluded(_) => panic!("{at} is not in period {period}"),
        }
    }

    fn unspent_leaves(&mut self, contract: Address, key: B256) -> Option<Vec<B256>> {
        let at = location(contract, key);
        let archive = self.store().period_archive().expect("periods are archived");
        let sealed = self.store().periods();
        let unspent =
            sealed.iter().filter(|(_, root)| root.count > 0).filter_map(
                |(period, _)| match archive.prove(*period, &at).expect("the period is archived") {
                    LocationProof::Included { leaf, index, .. } => {
                        let spent = self.store().is_resurrected(*period, index);
                        (!spent.expect("a bit for each leaf")).then_some(leaf.value)
                    }
                    LocationProof::Excluded(_) => None,
                },
            );
        Some(unspent.chain(self.store().frozen_value(&at)).collect())
    }
}
