//! Objects as commands name them, and as answers show them.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use thinstate_engine::{Store, leaf_store::LeafStore};
use thinstate_formats::{
    Commitment,
    object::{Allowed, Object, ObjectClass, ObjectKey},
};

/// What names an object of a contract: its class, and what tells it from others of the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectName {
    /// The class.
    pub class: ObjectClass,
    /// Whose it is: of balances, debt positions and allowances.
    pub owner: Option<Address>,
    /// Which: of ERC-721 tokens, ERC-1155 balances and debt positions.
    pub id: Option<U256>,
    /// Who may spend: of allowances.
    pub spender: Option<Address>,
    /// The number of a plain slot.
    pub slot: Option<U256>,
}

/// A name names no object. The command line is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectNameError {
    /// Something is missing.
    #[error("an object of class {class} needs --{expected}")]
    Missing {
        /// The class.
        class: ObjectClass,
        /// What is missing.
        expected: &'static str,
    },
    /// Something does not belong to the class.
    #[error("an object of class {class} has no --{got}")]
    Superfluous {
        /// The class.
        class: ObjectClass,
        /// What does not belong.
        got: &'static str,
    },
    /// The id is too large for the class.
    #[error(
        "id {got} of class {class} is too large, expected at most {}",
        u64::MAX
    )]
    LargeId {
        /// The class.
        class: ObjectClass,
        /// The id.
        got: U256,
    },
    /// The class is the absence of one.
    #[error("class {0} names no objects")]
    NoClass(ObjectClass),
}

impl ObjectName {
    /// The key that it names.
    pub fn key(&self) -> Result<ObjectKey, ObjectNameError> {
        self.check_superfluous()?;
        match self.class {
            ObjectClass::PlainSlot => Ok(ObjectKey::PlainSlot(self.need("slot", self.slot)?)),
            ObjectClass::Erc20Balance => Ok(ObjectKey::Erc20Balance {
                owner: self.need("owner", self.owner)?,
            }),
            ObjectClass::Erc721Owner => Ok(ObjectKey::Erc721Owner {
                id: self.small_id()?,
            }),
            ObjectClass::Erc1155Balance => Ok(ObjectKey::Erc1155Balance {
                owner: self.need("owner", self.owner)?,
                id: self.need("id", self.id)?,
            }),
            ObjectClass::Cdp => Ok(ObjectKey::Cdp {
                owner: self.need("owner", self.owner)?,
                id: self.small_id()?,
            }),
            ObjectClass::Allowance => Ok(ObjectKey::Allowance {
                owner: self.need("owner", self.owner)?,
                spender: self.need("spender", self.spender)?,
            }),
            ObjectClass::Unclassified => Err(ObjectNameError::NoClass(self.class)),
        }
    }

    fn check_superfluous(&self) -> Result<(), ObjectNameError> {
        let needed: &[&str] = match self.class {
            ObjectClass::Unclassified => &[],
            ObjectClass::PlainSlot => &["slot"],
            ObjectClass::Erc20Balance => &["owner"],
            ObjectClass::Erc721Owner => &["id"],
            ObjectClass::Erc1155Balance | ObjectClass::Cdp => &["owner", "id"],
            ObjectClass::Allowance => &["owner", "spender"],
        };
        let given = [
            ("owner", self.owner.is_some()),
            ("id", self.id.is_some()),
            ("spender", self.spender.is_some()),
            ("slot", self.slot.is_some()),
        ];
        let superfluous = |(name, given): &(&str, bool)| *given && !needed.contains(name);
        match given.into_iter().find(superfluous) {
            None => Ok(()),
            Some((got, _)) => Err(ObjectNameError::Superfluous {
                class: self.class,
                got,
            }),
        }
    }

    fn need<T>(&self, expected: &'static str, got: Option<T>) -> Result<T, ObjectNameError> {
        let class = self.class;
        got.ok_or(ObjectNameError::Missing { class, expected })
    }

    fn small_id(&self) -> Result<u64, ObjectNameError> {
        let (class, got) = (self.class, self.need("id", self.id)?);
        u64::try_from(got).map_err(|_| ObjectNameError::LargeId { class, got })
    }
}

/// An object, as JSON. Amounts are hex quantities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
#[expect(missing_docs, reason = "fields are named as those of objects")]
pub enum ObjectAnswer {
    /// A slot.
    PlainSlot { slot: U256, value: U256 },
    /// A balance of an ERC-20 token.
    Erc20Balance { owner: Address, amount: U256 },
    /// An ERC-721 token.
    Erc721Owner { id: u64, owner: Address },
    /// A balance of one id of an ERC-1155 token.
    Erc1155Balance {
        owner: Address,
        id: U256,
        amount: U256,
    },
    /// A collateralised debt position.
    Cdp {
        owner: Address,
        id: u64,
        collateral: U256,
        debt: U256,
    },
    /// An allowance; `null` for one without limit.
    Allowance {
        owner: Address,
        spender: Address,
        allowed: Option<U256>,
    },
}

impl From<Object> for ObjectAnswer {
    fn from(object: Object) -> Self {
        match object {
            Object::PlainSlot { slot, value } => Self::PlainSlot { slot, value },
            Object::Erc20Balance { owner, amount } => Self::Erc20Balance {
                owner,
                amount: amount.get(),
            },
            Object::Erc721Owner { id, owner } => Self::Erc721Owner { id, owner },
            Object::Erc1155Balance { owner, id, amount } => Self::Erc1155Balance {
                owner,
                id,
                amount: amount.get(),
            },
            Object::Cdp {
                owner,
                id,
                position,
            } => Self::Cdp {
                owner,
                id,
                collateral: U256::from(position.collateral()),
                debt: U256::from(position.debt()),
            },
            Object::Allowance {
                owner,
                spender,
                allowed,
            } => Self::Allowance {
                owner,
                spender,
                allowed: match allowed {
                    Allowed::Unlimited => None,
                    Allowed::Limited(amount) => Some(amount.get()),
                },
            },
        }
    }
}

/// The roots of all tiers after a block, and the hash over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentAnswer {
    /// The hash over all roots.
    pub hash: B256,
    /// The roots.
    #[serde(flatten)]
    pub roots: Commitment,
}

impl From<Commitment> for CommitmentAnswer {
    fn from(roots: Commitment) -> Self {
        Self {
            hash: roots.hash(),
            roots,
        }
    }
}

/// A store was made, and has no block yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store has no block yet, expected at least one")]
pub struct NoBlock;

/// What the head of a store commits to.
pub(super) fn commitment<S: LeafStore>(store: &Store<S>) -> Result<CommitmentAnswer, NoBlock> {
    store.commitment().map(Into::into).ok_or(NoBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_taken_for_that_of_another_object() {
        let owner = Some(Address::repeat_byte(1));
        let name = ObjectName {
            class: ObjectClass::Erc20Balance,
            owner,
            ..ObjectName::default()
        };
        assert!(matches!(name.key(), Ok(ObjectKey::Erc20Balance { .. })));
        let id = Some(U256::MAX);
        let table = [
            (
                ObjectName {
                    owner: None,
                    ..name
                },
                "needs --owner",
            ),
            (ObjectName { id, ..name }, "has no --id"),
            (
                ObjectName {
                    class: ObjectClass::Cdp,
                    id,
                    ..name
                },
                "is too large",
            ),
            (
                ObjectName {
                    class: ObjectClass::Allowance,
                    ..name
                },
                "needs --spender",
            ),
            (
                ObjectName {
                    class: ObjectClass::Erc721Owner,
                    ..name
                },
                "has no --owner",
            ),
        ];
        for (name, expected) in table {
            let error = name.key().expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
