//! Hashing of branches of the interior, many together.

use super::{
    interior::Branch,
    node_ref::NodeRef,
    rlp,
    work::{TrieWork, spend},
};
use alloy_primitives::B256;
use std::time::Instant;
use thinstate_formats::keccak::{BatchHasher, HashCount, Span};

/// Hashes some branches together, then the extensions before them.
pub(super) fn hash_branches(
    hasher: &BatchHasher,
    chunk: &[(&Branch, usize)],
) -> (Vec<NodeRef>, TrieWork) {
    let started = Instant::now();
    let mut count = HashCount::default();
    let branches = references(hasher, chunk.len(), &mut count, |i, out| {
        chunk[i].0.encode(out)
    });
    let behind: Vec<usize> = (0..chunk.len())
        .filter(|i| chunk[*i].0.path().len() > chunk[*i].1)
        .collect();
    let extensions = references(hasher, behind.len(), &mut count, |i, out| {
        let (branch, slot_depth) = chunk[behind[i]];
        let path = branch.path();
        rlp::extension(path, slot_depth, path.len(), &branches[behind[i]], out);
    });
    let mut nodes = branches.clone();
    for (i, extension) in behind.into_iter().zip(extensions) {
        nodes[i] = extension;
    }
    let mut work = TrieWork::default();
    work.count(count);
    spend(&mut work.hash_ns, started);
    (nodes, work)
}

/// References of `len` nodes that `encode` writes.
fn references(
    hasher: &BatchHasher,
    len: usize,
    count: &mut HashCount,
    mut encode: impl FnMut(usize, &mut Vec<u8>),
) -> Vec<NodeRef> {
    let (mut rlp, mut spans, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..len {
        let start = rlp.len();
        encode(i, &mut rlp);
        spans.push(Span {
            start: start as u32,
            len: (rlp.len() - start) as u32,
        });
    }
    *count += hasher
        .hash_spans(&rlp, &spans, &mut hashes)
        .expect("the spans were taken from this buffer");
    let node = |(span, hash): (&Span, &B256)| {
        let from = span.start as usize;
        NodeRef::inline(&rlp[from..from + span.len as usize]).unwrap_or(NodeRef::hash(*hash))
    };
    spans.iter().zip(&hashes).map(node).collect()
}
