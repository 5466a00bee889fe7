//! The nodes of a subtree, from its entries.

use super::record::Subtree;
use crate::trie::{error::StateError, forest::Forest, node_ref::NodeRef};
use alloy_primitives::{B256, Bytes};
use thinstate_formats::keccak::BatchHasher;

/// The nodes of a subtree that have a hash of their own, from its root down.
pub(super) fn nodes(hasher: &BatchHasher, subtree: &Subtree) -> Vec<Bytes> {
    let mut forest = Forest::keeping_rlp(hasher);
    match plant(&mut forest, subtree) {
        Ok(root) => forest.nodes_under(root).map(Bytes::from).collect(),
        Err(_) => Vec::new(),
    }
}

/// Whether the entries of a subtree hash to its hash.
pub(super) fn hashes_right(hasher: &BatchHasher, subtree: &Subtree) -> bool {
    let mut forest = Forest::new(hasher);
    plant(&mut forest, subtree)
        .is_ok_and(|root| stub_hash(forest.reference(root), subtree) == Some(subtree.hash))
}

fn plant(forest: &mut Forest<'_>, subtree: &Subtree) -> Result<u32, StateError> {
    let first = forest.entry_count();
    for (path, value) in &subtree.entries {
        forest.push(&subtree.trie, *path, value)?;
    }
    let entries = first..forest.entry_count();
    let root = forest.plant(&subtree.trie, entries, subtree.path.len())?;
    forest.hash();
    Ok(root)
}

/// The hash by which a stub names a node; `None` where its parent holds the node itself.
fn stub_hash(node: &NodeRef, subtree: &Subtree) -> Option<B256> {
    match subtree.path.len() {
        0 => Some(node.root_hash()),
        _ => (!node.is_inline()).then(|| node.raw()),
    }
}
