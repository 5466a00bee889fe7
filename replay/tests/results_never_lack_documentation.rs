//! Every field of a result is in `docs/results.md`.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[expect(dead_code, reason = "each test file uses a part")]
#[path = "support/runs.rs"]
mod runs;

use runs::record_with;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};
use thinstate_replay::measure::{
    Decided, Deviation, DeviceProfile, METRICS, Machine, RecordedRun, TierBytes,
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/results.md");

/// Names of all fields, however deep; the keys of maps from data are not fields.
fn fields(value: &Value, found: &mut Vec<String>) {
    const MAPS: [&str; 5] = ["metrics", "config", "labels", "parameters", "noise_floor"];
    match value {
        Value::Object(own) => {
            for (name, value) in own {
                found.push(name.clone());
                match value {
                    Value::Object(map) if MAPS.contains(&name.as_str()) => {
                        map.values().take(1).for_each(|it| fields(it, found));
                    }
                    other => fields(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|it| fields(it, found)),
        _ => {}
    }
}

#[test]
fn every_field_and_metric_is_described() {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    let dir = tempfile::tempdir().unwrap();
    record_with(dir.path(), 3, 1.0, |result| {
        result.error = Some("why".to_owned());
        result.decided = Some(Decided {
            blocks: 2,
            blocks_planned: 50,
            blocks_over_slot: 1,
        });
        result.machine = serde_json::to_value(Machine::detect(Path::new("."))).unwrap();
        result.device = Some(DeviceProfile {
            read_latency_us: Some(1.0),
            sync_latency_us: Some(1.0),
            read_bytes_per_second: Some(1.0),
            write_bytes_per_second: Some(1.0),
            read_iops_max: Some(1.0),
            write_iops_max: Some(1.0),
            notes: vec!["note".to_owned()],
            ..DeviceProfile::default()
        });
        result.workload.deviations.push(Deviation {
            name: "name".to_owned(),
            target: 1.0,
            got: 1.0,
            unit: "slots".to_owned(),
            source: "source".to_owned(),
        });
        let tiers = [("permanent".to_owned(), TierBytes::default())];
        result.state_after.tiers = BTreeMap::from(tiers);
        result.noise_floor.insert("total_ns.p99".to_owned(), 0.1);
    });
    let run = RecordedRun::open(dir.path()).unwrap();
    let mut names = vec![];
    fields(&serde_json::to_value(&run.result).unwrap(), &mut names);
    assert!(names.len() > 100, "{names:?}");
    names.extend(METRICS.iter().map(|metric| metric.name.to_owned()));
    for name in names {
        assert!(
            text.contains(&format!("`{name}`")),
            "{name} is not described"
        );
    }
    for entry in fs::read_dir(dir.path()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&file), "{file} is not described");
    }
}
