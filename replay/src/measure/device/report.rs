//! What a probe found.

use super::job::Samples;
use crate::measure::DeviceProfile;
use serde::Serialize;

/// What was asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Appends, each with an fdatasync.
    Sync,
}

/// How requests were kept in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By io_uring.
    IoUring,
    /// By a thread for each.
    Threads,
}

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyRow {
    /// What was asked.
    pub operation: Operation,
    /// Whether one after the other, or anywhere in the file.
    pub sequential: bool,
    /// Bytes of a request.
    pub request_bytes: u64,
    /// Requests in flight.
    pub depth: u32,
    /// Requests that were answered.
    pub count: u64,
    /// How many in a second.
    pub iops: f64,
    /// How many bytes in a second.
    pub bytes_per_second: f64,
    /// Half of them were answered within this, in microseconds.
    pub latency_us_p50: f64,
    /// 99 of 100 were.
    pub latency_us_p99: f64,
    /// All were.
    pub latency_us_max: f64,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// What a model needs.
    pub profile: DeviceProfile,
    /// How requests were kept in flight.
    pub method: Method,
    /// Whether they went past the page cache. If not, the numbers are in part the page cache's.
    pub direct_io: bool,
    /// Bytes of the file that were filled and used.
    pub file_bytes: u64,
    /// The stages.
    pub latencies: Vec<LatencyRow>,
}

impl LatencyRow {
    pub(super) fn new(
        operation: Operation,
        sequential: bool,
        request_bytes: u64,
        depth: u32,
        samples: &Samples,
    ) -> Self {
        let seconds = samples.elapsed.as_secs_f64().max(1e-9);
        let count = samples.latency_ns.len();
        let us = |ns: u64| ns as f64 / 1e3;
        Self {
            operation,
            sequential,
            request_bytes,
            depth,
            count,
            iops: count as f64 / seconds,
            bytes_per_second: (count * request_bytes) as f64 / seconds,
            latency_us_p50: us(samples.latency_ns.value_at_quantile(0.5)),
            latency_us_p99: us(samples.latency_ns.value_at_quantile(0.99)),
            latency_us_max: us(samples.latency_ns.max()),
        }
    }
}

/// The profile that follows from the stages.
pub(super) fn profile(name: String, notes: Vec<String>, rows: &[LatencyRow]) -> DeviceProfile {
    let of = |operation, sequential| {
        let wanted = move |row: &&LatencyRow| {
            row.operation == operation && row.sequential == sequential && row.count > 0
        };
        rows.iter().filter(wanted)
    };
    let iops = |operation| {
        of(operation, false)
            .map(|row| (row.depth, row.iops.round()))
            .collect()
    };
    let most = |operation| {
        let iops = of(operation, false).map(|row| row.iops.round());
        iops.reduce(f64::max)
    };
    let bandwidth = |operation| {
        let row = of(operation, true).next();
        row.map(|row| row.bytes_per_second.round())
    };
    let first = of(Operation::Read, false).find(|row| row.depth == 1);
    let sync = of(Operation::Sync, true).next();
    DeviceProfile {
        name,
        source: "measured".to_owned(),
        read_latency_us: first.map(|row| row.latency_us_p50),
        sync_latency_us: sync.map(|row| row.latency_us_p50),
        read_bytes_per_second: bandwidth(Operation::Read),
        write_bytes_per_second: bandwidth(Operation::Write),
        read_iops_max: most(Operation::Read),
        write_iops_max: most(Operation::Write),
        notes,
        read_iops: iops(Operation::Read),
        write_iops: iops(Operation::Write),
    }
}
