//! `thinstate profile` from the command line: what it prints, what it writes, how it ends.

#[path = "support/mod.rs"]
mod support;

use assert_cmd::Command;
use std::{path::Path, sync::Arc};
use thinstate_formats::{BlockNumber, trace::TraceHeader};
use thinstate_replay::{
    generate::{Generator, to_trace},
    population::{Population, PopulationSpec},
    profile::Profile,
    trace::TraceWriter,
};

fn thinstate(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("thinstate").expect("the package has the program");
    command.arg("profile").args(arguments);
    command
}

/// Blocks of the profile that is built in, as a trace.
fn write_trace(path: &Path, blocks: usize) {
    let population = Population::new(PopulationSpec::of(50_000, 1)).expect("mainnet's shape");
    let generator =
        Generator::new(Profile::mainnet(), Arc::new(population), 1, BlockNumber(7)).expect("sound");
    let header = TraceHeader::new(1);
    let mut writer = TraceWriter::create(path, header).expect("a new file");
    for load in generator.take(blocks) {
        writer.push(&to_trace(&load)).expect("blocks ascend");
    }
    writer.finish().expect("it fits");
}

#[test]
fn no_number_is_missing_from_the_check() {
    let arguments = ["check", "--accounts", "50000", "--blocks", "40", "--json"];
    let output = thinstate(&arguments).output().expect("it runs");
    // So few accounts cannot have the popularity of many.
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    assert_eq!(
        (&json["blocks"], &json["accounts"]),
        (&40.into(), &50_000.into())
    );
    let rows = json["rows"].as_array().expect("rows");
    assert!(rows.len() > 40, "{}", rows.len());
    for key in [
        "name",
        "mainnet",
        "generated",
        "deviation_percent",
        "source",
    ] {
        assert!(rows.iter().all(|row| !row[key].is_null()), "{key}");
    }
    let generous = [&arguments[..], &["--tolerance", "10000"]].concat();
    thinstate(&generous).assert().success();
    let same = thinstate(&arguments).output().expect("it runs");
    assert_eq!(
        same.stdout, output.stdout,
        "the same seed gives the same numbers"
    );
}

#[test]
fn no_profile_is_fitted_that_cannot_be_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let (trace, file) = (
        dir.path().join("blocks.trace"),
        dir.path().join("fitted.toml"),
    );
    write_trace(&trace, 40);
    let [trace, out] = [&trace, &file].map(|it| it.to_str().expect("UTF-8"));
    let assert = thinstate(&["fit", trace, "-o", out, "--name", "mine"])
        .assert()
        .success();
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(stderr.contains("fitted to 40 blocks"), "{stderr}");
    assert!(stderr.contains("from mainnet-2026: *.locality"), "{stderr}");
    let profile = Profile::load(&file).expect("it was just written");
    assert_eq!(profile.name, "mine");
    let written = profile.block.slots_written.mean / Profile::mainnet().block.slots_written.mean;
    assert!((written - 1.0).abs() < 0.2, "{written}");
    let check = [
        "check",
        out,
        "--accounts",
        "50000",
        "--blocks",
        "2",
        "--tolerance",
        "100000",
    ];
    let assert = thinstate(&check).assert().success();
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(stdout.contains("slots written"), "{stdout}");
}

#[test]
fn no_broken_file_is_taken_for_a_profile() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("broken.toml");
    std::fs::write(
        &file,
        Profile::mainnet().to_toml().replace("alike", "alikee"),
    )
    .expect("space");
    let path = file.to_str().expect("UTF-8");
    let assert = thinstate(&["check", path, "--blocks", "1"])
        .assert()
        .code(1);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(stderr.contains("alikee"), "{stderr}");
    thinstate(&["fit", path]).assert().code(1);
    thinstate(&["fit"]).assert().code(2);
}

/// The commands at its head make the file, where their blocks are at hand.
#[test]
fn no_shipped_profile_differs_from_that_of_its_blocks() {
    let Some(witnesses) = support::mainnet("witness") else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let [trace, out] = ["witness.trace", "fitted.toml"].map(|it| dir.path().join(it));
    let [witnesses, trace, out_text] =
        [&witnesses, &trace, &out].map(|it| it.to_str().expect("UTF-8"));
    let mut command = Command::cargo_bin("thinstate").expect("the package has the program");
    command
        .args(["trace", witnesses, "-o", trace])
        .assert()
        .success();
    let fit = [
        "fit",
        trace,
        "--from",
        "19807080",
        "--name",
        "mainnet-blocks",
        "-o",
        out_text,
    ];
    thinstate(&fit).assert().success();
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/profiles/mainnet-blocks.toml");
    let [fitted, shipped] = [out, shipped].map(|it| Profile::load(&it).expect("a profile"));
    assert_eq!(fitted, shipped);
}
