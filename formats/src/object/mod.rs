//! Objects: what lives in a tier, how it is written down, and what it may do.
//!
//! An object belongs to a contract, has a class, a key that identifies it there, and a value. Its
//! class says how it is laid out in each tier, what happens when a sealed version is resurrected,
//! and which tiers it can live in:
//!
//! | class | key | value | tiers | resurrected |
//! |---|---|---|---|---|
//! | plain slot | slot | word | permanent, temporary | never: lapses |
//! | ERC-20 balance | owner | amount | all | added |
//! | ERC-721 owner | id (u64) | owner | all | if there is no live one |
//! | ERC-1155 balance | owner, id (u256) | amount | all | added |
//! | CDP | owner, id (u64) | collateral, debt | all | if there is no live one |
//! | allowance | owner, spender | amount, or unlimited | permanent, temporary | never: lapses |
//!
//! Amounts are below 2^248, a position's collateral below 2^120, its debt below 2^128: what is not
//! needed for values is where the words of a tier say other things. The limits hold in every tier,
//! so that no call works in one and fails in another.
//!
//! # In the permanent tier
//!
//! Where Solidity puts a mapping's entry, [`ObjectKey::slot`]: `keccak256(pad32(key) ||
//! pad32(base))`, in a mapping of mappings once more with the hash as the base. The value is the word
//! below; a slot of zero is absent.
//!
//! # In the temporary tier
//!
//! [`ObjectKey::temporary_key`] is 32 bytes, and the entry lies at `keccak256(contract || key)`:
//!
//! ```text
//! ERC-20 balance    2 | 11 zeros | owner 20
//! ERC-721 owner     3 | 23 zeros | id u64 big-endian
//! CDP               5 | owner 20 | 3 zeros | id u64 big-endian
//! plain slot        keccak256(1 | slot 32)
//! ERC-1155 balance  keccak256(4 | owner 20 | id 32)
//! allowance         keccak256(6 | owner 20 | spender 20)
//! ```
//!
//! The word of a value ([`ObjectValue`]), big-endian:
//!
//! ```text
//! amount            0 | amount 31
//! owner             12 zeros | owner 20
//! position          0 | collateral 15 | debt 16
//! allowance         0 | amount 31, or 32 bytes 0xff: unlimited
//! plain slot        the word as it is
//! nothing           1 | 31 zeros
//! absent            32 zeros
//! ```
//!
//! *Nothing* ([`NOTHING`]) is written where storing zero would not hide what the period before has
//! ([`ZeroRule::NoTombstone`](crate::temporary::ZeroRule)): read, it is the same as absent; sealed, it
//! is a leaf that cannot be resurrected. A plain slot has no word to spare for it, and goes by the
//! tier's own rule.
//!
//! # As a record
//!
//! Class and owner have fields of their own in a record; the payload, at most
//! [`MAX_PAYLOAD_BYTES`], holds the rest. `short` is a length (one byte) and that many bytes, `rest`
//! all bytes that are left; both are big-endian without leading zeros, zero has none.
//!
//! ```text
//! ERC-20 balance    amount rest
//! ERC-721 owner     id rest
//! ERC-1155 balance  id short | amount rest
//! CDP               id short | collateral short | debt rest
//! allowance         spender 20 | amount rest, or 32 bytes 0xff       (in encodings alone)
//! plain slot        slot short | value rest                          (in encodings alone)
//! ```
//!
//! # Alone
//!
//! [`ContractObject::encode`] writes `class u8 | contract | owner 20 | payload`, a plain slot without
//! owner. The contract is a varint: 0 and then 20 bytes, or the number of its entry in a
//! [`ContractDictionary`], from 1.
//!
//! One object has one encoding and anything else is an error with its offset: leading zeros, numbers
//! above their limits, long varints, an address in full that the dictionary has, and an object that
//! is nothing (a balance of zero). The last field takes all bytes that are left, so what follows an
//! object is read as a part of it, and another object, if any.

mod amount;
mod class;
mod compact;
mod cursor;
mod dictionary;
mod error;
mod key;
mod layout;
mod merge;
mod payload;
mod position;
mod tier;
mod value;
mod varint;

#[cfg(test)]
mod tests;

pub use amount::{Amount, AmountTooLarge};
pub use class::{MergeRule, ObjectClass};
pub use compact::ContractObject;
pub use dictionary::{ContractDictionary, DictionaryError};
pub use error::{DecodeError, NoEncoding};
pub use key::ObjectKey;
pub use layout::Object;
pub use merge::MergeError;
pub use payload::{MAX_PAYLOAD_BYTES, RecordObject};
pub use position::{CollateralTooLarge, Position};
pub use tier::Tier;
pub use value::{Allowed, NOTHING, ObjectValue, Stored, WordError};
