//! Keys and values alone, as the comparison of key-value workloads has them: keys are hashes already, values have 32 bytes.
//!
//! ```text
//! layout    key                                         value              beside them
//! Hashed    the key itself, 32 bytes                    32 bytes           nothing
//! Path      keccak([`CONTRACT`]) ‖ keccak(key)          rlp(number)        the account of the contract
//! ```
//!
//! In [`Path`] they are the slots of one contract, as in thinstate's permanent tier: a slot's number is the key, and its place in
//! Ethereum's trie is keccak of that. Such a store pays for one hash more for each key than the others.

use super::{Hashed, Layout, Path, PathKey, join};
use alloy_primitives::{Address, B256, address, keccak256};
use thinstate_formats::{Account, BatchHasher};

/// The contract whose slots hold the values of a key-value workload in Ethereum's tries.
pub const CONTRACT: Address = address!("c0ffee0000000000000000000000000000000001");

/// That contract's account.
pub fn contract() -> Account {
    Account {
        nonce: 1,
        code_hash: B256::repeat_byte(0xc0),
        ..Account::default()
    }
}

/// How keys and values of a key-value workload become a store's.
pub trait Plain: Layout {
    /// Whether keys are hashed on their way to the store: time that is the store's then.
    const HASHES_KEYS: bool;

    /// The store's keys, in the order of these.
    fn keys(keys: &[B256], hasher: &BatchHasher) -> Vec<Self::Key>;

    /// A value, not zero.
    fn encode(value: B256) -> Vec<u8>;

    /// The value, or `None` where the bytes are none.
    fn decode(bytes: &[u8]) -> Option<B256>;

    /// What has to be there beside the keys.
    fn beside() -> Option<(Self::Key, Vec<u8>)>;
}

impl Plain for Hashed {
    const HASHES_KEYS: bool = false;

    fn keys(keys: &[B256], _: &BatchHasher) -> Vec<[u8; 32]> {
        keys.iter().map(|key| key.0).collect()
    }

    fn encode(value: B256) -> Vec<u8> {
        value.to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<B256> {
        B256::try_from(bytes).ok()
    }

    fn beside() -> Option<([u8; 32], Vec<u8>)> {
        None
    }
}

impl Plain for Path {
    const HASHES_KEYS: bool = true;

    fn keys(keys: &[B256], hasher: &BatchHasher) -> Vec<PathKey> {
        let contract = keccak256(CONTRACT);
        let mut slots = Vec::new();
        hasher.hash_fixed::<32, _>(keys, &mut slots);
        let key = |slot| PathKey {
            bytes: join(contract, slot),
            len: 64,
        };
        slots.into_iter().map(key).collect()
    }

    fn encode(value: B256) -> Vec<u8> {
        Self::encode_slot(value.into())
    }

    fn decode(bytes: &[u8]) -> Option<B256> {
        Self::decode_slot(bytes).map(B256::from)
    }

    fn beside() -> Option<(PathKey, Vec<u8>)> {
        let key = Self::account_key(keccak256(CONTRACT));
        Some((key, Self::encode_account(&contract())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come_back<L: Plain>() {
        for value in [B256::with_last_byte(1), B256::repeat_byte(0xff)] {
            assert_eq!(L::decode(&L::encode(value)), Some(value));
        }
        assert_eq!(L::decode(&[]), None);
    }

    #[test]
    fn values_come_back_as_they_were() {
        come_back::<Hashed>();
        come_back::<Path>();
    }

    #[test]
    fn keys_are_what_is_documented() {
        let (key, hasher) = (keccak256("key"), BatchHasher::new());
        assert_eq!(Hashed::keys(&[key], &hasher), [key.0]);
        let [path] = Path::keys(&[key], &hasher)[..] else {
            panic!("one key, one key");
        };
        let expected = [keccak256(CONTRACT).0, keccak256(key).0].concat();
        assert_eq!(path.as_ref(), expected);
        let (account, _) = Path::beside().expect("there is an account");
        assert!(account < path, "the account comes before its slots");
    }
}
