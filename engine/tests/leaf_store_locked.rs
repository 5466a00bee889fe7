//! Two processes never write to one store.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use std::env;
use std::process::Command;
use tempfile::TempDir;
use thinstate_engine::leaf_store::{RocksOptions, RocksStore, StoreError};

const FOLDER: &str = "THINSTATE_TEST_LOCKED_FOLDER";

#[test]
fn a_second_process_cannot_open_the_store() {
    let folder = TempDir::new().unwrap();
    let store = RocksStore::open(folder.path(), RocksOptions::default()).unwrap();
    let second = Command::new(env::current_exe().unwrap())
        .args(["--exact", "second_process", "--ignored"])
        .env(FOLDER, folder.path())
        .status()
        .unwrap();
    assert!(second.success());
    drop(store);
    RocksStore::open(folder.path(), RocksOptions::default()).unwrap();
}

#[test]
#[ignore = "runs inside a_second_process_cannot_open_the_store"]
fn second_process() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let second = RocksStore::open(folder, RocksOptions::default());
    assert!(matches!(second, Err(StoreError::Locked { .. })));
}
