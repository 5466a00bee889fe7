//! Subtrees built from sorted entries, and hashed together, level by level.
//!
//! A forest takes the entries of many buckets, lays out the nodes that they imply, and then hashes
//! all nodes of one height at once, so that the keccak lanes are full even where each bucket adds
//! only a few nodes. Nothing of it is stored: it is built, hashed, read off and cleared for the next buckets.

mod layout;
mod proof;

use super::{
    codec::{Stub, TrieId, leaf_rlp},
    error::StateError,
    interior::{Branch, Child},
    leaf_hashes::{BucketHashes, LeafHash},
    node_ref::NodeRef,
    path::{KEY_NIBBLES, Path},
    rlp,
};
use crate::leaf_store::StoreError;
use alloy_primitives::{B256, hex};
use core::{mem, ops::Range};
use std::sync::Arc;
use thinstate_formats::keccak::{BatchHasher, HashCount, Span};

/// An entry of a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    path: Path,
    kind: EntryKind,
    /// Its node, once it is planted, and the depth of the node's slot.
    node: u32,
    depth: u8,
}

#[derive(Clone, Copy, Debug)]
enum EntryKind {
    /// A leaf; the RLP that the trie hashes for it lies here among the forest's values.
    Leaf { from: u32, to: u32 },
    /// A leaf whose hash is held; its value lies here among the forest's values, as it is stored.
    Hashed {
        from: u32,
        to: u32,
        /// Its place among the hashes that are held.
        held: u32,
    },
    /// Its place among the stubs.
    Stub(u32),
}

/// A node; its number is its place among the forest's nodes.
#[derive(Clone, Copy, Debug)]
enum Node {
    /// A stub: its reference is known.
    Known,
    Leaf {
        entry: u32,
        depth: u8,
    },
    Extension {
        entry: u32,
        from: u8,
        to: u8,
        child: u32,
    },
    Branch {
        entry: u32,
        depth: u8,
        first_child: u32,
        children: u8,
    },
}

/// Many subtrees, nodes and entries.
#[derive(Debug)]
pub(crate) struct Forest<'h> {
    hasher: &'h BatchHasher,
    entries: Vec<Entry>,
    values: Vec<u8>,
    held: Vec<LeafHash>,
    stubs: Vec<Stub>,
    nodes: Vec<Node>,
    /// Entries under each node.
    weights: Vec<u32>,
    refs: Vec<Option<NodeRef>>,
    children: Vec<(u8, u32)>,
    /// Nodes by height above their lowest leaf.
    levels: Vec<Vec<u32>>,
    /// RLP of nodes, where it is kept for proofs.
    kept_rlp: Option<Vec<Vec<u8>>>,
    hashed: HashCount,
    /// Leaves that were not hashed, since their hashes were held.
    leaves_held: u64,
    scratch: Scratch,
}

/// Memory of [`Forest::hash`], kept for the next time.
#[derive(Debug, Default)]
struct Scratch {
    /// The nodes of a level, one after the other.
    rlp: Vec<u8>,
    /// Those of them that are hashed, and their numbers.
    spans: Vec<Span>,
    waiting: Vec<u32>,
    hashes: Vec<B256>,
}

impl<'h> Forest<'h> {
    pub(crate) fn new(hasher: &'h BatchHasher) -> Self {
        Self {
            hasher,
            entries: Vec::new(),
            values: Vec::new(),
            held: Vec::new(),
            stubs: Vec::new(),
            nodes: Vec::new(),
            weights: Vec::new(),
            refs: Vec::new(),
            children: Vec::new(),
            levels: Vec::new(),
            kept_rlp: None,
            hashed: HashCount::default(),
            leaves_held: 0,
            scratch: Scratch::default(),
        }
    }

    /// Forgets all entries, nodes and counts, and keeps the memory for others.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
        self.held.clear();
        self.stubs.clear();
        self.nodes.clear();
        self.weights.clear();
        self.refs.clear();
        self.children.clear();
        // What was laid out and not hashed, by an update that failed.
        self.levels.iter_mut().for_each(Vec::clear);
        if let Some(kept) = &mut self.kept_rlp {
            kept.clear();
        }
        self.hashed = HashCount::default();
        self.leaves_held = 0;
    }

    /// A forest that keeps the RLP of its nodes, for proofs.
    pub(crate) fn keeping_rlp(hasher: &'h BatchHasher) -> Self {
        Self {
            kept_rlp: Some(Vec::new()),
            ..Self::new(hasher)
        }
    }

    /// Number of entries so far: the place of the next one.
    pub(crate) const fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// Hashes computed by [`Self::hash`].
    pub(crate) const fn hashed(&self) -> HashCount {
        self.hashed
    }

    /// Leaves that needed no hashing, since their hashes were held.
    pub(crate) const fn leaves_held(&self) -> u64 {
        self.leaves_held
    }

    /// Takes one entry as the leaf store holds it.
    pub(crate) fn push(
        &mut self,
        trie: &TrieId,
        path: Path,
        value: &[u8],
    ) -> Result<(), StateError> {
        let kind = if path.len() < KEY_NIBBLES {
            Stub::decode(value).map(|stub| {
                self.stubs.push(stub);
                EntryKind::Stub(self.stubs.len() as u32 - 1)
            })
        } else {
            let from = self.values.len() as u32;
            leaf_rlp(trie, value, &mut self.values).map(|()| EntryKind::Leaf {
                from,
                to: self.values.len() as u32,
            })
        };
        let kind = kind.ok_or_else(|| bad_entry(trie, &path, value))?;
        self.add_entry(path, kind);
        Ok(())
    }

    /// Takes one leaf as the leaf store holds it, with its hash.
    pub(crate) fn push_hashed(&mut self, path: Path, value: &[u8], held: LeafHash) {
        let from = self.values.len() as u32;
        self.values.extend_from_slice(value);
        let to = self.values.len() as u32;
        self.held.push(held);
        let held = self.held.len() as u32 - 1;
        self.add_entry(path, EntryKind::Hashed { from, to, held });
    }

    fn add_entry(&mut self, path: Path, kind: EntryKind) {
        self.entries.push(Entry {
            path,
            kind,
            node: 0,
            depth: 0,
        });
    }

    /// Makes leaves whose hashes were held ones that are hashed.
    pub(crate) fn forget_hashes(
        &mut self,
        trie: &TrieId,
        mut entries: Range<usize>,
    ) -> Result<(), StateError> {
        entries.try_for_each(|index| self.forget_hash(trie, index))
    }

    /// Makes a leaf whose hash was held one that is hashed.
    fn forget_hash(&mut self, trie: &TrieId, index: usize) -> Result<(), StateError> {
        let Entry { path, kind, .. } = self.entries[index];
        let EntryKind::Hashed { from, to, .. } = kind else {
            return Ok(());
        };
        let value = self.values[from as usize..to as usize].to_vec();
        let from = self.values.len() as u32;
        leaf_rlp(trie, &value, &mut self.values).ok_or_else(|| bad_entry(trie, &path, &value))?;
        let to = self.values.len() as u32;
        self.entries[index].kind = EntryKind::Leaf { from, to };
        Ok(())
    }

    /// Computes the references of all nodes laid out since the last call, lowest level first.
    pub(crate) fn hash(&mut self) {
        let mut scratch = mem::take(&mut self.scratch);
        let Scratch {
            rlp,
            spans,
            waiting,
            hashes,
        } = &mut scratch;
        if let Some(kept) = &mut self.kept_rlp {
            kept.resize(self.nodes.len(), Vec::new());
        }
        for height in 0..self.levels.len() {
            let mut level = mem::take(&mut self.levels[height]);
            rlp.clear();
            spans.clear();
            waiting.clear();
            for node in level.drain(..) {
                let start = rlp.len();
                self.encode(node, rlp);
                if let Some(kept) = &mut self.kept_rlp {
                    kept[node as usize] = rlp[start..].to_vec();
                }
                self.refs[node as usize] = NodeRef::inline(&rlp[start..]);
                if self.refs[node as usize].is_none() {
                    spans.push(Span {
                        start: start as u32,
                        len: (rlp.len() - start) as u32,
                    });
                    waiting.push(node);
                }
            }
            self.levels[height] = level;
            hashes.clear();
            self.hashed += self
                .hasher
                .hash_spans(rlp, spans, hashes)
                .expect("the spans were taken from this buffer");
            for (node, hash) in waiting.iter().zip(&*hashes) {
                self.refs[*node as usize] = Some(NodeRef::hash(*hash));
            }
        }
        self.scratch = scratch;
    }

    fn encode(&self, node: u32, out: &mut Vec<u8>) {
        match self.nodes[node as usize] {
            Node::Known => {}
            Node::Leaf { entry, depth } => {
                let Entry { path, kind, .. } = &self.entries[entry as usize];
                if let EntryKind::Leaf { from, to } = *kind {
                    let value = &self.values[from as usize..to as usize];
                    rlp::leaf(path, usize::from(depth), value, out);
                }
            }
            Node::Extension {
                entry,
                from,
                to,
                child,
            } => {
                let path = &self.entries[entry as usize].path;
                rlp::extension(path, from.into(), to.into(), self.expect_ref(child), out);
            }
            Node::Branch {
                first_child,
                children,
                ..
            } => {
                let from = first_child as usize;
                let children = &self.children[from..from + usize::from(children)];
                let refs = children
                    .iter()
                    .map(|(n, child)| (*n, self.expect_ref(*child)));
                rlp::branch(refs, out);
            }
        }
    }

    fn expect_ref(&self, node: u32) -> &NodeRef {
        self.refs[node as usize]
            .as_ref()
            .expect("a level is hashed after those below it")
    }

    /// The reference of a node, once it is hashed.
    pub(crate) fn reference(&self, node: u32) -> &NodeRef {
        self.expect_ref(node)
    }

    /// Hashes of some entries that are all leaves, once they are hashed; `None` where there are stubs.
    pub(crate) fn leaf_hashes(&self, entries: Range<usize>) -> Option<BucketHashes> {
        let hash = |entry: &Entry| match (entry.kind, self.expect_ref(entry.node)) {
            (EntryKind::Stub(_), _) => None,
            (_, node) if node.is_inline() => Some(LeafHash::UNKNOWN),
            (_, node) => Some(LeafHash::new(node.raw(), entry.depth)),
        };
        self.entries[entries].iter().map(hash).collect()
    }

    /// The subtree at `node` as a child of the interior: a bucket where it has at most
    /// `entries_max` entries, otherwise a branch, with further ones under it.
    pub(crate) fn child(&self, node: u32, entries_max: usize) -> Child {
        let reference = *self.expect_ref(node);
        let entries = self.weights[node as usize] as usize;
        if entries <= entries_max {
            return Child::Bucket {
                node: reference,
                entries,
            };
        }
        let branch = match self.nodes[node as usize] {
            Node::Extension { child, .. } => self.branch(child, entries_max),
            _ => self.branch(node, entries_max),
        };
        Child::Branch {
            node: reference,
            branch: Arc::new(branch),
        }
    }

    fn branch(&self, node: u32, entries_max: usize) -> Branch {
        let Node::Branch {
            entry,
            depth,
            first_child,
            children,
        } = self.nodes[node as usize]
        else {
            unreachable!("a subtree of more than one entry ends in a branch");
        };
        let path = self.entries[entry as usize].path.prefix(depth.into());
        let mut branch = Branch::new(path);
        let from = first_child as usize;
        for (nibble, child) in &self.children[from..from + usize::from(children)] {
            branch.set(*nibble, self.child(*child, entries_max));
        }
        branch
    }
}

fn bad_entry(trie: &TrieId, path: &Path, value: &[u8]) -> StateError {
    let expected = match (trie, path.len() < KEY_NIBBLES) {
        (_, true) => "a stub: kind 0 or 1 and a hash of 32 bytes",
        (TrieId::Accounts, _) => "an account leaf",
        (TrieId::Storage(_), _) => {
            "a slot leaf: length, 1 to 32 bytes without a leading zero, block"
        }
    };
    StateError::Store(StoreError::BadEntry {
        table: trie.table(),
        key: hex::encode(trie.key(path)),
        expected,
        got: format!("0x{}", hex::encode(value)),
    })
}
