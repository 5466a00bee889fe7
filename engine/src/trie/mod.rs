//! Merkle-Patricia tries over a sorted leaf store.
//!
//! The flat state *is* the leaf level: the leaf store holds the entries of a trie in the order of
//! their keys, and nothing else of it. An entry is a leaf, or a *stub*: a path and the hash of a
//! subtree whose contents are not held. A *bucket* is the run of entries under one path prefix, a
//! few tens of them; the nodes inside it are recomputed from its entries whenever one of them
//! changes. The branches above the buckets, the *interior*, are kept in memory.
//!
//! | operation | reads of the leaf store | writes | hashes |
//! |---|---|---|---|
//! | look-up | 1 get; where the state holds stubs, at most 3 more | | |
//! | update of an entry | 1 scan of its bucket, shared by all updates in it; 1 more for each branch that collapses | 1 put or delete | the bucket's nodes, 1 for each branch above |
//! | proof | 1 scan | | the bucket's nodes |
//!
//! # What an updated leaf costs in hashes
//!
//! The nodes of its bucket and the branches above, each once for all updates of a block. A bucket's size is between
//! a sixteenth of the limit and the limit, by how often 16 divides the number of leaves. Means for uniform keys of accounts and
//! buckets of at most 64 entries; the rows are what `tests/no_update_hashes_more_than_its_bound.rs`
//! holds the code to, which counts each block's nodes from its keys:
//!
//! | leaves | updates in a block | bucket entries | nodes hashed | permutations |
//! |---|---|---|---|---|
//! | 3,000 | 1 / 1,000 | 12.9 / 3.0 | 19.1 / 4.0 | 27.1 / 4.5 |
//! | 30,000 | 1 / 5,000 | 8.6 / 4.6 | 14.5 / 6.2 | 24.8 / 7.0 |
//! | 100,000 | 1 / 5,000 | 25.9 / 14.5 | 38.7 / 20.1 | 51.3 / 22.2 |
//!
//! A leaf is one permutation, a branch of 16 children four. Where the hashes of leaves are held in memory (33 bytes
//! each, `leaf_hashes.rs`), the entries that do not change cost nothing.
//!
//! A storage trie of up to one bucket has no interior: its root stands in its account, its entries
//! lie between those of its neighbours. Larger ones have interiors of their own.
//!
//! `path.rs`, `node_ref.rs`, `rlp.rs` are the alphabet; `codec.rs` the entries on disk;
//! `interior.rs` what is in memory, and `leaf_hashes.rs` what may be; `forest/` builds and hashes buckets; `change.rs` merges
//! changes with stored entries; `plan.rs` sends changes to buckets; `hash.rs` hashes branches;
//! `update.rs` drives it all, and `work.rs` counts what it cost.

pub(crate) mod change;
pub(crate) mod codec;
pub(crate) mod error;
pub(crate) mod forest;
mod hash;
pub(crate) mod interior;
pub(crate) mod leaf_hashes;
pub(crate) mod node_ref;
pub(crate) mod path;
mod plan;
pub(crate) mod rlp;
mod tasks;
pub(crate) mod update;
pub(crate) mod work;

#[cfg(test)]
mod tests;
