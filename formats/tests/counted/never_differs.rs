//! No root, proof or index differs from the specification's.

use super::model;
use alloy_primitives::B256;
use proptest::prelude::*;
use thinstate_formats::{
    HashKind, LeafIndex, NodeHasher,
    counted::{
        ExclusionProof, InclusionProof, Leaf, LocationProof, MAX_DEPTH, MultiProof, Node,
        PagesError, Subtree, join_pages, leaf_hashes, page_of, page_siblings, root_of_sorted,
    },
};

fn hashers() -> impl Iterator<Item = NodeHasher> {
    HashKind::ALL.into_iter().map(NodeHasher::new)
}

fn check_every_leaf(hasher: &NodeHasher, leaves: &[Leaf]) {
    let tree = Subtree::build(hasher, leaves).expect("sorted");
    let root = model::root(hasher, leaves);
    assert_eq!(tree.root(), root);
    assert_eq!(root_of_sorted(hasher, leaves), Ok(root));
    for (at, leaf) in leaves.iter().enumerate() {
        let index = LeafIndex(at as u64);
        let proof = tree.prove(index).expect("a leaf of the tree");
        assert_eq!(proof, model::proof(hasher, leaves, leaf));
        assert_eq!(proof.verify(hasher, root, leaf), Ok(index));
        assert_eq!(InclusionProof::decode(&proof.encode()), Ok(proof));
    }
    assert_eq!(tree.prove(LeafIndex(leaves.len() as u64)), None);
}

/// What the tree says of a location, checked, is what the leaves say.
fn check_location(hasher: &NodeHasher, leaves: &[Leaf], location: B256) {
    let tree = Subtree::build(hasher, leaves).expect("sorted");
    let found = leaves.iter().position(|leaf| leaf.location == location);
    match tree.prove_location(leaves, &location) {
        LocationProof::Included { leaf, index, proof } => {
            assert_eq!(Some(index.0 as usize), found);
            assert_eq!(leaf, leaves[index.0 as usize]);
            assert_eq!(proof.verify(hasher, tree.root(), &leaf), Ok(index));
        }
        LocationProof::Excluded(proof) => {
            assert_eq!(found, None);
            assert_eq!(proof.verify(hasher, tree.root(), &location), Ok(()));
            assert_eq!(ExclusionProof::decode(&proof.encode()), Ok(proof));
        }
    }
}

fn check_many(hasher: &NodeHasher, leaves: &[Leaf], chosen: &[usize]) {
    let tree = Subtree::build(hasher, leaves).expect("sorted");
    let indexes: Vec<_> = chosen.iter().map(|&at| LeafIndex(at as u64)).collect();
    let single = |index: &LeafIndex| tree.prove(*index).expect("a leaf of the tree");
    let singles: Vec<_> = indexes.iter().map(single).collect();
    let many = MultiProof::merge(&singles).expect("in the order of the leaves");
    let proven: Vec<_> = chosen.iter().map(|&at| leaves[at]).collect();
    assert_eq!(many.verify(hasher, tree.root(), &proven), Ok(indexes));
    let bytes = many.encode();
    assert_eq!(MultiProof::decode(&bytes), Ok(many));
    if singles.len() > 1 {
        let apart: usize = singles.iter().map(|proof| proof.encode().len()).sum();
        assert!(bytes.len() < apart, "{} bytes, {apart} apart", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_tree_differs_from_the_specification(leaves in model::any_leaves(40)) {
        for hasher in hashers() {
            check_every_leaf(&hasher, &leaves);
        }
    }

    #[test]
    fn no_location_is_answered_wrongly(leaves in model::any_leaves(20), other: [u8; 32]) {
        let hasher = NodeHasher::default();
        let mut locations: Vec<_> = leaves.iter().map(|leaf| leaf.location).collect();
        let beside = |location: &B256| {
            let number = alloy_primitives::U256::from_be_bytes(location.0);
            let one = alloy_primitives::U256::from(1);
            [number.wrapping_add(one), number.wrapping_sub(one)].map(B256::from)
        };
        locations.extend(locations.clone().iter().flat_map(beside));
        locations.extend([B256::ZERO, B256::repeat_byte(0xff), other.into()]);
        for location in locations {
            check_location(&hasher, &leaves, location);
        }
    }

    #[test]
    fn no_proof_of_many_gives_other_indexes(
        leaves in model::any_leaves(60),
        chosen in proptest::collection::btree_set(0usize..60, 1..20),
    ) {
        let chosen: Vec<_> = chosen.into_iter().filter(|&at| at < leaves.len()).collect();
        if !chosen.is_empty() {
            check_many(&NodeHasher::default(), &leaves, &chosen);
        }
    }

    #[test]
    fn no_tree_of_pages_differs_from_the_tree(leaves in model::any_leaves(60), bits in 0u32..6) {
        let hasher = NodeHasher::default();
        let page_of = |leaf: &Leaf| page_of(&leaf.location, bits);
        let trees: Vec<_> = (0..1 << bits)
            .map(|page| leaves.iter().copied().filter(|leaf| page_of(leaf) == page).collect())
            .map(|leaves: Vec<Leaf>| Subtree::build(&hasher, &leaves).expect("sorted"))
            .collect();
        let levels = join_pages(&hasher, trees.iter().map(Subtree::root).collect()).expect("2^bits");
        let root = model::root(&hasher, &leaves);
        prop_assert_eq!(levels.last(), Some(&vec![root]));
        let mut before = vec![0u64; 1 << bits];
        for leaf in &leaves {
            let page = page_of(leaf);
            let index = LeafIndex(before[page as usize]);
            before[page as usize] += 1;
            let mut siblings = trees[page as usize].siblings(index).expect("a leaf of the page");
            let above = page_siblings::<()>(bits, page, |level, index| {
                Ok(levels[level as usize][index as usize])
            });
            siblings.extend(above.expect("nodes are there"));
            prop_assert_eq!(InclusionProof { siblings }, model::proof(&hasher, &leaves, leaf));
        }
    }
}

#[test]
fn no_location_is_too_deep() {
    let hasher = NodeHasher::default();
    let leaves = model::deepest();
    assert_eq!(leaves.len(), MAX_DEPTH + 1);
    check_every_leaf(&hasher, &leaves);
    let tree = Subtree::build(&hasher, &leaves).expect("sorted");
    let deepest = tree.prove(LeafIndex(0)).expect("the first leaf");
    assert_eq!(deepest.siblings.len(), MAX_DEPTH);
    check_many(&hasher, &leaves, &[0, 1, 200]);
    check_location(&hasher, &leaves, B256::with_last_byte(3));
}

#[test]
fn no_chunk_shows_in_a_root() {
    let hasher = NodeHasher::default();
    let leaves = model::leaves(0..20_000);
    let whole = Subtree::build(&hasher, &leaves).expect("sorted");
    assert_eq!(root_of_sorted(&hasher, &leaves), Ok(whole.root()));
    for at in [0, 4_095, 4_096, 19_999] {
        let proof = whole.prove(LeafIndex(at)).expect("a leaf of the tree");
        let leaf = &leaves[at as usize];
        assert_eq!(proof.verify(&hasher, whole.root(), leaf), Ok(LeafIndex(at)));
    }
}

#[test]
fn no_batch_of_leaves_differs_from_hashing_one_by_one() {
    for hasher in hashers() {
        let leaves = model::leaves(0..1_100);
        let hashes = leaf_hashes(&hasher, &leaves);
        let one_by_one: Vec<_> = leaves.iter().map(|leaf| leaf.node(&hasher).hash).collect();
        assert_eq!(hashes, one_by_one);
    }
}

#[test]
fn no_number_of_pages_but_a_power_of_two_is_joined() {
    let hasher = NodeHasher::default();
    for got in [0, 3, 6] {
        let refused = join_pages(&hasher, vec![Node::EMPTY; got as usize]);
        assert_eq!(refused, Err(PagesError::NotPowerOfTwo { got }));
    }
}

#[test]
fn no_unsorted_leaves_get_a_root() {
    let hasher = NodeHasher::default();
    let mut leaves = model::leaves(0..5);
    leaves.swap(1, 2);
    assert!(root_of_sorted(&hasher, &leaves).is_err());
    assert!(Subtree::build(&hasher, &leaves).is_err());
}
