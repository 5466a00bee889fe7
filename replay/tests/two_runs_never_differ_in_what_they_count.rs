//! Two runs of one workload count the same, block by block: what differs is time, and what the machine and
//! the store's background work do in it.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use thinstate_replay::{
    amplify::Method,
    measure::{Blocks, RecordedRun},
    replay::{RunConfig, Silent, Workload, run},
};

/// Columns that two runs need not have in common. Of the store's: its background work flushes and compacts
/// when it gets to it, and threads find in its cache what others have put there.
const FREE: [&str; 13] = [
    "accounts_read_cold",
    "slots_read_cold",
    "codes_read_cold",
    "block_reads",
    "block_cache_hits",
    "store_read_bytes",
    "store_written_bytes",
    "store_syncs",
    "device_read_bytes",
    "device_written_bytes",
    "device_reads",
    "device_writes",
    "memory_bytes",
];
/// Times.
const TIME: &str = "_ns";
/// Where reads overlap with the block before, a row has some lookups of the next one.
const OVERLAPPED: [&str; 1] = ["store_gets"];

fn rows(out: PathBuf, design: &str, no_overlap: bool) -> Blocks {
    let config = RunConfig {
        design: vec![design.to_owned()],
        accounts: Some(3_000),
        warm_up: 1,
        blocks: Some(12),
        threads: Some(2),
        amplify: Method::Merge,
        scale: 3,
        no_overlap,
        out: out.clone(),
        ..RunConfig::default()
    };
    let workload = Workload::open(&config).unwrap();
    run(&config, &workload, false, &Silent, &AtomicBool::new(false)).unwrap();
    RecordedRun::open(&out).unwrap().blocks().unwrap()
}

/// The metrics that differ between two runs, of those that must not.
fn differing(first: &Blocks, second: &Blocks) -> BTreeSet<String> {
    assert!(first.metrics.keys().eq(second.metrics.keys()));
    let metrics = first.metrics.iter();
    let counts = metrics.filter(|(name, _)| !name.ends_with(TIME) && !FREE.contains(&&***name));
    counts
        .filter(|(name, values)| second.metrics[*name] != **values)
        .map(|(name, _)| name.clone())
        .collect()
}

fn check(dir: &Path, design: &str, no_overlap: bool) {
    let [first, second] = ["first", "second"].map(|it| rows(dir.join(it), design, no_overlap));
    assert_eq!(first.numbers, second.numbers);
    assert_eq!(first.state_roots, second.state_roots);
    assert_eq!(first.commitments, second.commitments);
    let sum = |rows: &Blocks, name: &str| rows.metrics[name].iter().sum::<u64>();
    let mut differing = differing(&first, &second);
    for name in OVERLAPPED {
        assert_eq!(sum(&first, name), sum(&second, name), "{design}, {name}");
        if !no_overlap {
            differing.remove(name);
        }
    }
    assert!(differing.is_empty(), "{design}: {differing:?}");
    // Or nothing was compared.
    for name in [
        "hashes",
        "store_scans",
        "store_syncs",
        "logical_written_bytes",
    ] {
        assert!(sum(&first, name) > 0, "{design}, {name}");
    }
}

#[test]
fn two_runs_of_one_trie_never_differ_in_what_they_count() {
    let dir = tempfile::tempdir().unwrap();
    check(&dir.path().join("overlap"), "mpt", false);
    check(&dir.path().join("in-turn"), "mpt", true);
}

#[test]
fn two_runs_of_all_tiers_never_differ_in_what_they_count() {
    let dir = tempfile::tempdir().unwrap();
    check(&dir.path().join("overlap"), "layered", false);
    check(&dir.path().join("in-turn"), "layered", true);
}
