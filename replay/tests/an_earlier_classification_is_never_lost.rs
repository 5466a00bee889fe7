//! `thinstate classify -o` of a trace that has classes, without the logs that they came from: they are kept, unless
//! it is told to forget them.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{path::Path, process::Command};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");

fn thinstate(dir: &Path, args: &str) -> Vec<u8> {
    let mut command = Command::new(THINSTATE);
    let output = command
        .args(args.split_whitespace())
        .current_dir(dir)
        .output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args}: {text}");
    output.stdout
}

/// How many slots the trace has of each class.
fn classes(dir: &Path, trace: &str) -> serde_json::Value {
    let json = thinstate(dir, &format!("trace --info {trace} --json"));
    let info: serde_json::Value = serde_json::from_slice(&json).unwrap();
    info["slots"]["by_class"].clone()
}

#[test]
fn no_class_is_lost_by_classifying_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    thinstate(
        dir,
        "trace --generate mainnet --accounts 20000 --blocks 1:+10 -o made.trace",
    );
    let made = classes(dir, "made.trace");
    assert!(made["erc20_balance"].as_u64() > Some(100), "{made}");
    assert!(made["plain_slot"].as_u64() > Some(100), "{made}");
    thinstate(dir, "classify made.trace -o again.trace");
    let again = classes(dir, "again.trace");
    for (class, count) in made.as_object().unwrap() {
        let got = &again[class];
        match class.as_str() {
            // What nobody has looked at may turn out to be something.
            "unclassified" => assert!(got.as_u64() <= count.as_u64(), "{again}"),
            "plain_slot" => assert!(got.as_u64() >= count.as_u64(), "{again}"),
            object => assert_eq!(got, count, "{object}"),
        }
    }
    thinstate(dir, "classify made.trace --forget-classes -o anew.trace");
    assert_ne!(classes(dir, "anew.trace"), made);
}
