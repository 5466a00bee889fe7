//! An immutable view of the permanent state.

use super::{
    head::Head,
    tier::{Shared, State},
};
use crate::{
    archive::expired::Covering,
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    trie::{
        change::account_of,
        codec::{Dated, Stub, TrieId, decode_account, decode_slot},
        error::{Need, StateError},
        path::{KEY_NIBBLES, Path},
    },
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use std::sync::Arc;
use thinstate_formats::{Account, BlockNumber, StateReader};

/// The state after one block, for as long as the view lives, whatever is committed meanwhile.
/// Shared between threads.
///
/// Costs: an account, slot or code is one get. Where the state holds stubs, what is not found
/// costs one scan step more in its own trie, for a slot also a look at its account. Where the
/// archive answers for a stub, a read of it and the hashes of the subtree come on top.
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
        Ok(self.account_leaf(account)?.map(|(dated, _)| dated.value))
    }

    /// The value of the slot whose number has this keccak256, zero where there is none.
    pub fn slot_hashed(&self, account: B256, slot: B256) -> Result<U256, StateError> {
        let dated = self.slot_leaf(account, slot)?;
        Ok(dated.map_or(U256::ZERO, |dated| dated.value))
    }

    /// The block that last wrote the account or one of its slots (EIP-8188), `None` where there is
    /// no account. 0 is the genesis block, and stands for every block before a witness that
    /// brought the account.
    pub fn last_written(&self, address: Address) -> Result<Option<BlockNumber>, StateError> {
        let leaf = self.account_leaf(keccak256(address))?;
        Ok(leaf.map(|(dated, _)| dated.last_written))
    }

    /// The block that last wrote the slot, `None` where the slot is zero.
    pub fn last_written_slot(
        &self,
        address: Address,
        slot: U256,
    ) -> Result<Option<BlockNumber>, StateError> {
        let slot = keccak256(slot.to_be_bytes::<32>());
        let leaf = self.slot_leaf(keccak256(address), slot)?;
        Ok(leaf.map(|dated| dated.last_written))
    }

    /// An account's leaf, and whether it is live or came from the archive.
    fn account_leaf(&self, key: B256) -> Result<Option<(Dated<TrieAccount>, Source)>, StateError> {
        let trie = TrieId::Accounts;
        let Some((leaf, source)) = self.leaf(&trie, key)? else {
            return Ok(None);
        };
        let decoded = decode_account(&leaf);
        decoded
            .map(|dated| Some((dated, source)))
            .ok_or_else(|| bad_leaf(&trie, key, "an account leaf", &leaf))
    }

    fn slot_leaf(&self, account: B256, slot: B256) -> Result<Option<Dated<U256>>, StateError> {
        let trie = TrieId::Storage(account);
        let key = trie.key(&Path::leaf(slot));
        let leaf = match self.snapshot.get(Table::Storage, &key)? {
            None if self.state.head.stubs > 0 => self.expired_slot(&trie, account, slot)?,
            leaf => leaf,
        };
        let Some(leaf) = leaf else { return Ok(None) };
        decode_slot(&leaf)
            .map(Some)
            .ok_or_else(|| bad_leaf(&trie, slot, "a slot leaf", &leaf))
    }

    /// A slot without a live leaf, which is no answer yet: it, or its account, may have expired.
    fn expired_slot(
        &self,
        trie: &TrieId,
        account: B256,
        slot: B256,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let root = |dated: &Dated<TrieAccount>| dated.value.storage_root;
        match self.account_leaf(account)? {
            None => Ok(None),
            Some((dated, _)) if root(&dated) == EMPTY_ROOT_HASH => Ok(None),
            Some((dated, Source::Archive)) => self.archived(trie, slot, Path::EMPTY, root(&dated)),
            Some((_, Source::Live)) => match self.stub_over(trie, slot)? {
                Some((path, stub)) => self.archived(trie, slot, path, stub.hash),
                None => Ok(None),
            },
        }
    }

    /// A leaf as it is stored. An error where it lies under a stub that the archive does not
    /// answer for.
    fn leaf(&self, trie: &TrieId, key: B256) -> Result<Option<(Vec<u8>, Source)>, StateError> {
        let path = Path::leaf(key);
        if let Some(leaf) = self.snapshot.get(trie.table(), &trie.key(&path))? {
            return Ok(Some((leaf, Source::Live)));
        }
        if self.state.head.stubs == 0 {
            return Ok(None);
        }
        let Some((path, stub)) = self.stub_over(trie, key)? else {
            return Ok(None);
        };
        let leaf = self.archived(trie, key, path, stub.hash)?;
        Ok(leaf.map(|leaf| (leaf, Source::Archive)))
    }

    /// The leaf at `key` in the archive, under the stub at `path`; through as many records as it
    /// takes. An error in strict mode, and where a record is not archived.
    fn archived(
        &self,
        trie: &TrieId,
        key: B256,
        mut path: Path,
        mut hash: B256,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let archive = self.shared.archive.as_ref();
        let archive = archive.filter(|_| self.shared.archive_answers());
        loop {
            let subtree = match archive {
                Some(archive) => archive.find(trie, &path, hash)?,
                None => None,
            };
            let Some(subtree) = subtree else {
                return Err(StateError::missing(*trie, &path, hash, Need::Read));
            };
            match subtree.at(key) {
                Covering::Absent => return Ok(None),
                Covering::Leaf(leaf) => return Ok(Some(leaf)),
                Covering::Stub(below, stub) => (path, hash) = (below, stub.hash),
            }
        }
    }

    /// An error if `key` lies under a stub.
    pub(crate) fn refuse_stub(&self, trie: &TrieId, key: B256) -> Result<(), StateError> {
        match self.stub_over(trie, key)? {
            None => Ok(()),
            Some((path, stub)) => Err(StateError::missing(*trie, &path, stub.hash, Need::Read)),
        }
    }

    /// The stub that `key` lies under. Costs one scan step.
    pub(crate) fn stub_over(
        &self,
        trie: &TrieId,
        key: B256,
    ) -> Result<Option<(Path, Stub)>, StateError> {
        let path = Path::leaf(key);
        let mut at = trie.key(&path);
        at.push(u8::MAX);
        let (from, _) = trie.range(&Path::EMPTY);
        let Some((found, value)) = self.snapshot.last_at_or_before(trie.table(), &at, &from)?
        else {
            return Ok(None);
        };
        Ok(match (trie.path(&found), Stub::decode(&value)) {
            (Ok(at), Some(stub)) if at.len() < KEY_NIBBLES && path.starts_with(&at) => {
                Some((at, stub))
            }
            _ => None,
        })
    }
}

/// Where a leaf was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Live,
    Archive,
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
