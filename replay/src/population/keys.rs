//! Keys and values, drawn from a seed and a number.

use alloy_primitives::{Address, B256, U256};
use thinstate_formats::object::{ObjectClass, ObjectKey};

/// What is drawn: each kind from a seed of its own.
pub(super) const CODE: u64 = 0x636f_6465;
pub(super) const CLASS: u64 = 0x636c_6173;
pub(super) const OWNER: u64 = 0x6f77_6e72;
pub(super) const PLAIN_KEY: u64 = 0x706c_6169;
const ADDRESS: u64 = 0x6164_6472;
pub(super) const CODE_BYTES: u64 = 0x6279_7465;
pub(super) const ACCOUNT: u64 = 0x6163_6374;
pub(super) const VALUE: u64 = 0x7661_6c75;
pub(super) const FORM: u64 = 0x666f_726d;
pub(super) const SLOT_AGE: u64 = 0x736c_6f74;
pub(super) const ACCOUNT_AGE: u64 = 0x6167_6564;

/// A slot of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    /// The number of the contract.
    pub contract: u64,
    /// The number of the slot in it.
    pub local: u64,
}

/// What lies at a slot of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopulationSlot {
    /// The contract.
    pub address: Address,
    /// The slot's key, not hashed.
    pub slot: U256,
    /// What lives in it.
    pub class: ObjectClass,
    /// Which object.
    pub object: Option<ObjectKey>,
    /// Its value at the start; zero if it is not there yet.
    pub value: U256,
}

/// A number drawn from three others (the finaliser of SplitMix64, twice).
pub(super) const fn number(seed: u64, a: u64, b: u64) -> u64 {
    mix(
        mix(seed.wrapping_add(a.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .wrapping_add(b.wrapping_mul(0xd1b5_4a32_d192_ed03)),
    )
}

const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A number from 0 to below 1.
pub(super) fn unit(seed: u64, a: u64, b: u64) -> f64 {
    (number(seed, a, b) >> 11) as f64 / (1u64 << 53) as f64
}

/// 32 bytes.
pub(super) fn word(seed: u64, at: u64) -> B256 {
    let mut word = B256::ZERO;
    for (part, bytes) in word.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&number(seed, at, part as u64 + 1).to_be_bytes());
    }
    word
}

pub(super) fn address(seed: u64, account: u64) -> Address {
    Address::from_word(word(seed ^ ADDRESS, account))
}
