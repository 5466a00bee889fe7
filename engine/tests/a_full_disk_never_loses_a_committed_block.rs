//! Blocks are committed until the disk is full. The state stands still at the last one committed,
//! reopens there once there is room, whole, and goes on.
//!
//! The store lies on a file system of a few MiB, which only a mount namespace of its own can have;
//! where the system grants none, the test says so and passes.

mod support;

use alloy_primitives::Address;
use std::{fs, path::Path};
use support::{
    block,
    chain::Chain,
    child, leaves,
    random::{self, Universe},
};
use tempfile::TempDir;
use thinstate_engine::{
    CommitError, Options, PermanentTier, UndoError,
    leaf_store::{DiskStore, StoreError, StoreKind},
};
use thinstate_formats::StateChanges;

const SEED: u64 = 4;
const BLOCKS_MAX: u64 = 2_000;
const UNIVERSE: Universe = Universe {
    accounts: 2_000,
    hubs: 2,
    slots: 1_000,
};

type Tier = PermanentTier<DiskStore>;

fn open(kind: StoreKind, folder: &Path) -> Tier {
    let store = leaves::open(kind, folder, 2 << 20);
    PermanentTier::open(store, Options::default()).expect("open the state")
}

fn changes(number: u64) -> StateChanges {
    match number {
        0 => random::first_block(UNIVERSE),
        _ => random::block(&mut random::rng(SEED, number), UNIVERSE, 300),
    }
}

fn addresses() -> Vec<Address> {
    (0..UNIVERSE.accounts).map(random::address).collect()
}

/// Commits blocks until one is refused, and returns its number and why.
fn fill(tier: &Tier, chain: &mut Chain) -> (u64, CommitError) {
    for number in 0..BLOCKS_MAX {
        match tier.apply(block(number), &changes(number)) {
            Ok(_) => chain.apply(&changes(number)),
            Err(error) => return (number, error),
        }
    }
    panic!("{BLOCKS_MAX} blocks fitted");
}

/// Commits until the disk is full, makes room, and goes on.
fn fill_and_recover(kind: StoreKind, folder: &Path) {
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 8 << 20]).expect("write the ballast");
    let (path, mut chain) = (folder.join("store"), Chain::default());
    let tier = open(kind, &path);
    let (refused, error) = fill(&tier, &mut chain);
    let no_space = matches!(error, CommitError::Store(StoreError::NoSpace { .. }));
    assert!(no_space, "{error:?}");
    assert!(refused > 10, "only {refused} blocks fitted");
    println!("block {refused} did not fit: {error}");

    assert_eq!(tier.head().block, Some(block(refused - 1)));
    chain.assert_shown_by(&tier, &addresses());
    let again = tier.apply(block(refused), &changes(refused));
    assert!(matches!(
        again,
        Err(CommitError::Store(StoreError::Poisoned { .. }))
    ));
    let undone = tier.undo();
    assert!(matches!(
        undone,
        Err(UndoError::Store(StoreError::Poisoned { .. }))
    ));
    drop(tier);

    fs::remove_file(&ballast).expect("make room");
    let tier = open(kind, &path);
    let head = tier.head().block.expect("blocks were committed").number.0;
    assert!(head == refused || head + 1 == refused, "head {head}");
    if head == refused {
        // It had reached the log before the disk was found to be full.
        chain.apply(&changes(refused));
    }
    chain.assert_shown_by(&tier, &addresses());
    for number in head + 1..head + 4 {
        chain.apply(&changes(number));
        tier.apply(block(number), &changes(number)).expect("apply");
    }
    for _ in 0..5 {
        chain.undo();
        tier.undo().expect("undo");
    }
    chain.assert_shown_by(&tier, &addresses());
    let head = tier.head();
    chain.assert_is_all_of(&tier.into_store(), &head);
}

#[test]
fn a_full_disk_never_loses_a_committed_block_in_rocksdb() {
    on_small_disks(StoreKind::RocksDb);
}

#[test]
fn a_full_disk_never_loses_a_committed_block_in_pages() {
    on_small_disks(StoreKind::Page);
}

fn on_small_disks(kind: StoreKind) {
    let mount = format!("mount -t tmpfs -o size=32m none \"${}\"", child::FOLDER);
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
    fill_and_recover(leaves::of_child(), &folder);
}
