//! What one access index has touched, over all its commits.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::state::{Account as EvmAccount, AccountInfo, EvmState};
use std::collections::BTreeMap;
use thinstate_formats::{
    Account,
    trace::{
        AccountAccess, BlockAccessIndex, CodeRead, CodeWrite, SlotAccess, SlotPreimage, TxAccesses,
    },
};

/// The accesses of one index, each key once.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    accounts: BTreeMap<Address, AccountSpan>,
    slots: BTreeMap<(Address, U256), SlotSpan>,
    code_reads: BTreeMap<B256, u32>,
    code_writes: BTreeMap<B256, u32>,
}

#[derive(Clone, Copy, Debug)]
struct AccountSpan {
    before: Option<Account>,
    after: Option<Account>,
    wiped: bool,
}

#[derive(Clone, Copy, Debug)]
struct SlotSpan {
    before: U256,
    after: U256,
}

impl SlotSpan {
    /// Goes on with another commit. If that finds another value than was left, and changes it, the
    /// storage was wiped in between: the access begins anew.
    fn extend(&mut self, next: Self) {
        if self.after != next.before && next.before != next.after {
            self.before = next.before;
        }
        self.after = next.after;
    }
}

impl Step {
    /// Adds what a commit has loaded and changed.
    pub(super) fn commit(&mut self, state: &EvmState) {
        for (address, account) in state {
            self.commit_account(*address, account);
        }
    }

    /// Adds a load of code.
    pub(super) fn load_code(&mut self, hash: B256, length: usize) {
        self.code_reads.insert(hash, code_length(length));
    }

    /// The slots that were touched.
    pub(super) fn slots(&self) -> impl Iterator<Item = (Address, U256)> {
        self.slots.keys().copied()
    }

    fn commit_account(&mut self, address: Address, account: &EvmAccount) {
        let before =
            (!account.is_loaded_as_not_existing()).then(|| fields(&account.original_info()));
        let after = after(account, before);
        let destroyed = account.is_selfdestructed() || after.is_none();
        let next = AccountSpan {
            before,
            after,
            wiped: destroyed && before.is_some(),
        };
        self.accounts
            .entry(address)
            .and_modify(|span| {
                span.after = next.after;
                span.wiped |= next.wiped;
            })
            .or_insert(next);
        for (slot, value) in &account.storage {
            let before = value.original_value;
            let after = if destroyed {
                before
            } else {
                value.present_value
            };
            let next = SlotSpan { before, after };
            self.slots
                .entry((address, *slot))
                .and_modify(|span| span.extend(next))
                .or_insert(next);
        }
        self.deploy(before, after, &account.info);
    }

    /// Notes the code of an account that has another code than before.
    fn deploy(&mut self, before: Option<Account>, after: Option<Account>, info: &AccountInfo) {
        let Some(after) = after else { return };
        let had = before.map_or(KECCAK256_EMPTY, |account| account.code_hash);
        if after.code_hash == had || after.code_hash == KECCAK256_EMPTY {
            return;
        }
        if let Some(code) = &info.code {
            let length = code_length(code.len());
            self.code_writes.insert(after.code_hash, length);
        }
    }

    /// The accesses in the trace's terms, each slot with the preimages that `preimages` knows.
    pub(super) fn finish(
        self,
        index: BlockAccessIndex,
        preimages: impl Fn(Address, U256) -> Vec<SlotPreimage>,
    ) -> TxAccesses {
        let account = |(address, span): (Address, AccountSpan)| {
            let wiped = span.wiped && span.before.is_some();
            AccountAccess::write(address, span.before, span.after, wiped)
        };
        let slot = |((address, slot), span): ((Address, U256), SlotSpan)| SlotAccess {
            preimages: preimages(address, slot),
            ..SlotAccess::write(address, slot, span.before, span.after)
        };
        let read = |(hash, length)| CodeRead { hash, length };
        let write = |(hash, length)| CodeWrite { hash, length };
        TxAccesses {
            index,
            accounts: self.accounts.into_iter().map(account).collect(),
            slots: self.slots.into_iter().map(slot).collect(),
            code_reads: self.code_reads.into_iter().map(read).collect(),
            code_writes: self.code_writes.into_iter().map(write).collect(),
        }
    }
}

/// The account that a commit leaves, by the rules of revm's block cache, which applies it.
fn after(account: &EvmAccount, before: Option<Account>) -> Option<Account> {
    if !account.is_touched() {
        return before;
    }
    let gone = account.is_selfdestructed() || (account.is_empty() && !account.is_created());
    (!gone).then(|| fields(&account.info))
}

const fn fields(info: &AccountInfo) -> Account {
    Account {
        nonce: info.nonce,
        balance: info.balance,
        code_hash: info.code_hash,
    }
}

fn code_length(length: usize) -> u32 {
    u32::try_from(length).expect("code is shorter than the gas to deploy 4 GiB of it allows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use revm::state::{EvmStorageSlot, TransactionId};
    use thinstate_formats::trace::AccountAccessKind;

    const WHO: Address = Address::repeat_byte(0xaa);

    fn info(balance: u64) -> AccountInfo {
        AccountInfo {
            balance: U256::from(balance),
            nonce: 1,
            ..AccountInfo::default()
        }
    }

    fn commit(
        step: &mut Step,
        before: Option<u64>,
        after: u64,
        slots: &[(u64, u64, u64)],
        mark: fn(&mut EvmAccount),
    ) {
        let mut account = before.map_or_else(
            || EvmAccount::new_not_existing(TransactionId::ZERO),
            |balance| EvmAccount::from(info(balance)),
        );
        account.info = info(after);
        account.mark_touch();
        for &(slot, before, after) in slots {
            let [before, after] = [before, after].map(U256::from);
            let value = EvmStorageSlot::new_changed(before, after, TransactionId::ZERO);
            account.storage.insert(U256::from(slot), value);
        }
        mark(&mut account);
        step.commit(&[(WHO, account)].into_iter().collect());
    }

    fn finish(step: Step) -> TxAccesses {
        step.finish(BlockAccessIndex::PRE_EXECUTION, |_, _| Vec::new())
    }

    fn slot(key: u64, before: u64, after: u64) -> SlotAccess {
        let [key, before, after] = [key, before, after].map(U256::from);
        SlotAccess::write(WHO, key, before, after)
    }

    fn none(_: &mut EvmAccount) {}

    #[test]
    fn what_several_commits_leave_as_it_was_is_not_a_write() {
        let mut step = Step::default();
        commit(&mut step, Some(5), 6, &[(1, 10, 11), (2, 0, 1)], none);
        commit(&mut step, Some(6), 5, &[(1, 11, 10), (2, 1, 2)], none);
        let accesses = finish(step);
        let account = fields(&info(5));
        assert_eq!(accesses.accounts, [AccountAccess::read(WHO, Some(account))]);
        assert_eq!(accesses.slots, [slot(1, 10, 10), slot(2, 0, 2)]);
    }

    #[test]
    fn an_account_that_came_and_went_is_neither_found_nor_wiped() {
        let mut step = Step::default();
        commit(&mut step, None, 5, &[(1, 0, 9)], |account| {
            account.mark_created();
            account.mark_selfdestruct();
        });
        let accesses = finish(step);
        assert_eq!(accesses.accounts, [AccountAccess::read(WHO, None)]);
        assert_eq!(accesses.slots, [slot(1, 0, 0)]);
    }

    #[test]
    fn slots_of_a_destroyed_account_are_not_written() {
        let mut step = Step::default();
        commit(
            &mut step,
            Some(5),
            0,
            &[(1, 10, 11), (2, 3, 3)],
            |account| {
                account.mark_selfdestruct();
            },
        );
        let accesses = finish(step);
        assert_eq!(
            accesses.accounts[0].kind,
            AccountAccessKind::Write {
                before: Some(fields(&info(5))),
                after: None,
                storage_wiped: true,
            }
        );
        assert_eq!(accesses.slots, [slot(1, 10, 10), slot(2, 3, 3)]);
    }

    #[test]
    fn a_value_stored_again_after_a_wipe_does_not_get_lost() {
        let mut step = Step::default();
        commit(&mut step, Some(5), 0, &[(1, 10, 10)], |account| {
            account.mark_selfdestruct();
        });
        commit(&mut step, None, 5, &[(1, 0, 10)], |account| {
            account.mark_created();
        });
        let accesses = finish(step);
        assert_eq!(accesses.accounts.len(), 1);
        assert!(accesses.accounts[0].kind.wipes_storage());
        assert_eq!(accesses.slots, [slot(1, 0, 10)]);
    }

    #[test]
    fn an_untouched_account_is_not_deleted_for_being_empty() {
        let mut step = Step::default();
        let account = EvmAccount::from(AccountInfo::default());
        step.commit(&[(WHO, account)].into_iter().collect());
        let found = Some(Account::default());
        assert_eq!(finish(step).accounts, [AccountAccess::read(WHO, found)]);
    }
}
