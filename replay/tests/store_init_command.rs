//! `thinstate store init`: no option is without its effect on the store, and no folder is filled that should not be.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use thinstate_engine::{
    leaf_store::{DiskOptions, DiskStore, LeafStore as _},
    store::recorded_rules,
};
use thinstate_replay::population::{Population, PopulationSpec};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");

/// `thinstate store init --datadir DIR MORE...`, or another command of stores.
fn store(command: &str, dir: &Path, more: &str) -> Output {
    let mut it = Command::new(THINSTATE);
    it.args(["store", command, "--datadir"]).arg(dir);
    it.args(more.split_whitespace()).output().unwrap()
}

/// What `init --json` said of the store that it made.
fn filled(dir: &Path, more: &str) -> Value {
    let output = store("init", dir, &format!("--quiet --json {more}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more}: {text}");
    assert_eq!(text, "", "--quiet");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the population has: accounts and slots.
fn counts(spec: PopulationSpec) -> (u64, u64) {
    let population = Population::new(spec).unwrap();
    (population.accounts(), population.slots())
}

fn counted(filled: &Value) -> (u64, u64) {
    let of = |name: &str| filled["head"][name].as_u64().unwrap();
    (of("accounts"), of("slots"))
}

#[test]
fn no_option_lacks_its_effect() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let root = |filled: &Value| filled["head"]["state_root"].clone();
    let base = filled(&at("base"), "--accounts 800");
    assert_eq!(counted(&base), counts(PopulationSpec::of(800, 1)));
    assert_eq!(base["head"]["block_number"], 24_870_000);
    assert_eq!(base["cached"], false);

    let same = filled(&at("same"), "--accounts 800 --seed 1");
    assert_eq!(root(&same), root(&base));
    let other = filled(&at("seed"), "--accounts 800 --seed 2");
    assert_ne!(root(&other), root(&base));

    let sparse = PopulationSpec {
        slots_per_account: 1.5,
        ..PopulationSpec::of(800, 1)
    };
    let few = filled(&at("sparse"), "--accounts 800 --slots-per-account 1.5");
    assert_eq!(counted(&few), counts(sparse));
    assert!(counted(&few).1 < counted(&base).1 / 2);

    let earlier = filled(&at("block"), "--accounts 800 --block 1000");
    assert_eq!(earlier["head"]["block_number"], 1_000);
    assert_eq!(
        root(&earlier),
        root(&base),
        "ages are outside of what is hashed"
    );
}

#[test]
fn no_option_loses_against_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("spec.toml");
    let spec = PopulationSpec::of(500, 9);
    fs::write(&file, toml::to_string(&spec).unwrap()).unwrap();
    let file = file.to_str().unwrap();
    let by_file = filled(&dir.path().join("a"), &format!("--spec {file}"));
    assert_eq!(counted(&by_file), counts(spec));
    let by_both = format!("--spec {file} --accounts 600");
    let by_both = filled(&dir.path().join("b"), &by_both);
    assert_eq!(counted(&by_both), counts(PopulationSpec::of(600, 9)));
}

#[test]
fn no_store_of_one_tier_is_made_where_all_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let rules = |dir: &Path| {
        let store = DiskStore::open(dir, &DiskOptions::default()).unwrap();
        recorded_rules(&store.snapshot()).unwrap()
    };
    let [one, all] = ["one", "all"].map(|it| dir.path().join(it));
    let of_one = filled(&one, "--accounts 300");
    let of_all = filled(&all, "--accounts 300 --all-tiers");
    assert_eq!(rules(&one), None);
    assert!(rules(&all).is_some());
    assert_eq!(of_all["head"]["state_root"], of_one["head"]["state_root"]);
    for dir in [one, all] {
        let verified = store("verify", &dir, "");
        let text = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "{text}");
    }
}

#[test]
fn no_cached_store_is_built_again_or_shared_unsafely() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let more = format!("--accounts 700 --store rocksdb --cache {}", cache.display());
    let [first, second] = ["first", "second"].map(|it| dir.path().join(it));
    let built = filled(&first, &more);
    let copied = filled(&second, &more);
    assert_eq!(
        (built["cached"].as_bool(), copied["cached"].as_bool()),
        (Some(false), Some(true))
    );
    assert_eq!(copied["head"], built["head"]);
    let tables = fs::read_dir(&second).unwrap().map(|it| it.unwrap().path());
    let links = tables
        .filter(|it| it.extension().is_some_and(|it| it == "sst"))
        .map(|it| it.metadata().unwrap().nlink());
    let links: Vec<_> = links.collect();
    assert!(
        !links.is_empty() && links.iter().all(|links| *links >= 2),
        "{links:?}"
    );
    // Another population is not taken from it.
    let other = filled(&dir.path().join("third"), &format!("{more} --seed 5"));
    assert_eq!(other["cached"], false);
}

#[test]
fn no_output_lacks_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let output = store("init", &dir.path().join("store"), "--accounts 1200");
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("24870000"), "{table}");
    assert!(table.contains("1,200"), "{table}");
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    let status = String::from_utf8(output.stderr).unwrap();
    assert!(status.contains("1,200 accounts"), "{status}");
}

#[test]
fn no_folder_with_something_in_it_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("file"), "keep").unwrap();
    let refused = store("init", &folder, "--accounts 100");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
    assert_eq!(fs::read(folder.join("file")).unwrap(), b"keep");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    // Nor is a store that is whole filled again.
    let made = dir.path().join("made");
    let before = filled(&made, "--accounts 100");
    assert_eq!(
        store("init", &made, "--accounts 200").status.code(),
        Some(1)
    );
    let stats = store("stats", &made, "--json");
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(stats["head"]["state_root"], before["head"]["state_root"]);
    for wrong in ["--accounts 0", "--accounts 10 --slots-per-account -1", ""] {
        let refused = store("init", &dir.path().join("wrong"), wrong);
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
        assert!(!dir.path().join("wrong").exists(), "{wrong}");
    }
}
