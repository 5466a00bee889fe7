//! Where a mapping lies in a contract's storage, and which slots its keys lead to.

use crate::trace::STRUCT_WORDS;
use alloy_primitives::{Address, B256, U256};
use core::fmt;
use serde::{Deserialize, Serialize};
use thinstate_formats::trace::{PreimageOrder, SlotPreimage};

/// How a mapping's keys become slots.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `keccak256(pad32(key) || pad32(base))`, with the hash as the next key's base.
    #[default]
    Solidity,
    /// `keccak256(pad32(base) || pad32(key))`, with the hash as the next key's base.
    Vyper,
    /// Solady's ERC-20: `keccak256(owner || 8 zeros || seed)`, with the spender behind the seed for
    /// an allowance. The base is the seed.
    Solady,
}

/// Solady's seed of balances (`ERC20.sol`, `_BALANCE_SLOT_SEED`).
pub(super) const SOLADY_BALANCE_SEED: u32 = 0x87a2_11a2;

/// Solady's seed of allowances (`ERC20.sol`, `_ALLOWANCE_SLOT_SEED`).
pub(super) const SOLADY_ALLOWANCE_SEED: u32 = 0x7f5e_9f20;

/// A mapping of a contract, or a member of the structs that it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// How keys become slots.
    pub scheme: Scheme,
    /// The slot of the outermost mapping.
    pub base: U256,
    /// For each key, how many words behind its hash the next mapping, or the slot itself, lies: 0
    /// unless structs are involved.
    pub offsets: Vec<u64>,
}

impl Place {
    /// A mapping of `keys` keys without structs.
    pub fn simple(scheme: Scheme, base: U256, keys: usize) -> Self {
        Self {
            scheme,
            base,
            offsets: vec![0; keys],
        }
    }

    /// The place of a slot that these preimages lead to; `None` where they do not.
    pub fn of(slot: U256, preimages: &[SlotPreimage]) -> Option<Self> {
        let first = preimages.first()?;
        let next = preimages.iter().skip(1).map(|level| level.base);
        let offsets = preimages
            .iter()
            .zip(next.chain([slot]))
            .map(|(level, next)| {
                let offset = u64::try_from(next.wrapping_sub(level.hash())).ok()?;
                (offset < STRUCT_WORDS).then_some(offset)
            })
            .collect::<Option<Vec<_>>>()?;
        let scheme = match first.order {
            PreimageOrder::KeyThenBase => Scheme::Solidity,
            PreimageOrder::BaseThenKey => Scheme::Vyper,
        };
        Some(Self {
            scheme,
            base: first.base,
            offsets,
        })
    }

    /// The bytes whose hash, `offsets[0]` words further, leads on from `base` under `key`.
    pub(super) fn message(scheme: Scheme, base: U256, key: B256) -> [u8; 64] {
        let base = B256::from(base);
        let (first, second) = match scheme {
            Scheme::Vyper => (base, key),
            Scheme::Solidity | Scheme::Solady => (key, base),
        };
        let mut message = [0; 64];
        message[..32].copy_from_slice(first.as_slice());
        message[32..].copy_from_slice(second.as_slice());
        message
    }

    /// One level of preimages; `None` for a scheme that hashes something else.
    pub(super) fn preimage(scheme: Scheme, base: U256, key: B256) -> Option<SlotPreimage> {
        let order = match scheme {
            Scheme::Solidity => PreimageOrder::KeyThenBase,
            Scheme::Vyper => PreimageOrder::BaseThenKey,
            Scheme::Solady => return None,
        };
        Some(SlotPreimage { order, key, base })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme,
            base,
            offsets,
        } = self;
        write!(f, "{scheme} mapping at {base:#x}, offsets {offsets:?}")
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Solidity => "solidity",
            Self::Vyper => "vyper",
            Self::Solady => "solady",
        })
    }
}

/// What Solady's ERC-20 hashes for a balance.
pub(super) fn solady_balance(owner: Address) -> [u8; 32] {
    let mut message = [0; 32];
    message[..20].copy_from_slice(owner.as_slice());
    message[28..].copy_from_slice(&SOLADY_BALANCE_SEED.to_be_bytes());
    message
}

/// What Solady's ERC-20 hashes for an allowance.
pub(super) fn solady_allowance(owner: Address, spender: Address) -> [u8; 52] {
    let mut message = [0; 52];
    message[..20].copy_from_slice(owner.as_slice());
    message[28..32].copy_from_slice(&SOLADY_ALLOWANCE_SEED.to_be_bytes());
    message[32..].copy_from_slice(spender.as_slice());
    message
}

/// The address that a key is, if it looks like one: 12 zero bytes, and more than 32 bits.
///
/// Small numbers are ids rather than addresses, and precompiles hold no tokens.
pub(super) fn as_address(key: B256) -> Option<Address> {
    let bits = U256::from_be_bytes(key.0).bit_len();
    (33..=160).contains(&bits).then(|| Address::from_word(key))
}
