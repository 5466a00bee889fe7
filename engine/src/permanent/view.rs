//! An immutable view of the permanent state.

use super::{
    head::Head,
    tier::{Shared, State},
};
use crate::{
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    trie::{
        change::account_of,
        codec::{Stub, TrieId, decode_account, decode_slot},
        error::{Need, StateError},
        path::{KEY_NIBBLES, Path},
    },
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use std::sync::Arc;
use thinstate_formats::{Account, StateReader};

/// The state after one block, for as long as the view lives, whatever is committed meanwhile.
/// Shared between threads.
///
/// Costs: an account, slot or code is one get. Where the state holds stubs, what is not found
/// costs one scan step more in its own trie, for a slot also a look at its account.
pub struct View<'a, S: LeafStore> {
    pub(crate) shared: &'a Shared<S>,
    pub(crate) snapshot: S::Snapshot<'a>,
    pub(crate) state: Arc<State>,
}

impl<S: LeafStore> View<'_, S> {
    /// The block and root that the view shows.
    pub fn head(&self) -> &Head {
        &self.state.head
    }

    /// The account with its storage root.
    pub fn trie_account(&self, address: Address) -> Result<Option<TrieAccount>, StateError> {
        self.trie_account_hashed(keccak256(address))
    }

    /// The account whose address has this keccak256.
    pub fn trie_account_hashed(&self, account: B256) -> Result<Option<TrieAccount>, StateError> {
        let trie = TrieId::Accounts;
        let Some(leaf) = self.leaf(&trie, account)? else {
            return Ok(None);
        };
        let decoded = decode_account(&leaf);
        decoded
            .map(Some)
            .ok_or_else(|| bad_leaf(&trie, account, "an account leaf", &leaf))
    }

    /// The value of the slot whose number has this keccak256, zero where there is none.
    pub fn slot_hashed(&self, account: B256, slot: B256) -> Result<U256, StateError> {
        let trie = TrieId::Storage(account);
        if let Some(leaf) = self
            .snapshot
            .get(Table::Storage, &trie.key(&Path::leaf(slot)))?
        {
            let value = decode_slot(&leaf);
            return value.ok_or_else(|| bad_leaf(&trie, slot, "a slot value", &leaf));
        }
        if self.state.head.stubs > 0 {
            // No leaf is no answer yet: the account or the slot may lie under a stub.
            let account = self.trie_account_hashed(account)?;
            if account.is_some_and(|a| a.storage_root != EMPTY_ROOT_HASH) {
                self.refuse_stub(&trie, slot)?;
            }
        }
        Ok(U256::ZERO)
    }

    /// A leaf as it is stored. An error where it lies under a stub.
    fn leaf(&self, trie: &TrieId, key: B256) -> Result<Option<Vec<u8>>, StateError> {
        let leaf = self
            .snapshot
            .get(trie.table(), &trie.key(&Path::leaf(key)))?;
        if leaf.is_none() && self.state.head.stubs > 0 {
            self.refuse_stub(trie, key)?;
        }
        Ok(leaf)
    }

    /// An error if `key` lies under a stub.
    pub(crate) fn refuse_stub(&self, trie: &TrieId, key: B256) -> Result<(), StateError> {
        let path = Path::leaf(key);
        let mut at = trie.key(&path);
        at.push(u8::MAX);
        let (from, _) = trie.range(&Path::EMPTY);
        let Some((found, value)) = self.snapshot.last_at_or_before(trie.table(), &at, &from)?
        else {
            return Ok(());
        };
        match (trie.path(&found), Stub::decode(&value)) {
            (Ok(stub), Some(Stub { hash, .. }))
                if stub.len() < KEY_NIBBLES && path.starts_with(&stub) =>
            {
                Err(StateError::missing(*trie, &stub, hash, Need::Read))
            }
            _ => Ok(()),
        }
    }
}

impl<S: LeafStore> StateReader for View<'_, S> {
    type Error = StateError;

    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self
            .trie_account(address)?
            .map(|account| account_of(&account)))
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.slot_hashed(keccak256(address), keccak256(slot.to_be_bytes::<32>()))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, StateError> {
        let code = self.snapshot.get(Table::Code, code_hash.as_slice())?;
        Ok(code.map(Bytes::from))
    }
}

impl<S: LeafStore> core::fmt::Debug for View<'_, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("View")
            .field("head", self.head())
            .finish_non_exhaustive()
    }
}

fn bad_leaf(trie: &TrieId, key: B256, expected: &'static str, leaf: &[u8]) -> StateError {
    StateError::Store(StoreError::BadEntry {
        table: trie.table(),
        key: hex::encode(trie.key(&Path::leaf(key))),
        expected,
        got: hex::encode_prefixed(leaf),
    })
}
