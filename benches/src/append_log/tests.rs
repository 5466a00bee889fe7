//! Against a state rebuilt from the log alone, hashed without shortcuts.

use super::{
    AppendLog, Update,
    log_file::{HEADER_BYTES, UPDATE_BYTES},
    twigs::TWIG_LEAVES,
};
use alloy_primitives::B256;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::{HashKind, NodeHasher};

fn number(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes")) as usize
}

/// All updates of the log, in order.
fn read(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).expect("the log is there");
    let (mut at, mut block, mut updates) = (0, 0, Vec::new());
    while at < bytes.len() {
        let header = &bytes[at..at + HEADER_BYTES];
        assert_eq!(number(&header[..8]), block);
        let len = number(&header[8..16]) * UPDATE_BYTES;
        let body = &bytes[at + HEADER_BYTES..][..len];
        assert_eq!(header[16..20], crc32fast::hash(body).to_le_bytes());
        updates.extend(body.chunks(UPDATE_BYTES).map(<[u8]>::to_vec));
        (at, block) = (at + HEADER_BYTES + len, block + 1);
    }
    updates
}

fn merkle(hasher: &NodeHasher, mut level: Vec<B256>, width: usize) -> B256 {
    level.resize(width, B256::ZERO);
    while level.len() > 1 {
        let join = |two: &[B256]| hasher.hash(&[two[0].0, two[1].0].concat());
        level = level.chunks(2).map(join).collect();
    }
    level[0]
}

fn root_of_log(path: &Path) -> B256 {
    let hasher = NodeHasher::new(HashKind::Sha256);
    let updates = read(path);
    let mut current = BTreeMap::new();
    for (place, update) in updates.iter().enumerate() {
        current.insert(update[..32].to_vec(), place);
    }
    let active = |place: usize| current[&updates[place][..32]] == place;
    let twig = |twig: usize| {
        let places = twig * TWIG_LEAVES..updates.len().min((twig + 1) * TWIG_LEAVES);
        let leaves = places.clone().map(|place| hasher.hash(&updates[place]));
        let mut message = merkle(&hasher, leaves.collect(), TWIG_LEAVES).to_vec();
        let mut bits = vec![0u8; TWIG_LEAVES / 8];
        for place in places.filter(|place| active(*place)) {
            bits[place % TWIG_LEAVES / 8] |= 1 << (place % 8);
        }
        message.extend(bits);
        hasher.hash(&message)
    };
    let twigs: Vec<_> = (0..updates.len().div_ceil(TWIG_LEAVES)).map(twig).collect();
    let width = twigs.len().next_power_of_two();
    merkle(&hasher, twigs, width)
}

#[test]
fn no_root_differs_from_that_of_the_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = AppendLog::create(dir.path()).expect("a log");
    let mut random = ChaCha12Rng::seed_from_u64(11);
    for updates in [1usize, 3, 2_047, 10, 4_096, 0, 700, 9_000] {
        let mut block = BTreeMap::new();
        for _ in 0..updates {
            let key = NodeHasher::default().hash(&[random.random_range(0..50u8), 0]);
            block.insert(key, B256::repeat_byte(random.random()));
            let fresh = B256::from(random.random::<[u8; 32]>());
            block.insert(fresh, B256::ZERO);
        }
        let block: Vec<Update> = block.into_iter().collect();
        let done = log.apply(&block).expect("the block is appended");
        assert_eq!(
            done.written_bytes,
            (HEADER_BYTES + UPDATE_BYTES * block.len()) as u64
        );
        assert_eq!(done.root, root_of_log(&dir.path().join("append.log")));
    }
}
