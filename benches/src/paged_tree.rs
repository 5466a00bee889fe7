//! A counted tree of random leaves of which only the nodes over pages are kept: a page's leaves
//! are made again when a proof needs them.

use alloy_primitives::B256;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::convert::Infallible;
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{
        InclusionProof, Leaf, Node, Subtree, check_order, join_pages, page_siblings, root_of_sorted,
    },
};

/// About how many leaves a page has.
const PAGE_LEAVES: u64 = 3_000;

/// The tree.
#[derive(Debug)]
pub struct PagedTree {
    hasher: NodeHasher,
    seed: u64,
    leaves: u64,
    bits: u32,
    /// From the pages up.
    levels: Vec<Vec<Node>>,
}

impl PagedTree {
    /// A tree of about `leaves` leaves, at least one page of them, hashed on all threads.
    pub fn build(hasher: NodeHasher, leaves: u64, seed: u64) -> Self {
        let bits = (leaves / PAGE_LEAVES).max(1).ilog2();
        assert!(bits <= 16, "at most 2^16 pages");
        let mut tree = Self {
            hasher,
            seed,
            leaves,
            bits,
            levels: Vec::new(),
        };
        let root = |page| root_of_sorted(&hasher, &tree.page(page)).expect("pages are sorted");
        let pages = (0..1u64 << bits).into_par_iter().map(root).collect();
        tree.levels = join_pages(&hasher, pages).expect("there are 2^bits pages");
        tree
    }

    /// Its root.
    pub fn root(&self) -> Node {
        self.levels.last().map_or(Node::EMPTY, |top| top[0])
    }

    /// Number of pages.
    pub const fn pages(&self) -> u64 {
        1 << self.bits
    }

    /// The leaves of a page. Their number varies as that of hashed locations does.
    pub fn page(&self, page: u64) -> Vec<Leaf> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ (page << 32));
        let mean = self.leaves as f64 / self.pages() as f64;
        let tosses: u32 = (0..64).map(|_| random.next_u64().count_ones()).sum();
        let count = mean + (f64::from(tosses) - 2_048.0) / 32.0 * mean.sqrt();
        let mut leaves: Vec<Leaf> = (0..count.max(1.0) as u64)
            .map(|_| self.leaf(page, &mut random))
            .collect();
        leaves.sort_unstable();
        check_order(&leaves).expect("random locations differ");
        leaves
    }

    /// A value of 12 bytes, as balances have.
    fn leaf(&self, page: u64, random: &mut impl Rng) -> Leaf {
        let (mut location, mut value) = (B256::ZERO, B256::ZERO);
        random.fill_bytes(&mut location.0);
        random.fill_bytes(&mut value[20..]);
        let free =
            u16::from_be_bytes([location[0], location[1]]) & (u16::MAX as u32 >> self.bits) as u16;
        let prefix = ((page << (16 - self.bits)) as u16) | free;
        location[..2].copy_from_slice(&prefix.to_be_bytes());
        Leaf { location, value }
    }

    /// The proofs of leaves of a page, by their places in it, and their indexes in the tree.
    pub fn prove(&self, page: u64, places: &[usize]) -> Vec<(Leaf, LeafIndex, InclusionProof)> {
        let leaves = self.page(page);
        let subtree = Subtree::build(&self.hasher, &leaves).expect("pages are sorted");
        let node =
            |level: u32, at: u64| Ok::<_, Infallible>(self.levels[level as usize][at as usize]);
        let Ok(above) = page_siblings(self.bits, page, node);
        let before: u64 = self.levels[0][..page as usize]
            .iter()
            .map(|n| n.count)
            .sum();
        let prove = |place: &usize| {
            let mut proof = subtree
                .prove(LeafIndex(*place as u64))
                .expect("a leaf of the page");
            proof.siblings.extend(&above);
            (leaves[*place], LeafIndex(before + *place as u64), proof)
        };
        places.iter().map(prove).collect()
    }
}
