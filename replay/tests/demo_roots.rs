//! The demo through the library: store and oracle agree, and where one is wrong that is noticed.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use alloy_primitives::{Address, U256};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use thinstate_engine::{
    Options,
    leaf_store::{DiskOptions, StoreKind},
};
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    demo::{
        BlockCosts, Chain, Config, DemoError, DemoResult, Difference, METRICS, Progress, Status,
        generate::{BlockKind, Profile},
        run,
    },
    source::genesis::Genesis,
};

const GENESIS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../data/mainnet-genesis.json.zst"
);
const PROFILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/profiles/demo.toml");

/// A chain of a few blocks in a folder of its own.
fn chain(dir: &TempDir, blocks: u64, seed: u64) -> Chain {
    let mut profile = Profile::load(Path::new(PROFILE)).unwrap();
    (profile.blocks, profile.seed) = (blocks, seed);
    let genesis = Genesis::load(Path::new(GENESIS)).unwrap();
    let leaves = DiskOptions::default();
    Chain::new(dir.path(), &leaves, Options::default(), genesis, profile).unwrap()
}

/// One of the genesis accounts.
fn somebody() -> Address {
    let genesis = Genesis::load(Path::new(GENESIS)).unwrap();
    genesis.balances.last().unwrap().0
}

/// Takes one wei from an account of the oracle.
fn take_a_wei(chain: &mut Chain, from: Address) {
    let balance = chain.oracle_mut().balance(from).unwrap();
    chain.oracle_mut().set_balance(from, balance - U256::ONE);
}

/// All blocks to come.
fn drain(chain: &mut Chain) -> Vec<BlockCosts> {
    core::iter::from_fn(|| chain.next_block())
        .map(Result::unwrap)
        .collect()
}

#[test]
fn no_root_differs_from_the_oracles() {
    for seed in [1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let mut chain = chain(&dir, 4, seed);
        let blocks = drain(&mut chain);
        let load = blocks.iter().filter(|b| b.kind == BlockKind::Load);
        assert_eq!(load.count(), 4, "seed {seed}");
        for block in &blocks {
            assert!(block.io.gets >= block.reads.accounts + block.reads.slots);
            assert!(block.work.hashes > 0 && block.writes.accounts > 0);
            assert_eq!(block.io.commits, 1);
        }
        let last = blocks.last().unwrap();
        let (chain, checks) = chain.finish().unwrap();
        assert_eq!(chain.tier().head().root, last.root);
        assert_eq!(checks.replayed, 8);
        assert_eq!(checks.verified.root, last.root);
        assert_eq!(checks.compared.accounts, checks.verified.accounts);
        assert_eq!(checks.compared.slots, checks.verified.slots);
    }
}

#[test]
fn one_wei_too_few_does_not_go_unnoticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = chain(&dir, 1, 1);
    chain.next_block().unwrap().unwrap();
    take_a_wei(&mut chain, somebody());
    let error = chain.next_block().unwrap().unwrap_err();
    let DemoError::Root {
        block,
        expected,
        got,
    } = error
    else {
        panic!("got {error:?}");
    };
    assert_eq!(block, BlockNumber(2));
    assert_ne!(expected, got);
}

#[test]
fn a_wrong_entry_does_not_pass_the_final_comparison() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = chain(&dir, 1, 1);
    drain(&mut chain);
    let who = somebody();
    take_a_wei(&mut chain, who);
    let error = chain.finish().err().unwrap();
    assert!(
        matches!(&error, DemoError::Content(Difference::Account { address, .. }) if *address == who),
        "got {error:?}"
    );
}

/// Asks for a stop after some blocks.
struct StopAfter<'a> {
    blocks: u64,
    stop: &'a AtomicBool,
}

impl Progress for StopAfter<'_> {
    fn stage(&mut self, _: &'static str) {}
    fn expect_blocks(&mut self, _: u64) {}
    fn block(&mut self, costs: &BlockCosts) {
        if costs.number.0 == self.blocks {
            self.stop.store(true, Relaxed);
        }
    }
}

fn run_until(block: u64, genesis: PathBuf, out: &Path) -> Result<DemoResult, DemoError> {
    let stop = AtomicBool::new(false);
    let config = Config {
        genesis,
        profile: PROFILE.into(),
        blocks: Some(2),
        seed: Some(7),
        store: StoreKind::Page,
        out: out.to_owned(),
    };
    let mut progress = StopAfter {
        blocks: block,
        stop: &stop,
    };
    run(&config, &mut progress, &stop)
}

fn result_of(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("result.json")).unwrap()).unwrap()
}

#[test]
fn an_interrupted_run_does_not_pretend_to_be_complete() {
    let out = tempfile::tempdir().unwrap();
    let result = run_until(3, GENESIS.into(), out.path()).unwrap();
    assert_eq!(result.status, Status::Interrupted);
    assert_eq!(result.blocks.roots_confirmed, 3);
    assert!(result.checks.is_none());
    let json = result_of(out.path());
    assert_eq!(json["status"], "interrupted");
    assert_eq!(json["state"]["block_number"], 3);
    let rows = fs::read_to_string(out.path().join("blocks.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 3);
}

#[test]
fn another_allocation_is_not_taken_for_mainnets() {
    let out = tempfile::tempdir().unwrap();
    let packed = fs::read(GENESIS).unwrap();
    let mut genesis: Value =
        serde_json::from_slice(&zstd::decode_all(&packed[..]).unwrap()).unwrap();
    let alloc = genesis["alloc"].as_object_mut().unwrap();
    alloc.values_mut().next().unwrap()["balance"] = "0x1".into();
    let file = out.path().join("genesis.json");
    fs::write(&file, genesis.to_string()).unwrap();

    let error = run_until(u64::MAX, file, out.path()).unwrap_err();
    let DemoError::GenesisRoot { got, oracle, .. } = error else {
        panic!("got {error:?}");
    };
    assert_eq!(got, oracle, "the store hashes rightly what is no mainnet");
    let json = result_of(out.path());
    assert_eq!(json["status"], "failed");
    let told = json["error"].as_str().unwrap();
    assert!(told.contains(&got.to_string()), "{told}");
}

#[test]
fn no_two_metrics_share_a_name() {
    let names: std::collections::BTreeSet<_> = METRICS.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), METRICS.len());
}
