//! Everybody's records, with their paths: what holders and their wallets know, and a node need not.
//!
//! A transfer spends the sender's largest record, and more of them until the amount is covered; it makes
//! a record for the receiver and one for the change. Transfers of one sender in one block share the
//! change. A record can be spent from the next block on, so a transfer that cannot be covered
//! without what came in its own block waits for the next.

use super::{Party, TOKEN, Transfer};
use alloy_primitives::Address;
use std::collections::BTreeMap;
use thinstate_engine::{BlockChanges, utxo::Spend};
use thinstate_formats::{
    BlockNumber, NodeHasher, RecordIndex,
    list::ListTree,
    object::{Amount, Object},
    record::{BlockTree, NewRecord, Record, RecordPath, leaf_hashes},
};

const NONE: u32 = u32::MAX;

/// A record by its index; those of one owner that are not spent are linked.
#[derive(Clone, Copy, Debug)]
struct Coin {
    value: u64,
    next: u32,
}

/// How records are shown to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    /// By nothing: the node has them.
    Unneeded,
    /// By paths to block roots in the ring, or, once it is sealed, to the root of a batch.
    Needed { ring_len: u32 },
}

/// All holders' records.
#[derive(Debug)]
pub(super) struct Wallet {
    hasher: NodeHasher,
    paths: Paths,
    coins: Vec<Coin>,
    /// The first record of each holder.
    heads: Vec<u32>,
    /// Blocks with records.
    trees: Vec<BlockTree>,
    /// The first batch, once it is sealed.
    batch: Option<ListTree>,
    waiting: Vec<Transfer>,
}

/// A block in the making.
#[derive(Default)]
struct Making {
    spends: Vec<Spend>,
    payments: Vec<(Party, u64)>,
    /// By the number of the holder.
    change: BTreeMap<u32, (Address, u64)>,
}

impl Wallet {
    pub(super) fn new(paths: Paths) -> Self {
        Self {
            hasher: NodeHasher::default(),
            paths,
            coins: Vec::new(),
            heads: Vec::new(),
            trees: Vec::new(),
            batch: None,
            waiting: Vec::new(),
        }
    }

    /// Gives holders their first records, in a block.
    pub(super) fn issue(
        &mut self,
        block: BlockNumber,
        to: impl Iterator<Item = (Party, u64)>,
    ) -> BlockChanges {
        let making = Making {
            payments: to.collect(),
            ..Making::default()
        };
        self.finish(block, making)
    }

    /// The changes of a block of transfers.
    pub(super) fn block(&mut self, block: BlockNumber, transfers: &[Transfer]) -> BlockChanges {
        let mut making = Making::default();
        let waited = core::mem::take(&mut self.waiting);
        for transfer in waited.iter().chain(transfers) {
            self.transfer(transfer, &mut making);
        }
        self.finish(block, making)
    }

    fn transfer(&mut self, transfer: &Transfer, making: &mut Making) {
        let Transfer { from, to, amount } = *transfer;
        let change = making
            .change
            .get(&from.number)
            .map_or(0, |(_, value)| *value);
        if change + self.total(from.number) < amount {
            self.waiting.push(*transfer);
            return;
        }
        let mut covered = change;
        while covered < amount {
            let index = self.take_largest(from.number);
            let value = self.coins[index as usize].value;
            covered += value;
            making.spends.push(self.spend(index, from.address, value));
        }
        making
            .change
            .insert(from.number, (from.address, covered - amount));
        making.payments.push((to, amount));
    }

    /// The records of a holder.
    fn coins_of(&self, holder: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.heads.get(holder as usize).copied();
        let real = |at: u32| (at != NONE).then_some(at);
        core::iter::successors(first.and_then(real), move |at| {
            real(self.coins[*at as usize].next)
        })
    }

    fn total(&self, holder: u32) -> u64 {
        let coins = self.coins_of(holder);
        coins.map(|at| self.coins[at as usize].value).sum()
    }

    fn take_largest(&mut self, holder: u32) -> u32 {
        let value = |at: &u32| self.coins[*at as usize].value;
        let largest = self.coins_of(holder).max_by_key(value);
        let largest = largest.expect("the holder's records cover the amount");
        let next = self.coins[largest as usize].next;
        let before = self
            .coins_of(holder)
            .find(|at| self.coins[*at as usize].next == largest);
        match before {
            Some(before) => self.coins[before as usize].next = next,
            None => self.heads[holder as usize] = next,
        }
        largest
    }

    fn spend(&self, index: u32, owner: Address, value: u64) -> Spend {
        let index = RecordIndex(index.into());
        Spend {
            record: record(owner, value).at(index),
            path: self.path(index),
        }
    }

    fn path(&self, index: RecordIndex) -> Option<RecordPath> {
        let Paths::Needed { ring_len } = self.paths else {
            return None;
        };
        let after = self
            .trees
            .partition_point(|tree| tree.range().first_index <= index);
        let mut path = self.trees[after - 1].path(index)?;
        let batch = self.batch.as_ref();
        let batch = batch.filter(|_| path.block.0 < u64::from(ring_len));
        path.batch = batch.and_then(|batch| batch.path(path.block.0 as usize));
        Some(path)
    }

    /// Gives records to their owners.
    fn finish(&mut self, block: BlockNumber, making: Making) -> BlockChanges {
        let first = self.coins.len();
        let change = making.change.into_iter();
        let change = change.map(|(number, (address, value))| (Party { number, address }, value));
        let made = making.payments.into_iter().chain(change);
        let made: Vec<_> = made.filter(|(_, value)| *value > 0).collect();
        for (party, value) in &made {
            let holder = party.number as usize;
            if self.heads.len() <= holder {
                self.heads.resize(holder + 1, NONE);
            }
            let at = self.coins.len() as u32;
            let next = core::mem::replace(&mut self.heads[holder], at);
            self.coins.push(Coin {
                value: *value,
                next,
            });
        }
        let records: Vec<_> = made
            .iter()
            .map(|(party, value)| record(party.address, *value))
            .collect();
        self.grow_tree(block, first as u64, &records);
        BlockChanges {
            spends: making.spends,
            records,
            ..BlockChanges::default()
        }
    }

    fn grow_tree(&mut self, block: BlockNumber, first: u64, records: &[NewRecord]) {
        if self.paths == Paths::Unneeded {
            return;
        }
        let records: Vec<Record> = (first..)
            .zip(records)
            .map(|(index, record)| record.clone().at(RecordIndex(index)))
            .collect();
        let hashes = leaf_hashes(&self.hasher, &records).expect("payloads are short");
        let tree = BlockTree::build(&self.hasher, block, RecordIndex(first), hashes);
        self.trees.push(tree.expect("blocks are not that large"));
    }

    /// Notes that the first batch is sealed.
    pub(super) fn seal(&mut self, ring_len: u32) {
        let mut roots = vec![Default::default(); ring_len as usize];
        for tree in &self.trees {
            if let Some(root) = roots.get_mut(tree.range().block.0 as usize) {
                *root = tree.root();
            }
        }
        self.batch = Some(ListTree::build(&self.hasher, roots));
    }
}

fn record(owner: Address, value: u64) -> NewRecord {
    let amount = Amount::from(u128::from(value));
    let object = Object::Erc20Balance { owner, amount };
    let object = object.to_record().expect("there is something in it");
    NewRecord {
        class: object.class.id(),
        contract: TOKEN,
        owner,
        payload: object.payload.into(),
    }
}
