//! Proofs of accounts and slots, and their verification without a store.
//!
//! The shape is EIP-1186's (`eth_getProof`): each proof lists the RLP of the trie nodes from the
//! root downwards. A proof of absence ends at the node where the key would have to go on.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount, proof::ProofVerificationError};
use nybbles::Nibbles;
use serde::{Deserialize, Serialize};

/// An account and some of its slots, with proofs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountProof {
    /// The account's address.
    pub address: Address,
    /// Nodes of the account trie, from the root.
    pub account_proof: Vec<Bytes>,
    /// Balance in wei; zero where the account is absent.
    pub balance: U256,
    /// keccak256 of the code; that of no bytes where the account is absent.
    pub code_hash: B256,
    /// Nonce; zero where the account is absent.
    #[serde(with = "quantity")]
    pub nonce: u64,
    /// Root of its storage; that of the empty trie where the account is absent.
    pub storage_hash: B256,
    /// Proofs of slots.
    pub storage_proof: Vec<SlotProof>,
}

/// A slot, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProof {
    /// The slot.
    pub key: U256,
    /// Its value; zero where it is absent.
    pub value: U256,
    /// Nodes of the storage trie, from its root.
    pub proof: Vec<Bytes>,
}

/// A proof does not show what it claims. It is of another state, or was altered: ask for it again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Of an account.
    #[error("proof of account {address} against root {root}: {source}")]
    Account {
        /// The account.
        address: Address,
        /// The state root.
        root: B256,
        /// What the nodes show instead.
        source: Box<ProofVerificationError>,
    },
    /// Of a slot.
    #[error("proof of slot {key} against storage root {root}: {source}")]
    Slot {
        /// The slot.
        key: U256,
        /// The storage root.
        root: B256,
        /// What the nodes show instead.
        source: Box<ProofVerificationError>,
    },
}

impl AccountProof {
    /// Verifies the account and all its slots against a state root.
    pub fn verify(&self, state_root: B256) -> Result<(), ProofError> {
        verify_account(state_root, self)?;
        self.storage_proof
            .iter()
            .try_for_each(|slot| verify_slot(self.storage_hash, slot))
    }

    /// The account that the proof claims; `None` where it claims absence.
    fn claimed(&self) -> Option<TrieAccount> {
        let account = TrieAccount::new(self.nonce, self.balance, self.storage_hash, self.code_hash);
        let absent = self.nonce == 0
            && self.balance.is_zero()
            && self.storage_hash == EMPTY_ROOT_HASH
            && self.code_hash == KECCAK256_EMPTY;
        (!absent).then_some(account)
    }
}

/// Verifies the account of a proof against a state root, its slots not.
///
/// An account that is empty by EIP-161 may be present (before Spurious Dragon) or absent: the
/// claim is the same, and either is accepted.
pub fn verify_account(state_root: B256, proof: &AccountProof) -> Result<(), ProofError> {
    let key = Nibbles::unpack(keccak256(proof.address));
    let verify = |value: Option<Vec<u8>>| {
        alloy_trie::proof::verify_proof(state_root, key, value, &proof.account_proof)
    };
    let claimed = proof.claimed();
    let verified = verify(claimed.map(alloy_rlp::encode));
    let verified = match claimed {
        Some(_) => verified,
        None => verified.or_else(|error| {
            verify(Some(alloy_rlp::encode(TrieAccount::default()))).map_err(|_| error)
        }),
    };
    verified.map_err(|source| ProofError::Account {
        address: proof.address,
        root: state_root,
        source: Box::new(source),
    })
}

/// Verifies a slot against a storage root.
pub fn verify_slot(storage_root: B256, proof: &SlotProof) -> Result<(), ProofError> {
    let key = Nibbles::unpack(keccak256(proof.key.to_be_bytes::<32>()));
    let mut value = Vec::new();
    proof.value.encode(&mut value);
    let value = (!proof.value.is_zero()).then_some(value);
    alloy_trie::proof::verify_proof(storage_root, key, value, &proof.proof).map_err(|source| {
        ProofError::Slot {
            key: proof.key,
            root: storage_root,
            source: Box::new(source),
        }
    })
}

/// A number as JSON-RPC writes quantities: hex without leading zeros.
mod quantity {
    use alloy_primitives::U64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        U64::from(*number).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        U64::deserialize(deserializer).map(|number| number.to())
    }
}
