//! A block in the making: reads see what it has written so far, nothing is stored.

use super::{BlockChanges, Store, error::BuildError};
use crate::{
    leaf_store::LeafStore,
    permanent::View,
    temporary::{Resurrection, TemporaryWrite},
    utxo::Spend,
};
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256,
    map::{HashMap, HashSet},
};
use thinstate_formats::{
    Account, AccountUpdate, BlockNumber, LeafIndex, PeriodId, RecordIndex, StateReader as _,
    counted::{InclusionProof, Leaf},
    record::{NewRecord, Record, RecordPath},
    temporary::{ZeroRule, location},
};

/// Collects the changes of the block after the head.
///
/// It reads the state as of the head through one view, so it must be applied before any other
/// block. Ledgers ([`crate::ledger`]) run on it.
#[derive(Debug)]
pub struct BlockBuilder<'s, S: LeafStore> {
    store: &'s Store<S>,
    view: View<'s, S>,
    number: BlockNumber,
    changes: BlockChanges,
    /// Temporary values read or written, each with its location computed once.
    temporary: HashMap<(Address, B256), Held>,
    resurrected: HashSet<(PeriodId, LeafIndex)>,
    spent: HashSet<RecordIndex>,
}

/// A temporary value in hand.
#[derive(Clone, Copy, Debug)]
struct Held {
    location: B256,
    value: B256,
    /// Its place among the writes; `None` if it was only read.
    write: Option<usize>,
}

impl<'s, S: LeafStore> BlockBuilder<'s, S> {
    pub(super) fn new(store: &'s Store<S>, number: BlockNumber) -> Self {
        Self {
            view: store.view(),
            store,
            number,
            changes: BlockChanges::default(),
            temporary: HashMap::default(),
            resurrected: HashSet::default(),
            spent: HashSet::default(),
        }
    }

    /// The block that is being made.
    pub const fn number(&self) -> BlockNumber {
        self.number
    }

    /// The store that it will be applied to.
    pub const fn store(&self) -> &'s Store<S> {
        self.store
    }

    /// An account; `None` where there is none.
    pub fn account(&self, address: Address) -> Result<Option<Account>, BuildError> {
        let update = self.changes.permanent.accounts.get(&address);
        match update.map(|change| change.account) {
            Some(AccountUpdate::Set(account)) => Ok(Some(account)),
            Some(AccountUpdate::Delete) => Ok(None),
            Some(AccountUpdate::Keep) | None => Ok(self.view.account(address)?),
        }
    }

    /// Sets an account's own fields; its storage stays.
    pub fn set_account(&mut self, address: Address, account: Account) {
        let accounts = &mut self.changes.permanent.accounts;
        accounts.entry(address).or_default().account = AccountUpdate::Set(account);
    }

    /// Makes code known and returns its hash.
    pub fn add_code(&mut self, code: Bytes) -> B256 {
        if code.is_empty() {
            return KECCAK256_EMPTY;
        }
        let hash = keccak256(&code);
        self.changes.permanent.code.insert(hash, code);
        hash
    }

    /// A slot of the permanent tier; zero where there is none.
    pub fn slot(&self, address: Address, slot: U256) -> Result<U256, BuildError> {
        let change = self.changes.permanent.accounts.get(&address);
        match change.and_then(|change| change.storage.get(&slot)) {
            Some(value) => Ok(*value),
            None => Ok(self.view.slot(address, slot)?),
        }
    }

    /// Sets a slot of the permanent tier; zero removes it.
    pub fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        let accounts = &mut self.changes.permanent.accounts;
        let storage = &mut accounts.entry(address).or_default().storage;
        storage.insert(slot, value);
    }

    /// A temporary value; zero where there is none.
    pub fn temporary(&mut self, contract: Address, key: B256) -> B256 {
        self.held(contract, key).value
    }

    /// Sets a temporary value, which renews it for the current period. Zero deletes, in one period or
    /// in both ([`ZeroRule`]): in the former case a read may return the previous period's value next.
    pub fn set_temporary(&mut self, contract: Address, key: B256, value: B256) {
        let next = self.changes.temporary.len();
        let (store, number) = (self.store, self.number);
        let shines_through =
            value.is_zero() && store.rules().temporary.zero_rule == ZeroRule::NoTombstone;
        let held = self.held(contract, key);
        held.value = if shines_through {
            store.temporary_below(number, held.location)
        } else {
            value
        };
        let (location, at) = (held.location, *held.write.get_or_insert(next));
        let write = TemporaryWrite { location, value };
        match self.changes.temporary.get_mut(at) {
            Some(earlier) => *earlier = write,
            None => self.changes.temporary.push(write),
        }
    }

    /// Uses a leaf of a sealed period: checks the proof against the period table and the leaf's
    /// bit, which is set with the block. The value does not come back by itself: the caller merges
    /// it into what is there now.
    pub fn resurrect(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
        period: PeriodId,
        proof: InclusionProof,
    ) -> Result<LeafIndex, BuildError> {
        let location = self.held(contract, key).location;
        let leaf = Leaf { location, value };
        let resurrection = Resurrection {
            period,
            leaf,
            proof,
        };
        let index = self.store.check_resurrection(&resurrection)?;
        if !self.resurrected.insert((period, index)) {
            return Err(BuildError::ResurrectedInBlock { period, index });
        }
        self.changes.resurrections.push(resurrection);
        Ok(index)
    }

    /// Uses a record up: checks its path and its bit, which is set with the block. `path` may be
    /// left out for records within the hybrid window.
    pub fn spend(&mut self, record: Record, path: Option<RecordPath>) -> Result<(), BuildError> {
        let index = record.index;
        let spend = Spend { record, path };
        self.store.check_spend(&spend)?;
        if !self.spent.insert(index) {
            return Err(BuildError::SpentInBlock { index });
        }
        self.changes.spends.push(spend);
        Ok(())
    }

    /// Makes a record. It can be spent from the next block on.
    pub fn append(&mut self, record: NewRecord) {
        self.changes.records.push(record);
    }

    /// The changes, to be applied as block [`Self::number`].
    pub fn finish(self) -> BlockChanges {
        self.changes
    }

    fn held(&mut self, contract: Address, key: B256) -> &mut Held {
        let (store, number) = (self.store, self.number);
        self.temporary.entry((contract, key)).or_insert_with(|| {
            let location = location(contract, key);
            let value = store.temporary_in(number, location);
            Held {
                location,
                value,
                write: None,
            }
        })
    }
}
