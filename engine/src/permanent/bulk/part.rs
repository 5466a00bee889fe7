//! What a state is built from, in parts.

use super::BulkError;
use crate::{
    leaf_store::{Entry, LeafRead, StoreError, Table, Visitor},
    trie::codec::append_slot,
};
use alloy_primitives::{B256, U256};
use core::cmp::Ordering;
use thinstate_formats::{Account, BlockNumber};

/// A state, as it comes.
#[derive(Clone, Debug)]
pub struct BulkSource<C, P> {
    /// Names it: a build that was interrupted is gone on with from a source of the same name alone.
    pub id: B256,
    /// Codes, by ascending hash; the same one may follow itself.
    pub codes: C,
    /// Accounts and their slots, behind those that are in the store already
    /// ([`bulk_done`](crate::PermanentTier::bulk_done)). Made on a thread of its own, while the part before is hashed and written.
    pub parts: P,
}

/// Some accounts with all their slots. Small ones leave threads idle: some 100,000 entries are a good size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkPart {
    /// By hashed address, ascending, from part to part too.
    pub accounts: Vec<BulkAccount>,
    /// Slots of all of them, in the order of the accounts; of each by hashed key, ascending.
    pub slots: Vec<BulkSlot>,
}

/// An account of a state that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkAccount {
    /// keccak256 of the address.
    pub key: B256,
    /// Its fields.
    pub account: Account,
    /// The block that last wrote it, or one of its slots.
    pub last_written: BlockNumber,
    /// How many slots it has.
    pub slots: usize,
}

/// A slot of a state that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSlot {
    /// keccak256 of the slot's number.
    pub key: B256,
    /// Its value, not zero.
    pub value: U256,
    /// The block that last wrote it.
    pub last_written: BlockNumber,
}

/// A part that was checked, with the place of each account's slots: its storage tries can be read.
#[derive(Debug)]
pub(super) struct CheckedPart {
    part: BulkPart,
    /// Where the slots of each account begin, and the end of all.
    first_slots: Vec<usize>,
}

impl CheckedPart {
    /// Checks counts, values and order; `last` is the last account of the part before.
    pub(super) fn new(part: BulkPart, last: &mut Option<B256>) -> Result<Self, BulkError> {
        let mut first_slots = Vec::with_capacity(part.accounts.len() + 1);
        let mut from = 0_usize;
        for account in &part.accounts {
            require_ascending("account", last.replace(account.key), account.key)?;
            first_slots.push(from);
            from = from.saturating_add(account.slots);
            let slots = part.slots.get(first_slots[first_slots.len() - 1]..from);
            for (slot, before) in slots.unwrap_or_default().iter().zip(previous(slots)) {
                require_ascending("slot", before, slot.key)?;
                if slot.value.is_zero() {
                    return Err(BulkError::ZeroSlot {
                        account: account.key,
                        slot: slot.key,
                    });
                }
            }
        }
        first_slots.push(from);
        if from != part.slots.len() {
            return Err(BulkError::SlotCount {
                expected: from,
                got: part.slots.len(),
            });
        }
        Ok(Self { part, first_slots })
    }

    pub(super) fn accounts(&self) -> &[BulkAccount] {
        &self.part.accounts
    }

    /// Each slot, and the account that it is of.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&BulkAccount, &BulkSlot)> {
        let accounts = self.part.accounts.iter().enumerate();
        accounts.flat_map(|(at, account)| self.slots_of(at).iter().map(move |slot| (account, slot)))
    }

    pub(super) fn slot_count(&self) -> usize {
        self.part.slots.len()
    }

    fn slots_of(&self, account: usize) -> &[BulkSlot] {
        &self.part.slots[self.first_slots[account]..self.first_slots[account + 1]]
    }

    /// The place of the account whose slots have keys with these first 32 bytes; of the first one behind, where
    /// there is none.
    fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let of = |account: &BulkAccount| account.key.as_slice().cmp(&key[..key.len().min(32)]);
        self.part.accounts.binary_search_by(of)
    }
}

/// Of each slot the key of the one before.
fn previous(slots: Option<&[BulkSlot]>) -> impl Iterator<Item = Option<B256>> + '_ {
    let keys = slots.unwrap_or_default().iter().map(|slot| Some(slot.key));
    core::iter::once(None).chain(keys)
}

pub(super) fn require_ascending(
    what: &'static str,
    last: Option<B256>,
    got: B256,
) -> Result<(), BulkError> {
    match last {
        Some(last) if last >= got => Err(BulkError::Order { what, last, got }),
        Some(_) | None => Ok(()),
    }
}

/// The slots of a part as the leaf store will hold them, but for the block that last wrote them, which is not
/// hashed. Other tables are empty.
impl LeafRead for CheckedPart {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.last_at_or_before(table, key, key)?;
        Ok(found.map(|(_, value)| value))
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        if table != Table::Storage {
            return Ok(());
        }
        let (first, mut slot_from) = match self.find(from) {
            Ok(account) => (account, from.get(32..).unwrap_or_default()),
            Err(behind) => (behind, [].as_slice()),
        };
        let (mut key, mut value) = ([0; 64], Vec::with_capacity(33));
        for (at, account) in self.part.accounts.iter().enumerate().skip(first) {
            let slots = self.slots_of(at);
            let begin = slots.partition_point(|slot| slot.key.as_slice() < slot_from);
            slot_from = &[];
            key[..32].copy_from_slice(account.key.as_slice());
            if to.is_some_and(|to| key[..32].cmp(&to[..to.len().min(32)]) == Ordering::Greater) {
                return Ok(());
            }
            for slot in &slots[begin..] {
                key[32..].copy_from_slice(slot.key.as_slice());
                value.clear();
                append_slot(slot.value, &mut value);
                if to.is_some_and(|to| key.as_slice() >= to) || visit(&key, &value).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        let mut last = None;
        self.scan(table, floor, None, &mut |found, value| {
            if found > key {
                return core::ops::ControlFlow::Break(());
            }
            last = Some((found.to_vec(), value.to_vec()));
            core::ops::ControlFlow::Continue(())
        })?;
        Ok(last)
    }
}
