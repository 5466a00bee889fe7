//! Proofs in counted trees that are too large to build.
//!
//! Hashed locations divide a set of n leaves as n tosses of a coin would. So a tree can be grown
//! from its root, only where proven leaves lie, and what lies beside them is one node with a random
//! hash and the count that it would have. What comes out are whole proofs, which encode and verify
//! as those of a real tree of n leaves, and have their distribution: `benches/proofs.rs` shows both
//! side by side. The expected number of siblings of a leaf is log2(n) + 0.33 (Euler's constant / ln 2
//! - 1/2; it would be 1 more if nodes with one half were not left out).

use alloy_primitives::B256;
use rand::{Rng, RngExt};
use thinstate_formats::{
    NodeHasher,
    counted::{InclusionProof, Leaf, Node, Sibling, Side, join},
};

/// Tosses up to this many are counted one by one; more are approximated by a normal distribution.
const EXACT_TOSSES: u64 = 4_096;

/// A tree, as far as its proven leaves need it.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// Its root.
    pub root: Node,
    /// The proven leaves, in order.
    pub leaves: Vec<Leaf>,
    /// Their proofs.
    pub proofs: Vec<InclusionProof>,
}

impl Synthetic {
    /// A random tree of `count` leaves and the proofs of those with these indexes, which ascend.
    pub fn grow(hasher: &NodeHasher, count: u64, indexes: &[u64], random: &mut impl Rng) -> Self {
        assert!(indexes.is_sorted_by(|a, b| a < b), "indexes ascend");
        assert!(
            indexes.last().is_none_or(|last| *last < count),
            "indexes of leaves"
        );
        let mut tree = Self {
            root: Node::EMPTY,
            leaves: indexes.iter().map(|index| leaf(*index, random)).collect(),
            proofs: vec![InclusionProof::default(); indexes.len()],
        };
        tree.root = tree.node(hasher, count, indexes, 0, random);
        tree
    }

    /// The node over `count` leaves, among them proven ones from number `first` on.
    fn node(
        &mut self,
        hasher: &NodeHasher,
        count: u64,
        indexes: &[u64],
        first: usize,
        random: &mut impl Rng,
    ) -> Node {
        if indexes.is_empty() {
            return Node {
                hash: random.random::<[u8; 32]>().into(),
                count,
            };
        }
        if count == 1 {
            return self.leaves[first].node(hasher);
        }
        let left_count = heads(count, random);
        let at = indexes.partition_point(|index| *index < left_count);
        let right_indexes: Vec<u64> = indexes[at..]
            .iter()
            .map(|index| index - left_count)
            .collect();
        let left = self.node(hasher, left_count, &indexes[..at], first, random);
        let right = self.node(
            hasher,
            count - left_count,
            &right_indexes,
            first + at,
            random,
        );
        for proof in &mut self.proofs[first..first + at] {
            proof.siblings.push(Sibling::new(Side::Right, right));
        }
        for proof in &mut self.proofs[first + at..first + indexes.len()] {
            proof.siblings.push(Sibling::new(Side::Left, left));
        }
        join(hasher, left, right).expect("the counts add up to that of the tree")
    }
}

/// A leaf whose location ascends with its index; a value of 12 bytes, as balances have.
fn leaf(index: u64, random: &mut impl Rng) -> Leaf {
    let (mut location, mut value) = (B256::ZERO, B256::ZERO);
    location[..8].copy_from_slice(&index.to_be_bytes());
    random.fill_bytes(&mut location[8..]);
    random.fill_bytes(&mut value[20..]);
    Leaf { location, value }
}

/// How many of `tosses` coins show heads, given that not all show the same.
fn heads(tosses: u64, random: &mut impl Rng) -> u64 {
    loop {
        let heads = if tosses <= EXACT_TOSSES {
            count_heads(tosses, random)
        } else {
            let deviations = (count_heads(4_096, random) as f64 - 2_048.0) / 32.0;
            (tosses as f64 / 2.0 + deviations * (tosses as f64).sqrt() / 2.0).round() as u64
        };
        if (1..tosses).contains(&heads) {
            return heads;
        }
    }
}

fn count_heads(tosses: u64, random: &mut impl Rng) -> u64 {
    let whole: u64 = (0..tosses / 64)
        .map(|_| u64::from(random.next_u64().count_ones()))
        .sum();
    let rest = random.next_u64() & ((1 << (tosses % 64)) - 1);
    whole + u64::from(rest.count_ones())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use thinstate_formats::{LeafIndex, counted::MultiProof};

    #[test]
    fn no_synthetic_proof_is_refused() {
        let hasher = NodeHasher::default();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for count in [1, 2, 3, 100, 5_000, 34_000_000_000] {
            let mut indexes = vec![0, count / 3, count / 2, count - 1];
            indexes.dedup();
            let tree = Synthetic::grow(&hasher, count, &indexes, &mut random);
            let expected: Vec<_> = indexes.into_iter().map(LeafIndex).collect();
            for ((proof, leaf), index) in tree.proofs.iter().zip(&tree.leaves).zip(&expected) {
                assert_eq!(proof.verify(&hasher, tree.root, leaf), Ok(*index));
            }
            let multi = MultiProof::merge(&tree.proofs).expect("proofs of one tree");
            assert_eq!(multi.verify(&hasher, tree.root, &tree.leaves), Ok(expected));
        }
    }

    #[test]
    fn no_depth_strays_from_what_is_expected() {
        let hasher = NodeHasher::default();
        let mut random = ChaCha8Rng::seed_from_u64(2);
        for count in [1_000u64, 1_000_000, 34_000_000_000] {
            let mut depth = || {
                let index = random.random_range(0..count);
                let tree = Synthetic::grow(&hasher, count, &[index], &mut random);
                tree.proofs[0].siblings.len() as f64
            };
            let mean = (0..1_000).map(|_| depth()).sum::<f64>() / 1_000.0;
            let expected = (count as f64).log2() + 0.3327;
            assert!(
                (mean - expected).abs() < 0.25,
                "{mean}, expected {expected}"
            );
        }
    }
}
