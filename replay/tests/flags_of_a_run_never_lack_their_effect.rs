//! Flags of `thinstate replay run` about the store: each is recorded, and each does what it says, by what the run
//! counted.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![cfg(target_os = "linux")]

use std::{
    fs, io,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;
use thinstate_replay::measure::{RecordedRun, RunResult};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
/// Smaller than any block of a table file: nothing is found in it.
const NO_CACHE: &str = "1KiB";
const POLL: Duration = Duration::from_millis(10);
/// Times that something is looked for: a minute.
const POLLS: u32 = 6_000;

/// A folder on the file system that the program is built on: that of temporary files may be memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn command(out: &Path, flags: &str) -> Command {
    let mut command = Command::new(THINSTATE);
    command
        .args([
            "replay",
            "run",
            "--quiet",
            "--accounts",
            "4000",
            "--warm-up",
            "1",
        ])
        .args(flags.split_whitespace())
        .arg("--out")
        .arg(out);
    command
}

fn run(out: &Path, flags: &str) -> RunResult {
    let output = command(out, &format!("--blocks 12 {flags}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{flags}: {text}");
    RecordedRun::open(out).unwrap().result
}

fn sum(result: &RunResult, metric: &str) -> u64 {
    result.metrics[metric].sum
}

#[test]
fn no_code_is_read_without_code() {
    let dir = folder();
    let with = run(&dir.path().join("with"), "");
    let without = run(&dir.path().join("without"), "--without-code");
    assert_eq!(without.config["without-code"], true);
    assert_eq!(with.last, without.last, "the same state");
    let of = |metric| [&with, &without].map(|it| sum(it, metric));
    let [codes, none] = of("codes_read");
    assert!(codes > 500 && none == 0, "{codes} {none}");
    let [bytes, none] = of("code_bytes_read");
    assert!(bytes > 1_000 * codes && none == 0, "{bytes} {none}");
    let [gets, fewer] = of("store_gets");
    assert!(
        gets >= fewer + codes / 2,
        "{gets} {fewer}: a lookup for each"
    );
    let [all, less] = of("logical_read_bytes");
    assert_eq!(all - less, bytes + 32 * codes);
}

/// Whether files of the run lie in memory: then there is no device to see.
fn is_in_memory(result: &RunResult) -> bool {
    let system = result.machine["file_system"].as_str().unwrap_or("unknown");
    let in_memory = ["tmpfs", "ramfs"].contains(&system);
    if in_memory {
        eprintln!("skipped: the build folder is on {system}, which no device is under");
    }
    in_memory
}

#[test]
fn no_cache_size_lacks_its_effect() {
    let dir = folder();
    let small = run(
        &dir.path().join("small"),
        &format!("--cache-size {NO_CACHE}"),
    );
    let large = run(&dir.path().join("large"), "--cache-size 64MiB");
    assert_eq!(small.config["cache-size"], NO_CACHE);
    assert_eq!(large.config["cache-size"], "64MiB");
    assert_eq!(small.last, large.last, "the same blocks");
    let reads = [&small, &large].map(|it| sum(it, "block_reads"));
    let hits = [&small, &large].map(|it| sum(it, "block_cache_hits"));
    assert!(reads[0] > 2 * reads[1], "from files: {reads:?}");
    assert!(hits[0] < hits[1], "from the cache: {hits:?}");
    let bytes = [&small, &large].map(|it| sum(it, "store_read_bytes"));
    assert!(bytes[0] > bytes[1], "{bytes:?}");
}

#[test]
fn no_read_goes_past_the_device_with_direct_io() {
    let dir = folder();
    let flags = format!("--cache-size {NO_CACHE}");
    let buffered = run(&dir.path().join("buffered"), &flags);
    if is_in_memory(&buffered) {
        return;
    }
    let direct = run(&dir.path().join("direct"), &format!("{flags} --direct-io"));
    for (result, expected) in [(&buffered, false), (&direct, true)] {
        assert_eq!(result.config["direct-io"], expected);
        assert_eq!(result.machine["direct_io"], expected);
    }
    assert_eq!(direct.last, buffered.last, "the same blocks");
    let device = |it| sum(it, "device_read_bytes");
    assert!(sum(&direct, "store_read_bytes") > 0);
    // Whole sectors: never less than the store asked for.
    assert!(device(&direct) >= sum(&direct, "store_read_bytes"));
    // What was written just before lies in the page cache.
    assert!(device(&buffered) < device(&direct));
}

#[test]
fn no_page_stays_in_memory_when_caches_are_dropped() {
    let dir = folder();
    let flags = format!("--cache-size {NO_CACHE}");
    let kept = run(&dir.path().join("kept"), &flags);
    if is_in_memory(&kept) {
        return;
    }
    let dropped = run(
        &dir.path().join("dropped"),
        &format!("{flags} --drop-caches"),
    );
    assert_eq!(kept.config["drop-caches"], false);
    assert_eq!(kept.machine["page_cache_dropped"], false);
    assert!(kept.machine["page_cache_drop"].is_null());
    assert_eq!(dropped.config["drop-caches"], true);
    assert_eq!(dropped.machine["page_cache_dropped"], true);
    let what = &dropped.machine["page_cache_drop"];
    // The pages, the log, the lock.
    assert!(what["files"].as_u64() >= Some(3), "{what}");
    assert!(what["bytes"].as_u64() > Some(100_000), "{what}");
    let first_rows = |run: &str| {
        let rows = RecordedRun::open(&dir.path().join(run)).unwrap();
        let rows = rows.blocks().unwrap();
        rows.metrics["device_read_bytes"].iter().sum::<u64>()
    };
    // Read once from the device, the warm-up's blocks included.
    assert!(first_rows("dropped") > first_rows("kept"));
}

/// Ends the process with the test, whichever way that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Names of a process's threads that begin so.
fn threads(id: u32, prefix: &str) -> io::Result<usize> {
    let mut count = 0;
    for task in fs::read_dir(format!("/proc/{id}/task"))? {
        // A thread may end meanwhile.
        let name = fs::read_to_string(task?.path().join("comm")).unwrap_or_default();
        count += usize::from(name.starts_with(prefix));
    }
    Ok(count)
}

#[test]
fn no_number_of_threads_lacks_its_effect() {
    let dir = folder();
    for threads_asked in [1, 3] {
        let out = dir.path().join(format!("threads-{threads_asked}"));
        let flags = format!("--threads {threads_asked}");
        let result = run(&out, &flags);
        assert_eq!(result.config["threads"], threads_asked);
        // While blocks go: those that hash, and those that read and mostly wait.
        let mut command = command(&out, &format!("--blocks 1000000 {flags}"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = Killed(child.unwrap());
        let rows = out.join("blocks.csv");
        let begun = (0..POLLS).any(|_| {
            thread::sleep(POLL);
            fs::metadata(&rows).is_ok_and(|rows| rows.len() > 10_000)
        });
        assert!(begun, "no rows");
        let of = |prefix| threads(child.0.id(), prefix).unwrap();
        assert_eq!(of("thinstate-"), threads_asked, "that hash");
        assert_eq!(of("read-"), 8 * threads_asked, "that read");
    }
}
