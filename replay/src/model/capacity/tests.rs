//! Models of a machine that follows the model's own law.

use super::*;
use crate::model::{HashCosts, HashFunction, Term};
use std::collections::BTreeMap;

/// What a permutation takes on that machine, in nanoseconds.
const PERMUTATION_NS: f64 = 60.0;
/// The time that a second of one core's work takes there: 1.6 of its two cores are busy.
const SHARE: f64 = 1.0 / 1.6;

fn device() -> DeviceProfile {
    DeviceProfile {
        name: "test".to_owned(),
        source: "made up".to_owned(),
        read_iops: BTreeMap::from([(1, 10_000.0), (2, 20_000.0), (32, 100_000.0)]),
        read_latency_us: Some(100.0),
        sync_latency_us: Some(100.0),
        read_bytes_per_second: Some(1e9),
        write_bytes_per_second: Some(3e8),
        ..DeviceProfile::default()
    }
}

/// Costs of keccak256 that are so many times what they are.
fn costs(times: f64) -> HashCosts {
    HashCosts(BTreeMap::from([(
        HashFunction::Keccak256,
        times * PERMUTATION_NS,
    )]))
}

/// Runs of that machine, with a little noise, which hash so many times for each key.
fn runs_hashing(permutations_per_key: f64) -> Vec<Point> {
    let mut points = Vec::new();
    for (size, accounts) in [1_000_000u64, 10_000_000].into_iter().enumerate() {
        for (step, multiple) in [1u32, 10, 100, 1_000].into_iter().enumerate() {
            let keys = 2_000.0 * f64::from(multiple).powf(0.95);
            let device_reads = keys * 0.2 * size as f64;
            let written_bytes = keys * 300.0;
            // Keys share the way to the root: the more of them, the more.
            let permutations = permutations_per_key * keys.powf(0.95);
            let noise = 1.0 + 0.02 * ((step * 7 + size * 3) % 5) as f64 - 0.04;
            let cpu = 0.001 + keys * (1e-6 + 5e-7 * (accounts as f64).ln());
            let hashed = SHARE * permutations * PERMUTATION_NS / 1e9;
            let mean_s = noise * (cpu + hashed + device().seconds(device_reads, written_bytes, 2));
            points.push(Point {
                design: "mpt".to_owned(),
                accounts,
                multiple,
                blocks: 100,
                keys,
                block_reads: keys * 0.25,
                device_reads,
                written_bytes,
                permutations: BTreeMap::from([(HashFunction::Keccak256, permutations)]),
                cpu_s: mean_s / SHARE,
                mean_s,
                p99_s: mean_s * 1.3,
                state_bytes: accounts as f64 * 300.0,
                threads: 2,
            });
        }
    }
    points
}

fn runs() -> Vec<Point> {
    runs_hashing(20.0)
}

fn fit(points: &[Point], costs: &HashCosts) -> DesignModel {
    let device = device();
    let measured = Measured {
        device: Some(&device),
        hash_costs: costs,
    };
    DesignModel::fit("mpt", points, measured).expect("enough runs")
}

/// A run's own state, with caches that hold what they held.
fn scenario_of(point: &Point) -> Scenario {
    let misses = point.device_reads / point.block_reads;
    Scenario {
        accounts: point.accounts,
        threads: 2,
        cache_bytes: point.state_bytes * (1.0 - misses),
        device: device(),
        hash_costs: HashCosts::default(),
    }
}

fn predicted(model: &DesignModel, point: &Point) -> Prediction {
    model.predict(&scenario_of(point), f64::from(point.multiple))
}

fn hashed_s(point: &Point) -> f64 {
    SHARE * point.permutations[&HashFunction::Keccak256] * PERMUTATION_NS / 1e9
}

#[test]
fn no_run_that_was_held_out_is_mispredicted() {
    for all in [runs(), runs_hashing(200.0)] {
        for held_out in &all {
            let rest: Vec<_> = all.iter().filter(|it| *it != held_out).cloned().collect();
            let got = predicted(&fit(&rest, &costs(1.0)), held_out);
            let error = got.p99_s / held_out.p99_s - 1.0;
            assert!(error.abs() < 0.15, "{error} at {held_out:?}");
            let hashing = got.hash_s / hashed_s(held_out) - 1.0;
            assert!(hashing.abs() < 0.05, "{hashing} at {held_out:?}");
            let terms: f64 = got.terms().iter().map(|(_, s)| s).sum();
            assert!((terms / got.mean_s - 1.0).abs() < 1e-9, "{got:?}");
        }
    }
}

#[test]
fn hashing_is_never_lost_among_other_work() {
    let hash_bound = runs_hashing(1_000.0);
    let model = fit(&hash_bound, &costs(1.0));
    for point in &hash_bound {
        let got = predicted(&model, point);
        assert_eq!(got.bound_by(), Term::Hashing, "{got:?} at {point:?}");
    }
    // A state and a multiple that nobody measured.
    let mut scenario = Scenario {
        accounts: 380_000_000,
        threads: 8,
        ..scenario_of(&hash_bound[7])
    };
    let here = model.predict(&scenario, 2_000.0);
    assert_eq!(here.bound_by(), Term::Hashing, "{here:?}");
    // A CPU whose permutations take a twentieth: the rest stays as it is.
    scenario.hash_costs = costs(0.05);
    let there = model.predict(&scenario, 2_000.0);
    assert_ne!(there.bound_by(), Term::Hashing, "{there:?}");
    assert!(
        (there.hash_s / here.hash_s - 0.05).abs() < 1e-9,
        "{there:?}"
    );
    let saved = here.hash_s - there.hash_s;
    assert!((here.mean_s - there.mean_s - saved).abs() < 1e-9 * here.mean_s);
    assert_eq!(
        (here.cpu_s, here.read_s, here.sync_s),
        (there.cpu_s, there.read_s, there.sync_s)
    );
}

#[test]
fn a_cost_that_is_not_known_is_never_made_up() {
    let points = runs();
    let (with, without) = (
        fit(&points, &costs(1.0)),
        fit(&points, &HashCosts::default()),
    );
    assert_eq!(without.hashing, []);
    let mut unknown = points.clone();
    for point in &mut unknown {
        point.permutations.clear();
    }
    assert_eq!(fit(&unknown, &costs(1.0)), without);
    // Nor is it told from some of the runs.
    let mut partly = points.clone();
    partly[3].permutations.clear();
    assert_eq!(fit(&partly, &costs(1.0)), without);
    for point in &points {
        let (with, without) = (predicted(&with, point), predicted(&without, point));
        assert_eq!(without.hash_s, 0.0);
        let difference = with.mean_s / without.mean_s - 1.0;
        assert!(difference.abs() < 0.05, "{with:?} {without:?}");
        assert!(with.hash_s > 0.0 && with.cpu_s < without.cpu_s);
    }
}

#[test]
fn hashing_never_takes_longer_than_its_blocks() {
    let points = runs();
    // As if the machine had been busy with something else when its hashes were measured.
    let model = fit(&points, &costs(1_000.0));
    let hashing = model.hashing[0];
    assert!(hashing.cost_ns < hashing.measured_ns / 10.0, "{hashing:?}");
    for point in &points {
        let got = predicted(&model, point);
        let error = got.mean_s / point.mean_s - 1.0;
        assert!(error.abs() < 0.25, "{error} at {point:?}");
        assert!(got.cpu_s > 0.0 && got.hash_s < point.mean_s, "{got:?}");
    }
}

#[test]
fn a_few_runs_are_never_too_few_for_hashing() {
    let all = runs();
    // One state size, three multiples.
    let model = fit(&all[..3], &costs(1.0));
    for point in &all[..3] {
        let got = predicted(&model, point);
        let error = got.mean_s / point.mean_s - 1.0;
        assert!(error.abs() < 0.1, "{error} at {point:?}");
        assert!((got.hash_s / hashed_s(point) - 1.0).abs() < 0.05, "{got:?}");
    }
}

#[test]
fn models_without_hashing_never_become_unreadable() {
    let model = fit(&runs(), &costs(1.0));
    let mut json = serde_json::to_value(&model).expect("numbers");
    let fields = json.as_object_mut().expect("an object");
    fields.remove("hashing");
    fields.remove("read_latency_us");
    let got: DesignModel = serde_json::from_value(json).expect("an earlier model");
    assert_eq!((got.hashing, got.read_latency_us), (Vec::new(), None));
    let mut json = serde_json::to_value(&runs()[0]).expect("numbers");
    json.as_object_mut()
        .expect("an object")
        .remove("permutations");
    let got: Point = serde_json::from_value(json).expect("an earlier point");
    assert_eq!(got.permutations, BTreeMap::new());
}

#[test]
fn nothing_is_assumed_of_a_device_unsaid() {
    let model = fit(&runs(), &costs(1.0));
    let with = |device: DeviceProfile| Scenario {
        device,
        cache_bytes: 0.0,
        threads: 8,
        ..scenario_of(&runs()[0])
    };
    assert_eq!(model.assumptions(&with(device())), []);
    let sheet = with(DeviceProfile {
        read_iops_max: Some(1e6),
        write_bytes_per_second: Some(3e8),
        ..DeviceProfile::default()
    });
    let expected = [
        Assumption::ReadLatencyMeasured(100.0),
        Assumption::SyncMeasured(100.0),
    ];
    assert_eq!(model.assumptions(&sheet), expected);
    // Eight reads in flight of 100 us each, and not a million a second.
    let got = model.predict(&sheet, 1.0);
    assert!((got.device_reads / got.read_s - 80_000.0).abs() < 1.0);
    assert!((got.sync_s - 1e-4).abs() < 1e-12, "{got:?}");
    // Nor what it does with 32 in flight.
    let deep = with(DeviceProfile {
        read_iops: [(32, 1e6)].into(),
        ..sheet.device.clone()
    });
    assert_eq!(model.assumptions(&deep), expected);
    let got = model.predict(&deep, 1.0);
    assert!((got.device_reads / got.read_s - 80_000.0).abs() < 1.0);
    let nothing = with(DeviceProfile::default());
    let blind = DesignModel {
        sync_s: 0.0,
        read_latency_us: None,
        ..model.clone()
    };
    let expected = [
        Assumption::ReadsFree,
        Assumption::WritesFree,
        Assumption::SyncFree,
    ];
    assert_eq!(blind.assumptions(&nothing), expected);
    let got = blind.predict(&nothing, 1.0);
    assert_eq!((got.read_s, got.write_s, got.sync_s), (0.0, 0.0, 0.0));
    assert_eq!(blind.assumptions(&sheet)[0], Assumption::ReadsAtMost);
    let got = blind.predict(&sheet, 1.0);
    assert!((got.device_reads / got.read_s - 1e6).abs() < 1.0);
}

#[test]
fn no_multiple_beyond_the_largest_fits() {
    let model = fit(&runs(), &costs(1.0));
    let scenario = Scenario {
        accounts: 380_000_000,
        threads: 8,
        cache_bytes: 32e9,
        ..scenario_of(&runs()[0])
    };
    let largest = model.largest_multiple(&scenario, 12.0).expect("one fits");
    assert!(model.predict(&scenario, f64::from(largest)).p99_s <= 12.0);
    assert!(model.predict(&scenario, f64::from(largest + 1)).p99_s > 12.0);
    assert_eq!(model.largest_multiple(&scenario, 1e-9), None);
}

#[test]
fn too_few_runs_are_never_a_model() {
    let unknown = HashCosts::default();
    let fit = |points: &[Point]| {
        let measured = Measured {
            device: None,
            hash_costs: &unknown,
        };
        DesignModel::fit("mpt", points, measured)
    };
    let expected = ModelError::TooFew {
        design: "mpt".to_owned(),
        expected: 3,
        got: 2,
    };
    assert_eq!(fit(&runs()[..2]), Err(expected));
    let got = fit(&vec![runs()[0].clone(); 3]);
    assert!(matches!(got, Ok(_) | Err(ModelError::Degenerate { .. })));
}
