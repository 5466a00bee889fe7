//! The tree as its specification reads, one leaf and one bit at a time, and leaves to try it on.

use alloy_primitives::B256;
use proptest::prelude::*;
use thinstate_formats::{
    NodeHasher,
    counted::{InclusionProof, Leaf, Node, Sibling, Side},
};

/// The root, after the table in the specification.
pub(crate) fn root(hasher: &NodeHasher, leaves: &[Leaf]) -> Node {
    match leaves {
        [] => Node {
            hash: B256::ZERO,
            count: 0,
        },
        [leaf] => Node {
            hash: hasher.hash(&[leaf.location.0, leaf.value.0].concat()),
            count: 1,
        },
        _ => {
            let [left, right] = divide(leaves).map(|half| root(hasher, &half));
            joined(hasher, left, right)
        }
    }
}

/// The siblings of a leaf, from the leaf upwards.
pub(crate) fn proof(hasher: &NodeHasher, leaves: &[Leaf], leaf: &Leaf) -> InclusionProof {
    if leaves.len() == 1 {
        return InclusionProof::default();
    }
    let [left, right] = divide(leaves);
    let (side, with, without) = if left.contains(leaf) {
        (Side::Right, left, right)
    } else {
        (Side::Left, right, left)
    };
    let mut below = proof(hasher, &with, leaf);
    let node = root(hasher, &without);
    below.siblings.push(Sibling { side, node });
    below
}

fn joined(hasher: &NodeHasher, left: Node, right: Node) -> Node {
    let message = [
        &left.hash[..],
        &right.hash[..],
        &left.count.to_le_bytes(),
        &right.count.to_le_bytes(),
        &[0; 48],
    ]
    .concat();
    Node {
        hash: hasher.hash(&message),
        count: left.count + right.count,
    }
}

/// By the first bit in which any two differ.
fn divide(leaves: &[Leaf]) -> [Vec<Leaf>; 2] {
    let bit = |leaf: &Leaf, at: usize| leaf.location[at / 8] >> (7 - at % 8) & 1;
    let differs = |at: &usize| {
        leaves
            .iter()
            .any(|leaf| bit(leaf, *at) != bit(&leaves[0], *at))
    };
    let at = (0..256).find(differs).expect("locations are distinct");
    [0, 1].map(|side| {
        leaves
            .iter()
            .copied()
            .filter(|leaf| bit(leaf, at) == side)
            .collect()
    })
}

/// A leaf with hashed location.
pub(crate) fn leaf(seed: u64) -> Leaf {
    Leaf {
        location: alloy_primitives::keccak256(seed.to_be_bytes()),
        value: B256::left_padding_from(&seed.to_be_bytes()),
    }
}

/// Leaves with hashed locations, sorted.
pub(crate) fn leaves(seeds: core::ops::Range<u64>) -> Vec<Leaf> {
    sorted(seeds.map(leaf))
}

/// 257 leaves of which the lowest two have 256 joins above them.
pub(crate) fn deepest() -> Vec<Leaf> {
    let location = |bit: usize| {
        let mut location = B256::ZERO;
        location[bit / 8] = 0x80 >> (bit % 8);
        location
    };
    let leaf = |location| Leaf {
        location,
        value: B256::with_last_byte(1),
    };
    sorted((0..256).map(location).chain([B256::ZERO]).map(leaf))
}

fn sorted(leaves: impl IntoIterator<Item = Leaf>) -> Vec<Leaf> {
    let mut leaves: Vec<_> = leaves.into_iter().collect();
    leaves.sort();
    leaves.dedup_by_key(|leaf| leaf.location);
    leaves
}

/// Sorted leaves; among them many with long common prefixes.
pub(crate) fn any_leaves(most: usize) -> impl Strategy<Value = Vec<Leaf>> {
    let location = prop_oneof![
        any::<[u8; 32]>(),
        (0usize..32, any::<u8>()).prop_map(|(at, byte)| {
            let mut location = [0x55; 32];
            location[at] ^= byte;
            location
        }),
    ];
    let leaf = (location, any::<u16>()).prop_map(|(location, value)| Leaf {
        location: location.into(),
        value: B256::left_padding_from(&value.to_be_bytes()),
    });
    proptest::collection::vec(leaf, 0..=most).prop_map(sorted)
}
