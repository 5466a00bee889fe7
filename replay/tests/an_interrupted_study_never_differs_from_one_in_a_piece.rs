//! A study that is stopped between runs and gone on with finds what one in a piece finds, and repeats no run that is done.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};
use thinstate_replay::{
    measure::{METRICS, RecordedRun, Unit},
    replay::{BlockProgress, Progress},
    study::{self, CellResult, Replayed, StudyResult, StudySpec, StudyStatus},
};

const STUDY: &str = "
    name = 'small'
    designs = ['mpt', 'mpt-expiry']
    accounts = [2000, 3000]
    multiples = [1, 3]
    amplify = 'clone'
    noise-floor = 1
    [run]
    blocks = 6
    warm-up = 1
    threads = 2
";
/// Runs of its four cells.
const RUNS: usize = 8;
/// Counts that depend on when the store's background work is done, and what the system says.
const FREE: [&str; 10] = [
    "accounts_read_cold",
    "slots_read_cold",
    "codes_read_cold",
    "block_reads",
    "block_cache_hits",
    "store_syncs",
    "device_reads",
    "device_writes",
    "store_gets",
    "memory_bytes",
];

/// Stops the study once so many runs have ended.
struct StopAfter<'a> {
    runs: usize,
    ended: AtomicUsize,
    blocks: AtomicUsize,
    stop: &'a AtomicBool,
}

impl Progress for StopAfter<'_> {
    fn stage(&self, _: &str, _: u64, _: u64) {}

    fn block(&self, _: &BlockProgress<'_>) {
        self.blocks.fetch_add(1, SeqCst);
    }

    fn note(&self, text: &str) {
        let is_run = text.contains("x: p99 ");
        if is_run && self.ended.fetch_add(1, SeqCst) + 1 == self.runs {
            self.stop.store(true, SeqCst);
        }
    }
}

/// Goes on with the study in `dir` until so many of its runs have ended, done ones included; also how many blocks were run.
fn go_on(dir: &Path, runs: usize) -> (StudyResult, usize) {
    let spec = StudySpec::parse(STUDY).unwrap();
    let stop = AtomicBool::new(false);
    let progress = StopAfter {
        runs,
        ended: AtomicUsize::new(0),
        blocks: AtomicUsize::new(0),
        stop: &stop,
    };
    let mut runner = Replayed {
        dir: dir.to_owned(),
        cache: Some(dir.join("cache")),
        device: None,
        progress: &progress,
        stop: &stop,
    };
    let result = study::run(&spec, dir, &[], &mut runner).unwrap();
    (result, progress.blocks.load(SeqCst))
}

/// The results in a study's folder, as they lie there.
fn results(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for design in ["mpt", "mpt-expiry"] {
        for run in ["2000/x1", "2000/x3", "3000/x1", "3000/x3", "2000/x1-again"] {
            let run = format!("runs/{design}/{run}");
            if let Ok(bytes) = fs::read(dir.join(&run).join("result.json")) {
                found.insert(run, bytes);
            }
        }
    }
    found
}

/// What of a cell is no time.
fn facts(cell: &CellResult) -> serde_json::Value {
    let runs = cell.runs.iter().map(|run| {
        serde_json::json!([
            run.multiple,
            run.dir,
            run.fits,
            run.blocks,
            run.blocks_planned,
            run.point.keys,
            run.point.accounts,
        ])
    });
    serde_json::json!({
        "cell": cell.cell,
        "design": cell.design,
        "accounts": cell.state.accounts,
        "slots": cell.state.slots,
        "runs": runs.collect::<Vec<_>>(),
        "largest": cell.largest,
    })
}

/// Rows of two runs: what was counted, and the roots.
fn assert_same_blocks(one: &Path, other: &Path) {
    let rows = |dir: &Path| RecordedRun::open(dir).unwrap().blocks().unwrap();
    let (one, other) = (rows(one), rows(other));
    assert_eq!(one.numbers, other.numbers);
    assert_eq!(one.state_roots, other.state_roots);
    assert_eq!(one.commitments, other.commitments);
    let counts = METRICS.iter().filter(|it| it.unit == Unit::Count);
    for metric in counts.filter(|it| !FREE.contains(&it.name)) {
        let of = |rows: &thinstate_replay::measure::Blocks| rows.metrics[metric.name].clone();
        assert_eq!(of(&one), of(&other), "{}", metric.name);
    }
}

#[test]
fn a_study_in_parts_never_differs_from_one_in_a_piece() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|it| dir.path().join(it));
    let (expected, blocks) = go_on(&whole, usize::MAX);
    assert_eq!(expected.status, StudyStatus::Completed);
    assert_eq!(
        results(&whole).len(),
        RUNS + 1,
        "and the one for the noise floor"
    );

    // Behind the first cell; within the second one; behind the last, before the run that is repeated.
    let mut blocks_of_parts = 0;
    let mut done = BTreeMap::new();
    for runs in [2, 3, RUNS] {
        let (part, blocks) = go_on(&parts, runs);
        blocks_of_parts += blocks;
        assert_eq!(part.status, StudyStatus::Interrupted);
        assert_eq!(part.cells.len(), runs.div_ceil(2));
        assert_eq!(part.noise_floor, None);
        let now = results(&parts);
        assert_eq!(now.len(), runs);
        assert!(done.iter().all(|(run, bytes)| now[run] == *bytes));
        done = now;
    }
    let (got, rest) = go_on(&parts, usize::MAX);
    assert_eq!(got.status, StudyStatus::Completed);
    assert_eq!(blocks_of_parts + rest, blocks, "no block was run twice");
    let now = results(&parts);
    assert_eq!(now.len(), RUNS + 1);
    assert!(done.iter().all(|(run, bytes)| now[run] == *bytes));

    assert_eq!(got.spec, expected.spec);
    assert_eq!(got.roots_compared, expected.roots_compared);
    assert!(got.roots_compared > 0);
    assert_eq!(got.deviations, expected.deviations);
    let of = |study: &StudyResult| study.cells.iter().map(facts).collect::<Vec<_>>();
    assert_eq!(of(&got), of(&expected));
    for run in now.keys() {
        assert_same_blocks(&whole.join(run), &parts.join(run));
    }
    let read = |dir: &Path| of(&StudyResult::read(dir).unwrap().unwrap());
    assert_eq!(read(&parts), read(&whole));
    let noise = |study: &StudyResult| {
        let floor = study.noise_floor.clone().unwrap();
        (
            floor.cell,
            floor.multiple,
            floor.again,
            floor.measured.blocks,
        )
    };
    assert_eq!(noise(&got), noise(&expected));
    assert_eq!(noise(&got).2, "runs/mpt/2000/x1-again");
    assert_eq!(got.noise_floor.unwrap().measured.blocks, 6);
}
