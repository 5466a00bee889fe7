//! Runs that nobody ran, each at the limit of one thing.

use super::*;
use crate::measure::{
    DesignInfo, Distribution, Program, RESULT_SCHEMA, RunStatus, StateSize, Totals, Unit,
    WorkloadInfo,
};

const S: u64 = 1_000_000_000;
/// Blocks of a run, each of which takes a second.
const BLOCKS: u64 = 10;

/// A run of blocks of a second, each of which uses a tenth of everything there is.
fn run() -> RunResult {
    let metrics = [
        ("total_ns", S),
        ("cpu_ns", 4 * S / 10),
        ("state_read_ns", S / 10),
        ("state_hash_ns", S / 10),
        ("commit_ns", S / 10),
        ("device_reads", 10_000),
        ("device_writes", 5_000),
        ("device_read_bytes", 200_000_000),
        ("device_written_bytes", 100_000_000),
        ("store_syncs", 100),
    ];
    RunResult {
        schema: RESULT_SCHEMA.to_owned(),
        status: RunStatus::Completed,
        error: None,
        decided: None,
        started_at: 0,
        wall_s: 10.0,
        program: Program::default(),
        config: serde_json::json!({ "threads": 4 }),
        labels: BTreeMap::new(),
        machine: serde_json::json!({ "cpu_cores": 4, "memory_total_bytes": 10u64 << 30 }),
        device: Some(DeviceProfile {
            read_iops: BTreeMap::from([(1, 10_000.0), (32, 100_000.0)]),
            write_iops_max: Some(50_000.0),
            read_bytes_per_second: Some(2e9),
            write_bytes_per_second: Some(1e9),
            sync_latency_us: Some(1_000.0),
            ..DeviceProfile::default()
        }),
        workload: WorkloadInfo {
            kind: "generated".to_owned(),
            source: "test".to_owned(),
            seed: Some(1),
            amplify: "none".to_owned(),
            gas_multiple: 1,
            slot_s: 12.0,
            loop_kind: "closed".to_owned(),
            speed_up: None,
            warm_up_blocks: 0,
            blocks: BLOCKS,
            slots_written_by_class: BTreeMap::new(),
            slots_touched_by_class: BTreeMap::new(),
            deviations: Vec::new(),
        },
        design: DesignInfo {
            name: "mpt".to_owned(),
            summary: String::new(),
            tiers: BTreeMap::new(),
            trie: None,
            parameters: Value::Null,
        },
        state_before: StateSize::default(),
        state_after: StateSize::default(),
        totals: Totals {
            memory_bytes_max: 1 << 30,
            ..Totals::default()
        },
        metrics: metrics
            .into_iter()
            .map(|(name, each)| (name.to_owned(), constant(each)))
            .collect(),
        last: None,
        noise_floor: BTreeMap::new(),
    }
}

fn constant(value: u64) -> Distribution {
    Distribution {
        unit: Unit::Count,
        count: BLOCKS,
        sum: value * BLOCKS,
        mean: value as f64,
        min: value,
        p50: value,
        p90: value,
        p99: value,
        p999: value,
        max: value,
    }
}

/// The metric that uses each resource.
const USED_BY: [(Resource, &str); 7] = [
    (Resource::Cpu, "cpu_ns"),
    (Resource::Hashing, "state_hash_ns"),
    (Resource::ReadIops, "device_reads"),
    (Resource::WriteIops, "device_writes"),
    (Resource::ReadBandwidth, "device_read_bytes"),
    (Resource::WriteBandwidth, "device_written_bytes"),
    (Resource::Fsync, "store_syncs"),
];

fn assert_shares(run: &RunResult, first: Resource) {
    let got = Saturation::of(run);
    assert_eq!(got.first, Some(first), "{got:?}");
    for resource in Resource::ALL {
        let expected = if resource == first { 0.8 } else { 0.1 };
        let share = got.share(resource);
        let share = share.unwrap_or_else(|| panic!("{resource:?} is not known: {got:?}"));
        assert!((share - expected).abs() < 1e-9, "{resource:?}: {got:?}");
    }
}

#[test]
fn no_resource_is_passed_over_at_its_limit() {
    for (resource, metric) in USED_BY {
        let mut run = run();
        let each = run.metrics[metric].min;
        run.metrics.insert(metric.to_owned(), constant(8 * each));
        assert_shares(&run, resource);
    }
    let mut run = run();
    run.totals.memory_bytes_max *= 8;
    assert_shares(&run, Resource::Memory);
}

#[test]
fn no_quota_of_a_control_group_is_passed_over() {
    let share = |allowed: Option<u32>, cores: u32, quota: Value| {
        let mut run = run();
        run.machine["cpu_cores"] = cores.into();
        run.machine["cpu_cores_allowed"] = allowed.into();
        run.machine["cgroup"] = serde_json::json!({ "cpus_max": quota });
        let got = Saturation::of(&run);
        // Four tenths of a CPU were used.
        let cpus = 0.4 / got.share(Resource::Cpu).expect("it is known");
        assert!((cpus - got.cpus).abs() < 1e-9, "{got:?}");
        cpus
    };
    let table = [
        (None, 4, Value::Null, 4.0),
        (None, 4, 8.0.into(), 4.0),
        (None, 4, 0.5.into(), 0.5),
        (None, 4, 2.0.into(), 2.0),
        // The count was taken from the quota, in whole cores.
        (None, 1, 1.5.into(), 1.5),
        (None, 1, 0.5.into(), 0.5),
        (None, 2, 2.0.into(), 2.0),
        // Between whole cores: of a machine that has more, and of one that has not.
        (Some(4), 1, 1.5.into(), 1.5),
        (Some(1), 1, 1.5.into(), 1.0),
        (Some(4), 3, 3.9.into(), 3.9),
        (Some(3), 3, 3.9.into(), 3.0),
        (Some(4), 1, 0.5.into(), 0.5),
        (Some(2), 2, Value::Null, 2.0),
    ];
    for (allowed, cores, quota, expected) in table {
        let got = share(allowed, cores, quota.clone());
        assert!(
            (got - expected).abs() < 1e-9,
            "{allowed:?} {cores} {quota}: {got}"
        );
    }
    let mut run = run();
    run.machine["cgroup"] = serde_json::json!({ "memory_bytes_max": 2u64 << 30 });
    let got = Saturation::of(&run);
    assert_eq!(got.share(Resource::Memory), Some(0.5));
    assert_eq!(got.first, Some(Resource::Memory));
}

#[test]
fn waiting_for_a_slot_is_never_work() {
    let mut run = run();
    let all = Saturation::of(&run);
    // Half a second late each: latency counts it, the machine did nothing for it.
    run.metrics
        .insert("total_ns".to_owned(), constant(3 * S / 2));
    run.metrics.insert("wait_ns".to_owned(), constant(S / 2));
    assert_eq!(Saturation::of(&run), all);
}

#[test]
fn what_is_not_known_is_never_nearest() {
    let mut run = run();
    run.device = None;
    run.machine = serde_json::json!({ "cpu_cores": 4 });
    let got = Saturation::of(&run);
    let known: Vec<_> = got.shares.iter().map(|(resource, _)| *resource).collect();
    assert_eq!(known, [Resource::Cpu, Resource::Hashing]);
    run.metrics.clear();
    assert_eq!(Saturation::of(&run).first, None);
}
