//! `thinstate replay run --self-check`, and `thinstate study`: what they print of their noise is what their results say, and
//! follows from both runs.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use assert_cmd::Command;
use std::{collections::BTreeMap, path::Path};
use thinstate_replay::measure::{Blocks, RecordedRun, RunStatus};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
const WARM_UP: usize = 2;
const BLOCKS: usize = 12;

/// What the command prints.
fn replay(out: &Path, options: &[&str]) -> String {
    let mut command = Command::new(THINSTATE);
    let command = command
        .args(["replay", "run", "--quiet", "--accounts", "3000"])
        .args(["--warm-up", &WARM_UP.to_string()])
        .args(["--blocks", &BLOCKS.to_string(), "--threads", "2"])
        .args(options)
        .arg("--out")
        .arg(out);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines `NAME SHARE %` below the heading.
fn printed(stdout: &str) -> BTreeMap<String, f64> {
    let (_, rest) = stdout
        .split_once("noise floor: the same once more\n")
        .unwrap_or_else(|| panic!("{stdout}"));
    let lines = rest.lines().take_while(|line| line.ends_with('%'));
    let floors = lines.map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, share, "%"] = words[..] else {
            panic!("{line}");
        };
        (name.to_owned(), share.parse::<f64>().unwrap() / 100.0)
    });
    floors.collect()
}

fn open(dir: &Path) -> (RecordedRun, Blocks) {
    let run = RecordedRun::open(dir).unwrap();
    let blocks = run.blocks().unwrap();
    (run, blocks)
}

#[test]
fn no_noise_is_printed_that_the_two_runs_do_not_have() {
    let dir = tempfile::tempdir().unwrap();
    let stdout = replay(dir.path(), &["--self-check"]);
    let (first, rows) = open(dir.path());
    let (again, rows_again) = open(&dir.path().join("again"));

    // The same work, twice.
    for (run, blocks) in [(&first, &rows), (&again, &rows_again)] {
        assert_eq!(run.result.status, RunStatus::Completed);
        assert_eq!(blocks.len(), WARM_UP + BLOCKS);
    }
    assert_eq!(rows.numbers, rows_again.numbers);
    assert_eq!(rows.state_roots, rows_again.state_roots);
    assert_eq!(rows.commitments, rows_again.commitments);
    assert!(!dir.path().join("store").exists() && !dir.path().join("again/store").exists());

    // Its floor is what lies between them, and what is printed.
    let floor = &first.result.noise_floor;
    assert!(again.result.noise_floor.is_empty());
    let mean = |blocks: &Blocks| {
        let ns = blocks.counted("total_ns").unwrap();
        ns.iter().sum::<u64>() as f64 / ns.len() as f64
    };
    let (a, b) = (mean(&rows), mean(&rows_again));
    let expected = (a - b).abs() / f64::midpoint(a, b);
    let got = floor["total_ns.mean"];
    assert!((got - expected).abs() < 1e-9, "{got} {expected}");
    let printed = printed(&stdout);
    assert!(printed.keys().eq(floor.keys()), "{stdout}");
    for name in [
        "total_ns.p50",
        "total_ns.p99",
        "state_hash_ns.mean",
        "commit_ns.p99",
    ] {
        assert!(printed.contains_key(name), "{name}: {stdout}");
    }
    for (name, share) in printed {
        assert!((share - floor[&name]).abs() <= 0.000_51, "{name}: {stdout}");
    }
    assert!(
        stdout.contains("less than a second was measured"),
        "{stdout}"
    );
}

#[test]
fn no_noise_is_printed_that_was_not_measured() {
    let dir = tempfile::tempdir().unwrap();
    let stdout = replay(dir.path(), &[]);
    assert!(!stdout.contains("noise floor"), "{stdout}");
    assert!(!dir.path().join("again").exists());
    let (run, _) = open(dir.path());
    assert!(run.result.noise_floor.is_empty());
}

#[test]
fn a_comparison_never_forgets_the_noise_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    replay(dir.path(), &["--self-check"]);
    let (first, _) = open(dir.path());
    let mut command = Command::new(THINSTATE);
    let command = command.args(["compare", "--json", "--resamples", "200"]);
    let output = command
        .arg(dir.path())
        .arg(dir.path().join("again"))
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let of = |row: &&serde_json::Value| row["metric"] == "total_ns" && row["statistic"] == "mean";
    let row = rows.iter().find(of).unwrap();
    let known = row["noise_floor"].as_f64().unwrap();
    assert!((known - first.result.noise_floor["total_ns.mean"]).abs() < 1e-12);
}

#[test]
fn no_study_prints_less_noise_than_its_runs_have() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("study.toml"), dir.path().join("out"));
    let study = format!(
        "name = 's'\ndesigns = ['flat-lthash', 'mpt']\naccounts = [3000, 2000]\nmultiples = [1, 2]\nnoise-floor = 2\n\
         [run]\nblocks = {BLOCKS}\nwarm-up = {WARM_UP}\nthreads = 2\n"
    );
    std::fs::write(&file, study).unwrap();
    let mut command = Command::new(THINSTATE);
    let command = command.args(["study", "--quiet", "--out"]);
    let output = command.arg(&out).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let line = stdout.lines().find(|line| line.starts_with("noise floor"));
    let line = line.unwrap_or_else(|| panic!("{stdout}"));
    let begin = "noise floor (flat-lthash with 2,000 accounts at 2x, twice): mean ";
    assert!(line.starts_with(begin), "{line}");

    // As the study has it, and as the folders of both runs do.
    let text = std::fs::read_to_string(out.join("study.json")).unwrap();
    let study: serde_json::Value = serde_json::from_str(&text).unwrap();
    let floor = &study["noise_floor"];
    let mean = |name: &str| {
        let run = floor[name].as_str().unwrap();
        let (_, blocks) = open(&out.join(run));
        let ns = blocks.counted("total_ns").unwrap();
        assert_eq!(ns.len(), BLOCKS);
        ns.iter().sum::<u64>() as f64 / BLOCKS as f64
    };
    let row = &floor["measured"]["rows"][0];
    assert_eq!(
        (&row["metric"], &row["statistic"]),
        (&"total_ns".into(), &"mean".into())
    );
    let ratio = row["ratio"].as_f64().unwrap();
    assert!(
        (ratio - mean("again") / mean("first")).abs() < 1e-9,
        "{row}"
    );
    let [low, high] = [0, 1].map(|end| row["interval"][end].as_f64().unwrap());
    assert!(low <= ratio && ratio <= high, "{row}");
    let share = (high - 1.0).max(1.0 - low);
    assert!(
        line.starts_with(&format!("{begin}{:.1} %, p99 ", share * 100.0)),
        "{line}: {row}"
    );
    assert!(
        line.ends_with("less than a second, too little for figures of time"),
        "{line}"
    );
}
