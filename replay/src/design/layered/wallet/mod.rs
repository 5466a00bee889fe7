//! What all owners know of their records: which are theirs, and the paths to them.
//!
//! A node keeps none of this, and no figure counts it: it is the senders' part of the work, done in
//! [`plan`](crate::design::StateDesign::plan).
//!
//! # What it takes
//!
//! | of | bytes |
//! |---|---|
//! | an object that the store was filled with, and that no block has touched | 6 to 11 in a hash table of slot numbers, 1.13 bits for each slot of the population |
//! | its record | 8 of the tree of its block |
//! | an object that a block has touched | about 130 |
//! | a record that a block has appended | 40: its hash, and 8 of the tree |
//! | a sealed batch | 64 for each place of the ring |
//!
//! # Undoing
//!
//! The last blocks can be taken back, as many as touched [`UNDO_CHANGES_MAX`] objects together, and at least
//! the last one.

mod coins;
mod origin;
mod ranks;
mod saved;
mod tree;

pub(super) use coins::record_of;
pub(super) use origin::{Origin, Periods};
pub(super) use saved::{array, put_u64, read_u64, read_word};
pub(super) use tree::GROUP;

use alloy_primitives::{Address, B256, U256, map::HashMap};
use coins::{Change, Coin, CoinKey, new_record};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use thinstate_engine::utxo::Spend;
use thinstate_formats::{
    BatchId, BlockNumber, NodeHasher, RecordIndex,
    list::ListTree,
    object::ObjectKey,
    policy::UtxoParameters,
    record::{NewRecord, RecordPath},
};
use tree::UpperTree;

/// Changes of objects that are remembered for undoing.
pub(super) const UNDO_CHANGES_MAX: usize = 1 << 20;

/// Blocks that are.
const UNDO_BLOCKS_MAX: usize = 256;

/// All owners' records.
#[derive(Debug)]
pub(super) struct Wallet {
    hasher: NodeHasher,
    rules: UtxoParameters,
    /// What the store was filled with.
    origin: Option<Arc<Origin>>,
    /// Objects that blocks have touched; they take the place of the origin's.
    touched: HashMap<CoinKey, Vec<Coin>>,
    next_index: RecordIndex,
    /// Of blocks with records, by ascending first index.
    trees: Vec<Known>,
    /// Trees over the block roots of sealed batches that were asked for.
    batches: BTreeMap<BatchId, ListTree>,
    undo: VecDeque<Followed>,
    undo_changes: usize,
}

/// A block's tree, and where the hashes of its records are.
#[derive(Debug)]
struct Known {
    tree: UpperTree,
    /// `None`: they are made again from the origin.
    hashes: Option<Vec<B256>>,
}

/// A block that can be taken back.
#[derive(Debug)]
struct Followed {
    block: BlockNumber,
    next_index: RecordIndex,
    trees: usize,
    /// What was there before.
    changes: Vec<(CoinKey, Option<Vec<Coin>>)>,
}

/// An object of the UTXO tier in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) location: B256,
    pub(super) contract: Address,
    pub(super) key: ObjectKey,
    pub(super) before: U256,
    pub(super) after: U256,
}

/// What becomes of an object's records.
#[derive(Debug)]
pub(super) struct Settled {
    held: Held,
    change: Change,
}

impl Wallet {
    /// The wallet of a store without records.
    pub(super) fn new(rules: UtxoParameters) -> Self {
        Self {
            hasher: NodeHasher::new(rules.hash),
            rules,
            origin: None,
            touched: HashMap::default(),
            next_index: RecordIndex(0),
            trees: Vec::new(),
            batches: BTreeMap::new(),
            undo: VecDeque::new(),
            undo_changes: 0,
        }
    }

    /// Knows from now on what a store is filled with.
    pub(super) fn set_origin(&mut self, origin: Arc<Origin>) {
        self.origin = Some(origin);
    }

    /// What the store was filled with.
    pub(super) const fn origin(&self) -> Option<&Arc<Origin>> {
        self.origin.as_ref()
    }

    /// The index that the next record gets.
    pub(super) const fn next_index(&self) -> RecordIndex {
        self.next_index
    }

    /// The records of an object.
    fn coins(&self, location: &B256) -> Vec<Coin> {
        if let Some(coins) = self.touched.get(&CoinKey::from(location)) {
            return coins.clone();
        }
        let of_origin = || {
            let origin = self.origin.as_ref()?;
            let native = origin.find(location)?;
            Some(Coin {
                index: origin.record_of(&native)?,
                value: native.object.object.word().into(),
            })
        };
        of_origin().into_iter().collect()
    }

    /// What an object is worth by its records.
    pub(super) fn value(&self, location: &B256) -> U256 {
        coins::sum(&self.coins(location))
    }

    /// How an object is settled; the value that its records have where that is not the one expected.
    pub(super) fn settle(&self, held: &Held) -> Result<Settled, U256> {
        let coins = self.coins(&held.location);
        let value = coins::sum(&coins);
        if value != held.before {
            return Err(value);
        }
        let change = coins::change(held.key, coins, held.before, held.after).ok_or(value)?;
        Ok(Settled {
            held: *held,
            change,
        })
    }

    /// Makes the trees over batches that spends of a block will need.
    pub(super) fn prepare_batches(&mut self, block: BlockNumber, settled: &[Settled]) {
        let coins = settled.iter().flat_map(|it| &it.change.spend);
        let ids: Vec<BatchId> = coins
            .filter_map(|coin| self.known(coin.index))
            .map(|known| known.tree.range().block)
            .filter(|of| !self.in_ring(*of, block))
            .map(|of| self.batch_of(of))
            .collect();
        for id in ids {
            if !self.batches.contains_key(&id) {
                let tree = self.batch_tree(id);
                self.batches.insert(id, tree);
            }
        }
    }

    /// The spends of an object in a block, with their paths where one is needed.
    pub(super) fn spends(&self, block: BlockNumber, settled: &Settled) -> Vec<Spend> {
        let Held { contract, key, .. } = settled.held;
        let spend = |coin: &Coin| {
            let record = coins::spent_record(contract, key, coin);
            Spend {
                record: record.expect("the value of a record has the form of its class"),
                path: self.path(block, coin.index),
            }
        };
        settled.change.spend.iter().map(spend).collect()
    }

    /// Follows a block; the records that it appends.
    pub(super) fn follow(&mut self, block: BlockNumber, settled: Vec<Settled>) -> Vec<NewRecord> {
        let mut followed = Followed {
            block,
            next_index: self.next_index,
            trees: self.trees.len(),
            changes: Vec::with_capacity(settled.len()),
        };
        let mut records = Vec::new();
        for Settled { held, change } in settled {
            let mut coins = change.keep;
            if let Some(value) = change.append {
                let record = new_record(held.contract, held.key, value);
                records.push(record.expect("what is settled has the form of its class"));
                coins.push(Coin {
                    index: self.next_index,
                    value,
                });
                self.next_index.0 += 1;
            }
            let key = CoinKey::from(&held.location);
            let before = self.touched.insert(key, coins);
            followed.changes.push((key, before));
        }
        self.grow(block, followed.next_index, &records);
        self.remember(followed);
        records
    }

    /// Follows a block of the fill, which appends the origin's next records.
    pub(super) fn follow_fill(&mut self, block: BlockNumber, records: &[NewRecord]) {
        let first = self.next_index;
        self.next_index.0 += records.len() as u64;
        self.grow(block, first, records);
        if let Some(known) = self.trees.last_mut() {
            known.hashes = None;
        }
    }

    fn grow(&mut self, block: BlockNumber, first: RecordIndex, records: &[NewRecord]) {
        if records.is_empty() {
            return;
        }
        let hashes = hashes(&self.hasher, first, records);
        self.trees.push(Known {
            tree: UpperTree::build(&self.hasher, block, first, &hashes),
            hashes: Some(hashes),
        });
    }

    fn remember(&mut self, followed: Followed) {
        self.undo_changes += followed.changes.len();
        self.undo.push_back(followed);
        let is_too_much = |undo: &VecDeque<_>, changes| {
            undo.len() > UNDO_BLOCKS_MAX || changes > UNDO_CHANGES_MAX
        };
        while self.undo.len() > 1 && is_too_much(&self.undo, self.undo_changes) {
            let oldest = self.undo.pop_front();
            self.undo_changes -= oldest.map_or(0, |oldest| oldest.changes.len());
        }
    }

    /// Takes back all blocks from this one on; whether that is still known.
    pub(super) fn rewind(&mut self, to: BlockNumber) -> bool {
        let mut known = false;
        while let Some(last) = self.undo.pop_back_if(|last| last.block >= to) {
            self.undo_changes -= last.changes.len();
            for (key, before) in last.changes.into_iter().rev() {
                match before {
                    Some(coins) => self.touched.insert(key, coins),
                    None => self.touched.remove(&key),
                };
            }
            self.trees.truncate(last.trees);
            self.next_index = last.next_index;
            known = last.block == to;
        }
        let first = self.batch_of(to);
        self.batches.retain(|id, _| *id < first);
        known
    }

    /// Whether a block can be taken back.
    pub(super) fn remembers(&self, block: BlockNumber) -> bool {
        self.undo.front().is_some_and(|first| first.block <= block)
    }

    fn known(&self, index: RecordIndex) -> Option<&Known> {
        let after = self
            .trees
            .partition_point(|known| known.tree.range().first_index <= index);
        self.trees.get(after.checked_sub(1)?)
    }

    fn batch_of(&self, block: BlockNumber) -> BatchId {
        BatchId(block.0 / self.rules.ring_length)
    }

    /// Whether the root of a block is in the ring when `next` is staged.
    const fn in_ring(&self, block: BlockNumber, next: BlockNumber) -> bool {
        block.0.saturating_add(self.rules.ring_length) >= next.0
    }

    /// The path of a record in the block that spends it; `None` within the hybrid window.
    fn path(&self, next: BlockNumber, index: RecordIndex) -> Option<RecordPath> {
        let known = self.known(index)?;
        let block = known.tree.range().block;
        if block.0.saturating_add(self.rules.hybrid_window) >= next.0 {
            return None;
        }
        let group = self.group_hashes(known, index)?;
        let mut path = known.tree.path(&self.hasher, index, group)?;
        if !self.in_ring(block, next) {
            let batch = self.batches.get(&self.batch_of(block))?;
            path.batch = batch.path((block.0 % self.rules.ring_length) as usize);
        }
        Some(path)
    }

    fn group_hashes(&self, known: &Known, index: RecordIndex) -> Option<Vec<B256>> {
        let (first, count) = known.tree.group(index)?;
        if let Some(hashes) = &known.hashes {
            let from = (first.0 - known.tree.range().first_index.0) as usize;
            return Some(hashes.get(from..from + count as usize)?.to_vec());
        }
        let objects = self.origin.as_ref()?.records_from(first);
        let records: Vec<NewRecord> = objects
            .take(count as usize)
            .filter_map(|object| record_of(&object))
            .collect();
        Some(hashes(&self.hasher, first, &records))
    }

    fn batch_tree(&self, id: BatchId) -> ListTree {
        let len = self.rules.ring_length;
        let mut roots = vec![B256::ZERO; len as usize];
        let of = |known: &&Known| self.batch_of(known.tree.range().block) == id;
        for known in self.trees.iter().filter(of) {
            let place = known.tree.range().block.0 % len;
            roots[place as usize] = known.tree.root();
        }
        ListTree::build(&self.hasher, roots)
    }

    /// Bytes of memory, about.
    pub(super) fn memory_bytes(&self) -> u64 {
        let touched = self.touched.capacity() * (size_of::<CoinKey>() + size_of::<Vec<Coin>>() + 1);
        let coins: usize = self.touched.values().map(Vec::capacity).sum();
        let trees = self.trees.iter().map(|known| {
            let hashes = known.hashes.as_ref().map_or(0, Vec::capacity);
            known.tree.memory_bytes() + 32 * hashes as u64
        });
        let batches = 64 * self.rules.ring_length * self.batches.len() as u64;
        let origin = self.origin.as_ref().map_or(0, |it| it.memory_bytes());
        (touched + coins * size_of::<Coin>()) as u64 + trees.sum::<u64>() + batches + origin
    }
}

/// The hashes of new records, the first of which has this index.
fn hashes(hasher: &NodeHasher, first: RecordIndex, records: &[NewRecord]) -> Vec<B256> {
    let message = |(index, record): (u64, &NewRecord)| {
        let message = record.leaf_message(RecordIndex(index));
        message.expect("payloads of objects are short")
    };
    let messages: Vec<_> = (first.0..).zip(records).map(message).collect();
    let mut hashes = Vec::with_capacity(records.len());
    hasher.hash_blocks(&messages, &mut hashes);
    hashes
}
