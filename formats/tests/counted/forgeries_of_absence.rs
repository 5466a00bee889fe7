//! No leaf that is there is proven absent.

use super::model;
use alloy_primitives::{B256, U256};
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{
        ExclusionProof, InclusionProof, Leaf, LocationProof, MultiProof, Node, ProofError, Subtree,
    },
};

struct Case {
    hasher: NodeHasher,
    tree: Subtree,
    leaves: Vec<Leaf>,
}

fn case() -> Case {
    let hasher = NodeHasher::default();
    let leaves = model::leaves(0..12);
    Case {
        tree: Subtree::build(&hasher, &leaves).expect("sorted"),
        leaves,
        hasher,
    }
}

impl Case {
    fn single(&self, index: usize) -> InclusionProof {
        let proof = self.tree.prove(LeafIndex(index as u64));
        proof.expect("a leaf of the tree")
    }

    fn between(&self, left: usize, right: usize) -> ExclusionProof {
        ExclusionProof::Between {
            left: self.leaves[left],
            right: self.leaves[right],
            proof: MultiProof::merge(&[self.single(left), self.single(right)]).expect("in order"),
        }
    }

    fn before(&self, index: usize) -> ExclusionProof {
        ExclusionProof::BeforeFirst {
            first: self.leaves[index],
            proof: self.single(index),
        }
    }

    fn after(&self, index: usize) -> ExclusionProof {
        ExclusionProof::AfterLast {
            last: self.leaves[index],
            proof: self.single(index),
        }
    }

    fn verify(&self, proof: &ExclusionProof, location: B256) -> Result<(), ProofError> {
        proof.verify(&self.hasher, self.tree.root(), &location)
    }

    fn location(&self, index: usize) -> B256 {
        self.leaves[index].location
    }
}

fn above(location: B256) -> B256 {
    (U256::from_be_bytes(location.0) + U256::from(1)).into()
}

#[test]
fn no_gap_over_a_leaf_is_accepted() {
    let case = case();
    let [left, right] = [LeafIndex(3), LeafIndex(5)];
    let error = Err(ProofError::NotAdjacent { left, right });
    assert_eq!(case.verify(&case.between(3, 5), case.location(4)), error);
    assert_eq!(
        case.verify(&case.between(3, 5), above(case.location(3))),
        error
    );
    assert_eq!(
        case.verify(&case.between(3, 4), above(case.location(3))),
        Ok(())
    );
    let outermost = |expected, got| {
        let [expected, got] = [expected, got].map(LeafIndex);
        Err(ProofError::NotOutermost { expected, got })
    };
    assert_eq!(
        case.verify(&case.before(1), case.location(0)),
        outermost(0, 1)
    );
    assert_eq!(
        case.verify(&case.after(10), case.location(11)),
        outermost(11, 10)
    );
    assert_eq!(case.verify(&case.before(0), B256::ZERO), Ok(()));
    assert_eq!(
        case.verify(&case.after(11), B256::repeat_byte(0xff)),
        Ok(())
    );
}

#[test]
fn no_present_location_is_excluded() {
    let case = case();
    for (proof, index) in [
        (case.between(3, 4), 3),
        (case.between(3, 4), 4),
        (case.before(0), 0),
        (case.after(11), 11),
    ] {
        let location = case.location(index);
        assert_eq!(
            case.verify(&proof, location),
            Err(ProofError::Present { location })
        );
    }
}

#[test]
fn no_location_outside_of_the_gap_is_excluded() {
    let case = case();
    let between = case.between(3, 4);
    for got in [case.location(2), case.location(5), B256::ZERO] {
        let (above, below) = (Some(case.location(3)), Some(case.location(4)));
        let expected = ProofError::Outside { above, below, got };
        assert_eq!(case.verify(&between, got), Err(expected));
        assert!(expected.to_string().contains(" and below "), "{expected}");
    }
    let (above, below, got) = (None, Some(case.location(0)), case.location(1));
    let expected = ProofError::Outside { above, below, got };
    assert_eq!(case.verify(&case.before(0), got), Err(expected));
    let (above, below, got) = (Some(case.location(11)), None, case.location(1));
    let expected = ProofError::Outside { above, below, got };
    assert_eq!(case.verify(&case.after(11), got), Err(expected));
}

#[test]
fn no_full_tree_passes_for_empty() {
    let case = case();
    let error = case.verify(&ExclusionProof::EmptyTree, case.location(4));
    assert_eq!(
        error,
        Err(ProofError::Count {
            expected: 12,
            got: 0
        })
    );
    let forged = Node {
        hash: B256::repeat_byte(1),
        count: 0,
    };
    let error = ExclusionProof::EmptyTree.verify(&case.hasher, forged, &B256::ZERO);
    assert!(matches!(error, Err(ProofError::Root { .. })), "{error:?}");
}

#[test]
fn no_proof_of_another_tree_is_accepted() {
    let case = case();
    let leaves = model::leaves(50..62);
    let other = Subtree::build(&case.hasher, &leaves).expect("sorted");
    for location in [B256::ZERO, B256::repeat_byte(0x80), B256::repeat_byte(0xff)] {
        let LocationProof::Excluded(proof) = other.prove_location(&leaves, &location) else {
            panic!("no leaf lies there");
        };
        assert_eq!(proof.verify(&case.hasher, other.root(), &location), Ok(()));
        let error = case.verify(&proof, location);
        assert!(matches!(error, Err(ProofError::Root { .. })), "{error:?}");
    }
}

#[test]
fn no_neighbour_with_another_value_is_accepted() {
    let case = case();
    let mut forged = case.between(3, 4);
    if let ExclusionProof::Between { right, .. } = &mut forged {
        right.value[31] ^= 1;
    }
    let error = case.verify(&forged, above(case.location(3)));
    assert!(matches!(error, Err(ProofError::Root { .. })), "{error:?}");
}
