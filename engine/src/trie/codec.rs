//! Leaves and stubs as they lie in the leaf store.
//!
//! ```text
//! table     key                                        value
//! accounts  keccak(address) 32                         account leaf
//! accounts  path 32 | nibbles u8                       stub
//! storage   keccak(address) 32 | keccak(slot) 32       slot leaf
//! storage   keccak(address) 32 | path 32 | nibbles u8  stub
//!
//! account leaf   flags u8 | balance length u8 | nonce 0-8 | balance 0-32 | storage root 0/32 | code hash 0/32
//!                | last written 0-8
//!                flags: bit 0 storage root present, bit 1 code hash present, bits 2-5 nonce length
//! slot leaf      value length u8 | value 1-32 | last written 0-8
//! stub           kind u8 (0 unknown, 1 branch) | hash 32
//! ```
//!
//! A path is packed nibbles, zero past its end, so that a stub sorts where the leaves under it
//! would be. Numbers are big-endian without leading zeros; the root of an empty trie and the hash
//! of empty code are left out. One value has one encoding: everything else is refused.
//!
//! *Last written* is the number of the block that last changed the entry (EIP-8188), 0 where that
//! is not known. It takes whatever is left of the leaf, so that it costs no length: 4 bytes in an
//! account of today's mainnet, with the length of the value 5 in a slot. A leaf without it, the
//! part that the trie hashes, is called *undated* here; [`date`] adds the block.

use super::{
    path::{KEY_NIBBLES, Path},
    rlp,
};
use crate::leaf_store::{StoreError, Table};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256, hex};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use thinstate_formats::BlockNumber;

/// Bytes of a stub's key in a storage trie.
const KEY_BYTES_MAX: usize = 65;
/// Bytes that [`date`] adds at most.
const DATE_BYTES_MAX: usize = 8;

/// Which trie of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TrieId {
    /// The account trie.
    Accounts,
    /// The storage trie of the account with this hashed address.
    Storage(B256),
}

impl TrieId {
    pub(crate) const fn table(&self) -> Table {
        match self {
            Self::Accounts => Table::Accounts,
            Self::Storage(_) => Table::Storage,
        }
    }

    /// The hashed address whose storage this is.
    pub(crate) const fn account(&self) -> Option<B256> {
        match self {
            Self::Accounts => None,
            Self::Storage(account) => Some(*account),
        }
    }

    /// The store's key of the entry at `path`.
    pub(crate) fn key(&self, path: &Path) -> Vec<u8> {
        let mut key = Vec::with_capacity(KEY_BYTES_MAX);
        self.append_key(path, &mut key);
        key
    }

    /// Appends the store's key of the entry at `path`.
    pub(crate) fn append_key(&self, path: &Path, key: &mut Vec<u8>) {
        self.extend_with_prefix(key);
        key.extend_from_slice(path.bytes().as_slice());
        if path.len() < KEY_NIBBLES {
            key.push(path.len() as u8);
        }
    }

    /// The range of the store's keys under `prefix`: from, and the first key behind.
    pub(crate) fn range(&self, prefix: &Path) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut from = Vec::with_capacity(64);
        self.extend_with_prefix(&mut from);
        from.extend_from_slice(&prefix.bytes()[..prefix.len().div_ceil(2)]);
        let to = match (prefix.upper_bound(), self) {
            (Some(bound), _) => {
                let mut to = Vec::with_capacity(64);
                self.extend_with_prefix(&mut to);
                // No longer than it must be: a store whose parts begin at such bounds then knows where it is.
                let zeros = bound.iter().rev().take_while(|byte| **byte == 0).count();
                to.extend_from_slice(&bound[..32 - zeros]);
                Some(to)
            }
            (None, Self::Accounts) => None,
            (None, Self::Storage(account)) => {
                Path::leaf(*account).upper_bound().map(|b| b.to_vec())
            }
        };
        (from, to)
    }

    /// The path of the entry with this key, which is known to lie in this trie's range.
    #[inline]
    pub(crate) fn path(&self, key: &[u8]) -> Result<Path, String> {
        let path = match self {
            Self::Accounts => key,
            Self::Storage(_) => key.get(32..).unwrap_or_default(),
        };
        let invalid = || format!("{} bytes", key.len());
        let (bytes, len) = match path.len() {
            32 => (path, KEY_NIBBLES),
            33 if usize::from(path[32]) < KEY_NIBBLES => (&path[..32], usize::from(path[32])),
            _ => return Err(invalid()),
        };
        Path::from_packed(B256::from_slice(bytes), len).ok_or_else(invalid)
    }

    /// The path of a stored entry of this trie; an error that names the key where it has none.
    #[inline]
    pub(crate) fn stored_path(&self, key: &[u8]) -> Result<Path, StoreError> {
        self.path(key).map_err(|got| StoreError::BadEntry {
            table: self.table(),
            key: hex::encode(key),
            expected: "a key of a leaf, or of a stub with its length",
            got,
        })
    }

    fn extend_with_prefix(&self, key: &mut Vec<u8>) {
        if let Self::Storage(account) = self {
            key.extend_from_slice(account.as_slice());
        }
    }
}

/// What stands in for a subtree whose contents are not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stub {
    /// keccak256 of the subtree's root node.
    pub(crate) hash: B256,
    /// Whether that node is known to be a branch, as it must be under an extension.
    pub(crate) is_branch: bool,
}

impl Stub {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut value = vec![u8::from(self.is_branch)];
        value.extend_from_slice(self.hash.as_slice());
        value
    }

    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        match value {
            [kind @ (0 | 1), hash @ ..] if hash.len() == 32 => Some(Self {
                hash: B256::from_slice(hash),
                is_branch: *kind == 1,
            }),
            _ => None,
        }
    }
}

/// Big-endian bytes without leading zeros.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    &bytes[zeros..]
}

/// What a leaf holds, and the block that last changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dated<T> {
    pub(crate) value: T,
    /// 0 where it is not known.
    pub(crate) last_written: BlockNumber,
}

impl<T> Dated<T> {
    pub(crate) fn into_value(self) -> T {
        self.value
    }
}

/// A copy of an undated leaf, with room for its date.
pub(crate) fn copy_to_date(leaf: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(leaf.len() + DATE_BYTES_MAX);
    copy.extend_from_slice(leaf);
    copy
}

/// Adds to an undated leaf the block that writes it.
pub(crate) fn date(leaf: &mut Vec<u8>, block: BlockNumber) {
    leaf.extend_from_slice(trimmed(&block.0.to_be_bytes()));
}

/// Parts a leaf of `trie` into its undated part and the block that last wrote it. Of the first no
/// more is checked than its length.
#[inline]
pub(crate) fn undate<'l>(trie: &TrieId, leaf: &'l [u8]) -> Option<Dated<&'l [u8]>> {
    let len = match trie {
        TrieId::Accounts => account_len(leaf)?,
        TrieId::Storage(_) => 1 + usize::from(*leaf.first()?),
    };
    let (value, block) = leaf.split_at_checked(len)?;
    let canonical = block.len() <= 8 && block.first() != Some(&0);
    canonical.then(|| Dated {
        value,
        last_written: BlockNumber(number(block)),
    })
}

/// The number of at most 8 big-endian bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// The undated slot leaf of a value; `None` for zero, which has none.
pub(crate) fn encode_slot(value: U256) -> Option<Vec<u8>> {
    let mut leaf = Vec::with_capacity(1 + value.byte_len());
    append_slot(value, &mut leaf);
    (!value.is_zero()).then_some(leaf)
}

/// Appends the undated slot leaf of a value that is not zero.
pub(crate) fn append_slot(value: U256, leaf: &mut Vec<u8>) {
    let bytes = value.to_be_bytes::<32>();
    let digits = trimmed(&bytes);
    leaf.push(digits.len() as u8);
    leaf.extend_from_slice(digits);
}

/// The value of a slot leaf.
pub(crate) fn decode_slot(leaf: &[u8]) -> Option<Dated<U256>> {
    let dated = undate(&TrieId::Storage(B256::ZERO), leaf)?;
    let value = slot_value(dated.value)?;
    Some(Dated {
        value: U256::from_be_slice(value),
        last_written: dated.last_written,
    })
}

/// The value's bytes in an undated slot leaf.
fn slot_value(leaf: &[u8]) -> Option<&[u8]> {
    let (_, value) = leaf.split_first()?;
    let canonical = value.first().is_some_and(|b| *b != 0) && value.len() <= 32;
    canonical.then_some(value)
}

const STORAGE_ROOT: u8 = 1;
const CODE_HASH: u8 = 2;
const NONCE_SHIFT: u8 = 2;

/// The undated account leaf of an account.
pub(crate) fn encode_account(account: &TrieAccount) -> Vec<u8> {
    let nonce_be = account.nonce.to_be_bytes();
    let balance_be = account.balance.to_be_bytes::<32>();
    let (nonce, balance) = (trimmed(&nonce_be), trimmed(&balance_be));
    let mut leaf = Vec::with_capacity(2 + nonce.len() + balance.len() + 2 * 32 + DATE_BYTES_MAX);
    leaf.extend_from_slice(&[(nonce.len() as u8) << NONCE_SHIFT, balance.len() as u8]);
    leaf.extend_from_slice(nonce);
    leaf.extend_from_slice(balance);
    if account.storage_root != EMPTY_ROOT_HASH {
        leaf[0] |= STORAGE_ROOT;
        leaf.extend_from_slice(account.storage_root.as_slice());
    }
    if account.code_hash != KECCAK256_EMPTY {
        leaf[0] |= CODE_HASH;
        leaf.extend_from_slice(account.code_hash.as_slice());
    }
    leaf
}

/// Length of the undated part of an account leaf.
#[inline]
fn account_len(leaf: &[u8]) -> Option<usize> {
    let &[flags, balance_len] = leaf.first_chunk::<2>()?;
    let (nonce_len, balance_len) = (usize::from(flags >> NONCE_SHIFT), usize::from(balance_len));
    if nonce_len > 8 || balance_len > 32 {
        return None;
    }
    let hashes = usize::from(flags & STORAGE_ROOT) + usize::from((flags & CODE_HASH) >> 1);
    Some(2 + nonce_len + balance_len + 32 * hashes)
}

/// The fields of an account leaf as it holds them.
struct AccountFields<'l> {
    nonce: &'l [u8],
    balance: &'l [u8],
    storage_root: B256,
    code_hash: B256,
}

/// The fields of an undated account leaf; `None` where its encoding is not the only one.
#[inline]
fn account_fields(undated: &[u8]) -> Option<AccountFields<'_>> {
    let (&[flags, balance_len], rest) = undated.split_first_chunk::<2>()?;
    let (nonce, rest) = rest.split_at_checked(usize::from(flags >> NONCE_SHIFT))?;
    let (balance, rest) = rest.split_at_checked(usize::from(balance_len))?;
    let (storage_root, rest) = optional_hash(flags & STORAGE_ROOT != 0, EMPTY_ROOT_HASH, rest)?;
    let (code_hash, rest) = optional_hash(flags & CODE_HASH != 0, KECCAK256_EMPTY, rest)?;
    let canonical = rest.is_empty() && nonce.first() != Some(&0) && balance.first() != Some(&0);
    canonical.then_some(AccountFields {
        nonce,
        balance,
        storage_root,
        code_hash,
    })
}

/// The account of an account leaf.
pub(crate) fn decode_account(leaf: &[u8]) -> Option<Dated<TrieAccount>> {
    let dated = undate(&TrieId::Accounts, leaf)?;
    let fields = account_fields(dated.value)?;
    Some(Dated {
        value: TrieAccount::new(
            number(fields.nonce),
            U256::from_be_slice(fields.balance),
            fields.storage_root,
            fields.code_hash,
        ),
        last_written: dated.last_written,
    })
}

/// Appends the RLP of an account straight from its leaf, whose numbers are as short as RLP's.
#[inline]
fn account_rlp(fields: &AccountFields<'_>, out: &mut Vec<u8>) {
    let numbers = rlp::string_len(fields.nonce) + rlp::string_len(fields.balance);
    rlp::list_header(numbers + 2 * rlp::HASH_LEN, out);
    rlp::string(fields.nonce, out);
    rlp::string(fields.balance, out);
    rlp::string(fields.storage_root.as_slice(), out);
    rlp::string(fields.code_hash.as_slice(), out);
}

/// A hash that is left out where it is `default`; `default` written out is refused.
#[inline]
fn optional_hash(present: bool, default: B256, rest: &[u8]) -> Option<(B256, &[u8])> {
    if !present {
        return Some((default, rest));
    }
    let (hash, rest) = rest.split_at_checked(32)?;
    let hash = B256::from_slice(hash);
    (hash != default).then_some((hash, rest))
}

/// Appends what the trie hashes for a leaf of `trie`: the RLP of the account or of the value.
#[inline]
pub(crate) fn leaf_rlp(trie: &TrieId, leaf: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match trie {
        TrieId::Accounts => account_rlp(&account_fields(undate(trie, leaf)?.value)?, out),
        TrieId::Storage(_) => rlp::string(slot_value(undate(trie, leaf)?.value)?, out),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_block() -> impl Strategy<Value = BlockNumber> {
        (any::<u64>(), 0u32..=64)
            .prop_map(|(n, shift)| BlockNumber(n.checked_shr(shift).unwrap_or(0)))
    }

    fn any_account() -> impl Strategy<Value = TrieAccount> {
        let hash = |default| prop_oneof![Just(default), any::<[u8; 32]>().prop_map(B256::from)];
        let balance = (any::<[u8; 32]>(), 0usize..=256)
            .prop_map(|(b, shift)| U256::from_be_bytes(b) >> shift);
        (
            any::<u64>(),
            0u32..64,
            balance,
            hash(EMPTY_ROOT_HASH),
            hash(KECCAK256_EMPTY),
        )
            .prop_map(|(n, shift, b, root, code)| TrieAccount::new(n >> shift, b, root, code))
    }

    fn dated(mut leaf: Vec<u8>, block: BlockNumber) -> Vec<u8> {
        date(&mut leaf, block);
        leaf
    }

    fn rlp_of(trie: TrieId, leaf: &[u8]) -> Option<Vec<u8>> {
        let mut rlp = Vec::new();
        leaf_rlp(&trie, leaf, &mut rlp).map(|()| rlp)
    }

    proptest! {
        #[test]
        fn no_account_is_changed_by_its_encoding(value in any_account(), last_written in any_block()) {
            let leaf = dated(encode_account(&value), last_written);
            prop_assert_eq!(decode_account(&leaf), Some(Dated { value, last_written }));
        }

        #[test]
        fn no_rlp_differs_from_alloys(account in any_account(), value in any::<[u8; 32]>(), shift in 0usize..256) {
            let rlp = rlp_of(TrieId::Accounts, &encode_account(&account));
            prop_assert_eq!(rlp, Some(alloy_rlp::encode(account)));
            let value = U256::from_be_bytes(value) >> shift;
            if let Some(leaf) = encode_slot(value) {
                let rlp = rlp_of(TrieId::Storage(B256::ZERO), &leaf);
                prop_assert_eq!(rlp, Some(alloy_rlp::encode(value)));
            }
        }

        #[test]
        fn no_account_has_a_second_encoding(
            flags in 0u8..48,
            balance_len in 0u8..40,
            rest in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let bytes = [vec![flags, balance_len], rest].concat();
            if let Some(account) = decode_account(&bytes) {
                prop_assert_eq!(dated(encode_account(&account.value), account.last_written), bytes);
            }
        }

        #[test]
        fn no_cut_account_is_accepted_and_none_with_more_than_a_block_behind_it(account in any_account()) {
            let leaf = encode_account(&account);
            for end in 0..leaf.len() {
                prop_assert_eq!(decode_account(&leaf[..end]), None);
            }
            prop_assert_eq!(decode_account(&[&leaf[..], &[0]].concat()), None);
            prop_assert_eq!(decode_account(&[&leaf[..], &[0, 1]].concat()), None);
            prop_assert_eq!(decode_account(&[&leaf[..], &[1; 9]].concat()), None);
        }

        #[test]
        fn no_slot_has_a_second_encoding(len in 0u8..40, rest in prop::collection::vec(any::<u8>(), 0..44)) {
            let bytes = [vec![len], rest].concat();
            if let Some(slot) = decode_slot(&bytes) {
                let undated = encode_slot(slot.value).expect("not zero");
                prop_assert_eq!(dated(undated, slot.last_written), bytes);
            }
        }

        #[test]
        fn no_slot_is_changed_by_its_encoding(bytes in any::<[u8; 32]>(), shift in 0usize..256, last_written in any_block()) {
            let value = U256::from_be_bytes(bytes) >> shift;
            if let Some(leaf) = encode_slot(value) {
                prop_assert_eq!(decode_slot(&dated(leaf, last_written)), Some(Dated { value, last_written }));
            }
        }

        #[test]
        fn no_block_of_a_write_is_ever_hashed(account in any_account(), value in 1u64.., block in any_block()) {
            let storage = TrieId::Storage(B256::ZERO);
            let slot = encode_slot(U256::from(value)).expect("not zero");
            for (trie, leaf) in [(TrieId::Accounts, encode_account(&account)), (storage, slot)] {
                let later = dated(leaf.clone(), block);
                prop_assert!(rlp_of(trie, &leaf).is_some());
                prop_assert_eq!(rlp_of(trie, &later), rlp_of(trie, &leaf));
                let parted = undate(&trie, &later).expect("a leaf");
                prop_assert_eq!((parted.value, parted.last_written), (leaf.as_slice(), block));
            }
        }
    }
}
