//! `result.json`: what a run was, on what, and what came out.
//!
//! The schema is versioned ([`RESULT_SCHEMA`]); fields are added without a new version, and never change their
//! meaning within one. Readers ignore what they do not know. `docs/results.md` describes every field.

use super::Unit;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thinstate_formats::BlockNumber;

/// Name and version of the schema.
pub const RESULT_SCHEMA: &str = "thinstate-run/1";

/// Seconds of work below which figures of time say too little.
pub const MEASURED_S_MIN: f64 = 1.0;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// [`RESULT_SCHEMA`].
    pub schema: String,
    /// How the run ended.
    pub status: RunStatus,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it had seen, where it ended before its last block since that was enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// Seconds since 1970 at which it began.
    pub started_at: u64,
    /// How long it took in all, in seconds.
    pub wall_s: f64,
    /// What ran.
    pub program: Program,
    /// Everything that was asked for, resolved: flags, files and defaults.
    pub config: serde_json::Value,
    /// What the user noted with `-m key=value`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What it ran on.
    pub machine: serde_json::Value,
    /// What the device can do at best, where it was probed: see `thinstate device`.
    #[serde(default)]
    pub device: Option<DeviceProfile>,
    /// What was replayed.
    pub workload: WorkloadInfo,
    /// The design of state.
    pub design: DesignInfo,
    /// The state before the first block that counts.
    pub state_before: StateSize,
    /// The state after the last.
    pub state_after: StateSize,
    /// Sums and rates over the blocks that count.
    pub totals: Totals,
    /// Distribution over the blocks that count, by the name of the metric.
    pub metrics: BTreeMap<String, Distribution>,
    /// State root and commitment after the last block.
    pub last: Option<LastBlock>,
    /// How far two runs of this same design and workload lie apart on this machine, as a fraction, by `metric.statistic`
    /// (`total_ns.p99`): where it was measured. A comparison takes no smaller difference for one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noise_floor: BTreeMap<String, f64>,
}

impl RunResult {
    /// How many blocks count, for people: `40`, or `2 of 40` where it ended early.
    pub fn blocks_text(&self) -> String {
        match self.decided {
            None => self.totals.blocks.to_string(),
            Some(it) => format!("{} of {}", it.blocks, it.blocks_planned),
        }
    }

    /// Seconds in which the blocks that count were at work: without waiting for slots, and without planning.
    pub fn work_s(&self) -> f64 {
        let sum = |name: &str| self.metrics.get(name).map_or(0, |it| it.sum);
        sum("total_ns").saturating_sub(sum("wait_ns")) as f64 / 1e9
    }

    /// Whether that is too short for figures of time.
    pub fn is_short(&self) -> bool {
        self.work_s() < MEASURED_S_MIN
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Every block was applied.
    Completed,
    /// It was to end once its p99 could not fit the slot any more, and did: see [`RunResult::decided`].
    Decided,
    /// It was told to stop; what it did until then counts.
    Interrupted,
    /// An error ended it.
    Failed,
}

impl RunStatus {
    /// Whether it found what it was to find: there is nothing to go on with.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Decided)
    }
}

/// Why it is certain that the p99 of a run does not fit the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Blocks that were measured.
    pub blocks: u64,
    /// Blocks that it was to measure.
    pub blocks_planned: u64,
    /// Measured ones that took longer than the slot: more than a hundredth of those that were planned.
    pub blocks_over_slot: u64,
}

/// What ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Version of the package.
    pub version: String,
    /// Commit that it was built from, where it was built in a checkout.
    pub commit: Option<String>,
    /// Whether the checkout had changes that were not committed.
    pub dirty: Option<bool>,
    /// The compiler.
    pub rustc: Option<String>,
    /// `release` or `debug`.
    pub build_profile: String,
    /// How far the compiler optimized: `0` to `3`, `s`, `z`.
    #[serde(default)]
    pub opt_level: Option<String>,
    /// Optimization at link time, as the profile has it: `fat`, `thin`, `true`, `false`, `off`; `default` where it does not say.
    #[serde(default)]
    pub lto: Option<String>,
    /// Whether assertions for debugging were compiled in. `None` where a result does not say.
    #[serde(default)]
    pub debug_assertions: Option<bool>,
    /// Flags that were passed to the compiler (`RUSTFLAGS`, or cargo's configuration).
    #[serde(default)]
    pub rustflags: Option<String>,
    /// The CPU that code was made for; `default` is the target's own.
    #[serde(default)]
    pub target_cpu: Option<String>,
    /// Instructions that code may use without asking the CPU.
    #[serde(default)]
    pub target_features: Vec<String>,
    /// The target.
    pub target: String,
    /// Features of the package.
    pub features: Vec<String>,
    /// SHA-256 of `Cargo.lock`.
    pub lockfile_sha256: Option<String>,
}

/// What was replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// `generated`, `trace`.
    pub kind: String,
    /// Profile or file that it came from.
    pub source: String,
    /// Seed, where anything was drawn.
    pub seed: Option<u64>,
    /// How blocks were multiplied: `none`, `merge`, `clone`, `mixed`.
    pub amplify: String,
    /// How many times mainnet's gas one slot carries.
    pub gas_multiple: u32,
    /// Seconds between slots.
    pub slot_s: f64,
    /// `closed` (as fast as it goes) or `open` (by the clock, `speed_up` times faster).
    pub loop_kind: String,
    /// Of an open loop.
    pub speed_up: Option<f64>,
    /// Blocks discarded as burn-in.
    pub warm_up_blocks: u64,
    /// Blocks that count.
    pub blocks: u64,
    /// Slots written, by class of object, over the blocks that count.
    pub slots_written_by_class: BTreeMap<String, u64>,
    /// Slots touched, by class of object.
    pub slots_touched_by_class: BTreeMap<String, u64>,
    /// How the workload differs from mainnet's numbers.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
}

impl WorkloadInfo {
    /// The deviation of this name.
    pub fn deviation(&self, name: &str) -> Option<&Deviation> {
        self.deviations.iter().find(|it| it.name == name)
    }
}

/// A number of the workload beside mainnet's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// What.
    pub name: String,
    /// Mainnet's.
    pub target: f64,
    /// The workload's.
    pub got: f64,
    /// Its unit.
    pub unit: String,
    /// Where mainnet's number is from.
    pub source: String,
}

/// A design of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignInfo {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// The tier of each class of object.
    pub tiers: BTreeMap<String, String>,
    /// Names what its permanent trie holds: two designs with the same value have the same state root after
    /// every block. `None` where there is no trie.
    pub trie: Option<String>,
    /// Its parameters, as they are in its file.
    pub parameters: serde_json::Value,
}

/// The size of a state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StateSize {
    /// Accounts in the permanent tier.
    pub accounts: u64,
    /// Slots in the permanent tier.
    pub slots: u64,
    /// Each tier, by name: `permanent`, `temporary`, `utxo`.
    pub tiers: BTreeMap<String, TierBytes>,
    /// Bytes in the folder of the store.
    pub folder_bytes: u64,
}

/// What a tier takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TierBytes {
    /// Objects that can be read, or spent.
    pub live_objects: u64,
    /// Objects that have left the live state.
    pub dead_objects: u64,
    /// Dead objects whose bit is set.
    pub spent_objects: u64,
    /// Bytes on disk for live objects.
    pub live_disk_bytes: u64,
    /// Bytes of memory for live objects.
    pub live_memory_bytes: u64,
    /// Bytes that stay for ever.
    pub permanent_bytes: u64,
    /// Bytes that went to the archive.
    pub archive_bytes: u64,
}

/// Sums and rates over the blocks that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Blocks.
    pub blocks: u64,
    /// Gas.
    pub gas_used: u64,
    /// Transactions.
    pub tx_count: u64,
    /// From the first block's arrival to the last one's durability, in seconds.
    pub elapsed_s: f64,
    /// Million units of gas per second.
    pub mgas_per_second: f64,
    /// CPU seconds of the process.
    pub cpu_s: f64,
    /// Most memory that was resident.
    pub memory_bytes_max: u64,
    /// Time spent measuring, in seconds, as far as it is known.
    pub measuring_s: f64,
}

/// How values of a metric are spread over blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// What it counts.
    pub unit: Unit,
    /// Blocks.
    pub count: u64,
    /// Sum.
    pub sum: u64,
    /// Mean.
    pub mean: f64,
    /// Least.
    pub min: u64,
    /// Half of the blocks have at most this.
    pub p50: u64,
    /// Nine of ten.
    pub p90: u64,
    /// 99 of 100. The largest, where there are fewer blocks than that.
    pub p99: u64,
    /// 999 of 1,000. The largest, where there are fewer blocks than that.
    pub p999: u64,
    /// Largest.
    pub max: u64,
}

/// The last block of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBlock {
    /// Its number.
    pub number: BlockNumber,
    /// The root of the permanent tier, where the design has the trie.
    pub state_root: Option<B256>,
    /// What the design commits to.
    pub commitment: B256,
}

/// What a block device can do: measured by `thinstate device`, or taken from a data sheet. What is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    /// Its name.
    pub name: String,
    /// Where the numbers are from: `measured`, or a source.
    pub source: String,
    /// Median latency of a random read of 4 KiB at depth 1, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_latency_us: Option<f64>,
    /// Median latency of an append of 4 KiB with fdatasync, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_latency_us: Option<f64>,
    /// Sequential reads, in bytes per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes_per_second: Option<f64>,
    /// Sequential writes, in bytes per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bytes_per_second: Option<f64>,
    /// The most random reads of 4 KiB per second, at whatever depth: what data sheets say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_iops_max: Option<f64>,
    /// The most random writes of 4 KiB per second, at whatever depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_iops_max: Option<f64>,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Random reads of 4 KiB per second, by requests in flight.
    #[serde(default)]
    pub read_iops: BTreeMap<u32, f64>,
    /// Random writes of 4 KiB per second, by requests in flight.
    #[serde(default)]
    pub write_iops: BTreeMap<u32, f64>,
}
