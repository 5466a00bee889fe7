//! Laying out the nodes that sorted entries imply.

use super::{Entry, EntryKind, Forest, Node};
use crate::trie::{
    codec::TrieId,
    error::{Need, StateError, TrieName},
    node_ref::NodeRef,
};
use alloy_primitives::B256;
use core::ops::Range;

impl Forest<'_> {
    /// Lays out the subtree of `entries`, which all lie under one prefix of `depth` nibbles, are
    /// sorted, and are not none. Gives the number of its root.
    pub(crate) fn plant(
        &mut self,
        trie: &TrieId,
        entries: Range<usize>,
        depth: usize,
    ) -> Result<u32, StateError> {
        self.lay_out(trie, entries, depth).map(|(node, _)| node)
    }

    /// Lays out one subtree; gives the node and its height.
    fn lay_out(
        &mut self,
        trie: &TrieId,
        range: Range<usize>,
        depth: usize,
    ) -> Result<(u32, u8), StateError> {
        if range.len() == 1 {
            return self.lay_out_single(trie, range.start, depth);
        }
        let (first, last) = (
            self.entries[range.start].path,
            self.entries[range.end - 1].path,
        );
        let fork = first.common_prefix(&last);
        if fork == first.len().min(last.len()) || fork < depth {
            return Err(StateError::Contradiction {
                trie: TrieName(trie.account()),
                path: first.nibbles(),
            });
        }
        let (branch, height) = self.lay_out_branch(trie, range.clone(), fork)?;
        if fork == depth {
            return Ok((branch, height));
        }
        Ok(self.extension(range.start, depth, fork, branch, height))
    }

    fn lay_out_branch(
        &mut self,
        trie: &TrieId,
        range: Range<usize>,
        fork: usize,
    ) -> Result<(u32, u8), StateError> {
        let mut children = [(0, 0); 16];
        let (mut count, mut height, mut from) = (0, 0, range.start);
        while from < range.end {
            let nibble = self.entries[from].path.nibble(fork);
            let group = self.entries[from..range.end]
                .iter()
                .take_while(|e| e.path.nibble(fork) == nibble)
                .count();
            let (child, child_height) = self.lay_out(trie, from..from + group, fork + 1)?;
            children[count] = (nibble, child);
            count += 1;
            height = height.max(child_height + 1);
            from += group;
        }
        let node = Node::Branch {
            entry: range.start as u32,
            depth: fork as u8,
            first_child: self.children.len() as u32,
            children: count as u8,
        };
        self.children.extend_from_slice(&children[..count]);
        Ok((self.add(node, range.len(), height), height))
    }

    /// A subtree of one entry: a leaf, or a stub behind whatever extension leads to it.
    fn lay_out_single(
        &mut self,
        trie: &TrieId,
        index: usize,
        depth: usize,
    ) -> Result<(u32, u8), StateError> {
        let Entry { path, kind, .. } = self.entries[index];
        match kind {
            EntryKind::Hashed { held, .. } => {
                let node = match self.held[held as usize].at(depth) {
                    Some(hash) => {
                        self.leaves_held += 1;
                        self.add_known(hash)
                    }
                    None => {
                        self.forget_hash(trie, index)?;
                        self.add_leaf(index, depth)
                    }
                };
                Ok((self.settle(index, node, depth), 0))
            }
            EntryKind::Leaf { .. } => {
                let node = self.add_leaf(index, depth);
                Ok((self.settle(index, node, depth), 0))
            }
            EntryKind::Stub(stub) => {
                let stub = self.stubs[stub as usize];
                if path.len() != depth && !stub.is_branch {
                    return Err(StateError::missing(*trie, &path, stub.hash, Need::Collapse));
                }
                let known = self.add_known(stub.hash);
                if path.len() == depth {
                    return Ok((known, 0));
                }
                Ok(self.extension(index, depth, path.len(), known, 0))
            }
        }
    }

    fn add_leaf(&mut self, entry: usize, depth: usize) -> u32 {
        let node = Node::Leaf {
            entry: entry as u32,
            depth: depth as u8,
        };
        self.add(node, 1, 0)
    }

    /// A node whose hash is known.
    fn add_known(&mut self, hash: B256) -> u32 {
        let known = self.add(Node::Known, 1, 0);
        self.refs[known as usize] = Some(NodeRef::hash(hash));
        known
    }

    /// Notes where an entry's leaf is.
    fn settle(&mut self, entry: usize, node: u32, depth: usize) -> u32 {
        let entry = &mut self.entries[entry];
        (entry.node, entry.depth) = (node, depth as u8);
        node
    }

    fn extension(
        &mut self,
        entry: usize,
        from: usize,
        to: usize,
        child: u32,
        height: u8,
    ) -> (u32, u8) {
        let node = Node::Extension {
            entry: entry as u32,
            from: from as u8,
            to: to as u8,
            child,
        };
        let weight = self.weights[child as usize] as usize;
        (self.add(node, weight, height + 1), height + 1)
    }

    fn add(&mut self, node: Node, weight: usize, height: u8) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(node);
        self.weights.push(weight as u32);
        self.refs.push(None);
        let height = usize::from(height);
        if self.levels.len() <= height {
            self.levels.resize_with(height + 1, Vec::new);
        }
        if !matches!(node, Node::Known) {
            self.levels[height].push(number);
        }
        number
    }
}
