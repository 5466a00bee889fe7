//! Files for others to use: dashboards, and profiles of devices.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};
use thinstate_replay::measure::{DeviceProfile, METRICS, prometheus};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every query in a dashboard.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "query" => {
                        found.push(text.clone());
                    }
                    other => queries(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

/// The names of ours in a query.
fn names_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("thinstate_"))
}

#[test]
fn every_name_in_a_dashboard_is_exported() {
    let exported: BTreeSet<_> = prometheus::names().into_iter().collect();
    let mut named = BTreeSet::new();
    for entry in fs::read_dir(root().join("etc/grafana")).unwrap() {
        let path = entry.unwrap().path();
        let dashboard: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let mut found = vec![];
        queries(&dashboard, &mut found);
        assert!(found.len() > 20, "{}", path.display());
        for name in found.iter().flat_map(|query| names_in(query)) {
            assert!(exported.contains(name), "{}: {name}", path.display());
            named.insert(name.to_owned());
        }
    }
    // The other way round: no stage is missing from all dashboards.
    for metric in METRICS.iter().filter_map(|it| it.name.strip_suffix("_ns")) {
        let prefix = format!("thinstate_{metric}_seconds_");
        assert!(named.iter().any(|it| it.starts_with(&prefix)), "{metric}");
    }
}

#[test]
fn every_profile_of_a_device_has_a_source_and_bandwidths() {
    let mut profiles = 0;
    for entry in fs::read_dir(root().join("data/devices")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let profile: DeviceProfile = toml::from_str(&text).unwrap();
        assert!(profile.source.contains("://"), "{}", path.display());
        let figures = [
            profile.read_bytes_per_second,
            profile.write_bytes_per_second,
            profile.read_iops_max,
        ];
        assert!(figures.iter().all(Option::is_some), "{}", path.display());
        profiles += 1;
    }
    assert_eq!(profiles, 7);
}
