//! The counted tree: a binary tree over the entries of one period, in which every node commits to
//! the number of leaves below it. A proof of a leaf therefore proves the leaf's index.
//!
//! # Hashing
//!
//! `H` is one of [`HashKind`](crate::HashKind)'s functions. Two messages are hashed, told apart by
//! their length alone; nothing else is ever hashed in this tree.
//!
//! ```text
//! leaf    64 bytes |0  location        |32  value           |
//! inner  128 bytes |0  left hash       |32  right hash      |64 left count |72 right count |80 zeros |
//!                                                            u64 LE         u64 LE          48 bytes
//! ```
//!
//! A node is a hash and a count ([`Node`]):
//!
//! | tree of | hash | count |
//! |---|---|---|
//! | no leaves | 32 zero bytes ([`Node::EMPTY`]) | 0 |
//! | one leaf | `H(leaf)` | 1 |
//! | more | `H(inner)` of its two halves | the sum of their counts |
//!
//! An inner node always has two halves, neither of them empty (arity 2).
//!
//! # Shape
//!
//! Bits of a location are numbered from 0, the most significant bit of its first byte. The leaves of
//! a node are divided by the first bit in which any two of their locations differ: those with 0 to
//! the left, those with 1 to the right. Locations are distinct, so that each set of leaves has
//! exactly one shape, of at most 256 levels, whatever the order in which its leaves came and went:
//! a live tree that is kept up to date and a tree that is built at the seal end in the same root.
//! Under a fixed prefix of bits (a *page*) lies one whole subtree, the tree of the page's own
//! leaves; pages are joined pairwise, an empty one letting the other through ([`join_pages`]).
//!
//! # What a proof proves, and why the count is hashed
//!
//! A verifier knows the root, hash and count. From a leaf upwards it joins the node it has with the
//! sibling that the proof names, recomputing hash and count, and accepts only if both are the
//! root's. The leaf's index is the sum of the counts of the siblings to its left. Were a count not
//! inside the hash, a prover could lend any leaf any index by lying about siblings, and would spend
//! the bit of another leaf, or the same leaf twice. The root's own count need not be trusted: it
//! follows from the root's hash.
//!
//! A verifier checks: at most 256 siblings; no sibling of count 0; sums that do not overflow; the
//! root's count; the root's hash. That shape and order follow the rule above it takes from the root,
//! which every node of the network computes from the same leaves.
//!
//! - [`InclusionProof`]: a leaf and its index.
//! - [`ExclusionProof`]: no leaf has this location. Its neighbours are in the tree, with indexes `i`
//!   and `i + 1`, and the location lies between; or it lies before the first leaf, or after the last; or
//!   the tree is empty. For one tree and location there is exactly one such proof.
//! - [`MultiProof`]: many leaves and their indexes; nodes that are shared are given once, and what the
//!   proven leaves determine is not given at all.
//!
//! # Bytes of proofs
//!
//! One proof has one encoding; anything else is refused ([`DecodeError`]), trailing bytes included.
//! `varint` is LEB128 in its shortest form.
//!
//! ```text
//! node       | hash 32 | count varint |
//! leaf       | location 32 | length u8 (0 to 32) | value without leading zero bytes |
//! inclusion  | siblings varint (0 to 256) | sides | nodes, from the leaf upwards |
//!            sides: bit i % 8 of byte i / 8 is 1 where sibling i stands on the left; the rest 0
//! multi      | steps varint (odd) | codes | nodes, in the order of their steps |
//!            steps: the tree from the root, a node before its halves, left before right
//!            codes: bits 2 (i % 4) and 2 (i % 4) + 1 of byte i / 4; the rest 0
//!                   0 sibling (its node is given)   1 proven leaf   2 join of the next two
//! exclusion  | 0 |                           the tree is empty
//!            | 1 | leaf | inclusion |        before the first leaf
//!            | 2 | leaf | inclusion |        after the last leaf
//!            | 3 | leaf | leaf | multi |     between two neighbours
//! ```
//!
//! # Cost
//!
//! Of n leaves with hashed locations: n hashes of 64 bytes, n - 1 of 128; about log2(n) + 0.3
//! siblings in a proof, of 33 to 38 bytes each. `data/counted-tree.json` holds test vectors.
//!
//! ```
//! use thinstate_formats::{LeafIndex, NodeHasher, counted::{InclusionProof, Leaf, Subtree}};
//! # use alloy_primitives::B256;
//! let hasher = NodeHasher::default();
//! let leaves = [1, 2, 9].map(|byte| Leaf {
//!     location: B256::repeat_byte(byte),
//!     value: B256::with_last_byte(7),
//! });
//! let tree = Subtree::build(&hasher, &leaves)?;
//! let bytes = tree.prove(LeafIndex(2)).expect("there are three leaves").encode();
//!
//! let proof = InclusionProof::decode(&bytes)?;
//! assert_eq!(proof.verify(&hasher, tree.root(), &leaves[2])?, LeafIndex(2));
//! assert!(proof.verify(&hasher, tree.root(), &leaves[1]).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod error;
mod exclusion;
mod inclusion;
mod joins;
mod merge;
mod multi;
mod node;
mod pages;
mod sorted;
mod subtree;

pub use codec::{DecodeError, LeafBytes};
pub use error::ProofError;
pub use exclusion::{ExclusionProof, LocationProof};
pub use inclusion::{InclusionProof, Sibling, Side};
pub use merge::MergeError;
pub use multi::{MAX_STEPS, MultiProof, Step};
pub use node::{
    CountOverflow, INNER_MESSAGE_BYTES, LEAF_MESSAGE_BYTES, Leaf, Node, inner_message, join,
    leaf_hashes,
};
pub use pages::{MAX_PAGE_BITS, PagesError, join_pages, page_of, page_siblings};
pub use sorted::{OrderError, bit, check_order, first_differing_bit};
pub use subtree::{Subtree, root_of_sorted};

/// Most joins between a leaf and the root: locations have this many bits.
pub const MAX_DEPTH: usize = 256;
