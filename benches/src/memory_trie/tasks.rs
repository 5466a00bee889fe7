//! A block on all threads: runs of subtrees are put and hashed, then the branches above them.

use super::{
    rlp,
    subtree::{Levels, Subtree},
};
use crate::Update;
use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_formats::keccak::{BatchHasher, HashCount, Span};

/// Updates of a task, where a block has so many: what they touch stays in the near caches.
const UPDATES_TOGETHER: usize = 256;
/// Nodes that are written out at a time.
const NODES_TOGETHER: usize = 512;

/// Puts a block's updates, sorted, and gives the root with the permutations that it took.
pub(super) fn update(
    hasher: &BatchHasher,
    subtrees: &mut [Subtree],
    updates: &[Update],
) -> (B256, u64) {
    let permutations = runs(subtrees, updates)
        .into_par_iter()
        .map(|run| run.work(hasher))
        .sum::<u64>();
    let references: Vec<B256> = subtrees
        .iter()
        .map(|subtree| subtree.reference().expect("a key with each first byte"))
        .collect();
    let (above, more) = branches(hasher, &references);
    let (root, last) = branches(hasher, &above);
    (root[0], permutations + more + last)
}

/// Subtrees that one task works on, with their updates.
struct Run<'a> {
    subtrees: &'a mut [Subtree],
    updates: Vec<&'a [Update]>,
}

/// Cuts subtrees and updates into runs.
fn runs<'a>(mut subtrees: &'a mut [Subtree], mut updates: &'a [Update]) -> Vec<Run<'a>> {
    let mut runs = Vec::new();
    let mut first = 0_usize;
    while !subtrees.is_empty() {
        let (mut of_run, mut taken) = (Vec::new(), 0);
        while of_run.len() < subtrees.len() && taken < UPDATES_TOGETHER {
            let byte = first + of_run.len();
            let count = updates.partition_point(|(key, _)| usize::from(key[0]) <= byte);
            let (now, rest) = updates.split_at(count);
            of_run.push(now);
            updates = rest;
            taken += now.len();
        }
        let (now, rest) = subtrees.split_at_mut(of_run.len());
        subtrees = rest;
        first += of_run.len();
        runs.push(Run {
            subtrees: now,
            updates: of_run,
        });
    }
    runs
}

impl Run<'_> {
    /// Puts the updates and hashes what they changed; gives the permutations.
    fn work(self, hasher: &BatchHasher) -> u64 {
        let mut levels = Levels::new();
        for (tree, updates) in (0..).zip(&self.updates) {
            self.subtrees[usize::from(tree)].put(updates, tree, &mut levels);
        }
        let mut batch = Nodes::default();
        for level in &levels {
            for nodes in level.chunks(NODES_TOGETHER) {
                batch.clear();
                for (tree, dirty) in nodes {
                    batch.write(|out| self.subtrees[usize::from(*tree)].encode(dirty, out));
                }
                let hashes = batch.hash(hasher);
                batch.clear();
                let mut behind = Vec::new();
                for (at, (tree, dirty)) in nodes.iter().enumerate() {
                    let subtree = &self.subtrees[usize::from(*tree)];
                    let mut extends = false;
                    batch.write(|out| {
                        extends = subtree.encode_extension(dirty, &hashes[at], out);
                    });
                    if extends {
                        behind.push(at);
                    } else {
                        batch.spans.pop();
                    }
                }
                let extensions = batch.hash(hasher);
                for ((tree, dirty), hash) in nodes.iter().zip(&hashes) {
                    self.subtrees[usize::from(*tree)].take(dirty, *hash);
                }
                for (at, hash) in behind.into_iter().zip(extensions) {
                    let (tree, dirty) = &nodes[at];
                    self.subtrees[usize::from(*tree)].take(dirty, hash);
                }
            }
        }
        batch.count.permutations
    }
}

/// Nodes that are hashed together.
#[derive(Default)]
struct Nodes {
    rlp: Vec<u8>,
    spans: Vec<Span>,
    count: HashCount,
}

impl Nodes {
    fn clear(&mut self) {
        self.rlp.clear();
        self.spans.clear();
    }

    fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let start = self.rlp.len();
        encode(&mut self.rlp);
        let len = self.rlp.len() - start;
        self.spans.push(Span {
            start: start as u32,
            len: len as u32,
        });
    }

    fn hash(&mut self, hasher: &BatchHasher) -> Vec<B256> {
        let mut hashes = Vec::new();
        self.count += hasher
            .hash_spans(&self.rlp, &self.spans, &mut hashes)
            .expect("the spans were taken from this buffer");
        hashes
    }
}

/// Full branches over references, 16 to each, and the permutations that they took.
fn branches(hasher: &BatchHasher, references: &[B256]) -> (Vec<B256>, u64) {
    let mut batch = Nodes::default();
    for children in references.chunks(16) {
        batch.write(|out| rlp::branch(u16::MAX, children.iter(), out));
    }
    let hashes = batch.hash(hasher);
    (hashes, batch.count.permutations)
}
