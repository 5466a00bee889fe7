//! A process that applies and undoes blocks of all tiers is killed at random moments, over and over on
//! one store. It reopens at the last block that it had reported, or one further, with every tier,
//! every spent bit and every archive at that same block: the commitment is a function of the number.

mod support;

use rand::RngExt;
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    sync::mpsc::channel,
    thread,
    time::Duration,
};
use support::{child, leaves, random, tiers};
use tempfile::TempDir;
use thinstate_engine::{
    Store, StoreOptions,
    leaf_store::{DiskStore, StoreKind},
};
use thinstate_formats::{
    BlockNumber, LeafIndex, RecordIndex,
    temporary::{LiveCommitment, Retention},
};

const ROUND: &str = "THINSTATE_TEST_ROUND";
/// Of each leaf store.
const ROUNDS: u64 = 30;
const BLOCKS: u64 = 4_000;
const LIFE_MAX_US: u64 = 120_000;

fn open(kind: StoreKind, folder: &Path, round: u64) -> Store<DiskStore> {
    let rules = tiers::rules(LiveCommitment::Incremental, Retention::CurrentAndPrevious);
    let options = StoreOptions {
        seal_leaves_per_block: [3, 0, 1_000][round as usize % 3],
        checkpoint_commits: 1 + round % 7,
        ..tiers::options(rules, folder)
    };
    Store::open(leaves::open(kind, folder, 256 << 10), options).expect("open the store")
}

/// The last block that the child reported, killed after `life`.
fn live_and_die(kind: StoreKind, folder: &Path, round: u64, life: Duration) -> Option<u64> {
    let mut child = child::command("child_that_applies_blocks")
        .env(child::FOLDER, folder)
        .env(leaves::KIND, kind.name())
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary runs");
    let pipe = child.stdout.take().expect("a pipe was asked for");
    let (started, wait) = channel();
    let listener = thread::spawn(move || {
        let mut last = None;
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("at ") {
                last = number.parse().ok();
                // The parent listens until the first.
                let _ = started.send(());
            }
        }
        last
    });
    wait.recv_timeout(Duration::from_secs(60))
        .expect("the child begins to apply blocks");
    thread::sleep(life);
    child.kill().expect("kill");
    child.wait().expect("wait");
    listener.join().expect("listener")
}

#[test]
fn no_kill_leaves_a_tier_ahead_or_behind_on_rocksdb() {
    kill_over_and_over(StoreKind::RocksDb);
}

#[test]
fn no_kill_leaves_a_tier_ahead_or_behind_on_pages() {
    kill_over_and_over(StoreKind::Page);
}

fn kill_over_and_over(kind: StoreKind) {
    let folder = TempDir::new().expect("a folder");
    let rules = tiers::rules(LiveCommitment::Incremental, Retention::CurrentAndPrevious);
    let expected = tiers::commitments(rules, BLOCKS);
    let rng = &mut random::rng(7, 0);
    let mut moved = 0;
    for round in 0..ROUNDS {
        let life = Duration::from_micros(rng.random_range(0..LIFE_MAX_US));
        let told =
            live_and_die(kind, folder.path(), round, life).expect("the child said where it was");
        let store = open(kind, folder.path(), round + 1);
        let head = store.head().block.expect("a head").number;
        // One step further, forwards or backwards, may have been durable and not reported.
        assert!(head.0.abs_diff(told) <= 1, "{told}, but reopened at {head}");
        assert_eq!(
            store.commitment(),
            Some(expected[head.0 as usize]),
            "block {head}"
        );
        check_archives(&store, head);
        moved += head.0;
    }
    assert!(moved > ROUNDS * 20, "the chain got on: {moved}");
}

/// What the archives serve is of the committed state, to its end.
fn check_archives(store: &Store<DiskStore>, head: BlockNumber) {
    let next = store.next_record_index().0;
    for index in next.saturating_sub(20)..next {
        let index = RecordIndex(index);
        let served = store.with_records(|archive| {
            let record = archive.record(index).expect("archived");
            (record, archive.path(index, head).expect("served"))
        });
        let (record, path) = served.expect("records are archived");
        if store.is_spent(index) == Some(false) {
            let spend = thinstate_engine::utxo::Spend {
                record,
                path: Some(path),
            };
            store.check_spend(&spend).expect("it can be spent");
        }
    }
    for (period, root) in store.periods() {
        for index in (0..root.count).map(LeafIndex) {
            let resurrection = tiers::resurrection(store, period, index);
            let used = store.is_resurrected(period, index).expect("a bit");
            assert_eq!(store.check_resurrection(&resurrection).is_err(), used);
        }
    }
}

/// Applies blocks and undoes some, for as long as it is let.
#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn child_that_applies_blocks() {
    let Some(folder) = child::folder() else {
        return;
    };
    let round = env::var(ROUND).expect("a round").parse().expect("a number");
    let store = open(leaves::of_child(), &folder, round);
    let rng = &mut random::rng(11, round);
    let mut undoable: u64 = 0;
    let mut out = std::io::stdout();
    while tiers::next(&store).0 < BLOCKS {
        if undoable > 0 && rng.random_ratio(1, 5) {
            store.undo().expect("the block is undone");
            undoable -= 1;
        } else {
            tiers::advance(&store);
            undoable = tiers::UNDO_BLOCKS.min(undoable + 1);
        }
        let head = store.head().block.expect("a head").number;
        writeln!(out, "at {head}")
            .and_then(|()| out.flush())
            .expect("the parent listens");
    }
}
