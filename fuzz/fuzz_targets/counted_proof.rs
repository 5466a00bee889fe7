//! Whatever the bytes, decoding and verifying proofs of the counted tree must not panic; no leaf is
//! accepted that is not in the tree, none at another index, none as absent that is there; and what
//! decodes is what the encoder writes. The first byte picks the kind of proof, the second a leaf; an
//! odd first byte takes the leaf from the input instead, 64 bytes.

#![no_main]

use alloy_primitives::B256;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use thinstate_formats::{
    NodeHasher,
    counted::{ExclusionProof, InclusionProof, Leaf, MultiProof, Node, root_of_sorted},
};

struct Tree {
    hasher: NodeHasher,
    leaves: Vec<Leaf>,
    root: Node,
}

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let hasher = NodeHasher::default();
    let leaf = |byte: u8| Leaf {
        location: B256::repeat_byte(byte.reverse_bits()),
        value: B256::with_last_byte(byte),
    };
    let mut leaves: Vec<_> = (0..33).map(leaf).collect();
    leaves.sort();
    let root = root_of_sorted(&hasher, &leaves).expect("sorted, each location once");
    Tree {
        hasher,
        leaves,
        root,
    }
});

fuzz_target!(|bytes: &[u8]| {
    let [kind, choice, rest @ ..] = bytes else {
        return;
    };
    let known = TREE.leaves[usize::from(*choice) % TREE.leaves.len()];
    let (leaf, proof) = match rest.split_first_chunk::<64>() {
        Some((leaf, proof)) if kind & 1 == 1 => (leaf_of(leaf), proof),
        _ => (known, rest),
    };
    match kind / 2 % 3 {
        0 => inclusion(leaf, proof),
        1 => exclusion(leaf.location, proof),
        _ => multi(leaf, *choice, proof),
    }
});

fn leaf_of(bytes: &[u8; 64]) -> Leaf {
    let (location, value) = bytes.split_at(32);
    Leaf {
        location: B256::from_slice(location),
        value: B256::from_slice(value),
    }
}

fn inclusion(leaf: Leaf, bytes: &[u8]) {
    let Ok(proof) = InclusionProof::decode(bytes) else {
        return;
    };
    assert_eq!(proof.encode(), bytes, "one proof has one encoding");
    if let Ok(index) = proof.verify(&TREE.hasher, TREE.root, &leaf) {
        assert_eq!(TREE.leaves.get(index.0 as usize), Some(&leaf));
    }
}

fn exclusion(location: B256, bytes: &[u8]) {
    let Ok(proof) = ExclusionProof::decode(bytes) else {
        return;
    };
    assert_eq!(proof.encode(), bytes, "one proof has one encoding");
    if proof.verify(&TREE.hasher, TREE.root, &location).is_ok() {
        assert!(TREE.leaves.iter().all(|leaf| leaf.location != location));
    }
}

/// For the leaf alone, and with its neighbours to the right.
fn multi(leaf: Leaf, choice: u8, bytes: &[u8]) {
    let Ok(proof) = MultiProof::decode(bytes) else {
        return;
    };
    assert_eq!(proof.encode(), bytes, "one proof has one encoding");
    let after = TREE
        .leaves
        .iter()
        .filter(|other| other.location > leaf.location);
    let leaves: Vec<_> = [leaf].iter().chain(after).copied().collect();
    for count in [1, usize::from(choice % 7) + 1] {
        let Some(leaves) = leaves.get(..count) else {
            continue;
        };
        if let Ok(indexes) = proof.verify(&TREE.hasher, TREE.root, leaves) {
            for (index, leaf) in indexes.iter().zip(leaves) {
                assert_eq!(TREE.leaves.get(index.0 as usize), Some(leaf));
            }
        }
    }
}
