//! From a trace to an access list.

use super::AccessListFault;
use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, BlockAccessList, CodeChange, NonceChange,
    SlotChanges, StorageChange,
};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use std::collections::{BTreeMap, BTreeSet};
use thinstate_formats::{
    Account,
    trace::{AccountAccess, BlockTrace},
};

/// The list of a traced block. `code` has the bytes of what the block deploys.
///
/// An error where they are not at hand, and where an account's storage is wiped.
pub fn from_trace(
    trace: &BlockTrace,
    code: impl Fn(B256) -> Option<Bytes>,
) -> Result<BlockAccessList, AccessListFault> {
    let mut entries = BTreeMap::<Address, Entry>::new();
    for group in &trace.accesses {
        for access in &group.accounts {
            let entry = entries.entry(access.address).or_default();
            entry.add_account(group.index, access, &code)?;
        }
        for access in &group.slots {
            let entry = entries.entry(access.address).or_default();
            let (before, after) = (access.before(), access.after());
            entry.add_slot(group.index, access.slot, before, after);
        }
    }
    let entries = entries.into_iter();
    Ok(entries
        .map(|(address, entry)| entry.finish(address))
        .collect())
}

/// What becomes one account of the list.
#[derive(Default)]
struct Entry {
    balances: Vec<BalanceChange>,
    nonces: Vec<NonceChange>,
    codes: Vec<CodeChange>,
    written: BTreeMap<U256, Vec<StorageChange>>,
    read: BTreeSet<U256>,
}

impl Entry {
    fn add_account(
        &mut self,
        index: BlockAccessIndex,
        access: &AccountAccess,
        code: impl Fn(B256) -> Option<Bytes>,
    ) -> Result<(), AccessListFault> {
        let address = access.address;
        if access.kind.wipes_storage() {
            return Err(AccessListFault::Wiped { address, index });
        }
        let before = access.before().unwrap_or_default();
        let Account {
            nonce,
            balance,
            code_hash,
        } = access.after().unwrap_or_default();
        if balance != before.balance {
            self.balances.push(BalanceChange::new(index, balance));
        }
        if nonce != before.nonce {
            self.nonces.push(NonceChange::new(index, nonce));
        }
        if code_hash != before.code_hash {
            let bytes = match code_hash {
                KECCAK256_EMPTY => Bytes::new(),
                hash => code(hash).ok_or(AccessListFault::Code {
                    address,
                    index,
                    hash,
                })?,
            };
            self.codes.push(CodeChange::new(index, bytes));
        }
        Ok(())
    }

    fn add_slot(&mut self, index: BlockAccessIndex, slot: U256, before: U256, after: U256) {
        if before == after {
            self.read.insert(slot);
        } else {
            let changes = self.written.entry(slot).or_default();
            changes.push(StorageChange::new(index, after));
        }
    }

    fn finish(self, address: Address) -> AccountChanges {
        let written = &self.written;
        let read = self.read.into_iter();
        let storage_reads = read.filter(|slot| !written.contains_key(slot)).collect();
        let slots = self.written.into_iter();
        AccountChanges {
            address,
            storage_changes: slots.map(|(slot, it)| SlotChanges::new(slot, it)).collect(),
            storage_reads,
            balance_changes: self.balances,
            nonce_changes: self.nonces,
            code_changes: self.codes,
        }
    }
}
