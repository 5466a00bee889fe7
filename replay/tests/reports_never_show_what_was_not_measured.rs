//! A report of a study that a machine of known speed carried out: nothing in it overlaps, is empty, or is not in
//! the results.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/browser.rs"]
mod browser;
#[expect(dead_code, reason = "each test file uses a part")]
#[path = "support/runs.rs"]
mod runs;

use alloy_primitives::B256;
use std::{collections::BTreeMap, path::Path, time::Duration};
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    measure::{
        BlockCost, Deviation, DeviceProfile, Recorder, RunResult, StateSize, TierBytes, TierWork,
    },
    replay::RunConfig,
    report,
    study::{self, Cell, NoiseMeasured, Runner, Shape, StudyError, StudySpec},
};

const DESIGNS: [&str; 6] = [
    "mpt",
    "mpt-expiry",
    "temporary",
    "utxo",
    "layered",
    "flat-lthash",
];

/// A machine on which each design has a speed of its own.
struct Machine;

/// How much longer a run takes that is repeated.
const AGAIN: f64 = 1.03;

impl Machine {
    /// Seconds of a block at one times mainnet's gas.
    fn seconds(cell: &Cell) -> f64 {
        let place = DESIGNS.iter().position(|it| *it == cell.design).unwrap() as f64;
        0.021 / (1.0 + place) * (cell.accounts as f64 / 1e6).powf(0.2)
    }

    fn cost(cell: &Cell, shape: Shape, number: u64, slowdown: f64) -> BlockCost {
        let noise = slowdown * (0.9 + 0.02 * ((number * 7) % 11) as f64);
        let multiple = u64::from(shape.multiple);
        let part = |share: f64| {
            let seconds = Self::seconds(cell) * multiple as f64 * noise * share;
            Duration::from_secs_f64(seconds)
        };
        let cheap = cell.design == "temporary" || cell.design == "layered";
        let work = |each: u64| TierWork {
            reads_hit: each * multiple,
            reads_absent: each / 2 * multiple,
            created: each / 4 * multiple,
            updated: each / 2 * multiple,
            deleted: each / 12 * multiple,
            hashes: each * multiple,
            permutations: each * 2 * multiple,
            logical_read_bytes: each * 60 * multiple,
            logical_written_bytes: each * 90 * multiple,
            witness_bytes: if cheap { each * 7 * multiple } else { 0 },
            ..TierWork::default()
        };
        BlockCost {
            number: BlockNumber(number),
            blocks: shape.multiple,
            gas_used: 30_300_000 * multiple,
            tx_count: 229 * multiple,
            warm_up: number < shape.warm_up,
            state_root: Some(B256::with_last_byte(number as u8)),
            accounts: work(600),
            slots: work(1_000),
            temporary: if cheap {
                work(300)
            } else {
                TierWork::default()
            },
            device_written_bytes: 400_000 * multiple,
            device_read_bytes: 4_096 * multiple,
            device_reads: multiple,
            device_writes: 10,
            state_read: part(0.4),
            state_hash: part(0.35),
            commit: part(0.25),
            total: part(1.0),
            cpu: part(1.4),
            memory_bytes: 1 << 30,
            ..BlockCost::default()
        }
    }
}

fn state(cell: &Cell) -> StateSize {
    let tier = |live: u64, dead: u64| TierBytes {
        live_objects: live,
        dead_objects: dead,
        spent_objects: dead / 3,
        live_disk_bytes: live * 85,
        live_memory_bytes: live * 3,
        permanent_bytes: dead / 5,
        archive_bytes: dead * 46,
    };
    let accounts = cell.accounts;
    let mut tiers = BTreeMap::from([("permanent".to_owned(), tier(accounts * 5, 0))]);
    if cell.design == "layered" {
        tiers.insert("temporary".to_owned(), tier(accounts / 10, accounts));
        tiers.insert("utxo".to_owned(), tier(accounts / 5, accounts / 2));
    }
    StateSize {
        accounts,
        slots: accounts * 4,
        tiers,
        folder_bytes: accounts * 425,
    }
}

impl Runner for Machine {
    fn machine(&self) -> serde_json::Value {
        serde_json::json!({ "hostname": "nowhere", "cpu_cores": 2, "cpu_model": "<made & up>" })
    }

    fn device(&self) -> Option<DeviceProfile> {
        Some(DeviceProfile {
            name: "a device".to_owned(),
            source: "made up".to_owned(),
            read_iops: BTreeMap::from([(1, 15_000.0), (32, 100_000.0)]),
            write_bytes_per_second: Some(3e8),
            read_bytes_per_second: Some(4e8),
            sync_latency_us: Some(125.0),
            ..DeviceProfile::default()
        })
    }

    fn deviations(&self, _: &StudySpec) -> Result<Vec<Deviation>, StudyError> {
        Ok(vec![Deviation {
            name: "slots written".to_owned(),
            target: 1_000.0,
            got: 900.0,
            unit: "per block".to_owned(),
            source: "a source".to_owned(),
        }])
    }

    fn run(
        &mut self,
        _: &StudySpec,
        cell: &Cell,
        shape: Shape,
        dir: &Path,
    ) -> Result<RunResult, StudyError> {
        std::fs::create_dir_all(dir).unwrap();
        let mut recorder = Recorder::create(dir).unwrap();
        let slowdown = match dir.to_str().unwrap().ends_with("-again") {
            true => AGAIN,
            false => 1.0,
        };
        for number in 0..shape.warm_up + shape.blocks {
            let cost = Self::cost(cell, shape, number, slowdown);
            recorder.add(&cost).unwrap();
        }
        let mut run = runs::result(&recorder, shape.blocks);
        run.machine = self.machine();
        run.device = self.device();
        run.config = serde_json::json!({ "threads": 2, "accounts": cell.accounts });
        run.workload.gas_multiple = shape.multiple;
        run.design.name.clone_from(&cell.design);
        run.design.trie = (cell.design.starts_with("mpt")).then(|| "all".to_owned());
        run.state_before = state(cell);
        // Blocks of the warm-up have made some.
        run.state_before.accounts += u64::from(shape.multiple);
        run.state_after = state(cell);
        let classes = [
            ("erc20_balance", 38),
            ("plain_slot", 50),
            ("unclassified", 12),
        ];
        let classes = classes.map(|(name, share)| (name.to_owned(), share * shape.blocks));
        run.workload.slots_written_by_class = classes.clone().into();
        run.workload.slots_touched_by_class = classes.into();
        recorder.finish(&run).unwrap();
        Ok(run)
    }

    fn noise(&self, first: &Path, again: &Path) -> Result<NoiseMeasured, StudyError> {
        NoiseMeasured::between(first, again)
    }

    fn roots(&self, _: &Path) -> Result<Vec<(u64, B256)>, StudyError> {
        Ok((0..3)
            .map(|at| (at, B256::with_last_byte(at as u8)))
            .collect())
    }

    fn stopped(&self) -> bool {
        false
    }

    fn note(&mut self, _: &str) {}
}

/// A study of two sizes in `dir`, and its report.
fn report_in(dir: &Path) -> (report::Data, Vec<report::Section>) {
    report_of(dir, "")
}

/// The same, with other fields in its file.
fn report_of(dir: &Path, fields: &str) -> (report::Data, Vec<report::Section>) {
    let spec = StudySpec::parse(&format!(
        "name = \"made <up>\"\ndesigns = {DESIGNS:?}\naccounts = [1000000, 10000000]\nmultiples = [1, 10, 100, 1000]\n{fields}\n\
         held-out = {{ accounts = 10000000, multiple = 100 }}\n[bisect]\n[run]\nseconds = 3.0\n\
         [[predict]]\naccounts = 380000000\ndevice = \"measured\"\nthreads = 8\ncache-bytes = 32000000000\n"
    ))
    .unwrap();
    let scenarios = spec.scenarios(Machine.device().as_ref()).unwrap();
    study::run(&spec, dir, &scenarios, &mut Machine).unwrap();
    let data = report::Data::open(&[dir.to_owned()]).unwrap();
    let sections = report::sections(&data);
    (data, sections)
}

#[test]
fn no_figure_lacks_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let ids: Vec<_> = sections.iter().map(|section| section.id).collect();
    let expected = [
        "headline",
        "multiples",
        "noise",
        "stages",
        "latency",
        "io",
        "bytes",
        "growth",
        "witness",
        "model",
        "workload",
        "machine",
    ];
    assert_eq!(ids, expected);
    for section in &sections {
        for figure in &section.figures {
            assert!(!figure.table.rows.is_empty(), "{}", section.id);
            for bad in ["NaN", "inf"] {
                assert!(!figure.svg.contains(bad), "{}: {bad}", section.id);
            }
            for row in &figure.table.rows {
                assert_eq!(row.len(), figure.table.columns.len(), "{}", section.id);
            }
        }
    }
    // The headline is what the study found, to the digit.
    let headline = &sections[0].figures[0].table;
    for (row, cell) in headline.rows.iter().zip(&data.cells) {
        let largest = cell.largest.multiple.unwrap();
        let digits: String = row[3].chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.parse::<u32>().unwrap(), largest);
    }
}

/// The section with this name.
fn section<'a>(sections: &'a [report::Section], id: &str) -> &'a report::Section {
    sections.iter().find(|it| it.id == id).unwrap()
}

#[test]
fn no_difference_below_the_noise_floor_is_passed_off_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let noise = section(&sections, "noise");
    assert!(noise.text[0].contains("below the floor mean nothing"));
    assert!(
        noise.text[0].contains("mpt with 1 M accounts at 1x"),
        "{}",
        noise.text[0]
    );
    let rows = &noise.tables[0].rows;
    for statistic in ["mean", "p50", "p90", "p99"] {
        let of = |row: &&Vec<String>| row[0] == "total" && row[1] == statistic;
        let row = rows.iter().find(of).unwrap();
        assert_eq!((&*row[4], &*row[6]), ("1.030", "3 %"), "{row:?}");
    }
    let floor = data.noise_floor.unwrap();
    assert_eq!(floor.measured.rows.len(), rows.len());
    for run in [&floor.first, &floor.again] {
        assert!(dir.path().join(run).join("result.json").exists(), "{run}");
    }
    let without = tempfile::tempdir().unwrap();
    let (_, sections) = report_of(without.path(), "noise-floor = false");
    let noise = section(&sections, "noise");
    assert!(
        noise.text[0].starts_with("Not measured"),
        "{:?}",
        noise.text
    );
    assert!(noise.tables.is_empty());
}

#[test]
fn no_time_of_a_run_below_a_second_goes_unmarked() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let multiples = section(&sections, "multiples");
    let mut marked = 0;
    let tables = multiples.figures.iter().zip(data.sizes());
    for (figure, size) in tables {
        let runs = data.of_size(size).flat_map(|cell| &cell.runs);
        let rows: Vec<_> = figure.table.rows.iter().zip(runs).collect();
        assert_eq!(rows.len(), figure.table.rows.len());
        for (row, run) in rows {
            let is_short = run.total_ns.iter().sum::<u64>() < 1_000_000_000;
            marked += usize::from(is_short);
            // Mean to maximum, and gas per second.
            for cell in row[3..8].iter().chain(&row[9..]) {
                assert_eq!(cell.contains('\u{2020}'), is_short, "{row:?}");
            }
        }
    }
    let all: usize = data.cells.iter().map(|cell| cell.runs.len()).sum();
    assert!((1..all).contains(&marked), "{marked} of {all}");
    for id in ["multiples", "stages", "model"] {
        let note = section(&sections, id).text.last().unwrap();
        assert!(note.contains("less than a second"), "{id}: {note}");
    }
    let long = dir.path().join("runs/mpt/10000000/x100");
    let data = report::Data::open(&[long]).unwrap();
    let markdown = report::markdown("long", &report::sections(&data));
    assert!(!markdown.contains('\u{2020}'), "{markdown}");
}

#[test]
fn no_deviation_from_mainnet_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (_, sections) = report_in(dir.path());
    let workload = sections.iter().find(|it| it.id == "workload").unwrap();
    let row = &workload.tables[1].rows[0];
    assert_eq!(row[0], "slots written");
    assert!(row[3].contains("10"), "{row:?}");
}

#[test]
fn no_model_beyond_a_quarter_is_vouched_for() {
    let dir = tempfile::tempdir().unwrap();
    let (mut data, sections) = report_in(dir.path());
    let text = |sections: &[report::Section]| {
        let model = sections.iter().find(|it| it.id == "model").unwrap();
        model.text.join(" ")
    };
    let before = text(&sections);
    assert!(before.contains("Every model that was checked"), "{before}");
    let accuracy = data.models[0].accuracy.as_mut().unwrap();
    accuracy.held_out = Some(-0.26);
    let after = text(&report::sections(&data));
    let beyond = format!("not to be relied on: {}.", data.models[0].design);
    assert!(after.contains(&beyond), "{after}");
}

#[test]
fn runs_of_one_store_never_become_several_sizes() {
    let dir = tempfile::tempdir().unwrap();
    report_in(dir.path());
    let runs = [1, 10, 100].map(|multiple| {
        let run = format!("runs/mpt/1000000/x{multiple}");
        dir.path().join(run)
    });
    let data = report::Data::open(&runs).unwrap();
    assert_eq!(data.sizes(), [1_000_000]);
    assert_eq!(data.cells.len(), 1);
    assert_eq!(data.cells[0].runs.len(), 3);
    let mut run = data.cells[0].runs[0].clone();
    run.result.config = serde_json::json!({ "seed": 1 });
    assert_eq!(run.accounts(), RunConfig::ACCOUNTS, "the default");
    run.result.config = serde_json::json!({ "trace": "a.trace", "accounts": 0 });
    assert_eq!(run.accounts(), 1_000_001, "what was there");
}

#[test]
fn no_report_needs_anything_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let html = report::html(&data.title, &sections);
    for needs in ["<script", "<link", "@import", "url(", "src="] {
        assert!(!html.contains(needs), "{needs}");
    }
    assert!(html.contains("made &lt;up&gt;"));
    assert!(html.contains("&lt;made &amp; up&gt;"));
    let again = report::html(&data.title, &report::sections(&data));
    assert_eq!(html, again, "the same results give the same bytes");
    let markdown = report::markdown(&data.title, &sections);
    for section in &sections {
        assert!(markdown.contains(&format!("## {}", section.title)));
    }
}

#[test]
fn nothing_that_follows_from_the_runs_is_taken_from_another_version() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let path = dir.path().join("study.json");
    let mut study: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for cell in study["cells"].as_array_mut().unwrap() {
        cell["saturation"] = serde_json::json!(["who knows"]);
        for run in cell["runs"].as_array_mut().unwrap() {
            run.as_object_mut().unwrap().remove("point").unwrap();
        }
    }
    study["models"] = serde_json::json!({ "colour": "green" });
    std::fs::write(&path, study.to_string()).unwrap();
    let again = report::Data::open(&[dir.path().to_owned()]).unwrap();
    let markdown =
        |data: &report::Data, sections: &[report::Section]| report::markdown(&data.title, sections);
    assert_eq!(
        markdown(&again, &report::sections(&again)),
        markdown(&data, &sections)
    );
    // What no run says has to be there.
    study["cells"][0].as_object_mut().unwrap().remove("largest");
    std::fs::write(&path, study.to_string()).unwrap();
    assert!(report::Data::open(&[dir.path().to_owned()]).is_err());
}

#[test]
fn a_missing_or_damaged_result_is_never_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    report_in(dir.path());
    let gone = dir.path().join("runs/mpt/1000000/x10/blocks.csv");
    std::fs::remove_file(&gone).unwrap();
    assert!(report::Data::open(&[dir.path().to_owned()]).is_err());
    let nothing = tempfile::tempdir().unwrap();
    assert!(report::Data::open(&[nothing.path().to_owned()]).is_err());
    std::fs::write(nothing.path().join("study.json"), "{}").unwrap();
    assert!(report::Data::open(&[nothing.path().to_owned()]).is_err());
}

#[test]
fn no_label_overlaps_and_no_drawing_is_empty() {
    let Some(browser) = browser::Browser::find() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_in(dir.path());
    let html = report::html(&data.title, &sections);
    for (width, dark) in [(1_000, false), (1_000, true), (420, false)] {
        let found = browser.look_at(&html, dir.path(), width, dark);
        let list = |name: &str| found[name].as_array().unwrap().clone();
        let drawings: usize = sections.iter().map(|section| section.figures.len()).sum();
        assert_eq!(found["drawings"].as_u64().unwrap() as usize, drawings);
        assert!(found["marks"].as_u64().unwrap() > 10 * drawings as u64);
        for fault in ["empty", "overlaps", "outside", "wide"] {
            assert_eq!(
                list(fault),
                Vec::<serde_json::Value>::new(),
                "{fault}, {width} wide"
            );
        }
        let picture = browser.picture(&html, dir.path(), width, dark);
        assert!(picture.len() > 20_000, "{} bytes", picture.len());
    }
}
