//! A study that a machine of known speed carried out, and its report.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use alloy_primitives::B256;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    design::builtin,
    measure::{
        BlockCost, Deviation, DeviceProfile, Recorder, RunResult, StateSize, TierBytes, TierWork,
    },
    model::{HashCosts, HashFunction},
    report,
    study::{self, Cell, NoiseMeasured, Runner, Shape, StudyError, StudySpec},
};

pub(crate) const DESIGNS: [&str; 6] = [
    "mpt",
    "mpt-expiry",
    "temporary",
    "utxo",
    "layered",
    "flat-lthash",
];

/// A machine on which each design has a speed of its own.
pub(crate) struct Machine;

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

    fn hash_costs(&self) -> HashCosts {
        let costs = [
            (HashFunction::Keccak256, 60.0),
            (HashFunction::Blake3, 30.0),
            (HashFunction::LtHash, 30.0),
        ];
        HashCosts(BTreeMap::from(costs))
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
        let mut run = super::runs::result(&recorder, shape.blocks);
        run.machine = self.machine();
        run.device = self.device();
        run.config = serde_json::json!({ "threads": 2, "accounts": cell.accounts });
        run.workload.gas_multiple = shape.multiple;
        run.design.name.clone_from(&cell.design);
        let design = builtin(&cell.design).expect("it is built in");
        run.design.parameters = design.info(None).parameters;
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

/// A study of two sizes, and its report: made once for all tests of a file, none of which changes it.
pub(crate) struct Made {
    pub(crate) dir: PathBuf,
    pub(crate) data: report::Data,
    pub(crate) sections: Vec<report::Section>,
}

/// That study, in the folder that cargo keeps for tests.
pub(crate) fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        let (data, sections) = report_of(&dir, "");
        Made {
            dir,
            data,
            sections,
        }
    })
}

/// A study in `dir` with these fields in its file beside others, and its report.
pub(crate) fn report_of(dir: &Path, fields: &str) -> (report::Data, Vec<report::Section>) {
    let spec = StudySpec::parse(&format!(
        "name = \"made <up>\"\ndesigns = {DESIGNS:?}\naccounts = [1000000, 10000000]\nmultiples = [1, 10, 100, 1000]\n{fields}\n\
         held-out = {{ accounts = 10000000, multiple = 100 }}\n[bisect]\n[run]\nseconds = 3.0\n\
         [[predict]]\naccounts = 380000000\ndevice = \"measured\"\nthreads = 8\ncache-bytes = 32000000000\n\
         [[predict]]\naccounts = 380000000\ndevice = \"samsung-990-pro-2tb\"\nthreads = 8\ncache-bytes = 32000000000\npermutation-ns = {{ keccak256 = 600.0 }}\n"
    ))
    .unwrap();
    let scenarios = spec.scenarios(Machine.device().as_ref()).unwrap();
    study::run(&spec, dir, &scenarios, &mut Machine).unwrap();
    let data = report::Data::open(&[dir.to_owned()]).unwrap();
    let sections = report::sections(&data);
    (data, sections)
}

/// The section with this name.
pub(crate) fn section<'a>(sections: &'a [report::Section], id: &str) -> &'a report::Section {
    sections.iter().find(|it| it.id == id).unwrap()
}
