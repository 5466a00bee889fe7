//! From an access list to a trace.

use super::AccessListFault;
use crate::source::{
    figures::BlockFigures,
    known::{AccountHint, KnownState, SlotHint},
};
use alloy_eip7928::{AccountChanges, BlockAccessIndex, BlockAccessList};
use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256, keccak256, map::B256Map};
use std::collections::BTreeMap;
use thinstate_formats::{
    Account,
    trace::{AccountAccess, BlockTrace, CodeWrite, SlotAccess, TxAccesses},
};

/// A list's trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The trace.
    pub trace: BlockTrace,
    /// Changes of the list that store what was there before, by what `known` holds: reads in the trace.
    /// None in an honest run of lists without gaps.
    pub no_changes: u64,
}

/// The trace of a block by its list, which has been checked. `known` has then seen the block.
pub fn to_trace(
    list: &BlockAccessList,
    figures: &BlockFigures,
    known: &mut KnownState<'_>,
) -> Result<Listed, AccessListFault> {
    let mut block = Building {
        groups: BTreeMap::new(),
        known,
        no_changes: 0,
    };
    for account in list {
        block.add(account)?;
    }
    let mut trace = figures.trace();
    trace.accesses = block.groups.into_values().collect();
    trace.sort();
    Ok(Listed {
        trace,
        no_changes: block.no_changes,
    })
}

/// Transactions of a block of which only the list is known: the highest index at which a nonce
/// changes. Every transaction changes its sender's, and nothing outside transactions changes one.
pub fn tx_count(list: &BlockAccessList) -> u32 {
    let nonces = list.iter().flat_map(|account| &account.nonce_changes);
    let last = nonces.map(|change| change.block_access_index.get()).max();
    u32::try_from(last.unwrap_or(0)).unwrap_or(u32::MAX)
}

/// The code that a list's block deploys, by its hash.
pub fn codes(list: &BlockAccessList) -> B256Map<Bytes> {
    let changes = list.iter().flat_map(|account| &account.code_changes);
    let code = changes.map(|change| &change.new_code);
    code.map(|code| (keccak256(code), code.clone())).collect()
}

struct Building<'a, 'b> {
    groups: BTreeMap<BlockAccessIndex, TxAccesses>,
    known: &'a mut KnownState<'b>,
    no_changes: u64,
}

/// What one index leaves of an account's fields.
#[derive(Default)]
struct FieldChanges<'a> {
    balance: Option<U256>,
    nonce: Option<u64>,
    code: Option<&'a Bytes>,
}

impl Building<'_, '_> {
    fn add(&mut self, account: &AccountChanges) -> Result<(), AccessListFault> {
        let address = account.address;
        let found = self.known.account(address, &hint(account))?;
        let changes = field_changes(account);
        if changes.is_empty() {
            let group = self.group(BlockAccessIndex::PRE_EXECUTION);
            group.accounts.push(AccountAccess::read(address, found));
        }
        let mut before = found;
        for (index, change) in changes {
            let after = change.applied_to(before);
            self.no_changes += u64::from(before == after);
            let group = self.group(index);
            let access = AccountAccess::write(address, before, after, false);
            group.accounts.push(access);
            if let Some(code) = change.code.filter(|code| !code.is_empty()) {
                // Several accounts may be given the same code at once.
                let write = code_write(code);
                if !group.code_writes.contains(&write) {
                    group.code_writes.push(write);
                }
            }
            before = after;
        }
        self.known.set_account(address, before);
        if is_fresh(account, found) {
            self.known.set_fresh(address);
        }
        self.add_slots(account)
    }

    fn add_slots(&mut self, account: &AccountChanges) -> Result<(), AccessListFault> {
        let address = account.address;
        for slot in &account.storage_changes {
            for change in &slot.changes {
                let after = change.new_value;
                let hint = SlotHint::Written { first: after };
                let before = self.known.slot(address, slot.slot, hint)?;
                self.no_changes += u64::from(before == after);
                let access = SlotAccess::write(address, slot.slot, before, after);
                self.group(change.block_access_index).slots.push(access);
                self.known.set_slot(address, slot.slot, after);
            }
        }
        for slot in &account.storage_reads {
            let value = self.known.slot(address, *slot, SlotHint::Read)?;
            let access = SlotAccess::read(address, *slot, value);
            let group = self.group(BlockAccessIndex::PRE_EXECUTION);
            group.slots.push(access);
        }
        Ok(())
    }

    fn group(&mut self, index: BlockAccessIndex) -> &mut TxAccesses {
        let group = self.groups.entry(index);
        group.or_insert_with(|| TxAccesses::new(index))
    }
}

impl FieldChanges<'_> {
    /// The account after the change; none where it is then empty (EIP-161).
    fn applied_to(&self, before: Option<Account>) -> Option<Account> {
        let mut account = before.unwrap_or_default();
        account.balance = self.balance.unwrap_or(account.balance);
        account.nonce = self.nonce.unwrap_or(account.nonce);
        if let Some(code) = self.code {
            account.code_hash = code_hash(code);
        }
        (!account.is_empty()).then_some(account)
    }
}

/// Changes of an account's own fields, by index.
fn field_changes(account: &AccountChanges) -> BTreeMap<BlockAccessIndex, FieldChanges<'_>> {
    let mut changes = BTreeMap::<_, FieldChanges<'_>>::new();
    for change in &account.balance_changes {
        let at = changes.entry(change.block_access_index).or_default();
        at.balance = Some(change.post_balance);
    }
    for change in &account.nonce_changes {
        let at = changes.entry(change.block_access_index).or_default();
        at.nonce = Some(change.new_nonce);
    }
    for change in &account.code_changes {
        let at = changes.entry(change.block_access_index).or_default();
        at.code = Some(&change.new_code);
    }
    changes
}

fn hint(account: &AccountChanges) -> AccountHint {
    AccountHint {
        balance: account.balance_changes.first().map(|it| it.post_balance),
        nonce: account.nonce_changes.first().map(|it| it.new_nonce),
        sets_code: !account.code_changes.is_empty(),
        is_contract: !account.storage_changes.is_empty() || !account.storage_reads.is_empty(),
    }
}

/// Whether no slot of the account can have held anything: it is not there, or it is a contract that the
/// block makes (an account that has sent something is given code by delegation alone, EIP-7702).
fn is_fresh(account: &AccountChanges, found: Option<Account>) -> bool {
    found.is_none_or(|found| {
        found.nonce == 0 && found.code_hash == KECCAK256_EMPTY && !account.code_changes.is_empty()
    })
}

fn code_hash(code: &Bytes) -> B256 {
    if code.is_empty() {
        KECCAK256_EMPTY
    } else {
        keccak256(code)
    }
}

fn code_write(code: &Bytes) -> CodeWrite {
    CodeWrite {
        hash: keccak256(code),
        length: u32::try_from(code.len()).unwrap_or(u32::MAX),
    }
}
