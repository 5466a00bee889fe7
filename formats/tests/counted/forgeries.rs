//! No altered proof of one leaf is accepted: a table of alterations and what each is refused with.

use super::model;
use alloy_primitives::B256;
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{
        CountOverflow, InclusionProof, Leaf, Node, ProofError, Sibling, Side, Subtree,
        inner_message,
    },
};

/// A tree of twelve leaves, and the proof of one that has siblings on both sides.
struct Case {
    hasher: NodeHasher,
    root: Node,
    leaf: Leaf,
    proof: InclusionProof,
}

const INDEX: LeafIndex = LeafIndex(5);

fn case() -> Case {
    let hasher = NodeHasher::default();
    let leaves = model::leaves(0..12);
    let tree = Subtree::build(&hasher, &leaves).expect("sorted");
    let proof = tree.prove(INDEX).expect("a leaf of the tree");
    let sides = |side| {
        proof
            .siblings
            .iter()
            .filter(move |sibling| sibling.side == side)
    };
    assert!(sides(Side::Left).count() >= 2 && sides(Side::Right).count() >= 1);
    Case {
        root: tree.root(),
        leaf: leaves[5],
        hasher,
        proof,
    }
}

impl Case {
    fn verify(&self) -> Result<LeafIndex, ProofError> {
        self.proof.verify(&self.hasher, self.root, &self.leaf)
    }

    fn count(&mut self, sibling: usize) -> &mut u64 {
        &mut self.proof.siblings[sibling].node.count
    }

    /// Two siblings of different counts on different sides.
    fn pair(&self) -> (usize, usize) {
        let siblings = &self.proof.siblings;
        let fits = |(a, b): &(usize, usize)| {
            let (a, b) = (siblings[*a], siblings[*b]);
            a.side != b.side && a.node.count != b.node.count
        };
        (0..siblings.len())
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .find(fits)
            .expect("two such siblings")
    }
}

/// What an alteration must be refused with.
enum Refused {
    Count { got: u64 },
    Root,
    Exactly(ProofError),
}

fn check(name: &str, alter: impl FnOnce(&mut Case) -> Refused) {
    let mut case = case();
    assert_eq!(case.verify(), Ok(INDEX), "{name}: before");
    let root = case.root;
    let expected = alter(&mut case);
    let error = case.verify().expect_err(name);
    match expected {
        Refused::Count { got } => assert_eq!(
            error,
            ProofError::Count {
                expected: case.root.count,
                got
            },
            "{name}"
        ),
        Refused::Root => assert!(
            matches!(error, ProofError::Root { expected, .. } if expected == case.root.hash),
            "{name}: {error}"
        ),
        Refused::Exactly(expected) => assert_eq!(error, expected, "{name}"),
    }
    assert!(case.root == root || name.contains("root"), "{name}");
}

#[test]
fn no_forged_count_is_accepted() {
    check("one leaf more", |case| {
        *case.count(0) += 1;
        Refused::Count { got: 13 }
    });
    check("one leaf fewer", |case| {
        let (a, b) = case.pair();
        let larger = if *case.count(a) > *case.count(b) {
            a
        } else {
            b
        };
        *case.count(larger) -= 1;
        Refused::Count { got: 11 }
    });
    check("a leaf moved from one sibling to another", |case| {
        let (a, b) = case.pair();
        *case.count(a) += 1;
        *case.count(b) -= 1;
        if *case.count(b) > 0 {
            return Refused::Root;
        }
        Refused::Exactly(ProofError::EmptySibling { sibling: b as u64 })
    });
    check("counts of two siblings swapped", |case| {
        let (a, b) = case.pair();
        let count = *case.count(a);
        *case.count(a) = core::mem::replace(case.count(b), count);
        Refused::Root
    });
    check("a sibling without leaves", |case| {
        *case.count(1) = 0;
        Refused::Exactly(ProofError::EmptySibling { sibling: 1 })
    });
    check("a count that overflows", |case| {
        *case.count(0) = u64::MAX;
        let (left, right) = match case.proof.siblings[0].side {
            Side::Left => (u64::MAX, 1),
            Side::Right => (1, u64::MAX),
        };
        Refused::Exactly(CountOverflow { left, right }.into())
    });
    check("counts that overflow together to the root's", |case| {
        let [first, second] = [*case.count(0), *case.count(1)];
        *case.count(0) = u64::MAX - 1;
        *case.count(1) = (first + second).wrapping_sub(u64::MAX - 1);
        let (left, right) = match case.proof.siblings[1].side {
            Side::Left => (*case.count(1), u64::MAX),
            Side::Right => (u64::MAX, *case.count(1)),
        };
        Refused::Exactly(CountOverflow { left, right }.into())
    });
    check("another count of the root", |case| {
        case.root.count += 1;
        Refused::Count { got: 12 }
    });
}

#[test]
fn no_displaced_sibling_is_accepted() {
    check("two siblings swapped", |case| {
        case.proof.siblings.swap(0, 1);
        Refused::Root
    });
    check("nodes of two siblings swapped", |case| {
        let (a, b) = case.pair();
        let node = case.proof.siblings[a].node;
        case.proof.siblings[a].node = core::mem::replace(&mut case.proof.siblings[b].node, node);
        Refused::Root
    });
    for at in 0..case().proof.siblings.len() {
        check("a side flipped", |case| {
            let side = &mut case.proof.siblings[at].side;
            *side = if *side == Side::Left {
                Side::Right
            } else {
                Side::Left
            };
            Refused::Root
        });
        check("a hash altered", |case| {
            case.proof.siblings[at].node.hash[31] ^= 1;
            Refused::Root
        });
    }
}

#[test]
fn no_other_depth_is_accepted() {
    let extra = |side| Sibling::new(side, Node::leaf(B256::repeat_byte(7)));
    for side in [Side::Left, Side::Right] {
        check("one sibling more at the top", |case| {
            case.proof.siblings.push(extra(side));
            Refused::Count { got: 13 }
        });
        check("one sibling more at the leaf", |case| {
            case.proof.siblings.insert(0, extra(side));
            Refused::Count { got: 13 }
        });
        check("257 siblings", |case| {
            case.proof.siblings.resize(257, extra(side));
            let (limit, got) = (256, 257);
            Refused::Exactly(ProofError::Depth { limit, got })
        });
    }
    check("the top sibling missing", |case| {
        let dropped = case.proof.siblings.pop().expect("a sibling");
        Refused::Count {
            got: 12 - dropped.node.count,
        }
    });
    check("the lowest sibling missing", |case| {
        let dropped = case.proof.siblings.remove(0);
        Refused::Count {
            got: 12 - dropped.node.count,
        }
    });
    check(
        "the lowest sibling missing, its leaves counted above",
        |case| {
            let dropped = case.proof.siblings.remove(0);
            *case.count(0) += dropped.node.count;
            Refused::Root
        },
    );
    check("no siblings", |case| {
        case.proof.siblings.clear();
        Refused::Count { got: 1 }
    });
}

#[test]
fn no_other_leaf_or_tree_is_accepted() {
    check("another value", |case| {
        case.leaf.value[31] ^= 1;
        Refused::Root
    });
    check("another location", |case| {
        case.leaf.location[0] ^= 1;
        Refused::Root
    });
    check("location and value exchanged", |case| {
        core::mem::swap(&mut case.leaf.location, &mut case.leaf.value);
        Refused::Root
    });
    check("a leaf of another period's tree", |case| {
        let leaves = model::leaves(100..112);
        let tree = Subtree::build(&case.hasher, &leaves).expect("sorted");
        case.leaf = leaves[5];
        case.proof = tree.prove(INDEX).expect("a leaf of the tree");
        case.proof
            .verify(&case.hasher, tree.root(), &case.leaf)
            .expect("good there");
        Refused::Root
    });
    check("the root of the empty tree", |case| {
        case.root = Node::EMPTY;
        Refused::Count { got: 12 }
    });
    check("a root of another hash function", |case| {
        let sha = NodeHasher::new(thinstate_formats::HashKind::Sha256);
        case.root = model::root(&sha, &model::leaves(0..12));
        Refused::Root
    });
}

/// An inner node's message is longer than a leaf's: no 64 bytes hash to what its 128 hash to. The
/// nearest that a forger can do is to present its first half, the two hashes, as location and value.
#[test]
fn no_inner_node_is_accepted_as_a_leaf() {
    for kind in thinstate_formats::HashKind::ALL {
        let hasher = NodeHasher::new(kind);
        let leaves = model::leaves(0..2);
        let [left, right] = [leaves[0].node(&hasher), leaves[1].node(&hasher)];
        let root = model::root(&hasher, &leaves);
        assert_eq!(hasher.hash(&inner_message(left, right)), root.hash);
        let forged = Leaf {
            location: left.hash,
            value: right.hash,
        };
        let claimed = Node::leaf(root.hash);
        for root in [root, claimed] {
            assert!(
                InclusionProof::default()
                    .verify(&hasher, root, &forged)
                    .is_err()
            );
        }
        let as_leaf = Node::leaf(hasher.hash(&forged.message()));
        assert_eq!(
            InclusionProof::default().verify(&hasher, as_leaf, &forged),
            Ok(LeafIndex(0))
        );
        assert_ne!(as_leaf.hash, root.hash, "{kind}");
    }
}
