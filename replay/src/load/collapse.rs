//! From a trace's accesses per transaction to what the state sees.

use super::{AccountLoad, BlockLoad, LoadFault, SlotFault, SlotLoad};
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;
use thinstate_formats::{
    object::{ObjectClass, ObjectKey},
    trace::{BlockTrace, CodeRead, CodeWrite, SlotAccess, SlotAccessKind, TxAccesses},
};

impl BlockLoad {
    /// The net accesses of a block, and a check that each transaction found what the one before left.
    ///
    /// Slots of an account whose storage is wiped in the block hold, after the wipe, what later
    /// transactions wrote; a write by the transaction that wipes comes after the wipe, as in
    /// [`AccountChange`](thinstate_formats::AccountChange). A slot that is not touched until then is found as
    /// zero, whatever the state holds: the transactions see no more.
    pub fn collapse(trace: &BlockTrace) -> Result<Self, LoadFault> {
        let mut state = Collapse::default();
        for group in &trace.accesses {
            state.add(trace, group)?;
        }
        Ok(Self {
            number: trace.number,
            blocks: 1,
            gas_used: trace.gas_used,
            tx_count: u64::from(trace.tx_count),
            keys_lacking: 0,
            state_root: trace.state_root,
            accounts: state.accounts.into_values().collect(),
            slots: state.slots.into_values().collect(),
            code_reads: state.code_reads.into_values().collect(),
            code_writes: state.code_writes.into_values().collect(),
        })
    }
}

#[derive(Default)]
struct Collapse {
    accounts: BTreeMap<Address, AccountLoad>,
    slots: BTreeMap<(Address, U256), SlotLoad>,
    code_reads: BTreeMap<B256, CodeRead>,
    code_writes: BTreeMap<B256, CodeWrite>,
}

impl Collapse {
    fn add(&mut self, trace: &BlockTrace, group: &TxAccesses) -> Result<(), LoadFault> {
        for access in &group.slots {
            self.add_slot(trace, group, access)?;
        }
        for access in &group.accounts {
            let load = AccountLoad {
                address: access.address,
                before: access.before(),
                after: access.after(),
                storage_wiped: access.kind.wipes_storage(),
            };
            self.add_account(trace, group, load)?;
            if load.drops_storage() {
                self.wipe(access.address, group);
            }
        }
        for code in &group.code_reads {
            self.code_reads.entry(code.hash).or_insert(*code);
        }
        for code in &group.code_writes {
            self.code_writes.entry(code.hash).or_insert(*code);
        }
        Ok(())
    }

    fn add_account(
        &mut self,
        trace: &BlockTrace,
        group: &TxAccesses,
        load: AccountLoad,
    ) -> Result<(), LoadFault> {
        match self.accounts.get_mut(&load.address) {
            None => {
                self.accounts.insert(load.address, load);
            }
            Some(known) if known.after != load.before => {
                return Err(LoadFault::AccountGap {
                    number: trace.number,
                    index: group.index.get(),
                    address: load.address,
                });
            }
            Some(known) => known.follow(&load),
        }
        Ok(())
    }

    fn add_slot(
        &mut self,
        trace: &BlockTrace,
        group: &TxAccesses,
        access: &SlotAccess,
    ) -> Result<(), LoadFault> {
        let load = SlotLoad {
            address: access.address,
            slot: access.slot,
            before: access.before(),
            after: access.after(),
            class: access.class,
            object: object_of(access),
        };
        match self.slots.get_mut(&load.key()) {
            None => {
                self.slots.insert(load.key(), load);
            }
            Some(known) => {
                let wiped_first = load.before.is_zero() && wipes(group, load.address);
                if known.after != load.before && !wiped_first {
                    return Err(LoadFault::SlotGap {
                        number: trace.number,
                        index: group.index.get(),
                        slot: Box::new(SlotFault {
                            address: access.address,
                            slot: access.slot,
                            expected: known.after,
                            got: load.before,
                        }),
                    });
                }
                known.follow(&load);
            }
        }
        Ok(())
    }

    /// Empties the storage of an account, but for what the transaction itself writes.
    fn wipe(&mut self, address: Address, group: &TxAccesses) {
        let of_account = (address, U256::ZERO)..=(address, U256::MAX);
        for (_, slot) in self.slots.range_mut(of_account) {
            slot.after = U256::ZERO;
        }
        for access in group.slots.iter().filter(|it| it.address == address) {
            if let SlotAccessKind::Write { after, .. } = access.kind
                && let Some(slot) = self.slots.get_mut(&access.key())
            {
                slot.after = after;
            }
        }
    }
}

/// Whether the transaction drops the storage of the account.
fn wipes(group: &TxAccesses, address: Address) -> bool {
    let mut accounts = group.accounts.iter();
    accounts.any(|it| {
        let gone = it.before().is_some() && it.after().is_none();
        it.address == address && (gone || it.kind.wipes_storage())
    })
}

impl AccountLoad {
    /// Goes on with a later access, which found what this one left.
    pub(crate) fn follow(&mut self, next: &Self) {
        // The account may come back, its storage does not.
        self.storage_wiped |= self.drops_storage() || next.storage_wiped;
        self.after = next.after;
    }
}

impl SlotLoad {
    /// Goes on with a later access, which found what this one left.
    pub(crate) fn follow(&mut self, next: &Self) {
        self.after = next.after;
        if next.object.is_some() && self.object.is_none() {
            (self.class, self.object) = (next.class, next.object);
        }
    }
}

/// Which object lives in the slot, by its class and the keys that it was hashed from. With another number
/// of keys than the class has, or a key that is no address where one is due, it is none that has an
/// [`ObjectKey`].
pub(crate) fn object_of(access: &SlotAccess) -> Option<ObjectKey> {
    let number = |word: B256| U256::from_be_bytes(word.0);
    let keys: Vec<B256> = access.preimages.iter().map(|level| level.key).collect();
    let key = match (access.class, keys.as_slice()) {
        (ObjectClass::Erc20Balance, &[owner]) => ObjectKey::Erc20Balance {
            owner: address_in(owner)?,
        },
        (ObjectClass::Erc721Owner, &[id]) => ObjectKey::Erc721Owner {
            id: number(id).try_into().ok()?,
        },
        (ObjectClass::Erc1155Balance, &[first, second]) => {
            // Contracts nest the two in either order. Where both look like addresses, the id is first,
            // as OpenZeppelin has it.
            let owner_first = is_address(first) && !is_address(second);
            let (owner, id) = match owner_first {
                true => (first, second),
                false => (second, first),
            };
            ObjectKey::Erc1155Balance {
                owner: address_in(owner)?,
                id: number(id),
            }
        }
        (ObjectClass::Cdp, &[owner, id]) => ObjectKey::Cdp {
            owner: address_in(owner)?,
            id: number(id).try_into().ok()?,
        },
        (ObjectClass::Allowance, &[owner, spender]) => ObjectKey::Allowance {
            owner: address_in(owner)?,
            spender: address_in(spender)?,
        },
        _ => return None,
    };
    Some(key)
}

/// The address that a word holds, if it can be one.
pub(crate) fn address_in(word: B256) -> Option<Address> {
    let padding = word.iter().take(12);
    padding
        .copied()
        .all(|byte| byte == 0)
        .then(|| Address::from_word(word))
}

/// Whether a key looks like an address: a word with 12 zero bytes, and too large for an id that was
/// counted up.
fn is_address(word: B256) -> bool {
    (33..=160).contains(&U256::from_be_bytes(word.0).bit_len())
}
