//! Copies of a load, with other users and the same hubs.

use super::{
    census::{Census, Role},
    origin::Origins,
};
use crate::load::{AccountLoad, BlockLoad, LoadFault, SlotLoad, address_in};
use alloy_primitives::{Address, B256, Keccak256, U256};
use thinstate_formats::{
    Account,
    object::{ObjectClass, ObjectKey},
};

/// What the address of a copy is hashed with.
const TAG: &[u8] = b"thinstate/clone";
/// Bits of a token's id below the number of the copy.
const TOKEN_BITS: u32 = 48;

/// Makes copies of loads.
#[derive(Clone, Copy, Debug)]
pub struct Cloner<'a> {
    /// Who is a user.
    pub census: &'a Census,
    /// Where slots come from.
    pub origins: &'a Origins,
}

/// The address that stands for `address` in a copy: the last 20 bytes of
/// `keccak256("thinstate/clone" || copy as u32, big-endian || address)`; itself in copy 0.
pub fn address_of_copy(address: Address, copy: u32) -> Address {
    if copy == 0 {
        return address;
    }
    let mut hasher = Keccak256::new();
    hasher.update(TAG);
    hasher.update(copy.to_be_bytes());
    hasher.update(address);
    Address::from_word(hasher.finalize())
}

/// The id that stands for the ERC-721 id `id` in a copy: `id ^ (copy << 48)`.
pub fn token_of_copy(id: U256, copy: u32) -> U256 {
    id ^ (U256::from(copy) << TOKEN_BITS)
}

impl Cloner<'_> {
    /// `copies` copies in one load: what belongs to users `copies` times, what belongs to hubs once. Two
    /// keys that come to lie on each other are refused.
    pub fn copies(&self, load: BlockLoad, copies: u32) -> Result<BlockLoad, LoadFault> {
        if copies <= 1 {
            return Ok(load);
        }
        let mut whole = BlockLoad {
            blocks: load.blocks * copies,
            gas_used: load.gas_used * u64::from(copies),
            tx_count: load.tx_count * u64::from(copies),
            state_root: None,
            ..load.clone()
        };
        for copy in 1..copies {
            let accounts = load.accounts.iter();
            whole
                .accounts
                .extend(accounts.filter_map(|it| self.account(it, copy)));
            let slots = load.slots.iter();
            whole
                .slots
                .extend(slots.filter_map(|it| self.slot(it, copy)));
        }
        whole.sort();
        whole.check()?;
        Ok(whole)
    }

    /// An account in a copy, `None` where all copies share it.
    pub fn account(&self, account: &AccountLoad, copy: u32) -> Option<AccountLoad> {
        (self.census.role(account.address) == Role::User).then(|| AccountLoad {
            address: address_of_copy(account.address, copy),
            ..*account
        })
    }

    /// A slot in a copy, `None` where all copies share it.
    pub fn slot(&self, slot: &SlotLoad, copy: u32) -> Option<SlotLoad> {
        let of_user = self.census.role(slot.address) == Role::User;
        let address = match of_user {
            true => address_of_copy(slot.address, copy),
            false => slot.address,
        };
        let origin = self.origins.get(&slot.key());
        let moved = origin.map_or(slot.slot, |origin| {
            origin.slot_with(|level, key| self.key(origin.class, level, key, copy))
        });
        if !of_user && moved == slot.slot {
            return None;
        }
        let value = |value| self.value(slot.class, value, copy);
        Some(SlotLoad {
            address,
            slot: moved,
            before: value(slot.before),
            after: value(slot.after),
            class: slot.class,
            object: slot.object.map(|object| self.object(object, copy)),
        })
    }

    /// A mapping's key in a copy. In the mappings of known objects every address that is no hub's is a
    /// user's; in others only one that the trace touches as an account.
    fn key(&self, class: ObjectClass, level: usize, key: B256, copy: u32) -> B256 {
        let known_only = match (class, level) {
            (ObjectClass::Erc721Owner, 0) => {
                return B256::from(token_of_copy(U256::from_be_bytes(key.0), copy));
            }
            (ObjectClass::Erc20Balance | ObjectClass::Cdp, 0)
            | (ObjectClass::Erc1155Balance, 1)
            | (ObjectClass::Allowance, 0 | 1) => false,
            (ObjectClass::Unclassified | ObjectClass::PlainSlot, _) => true,
            _ => return key,
        };
        match address_in(key) {
            Some(address) if self.is_user(address, known_only) => {
                address_of_copy(address, copy).into_word()
            }
            _ => key,
        }
    }

    fn is_user(&self, address: Address, known_only: bool) -> bool {
        match self.census.role(address) {
            Role::User => true,
            Role::Hub => false,
            Role::Unknown => !known_only,
        }
    }

    fn owner(&self, owner: Address, copy: u32) -> Address {
        match self.is_user(owner, false) {
            true => address_of_copy(owner, copy),
            false => owner,
        }
    }

    fn object(&self, object: ObjectKey, copy: u32) -> ObjectKey {
        match object {
            ObjectKey::PlainSlot(_) => object,
            ObjectKey::Erc20Balance { owner } => ObjectKey::Erc20Balance {
                owner: self.owner(owner, copy),
            },
            ObjectKey::Erc721Owner { id } => ObjectKey::Erc721Owner {
                id: id ^ (u64::from(copy) << TOKEN_BITS),
            },
            ObjectKey::Erc1155Balance { owner, id } => ObjectKey::Erc1155Balance {
                owner: self.owner(owner, copy),
                id,
            },
            ObjectKey::Cdp { owner, id } => ObjectKey::Cdp {
                owner: self.owner(owner, copy),
                id,
            },
            ObjectKey::Allowance { owner, spender } => ObjectKey::Allowance {
                owner: self.owner(owner, copy),
                spender: self.owner(spender, copy),
            },
        }
    }

    /// The value of an ERC-721 token's slot is its owner.
    fn value(&self, class: ObjectClass, value: U256, copy: u32) -> U256 {
        if class != ObjectClass::Erc721Owner || value.is_zero() {
            return value;
        }
        match address_in(B256::from(value)) {
            Some(owner) => self.owner(owner, copy).into_word().into(),
            None => value,
        }
    }
}

/// An account that stands in for one that a trace says nothing of, and whose slots it touches: a contract
/// without ether.
pub(super) fn stand_in(address: Address) -> Account {
    Account {
        nonce: 1,
        balance: U256::ZERO,
        code_hash: alloy_primitives::keccak256(address),
    }
}
