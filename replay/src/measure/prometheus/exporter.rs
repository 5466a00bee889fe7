//! What is exported, and its text.

use crate::measure::{BlockCost, METRICS, Metric, Unit};
use core::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use thinstate_formats::BlockNumber;

/// Upper bounds of a histogram's buckets, in milliseconds: from a fast block to more than two slots.
const BOUNDS_MS: [u64; 15] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 4_000, 8_000, 12_000, 30_000,
];

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// Adds up what blocks cost, for whoever asks.
#[derive(Debug)]
pub struct Exporter {
    labels: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last: Option<BlockNumber>,
    /// In the order of [`METRICS`].
    sums: Vec<u64>,
    /// The same; for times, counts of each bucket, the last one without a bound.
    buckets: Vec<[u64; BOUNDS_MS.len() + 1]>,
}

/// How a metric is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Histogram,
    Gauge,
}

fn kind(metric: &Metric) -> Kind {
    match metric.unit {
        Unit::Nanoseconds => Kind::Histogram,
        Unit::Bytes if metric.name == "memory_bytes" => Kind::Gauge,
        Unit::Count | Unit::Gas | Unit::Bytes => Kind::Counter,
    }
}

fn name(metric: &Metric) -> String {
    match kind(metric) {
        Kind::Counter => format!("thinstate_{}_total", metric.name),
        Kind::Gauge => format!("thinstate_{}", metric.name),
        Kind::Histogram => {
            let stage = metric.name.strip_suffix("_ns").unwrap_or(metric.name);
            format!("thinstate_{stage}_seconds")
        }
    }
}

/// Every name that a query can use.
pub fn names() -> Vec<String> {
    let mut names = vec![
        "thinstate_block_number".to_owned(),
        "thinstate_run_info".to_owned(),
    ];
    for metric in METRICS {
        let name = name(metric);
        if kind(metric) == Kind::Histogram {
            names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
        } else {
            names.push(name);
        }
    }
    names
}

impl Exporter {
    /// With what `thinstate_run_info` says, such as `("design", "mpt")`.
    pub fn new(info: &[(&str, &str)]) -> Self {
        let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escape(value));
        let labels: Vec<_> = info.iter().map(label).collect();
        Self {
            labels: labels.join(","),
            state: Mutex::new(State {
                last: None,
                sums: vec![0; METRICS.len()],
                buckets: vec![[0; BOUNDS_MS.len() + 1]; METRICS.len()],
            }),
        }
    }

    /// Adds a block.
    pub fn observe(&self, cost: &BlockCost) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(cost.number);
        for (index, metric) in METRICS.iter().enumerate() {
            let value = (metric.of)(cost);
            match kind(metric) {
                Kind::Gauge => state.sums[index] = value,
                Kind::Histogram if cost.warm_up => {}
                Kind::Histogram => {
                    state.buckets[index][bucket(value)] += 1;
                    state.sums[index] = state.sums[index].saturating_add(value);
                }
                Kind::Counter => state.sums[index] = state.sums[index].saturating_add(value),
            }
        }
    }

    /// All of it, as Prometheus reads it.
    pub fn render(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::with_capacity(1 << 14);
        let labels = &self.labels;
        head(&mut text, "thinstate_run_info", "what runs", "gauge");
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "thinstate_run_info{{{labels}}} 1");
        if let Some(BlockNumber(number)) = state.last {
            head(
                &mut text,
                "thinstate_block_number",
                "the last block",
                "gauge",
            );
            let _ = writeln!(text, "thinstate_block_number {number}");
        }
        for (index, metric) in METRICS.iter().enumerate() {
            let (name, sum) = (name(metric), state.sums[index]);
            match kind(metric) {
                Kind::Counter => head(&mut text, &name, metric.label, "counter"),
                Kind::Gauge => head(&mut text, &name, metric.label, "gauge"),
                Kind::Histogram => {
                    head(&mut text, &name, metric.label, "histogram");
                    histogram(&mut text, &name, &state.buckets[index], sum);
                    continue;
                }
            }
            let _ = writeln!(text, "{name} {sum}");
        }
        text
    }
}

fn bucket(ns: u64) -> usize {
    BOUNDS_MS.partition_point(|bound| bound * 1_000_000 < ns)
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn histogram(text: &mut String, name: &str, buckets: &[u64], sum_ns: u64) {
    let mut count = 0;
    for (bound, own) in BOUNDS_MS.iter().zip(buckets) {
        count += own;
        let seconds = *bound as f64 / 1e3;
        let _ = writeln!(text, "{name}_bucket{{le=\"{seconds}\"}} {count}");
    }
    let all: u64 = buckets.iter().sum();
    let seconds = sum_ns as f64 / NANOSECONDS_PER_SECOND;
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}");
    let _ = writeln!(text, "{name}_sum {seconds}\n{name}_count {all}");
}

/// What may not stand in a label's value.
fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::collections::BTreeSet;

    fn block(number: u64, ms: u64, warm_up: bool) -> BlockCost {
        BlockCost {
            number: BlockNumber(number),
            gas_used: 10,
            total: Duration::from_millis(ms),
            memory_bytes: 100 + number,
            warm_up,
            ..BlockCost::default()
        }
    }

    #[test]
    fn no_block_is_counted_twice_or_in_a_wrong_bucket() {
        let exporter = Exporter::new(&[("design", "a \"b\"\\")]);
        for cost in [
            block(1, 9000, true),
            block(2, 5, false),
            block(3, 60_000, false),
        ] {
            exporter.observe(&cost);
        }
        let text = exporter.render();
        for line in [
            "thinstate_run_info{design=\"a \\\"b\\\"\\\\\"} 1",
            "thinstate_block_number 3",
            "thinstate_gas_used_total 30",
            "thinstate_memory_bytes 103",
            "thinstate_total_seconds_bucket{le=\"0.002\"} 0",
            "thinstate_total_seconds_bucket{le=\"0.005\"} 1",
            "thinstate_total_seconds_bucket{le=\"30\"} 1",
            "thinstate_total_seconds_bucket{le=\"+Inf\"} 2",
            "thinstate_total_seconds_sum 60.005",
            "thinstate_total_seconds_count 2",
        ] {
            assert!(
                text.lines().any(|it| it == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn every_name_has_help_and_type_and_is_in_the_list() {
        let exporter = Exporter::new(&[]);
        exporter.observe(&block(1, 1, false));
        let text = exporter.render();
        let shown = text.lines().filter(|line| !line.starts_with('#'));
        let shown: BTreeSet<_> = shown
            .filter_map(|line| line.split(['{', ' ']).next())
            .map(str::to_owned)
            .collect();
        assert_eq!(shown, names().into_iter().collect());
        let count = |what: &str| text.lines().filter(|it| it.starts_with(what)).count();
        assert_eq!(count("# HELP"), METRICS.len() + 2);
        assert_eq!(count("# TYPE"), METRICS.len() + 2);
    }
}
