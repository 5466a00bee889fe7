//! Against alloy-trie, and against a trie rebuilt from the log alone.

use super::MemoryTrie;
use crate::{
    Update,
    append_log::{HEADER_BYTES, UPDATE_BYTES},
};
use alloy_primitives::{B256, keccak256};
use alloy_trie::HashBuilder;
use nybbles::Nibbles;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::keccak::{BatchHasher, LaneWidth};

fn oracle(state: &BTreeMap<B256, B256>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in state {
        builder.add_leaf(Nibbles::unpack(key), &alloy_rlp::encode(value));
    }
    builder.root()
}

fn replay(log: &Path) -> BTreeMap<B256, B256> {
    let bytes = std::fs::read(log).expect("the log is there");
    let (mut state, mut rest) = (BTreeMap::new(), bytes.as_slice());
    while let Some((header, behind)) = rest.split_at_checked(HEADER_BYTES) {
        let count = u64::from_le_bytes(header[8..16].try_into().expect("eight bytes"));
        let (updates, after) = behind.split_at(count as usize * UPDATE_BYTES);
        for update in updates.chunks(UPDATE_BYTES) {
            state.insert(
                B256::from_slice(&update[..32]),
                B256::from_slice(&update[32..]),
            );
        }
        rest = after;
    }
    state
}

/// A key that shares many nibbles with others: extensions are made and split.
fn near(key: B256, random: &mut ChaCha12Rng) -> B256 {
    let mut near = key;
    near[random.random_range(1..32)] ^= 1 << random.random_range(0..8);
    near
}

#[test]
fn no_root_differs_from_alloy_tries_or_from_that_of_the_log() {
    for width in LaneWidth::available() {
        let dir = tempfile::tempdir().expect("a folder");
        let hasher = BatchHasher::with_width(width).expect("it is available");
        let mut trie = MemoryTrie::create(dir.path(), 2, hasher).expect("a trie");
        let mut random = ChaCha12Rng::seed_from_u64(14);
        let mut state = BTreeMap::new();
        for updates in [6_000, 1, 40, 3, 0, 2_000, 500, 9] {
            let mut block = BTreeMap::new();
            for _ in 0..updates {
                let fresh = keccak256(random.random::<[u8; 8]>());
                let key = match state.len() {
                    0 => fresh,
                    held => *state
                        .keys()
                        .nth(random.random_range(0..held))
                        .expect("held"),
                };
                let key = match random.random_range(0..3) {
                    0 => key,
                    1 => near(key, &mut random),
                    _ => fresh,
                };
                block.insert(key, B256::from(random.random::<[u8; 32]>()));
            }
            let mut block: Vec<Update> = block.into_iter().collect();
            block.reverse();
            let applied = trie.apply(&mut block).expect("the block is applied");
            state.extend(block);
            assert_eq!(applied.root, oracle(&state), "{width}, {updates} updates");
        }
        assert_eq!(replay(&dir.path().join("trie.log")), state);
        let (leaves, branches, bytes) = trie.size();
        assert_eq!(leaves, state.len() as u64);
        assert!(branches < leaves && bytes > 100 * leaves);
    }
}
