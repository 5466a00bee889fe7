//! Reading nodes off a forest that keeps their RLP.

use super::{Forest, Node};
use crate::trie::path::Path;
use alloy_primitives::B256;

impl Forest<'_> {
    /// RLP of the nodes at and under `node` that have a hash of their own, from the top down, that
    /// of `node` always. Stubs have none. The forest keeps RLP.
    pub(crate) fn nodes_under(&self, node: u32) -> impl Iterator<Item = Vec<u8>> + '_ {
        let mut next = vec![(node, true)];
        core::iter::from_fn(move || {
            loop {
                let (node, is_root) = next.pop()?;
                next.extend(self.children_of(node).map(|child| (child, false)));
                let rlp = self.kept_rlp.as_ref()?.get(node as usize)?;
                if !rlp.is_empty() && (is_root || !self.expect_ref(node).is_inline()) {
                    return Some(rlp.clone());
                }
            }
        })
    }

    fn children_of(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let (only, from, count) = match self.nodes[node as usize] {
            Node::Known | Node::Leaf { .. } => (None, 0, 0),
            Node::Extension { child, .. } => (Some(child), 0, 0),
            Node::Branch {
                first_child,
                children,
                ..
            } => (None, first_child as usize, usize::from(children)),
        };
        let children = self.children[from..from + count].iter().map(|(_, c)| *c);
        only.into_iter().chain(children)
    }

    /// Appends the RLP of the nodes on the way from `node` towards `key`, each that has a hash of
    /// its own. The forest keeps RLP.
    pub(crate) fn prove(&self, mut node: u32, key: &B256, is_root: bool, proof: &mut Vec<Vec<u8>>) {
        let key = Path::leaf(*key);
        let rlp_of = |n: u32| self.kept_rlp.as_ref().map(|kept| kept[n as usize].clone());
        if is_root || !self.expect_ref(node).is_inline() {
            proof.extend(rlp_of(node).filter(|rlp| !rlp.is_empty()));
        }
        loop {
            let next = match self.nodes[node as usize] {
                Node::Known | Node::Leaf { .. } => None,
                Node::Extension {
                    entry, to, child, ..
                } => {
                    let path = self.entries[entry as usize].path.prefix(to.into());
                    key.starts_with(&path).then_some(child)
                }
                Node::Branch {
                    depth,
                    first_child,
                    children,
                    ..
                } => {
                    let from = first_child as usize;
                    let wanted = key.nibble(depth.into());
                    self.children[from..from + usize::from(children)]
                        .iter()
                        .find_map(|(n, child)| (*n == wanted).then_some(*child))
                }
            };
            let Some(next) = next else { return };
            node = next;
            if !self.expect_ref(node).is_inline() {
                proof.extend(rlp_of(node).filter(|rlp| !rlp.is_empty()));
            }
        }
    }
}
