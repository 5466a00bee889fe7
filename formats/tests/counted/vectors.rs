//! The test vectors of `data/counted-tree.json`, which another implementation made.

use alloy_primitives::{B256, Bytes};
use serde::Deserialize;
use thinstate_formats::{
    HashKind, LeafIndex, NodeHasher,
    counted::{
        ExclusionProof, InclusionProof, Leaf, LocationProof, MultiProof, Node, Subtree,
        root_of_sorted,
    },
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/counted-tree.json");

#[derive(Deserialize)]
struct Vectors {
    sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    leaves: Vec<(B256, B256)>,
    trees: Vec<Tree>,
}

#[derive(Deserialize)]
struct Tree {
    hash: HashKind,
    root: B256,
    count: u64,
    inclusion: Vec<Inclusion>,
    exclusion: Vec<Exclusion>,
    multi: Option<Multi>,
}

#[derive(Deserialize)]
struct Inclusion {
    index: u64,
    proof: Bytes,
}

#[derive(Deserialize)]
struct Exclusion {
    location: B256,
    proof: Bytes,
}

#[derive(Deserialize)]
struct Multi {
    indexes: Vec<u64>,
    proof: Bytes,
}

#[test]
fn no_byte_differs_from_another_implementation() {
    let text = std::fs::read_to_string(FILE).expect("data/counted-tree.json");
    let vectors: Vectors = serde_json::from_str(&text).expect("the file's own form");
    assert!(vectors.sets.len() >= 9);
    for set in &vectors.sets {
        let leaf = |&(location, value)| Leaf { location, value };
        let leaves: Vec<_> = set.leaves.iter().map(leaf).collect();
        let kinds: Vec<_> = set.trees.iter().map(|tree| tree.hash).collect();
        assert_eq!(kinds, HashKind::ALL);
        for tree in &set.trees {
            check(&format!("{}, {}", set.name, tree.hash), &leaves, tree);
        }
    }
}

fn check(name: &str, leaves: &[Leaf], expected: &Tree) {
    let hasher = NodeHasher::new(expected.hash);
    let root = Node {
        hash: expected.root,
        count: expected.count,
    };
    assert_eq!(root_of_sorted(&hasher, leaves), Ok(root), "{name}");
    let tree = Subtree::build(&hasher, leaves).expect("sorted");
    for Inclusion { index, proof } in &expected.inclusion {
        let index = LeafIndex(*index);
        let ours = tree.prove(index).expect("a leaf of the tree");
        assert_eq!(ours.encode(), **proof, "{name}, leaf {index}");
        let theirs = InclusionProof::decode(proof).expect(name);
        let leaf = &leaves[index.0 as usize];
        assert_eq!(theirs.verify(&hasher, root, leaf), Ok(index), "{name}");
    }
    for Exclusion { location, proof } in &expected.exclusion {
        let LocationProof::Excluded(ours) = tree.prove_location(leaves, location) else {
            panic!("{name}: {location} is not in the tree");
        };
        assert_eq!(ours.encode(), **proof, "{name}, {location}");
        let theirs = ExclusionProof::decode(proof).expect(name);
        assert_eq!(theirs.verify(&hasher, root, location), Ok(()), "{name}");
    }
    if let Some(Multi { indexes, proof }) = &expected.multi {
        let single = |index: &u64| tree.prove(LeafIndex(*index)).expect("a leaf of the tree");
        let singles: Vec<_> = indexes.iter().map(single).collect();
        let ours = MultiProof::merge(&singles).expect("in order");
        assert_eq!(ours.encode(), **proof, "{name}");
        let proven: Vec<_> = indexes
            .iter()
            .map(|&index| leaves[index as usize])
            .collect();
        let theirs = MultiProof::decode(proof).expect(name);
        let indexes = indexes.iter().copied().map(LeafIndex).collect();
        assert_eq!(theirs.verify(&hasher, root, &proven), Ok(indexes), "{name}");
    }
}
