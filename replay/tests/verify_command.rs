//! `thinstate verify`: what holds is said to hold, and what does not is named.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A block with transactions, storage and all checks, small enough to be verified often.
const BLOCK: &str = "19807080";

/// The folder of mainnet data; a test without it has nothing to say.
fn mainnet() -> Option<PathBuf> {
    support::mainnet(".")
}

fn thinstate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thinstate"))
        .args(args)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!err.contains("panicked"), "{err}");
    format!("{}{err}", String::from_utf8_lossy(&output.stdout))
}

/// The witness of [`BLOCK`], altered, in a file of its own.
fn altered(mainnet: &Path, dir: &Path, alter: impl FnOnce(&mut Value)) -> String {
    let file = std::fs::File::open(mainnet.join(format!("witness/{BLOCK}.json.zst"))).unwrap();
    let mut witness: Value = serde_json::from_reader(zstd::Decoder::new(file).unwrap()).unwrap();
    alter(&mut witness);
    let path = dir.join(format!("{BLOCK}.json"));
    std::fs::write(&path, serde_json::to_vec(&witness).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Flips the lowest bit of the last byte of a hex string.
fn flip(value: &mut Value) {
    let hex = value.as_str().unwrap();
    let (head, last) = hex.split_at(hex.len() - 1);
    let digit = u32::from_str_radix(last, 16).unwrap() ^ 1;
    *value = json!(format!("{head}{digit:x}"));
}

/// Expects a failure whose message contains all of `words`.
fn refused(file: &str, words: &[&str]) {
    let output = thinstate(&["verify", file]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    assert!(
        text.contains("0 of 1 blocks end at their own state roots"),
        "{text}"
    );
}

#[test]
fn no_block_that_can_be_verified_ends_at_another_root() {
    let Some(mainnet) = mainnet() else { return };
    let index: Value =
        serde_json::from_slice(&std::fs::read(mainnet.join("index.json")).unwrap()).unwrap();
    let index = index.as_array().cloned().unwrap_or_else(|| {
        index["blocks"]
            .as_array()
            .cloned()
            .expect("a list of blocks")
    });
    let incomplete = |entry: &&Value| entry["unresolved_sibling_collapses"].as_u64() != Some(0);
    let lacking = index.iter().filter(incomplete).count();
    let dir = tempfile::tempdir().unwrap();
    let json_file = dir.path().join("verify.json");
    let folder = mainnet.join("witness");
    let args = [
        "verify",
        folder.to_str().unwrap(),
        "--json",
        json_file.to_str().unwrap(),
    ];
    let output = thinstate(&args);
    let all = text(&output);
    let expected = format!(
        "{} of {} blocks end at their own state roots",
        index.len() - lacking,
        index.len()
    );
    assert!(all.contains(&expected), "{all}");
    assert_eq!(output.status.code(), Some(i32::from(lacking > 0)), "{all}");
    let reports: Value = serde_json::from_slice(&std::fs::read(&json_file).unwrap()).unwrap();
    assert_eq!(reports["failures"], json!([]));
    for report in reports["blocks"].as_array().unwrap() {
        let number = report["block_number"].as_u64().unwrap();
        let entry = index
            .iter()
            .find(|e| e["number"].as_u64() == Some(number))
            .unwrap();
        let verdict = if incomplete(&entry) {
            "incomplete"
        } else {
            "verified"
        };
        assert_eq!(report["verdict"], verdict, "block {number}");
    }
    let assuming = thinstate(&["verify", args[1], "--assume-branch-siblings", "--quiet"]);
    let expected = format!(
        "{0} of {0} blocks end at their own state roots",
        index.len()
    );
    assert!(text(&assuming).contains(&expected), "{}", text(&assuming));
    assert_eq!(assuming.status.code(), Some(0));
}

#[test]
fn no_altered_node_goes_unseen() {
    let Some(mainnet) = mainnet() else { return };
    let dir = tempfile::tempdir().unwrap();
    let nodes = {
        let mut count = 0;
        altered(&mainnet, dir.path(), |w| {
            count = w["state"].as_array().unwrap().len()
        });
        count
    };
    let mut noticed = 0;
    for index in (0..nodes).step_by(nodes / 12) {
        let file = altered(&mainnet, dir.path(), |w| flip(&mut w["state"][index]));
        let output = thinstate(&["verify", &file]);
        let text = text(&output);
        // A node that the block does not need may be altered without harm.
        if output.status.code() == Some(1) {
            assert!(text.contains("missing node 0x"), "{text}");
            assert!(text.contains("at path ["), "{text}");
            noticed += 1;
        }
    }
    assert!(noticed >= 6, "{noticed} of 12 altered nodes were needed");
}

#[test]
fn no_missing_root_node_goes_unnamed() {
    let Some(mainnet) = mainnet() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = altered(&mainnet, dir.path(), |w| w["state"] = json!([]));
    refused(
        &file,
        &[
            "missing node 0x",
            "of the account trie at path []",
            "needed to read",
        ],
    );
}

#[test]
fn no_wrong_parent_root_passes() {
    let Some(mainnet) = mainnet() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = altered(&mainnet, dir.path(), |w| flip(&mut w["pre_state_root"]));
    // This block has no parent header to compare the root with: nothing then fits the root.
    refused(&file, &["missing node 0x"]);
}

#[test]
fn no_block_that_does_not_decode_passes() {
    let Some(mainnet) = mainnet() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = altered(&mainnet, dir.path(), |w| {
        w["block"] = json!("0xf90102030405")
    });
    refused(&file, &["FAILED", "`block`"]);
    let file = altered(&mainnet, dir.path(), |w| flip(&mut w["block"]));
    refused(&file, &["FAILED"]);
    std::fs::write(&file, b"{\"block\": ").unwrap();
    refused(&file, &["FAILED", BLOCK]);
}

#[test]
fn no_missing_code_passes() {
    let Some(mainnet) = mainnet() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = altered(&mainnet, dir.path(), |w| w["codes"] = json!([]));
    refused(&file, &["FAILED", "code"]);
}

#[test]
fn a_full_disk_is_said_and_never_a_verified_block() {
    let Some(mainnet) = mainnet() else { return };
    let file = mainnet.join("witness/21077746.json.zst");
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} verify {}",
        env!("CARGO_BIN_EXE_thinstate"),
        file.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILED"), "{text}");
}

#[test]
fn paths_without_blocks_are_never_taken_for_success() {
    let dir = tempfile::tempdir().unwrap();
    let empty = thinstate(&["verify", dir.path().to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(text(&empty).contains("no witness files"));
    let absent = thinstate(&["verify", "/nonexistent/block.json"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(text(&absent).contains("/nonexistent/block.json"));
    assert_eq!(thinstate(&["verify"]).status.code(), Some(2));
}

#[test]
fn no_block_from_genesis_ends_at_another_root() {
    let Some(mainnet) = mainnet() else { return };
    let era1 = mainnet.join("era1/mainnet-00000-5ec1ffb8.era1");
    let genesis = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mainnet-genesis.json.zst");
    let genesis = genesis.to_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let run = |datadir: &str, file: &str| {
        let datadir = dir.path().join(datadir);
        let datadir = datadir.to_str().unwrap();
        thinstate(&[
            "verify",
            "--genesis",
            genesis,
            "--datadir",
            datadir,
            "--era1",
            file,
        ])
    };
    let era1 = era1.to_str().unwrap();
    let whole = run("whole", era1);
    let said = text(&whole);
    assert_eq!(whole.status.code(), Some(0), "{said}");
    let root = "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544";
    assert!(said.contains(root), "{said}");
    assert!(
        said.contains("8192 of 8192 blocks end at their own state roots"),
        "{said}"
    );
    let gap = run(
        "whole",
        mainnet
            .join("era1/mainnet-00003-d8b8a40b.era1")
            .to_str()
            .unwrap(),
    );
    assert_eq!(gap.status.code(), Some(1));
    assert!(
        text(&gap).contains("begins with block 24576"),
        "{}",
        text(&gap)
    );

    // A file with a byte altered in the middle: what comes before holds, the place is named, and
    // the store goes on from there once the file is right.
    let damaged = dir.path().join("damaged.era1");
    let mut bytes = std::fs::read(era1).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, &bytes).unwrap();
    let stopped = run("resumed", damaged.to_str().unwrap());
    assert_eq!(stopped.status.code(), Some(1));
    assert!(text(&stopped).contains("at byte"), "{}", text(&stopped));
    assert!(
        text(&stopped).contains("damaged.era1"),
        "{}",
        text(&stopped)
    );
    let resumed = run("resumed", era1);
    assert_eq!(resumed.status.code(), Some(0));
    assert!(
        text(&resumed).contains("the store is at block 8191"),
        "{}",
        text(&resumed)
    );
}
