//! Real blocks from a trace, each on the state of its own witness, end at their headers' roots.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod support;

use std::{path::Path, sync::atomic::AtomicBool};
use thinstate_engine::Options;
use thinstate_formats::trace::TraceHeader;
use thinstate_replay::{
    exec::ChainSpec,
    measure::Blocks,
    replay::{RunConfig, Silent, replay_witnesses},
    source::witness,
    trace::{TraceWriter, record_witness},
};

/// Blocks of several forks; the last of them lacks the sibling of a branch that collapses.
const BLOCKS: [u64; 5] = [46_147, 1_150_000, 2_675_000, 9_069_000, 20_378_342];

#[test]
fn no_trace_on_its_witnesses_misses_a_root() {
    let Some(folder) = support::mainnet("witness") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let header = TraceHeader::new(1);
    let mut writer = TraceWriter::create(dir.path().join("blocks.trace"), header).unwrap();
    let mut whole = 0;
    for number in BLOCKS {
        let file = folder.join(format!("{number}.json.zst"));
        if !file.is_file() {
            continue;
        }
        let witness = witness::read(&file).unwrap();
        let store = dir.path().join(number.to_string());
        let spec = ChainSpec::mainnet();
        let recorded = record_witness(&store, &witness, &spec, Options::default()).unwrap();
        writer.push(&recorded.trace).unwrap();
        whole += u64::from(number != 20_378_342);
    }
    assert!(whole > 0);
    let trace = writer.finish().unwrap();
    for design in ["mpt", "mpt-expiry"] {
        let config = RunConfig {
            design: vec![design.to_owned()],
            trace: Some(trace.clone()),
            out: dir.path().join(design),
            threads: Some(2),
            ..RunConfig::default()
        };
        check(&config, &folder, whole);
    }
}

fn check(config: &RunConfig, folder: &Path, whole: u64) {
    let stop = AtomicBool::new(false);
    let report = replay_witnesses(config, folder, &Silent, &stop).unwrap();
    assert!(report.completed);
    assert_eq!(report.agreed, whole);
    let unknown: Vec<_> = report.unknown.iter().map(|(number, _)| number.0).collect();
    assert_eq!(unknown, [20_378_342]);
    let path = config.out.join("blocks.csv");
    let rows = std::fs::read_to_string(&path).unwrap();
    let rows = Blocks::parse(&path, &rows).unwrap();
    assert_eq!(rows.len() as u64, whole);
    assert!(rows.state_roots.iter().all(Option::is_some));
}
