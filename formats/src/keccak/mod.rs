//! keccak256 of many messages at once, in as many lanes as the CPU has, chosen at run time.
//!
//! A trie's nodes are hashed level by level, and all nodes of a level are independent of each
//! other. A vector register holds the same word of several keccak states, so one pass of the
//! permutation advances several messages by one block:
//!
//! ```text
//!                  lane 0   lane 1   ...   lane 7
//!  word  0 (zmm)  [  m0   |   m1   | ... |   m7  ]      25 registers, one permutation,
//!  ...                                                  8 messages one block further
//!  word 24 (zmm)  [  m0   |   m1   | ... |   m7  ]
//! ```
//!
//! | width | instructions | where |
//! |---|---|---|
//! | [`LaneWidth::X8`] | AVX-512F, AVX-512BW | x86-64 |
//! | [`LaneWidth::X4`] | AVX2 | x86-64 |
//! | [`LaneWidth::X2`] | NEON | aarch64 |
//! | [`LaneWidth::Scalar`] | `alloy_primitives::keccak256`, assembly | everywhere |
//!
//! # Filling the lanes
//!
//! Messages differ in length: a leaf is one block of 136 bytes, a full branch (532 bytes) is four,
//! code of 24 KiB is 181. A batch is worked through longest first, in windows of as many
//! consecutive messages as there are lanes; a window runs to its longest message. Lanes idle where
//! a window's messages differ, but over a whole batch that adds up to no more blocks than the
//! longest message has, since each window starts where the one before ended. Where even that is
//! too much (one code among a thousand leaves), or where too few messages remain, the longest of
//! the window are hashed one at a time instead: whatever the measured costs say is cheaper.
//!
//! # Invariants
//!
//! * Digests come in the order of the messages, and are the same at every width.
//! * [`HashCount::permutations`] is what the messages need, the same at every width: gates on
//!   hashing cost compare it across machines.
//!
//! # Cost
//!
//! Nothing is allocated for a message; a call allocates the output, and eight bytes for each
//! message where their numbers of blocks differ. On a Sapphire Rapids core, batches of 1,024
//! messages, nanoseconds for each permutation that the messages need (best of 300 runs, on a machine
//! with other load):
//!
//! | width | permutation alone | 32 B | 64 B | 110 B | 532 B | mixed |
//! |---|---|---|---|---|---|---|
//! | scalar | | 321 | 320 | 326 | 318 | 320 |
//! | x4 AVX2 | 132 | 149 | 151 | 154 | 146 | 149 |
//! | x8 AVX-512 | 47 | 59 | 61 | 61 | 56 | 60 |
//!
//! On 2 cores of an AMD EPYC, with other load too, and how often the bare permutation fits into each: no width
//! is above 1.3 times its floor ([`BatchHasher::permute_only`]).
//!
//! | width | permutation alone | 32 B | 64 B | 110 B | 532 B | mixed |
//! |---|---|---|---|---|---|---|
//! | scalar | 265.8 | 280.8 (1.06) | 278.8 (1.05) | 279.3 (1.05) | 267.8 (1.01) | 272.4 (1.02) |
//! | x4 AVX2 | 93.4 | 106.7 (1.14) | 107.3 (1.15) | 109.4 (1.17) | 102.2 (1.09) | 106.8 (1.14) |
//! | x8 AVX-512 | 49.5 | 58.4 (1.18) | 59.1 (1.19) | 59.2 (1.20) | 54.9 (1.11) | 58.3 (1.18) |
//!
//! The benchmark `keccak` measures it anew, with these ratios in one table.
//!
//! # Example
//!
//! ```
//! use alloy_primitives::keccak256;
//! use thinstate_formats::keccak::BatchHasher;
//!
//! let nodes: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 40 + 5 * n as usize]).collect();
//! let mut digests = Vec::new();
//! let count = BatchHasher::new().hash_each(&nodes, &mut digests);
//!
//! assert_eq!(digests[7], keccak256(&nodes[7]));
//! assert_eq!(count.messages, 100);
//! ```

mod bare;
mod hasher;
mod order;
mod permutation;
mod run;
mod sponge;
mod width;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod scalar;
#[cfg(test)]
mod tests;

pub use hasher::{BatchHasher, HashCount, Span, SpanError};
pub use width::{LaneWidth, UnavailableWidth};
