//! The accesses of one slot of time.

use super::LoadFault;
use crate::design::codes::stand_in;
use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, StateChanges,
    object::{ObjectClass, ObjectKey},
    trace::{CodeRead, CodeWrite},
};

/// Net accesses of one block, or of several that were merged into one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockLoad {
    /// The block's number, as the store will have it.
    pub number: BlockNumber,
    /// Blocks of the source that went into it: 1 without amplification.
    pub blocks: u32,
    /// Gas that they used.
    pub gas_used: u64,
    /// Their transactions.
    pub tx_count: u64,
    /// Keys that copies of the blocks were to touch besides, and that the population they are drawn over does not
    /// have. Zero unless a generator makes copies over a state that is too small for them.
    pub keys_lacking: u64,
    /// The state root after the block, where the source knows it and the state is the source's.
    pub state_root: Option<B256>,
    /// Accounts, by ascending address.
    pub accounts: Vec<AccountLoad>,
    /// Slots, by ascending address and slot.
    pub slots: Vec<SlotLoad>,
    /// Code that was loaded, by ascending hash.
    pub code_reads: Vec<CodeRead>,
    /// Code that was deployed, by ascending hash.
    pub code_writes: Vec<CodeWrite>,
}

/// What happens to an account in a slot of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLoad {
    /// Which.
    pub address: Address,
    /// As it is found, `None` where there is none.
    pub before: Option<Account>,
    /// As it is left; the same where it is only read.
    pub after: Option<Account>,
    /// Whether the storage that it had goes.
    pub storage_wiped: bool,
}

/// What happens to a slot in a slot of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLoad {
    /// The contract.
    pub address: Address,
    /// The slot's key, not hashed.
    pub slot: U256,
    /// As it is found; zero is absence.
    pub before: U256,
    /// As it is left; the same where it is only read.
    pub after: U256,
    /// What lives in it.
    pub class: ObjectClass,
    /// Which object, where the class has a key and it is known. A slot without one stays in the
    /// permanent tier under every policy.
    pub object: Option<ObjectKey>,
}

impl AccountLoad {
    /// Whether the account's own fields change, or its storage goes.
    pub fn is_written(&self) -> bool {
        self.before != self.after || self.storage_wiped
    }

    /// Whether the storage from before goes: it is wiped, or the account goes and takes it along.
    pub fn drops_storage(&self) -> bool {
        self.storage_wiped || (self.before.is_some() && self.after.is_none())
    }
}

impl SlotLoad {
    /// Whether the value changes.
    pub fn is_written(&self) -> bool {
        self.before != self.after
    }

    /// What orders slots in a load.
    pub const fn key(&self) -> (Address, U256) {
        (self.address, self.slot)
    }
}

impl BlockLoad {
    /// Brings accesses into order. Keys that stand twice stay so, for [`Self::check`] to refuse.
    pub fn sort(&mut self) {
        self.accounts.sort_unstable_by_key(|it| it.address);
        self.slots.sort_unstable_by_key(SlotLoad::key);
        self.code_reads.sort_unstable_by_key(|it| it.hash);
        self.code_writes.sort_unstable_by_key(|it| it.hash);
    }

    /// Checks order and uniqueness.
    pub fn check(&self) -> Result<(), LoadFault> {
        let number = self.number;
        let fault = |what: &'static str, at: usize| LoadFault::Order { number, what, at };
        if let Some(at) = unordered(&self.accounts, |it| it.address) {
            return Err(fault("accounts", at));
        }
        if let Some(at) = unordered(&self.slots, SlotLoad::key) {
            return Err(fault("slots", at));
        }
        if let Some(at) = unordered(&self.code_reads, |it| it.hash) {
            return Err(fault("code reads", at));
        }
        if let Some(at) = unordered(&self.code_writes, |it| it.hash) {
            return Err(fault("code writes", at));
        }
        Ok(())
    }

    /// Slots that are written.
    pub fn slots_written(&self) -> impl Iterator<Item = &SlotLoad> {
        self.slots.iter().filter(|it| it.is_written())
    }

    /// Accounts that are written.
    pub fn accounts_written(&self) -> impl Iterator<Item = &AccountLoad> {
        self.accounts.iter().filter(|it| it.is_written())
    }

    /// The access of an account.
    pub fn account(&self, address: Address) -> Option<&AccountLoad> {
        let at = self
            .accounts
            .binary_search_by_key(&address, |it| it.address);
        at.ok().map(|at| &self.accounts[at])
    }

    /// The slots of an account.
    pub fn slots_of(&self, address: Address) -> &[SlotLoad] {
        let from = self.slots.partition_point(|it| it.address < address);
        let count = self.slots[from..].partition_point(|it| it.address == address);
        &self.slots[from..from + count]
    }

    /// The changes of the permanent state if all slots for which `keep` holds live there. Of code that is deployed
    /// traces know hash and length: [`stand_in`] bytes are stored under the hash.
    pub fn changes(&self, keep: impl Fn(&SlotLoad) -> bool) -> StateChanges {
        let mut changes = StateChanges::default();
        for account in self.accounts_written() {
            let update = match account.after {
                Some(after) if account.before != Some(after) => AccountUpdate::Set(after),
                Some(_) => AccountUpdate::Keep,
                None => AccountUpdate::Delete,
            };
            changes.accounts.insert(
                account.address,
                AccountChange {
                    account: update,
                    wipe_storage: account.storage_wiped,
                    ..AccountChange::default()
                },
            );
        }
        for slot in self.slots.iter().filter(|it| keep(it)) {
            let change = changes.accounts.get(&slot.address);
            // What a wiped slot holds afterwards was written anew, be it the value from before.
            let anew = !slot.after.is_zero() && change.is_some_and(|it| it.wipe_storage);
            if !slot.is_written() && !anew {
                continue;
            }
            let change = changes.accounts.entry(slot.address).or_default();
            if change.account != AccountUpdate::Delete {
                change.storage.insert(slot.slot, slot.after);
            }
        }
        for CodeWrite { hash, length } in &self.code_writes {
            changes.code.insert(*hash, stand_in(*hash, *length));
        }
        changes
    }
}

/// The first place at which keys do not ascend.
fn unordered<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Option<usize> {
    let pairs = items.iter().zip(items.iter().skip(1));
    pairs
        .enumerate()
        .find_map(|(at, (a, b))| (key(a) >= key(b)).then_some(at + 1))
}
