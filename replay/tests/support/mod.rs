//! What tests of real blocks share: where the data is, and a state that is nothing but a witness.

#![expect(dead_code, reason = "each test file uses a part")]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieAccount,
    nodes::{RlpNode, TrieNode},
};
use std::path::PathBuf;
use thinstate_formats::{Account, StateReader};
use thinstate_replay::source::witness::BlockWitness;

/// A folder of the mainnet data, or `None`, said on stderr, where there is none.
pub(crate) fn mainnet(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("THINSTATE_MAINNET").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/mainnet").into(),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!(
        "skipped: no mainnet data at {} (THINSTATE_MAINNET)",
        path.display()
    );
    None
}

/// The trie nodes and codes of a witness, looked up by walking down from the root.
pub(crate) struct WitnessState {
    root: B256,
    nodes: B256Map<Bytes>,
    codes: B256Map<Bytes>,
}

/// A lookup met a node that the witness does not hold, or one that does not decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("no node {hash} at depth {depth}")]
    Node { hash: B256, depth: usize },
    #[error("malformed: {0}")]
    Malformed(alloy_rlp::Error),
}

impl WitnessState {
    pub(crate) fn new(witness: &BlockWitness) -> Self {
        let by_hash = |list: &[Bytes]| list.iter().map(|b| (keccak256(b), b.clone())).collect();
        Self {
            root: witness.pre_state_root,
            nodes: by_hash(&witness.state),
            codes: by_hash(&witness.codes),
        }
    }

    pub(crate) fn remove_node(&mut self, hash: B256) -> Option<Bytes> {
        self.nodes.remove(&hash)
    }

    pub(crate) fn remove_codes(&mut self) {
        self.codes.clear();
    }

    pub(crate) fn root(&self) -> B256 {
        self.root
    }

    fn trie_account(&self, address: Address) -> Result<Option<TrieAccount>, Unknown> {
        let leaf = self.leaf(self.root, keccak256(address))?;
        leaf.map(|value| TrieAccount::decode(&mut &value[..]).map_err(Unknown::Malformed))
            .transpose()
    }

    /// The value under a key of the trie with this root.
    fn leaf(&self, root: B256, key: B256) -> Result<Option<Vec<u8>>, Unknown> {
        if root == EMPTY_ROOT_HASH {
            return Ok(None);
        }
        let key = Nibbles::unpack(key);
        let mut depth = 0;
        let mut node = self.node(&RlpNode::word_rlp(&root), depth)?;
        loop {
            let child = match node {
                TrieNode::EmptyRoot => return Ok(None),
                TrieNode::Leaf(leaf) => {
                    return Ok((leaf.key == key.slice(depth..)).then_some(leaf.value));
                }
                TrieNode::Extension(extension) => {
                    if !key.slice(depth..).starts_with(&extension.key) {
                        return Ok(None);
                    }
                    depth += extension.key.len();
                    extension.child
                }
                TrieNode::Branch(branch) => {
                    let nibble = key.get_unchecked(depth);
                    depth += 1;
                    let branch = branch.as_ref();
                    let found = branch.children().find(|(n, _)| *n == nibble);
                    match found.and_then(|(_, child)| child.cloned()) {
                        Some(child) => child,
                        None => return Ok(None),
                    }
                }
            };
            node = self.node(&child, depth)?;
        }
    }

    fn node(&self, link: &RlpNode, depth: usize) -> Result<TrieNode, Unknown> {
        let raw = match link.as_hash() {
            Some(hash) => self
                .nodes
                .get(&hash)
                .ok_or(Unknown::Node { hash, depth })?
                .as_ref(),
            None => link.as_slice(),
        };
        TrieNode::decode(&mut &raw[..]).map_err(Unknown::Malformed)
    }
}

impl StateReader for WitnessState {
    type Error = Unknown;

    fn account(&self, address: Address) -> Result<Option<Account>, Unknown> {
        Ok(self.trie_account(address)?.map(|account| Account {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
        }))
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, Unknown> {
        let Some(account) = self.trie_account(address)? else {
            return Ok(U256::ZERO);
        };
        let leaf = self.leaf(account.storage_root, keccak256(B256::from(slot)))?;
        leaf.map_or(Ok(U256::ZERO), |value| {
            U256::decode(&mut &value[..]).map_err(Unknown::Malformed)
        })
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, Unknown> {
        Ok(self.codes.get(&code_hash).cloned())
    }
}
