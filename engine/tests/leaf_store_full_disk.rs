//! A full disk costs the batch that did not fit and nothing before it.
//!
//! The store lies on a file system of a few MiB, which only a mount namespace of its own can have;
//! where the system grants none, a limit on file sizes stands in for it, and where there is no
//! shell either, the test says so and passes.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use thinstate_engine::leaf_store::{
    Batch, LeafRead, LeafStore, RocksOptions, RocksStore, StoreError, Table,
};

const FOLDER: &str = "THINSTATE_TEST_FULL_DISK_FOLDER";
/// Where the process under the limit leaves its count for the one without.
const ACKNOWLEDGED: &str = "acknowledged";
const BLOCKS_MAX: u32 = 4_000;
const ENTRIES: u32 = 64;

fn options() -> RocksOptions {
    RocksOptions {
        cache_bytes: 1 << 20,
        write_buffer_bytes: 2 << 20,
        ..RocksOptions::default()
    }
}

fn block(number: u32) -> Batch {
    let mut batch = Batch::default();
    for entry in 0..ENTRIES {
        let key = [number.to_be_bytes(), entry.to_be_bytes()].concat();
        batch.put(Table::Storage, key.repeat(8), vec![number as u8; 400]);
    }
    batch.put(Table::Meta, *b"head", number.to_be_bytes());
    batch
}

/// Commits until the disk refuses; the number of blocks acknowledged, and the refusal.
fn fill(store: &RocksStore) -> (u32, StoreError) {
    for number in 0..BLOCKS_MAX {
        if let Err(error) = store.commit(block(number)) {
            return (number, error);
        }
    }
    panic!("{BLOCKS_MAX} blocks fitted");
}

fn head(store: &RocksStore) -> u32 {
    let head = store.snapshot().get(Table::Meta, b"head").unwrap().unwrap();
    u32::from_be_bytes(head.try_into().unwrap())
}

/// Every block up to the head is there, whole; none above it.
fn whole_blocks(store: &RocksStore) -> u32 {
    let head = head(store);
    let mut entries = 0;
    let visit = &mut |_: &[u8], value: &[u8]| {
        assert_eq!(value.len(), 400);
        entries += 1;
        core::ops::ControlFlow::Continue(())
    };
    let read = store.snapshot();
    read.scan(Table::Storage, &[], None, visit).unwrap();
    assert_eq!(entries, (head + 1) * ENTRIES);
    head
}

fn refused_then_recovered(folder: &Path, is_expected: fn(&StoreError) -> bool) {
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 8 << 20]).unwrap();
    let path = folder.join("store");
    let store = RocksStore::open(&path, options()).unwrap();
    let (acknowledged, error) = fill(&store);
    assert!(is_expected(&error), "{error:?}");
    assert!(acknowledged > 10, "only {acknowledged} blocks fitted");
    assert!(matches!(
        store.commit(block(acknowledged)),
        Err(StoreError::Poisoned { .. })
    ));
    assert_eq!(
        head(&store),
        acknowledged - 1,
        "the snapshot before the refusal"
    );
    drop(store);
    fs::remove_file(&ballast).unwrap();
    let store = RocksStore::open(&path, options()).unwrap();
    let head = whole_blocks(&store);
    assert!(head == acknowledged || head + 1 == acknowledged);
    store.commit(block(head + 1)).unwrap();
    assert_eq!(whole_blocks(&store), head + 1);
}

/// Runs one of the ignored tests below in a process of its own, through a shell.
fn in_a_child(shell: &[&str], setup: &str, test: &str) -> Option<(Output, TempDir)> {
    let folder = TempDir::new().unwrap();
    let script = format!("{setup} && exec \"$0\" --exact {test} --ignored --nocapture");
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["sh", "-c", &script])
        .arg(env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .ok()?;
    Some((output, folder))
}

fn passed(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("running 1 test") {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        return true;
    }
    false
}

fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

#[test]
fn a_full_disk_loses_no_acknowledged_block() {
    let mount = format!("mount -t tmpfs -o size=24m none \"${FOLDER}\"");
    let namespace = ["unshare", "--user", "--map-root-user", "--mount"];
    for shell in [&namespace[..], &["unshare", "--mount"]] {
        let child = in_a_child(shell, &mount, "on_a_small_disk");
        if child.is_some_and(|(output, _)| passed(&output)) {
            return;
        }
    }
    println!("skipped: no mount namespace to be had for a small file system");
}

#[test]
fn a_refused_write_loses_no_acknowledged_block() {
    // Blocks of 512 bytes: a log may grow to 1.5 MiB, a memtable's worth of them.
    let limit = "trap '' XFSZ && ulimit -f 3072";
    match in_a_child(&["env"], limit, "under_a_limit_on_files") {
        Some((output, folder)) if passed(&output) => {
            let acknowledged = fs::read(folder.path().join(ACKNOWLEDGED)).unwrap();
            let acknowledged = u32::from_be_bytes(acknowledged.try_into().unwrap());
            let store = RocksStore::open(folder.path().join("store"), options()).unwrap();
            let head = whole_blocks(&store);
            assert!(head == acknowledged || head + 1 == acknowledged);
        }
        _ => println!("skipped: no shell to limit file sizes"),
    }
}

#[test]
#[ignore = "runs inside a_full_disk_loses_no_acknowledged_block"]
fn on_a_small_disk() {
    let Some(folder) = folder() else { return };
    refused_then_recovered(&folder, |error| matches!(error, StoreError::NoSpace { .. }));
}

#[test]
#[ignore = "runs inside a_refused_write_loses_no_acknowledged_block"]
fn under_a_limit_on_files() {
    let Some(folder) = folder() else { return };
    let store = RocksStore::open(folder.join("store"), options()).unwrap();
    let (acknowledged, error) = fill(&store);
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert!(acknowledged > 10, "only {acknowledged} blocks fitted");
    assert_eq!(head(&store), acknowledged - 1);
    fs::write(folder.join(ACKNOWLEDGED), acknowledged.to_be_bytes()).unwrap();
}
