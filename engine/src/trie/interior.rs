//! The interior of a trie: the branches above its buckets, held in memory.
//!
//! ```text
//!                      Branch                 interior: in memory, about 41 bytes a bucket
//!                    /   |    \
//!              Branch  bucket  Branch
//!             /  |  \          /  |  \
//!        bucket .. bucket bucket .. bucket    buckets: in the leaf store, nothing but their entries
//! ```
//!
//! A *bucket* is the run of entries (leaves and stubs) under one path prefix, at most
//! `bucket_entries_max` of them. A [`Branch`] is a branch node of the trie with more entries than
//! that under it; for each child it holds the child's reference, and for a bucket the number of its
//! entries. Extensions need no node of their own: a branch knows its full path, its parent the
//! depth of its slot, and what lies between is the extension.
//!
//! Branches are shared between versions by reference count. An update copies the branches on its
//! way, so that readers keep theirs, and a failed update leaves no trace.

use super::{node_ref::NodeRef, path::Path};
use alloy_primitives::B256;
use std::sync::Arc;

/// A branch node with more than one bucket's worth of entries under it.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    path: Path,
    present: u16,
    inlined: u16,
    entries: [u16; 16],
    refs: [B256; 16],
    branches: Option<Box<[Option<Arc<Branch>>; 16]>>,
}

/// A child of a [`Branch`], or what a whole trie consists of.
#[derive(Clone, Debug)]
pub(crate) enum Child {
    /// Nothing.
    Empty,
    /// A bucket with this many entries.
    Bucket { node: NodeRef, entries: usize },
    /// A branch of the interior; `node` refers to the extension before it where there is one.
    Branch { node: NodeRef, branch: Arc<Branch> },
}

impl Child {
    /// The hash of the trie that consists of this child.
    pub(crate) fn root_hash(&self) -> B256 {
        match self {
            Self::Empty => alloy_trie::EMPTY_ROOT_HASH,
            Self::Bucket { node, .. } | Self::Branch { node, .. } => node.root_hash(),
        }
    }
}

impl Branch {
    /// A branch at `path` without children.
    pub(crate) const fn new(path: Path) -> Self {
        Self {
            path,
            present: 0,
            inlined: 0,
            entries: [0; 16],
            refs: [B256::ZERO; 16],
            branches: None,
        }
    }

    /// The path of the branch node itself, behind any extension.
    pub(crate) const fn path(&self) -> &Path {
        &self.path
    }

    /// The child at `nibble`.
    pub(crate) fn child(&self, nibble: u8) -> Child {
        let Some(node) = self.node(nibble) else {
            return Child::Empty;
        };
        match self.branch(nibble) {
            Some(branch) => Child::Branch {
                node,
                branch: Arc::clone(branch),
            },
            None => Child::Bucket {
                node,
                entries: usize::from(self.entries[usize::from(nibble)]),
            },
        }
    }

    /// The reference of the child at `nibble`.
    pub(crate) fn node(&self, nibble: u8) -> Option<NodeRef> {
        let inline = self.inlined >> nibble & 1 == 1;
        (self.present >> nibble & 1 == 1)
            .then(|| NodeRef::from_raw(self.refs[usize::from(nibble)], inline))
    }

    /// The branch at `nibble`, where the child is one.
    pub(crate) fn branch(&self, nibble: u8) -> Option<&Arc<Branch>> {
        self.branches.as_ref()?[usize::from(nibble)].as_ref()
    }

    /// Puts a child at `nibble`.
    pub(crate) fn set(&mut self, nibble: u8, child: Child) {
        let (node, entries, branch) = match child {
            Child::Empty => (None, 0, None),
            Child::Bucket { node, entries } => (Some(node), entries, None),
            Child::Branch { node, branch } => (Some(node), 0, Some(branch)),
        };
        let index = usize::from(nibble);
        let bit = 1u16 << nibble;
        self.present = self.present & !bit | if node.is_some() { bit } else { 0 };
        let inline = node.is_some_and(|n| n.is_inline());
        self.inlined = self.inlined & !bit | if inline { bit } else { 0 };
        self.refs[index] = node.map_or(B256::ZERO, |n| n.raw());
        self.entries[index] = entries as u16;
        if branch.is_some() || self.branches.is_some() {
            self.branches.get_or_insert_default()[index] = branch;
        }
    }

    /// Nibbles at which there is a child, ascending.
    pub(crate) fn nibbles(&self) -> impl Iterator<Item = u8> + Clone + use<> {
        let present = self.present;
        (0..16u8).filter(move |n| present >> n & 1 == 1)
    }

    /// Number of children.
    pub(crate) const fn len(&self) -> u32 {
        self.present.count_ones()
    }

    /// Entries under the branch if all its children are buckets.
    pub(crate) fn entries_of_buckets(&self) -> Option<usize> {
        let only_buckets = self
            .branches
            .as_ref()
            .is_none_or(|b| b.iter().all(Option::is_none));
        only_buckets.then(|| self.entries.iter().map(|n| usize::from(*n)).sum())
    }

    /// Appends the RLP of the branch node.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let refs: [Option<NodeRef>; 16] = core::array::from_fn(|n| self.node(n as u8));
        let children = (0u8..16)
            .zip(&refs)
            .filter_map(|(n, r)| Some((n, r.as_ref()?)));
        super::rlp::branch(children, out);
    }

    /// Branches and buckets at and under this branch, and the bytes that they take.
    pub(crate) fn size(&self) -> InteriorSize {
        let mut size = InteriorSize {
            branches: 1,
            buckets: 0,
            bytes: (size_of::<Self>() + ARC_COUNTS) as u64,
        };
        if self.branches.is_some() {
            size.bytes += size_of::<[Option<Arc<Self>>; 16]>() as u64;
        }
        for nibble in self.nibbles() {
            match self.branch(nibble) {
                Some(branch) => size.add(&branch.size()),
                None => size.buckets += 1,
            }
        }
        size
    }
}

/// Strong and weak count beside the value of an `Arc`.
const ARC_COUNTS: usize = 16;

/// What the interior of tries takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InteriorSize {
    /// Branches held in memory.
    pub branches: u64,
    /// Buckets under them. Tries without a branch, of one bucket each, are not counted.
    pub buckets: u64,
    /// Bytes of memory.
    pub bytes: u64,
}

impl InteriorSize {
    /// Adds another trie's.
    pub fn add(&mut self, other: &Self) {
        self.branches += other.branches;
        self.buckets += other.buckets;
        self.bytes += other.bytes;
    }
}
