//! Random blocks of keys and values on every store, beside a map in memory and a trie of alloy's.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{TrieAccount, root};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{collections::BTreeMap, path::Path};
use thinstate_compare::{
    StoreOptions,
    layout::plain::{CONTRACT, contract},
    peer::{self, Peer, Update},
};

const SEED: u64 = 0xfeed;
const FILLED: usize = 1_500;
const BLOCKS: u64 = 24;
/// Blocks between two times that the store is closed and opened.
const OPENED_EACH: u64 = 8;

type Model = BTreeMap<B256, B256>;

fn options(dir: &Path) -> StoreOptions {
    StoreOptions {
        dir: dir.to_owned(),
        cache_bytes: 16 << 20,
        threads: 2,
        entries: 20_000,
    }
}

/// Updates of keys that exist and of new ones, and some that go.
fn block(model: &Model, random: &mut ChaCha8Rng) -> Vec<Update> {
    let mut changes = Model::new();
    for key in model.keys() {
        match random.random_range(0..20) {
            0 => changes.insert(*key, B256::ZERO),
            1 | 2 => changes.insert(*key, value(random)),
            _ => None,
        };
    }
    for _ in 0..random.random_range(1..60) {
        changes.insert(random.random::<[u8; 32]>().into(), value(random));
    }
    let update = |(key, value)| Update { key, value };
    changes.into_iter().map(update).collect()
}

/// Of any length as a number, not zero.
fn value(random: &mut ChaCha8Rng) -> B256 {
    let mut value: [u8; 32] = random.random();
    let zeros = random.random_range(0..64_usize).saturating_sub(32);
    value[..zeros].fill(0);
    value[31] |= 1;
    value.into()
}

fn apply(model: &mut Model, block: &[Update]) {
    for Update { key, value } in block {
        match value.is_zero() {
            true => model.remove(key),
            false => model.insert(*key, *value),
        };
    }
}

/// The state root of a state with one contract, whose slots these are.
fn root_of(model: &Model) -> B256 {
    let slots = model
        .iter()
        .map(|(key, value)| (*key, U256::from_be_bytes(value.0)));
    let account = contract();
    assert_ne!(account.code_hash, KECCAK256_EMPTY);
    let account = TrieAccount {
        nonce: account.nonce,
        balance: account.balance,
        storage_root: root::storage_root_unhashed(slots),
        code_hash: account.code_hash,
    };
    root::state_root([(keccak256(CONTRACT), account)])
}

/// Reads all keys of the model, those of the block, and some that are nowhere.
fn check(peer: &dyn Peer, model: &Model, block: &[Update], pool: &ThreadPool, when: &str) {
    let absent = (0..20_u64).map(|n| keccak256(n.to_be_bytes()));
    let touched = block.iter().map(|update| update.key);
    let keys: Vec<B256> = model.keys().copied().chain(touched).chain(absent).collect();
    let got = peer.read(&keys, pool).expect("read");
    let expected: Vec<_> = keys.iter().map(|key| model.get(key).copied()).collect();
    let differs = got
        .iter()
        .zip(&expected)
        .position(|(got, expected)| got != expected);
    let differs = differs.map(|at| (keys[at], got[at], expected[at]));
    assert_eq!(differs, None, "{when}: key, got, expected");
    assert_eq!(got.len(), expected.len(), "{when}");
}

fn conforms(name: &str) {
    let entry = peer::named(name).expect("it is in this build");
    let dir = tempfile::tempdir().expect("a folder");
    let open = || entry.open(&options(dir.path())).expect("opened");
    let pool = ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .expect("threads");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut model = Model::new();
    while model.len() < FILLED {
        model.insert(random.random::<[u8; 32]>().into(), value(&mut random));
    }
    let first: Vec<_> = model
        .iter()
        .map(|(key, value)| Update {
            key: *key,
            value: *value,
        })
        .collect();
    let mut peer = open();
    peer.fill(&mut first.chunks(400).map(<[Update]>::to_vec))
        .expect("filled");
    peer.settle().expect("settled");
    check(&*peer, &model, &[], &pool, &format!("{name}, filled"));
    let mut roots = Vec::new();
    for number in 1..=BLOCKS {
        let block = block(&model, &mut random);
        peer.prepare(&block);
        let committed = peer.commit().expect("committed");
        apply(&mut model, &block);
        if entry.facts.is_ethereum {
            assert_eq!(
                committed.root,
                Some(root_of(&model)),
                "{name}, block {number}"
            );
        }
        roots.extend(committed.root);
        check(
            &*peer,
            &model,
            &block,
            &pool,
            &format!("{name}, block {number}"),
        );
        if number % OPENED_EACH == 0 {
            peer.flush().expect("flushed");
            drop(peer);
            peer = open();
            check(
                &*peer,
                &model,
                &block,
                &pool,
                &format!("{name}, opened again"),
            );
        }
    }
    roots.sort_unstable();
    roots.dedup();
    let expected = if entry.facts.root == "none" {
        0
    } else {
        BLOCKS
    };
    assert_eq!(
        roots.len() as u64,
        expected,
        "{name}: each block has its root"
    );
}

#[test]
fn thinstate_page() {
    conforms("thinstate-page");
}

#[test]
fn thinstate_page_direct() {
    conforms("thinstate-page-direct");
}

#[test]
fn thinstate_rocksdb() {
    conforms("thinstate-rocksdb");
}

#[cfg(feature = "firewood")]
#[test]
fn firewood() {
    conforms("firewood");
}

#[test]
fn nomt() {
    conforms("nomt");
}

#[test]
fn commonware_any() {
    conforms("commonware-any");
}

#[test]
fn commonware_current() {
    conforms("commonware-current");
}

#[test]
fn redb() {
    conforms("redb");
}

#[test]
fn rocksdb() {
    conforms("rocksdb");
}
