//! Accounts and slots as they lie in the leaf store, and what the store knows of itself.
//!
//! ```text
//! table     key                                       value
//! accounts  keccak(address) 32                        nonce length u8 | nonce 0-8 | code hash 0/32 | balance 0-32
//!                                                     bit 7 of the length: there is a code hash
//! storage   keccak(address) 32 | keccak(slot) 32      value 1-32
//! undo      block u64 BE                              a reverse diff, see the module `undo`
//! meta      "lthash"                                  magic "tslthash" | version u32 LE | head
//! meta      "lthash-fill"                             while it is filled: of what 32 | the head so far, without a block |
//!                                                     the last account 0/32
//!
//! head      block present u8 | number u64 | accounts u64 | slots u64 | accumulator 2,048
//!           | BLAKE3-256 of magic, version and all this                  (little-endian, 2,105 bytes)
//! ```
//!
//! Numbers in values are big-endian without leading zeros; the hash of empty code is left out, and a slot
//! that is zero is not there. Keys are what elements are made of, so that the store alone can tell
//! what its accumulator has to be.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use thinstate_formats::{
    Account, BlockNumber, LtHash,
    lthash::{ACCUMULATOR_BYTES, account_element, slot_element},
};

/// Key of the head in table `meta`.
pub(super) const HEAD_KEY: &[u8] = b"lthash";
/// Key of what has been filled so far in table `meta`.
pub(super) const FILL_KEY: &[u8] = b"lthash-fill";
const MAGIC: &[u8; 8] = b"tslthash";
const VERSION: u32 = 1;
const HEAD_LEN: usize = 8 + 4 + 1 + 3 * 8 + ACCUMULATOR_BYTES + 32;
const _: () = assert!(HEAD_LEN == 12 + 2105);
/// Set in the first byte of an account with code.
const HAS_CODE: u8 = 0x80;

/// The last state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The block; `None` in a new store.
    pub(super) block: Option<BlockNumber>,
    /// Accounts held.
    pub(super) accounts: u64,
    /// Slots held.
    pub(super) slots: u64,
    /// The sum of all elements.
    pub(super) sum: LtHash,
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.push(u8::from(self.block.is_some()));
        let number = self.block.unwrap_or_default().0;
        for count in [number, self.accounts, self.slots] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes.extend_from_slice(&self.sum.to_bytes());
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    /// `None` where the bytes are no head of this version, or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<32>()?;
        let head = body
            .strip_prefix(MAGIC)?
            .strip_prefix(&VERSION.to_le_bytes())?;
        if bytes.len() != HEAD_LEN || blake3::hash(body) != *checksum {
            return None;
        }
        let (present, head) = head.split_first()?;
        let (number, head) = head.split_first_chunk()?;
        let (accounts, head) = head.split_first_chunk()?;
        let (slots, sum) = head.split_first_chunk()?;
        let number = BlockNumber(u64::from_le_bytes(*number));
        Some(Self {
            block: match present {
                0 => None,
                1 => Some(number),
                _ => return None,
            },
            accounts: u64::from_le_bytes(*accounts),
            slots: u64::from_le_bytes(*slots),
            sum: LtHash::from_bytes(sum.try_into().ok()?),
        })
    }
}

/// How far a fill has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filling {
    /// What is filled in.
    pub(super) source: B256,
    /// The last account that is in, with all of its slots.
    pub(super) last: Option<B256>,
    /// What is in, of no block yet.
    pub(super) done: Head,
}

impl Filling {
    pub(super) fn encode(&self) -> Vec<u8> {
        let last = self.last.as_ref().map_or(&[][..], |last| last.as_slice());
        [self.source.as_slice(), &self.done.encode(), last].concat()
    }

    /// `None` where the bytes are something else, or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (source, rest) = bytes.split_first_chunk()?;
        let (done, last) = rest.split_at_checked(HEAD_LEN)?;
        Some(Self {
            source: B256::from(*source),
            last: match last.len() {
                0 => None,
                _ => Some(B256::try_from(last).ok()?),
            },
            done: Head::decode(done)?,
        })
    }
}

/// Big-endian bytes without leading zeros.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

pub(super) fn encode_account(account: &Account) -> Vec<u8> {
    let nonce = account.nonce.to_be_bytes();
    let nonce = trimmed(&nonce);
    let balance = account.balance.to_be_bytes::<32>();
    let has_code = account.code_hash != KECCAK256_EMPTY;
    let mut bytes = vec![nonce.len() as u8 | if has_code { HAS_CODE } else { 0 }];
    bytes.extend_from_slice(nonce);
    if has_code {
        bytes.extend_from_slice(account.code_hash.as_slice());
    }
    bytes.extend_from_slice(trimmed(&balance));
    bytes
}

pub(super) fn decode_account(bytes: &[u8]) -> Option<Account> {
    let (first, rest) = bytes.split_first()?;
    let (nonce, rest) = rest.split_at_checked(usize::from(first & !HAS_CODE))?;
    let (code_hash, balance) = match first & HAS_CODE {
        0 => (KECCAK256_EMPTY, rest),
        _ => {
            let (hash, rest) = rest.split_first_chunk::<32>()?;
            (B256::from(*hash), rest)
        }
    };
    if first & HAS_CODE != 0 && code_hash == KECCAK256_EMPTY {
        return None;
    }
    Some(Account {
        nonce: number(nonce)?.try_into().ok()?,
        balance: number(balance)?,
        code_hash,
    })
}

pub(super) fn encode_slot(value: U256) -> Vec<u8> {
    trimmed(&value.to_be_bytes::<32>()).to_vec()
}

pub(super) fn decode_slot(bytes: &[u8]) -> Option<U256> {
    number(bytes).filter(|value| !value.is_zero())
}

/// A number of at most 32 bytes; `None` where there are more, or leading zeros.
fn number(bytes: &[u8]) -> Option<U256> {
    let canonical = bytes.len() <= 32 && bytes.first() != Some(&0);
    canonical.then(|| U256::from_be_slice(bytes))
}

/// The store's key of a slot.
pub(super) fn slot_key(contract: B256, slot: B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(contract.as_slice());
    key[32..].copy_from_slice(slot.as_slice());
    key
}

/// An entry of the store as an element of the set: account where the key has 32 bytes, slot where it has
/// 64. `None` where it is neither.
pub(super) fn element(key: &[u8], value: &[u8]) -> Option<Element> {
    match (key.len(), key.split_first_chunk::<32>()?) {
        (32, (address, _)) => {
            let account = decode_account(value)?;
            Some(Element::Account(account_element(address.into(), &account)))
        }
        (64, (address, slot)) => {
            let value = decode_slot(value)?;
            let slot = B256::from_slice(slot);
            Some(Element::Slot(slot_element(address.into(), slot, value)))
        }
        _ => None,
    }
}

/// What is added to the sum, or subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// An account's.
    Account([u8; thinstate_formats::lthash::ACCOUNT_ELEMENT_BYTES]),
    /// A slot's.
    Slot([u8; thinstate_formats::lthash::SLOT_ELEMENT_BYTES]),
}

impl AsRef<[u8]> for Element {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Account(bytes) => bytes,
            Self::Slot(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn accounts_come_back_as_they_were(
            nonce in any::<u64>(),
            shift in 0u32..64,
            balance in any::<[u8; 32]>(),
            zeros in 0usize..=32,
            has_code in any::<bool>(),
        ) {
            let code_hash = if has_code { B256::repeat_byte(7) } else { KECCAK256_EMPTY };
            let account = Account {
                nonce: nonce >> shift,
                balance: U256::from_be_slice(&balance[zeros..]),
                code_hash,
            };
            prop_assert_eq!(decode_account(&encode_account(&account)), Some(account));
            let slot = account.balance | U256::ONE;
            prop_assert_eq!(decode_slot(&encode_slot(slot)), Some(slot));
        }

        #[test]
        fn what_decodes_has_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..75)) {
            if let Some(account) = decode_account(&bytes) {
                prop_assert_eq!(encode_account(&account), bytes.clone());
            }
            if let Some(value) = decode_slot(&bytes) {
                prop_assert_eq!(encode_slot(value), bytes);
            }
        }
    }

    #[test]
    fn no_flipped_bit_of_the_head_goes_unseen() {
        let mut head = Head {
            block: Some(BlockNumber(7)),
            accounts: 3,
            slots: 4,
            ..Head::default()
        };
        head.sum.add(b"something");
        let bytes = head.encode();
        assert_eq!(bytes.len(), HEAD_LEN);
        assert_eq!(Head::decode(&bytes), Some(head));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&flipped), None, "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
