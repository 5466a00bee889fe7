//! The tier over a store in memory, and a model that computes everything from the definitions.

mod archive;
mod errors;
mod random;
mod sequential;

use super::*;
use crate::{
    archive::records::RecordArchiveOptions,
    leaf_store::{Batch, LeafStore, MemoryStore},
    spent::{FieldId, SpentFields, SpentOptions},
};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use proptest::prelude::*;
use std::{collections::BTreeSet, path::Path};
use tempfile::TempDir;
use thinstate_formats::{
    BatchId, BlockNumber, HashKind, NodeHasher, RecordIndex,
    list::{self, ListTree},
    record::{
        BlockTree, NewRecord, Record, RecordPath, RecordRange, UtxoState, batch_root, block_root,
        leaf_hashes,
    },
};

const RING_LEN: u32 = 8;
/// Blocks begin in the middle of a batch.
const FIRST: u64 = 3;

fn new_record(seed: u64) -> NewRecord {
    let digest = keccak256(seed.to_le_bytes());
    NewRecord {
        class: digest[0] % 6,
        contract: Address::repeat_byte(digest[1] % 3),
        owner: owner(seed % 5),
        payload: Bytes::copy_from_slice(&digest[..usize::from(digest[2] % 33)]),
    }
}

fn owner(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[..20])
}

/// One block of the model.
#[derive(Clone, Debug)]
struct Block {
    records: Vec<Record>,
    spent: Vec<u64>,
}

/// The chain since `FIRST`.
#[derive(Clone, Debug)]
struct Model {
    hasher: NodeHasher,
    blocks: Vec<Block>,
}

impl Model {
    fn next(&self) -> u64 {
        self.blocks
            .iter()
            .map(|block| block.records.len() as u64)
            .sum()
    }

    fn next_block(&self) -> BlockNumber {
        BlockNumber(FIRST + self.blocks.len() as u64)
    }

    fn head(&self) -> BlockNumber {
        BlockNumber(self.next_block().0 - 1)
    }

    fn spent(&self) -> BTreeSet<u64> {
        self.blocks
            .iter()
            .flat_map(|block| block.spent.iter().copied())
            .collect()
    }

    fn record(&self, index: u64) -> Record {
        let mut records = self.blocks.iter().flat_map(|block| &block.records);
        records
            .nth(index as usize)
            .cloned()
            .expect("a record of the chain")
    }

    fn block_of(&self, index: u64) -> u64 {
        let of = |block: &Block| block.records.iter().any(|record| record.index.0 == index);
        FIRST
            + self
                .blocks
                .iter()
                .position(of)
                .expect("a record of the chain") as u64
    }

    fn root_of(&self, block: u64) -> B256 {
        let Some(at) = block.checked_sub(FIRST) else {
            return B256::ZERO;
        };
        let Some(records) = self.blocks.get(at as usize).map(|block| &block.records) else {
            return B256::ZERO;
        };
        let Some(first) = records.first() else {
            return B256::ZERO;
        };
        let range = RecordRange {
            block: BlockNumber(block),
            first_index: first.index,
            count: records.len() as u32,
        };
        let hashes: Vec<_> = records
            .iter()
            .map(|record| record.leaf_hash(&self.hasher).expect("a short payload"))
            .collect();
        block_root(&self.hasher, &range, list::root(&self.hasher, &hashes))
    }

    fn batch_roots(&self, batch: u64) -> Vec<B256> {
        let len = u64::from(RING_LEN);
        (batch * len..(batch + 1) * len)
            .map(|block| self.root_of(block))
            .collect()
    }

    fn batch_root(&self, batch: u64) -> B256 {
        let root = list::root(&self.hasher, &self.batch_roots(batch));
        batch_root(&self.hasher, BatchId(batch), RING_LEN, root)
    }

    /// What is committed to, from the specification.
    fn root(&self) -> B256 {
        let len = u64::from(RING_LEN);
        let next = self.next_block().0;
        let place = |place: u64| {
            let block = (FIRST..next).rev().find(|block| block % len == place);
            block.map_or(B256::ZERO, |block| self.root_of(block))
        };
        let ring: Vec<_> = (0..len).map(place).collect();
        let batches: Vec<_> = (FIRST / len..next / len)
            .map(|batch| self.batch_root(batch))
            .collect();
        let state = UtxoState {
            next_index: RecordIndex(self.next()),
            ring_len: RING_LEN,
            ring: list::root(&self.hasher, &ring),
            batches: batches.len() as u64,
            batch_list: list::root(&self.hasher, &batches),
        };
        state.commitment(&self.hasher)
    }

    fn ring_path(&self, index: u64) -> RecordPath {
        let block = self.block_of(index);
        let records = &self.blocks[(block - FIRST) as usize].records;
        let hashes = leaf_hashes(&self.hasher, records).expect("short payloads");
        let tree = BlockTree::build(&self.hasher, BlockNumber(block), records[0].index, hashes);
        let path = tree.expect("a small block").path(RecordIndex(index));
        path.expect("a record of the block")
    }

    fn batch_path(&self, index: u64) -> RecordPath {
        let path = self.ring_path(index);
        let len = u64::from(RING_LEN);
        let tree = ListTree::build(&self.hasher, self.batch_roots(path.block.0 / len));
        RecordPath {
            batch: tree.path((path.block.0 % len) as usize),
            ..path
        }
    }

    fn in_ring(&self, index: u64) -> bool {
        self.block_of(index) + u64::from(RING_LEN) > self.head().0
    }

    /// The path that is good for the next block.
    fn path(&self, index: u64) -> RecordPath {
        match self.in_ring(index) {
            true => self.ring_path(index),
            false => self.batch_path(index),
        }
    }

    fn spend(&self, index: u64) -> Spend {
        Spend {
            record: self.record(index),
            path: Some(self.path(index)),
        }
    }
}

/// How a tier is opened.
#[derive(Clone, Copy, Debug)]
struct Config {
    hash: HashKind,
    window: u64,
    archive: bool,
    owners: bool,
}

const PLAIN: Config = Config {
    hash: HashKind::Blake3,
    window: 0,
    archive: false,
    owners: false,
};

/// The tier, its bits, and the model of both.
struct Bed {
    dir: TempDir,
    config: Config,
    store: MemoryStore,
    spent: SpentFields,
    tier: UtxoTier,
    model: Model,
}

fn open(store: &MemoryStore, dir: &Path, config: Config) -> (SpentFields, UtxoTier) {
    let snapshot = store.snapshot();
    let options = SpentOptions {
        dir: Some(dir.join("spent")),
        hash: config.hash,
        checkpoint_commits: 3,
    };
    let spent = SpentFields::open(&snapshot, options).expect("the committed bits");
    let rules = UtxoRules {
        ring_len: RING_LEN,
        hash: config.hash,
    };
    let limits = UtxoLimits {
        hybrid_window: config.window,
        undo_blocks: 20,
    };
    let archive = config.archive.then(|| RecordArchiveOptions {
        dir: dir.join("records"),
        index_owners: config.owners,
    });
    let tier = UtxoTier::open(&snapshot, rules, limits, archive).expect("the committed tier");
    (spent, tier)
}

impl Bed {
    fn new(config: Config) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = MemoryStore::new();
        let (spent, tier) = open(&store, dir.path(), config);
        Self {
            dir,
            config,
            store,
            spent,
            tier,
            model: Model {
                hasher: NodeHasher::new(config.hash),
                blocks: Vec::new(),
            },
        }
    }

    /// Closes and opens all, as after a crash.
    fn reopen(&mut self) {
        let store = self.store.reopen();
        let empty = MemoryStore::new();
        let none = tempfile::tempdir().expect("a directory");
        (self.spent, self.tier) = open(&empty, none.path(), PLAIN);
        (self.spent, self.tier) = open(&store, self.dir.path(), self.config);
        self.store = store;
    }

    /// A block; nothing has changed if it is refused.
    fn block(&mut self, spends: &[Spend], new: &[NewRecord]) -> Result<UtxoWork, UtxoError> {
        let mut batch = Batch::default();
        let block = self.model.next_block();
        let staged = self.tier.stage(block, spends, new, &self.spent, &mut batch);
        let staged = match staged {
            Ok(staged) => staged,
            Err(error) => {
                assert!(batch.is_empty());
                assert_eq!(self.tier.root(), self.model.root());
                return Err(error);
            }
        };
        let bits = self.spent.stage(&staged.changes, &mut batch).expect("bits");
        let (first, work, root) = (staged.first_index, staged.work, staged.root);
        assert_eq!(first, RecordIndex(self.model.next()));
        assert_eq!(
            self.tier.root(),
            self.model.root(),
            "nothing is visible yet"
        );
        self.store.commit(batch).expect("commit");
        self.spent.publish(bits);
        self.tier.publish(staged);
        let records = (first.0..)
            .zip(new)
            .map(|(i, new)| new.clone().at(RecordIndex(i)));
        self.model.blocks.push(Block {
            records: records.collect(),
            spent: spends.iter().map(|spend| spend.record.index.0).collect(),
        });
        assert_eq!(root, self.model.root());
        assert_eq!(self.tier.root(), root);
        Ok(work)
    }

    /// A block of so many records and these spends.
    fn append(&mut self, count: u64, spends: &[Spend]) {
        let seed = 1_000 * self.model.blocks.len() as u64;
        let new: Vec<_> = (seed..seed + count).map(new_record).collect();
        self.block(spends, &new).expect("a good block");
    }

    fn undo(&mut self) {
        let mut batch = Batch::default();
        let undo = self
            .tier
            .stage_undo(&self.store.snapshot(), &mut batch)
            .expect("undo");
        let bits = self.spent.stage(&undo.changes, &mut batch).expect("bits");
        self.store.commit(batch).expect("commit");
        self.spent.publish(bits);
        self.tier.publish_undo(undo);
        self.model.blocks.pop();
        assert_eq!(self.tier.root(), self.model.root());
    }

    /// Everything that the tier says is what the model says.
    fn check(&self) {
        assert_eq!(self.tier.root(), self.model.root());
        assert_eq!(self.tier.next_index(), RecordIndex(self.model.next()));
        let spent = self.model.spent();
        for index in 0..self.model.next() {
            let is_spent = self.spent.is_spent(FieldId::Utxo, index);
            assert_eq!(is_spent, Some(spent.contains(&index)), "record {index}");
            let recent = self.tier.recent(&self.store.snapshot(), RecordIndex(index));
            let in_window = self.model.block_of(index) + self.config.window > self.model.head().0;
            let expected = in_window.then(|| self.model.record(index));
            assert_eq!(recent.expect("read"), expected, "record {index}");
        }
        assert_eq!(self.spent.is_spent(FieldId::Utxo, self.model.next()), None);
        let sizes = self.tier.sizes(&self.store.snapshot()).expect("scan");
        // A root, an index and a key for each batch.
        assert_eq!(sizes.batch_bytes, 49 * self.tier.state().batches);
        let Some(archive) = self.tier.archive() else {
            return;
        };
        for index in 0..self.model.next() {
            let at = RecordIndex(index);
            assert_eq!(archive.record(at), Ok(self.model.record(index)));
            let path = archive.path(at, self.model.head());
            assert_eq!(path, Ok(self.model.path(index)), "record {index}");
        }
        for number in 0..6 {
            let found = archive.by_owner(owner(number)).expect("owners");
            let of = |index: &u64| self.model.record(*index).owner == owner(number);
            let expected: Vec<_> = (0..self.model.next()).filter(of).map(RecordIndex).collect();
            assert_eq!(found, expected);
        }
    }
}
