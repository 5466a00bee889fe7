//! What identifies an object within its contract, and where that leads in each tier.

use super::ObjectClass;
use alloy_primitives::{Address, B256, Keccak256, U256};

/// The key of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKey {
    /// A slot, by its number.
    PlainSlot(U256),
    /// A balance of an ERC-20 token.
    Erc20Balance {
        /// Whose.
        owner: Address,
    },
    /// An ERC-721 token. Ids are given out in sequence and never twice.
    Erc721Owner {
        /// Which.
        id: u64,
    },
    /// A balance of one id of an ERC-1155 token.
    Erc1155Balance {
        /// Whose.
        owner: Address,
        /// Of what.
        id: U256,
    },
    /// A collateralised debt position. Ids are given out in sequence and never twice.
    Cdp {
        /// Who opened it.
        owner: Address,
        /// Which.
        id: u64,
    },
    /// An allowance.
    Allowance {
        /// Who allows.
        owner: Address,
        /// Whom.
        spender: Address,
    },
}

impl ObjectKey {
    /// The class of the object.
    pub const fn class(&self) -> ObjectClass {
        match self {
            Self::PlainSlot(_) => ObjectClass::PlainSlot,
            Self::Erc20Balance { .. } => ObjectClass::Erc20Balance,
            Self::Erc721Owner { .. } => ObjectClass::Erc721Owner,
            Self::Erc1155Balance { .. } => ObjectClass::Erc1155Balance,
            Self::Cdp { .. } => ObjectClass::Cdp,
            Self::Allowance { .. } => ObjectClass::Allowance,
        }
    }

    /// The slot of the permanent tier, where the contract declares the mapping at slot `base`:
    ///
    /// ```text
    /// mapping(address owner => uint256)                           ERC-20 balance
    /// mapping(uint256 id => address)                              ERC-721 owner
    /// mapping(uint256 id => mapping(address owner => uint256))    ERC-1155 balance
    /// mapping(address owner => mapping(uint256 id => Position))   CDP
    /// mapping(address owner => mapping(address spender => uint))  allowance
    /// ```
    ///
    /// `Position` is `struct { uint128 debt; uint128 collateral; }`, one slot. A plain slot is where
    /// it is.
    pub fn slot(&self, base: U256) -> U256 {
        match *self {
            Self::PlainSlot(slot) => slot,
            Self::Erc20Balance { owner } => entry(base, owner.into_word()),
            Self::Erc721Owner { id } => entry(base, word(id)),
            Self::Erc1155Balance { owner, id } => {
                entry(entry(base, B256::from(id)), owner.into_word())
            }
            Self::Cdp { owner, id } => entry(entry(base, owner.into_word()), word(id)),
            Self::Allowance { owner, spender } => {
                entry(entry(base, owner.into_word()), spender.into_word())
            }
        }
    }

    /// The key in the temporary tier. What is hashed differs in length from class to class.
    pub fn temporary_key(&self) -> B256 {
        let class = self.class().id();
        let mut key = B256::ZERO;
        key[0] = class;
        match *self {
            Self::PlainSlot(slot) => hashed(class, [&slot.to_be_bytes::<32>()]),
            Self::Erc1155Balance { owner, id } => {
                hashed(class, [owner.as_slice(), &id.to_be_bytes::<32>()])
            }
            Self::Allowance { owner, spender } => {
                hashed(class, [owner.as_slice(), spender.as_slice()])
            }
            Self::Erc20Balance { owner } => {
                key[12..].copy_from_slice(owner.as_slice());
                key
            }
            Self::Erc721Owner { id } => {
                key[24..].copy_from_slice(&id.to_be_bytes());
                key
            }
            Self::Cdp { owner, id } => {
                key[1..21].copy_from_slice(owner.as_slice());
                key[24..].copy_from_slice(&id.to_be_bytes());
                key
            }
        }
    }
}

/// Where Solidity puts the entry of `key` of a mapping at `base`.
fn entry(base: U256, key: B256) -> U256 {
    let mut hasher = Keccak256::new();
    hasher.update(key);
    hasher.update(base.to_be_bytes::<32>());
    hasher.finalize().into()
}

fn word(id: u64) -> B256 {
    B256::from(U256::from(id))
}

fn hashed<const PARTS: usize>(class: u8, parts: [&[u8]; PARTS]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update([class]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{PreimageOrder, SlotPreimage};
    use alloy_primitives::{address, b256, hex, keccak256};

    const OWNER: Address = address!("0x1111111111111111111111111111111111111111");
    const SPENDER: Address = address!("0x2222222222222222222222222222222222222222");

    fn keys() -> [ObjectKey; 6] {
        let id = 0x0102_0304_0506_0708;
        [
            ObjectKey::PlainSlot(U256::from(7)),
            ObjectKey::Erc20Balance { owner: OWNER },
            ObjectKey::Erc721Owner { id },
            ObjectKey::Erc1155Balance {
                owner: OWNER,
                id: U256::from(id),
            },
            ObjectKey::Cdp { owner: OWNER, id },
            ObjectKey::Allowance {
                owner: OWNER,
                spender: SPENDER,
            },
        ]
    }

    fn solidity(base: U256, key: impl Into<B256>) -> U256 {
        let preimage = SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key: key.into(),
            base,
        };
        preimage.hash()
    }

    #[test]
    fn no_slot_lies_elsewhere_than_solidity_puts_it() {
        let base = U256::from(3);
        let id = B256::from(U256::from(0x0102_0304_0506_0708_u64));
        let of_owner = solidity(base, OWNER.into_word());
        let expected = [
            U256::from(7),
            of_owner,
            solidity(base, id),
            solidity(solidity(base, id), OWNER.into_word()),
            solidity(of_owner, id),
            solidity(of_owner, SPENDER.into_word()),
        ];
        assert_eq!(keys().map(|key| key.slot(base)), expected);
        let first = ObjectKey::Erc20Balance {
            owner: Address::ZERO,
        }
        .slot(U256::ZERO);
        let known = b256!("0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5");
        assert_eq!(B256::from(first), known, "keccak256 of 64 zeros");
    }

    #[test]
    fn no_key_of_the_temporary_tier_changes() {
        let (ones, twos) = ("11".repeat(20), "22".repeat(20));
        let id = "0102030405060708";
        let expected = [
            Err(format!("01{:064x}", 7)),
            Ok(format!("0x02{}{ones}", "00".repeat(11))),
            Ok(format!("0x03{}{id}", "00".repeat(23))),
            Err(format!("04{ones}{}{id}", "00".repeat(24))),
            Ok(format!("0x05{ones}000000{id}")),
            Err(format!("06{ones}{twos}")),
        ];
        for (key, expected) in keys().iter().zip(expected) {
            let expected = expected.unwrap_or_else(|message| {
                let message = hex::decode(message).expect("hexadecimal");
                keccak256(message).to_string()
            });
            assert_eq!(key.temporary_key().to_string(), expected, "{key:?}");
        }
    }
}
