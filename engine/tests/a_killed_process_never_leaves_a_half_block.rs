//! A process that commits blocks is killed at random moments, over and over on one store. Whatever
//! it had reported as committed is there afterwards, at most one commit more, and that whole: every
//! byte of the store belongs to the state after the last commit.
//!
//! Which step a store is at, and so which comes next, follows from the number of commits in its
//! head: parent and child derive the same steps from the seed.

mod support;

use alloy_primitives::Address;
use rand::RngExt;
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{ChildStdout, Stdio},
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};
use support::{
    block,
    chain::Chain,
    child, leaves,
    random::{self, Universe},
};
use tempfile::TempDir;
use thinstate_engine::{
    Head, Options, PermanentTier,
    leaf_store::{DiskStore, StoreKind},
};
use thinstate_formats::StateChanges;

const SEED: &str = "THINSTATE_TEST_SEED";
/// Of each leaf store.
const ROUNDS: u64 = 50;
/// Rounds that must have ended inside a commit, for the test to mean something.
const INTERRUPTED_MIN: u64 = ROUNDS / 5;
const LIFE_MAX_US: u64 = 150_000;
const UNIVERSE: Universe = Universe {
    accounts: 700,
    hubs: 3,
    slots: 250,
};

type Tier = PermanentTier<DiskStore>;

/// What a commit does.
enum Step {
    Block(u64, StateChanges),
    Undo,
}

/// The step that follows a head.
fn step(seed: u64, head: &Head) -> Step {
    let Some(last) = head.block else {
        return Step::Block(0, random::first_block(UNIVERSE));
    };
    let rng = &mut random::rng(seed, head.commit);
    if last.number.0 > 0 && rng.random_ratio(1, 12) {
        return Step::Undo;
    }
    let changes = match rng.random_range(0..4) {
        0 => rng.random_range(300..700),
        1 => 0,
        _ => rng.random_range(1..30),
    };
    let changes = random::block(rng, UNIVERSE, changes);
    Step::Block(last.number.0 + 1, changes)
}

/// Opens the store with parameters that differ from round to round.
fn open(kind: StoreKind, folder: &Path, round: u64) -> Tier {
    // Small enough that flushes, compactions and checkpoints go on while the process dies.
    let store = leaves::open(kind, folder, 256 << 10 << (round % 3));
    let options = Options {
        bucket_entries_max: [64, 8, 300][round as usize % 3],
        threads: Some(1 + round as usize % 2),
        ..Options::default()
    };
    PermanentTier::open(store, options).expect("open the state")
}

/// What the child told before it died.
#[derive(Debug, Default)]
struct Told {
    /// Commits that had returned.
    durable: u64,
    /// Whether another had begun.
    in_commit: bool,
}

fn listen(pipe: ChildStdout, durable: u64, started: &Sender<()>) -> Told {
    let mut told = Told {
        durable,
        in_commit: false,
    };
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        let Some((what, commit)) = line.split_once(' ') else {
            continue;
        };
        let Ok(commit) = commit.parse() else { continue };
        match what {
            "begun" => told.in_commit = true,
            "done" => {
                told.durable = commit;
                told.in_commit = false;
            }
            _ => continue,
        }
        // The parent listens until the first.
        let _ = started.send(());
    }
    told
}

/// Lets a child work on the store for a while, and kills it.
fn live_and_die(
    (kind, folder): (StoreKind, &Path),
    (seed, round): (u64, u64),
    durable: u64,
    life: Duration,
) -> Told {
    let mut child = child::command("child_that_commits")
        .env(child::FOLDER, folder)
        .env(leaves::KIND, kind.name())
        .env(SEED, format!("{seed} {round}"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary runs");
    let pipe = child.stdout.take().expect("a pipe was asked for");
    let (started, wait) = channel();
    let listener = thread::spawn(move || listen(pipe, durable, &started));
    wait.recv_timeout(Duration::from_secs(60))
        .expect("the child begins to commit");
    thread::sleep(life);
    child.kill().expect("kill");
    child.wait().expect("wait");
    listener.join().expect("listener")
}

/// Follows the child's steps up to the head that it left.
fn follow(chain: &mut Chain, head: &mut Head, seed: u64, commits: u64) {
    while head.commit < commits {
        let number = match step(seed, head) {
            Step::Undo => {
                chain.undo();
                head.block.map(|b| b.number.0 - 1)
            }
            Step::Block(number, changes) => {
                chain.apply(&changes);
                Some(number)
            }
        };
        head.commit += 1;
        head.block = number.map(block);
    }
}

fn absent() -> Vec<Address> {
    (0..UNIVERSE.accounts).map(random::address).collect()
}

#[test]
fn a_killed_process_never_leaves_a_half_block_in_rocksdb() {
    kill_over_and_over(StoreKind::RocksDb);
}

#[test]
fn a_killed_process_never_leaves_a_half_block_in_pages() {
    kill_over_and_over(StoreKind::Page);
}

fn kill_over_and_over(kind: StoreKind) {
    let seed: u64 = match env::var(SEED) {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => rand::random(),
    };
    println!("{SEED}={seed}");
    let rng = &mut random::rng(seed, u64::MAX);
    let folder = TempDir::new().expect("folder");
    let mut chain = Chain::default();
    let mut expected = open(kind, folder.path(), 0).head();
    let (mut interrupted, mut survived, mut commits_reported) = (0, 0, 0);
    for round in 0..ROUNDS {
        let life = Duration::from_micros(rng.random_range(0..LIFE_MAX_US));
        let before = expected.commit;
        let told = live_and_die((kind, folder.path()), (seed, round), before, life);
        let tier = open(kind, folder.path(), round + 1);
        let head = tier.head();
        let limit = told.durable + u64::from(told.in_commit);
        assert!(
            (told.durable..=limit).contains(&head.commit),
            "round {round}: {told:?}, but the store is at commit {}",
            head.commit
        );
        interrupted += u64::from(told.in_commit);
        survived += u64::from(head.commit > told.durable);
        commits_reported += told.durable - before;
        follow(&mut chain, &mut expected, seed, head.commit);
        assert_eq!(head.block, expected.block, "round {round}");
        chain.assert_shown_by(&tier, &absent());
        undo_after_reopening(&tier, &mut chain, &mut expected, round);
        chain.assert_is_all_of(&tier.into_store(), &expected);
    }
    println!(
        "{kind}: {ROUNDS} kills over {commits_reported} commits: {interrupted} inside a commit, \
         of which {survived} was durable; {} accounts and {} slots at block {}",
        chain.model.accounts.len(),
        chain.model.slots(),
        expected.block.map_or(0, |b| b.number.0),
    );
    assert!(
        interrupted >= INTERRUPTED_MIN,
        "only {interrupted} kills hit a commit"
    );
}

/// Undoes blocks in some rounds, a few at a time.
fn undo_after_reopening(tier: &Tier, chain: &mut Chain, expected: &mut Head, round: u64) {
    let number = expected.block.map_or(0, |b| b.number.0);
    let undos = (round % 4).min(number);
    for undone in 0..undos {
        chain.undo();
        let head = tier.undo().expect("undo");
        assert_eq!(head.root, chain.model.root(), "round {round}");
        assert_eq!(head.block, Some(block(number - undone - 1)));
        *expected = head;
    }
    if undos > 0 {
        chain.assert_shown_by(tier, &absent());
    }
}

#[test]
#[ignore = "runs inside the two above"]
fn child_that_commits() {
    let Some(folder) = child::folder() else {
        return;
    };
    let given = env::var(SEED).expect("seed and round");
    let (seed, round) = given.split_once(' ').expect("seed and round");
    let (seed, round) = (
        seed.parse().expect("a seed"),
        round.parse().expect("a round"),
    );
    let tier = open(leaves::of_child(), &folder, round);
    let mut out = std::io::stdout().lock();
    // The test runner may have begun a line.
    writeln!(out).expect("the parent listens");
    loop {
        let head = tier.head();
        let commit = head.commit + 1;
        match step(seed, &head) {
            Step::Undo => {
                writeln!(out, "begun {commit}").expect("the parent listens");
                tier.undo().expect("undo");
            }
            Step::Block(number, changes) => {
                let prepared = tier.prepare(&changes).expect("prepare");
                writeln!(out, "begun {commit}").expect("the parent listens");
                tier.commit(block(number), prepared).expect("commit");
            }
        }
        writeln!(out, "done {commit}").expect("the parent listens");
    }
}
