//! A world in plain maps that ledgers run on: no trees, no proofs, no files, but every rule.

use alloy_primitives::{Address, B256, U256};
use std::collections::{BTreeMap, BTreeSet};
use thinstate_engine::ledger::{HeldRecord, LedgerHost, RecordSource, WalletIndex};
use thinstate_formats::{
    BlockNumber, PeriodId, RecordIndex, TemporaryRules,
    object::{ContractObject, Object, ObjectKey, RecordObject},
    temporary::{Retention, ZeroRule, location},
};

/// Blocks that run ledgers, one after another.
pub trait World {
    /// What proves a sealed leaf.
    type Proof: Clone;
    /// Why a block fails.
    type Error: core::fmt::Debug;
    /// A block in the making.
    type Host<'a>: LedgerHost<Proof = Self::Proof, Error = Self::Error>
    where
        Self: 'a;

    /// Makes a block and applies it.
    fn make_block(&mut self, number: BlockNumber, make: impl FnOnce(&mut Self::Host<'_>));

    /// Blocks that can be undone.
    fn undoable(&self) -> usize;

    /// Undoes the last block.
    fn undo(&mut self);

    /// Proves the leaf of a sealed period, whether it was resurrected or not.
    fn prove(&mut self, contract: Address, key: B256, value: B256, period: PeriodId)
    -> Self::Proof;

    /// The values of an entry's leaves that were not resurrected, of all periods that are frozen or
    /// sealed; `None` where the world cannot tell.
    fn unspent_leaves(&mut self, contract: Address, key: B256) -> Option<Vec<B256>>;
}

/// Why the world refuses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoLeaf { period: PeriodId },
    Resurrected { period: PeriodId },
    NoRecord { index: RecordIndex },
    Spent { index: RecordIndex },
}

type Leaves = BTreeMap<B256, B256>;

#[derive(Clone, Debug, Default)]
struct State {
    slots: BTreeMap<(Address, U256), U256>,
    live: BTreeMap<PeriodId, Leaves>,
    frozen: BTreeMap<PeriodId, Leaves>,
    sealed: BTreeMap<PeriodId, Leaves>,
    resurrected: BTreeSet<(PeriodId, B256)>,
    next_record: u64,
    unspent: BTreeSet<RecordIndex>,
}

/// The world in memory.
#[derive(Debug)]
pub struct MemoryWorld {
    rules: TemporaryRules,
    block: BlockNumber,
    state: State,
    before: Vec<(BlockNumber, State)>,
    wallet: WalletIndex,
    spends: Vec<RecordIndex>,
    appends: Vec<ContractObject>,
}

impl MemoryWorld {
    pub fn new(rules: TemporaryRules) -> Self {
        Self {
            rules,
            block: BlockNumber(0),
            state: State::default(),
            before: Vec::new(),
            wallet: WalletIndex::new(1_000),
            spends: Vec::new(),
            appends: Vec::new(),
        }
    }

    fn period(&self) -> PeriodId {
        self.rules.period(self.block)
    }

    fn previous(&self) -> Option<PeriodId> {
        let previous = self.period().0.checked_sub(1).map(PeriodId);
        previous.filter(|_| self.rules.retention == Retention::CurrentAndPrevious)
    }

    fn begin(&mut self, number: BlockNumber) {
        self.before.push((self.block, self.state.clone()));
        self.block = number;
        if let Some(period) = self.rules.freezes(number) {
            let mut leaves = self.state.live.remove(&period).unwrap_or_default();
            if self.rules.retention == Retention::CurrentAndPrevious {
                let newer = self.state.live.get(&PeriodId(period.0 + 1));
                leaves.retain(|at, _| newer.is_none_or(|newer| !newer.contains_key(at)));
            }
            self.state.frozen.insert(period, leaves);
        }
        if let Some(period) = self.rules.seals(number) {
            let leaves = self.state.frozen.remove(&period).unwrap_or_default();
            self.state.sealed.insert(period, leaves);
        }
    }

    fn end(&mut self) {
        for index in &self.spends {
            assert!(self.state.unspent.remove(index), "spends are checked");
        }
        let mut appended = Vec::new();
        for object in self.appends.drain(..) {
            let index = RecordIndex(self.state.next_record);
            self.state.next_record += 1;
            self.state.unspent.insert(index);
            appended.push((index, object));
        }
        let followed = self.wallet.follow(self.block, &self.spends, &appended);
        followed.expect("the wallet follows every block");
        self.spends.clear();
        assert_eq!(self.wallet.len(), self.state.unspent.len());
    }
}

impl World for MemoryWorld {
    type Proof = PeriodId;
    type Error = Refusal;
    type Host<'a> = Self;

    fn make_block(&mut self, number: BlockNumber, make: impl FnOnce(&mut Self)) {
        self.begin(number);
        make(self);
        self.end();
    }

    fn undoable(&self) -> usize {
        self.before.len()
    }

    fn undo(&mut self) {
        let undone = self.wallet.undo();
        assert_eq!(undone, Ok(self.block));
        (self.block, self.state) = self.before.pop().expect("a block to undo");
    }

    fn prove(&mut self, _: Address, _: B256, _: B256, period: PeriodId) -> PeriodId {
        period
    }

    fn unspent_leaves(&mut self, contract: Address, key: B256) -> Option<Vec<B256>> {
        let at = location(contract, key);
        let state = &self.state;
        let unspent = state.sealed.iter().filter_map(|(period, leaves)| {
            let leaf = leaves.get(&at)?;
            (!state.resurrected.contains(&(*period, at))).then_some(*leaf)
        });
        let frozen = state.frozen.values().filter_map(|leaves| leaves.get(&at));
        Some(unspent.chain(frozen.copied()).collect())
    }
}

impl RecordSource for MemoryWorld {
    type Error = Refusal;

    fn records(&self, contract: Address, key: ObjectKey) -> Result<Vec<HeldRecord>, Refusal> {
        Ok(self.wallet.records_of(contract, key))
    }
}

impl LedgerHost for MemoryWorld {
    type Proof = PeriodId;

    fn block(&self) -> BlockNumber {
        self.block
    }

    fn temporary_rules(&self) -> TemporaryRules {
        self.rules
    }

    fn slot(&mut self, contract: Address, slot: U256) -> Result<U256, Refusal> {
        let value = self.state.slots.get(&(contract, slot));
        Ok(value.copied().unwrap_or_default())
    }

    fn set_slot(&mut self, contract: Address, slot: U256, value: U256) -> Result<(), Refusal> {
        self.state.slots.insert((contract, slot), value);
        Ok(())
    }

    fn temporary(&mut self, contract: Address, key: B256) -> Result<B256, Refusal> {
        let at = location(contract, key);
        let periods = [Some(self.period()), self.previous()];
        let live = &self.state.live;
        let mut found = periods
            .iter()
            .flatten()
            .filter_map(|p| live.get(p)?.get(&at));
        Ok(found.next().copied().unwrap_or_default())
    }

    fn set_temporary(&mut self, contract: Address, key: B256, value: B256) -> Result<(), Refusal> {
        let at = location(contract, key);
        let (period, previous) = (self.period(), self.previous());
        let current = self.state.live.entry(period).or_default();
        if !value.is_zero() {
            current.insert(at, value);
            return Ok(());
        }
        current.remove(&at);
        let both = previous.filter(|_| self.rules.zero_rule == ZeroRule::DeleteBoth);
        if let Some(leaves) = both.and_then(|period| self.state.live.get_mut(&period)) {
            leaves.remove(&at);
        }
        Ok(())
    }

    fn resurrect(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
        period: &PeriodId,
    ) -> Result<(), Refusal> {
        let (at, period) = (location(contract, key), *period);
        let leaf = self
            .state
            .sealed
            .get(&period)
            .and_then(|leaves| leaves.get(&at));
        if leaf != Some(&value) {
            return Err(Refusal::NoLeaf { period });
        }
        if !self.state.resurrected.insert((period, at)) {
            return Err(Refusal::Resurrected { period });
        }
        Ok(())
    }

    fn spend(&mut self, index: RecordIndex) -> Result<(), Refusal> {
        if index.0 >= self.state.next_record {
            return Err(Refusal::NoRecord { index });
        }
        if !self.state.unspent.contains(&index) || self.spends.contains(&index) {
            return Err(Refusal::Spent { index });
        }
        self.spends.push(index);
        Ok(())
    }

    fn append(&mut self, contract: Address, record: RecordObject) -> Result<(), Refusal> {
        let object = Object::from_record(record.class.id(), record.owner, &record.payload);
        let object = object.expect("a canonical record");
        self.appends.push(ContractObject { contract, object });
        Ok(())
    }
}
