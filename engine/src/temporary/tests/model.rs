//! What the tier must do, said as plainly as it can be.

use crate::temporary::TemporaryWrite;
use alloy_primitives::B256;
use std::collections::BTreeMap;
use thinstate_formats::{
    BlockNumber, NodeHasher, PeriodId, TemporaryRules,
    counted::{Leaf, Node, root_of_sorted},
    list,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

type Entries = BTreeMap<B256, B256>;

#[derive(Clone, Debug)]
pub(super) struct Model {
    rules: TemporaryRules,
    pub(super) block: Option<u64>,
    periods: BTreeMap<u64, Entries>,
    frozen: BTreeMap<u64, Vec<Leaf>>,
    pub(super) sealed: BTreeMap<u64, (Vec<Leaf>, u64)>,
    root: B256,
}

impl Model {
    pub(super) fn new(rules: TemporaryRules) -> Self {
        Self {
            rules,
            block: None,
            periods: BTreeMap::new(),
            frozen: BTreeMap::new(),
            sealed: BTreeMap::new(),
            root: B256::ZERO,
        }
    }

    fn readable(&self) -> Vec<u64> {
        let current = self.block.unwrap_or_default() / self.rules.period_length;
        match (self.rules.retention, current.checked_sub(1)) {
            (Retention::CurrentAndPrevious, Some(previous)) => vec![current, previous],
            _ => vec![current],
        }
    }

    pub(super) fn get(&self, location: &B256) -> B256 {
        let values = self.readable().into_iter().filter_map(|period| {
            let entries = self.periods.get(&period)?;
            entries.get(location).copied()
        });
        values.into_iter().next().unwrap_or_default()
    }

    pub(super) fn apply(&mut self, block: u64, writes: &[TemporaryWrite]) {
        let at = |block| BlockNumber(block);
        // What a read returned in the block before, and from which period.
        for period in 0..=block / self.rules.period_length {
            if self.rules.frozen_at(PeriodId(period)) == at(block) {
                let entries = self.periods.remove(&period).unwrap_or_default();
                let newer = self.periods.get(&(period + 1));
                let newer = newer.filter(|_| self.rules.retention == Retention::CurrentAndPrevious);
                let hidden =
                    |location: &B256| newer.is_some_and(|newer| newer.contains_key(location));
                let last = entries
                    .into_iter()
                    .filter(|(location, _)| !hidden(location));
                let leaves = last.map(|(location, value)| Leaf { location, value });
                self.frozen.insert(period, leaves.collect());
            }
            if self.rules.sealed_at(PeriodId(period)) == at(block) {
                let leaves = self.frozen.remove(&period).unwrap_or_default();
                self.sealed.insert(period, (leaves, block));
            }
        }
        self.block = Some(block);
        for write in writes {
            self.write(write);
        }
        self.commit(block, writes);
    }

    fn write(&mut self, write: &TemporaryWrite) {
        let readable = self.readable();
        let current = self.periods.entry(readable[0]).or_default();
        if !write.value.is_zero() {
            current.insert(write.location, write.value);
            return;
        }
        current.remove(&write.location);
        let previous = readable
            .get(1)
            .and_then(|previous| self.periods.get_mut(previous));
        if let (ZeroRule::DeleteBoth, Some(previous)) = (self.rules.zero_rule, previous) {
            previous.remove(&write.location);
        }
    }

    fn commit(&mut self, block: u64, writes: &[TemporaryWrite]) {
        let hasher = NodeHasher::new(self.rules.hash);
        let mut message = Vec::new();
        match self.rules.commitment {
            LiveCommitment::Deferred => {
                let log: Vec<u8> = writes
                    .iter()
                    .flat_map(|write| [write.location.0, write.value.0].concat())
                    .collect();
                message.extend_from_slice(b"thinstate/tlog/1");
                message.extend_from_slice(&block.to_le_bytes());
                message.extend_from_slice(&(writes.len() as u64).to_le_bytes());
                message.extend_from_slice(self.root.as_slice());
                message.extend_from_slice(hasher.hash(&log).as_slice());
            }
            LiveCommitment::Incremental => {
                message.extend_from_slice(b"thinstate/live/1");
                let readable = self.readable();
                for at in 0..2 {
                    let entries = readable.get(at).and_then(|period| self.periods.get(period));
                    let hidden = |location: &B256| {
                        at == 1
                            && self
                                .periods
                                .get(&readable[0])
                                .is_some_and(|p| p.contains_key(location))
                    };
                    let leaves = entries.into_iter().flatten();
                    let leaves: Vec<Leaf> = leaves
                        .filter(|(location, _)| !hidden(location))
                        .map(|(location, value)| Leaf {
                            location: *location,
                            value: *value,
                        })
                        .collect();
                    let node = root_of_sorted(&hasher, &leaves).expect("sorted");
                    message.extend_from_slice(node.hash.as_slice());
                    message.extend_from_slice(&node.count.to_le_bytes());
                }
            }
        }
        message.resize(128, 0);
        self.root = hasher.hash(&message);
    }

    pub(super) fn live_root(&self) -> B256 {
        self.root
    }

    pub(super) fn sealed_root(&self, period: u64) -> Node {
        let hasher = NodeHasher::new(self.rules.hash);
        root_of_sorted(&hasher, &self.sealed[&period].0).expect("sorted")
    }

    pub(super) fn periods_root(&self) -> B256 {
        let hasher = NodeHasher::new(self.rules.hash);
        let digest = |(period, (_, block)): (&u64, &(Vec<Leaf>, u64))| {
            let root = self.sealed_root(*period);
            let mut message = b"thinstate/prds/1".to_vec();
            message.extend_from_slice(&period.to_le_bytes());
            message.extend_from_slice(root.hash.as_slice());
            message.extend_from_slice(&root.count.to_le_bytes());
            message.extend_from_slice(&block.to_le_bytes());
            message.resize(128, 0);
            hasher.hash(&message)
        };
        let digests: Vec<B256> = self.sealed.iter().map(digest).collect();
        let mut message = b"thinstate/ptab/1".to_vec();
        message.extend_from_slice(&(digests.len() as u64).to_le_bytes());
        message.extend_from_slice(list::root(&hasher, &digests).as_slice());
        message.resize(128, 0);
        hasher.hash(&message)
    }
}
