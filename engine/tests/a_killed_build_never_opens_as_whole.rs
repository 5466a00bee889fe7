//! A process that builds a whole state is killed at random moments. What it leaves is an empty store, the
//! whole state, or one that is refused and says that its building was interrupted; never a part of the state. It can
//! be gone on with from there, or discarded.

mod support;

use alloy_primitives::{B256, U256, keccak256};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};
use support::{child, leaves};
use tempfile::TempDir;
use thinstate_engine::{
    BlockId, BulkAccount, BulkPart, BulkSlot, BulkSource, OpenError, Options, PermanentTier,
    leaf_store::{DiskStore, StoreKind},
};
use thinstate_formats::{Account, BlockNumber};

const ROUNDS: u32 = 16;
/// Rounds that must have ended inside the build, for the test to mean something.
const INTERRUPTED_MIN: u32 = 4;
const PARTS: u64 = 16;
const ACCOUNTS: u64 = 400;
const SLOTS: usize = 20;
const SOURCE: B256 = B256::repeat_byte(5);
const BLOCK: BlockId = BlockId {
    number: BlockNumber(77),
    hash: B256::ZERO,
};

/// Accounts whose hashed addresses begin with the number of the part.
fn part(number: u64) -> BulkPart {
    let key = |of: &[u64]| keccak256(of.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>());
    let mut part = BulkPart::default();
    for account in 0..ACCOUNTS {
        let mut hashed = key(&[number, account]);
        hashed[0] = number as u8;
        hashed[1..9].copy_from_slice(&account.to_be_bytes());
        let mut slots: Vec<_> = (0..SLOTS as u64)
            .map(|slot| BulkSlot {
                key: key(&[number, account, slot]),
                value: U256::from(slot + 1),
                last_written: BlockNumber(3),
            })
            .collect();
        slots.sort_by_key(|slot| slot.key);
        part.slots.extend(slots);
        part.accounts.push(BulkAccount {
            key: hashed,
            account: Account {
                nonce: account + 1,
                ..Account::default()
            },
            last_written: BlockNumber(3),
            slots: SLOTS,
        });
    }
    part
}

fn leaves_in(kind: StoreKind, folder: &Path) -> DiskStore {
    leaves::open(kind, folder, 4 << 20)
}

/// Steps of two parts.
fn options(resume_bulk: bool) -> Options {
    Options {
        resume_bulk,
        bulk_step_entries: 2 * ACCOUNTS * (1 + SLOTS as u64),
        ..Options::default()
    }
}

/// Goes on with what is in the folder; how many parts that are.
fn go_on(kind: StoreKind, folder: &Path) -> (u64, PermanentTier<DiskStore>) {
    let store = leaves_in(kind, folder);
    let tier = PermanentTier::open(store, options(true)).expect("opens as an empty one");
    let done = tier.bulk_done(BLOCK.number, SOURCE).expect("this build");
    assert_eq!(done.accounts % ACCOUNTS, 0, "whole parts");
    let parts = done.accounts / ACCOUNTS;
    let source = BulkSource {
        id: SOURCE,
        codes: Vec::new(),
        parts: (parts..PARTS).map(part),
    };
    tier.bulk_build(BLOCK, source, &|_| {}).expect("builds");
    (parts, tier)
}

fn build(kind: StoreKind, folder: &Path) -> PermanentTier<DiskStore> {
    let store = leaves_in(kind, folder);
    let tier = PermanentTier::open(store, options(false)).expect("an empty store");
    let source = BulkSource {
        id: SOURCE,
        codes: Vec::new(),
        parts: (0..PARTS).map(part),
    };
    tier.bulk_build(BLOCK, source, &|_| {}).expect("builds");
    tier
}

#[test]
#[ignore = "run as a child by the tests below"]
fn child_that_builds() {
    if let Some(folder) = child::folder() {
        println!("begun 0");
        build(leaves::of_child(), &folder);
    }
}

/// Lets a child build for a while, and kills it.
fn build_and_die(kind: StoreKind, folder: &Path, life: Duration) {
    let mut child = child::command("child_that_builds")
        .env(child::FOLDER, folder)
        .env(leaves::KIND, kind.name())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary runs");
    let pipe = child.stdout.take().expect("a pipe was asked for");
    let mut lines = BufReader::new(pipe).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("begun 0")));
    thread::sleep(life);
    child.kill().expect("kill");
    child.wait().expect("wait");
}

#[test]
fn a_killed_build_never_opens_as_whole_in_rocksdb() {
    kill_builds(StoreKind::RocksDb);
}

#[test]
fn a_killed_build_never_opens_as_whole_in_pages() {
    kill_builds(StoreKind::Page);
}

fn kill_builds(kind: StoreKind) {
    let whole = TempDir::new().expect("a folder");
    let started = Instant::now();
    let root = build(kind, whole.path()).head().root;
    let took = started.elapsed();
    let (mut interrupted, mut kept) = (0, 0);
    for round in 0..ROUNDS {
        let folder = TempDir::new().expect("a folder");
        build_and_die(kind, folder.path(), took * round / (ROUNDS - 2));
        match PermanentTier::open(leaves_in(kind, folder.path()), Options::default()) {
            Ok(tier) if tier.head().block.is_none() => assert_eq!(tier.head().accounts, 0),
            Ok(tier) => {
                assert_eq!(tier.head().root, root);
                tier.verify().expect("verifies");
            }
            Err(OpenError::Unfinished { block }) => {
                interrupted += 1;
                assert_eq!(block, BLOCK.number);
                if round % 2 == 0 {
                    let (parts, tier) = go_on(kind, folder.path());
                    kept += parts;
                    assert_eq!(tier.head().root, root);
                    tier.verify().expect("verifies");
                    continue;
                }
                let store = leaves_in(kind, folder.path());
                assert!(PermanentTier::discard_unfinished(&store).expect("discards"));
                drop(store);
                assert_eq!(build(kind, folder.path()).head().root, root);
            }
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    assert!(interrupted >= INTERRUPTED_MIN, "{interrupted} of {ROUNDS}");
    assert!(kept > 0, "parts that were not built again");
}
