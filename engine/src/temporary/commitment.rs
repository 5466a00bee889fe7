//! What a block commits to of the live entries, byte by byte.
//!
//! ```text
//! deferred      log    H(for each write of the block, in order: location 32 || value 32)
//!               root   H(128 bytes: "thinstate/tlog/1" || block u64 LE || writes u64 LE
//!                        || root of the block before 32 || log 32 || 32 zero bytes)
//!               before the first block: 32 zero bytes
//! incremental   root   H(128 bytes: "thinstate/live/1" || current period's hash 32, count u64 LE
//!                        || previous period's hash 32, count u64 LE || 32 zero bytes)
//! ```
//!
//! `H` is the tier's hash function. The writes are those of the block, in its order, whether they
//! change something or not; of a block without any, `log` is the hash of no bytes. Under
//! `incremental` the trees are [`thinstate_formats::counted`]; the previous period's has the entries
//! that a seal would take, so that its last root is the one sealed. With the retention of one period,
//! or before there was a previous one, that is the empty tree.
//!
//! Cost of a block of `n` writes: `deferred`, one hash of `64 n` bytes and one of 128;
//! `incremental`, the paths of the leaves changed (see [`LiveTree`](super::live_tree::LiveTree)) and
//! one hash.

use super::{block::TemporaryWrite, live::Live};
use alloy_primitives::B256;
use rayon::ThreadPool;
use std::sync::Arc;
use thinstate_formats::{BlockNumber, NodeHasher, counted::Node};

const LOG_DOMAIN: &[u8; 16] = b"thinstate/tlog/1";
const LIVE_DOMAIN: &[u8; 16] = b"thinstate/live/1";

/// What hashes.
#[derive(Clone)]
pub(super) struct Hashing {
    pub(super) hasher: NodeHasher,
    /// Threads for large updates of trees; results do not depend on them.
    pub(super) pool: Option<Arc<ThreadPool>>,
}

/// What hashing cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashWork {
    /// Digests computed.
    pub hashes: u64,
    /// Bytes of the messages.
    pub bytes: u64,
}

impl HashWork {
    pub(super) const fn of(hashes: u64, bytes: u64) -> Self {
        Self { hashes, bytes }
    }
}

impl core::ops::Add for HashWork {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::of(self.hashes + other.hashes, self.bytes + other.bytes)
    }
}

/// The hash of a block's writes.
fn log_hash(hasher: &NodeHasher, writes: &[TemporaryWrite]) -> B256 {
    let mut message = Vec::with_capacity(64 * writes.len());
    for write in writes {
        message.extend_from_slice(write.location.as_slice());
        message.extend_from_slice(write.value.as_slice());
    }
    hasher.hash(&message)
}

/// The root after a block under the deferred commitment.
pub(super) fn deferred_root(
    hasher: &NodeHasher,
    block: BlockNumber,
    former: B256,
    writes: &[TemporaryWrite],
) -> (B256, HashWork) {
    let mut message = [0; 128];
    message[..16].copy_from_slice(LOG_DOMAIN);
    message[16..24].copy_from_slice(&block.0.to_le_bytes());
    message[24..32].copy_from_slice(&(writes.len() as u64).to_le_bytes());
    message[32..64].copy_from_slice(former.as_slice());
    message[64..96].copy_from_slice(log_hash(hasher, writes).as_slice());
    let work = HashWork::of(2, 64 * writes.len() as u64 + 128);
    (hasher.hash(&message), work)
}

/// The root under the incremental commitment.
pub(super) fn incremental_root(hasher: &NodeHasher, live: &Live) -> B256 {
    let previous = live.previous.as_ref();
    let previous = previous.map_or(Node::EMPTY, |period| period.root());
    live_root(hasher, live.current.root(), previous)
}

/// The root over the trees of both periods.
pub(super) fn live_root(hasher: &NodeHasher, current: Node, previous: Node) -> B256 {
    let mut message = [0; 128];
    message[..16].copy_from_slice(LIVE_DOMAIN);
    put_node(&mut message[16..56], current);
    put_node(&mut message[56..96], previous);
    hasher.hash(&message)
}

fn put_node(bytes: &mut [u8], node: Node) {
    bytes[..32].copy_from_slice(node.hash.as_slice());
    bytes[32..].copy_from_slice(&node.count.to_le_bytes());
}
