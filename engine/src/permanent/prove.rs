//! Merkle proofs of accounts and slots.

use super::view::View;
use crate::{
    leaf_store::LeafStore,
    trie::{
        change::{Base, Origin, load},
        codec::TrieId,
        error::StateError,
        forest::Forest,
        interior::{Branch, Child},
        node_ref::NodeRef,
        path::Path,
        rlp,
    },
};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use std::sync::Arc;
use thinstate_formats::proof::{AccountProof, SlotProof};

impl<S: LeafStore> View<'_, S> {
    /// A proof of an account and of some of its slots, present or absent, in EIP-1186's shape.
    /// Costs one get for the account and each slot, and one scan of a bucket for each proof.
    pub fn prove(&self, address: Address, slots: &[U256]) -> Result<AccountProof, StateError> {
        let mut proof = self.prove_account(address)?;
        proof.storage_proof = self.prove_in_storage(address, proof.storage_hash, slots)?;
        Ok(proof)
    }

    /// A proof of an account, present or absent.
    pub fn prove_account(&self, address: Address) -> Result<AccountProof, StateError> {
        let hashed = keccak256(address);
        let account = self.trie_account_hashed(hashed)?;
        let top = self.state.accounts.as_ref();
        Ok(AccountProof {
            address,
            account_proof: self.prove_key(&TrieId::Accounts, top, hashed)?,
            balance: account.map_or(U256::ZERO, |a| a.balance),
            code_hash: account.map_or(KECCAK256_EMPTY, |a| a.code_hash),
            nonce: account.map_or(0, |a| a.nonce),
            storage_hash: account.map_or(EMPTY_ROOT_HASH, |a| a.storage_root),
            storage_proof: Vec::new(),
        })
    }

    /// Proofs of slots against the account's storage root, present or absent.
    pub fn prove_slots(
        &self,
        address: Address,
        slots: &[U256],
    ) -> Result<Vec<SlotProof>, StateError> {
        let account = self.trie_account(address)?;
        let root = account.map_or(EMPTY_ROOT_HASH, |a| a.storage_root);
        self.prove_in_storage(address, root, slots)
    }

    fn prove_in_storage(
        &self,
        address: Address,
        root: B256,
        slots: &[U256],
    ) -> Result<Vec<SlotProof>, StateError> {
        let account = keccak256(address);
        let prove = |slot: &U256| self.prove_slot(account, root, *slot);
        slots.iter().map(prove).collect()
    }

    fn prove_slot(&self, account: B256, root: B256, slot: U256) -> Result<SlotProof, StateError> {
        let key = keccak256(slot.to_be_bytes::<32>());
        let top = self.state.storage.get(&account);
        let proof = match root == EMPTY_ROOT_HASH {
            true => Vec::new(),
            false => self.prove_key(&TrieId::Storage(account), top, key)?,
        };
        Ok(SlotProof {
            key: slot,
            value: self.slot_hashed(account, key)?,
            proof,
        })
    }

    /// RLP of the nodes from the root of a trie towards a key.
    fn prove_key(
        &self,
        trie: &TrieId,
        top: Option<&Arc<Branch>>,
        key: B256,
    ) -> Result<Vec<Bytes>, StateError> {
        if self.state.head.stubs > 0 {
            self.refuse_stub(trie, key)?;
        }
        let mut proof = Vec::new();
        let (mut slot_depth, mut prefix) = (0, Some(Path::EMPTY));
        let mut next = top.cloned();
        while let Some(branch) = next.take() {
            prefix = None;
            if !prove_branch(&branch, slot_depth, &key, &mut proof) {
                break;
            }
            let path = Path::leaf(key);
            slot_depth = branch.path().len() + 1;
            match branch.child(path.nibble(slot_depth - 1)) {
                Child::Empty => {}
                Child::Bucket { .. } => prefix = Some(path.prefix(slot_depth)),
                Child::Branch { branch, .. } => next = Some(branch),
            }
        }
        if let Some(prefix) = prefix {
            self.prove_in_bucket(trie, &prefix, &key, &mut proof)?;
        }
        Ok(proof.into_iter().map(Bytes::from).collect())
    }

    fn prove_in_bucket(
        &self,
        trie: &TrieId,
        prefix: &Path,
        key: &B256,
        proof: &mut Vec<Vec<u8>>,
    ) -> Result<(), StateError> {
        let mut forest = Forest::keeping_rlp(&self.shared.hasher);
        let base = Base::Stored;
        let origin = Origin {
            trie,
            prefix,
            base,
            held: &[],
        };
        let entries = load(&self.snapshot, &origin, &[], &mut forest, None)?;
        if !entries.is_empty() {
            let node = forest.plant(trie, entries, prefix.len())?;
            forest.hash();
            forest.prove(node, key, prefix.len() == 0, proof);
        }
        Ok(())
    }
}

/// Appends a branch and the extension before it; whether `key` goes on below the branch.
fn prove_branch(branch: &Branch, slot_depth: usize, key: &B256, proof: &mut Vec<Vec<u8>>) -> bool {
    let path = branch.path();
    let mut node = Vec::new();
    branch.encode(&mut node);
    if path.len() > slot_depth {
        let below = NodeRef::inline(&node).unwrap_or_else(|| NodeRef::hash(keccak256(&node)));
        let mut extension = Vec::new();
        rlp::extension(path, slot_depth, path.len(), &below, &mut extension);
        push_unless_inlined(extension, slot_depth == 0, proof);
        if !Path::leaf(*key).starts_with(path) {
            return false;
        }
        push_unless_inlined(node, false, proof);
    } else {
        push_unless_inlined(node, slot_depth == 0, proof);
    }
    true
}

fn push_unless_inlined(node: Vec<u8>, is_root: bool, proof: &mut Vec<Vec<u8>>) {
    if is_root || node.len() >= 32 {
        proof.push(node);
    }
}
