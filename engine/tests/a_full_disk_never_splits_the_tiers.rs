//! Blocks of all tiers are applied until the disk is full, over and over on one store, with another
//! amount of room each time, so that different files run out of it. Every tier stands at the last
//! block then, reopens at the same one once there is room, and goes on.
//!
//! The store lies on a file system of a few MiB, which only a mount namespace of its own can have;
//! where the system grants none, the test says so and passes.

mod support;

use std::{fs, path::Path};
use support::{child, leaves, tiers};
use tempfile::TempDir;
use thinstate_engine::{
    Store,
    leaf_store::{DiskStore, StoreKind},
};
use thinstate_formats::{
    BlockNumber, Commitment,
    temporary::{LiveCommitment, Retention},
};

const ROUNDS: u64 = 12;
/// Far more than fit.
const BLOCKS_MAX: u64 = 6_000;
const DISK_BYTES: u64 = 24 << 20;

fn open(kind: StoreKind, folder: &Path) -> Store<DiskStore> {
    let rules = tiers::rules(LiveCommitment::Deferred, Retention::CurrentAndPrevious);
    let store = leaves::open(kind, folder, 128 << 10);
    Store::open(store, tiers::options(rules, folder)).expect("open the store")
}

/// Takes all room but about this much.
fn leave(ballast: &Path, bytes: u64) {
    let mut size = DISK_BYTES;
    while fs::write(ballast, vec![1; size as usize]).is_err() {
        size -= 64 << 10;
    }
    let kept = size.saturating_sub(bytes);
    let file = fs::File::options()
        .write(true)
        .open(ballast)
        .expect("the ballast");
    file.set_len(kept).expect("make some room");
}

/// Applies blocks until one is refused, and says why.
fn fill(store: &Store<DiskStore>) -> String {
    while tiers::next(store).0 < BLOCKS_MAX {
        let number = tiers::next(store);
        let before = store.commitment();
        let changes = tiers::changes(store, number);
        if let Err(error) = store.apply(tiers::id(number), &changes) {
            assert_eq!(store.commitment(), before, "after {error}");
            store
                .apply(tiers::id(number), &changes)
                .expect_err("refused until reopened");
            return error.to_string();
        }
    }
    panic!("{BLOCKS_MAX} blocks fitted");
}

fn fill_and_recover(kind: StoreKind, folder: &Path, expected: &[Commitment]) {
    let (ballast, path) = (folder.join("ballast"), folder.join("store"));
    let mut last = None;
    for round in 0..ROUNDS {
        let store = open(kind, &path);
        let head = store.head().block.map(|head| head.number);
        assert!(head >= last, "{head:?} after {last:?}");
        let committed = head.map(|head: BlockNumber| expected[head.0 as usize]);
        assert_eq!(store.commitment(), committed, "round {round}");
        // Some blocks that fit, so that the chain gets on.
        for _ in 0..30 {
            tiers::advance(&store);
        }
        leave(&ballast, (round % 6) * (23 << 10));
        let why = fill(&store);
        last = store.head().block.map(|head| head.number);
        println!("after block {last:?}: {why}");
        drop(store);
        fs::remove_file(&ballast).expect("make room");
    }
}

#[test]
fn no_full_disk_leaves_a_tier_of_rocksdb_ahead_or_behind() {
    on_small_disks(StoreKind::RocksDb);
}

#[test]
fn no_full_disk_leaves_a_tier_of_pages_ahead_or_behind() {
    on_small_disks(StoreKind::Page);
}

fn on_small_disks(kind: StoreKind) {
    let mount = format!(
        "mount -t tmpfs -o size={DISK_BYTES} none \"${}\"",
        child::FOLDER
    );
    let namespace = ["unshare", "--user", "--map-root-user", "--mount"];
    for launcher in [&namespace[..], &["unshare", "--mount"]] {
        let folder = TempDir::new().expect("folder");
        let output = child::through_shell(launcher, &mount, "on_a_small_disk")
            .env(child::FOLDER, folder.path())
            .env(leaves::KIND, kind.name())
            .output();
        let Ok(output) = output else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("running 1 test") {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{text}\n{errors}");
            return println!("{text}");
        }
    }
    println!("skipped: no mount namespace to be had for a small file system");
}

#[test]
#[ignore = "runs inside the two above"]
fn on_a_small_disk() {
    let Some(folder) = child::folder() else {
        return;
    };
    let rules = tiers::rules(LiveCommitment::Deferred, Retention::CurrentAndPrevious);
    fill_and_recover(
        leaves::of_child(),
        &folder,
        &tiers::commitments(rules, BLOCKS_MAX),
    );
}
