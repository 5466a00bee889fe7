//! Following the nodes of a witness from stub to stub.

use super::{Witness, WitnessReport};
use crate::{
    leaf_store::{LeafRead, LeafStore},
    permanent::{
        error::{MalformedNode, WitnessError},
        view::View,
    },
    trie::{
        change::{Base, Change, Target},
        codec::{Stub, TrieId, encode_account, encode_slot},
        error::TrieName,
        path::{KEY_NIBBLES, Path},
        update::TrieJob,
    },
};
use alloy_primitives::{
    B256, U256,
    map::{B256Map, HashMap, HashSet},
};
use alloy_rlp::Decodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, TrieAccount,
    nodes::{RlpNode, TrieNode},
};
use std::collections::BTreeMap;

/// Most places that one witness may fill: nodes may stand in many places, and an adversary could
/// make them multiply.
const PLACES_MAX: usize = 1 << 24;

/// A place in a trie whose node's hash is known.
#[derive(Clone, Copy, Debug)]
struct Place {
    trie: TrieId,
    path: Path,
    stub: Stub,
    /// Whether the place is under a stub that is being filled. Otherwise the store says whether
    /// there is a stub.
    new: bool,
}

/// Follows nodes from stub to stub, and gathers what becomes of the entries.
pub(super) struct Filler<'v, 'a, 'w, S: LeafStore> {
    view: &'v View<'a, S>,
    nodes: B256Map<(usize, &'w [u8])>,
    used: Vec<bool>,
    places: Vec<Place>,
    filled: HashSet<(TrieId, Path)>,
    followed: usize,
    changes: BTreeMap<TrieId, Vec<Change>>,
    /// Roots of storage tries that appear with their accounts.
    new_tries: HashMap<B256, B256>,
    accounts: u64,
    slots: u64,
}

impl<'v, 'a, 'w, S: LeafStore> Filler<'v, 'a, 'w, S> {
    pub(super) fn new(view: &'v View<'a, S>, witness: &'w Witness, hashes: &[B256]) -> Self {
        let nodes = hashes.iter().zip(witness.nodes.iter().enumerate());
        Self {
            view,
            nodes: nodes
                .map(|(hash, (i, node))| (*hash, (i, node.as_ref())))
                .collect(),
            used: vec![false; witness.nodes.len()],
            places: Vec::new(),
            filled: HashSet::default(),
            followed: 0,
            changes: BTreeMap::new(),
            new_tries: HashMap::default(),
            accounts: 0,
            slots: 0,
        }
    }

    /// Begins at the root, and at the stubs that the witness names.
    pub(super) fn start(&mut self, witness: &Witness) -> Result<(), WitnessError> {
        let root = self.view.head().root;
        if root != EMPTY_ROOT_HASH {
            self.known(TrieId::Accounts, Path::EMPTY, root, false);
        }
        for start in &witness.starts {
            let trie = start.account.map_or(TrieId::Accounts, TrieId::Storage);
            let no_stub = || WitnessError::NoStub {
                trie: TrieName(start.account),
                path: start.path,
            };
            let path = Path::from_nibbles(&start.path).ok_or_else(no_stub)?;
            let stub = self.stored_stub(&trie, &path)?.ok_or_else(no_stub)?;
            self.known(trie, path, stub.hash, stub.is_branch);
        }
        Ok(())
    }

    fn known(&mut self, trie: TrieId, path: Path, hash: B256, is_branch: bool) {
        self.places.push(Place {
            trie,
            path,
            stub: Stub { hash, is_branch },
            new: false,
        });
    }

    fn stored_stub(&self, trie: &TrieId, path: &Path) -> Result<Option<Stub>, WitnessError> {
        if path.len() == KEY_NIBBLES {
            return Ok(None);
        }
        let value = self.view.snapshot.get(trie.table(), &trie.key(path))?;
        Ok(value.and_then(|value| Stub::decode(&value)))
    }

    pub(super) fn run(&mut self) -> Result<(), WitnessError> {
        while let Some(place) = self.places.pop() {
            self.follow(place)?;
        }
        Ok(())
    }

    fn follow(&mut self, place: Place) -> Result<(), WitnessError> {
        let Place {
            trie,
            path,
            stub,
            new,
        } = place;
        let Some((index, node)) = self.nodes.get(&stub.hash).copied() else {
            if new {
                self.change(trie, path, Target::Value(stub.encode()));
            }
            return Ok(());
        };
        self.used[index] = true;
        if !new && !self.filled.insert((trie, path)) {
            return Ok(());
        }
        let fills_stored = !new
            && self
                .stored_stub(&trie, &path)?
                .is_some_and(|s| s.hash == stub.hash);
        if fills_stored {
            self.change(trie, path, Target::Absent);
        }
        self.expand(&place, path, node, new || fills_stored)
    }

    /// Takes a node at `path`: the node of `place`, or one inlined in it.
    fn expand(
        &mut self,
        place: &Place,
        path: Path,
        mut rlp: &[u8],
        filling: bool,
    ) -> Result<(), WitnessError> {
        let malformed = |reason: String| malformed(place, reason);
        self.followed += 1;
        if self.followed > PLACES_MAX {
            return Err(malformed(format!(
                "nodes stand in more than {PLACES_MAX} places"
            )));
        }
        let node = TrieNode::decode(&mut rlp).map_err(|e| malformed(e.to_string()))?;
        if !rlp.is_empty() {
            return Err(malformed(format!("{} bytes follow the node", rlp.len())));
        }
        let too_long = || malformed("its path is longer than a key".to_owned());
        match node {
            TrieNode::EmptyRoot => Err(malformed("an empty node".to_owned())),
            TrieNode::Leaf(leaf) => {
                let path = path.join(&leaf.key).ok_or_else(too_long)?;
                if path.len() != KEY_NIBBLES {
                    return Err(malformed(format!("a leaf of {} nibbles", path.len())));
                }
                self.leaf(place, path, &leaf.value, filling)
            }
            TrieNode::Extension(node) => {
                let below = path.join(&node.key).ok_or_else(too_long)?;
                self.child(place, below, &node.child, true, filling)
            }
            TrieNode::Branch(node) => {
                let nibbles = (0..16).filter(|n| node.state_mask.is_bit_set(*n));
                for (nibble, child) in nibbles.zip(&node.stack) {
                    let below = path.child(nibble).ok_or_else(too_long)?;
                    self.child(place, below, child, false, filling)?;
                }
                Ok(())
            }
        }
    }

    fn child(
        &mut self,
        place: &Place,
        path: Path,
        child: &RlpNode,
        is_branch: bool,
        filling: bool,
    ) -> Result<(), WitnessError> {
        let Some(hash) = child.as_hash() else {
            return self.expand(place, path, child.as_slice(), filling);
        };
        if path.len() == KEY_NIBBLES {
            return Err(malformed(place, "a node below the end of a key".to_owned()));
        }
        self.places.push(Place {
            trie: place.trie,
            path,
            stub: Stub { hash, is_branch },
            new: filling,
        });
        Ok(())
    }

    fn leaf(
        &mut self,
        place: &Place,
        path: Path,
        mut value: &[u8],
        filling: bool,
    ) -> Result<(), WitnessError> {
        let bad = |e: alloy_rlp::Error| malformed(place, format!("its value: {e}"));
        let leaf = match place.trie {
            TrieId::Accounts => {
                let account = TrieAccount::decode(&mut value).map_err(bad)?;
                self.account(&path, &account, filling);
                Some(encode_account(&account))
            }
            TrieId::Storage(_) => {
                self.slots += u64::from(filling);
                encode_slot(U256::decode(&mut value).map_err(bad)?)
            }
        };
        let Some(leaf) = leaf.filter(|_| value.is_empty()) else {
            return Err(malformed(
                place,
                "its value is zero, or bytes follow it".to_owned(),
            ));
        };
        if filling {
            self.change(place.trie, path, Target::Value(leaf));
        }
        Ok(())
    }

    /// An account came to light, and with it the root of its storage.
    fn account(&mut self, path: &Path, account: &TrieAccount, filling: bool) {
        self.accounts += u64::from(filling);
        if account.storage_root == EMPTY_ROOT_HASH {
            return;
        }
        if filling {
            self.new_tries.insert(*path.bytes(), account.storage_root);
        }
        self.places.push(Place {
            trie: TrieId::Storage(*path.bytes()),
            path: Path::EMPTY,
            stub: Stub {
                hash: account.storage_root,
                is_branch: false,
            },
            new: filling,
        });
    }

    fn change(&mut self, trie: TrieId, path: Path, to: Target) {
        self.changes
            .entry(trie)
            .or_default()
            .push(Change { path, to });
    }

    pub(super) fn report(
        &self,
        witness: &Witness,
        hashes: &[B256],
    ) -> Result<WitnessReport, WitnessError> {
        // Of nodes that are given twice, one is used.
        let unused = |i: &usize| {
            let first = self.nodes.get(&hashes[*i]).map(|(first, _)| *first);
            !first.is_some_and(|first| self.used[first])
        };
        let unused: Vec<usize> = (0..witness.nodes.len()).filter(unused).collect();
        match unused.first() {
            Some(index) if !witness.allow_unused => Err(WitnessError::Unmatched {
                index: *index,
                hash: hashes[*index],
            }),
            _ => Ok(WitnessReport {
                nodes_used: (witness.nodes.len() - unused.len()) as u64,
                nodes_unused: unused.len() as u64,
                accounts: self.accounts,
                slots: self.slots,
                stubs_left: 0,
            }),
        }
    }

    /// What becomes of the entries.
    pub(super) fn filled(self) -> Result<Filled, WitnessError> {
        let mut filled = Filled::default();
        for (trie, mut changes) in self.changes {
            changes.sort_unstable_by_key(|c| c.path);
            let Some(account) = trie.account() else {
                filled.accounts = changes;
                continue;
            };
            let new_root = self.new_tries.get(&account).copied();
            filled.roots.push(match new_root {
                Some(root) => root,
                None => self
                    .view
                    .trie_account_hashed(account)?
                    .map_or(EMPTY_ROOT_HASH, |a| a.storage_root),
            });
            filled.jobs.push(TrieJob {
                trie,
                top: self.view.state.storage.get(&account).cloned(),
                base: if new_root.is_some() {
                    Base::Empty
                } else {
                    Base::Stored
                },
                changes,
            });
        }
        Ok(filled)
    }
}

/// What a witness makes of the entries.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// Changes of the account trie.
    pub(super) accounts: Vec<Change>,
    /// Jobs of the storage tries.
    pub(super) jobs: Vec<TrieJob>,
    /// The roots that these have to keep.
    pub(super) roots: Vec<B256>,
}

fn malformed(place: &Place, reason: String) -> WitnessError {
    WitnessError::Malformed(Box::new(MalformedNode {
        hash: place.stub.hash,
        trie: TrieName(place.trie.account()),
        path: place.path.nibbles(),
        reason,
    }))
}
