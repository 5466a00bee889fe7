//! Lists that break the order: brought into it.

use alloy_eip7928::{AccountChanges, BlockAccessIndex, BlockAccessList};
use std::collections::BTreeSet;

/// Brings a list into the order that EIP-7928 demands, and says how many items it had to drop for that.
///
/// Of several changes of one thing at one index the last is kept: lists that are made of a node's traces
/// have one for each write. A slot without changes becomes a read; a slot that is read and changed is
/// changed; two entries of one account become one.
pub fn repair(list: &mut BlockAccessList) -> u64 {
    let items = count(list);
    list.sort_by_key(|account| account.address);
    let mut accounts: BlockAccessList = Vec::with_capacity(list.len());
    for account in list.drain(..) {
        match accounts.last_mut() {
            Some(last) if last.address == account.address => join(last, account),
            _ => accounts.push(account),
        }
    }
    accounts.iter_mut().for_each(repair_account);
    *list = accounts;
    items - count(list)
}

fn join(account: &mut AccountChanges, other: AccountChanges) {
    account.storage_changes.extend(other.storage_changes);
    account.storage_reads.extend(other.storage_reads);
    account.balance_changes.extend(other.balance_changes);
    account.nonce_changes.extend(other.nonce_changes);
    account.code_changes.extend(other.code_changes);
}

fn repair_account(account: &mut AccountChanges) {
    let slots = &mut account.storage_changes;
    slots.sort_by_key(|slot| slot.slot);
    slots.dedup_by(|later, slot| {
        let same = later.slot == slot.slot;
        if same {
            slot.changes.append(&mut later.changes);
        }
        same
    });
    for slot in slots.iter_mut() {
        last_of_each(&mut slot.changes, |it| it.block_access_index);
        if slot.changes.is_empty() {
            account.storage_reads.push(slot.slot);
        }
    }
    slots.retain(|slot| !slot.changes.is_empty());
    let written: BTreeSet<_> = slots.iter().map(|slot| slot.slot).collect();
    let reads = &mut account.storage_reads;
    reads.sort();
    reads.dedup();
    reads.retain(|slot| !written.contains(slot));
    last_of_each(&mut account.balance_changes, |it| it.block_access_index);
    last_of_each(&mut account.nonce_changes, |it| it.block_access_index);
    last_of_each(&mut account.code_changes, |it| it.block_access_index);
}

/// Sorts by index, and keeps the last of those that have the same.
fn last_of_each<T>(changes: &mut Vec<T>, index: impl Fn(&T) -> BlockAccessIndex) {
    changes.sort_by_key(&index);
    changes.reverse();
    changes.dedup_by_key(|it| index(it));
    changes.reverse();
}

/// Everything that a list names.
fn count(list: &BlockAccessList) -> u64 {
    let of = |account: &AccountChanges| {
        let slots = account.storage_changes.iter();
        let slots: usize = slots.map(|slot| slot.changes.len().max(1)).sum();
        let fields = account.balance_changes.len()
            + account.nonce_changes.len()
            + account.code_changes.len();
        (1 + slots + account.storage_reads.len() + fields) as u64
    };
    list.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;
    use crate::source::{access_list::check, figures::BlockFigures};
    use alloy_eip7928::{NonceChange, SlotChanges, StorageChange};
    use alloy_primitives::{Address, U256};
    use thinstate_formats::BlockNumber;

    fn slot(slot: u64, changes: &[(u64, u64)]) -> SlotChanges {
        let change = |(index, value): &(u64, u64)| {
            StorageChange::new(BlockAccessIndex::new(*index), U256::from(*value))
        };
        SlotChanges::new(U256::from(slot), changes.iter().map(change).collect())
    }

    #[test]
    fn a_list_in_order_is_not_changed_and_any_other_comes_out_in_order() {
        let address = Address::with_last_byte;
        let mut first = AccountChanges::new(address(2));
        first.storage_changes = vec![slot(9, &[(3, 1), (1, 5), (3, 2)]), slot(4, &[])];
        first.storage_reads = [9, 7, 7].map(U256::from).to_vec();
        let mut second = AccountChanges::new(address(1));
        let nonce = |index, nonce| NonceChange::new(BlockAccessIndex::new(index), nonce);
        second.nonce_changes = vec![nonce(2, 8), nonce(1, 7)];
        let mut again = AccountChanges::new(address(2));
        again.storage_changes = vec![slot(9, &[(5, 3)])];
        let mut list = vec![first, second, again];

        // An account, a change, two reads: 9 is written, 7 was there twice.
        assert_eq!(repair(&mut list), 4);
        let figures = BlockFigures::without_header(BlockNumber(1), 5);
        check(&list, &figures).unwrap();
        let [one, two] = &list[..] else {
            panic!("{list:?}")
        };
        assert_eq!(one.nonce_changes, [nonce(1, 7), nonce(2, 8)]);
        assert_eq!(two.storage_changes, [slot(9, &[(1, 5), (3, 2), (5, 3)])]);
        assert_eq!(two.storage_reads, [4, 7].map(U256::from));

        let repaired = list.clone();
        assert_eq!(repair(&mut list), 0);
        assert_eq!(list, repaired);
    }
}
