//! No altered proof of many leaves is accepted.

use super::model;
use alloy_primitives::B256;
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{Leaf, MergeError, MultiProof, Node, ProofError, Step, Subtree},
};

struct Case {
    hasher: NodeHasher,
    root: Node,
    all: Vec<Leaf>,
    leaves: Vec<Leaf>,
    proof: MultiProof,
}

const CHOSEN: [u64; 3] = [2, 3, 9];

fn case() -> Case {
    let hasher = NodeHasher::default();
    let all = model::leaves(0..12);
    let tree = Subtree::build(&hasher, &all).expect("sorted");
    let single = |index: u64| tree.prove(LeafIndex(index)).expect("a leaf of the tree");
    Case {
        root: tree.root(),
        leaves: CHOSEN.map(|index| all[index as usize]).to_vec(),
        proof: MultiProof::merge(&CHOSEN.map(single)).expect("in order"),
        hasher,
        all,
    }
}

impl Case {
    fn verify(&self) -> Result<Vec<LeafIndex>, ProofError> {
        self.proof.verify(&self.hasher, self.root, &self.leaves)
    }

    fn position(&self, step: Step) -> usize {
        let found = self.proof.steps.iter().position(|other| *other == step);
        found.expect("such a step")
    }
}

fn refused(alter: impl FnOnce(&mut Case)) -> ProofError {
    let mut case = case();
    assert_eq!(case.verify(), Ok(CHOSEN.map(LeafIndex).to_vec()));
    alter(&mut case);
    case.verify().expect_err("an altered proof")
}

#[test]
fn no_other_set_of_leaves_is_accepted() {
    let (expected, got) = (3, 2);
    assert_eq!(
        refused(|case| {
            let _ = case.leaves.pop();
        }),
        ProofError::LeafCount { expected, got }
    );
    let (expected, got) = (3, 4);
    let more = refused(|case| case.leaves.insert(0, case.all[0]));
    assert_eq!(more, ProofError::LeafCount { expected, got });
    let repeated = refused(|case| case.leaves[1] = case.leaves[0]);
    assert!(
        matches!(repeated, ProofError::LeafOrder { index: 1, .. }),
        "{repeated}"
    );
    let unsorted = refused(|case| case.leaves.swap(1, 2));
    assert!(
        matches!(unsorted, ProofError::LeafOrder { index: 2, .. }),
        "{unsorted}"
    );
    let another = refused(|case| case.leaves[2] = case.all[10]);
    assert!(matches!(another, ProofError::Root { .. }), "{another}");
    let absent = refused(|case| case.leaves[2].location[31] ^= 1);
    assert!(matches!(absent, ProofError::Root { .. }), "{absent}");
    let value = refused(|case| case.leaves[0].value[0] ^= 1);
    assert!(matches!(value, ProofError::Root { .. }), "{value}");
}

#[test]
fn no_forged_sibling_is_accepted() {
    let count = refused(|case| case.proof.siblings[0].count += 1);
    assert_eq!(
        count,
        ProofError::Count {
            expected: 12,
            got: 13
        }
    );
    let empty = refused(|case| case.proof.siblings[1].count = 0);
    assert_eq!(empty, ProofError::EmptySibling { sibling: 1 });
    let overflow = refused(|case| case.proof.siblings[0].count = u64::MAX);
    assert!(
        matches!(overflow, ProofError::CountOverflow(_)),
        "{overflow}"
    );
    let moved = refused(|case| {
        let at = case.proof.siblings.iter().position(|node| node.count > 1);
        let from = at.expect("a sibling of two leaves");
        let to = (from + 1) % case.proof.siblings.len();
        case.proof.siblings[from].count -= 1;
        case.proof.siblings[to].count += 1;
    });
    assert!(matches!(moved, ProofError::Root { .. }), "{moved}");
    let swapped = refused(|case| case.proof.siblings.swap(0, 1));
    assert!(matches!(swapped, ProofError::Root { .. }), "{swapped}");
    let siblings = case().proof.siblings.len() as u64;
    let missing = refused(|case| {
        let _ = case.proof.siblings.pop();
    });
    let (expected, got) = (siblings, siblings - 1);
    assert_eq!(missing, ProofError::SiblingCount { expected, got });
    let more = refused(|case| case.proof.siblings.push(Node::leaf(B256::ZERO)));
    let (expected, got) = (siblings, siblings + 1);
    assert_eq!(more, ProofError::SiblingCount { expected, got });
}

#[test]
fn no_other_shape_is_accepted() {
    let steps = case().proof.steps.len() as u64;
    let flipped = refused(|case| {
        let (leaf, sibling) = (case.position(Step::Leaf), case.position(Step::Sibling));
        case.proof.steps.swap(leaf, sibling);
    });
    assert!(matches!(flipped, ProofError::Root { .. }), "{flipped}");
    let cut = refused(|case| case.proof.steps[0] = Step::Leaf);
    assert!(
        matches!(
            cut,
            ProofError::LeafCount {
                expected: 4,
                got: 3
            }
        ),
        "{cut}"
    );
    let ends = refused(|case| case.proof.steps.insert(0, Step::Join));
    assert_eq!(ends, ProofError::StepsEnd { step: steps + 1 });
    let trails = refused(|case| {
        let _ = case.proof.steps.remove(0);
    });
    assert!(matches!(trails, ProofError::StepsTrail { .. }), "{trails}");
    let nothing = refused(|case| {
        case.leaves.clear();
        case.proof = MultiProof {
            steps: vec![Step::Sibling],
            siblings: vec![case.root],
        };
    });
    assert_eq!(nothing, ProofError::NoLeaves);
    let empty = refused(|case| {
        case.leaves.clear();
        case.proof = MultiProof::default();
    });
    assert_eq!(empty, ProofError::NoLeaves);
    let deep = refused(|case| {
        case.leaves.truncate(1);
        case.proof.steps = [
            [Step::Join; 257].as_slice(),
            &[Step::Leaf],
            &[Step::Sibling; 257],
        ]
        .concat();
        case.proof.siblings = vec![Node::leaf(B256::ZERO); 257];
    });
    assert_eq!(
        deep,
        ProofError::Depth {
            limit: 256,
            got: 257
        }
    );
}

/// A sibling taken apart into its halves is true, but another form of the same proof.
#[test]
fn no_needless_join_is_accepted() {
    let mut case = case();
    let tree = Subtree::build(&case.hasher, &case.all).expect("sorted");
    let at = case.proof.siblings.iter().position(|node| node.count == 2);
    let at = at.expect("a sibling of two leaves");
    let is_sibling = |(_, step): &(usize, &Step)| **step == Step::Sibling;
    let steps = case.proof.steps.iter().enumerate().filter(is_sibling);
    let (step, _) = { steps }.nth(at).expect("a step for each sibling");
    let pair = case
        .all
        .windows(2)
        .map(|pair| pair.iter().map(|leaf| leaf.node(&case.hasher)));
    let halves = { pair }
        .map(Iterator::collect::<Vec<_>>)
        .find(|pair| model_join(&case.hasher, pair) == case.proof.siblings[at])
        .expect("the sibling's two leaves");
    case.proof.siblings.splice(at..=at, halves);
    let apart = [Step::Join, Step::Sibling, Step::Sibling];
    case.proof.steps.splice(step..=step, apart);
    assert_eq!(case.root, tree.root());
    let step = step as u64;
    assert_eq!(case.verify(), Err(ProofError::NeedlessJoin { step }));
}

fn model_join(hasher: &NodeHasher, pair: &[Node]) -> Node {
    thinstate_formats::counted::join(hasher, pair[0], pair[1]).expect("two leaves")
}

#[test]
fn no_proofs_out_of_order_are_merged() {
    let case = case();
    let tree = Subtree::build(&case.hasher, &case.all).expect("sorted");
    let merge = |indexes: &[u64]| {
        let single = |index: &u64| tree.prove(LeafIndex(*index)).expect("a leaf of the tree");
        MultiProof::merge(&indexes.iter().map(single).collect::<Vec<_>>())
    };
    assert_eq!(merge(&[]), Err(MergeError::NoProofs));
    assert_eq!(
        merge(&[1, 3, 2]),
        Err(MergeError::NotToTheRight { proof: 2 })
    );
    assert_eq!(
        merge(&[1, 4, 4]),
        Err(MergeError::NotToTheRight { proof: 2 })
    );
    assert_eq!(merge(&[11, 0]), Err(MergeError::NotToTheRight { proof: 1 }));
    let mut deep = tree.prove(LeafIndex(0)).expect("a leaf of the tree");
    deep.siblings.resize(257, deep.siblings[0]);
    let (proof, limit, got) = (0, 256, 257);
    assert_eq!(
        MultiProof::merge(&[deep]),
        Err(MergeError::Depth { proof, limit, got })
    );
}
