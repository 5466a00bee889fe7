//! Keys and values as the stores get them.
//!
//! ```text
//! layout    key of an account      key of a slot                                    values
//! Hashed    keccak(address)        keccak(keccak(address) ‖ keccak(slot))           slim: rlp([nonce, balance, code hash or ""]),
//!           32 bytes               32 bytes                                         number without leading zeros
//! Path      keccak(address)        keccak(address) ‖ keccak(slot)                   Ethereum's: rlp([nonce, balance, root, code hash]),
//!           32 bytes               64 bytes                                         rlp(number)
//! ```
//!
//! Stores that know nothing of accounts take [`Hashed`]: all keys have 32 bytes and are spread evenly. A store
//! that builds Ethereum's own tries takes [`Path`]. Both hash the address and the slot, as Ethereum's trie does,
//! so that no store has neighbours where another has none. Key-value workloads have no accounts; [`plain`] says what
//! becomes of their keys.

pub mod plain;

use alloy_primitives::{B256, KECCAK256_EMPTY, U256, b256};
use alloy_rlp::{Decodable as _, Encodable as _, Header};
use thinstate_formats::{Account, BatchHasher};

/// The root of a trie without entries, keccak256(rlp("")): what stands for the storage root, which the
/// store computes itself, in [`Path`]'s accounts.
pub const EMPTY_ROOT: B256 =
    b256!("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// How accounts and slots become keys and values.
pub trait Layout: Send + Sync + 'static {
    /// A key.
    type Key: Copy + Ord + AsRef<[u8]> + Send + Sync + 'static;

    /// The key of an account, from the hash of its address.
    fn account_key(address: B256) -> Self::Key;

    /// Keys of slots, from the hashes of contract and slot.
    fn slot_keys(slots: &[(B256, B256)], hasher: &BatchHasher) -> Vec<Self::Key>;

    /// An account's value.
    fn encode_account(account: &Account) -> Vec<u8>;

    /// The account, or `None` where the bytes are none.
    fn decode_account(bytes: &[u8]) -> Option<Account>;

    /// The value of a slot that is not zero.
    fn encode_slot(value: U256) -> Vec<u8>;

    /// The slot's value, or `None` where the bytes are none.
    fn decode_slot(bytes: &[u8]) -> Option<U256>;
}

/// All keys are hashes.
#[derive(Clone, Copy, Debug)]
pub struct Hashed;

impl Layout for Hashed {
    type Key = [u8; 32];

    fn account_key(address: B256) -> [u8; 32] {
        address.0
    }

    fn slot_keys(slots: &[(B256, B256)], hasher: &BatchHasher) -> Vec<[u8; 32]> {
        let joined: Vec<[u8; 64]> = slots.iter().map(|(of, slot)| join(*of, *slot)).collect();
        let mut keys = Vec::new();
        hasher.hash_fixed(&joined, &mut keys);
        keys.into_iter().map(|key| key.0).collect()
    }

    fn encode_account(account: &Account) -> Vec<u8> {
        let code_hash = match account.code_hash == KECCAK256_EMPTY {
            true => &[],
            false => account.code_hash.as_slice(),
        };
        list(&[&account.nonce, &account.balance, &code_hash])
    }

    fn decode_account(mut bytes: &[u8]) -> Option<Account> {
        let fields = &mut Header::decode_bytes(&mut bytes, true).ok()?;
        let (nonce, balance) = (u64::decode(fields).ok()?, U256::decode(fields).ok()?);
        let code_hash = match Header::decode_bytes(fields, false).ok()? {
            [] => KECCAK256_EMPTY,
            hash => B256::try_from(hash).ok()?,
        };
        (bytes.is_empty() && fields.is_empty()).then_some(Account {
            nonce,
            balance,
            code_hash,
        })
    }

    fn encode_slot(value: U256) -> Vec<u8> {
        value.to_be_bytes_trimmed_vec()
    }

    fn decode_slot(bytes: &[u8]) -> Option<U256> {
        let canonical = (1..=32).contains(&bytes.len()) && bytes[0] != 0;
        canonical.then(|| U256::from_be_slice(bytes))
    }
}

/// Keys are paths in Ethereum's tries: a slot's begins with its account's.
#[derive(Clone, Copy, Debug)]
pub struct Path;

/// A path: 32 bytes of an account, 64 of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathKey {
    bytes: [u8; 64],
    len: usize,
}

impl AsRef<[u8]> for PathKey {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Ord for PathKey {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_ref().cmp(other.as_ref())
    }
}

impl PartialOrd for PathKey {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Layout for Path {
    type Key = PathKey;

    fn account_key(address: B256) -> PathKey {
        PathKey {
            bytes: join(address, B256::ZERO),
            len: 32,
        }
    }

    fn slot_keys(slots: &[(B256, B256)], _: &BatchHasher) -> Vec<PathKey> {
        let key = |(of, slot): &(B256, B256)| PathKey {
            bytes: join(*of, *slot),
            len: 64,
        };
        slots.iter().map(key).collect()
    }

    fn encode_account(account: &Account) -> Vec<u8> {
        list(&[
            &account.nonce,
            &account.balance,
            &EMPTY_ROOT,
            &account.code_hash,
        ])
    }

    fn decode_account(mut bytes: &[u8]) -> Option<Account> {
        let fields = &mut Header::decode_bytes(&mut bytes, true).ok()?;
        let (nonce, balance) = (u64::decode(fields).ok()?, U256::decode(fields).ok()?);
        B256::decode(fields).ok()?;
        let code_hash = B256::decode(fields).ok()?;
        (bytes.is_empty() && fields.is_empty()).then_some(Account {
            nonce,
            balance,
            code_hash,
        })
    }

    fn encode_slot(value: U256) -> Vec<u8> {
        alloy_rlp::encode(value)
    }

    fn decode_slot(mut bytes: &[u8]) -> Option<U256> {
        let value = U256::decode(&mut bytes).ok()?;
        (bytes.is_empty() && !value.is_zero()).then_some(value)
    }
}

fn join(contract: B256, slot: B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(contract.as_slice());
    key[32..].copy_from_slice(slot.as_slice());
    key
}

/// An RLP list of these.
fn list(fields: &[&dyn alloy_rlp::Encodable]) -> Vec<u8> {
    let payload_length = fields.iter().map(|field| field.length()).sum();
    let header = Header {
        list: true,
        payload_length,
    };
    let mut bytes = Vec::with_capacity(header.length() + payload_length);
    header.encode(&mut bytes);
    fields.iter().for_each(|field| field.encode(&mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    fn come_back<L: Layout>() {
        let plain = Account {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
        };
        let contract = Account {
            nonce: u64::MAX,
            balance: U256::MAX,
            code_hash: B256::repeat_byte(7),
        };
        for account in [plain, contract] {
            let bytes = L::encode_account(&account);
            assert_eq!(L::decode_account(&bytes), Some(account));
            assert_eq!(L::decode_account(&bytes[..bytes.len() - 1]), None);
            assert_eq!(L::decode_account(&[&bytes[..], &[0]].concat()), None);
        }
        for value in [U256::ONE, U256::from(0x80), U256::from(256), U256::MAX] {
            assert_eq!(L::decode_slot(&L::encode_slot(value)), Some(value));
        }
        assert_eq!(L::decode_slot(&[]), None);
    }

    #[test]
    fn values_come_back_as_they_were() {
        come_back::<Hashed>();
        come_back::<Path>();
    }

    #[test]
    fn keys_are_what_is_documented() {
        let (contract, slot) = (keccak256("contract"), keccak256("slot"));
        let hasher = BatchHasher::new();
        let joined = [contract.0, slot.0].concat();
        let [hashed] = Hashed::slot_keys(&[(contract, slot)], &hasher)[..] else {
            panic!("one slot, one key");
        };
        assert_eq!(hashed, keccak256(&joined).0);
        let [path] = Path::slot_keys(&[(contract, slot)], &hasher)[..] else {
            panic!("one slot, one key");
        };
        assert_eq!(path.as_ref(), joined);
        let account = Path::account_key(contract);
        assert_eq!(account.as_ref(), contract.as_slice());
        assert!(account < path, "an account comes before its slots");
    }
}
