//! LtHash: one sum that commits to a set, without a tree.
//!
//! The accumulator of TIP-1078, a commitment to a flat state. Each element is expanded to 1,024 numbers of
//! 16 bits, which are added to the accumulator's or subtracted from them, each for itself, modulo 2^16.
//! Additions commute, so an update costs the elements that change, whatever the size of the set, and can be
//! spread over threads. Nothing is proven by it to anybody who does not hold the set.
//!
//! ```text
//! accumulator      1,024 lanes, u16 little-endian                        2,048 bytes; of the empty set, zeros
//! expansion        BLAKE3-XOF of the element, 2,048 bytes
//! checksum         BLAKE3-256 of the accumulator
//! account element  0x00 | keccak(address) 32 | nonce u64 BE | balance 32 BE | code hash 32      (105 bytes)
//! slot element     0x01 | keccak(address) 32 | keccak(slot) 32 | value 32 BE                     (97 bytes)
//! ```
//!
//! An account that is absent and a slot that is zero are no elements.
//!
//! *It is a set of what the caller says.* Nothing here knows whether an element that is subtracted was ever
//! added: who updates has to know the value from before.
//!
//! | operation | compressions of BLAKE3 |
//! |---|---|
//! | expand an element | [`EXPANSION_COMPRESSIONS`]: 1 for its first 64 bytes, 32 for the output |
//! | checksum | [`CHECKSUM_COMPRESSIONS`]: 16 for each of 2 chunks, 1 for their parent |
//!
//! ```
//! use thinstate_formats::{LtHash, lthash::slot_element};
//! use alloy_primitives::{B256, U256};
//!
//! let slot = |value| slot_element(B256::ZERO, B256::ZERO, U256::from(value));
//! let mut set = LtHash::default();
//! set.add(&slot(1));
//! let first = set.clone();
//! set.subtract(&slot(1));
//! set.add(&slot(2));
//! assert_ne!(set.checksum(), first.checksum());
//! ```

use crate::Account;
use alloy_primitives::{B256, U256};
use core::fmt;

/// Lanes of an accumulator.
pub const LANES: usize = 1024;
/// Bytes of an accumulator.
pub const ACCUMULATOR_BYTES: usize = 2 * LANES;
/// Compressions of BLAKE3 for the expansion of an element of either kind.
pub const EXPANSION_COMPRESSIONS: u64 = 1 + (ACCUMULATOR_BYTES / 64) as u64;
/// Compressions of BLAKE3 for a checksum.
pub const CHECKSUM_COMPRESSIONS: u64 = 2 * 16 + 1;

const ACCOUNT: u8 = 0;
const SLOT: u8 = 1;
/// Bytes of an account's element.
pub const ACCOUNT_ELEMENT_BYTES: usize = 1 + 32 + 8 + 32 + 32;
/// Bytes of a slot's element.
pub const SLOT_ELEMENT_BYTES: usize = 1 + 32 + 32 + 32;
const _: () = assert!(ACCOUNT_ELEMENT_BYTES == 105 && SLOT_ELEMENT_BYTES == 97);

/// The sum of a set. Cheap to make, 2 KiB to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash {
    lanes: Box<[u16; LANES]>,
}

impl Default for LtHash {
    /// The sum of the empty set.
    fn default() -> Self {
        Self {
            lanes: Box::new([0; LANES]),
        }
    }
}

impl LtHash {
    /// Adds an element.
    pub fn add(&mut self, element: &[u8]) {
        self.each(&expand(element), u16::wrapping_add);
    }

    /// Subtracts an element, which must be in the set.
    pub fn subtract(&mut self, element: &[u8]) {
        self.each(&expand(element), u16::wrapping_sub);
    }

    /// Adds what another accumulator has summed up.
    pub fn combine(&mut self, other: &Self) {
        for (lane, add) in self.lanes.iter_mut().zip(other.lanes.iter()) {
            *lane = lane.wrapping_add(*add);
        }
    }

    /// The accumulator of these bytes. Any are one.
    pub fn from_bytes(bytes: &[u8; ACCUMULATOR_BYTES]) -> Self {
        let mut sum = Self::default();
        sum.each(bytes, |_, lane| lane);
        sum
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; ACCUMULATOR_BYTES] {
        let mut bytes = [0; ACCUMULATOR_BYTES];
        for (to, lane) in bytes.chunks_exact_mut(2).zip(self.lanes.iter()) {
            to.copy_from_slice(&lane.to_le_bytes());
        }
        bytes
    }

    /// What stands in a header.
    pub fn checksum(&self) -> B256 {
        B256::from(*blake3::hash(&self.to_bytes()).as_bytes())
    }

    fn each(&mut self, bytes: &[u8; ACCUMULATOR_BYTES], with: impl Fn(u16, u16) -> u16) {
        for (lane, of) in self.lanes.iter_mut().zip(bytes.chunks_exact(2)) {
            *lane = with(*lane, u16::from_le_bytes([of[0], of[1]]));
        }
    }
}

impl fmt::Debug for LtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LtHash").field(&self.checksum()).finish()
    }
}

fn expand(element: &[u8]) -> [u8; ACCUMULATOR_BYTES] {
    let mut bytes = [0; ACCUMULATOR_BYTES];
    let mut hasher = blake3::Hasher::new();
    hasher.update(element);
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// The element of an account, by the keccak256 of its address.
pub fn account_element(address_hash: B256, account: &Account) -> [u8; ACCOUNT_ELEMENT_BYTES] {
    let mut element = [ACCOUNT; ACCOUNT_ELEMENT_BYTES];
    element[1..33].copy_from_slice(address_hash.as_slice());
    element[33..41].copy_from_slice(&account.nonce.to_be_bytes());
    element[41..73].copy_from_slice(&account.balance.to_be_bytes::<32>());
    element[73..].copy_from_slice(account.code_hash.as_slice());
    element
}

/// The element of a slot, by the keccak256 of its account's address and of its number. The value must not
/// be zero.
pub fn slot_element(address_hash: B256, slot_hash: B256, value: U256) -> [u8; SLOT_ELEMENT_BYTES] {
    let mut element = [SLOT; SLOT_ELEMENT_BYTES];
    element[1..33].copy_from_slice(address_hash.as_slice());
    element[33..65].copy_from_slice(slot_hash.as_slice());
    element[65..].copy_from_slice(&value.to_be_bytes::<32>());
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, b256, keccak256};
    use proptest::prelude::*;

    fn account() -> Account {
        Account {
            nonce: 7,
            balance: U256::from(1_000_000_000u64),
            ..Account::default()
        }
    }

    #[test]
    fn elements_lie_as_the_tip_has_them() {
        let hash = keccak256(Address::repeat_byte(0x11));
        let element = account_element(hash, &account());
        assert_eq!(element.len(), 105);
        assert_eq!(element[0], 0);
        assert_eq!(&element[1..33], hash.as_slice());
        assert_eq!(&element[33..41], [0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(
            &element[41..73],
            U256::from(1_000_000_000u64).to_be_bytes::<32>()
        );
        assert_eq!(&element[73..], alloy_primitives::KECCAK256_EMPTY.as_slice());
        let slot = keccak256(U256::from(3).to_be_bytes::<32>());
        let element = slot_element(hash, slot, U256::MAX);
        assert_eq!(element.len(), 97);
        assert_eq!(element[0], 1);
        assert_eq!(&element[33..65], slot.as_slice());
        assert_eq!(&element[65..], [0xff; 32]);
    }

    /// Computed again by hand: lane by lane, with the one-shot functions of BLAKE3.
    #[test]
    fn sums_are_lane_wise_and_little_endian() {
        let elements: [&[u8]; 3] = [b"one", b"two", b"three"];
        let mut sum = LtHash::default();
        elements.iter().for_each(|element| sum.add(element));
        let mut by_hand = [0u32; LANES];
        for element in elements {
            let mut reader = blake3::Hasher::new().update(element).finalize_xof();
            for lane in &mut by_hand {
                let mut two = [0; 2];
                reader.fill(&mut two);
                *lane += u32::from(two[0]) + 256 * u32::from(two[1]);
            }
        }
        let bytes = sum.to_bytes();
        for (lane, two) in by_hand.iter().zip(bytes.chunks_exact(2)) {
            assert_eq!(lane % 65_536, u32::from(two[0]) + 256 * u32::from(two[1]));
        }
        assert_eq!(LtHash::from_bytes(&bytes), sum);
    }

    /// What a store has on disk must be what the next version computes. The second checksum is that of an
    /// implementation in Python with a BLAKE3 and a keccak256 of its own.
    #[test]
    fn checksums_are_pinned() {
        let zeros = *blake3::hash(&[0; 2048]).as_bytes();
        assert_eq!(LtHash::default().checksum(), B256::from(zeros));
        let mut sum = LtHash::default();
        sum.add(&account_element(keccak256(Address::ZERO), &account()));
        sum.add(&slot_element(B256::ZERO, B256::ZERO, U256::ONE));
        assert_eq!(
            sum.checksum(),
            b256!("a11aaf725d0feaafd6d9d139da100173c229db8dd1ff76ada8a2188e4a134be8")
        );
    }

    proptest! {
        #[test]
        fn a_sum_depends_on_the_set_alone(
            elements in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..12),
            gone in prop::collection::vec(any::<[u8; 97]>(), 0..6),
            at in 0usize..12,
        ) {
            let mut in_order = LtHash::default();
            elements.iter().for_each(|element| in_order.add(element));
            let (left, right) = elements.split_at(at.min(elements.len()));
            let (mut sum, mut other) = (LtHash::default(), LtHash::default());
            gone.iter().for_each(|element| sum.add(element));
            right.iter().rev().for_each(|element| sum.add(element));
            left.iter().for_each(|element| other.add(element));
            gone.iter().rev().for_each(|element| other.subtract(element));
            sum.combine(&other);
            prop_assert_eq!(sum, in_order);
        }
    }
}
