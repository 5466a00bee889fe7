//! Studies of a machine that does not exist, whose block work is known.

use super::*;
use crate::{
    measure::{
        DesignInfo, Deviation, DeviceProfile, Distribution, LastBlock, Program, RESULT_SCHEMA,
        RunResult, RunStatus, StateSize, Totals, Unit, WorkloadInfo,
    },
    model::{HashCosts, HashFunction, Scenario},
};
use alloy_primitives::{B256, map::HashMap};
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::BlockNumber;

/// A machine on which a block of design `d` at multiple `m` takes `seconds(d) * m`.
#[derive(Default)]
struct Machine {
    seconds: BTreeMap<String, f64>,
    runs: Vec<(String, u64, Shape)>,
    /// Runs until it is told to stop.
    stop_after: Option<usize>,
    /// A design that has other roots than the others from this block on.
    astray: Option<(String, u64)>,
    /// Blocks after which what is repeated ends, since it does not fit any more.
    again_ends_after: Option<u64>,
    notes: Vec<String>,
    done: HashMap<std::path::PathBuf, RunResult>,
}

impl Machine {
    fn of(seconds: &[(&str, f64)]) -> Self {
        let seconds = seconds.iter().map(|(name, s)| ((*name).to_owned(), *s));
        Self {
            seconds: seconds.collect(),
            ..Self::default()
        }
    }
}

fn constant(unit: Unit, count: u64, value: u64) -> Distribution {
    Distribution {
        unit,
        count,
        sum: value * count,
        mean: value as f64,
        min: value,
        p50: value,
        p90: value,
        p99: value,
        p999: value,
        max: value,
    }
}

fn result(cell: &Cell, shape: Shape, block_s: f64) -> RunResult {
    let count = shape.blocks;
    let block_ns = (block_s * 1e9) as u64;
    let keys = u64::from(shape.multiple) * 2_000;
    let metrics = [
        ("total_ns", constant(Unit::Nanoseconds, count, block_ns)),
        (
            "cpu_ns",
            constant(Unit::Nanoseconds, count, block_ns * 3 / 2),
        ),
        (
            "state_hash_ns",
            constant(Unit::Nanoseconds, count, block_ns / 2),
        ),
        (
            "commit_ns",
            constant(Unit::Nanoseconds, count, block_ns / 4),
        ),
        ("slots_read_hit", constant(Unit::Count, count, keys)),
        (
            "accounts_permutations",
            constant(Unit::Count, count, keys * 3),
        ),
        (
            "device_written_bytes",
            constant(Unit::Bytes, count, keys * 100),
        ),
    ];
    RunResult {
        schema: RESULT_SCHEMA.to_owned(),
        status: RunStatus::Completed,
        error: None,
        decided: None,
        started_at: 0,
        wall_s: block_s * count as f64,
        program: Program::default(),
        config: serde_json::json!({ "threads": 2 }),
        labels: BTreeMap::new(),
        machine: serde_json::json!({ "cpu_cores": 2, "memory_total_bytes": 1u64 << 34 }),
        device: None,
        workload: WorkloadInfo {
            kind: "generated".to_owned(),
            source: "test".to_owned(),
            seed: Some(1),
            amplify: "merge".to_owned(),
            gas_multiple: shape.multiple,
            slot_s: 12.0,
            loop_kind: "closed".to_owned(),
            speed_up: None,
            warm_up_blocks: shape.warm_up,
            blocks: count,
            slots_written_by_class: BTreeMap::new(),
            slots_touched_by_class: BTreeMap::new(),
            deviations: Vec::new(),
        },
        design: DesignInfo {
            name: cell.design.clone(),
            summary: String::new(),
            tiers: BTreeMap::new(),
            trie: Some("all".to_owned()),
            parameters: serde_json::json!({ "kind": "permanent" }),
        },
        state_before: StateSize {
            accounts: cell.accounts,
            folder_bytes: cell.accounts * 300,
            ..StateSize::default()
        },
        state_after: StateSize::default(),
        totals: Totals::default(),
        metrics: metrics
            .into_iter()
            .map(|(name, it)| (name.to_owned(), it))
            .collect(),
        last: Some(LastBlock {
            number: BlockNumber(count),
            state_root: None,
            commitment: B256::ZERO,
        }),
        noise_floor: BTreeMap::new(),
    }
}

impl Runner for Machine {
    fn machine(&self) -> serde_json::Value {
        serde_json::json!({ "hostname": "nowhere", "cpu_model": "made up" })
    }

    fn device(&self) -> Option<DeviceProfile> {
        None
    }

    fn hash_costs(&self) -> HashCosts {
        HashCosts(BTreeMap::from([(HashFunction::Keccak256, 60.0)]))
    }

    fn deviations(&self, _: &StudySpec) -> Result<Vec<Deviation>, StudyError> {
        Ok(vec![Deviation {
            name: "slots_written".to_owned(),
            target: 1_000.0,
            got: 900.0,
            unit: "per block".to_owned(),
            source: "design 7".to_owned(),
        }])
    }

    fn run(
        &mut self,
        _: &StudySpec,
        cell: &Cell,
        shape: Shape,
        dir: &Path,
    ) -> Result<RunResult, StudyError> {
        if let Some(done) = self.done.get(dir) {
            return Ok(done.clone());
        }
        self.runs.push((cell.design.clone(), cell.accounts, shape));
        let size = cell.accounts as f64 / 1e6;
        let block_s = self.seconds[&cell.design] * f64::from(shape.multiple) * size.sqrt();
        let mut run = result(cell, shape, block_s);
        if let Some(blocks) = self.again_ends_after
            && dir.to_string_lossy().ends_with("-again")
        {
            run.status = RunStatus::Decided;
            run.workload.blocks = blocks;
        }
        self.done.insert(dir.to_owned(), run.clone());
        Ok(run)
    }

    fn noise(&self, first: &Path, again: &Path) -> Result<NoiseMeasured, StudyError> {
        let (first, again) = (&self.done[first], &self.done[again]);
        assert_eq!(first.workload, again.workload);
        Ok(NoiseMeasured {
            blocks: first.totals.blocks,
            work_s: first.work_s(),
            rows: Vec::new(),
        })
    }

    fn roots(&self, dir: &Path) -> Result<Vec<(u64, B256)>, StudyError> {
        let run = &self.done[dir];
        let root = |block: u64| match &self.astray {
            Some((design, from)) if *design == run.design.name && block >= *from => B256::ZERO,
            _ => B256::with_last_byte(block as u8 + 1),
        };
        Ok((0..run.workload.blocks.min(5))
            .map(|block| (block, root(block)))
            .collect())
    }

    fn stopped(&self) -> bool {
        self.stop_after
            .is_some_and(|after| self.runs.len() >= after)
    }

    fn note(&mut self, message: &str) {
        self.notes.push(message.to_owned());
    }
}

fn spec() -> StudySpec {
    StudySpec::parse(
        r#"
        name = "test"
        designs = ["slow", "fast"]
        accounts = [1000000, 4000000]
        multiples = [1, 10, 100, 1000]
        held-out = { accounts = 4000000, multiple = 100 }

        [bisect]
        resolution = 0.05
        "#,
    )
    .expect("a study")
}

fn machine() -> Machine {
    Machine::of(&[("slow", 0.1), ("fast", 0.007)])
}

#[test]
fn no_largest_multiple_differs_from_the_machine_s() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study runs");
    assert_eq!(study.status, StudyStatus::Completed);
    let found: Vec<_> = study
        .cells
        .iter()
        .map(|it| (it.cell.design.as_str(), it.cell.accounts, it.largest))
        .collect();
    let expected = [
        ("slow", 1_000_000, 120.0),
        ("fast", 1_000_000, 12.0 / 0.007),
        ("slow", 4_000_000, 60.0),
        ("fast", 4_000_000, 6.0 / 0.007),
    ];
    for ((design, accounts, found), expected) in found.into_iter().zip(expected) {
        assert_eq!((design, accounts), (expected.0, expected.1));
        let fit = f64::from(found.multiple.expect("one times fits"));
        let unfit = f64::from(found.first_unfit.expect("not everything fits"));
        assert!(fit <= expected.2 && expected.2 < unfit, "{found:?}");
        assert!(unfit <= (fit * 1.05).max(fit + 1.0), "{found:?}");
    }
    assert!(study.roots_compared > 0);
    for model in &study.models {
        let accuracy = model.accuracy.as_ref().expect("enough runs");
        let held_out = accuracy.held_out.expect("one is held out");
        assert!(held_out.abs() < 0.25, "{model:?}");
    }
    let read = StudyResult::read(dir.path()).expect("the file reads");
    let read = read.expect("the file is there");
    let largest = |study: &StudyResult| -> Vec<_> {
        let cells = study.cells.iter();
        cells.map(|it| (it.cell.clone(), it.largest)).collect()
    };
    assert_eq!(largest(&read), largest(&study));
    assert_eq!(read.spec, study.spec);
}

#[test]
fn an_interrupted_study_never_repeats_a_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    machine.stop_after = Some(7);
    let spec = StudySpec {
        noise_floor: NoiseSpec::Chosen(false),
        ..spec()
    };
    let study = run(&spec, dir.path(), &[], &mut machine).expect("the study runs");
    assert_eq!(study.status, StudyStatus::Interrupted);
    machine.stop_after = None;
    let study = run(&spec, dir.path(), &[], &mut machine).expect("the study goes on");
    assert_eq!(study.status, StudyStatus::Completed);
    let mut runs = machine.runs.clone();
    runs.sort_by_key(|(design, accounts, shape)| (design.clone(), *accounts, shape.multiple));
    let all = runs.len();
    runs.dedup_by_key(|(design, accounts, shape)| (design.clone(), *accounts, shape.multiple));
    assert_eq!(runs.len(), all);
    let other = StudySpec { seed: 2, ..spec };
    let got = run(&other, dir.path(), &[], &mut machine);
    assert!(matches!(got, Err(StudyError::OtherStudy { .. })), "{got:?}");
}

/// The multiple that is repeated, and the runs that a study takes.
fn repeated(noise_floor: NoiseSpec, seconds: &[(&str, f64)]) -> (Option<u32>, usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let spec = StudySpec {
        accounts: vec![4_000_000, 1_000_000],
        noise_floor,
        ..spec()
    };
    let mut machine = Machine::of(seconds);
    let study = run(&spec, dir.path(), &[], &mut machine).expect("the study runs");
    let runs = machine.runs.len();
    let again = run(&spec, dir.path(), &[], &mut machine).expect("it is complete");
    assert_eq!(machine.runs.len(), runs, "nothing is repeated twice");
    assert_eq!(again.noise_floor, study.noise_floor);
    let read = StudyResult::read(dir.path()).expect("the file reads");
    let read = read.expect("the file is there");
    assert_eq!(read.noise_floor, study.noise_floor);
    let floor = study.noise_floor;
    if let Some(it) = &floor {
        assert_eq!(it.cell.design, "slow", "the first");
        assert_eq!(it.cell.accounts, 1_000_000, "the smallest");
        assert_eq!(it.again, format!("{}-again", it.first));
    }
    (floor.map(|it| it.multiple), runs)
}

#[test]
fn no_study_lacks_its_noise_floor_unless_it_is_told_so() {
    let seconds = [("slow", 0.1), ("fast", 0.007)];
    let (none, runs) = repeated(NoiseSpec::Chosen(false), &seconds);
    assert_eq!(none, None);
    assert_eq!(repeated(NoiseSpec::At(10), &seconds), (Some(10), runs + 1));
    // The least is measured for twenty seconds.
    let chosen = repeated(NoiseSpec::Chosen(true), &seconds);
    assert_eq!(chosen, (Some(1), runs + 1));
    // 200 blocks of a millisecond are less than a second, of ten are not.
    let chosen = repeated(NoiseSpec::Chosen(true), &[("slow", 0.001), ("fast", 0.1)]);
    assert_eq!(chosen.0, Some(10));
    // Also one that does not fit, if it was run to its end.
    assert_eq!(
        repeated(NoiseSpec::At(1_000), &seconds),
        (Some(1_000), runs + 1)
    );
}

#[test]
fn no_noise_floor_is_of_a_study_that_was_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    machine.stop_after = Some(7);
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study runs");
    assert_eq!(study.status, StudyStatus::Interrupted);
    assert_eq!(study.noise_floor, None);
    machine.stop_after = None;
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study goes on");
    assert!(study.noise_floor.is_some());
}

#[test]
fn no_repetition_that_ends_early_is_passed_over_in_silence() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    machine.again_ends_after = Some(2);
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study runs");
    assert_eq!(
        (study.status, &study.noise_floor),
        (StudyStatus::Completed, &None)
    );
    let missing = study.noise_floor_missing.expect("it is said why");
    assert_eq!((missing.multiple, missing.blocks), (1, 2));
    let planned = machine.runs.last().expect("the repetition").2.blocks;
    assert!(missing.blocks_planned == planned && planned > 2);
    let text = missing.to_string();
    assert!(
        text.contains(&format!("ended after 2 of {planned} blocks")),
        "{text}"
    );
    assert!(machine.notes.contains(&text), "{:?}", machine.notes);
    let read = StudyResult::read(dir.path()).expect("the file reads");
    assert_eq!(
        read.expect("the file is there").noise_floor_missing,
        Some(missing)
    );
    make_another_version_s(dir.path());
    // Going on measures it anew.
    machine.again_ends_after = None;
    machine
        .done
        .retain(|dir, _| !dir.to_string_lossy().ends_with("-again"));
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study goes on");
    assert!(study.noise_floor.is_some() && study.noise_floor_missing.is_none());
}

/// Makes `study.json` that of a version whose models and points look otherwise.
fn make_another_version_s(dir: &Path) {
    let path = dir.join("study.json");
    let text = std::fs::read(&path).expect("the file reads");
    let mut study: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    study["models"] = serde_json::json!([{ "colour": "green" }]);
    let cells = study["cells"].as_array_mut().expect("cells");
    for run in cells.iter_mut().flat_map(|it| it["runs"].as_array_mut()) {
        for run in run {
            run["point"] = serde_json::json!({ "taste": "sweet" });
        }
    }
    std::fs::write(&path, study.to_string()).expect("the file is written");
}

#[test]
fn models_of_another_version_never_stop_a_study() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    let first = run(&spec(), dir.path(), &[], &mut machine).expect("the study runs");
    let runs = machine.runs.len();
    make_another_version_s(dir.path());
    let again = run(&spec(), dir.path(), &[], &mut machine).expect("the study goes on");
    assert_eq!(machine.runs.len(), runs, "nothing is repeated");
    assert_eq!(again.started_at, first.started_at);
    assert_eq!(again.cells, first.cells);
    assert_eq!(again.models, first.models);
    // Another study is still another one.
    make_another_version_s(dir.path());
    let other = StudySpec { seed: 2, ..spec() };
    let got = run(&other, dir.path(), &[], &mut machine);
    assert!(matches!(got, Err(StudyError::OtherStudy { .. })), "{got:?}");
}

#[test]
fn what_hashing_took_is_never_lost() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    let study = run(&spec(), dir.path(), &[], &mut machine).expect("the study runs");
    assert_eq!(study.hash_costs, machine.hash_costs());
    for report in &study.models {
        let model = report.model.as_ref().expect("a model");
        let [hashing] = model.hashing[..] else {
            panic!("{model:?}");
        };
        assert_eq!(hashing.function, HashFunction::Keccak256);
        assert!((hashing.permutations.at(10.0, 1e6) / 60_000.0 - 1.0).abs() < 0.01);
        assert!((hashing.measured_ns - 60.0).abs() < 1e-9);
    }
    let read = StudyResult::read(dir.path()).expect("it is whole");
    let read = read.expect("a study is there");
    assert_eq!(read.hash_costs, study.hash_costs);
    let mut models = read.models.iter().filter_map(|it| it.model.as_ref());
    assert!(models.all(|model| model.hashing.len() == 1));
    // One that another version began has measured nothing: the same CPU can make that good, and no other one.
    let path = dir.path().join("study.json");
    let text = std::fs::read(&path).expect("the file reads");
    let mut old: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    old.as_object_mut()
        .expect("fields")
        .remove("permutation_ns");
    std::fs::write(&path, old.to_string()).expect("the file is written");
    let again = run(&spec(), dir.path(), &[], &mut machine).expect("the study goes on");
    assert_eq!(again.hash_costs, machine.hash_costs());
    old["machine"]["cpu_model"] = "another one".into();
    std::fs::write(&path, old.to_string()).expect("the file is written");
    let again = run(&spec(), dir.path(), &[], &mut machine).expect("the study goes on");
    assert_eq!(again.hash_costs, HashCosts::default());
    let mut models = again.models.iter().filter_map(|it| it.model.as_ref());
    assert!(models.all(|model| model.hashing.is_empty()));
}

#[test]
fn two_studies_never_write_into_one_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = folder::Locked::folder(dir.path()).expect("nobody has it");
    let mut second = machine();
    let got = run(&spec(), dir.path(), &[], &mut second);
    let Err(StudyError::InUse { path }) = got else {
        panic!("{got:?}");
    };
    assert_eq!(path, dir.path());
    assert!(second.runs.is_empty(), "{:?}", second.runs);
    assert!(!dir.path().join("study.json").exists());
    drop(first);
    run(&spec(), dir.path(), &[], &mut second).expect("nobody has it any more");
}

#[test]
fn roots_that_differ_never_pass() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut machine = machine();
    machine.astray = Some(("fast".to_owned(), 3));
    let got = run(&spec(), dir.path(), &[], &mut machine);
    let Err(StudyError::RootsDiffer { block, a, b, .. }) = got else {
        panic!("{got:?}");
    };
    assert_eq!((block, a.as_str(), b.as_str()), (3, "slow", "fast"));
}

#[test]
fn no_prediction_is_of_another_design() {
    let dir = tempfile::tempdir().expect("a folder");
    let scenario = Scenario {
        accounts: 16_000_000,
        threads: 2,
        cache_bytes: 1e12,
        device: DeviceProfile::default(),
        hash_costs: HashCosts::default(),
    };
    let study = run(&spec(), dir.path(), &[scenario], &mut machine()).expect("the study runs");
    let of = |design: &str| {
        let model = study.models.iter().find(|it| it.design == design);
        let predicted = &model.expect("a model").predicted[0];
        f64::from(predicted.largest.expect("one times fits"))
    };
    assert!(
        of("fast") > 5.0 * of("slow"),
        "{} {}",
        of("fast"),
        of("slow")
    );
}
