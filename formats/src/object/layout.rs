//! Objects: a key and a value that belong together.

use super::{Allowed, Amount, ObjectClass, ObjectKey, ObjectValue, Position, Stored, WordError};
use alloy_primitives::{Address, B256, U256};

/// An object of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// A slot.
    PlainSlot {
        /// Its number.
        slot: U256,
        /// What it holds.
        value: U256,
    },
    /// A balance of an ERC-20 token.
    Erc20Balance {
        /// Whose.
        owner: Address,
        /// How much.
        amount: Amount,
    },
    /// An ERC-721 token.
    Erc721Owner {
        /// Which.
        id: u64,
        /// Whose.
        owner: Address,
    },
    /// A balance of one id of an ERC-1155 token.
    Erc1155Balance {
        /// Whose.
        owner: Address,
        /// Of what.
        id: U256,
        /// How much.
        amount: Amount,
    },
    /// A collateralised debt position.
    Cdp {
        /// Whose.
        owner: Address,
        /// Which.
        id: u64,
        /// What it holds.
        position: Position,
    },
    /// An allowance.
    Allowance {
        /// Who allows.
        owner: Address,
        /// Whom.
        spender: Address,
        /// How much.
        allowed: Allowed,
    },
}

impl Object {
    /// What identifies it.
    pub const fn key(&self) -> ObjectKey {
        match *self {
            Self::PlainSlot { slot, .. } => ObjectKey::PlainSlot(slot),
            Self::Erc20Balance { owner, .. } => ObjectKey::Erc20Balance { owner },
            Self::Erc721Owner { id, .. } => ObjectKey::Erc721Owner { id },
            Self::Erc1155Balance { owner, id, .. } => ObjectKey::Erc1155Balance { owner, id },
            Self::Cdp { owner, id, .. } => ObjectKey::Cdp { owner, id },
            Self::Allowance { owner, spender, .. } => ObjectKey::Allowance { owner, spender },
        }
    }

    /// Its class.
    pub const fn class(&self) -> ObjectClass {
        self.key().class()
    }

    /// The word of its value; zero where the object is nothing.
    pub fn word(&self) -> B256 {
        match *self {
            Self::PlainSlot { value, .. } => value.to_word(),
            Self::Erc20Balance { amount, .. } | Self::Erc1155Balance { amount, .. } => {
                amount.to_word()
            }
            Self::Erc721Owner { owner, .. } => owner.to_word(),
            Self::Cdp { position, .. } => position.to_word(),
            Self::Allowance { allowed, .. } => allowed.to_word(),
        }
    }

    /// Whether it is nothing: a balance of zero, a token that nobody owns. It has no encoding.
    pub fn is_nothing(&self) -> bool {
        self.word().is_zero()
    }

    /// Whose it is, where somebody's.
    pub const fn owner(&self) -> Option<Address> {
        match *self {
            Self::PlainSlot { .. } => None,
            Self::Erc20Balance { owner, .. }
            | Self::Erc721Owner { owner, .. }
            | Self::Erc1155Balance { owner, .. }
            | Self::Cdp { owner, .. }
            | Self::Allowance { owner, .. } => Some(owner),
        }
    }

    /// The object that the entry of `key` with this word is, `None` where it says that there is
    /// none. A plain slot may hold any word.
    pub fn from_word(key: ObjectKey, word: B256) -> Result<Option<Self>, WordError> {
        let object = match key {
            ObjectKey::PlainSlot(slot) => (!word.is_zero()).then(|| Self::PlainSlot {
                slot,
                value: word.into(),
            }),
            ObjectKey::Erc20Balance { owner } => {
                stored(word)?.map(|amount| Self::Erc20Balance { owner, amount })
            }
            ObjectKey::Erc721Owner { id } => {
                stored(word)?.map(|owner| Self::Erc721Owner { id, owner })
            }
            ObjectKey::Erc1155Balance { owner, id } => {
                stored(word)?.map(|amount| Self::Erc1155Balance { owner, id, amount })
            }
            ObjectKey::Cdp { owner, id } => stored(word)?.map(|position| Self::Cdp {
                owner,
                id,
                position,
            }),
            ObjectKey::Allowance { owner, spender } => {
                stored(word)?.map(|allowed| Self::Allowance {
                    owner,
                    spender,
                    allowed,
                })
            }
        };
        Ok(object)
    }
}

fn stored<V: ObjectValue>(word: B256) -> Result<Option<V>, WordError> {
    Stored::from_word(word).map(Stored::value)
}
