//! `blocks.csv` and `result.json`.
//!
//! `blocks.csv` has the columns `block_number`, `kind` (`setup` or `load`), one for each of
//! [`METRICS`], and `state_root`. `result.json` is [`DemoResult`]; its `schema` changes whenever a
//! field changes its meaning or goes. Readers have to ignore fields that they do not know.

use super::{
    chain::{Chain, FinalChecks},
    costs::{BlockCosts, METRICS},
    error::OutDirError,
    generate::BlockKind,
    oracle::Compared,
    out_dir::os,
    summary::{Quantiles, Summary},
};
use crate::measure::{
    Machine,
    probes::{self, ProcessProbe},
};
use alloy_primitives::B256;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};
use thinstate_engine::leaf_store::{StoreError, Table};

/// The version of `result.json`.
pub const SCHEMA: &str = "thinstate.demo.v1";

/// How a demo ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All blocks, all checks.
    Completed,
    /// Ended on request after a whole block; the final checks were not made.
    Interrupted,
    /// An error, or a difference between store and oracle.
    Failed,
}

/// All that a demo has to tell.
#[derive(Debug, Serialize)]
pub struct DemoResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// How it ended.
    pub status: Status,
    /// Why it failed, with the causes.
    pub error: Option<String>,
    /// When it began, in seconds since 1970.
    pub started_unix_s: u64,
    /// How long it took, everything included.
    pub elapsed_s: f64,
    /// What was run.
    pub program: Program,
    /// What it ran on.
    pub machine: Machine,
    /// What it was told.
    pub config: ConfigRecord,
    /// Mainnet's genesis state in the store.
    pub genesis: Option<GenesisRecord>,
    /// All blocks that count together.
    pub blocks: BlockTotals,
    /// Distributions over them.
    pub per_block: Vec<Quantiles>,
    /// The state in the end.
    pub state: Option<StateRecord>,
    /// What was checked in the end.
    pub checks: Option<CheckRecord>,
    /// What the process has used for all of it, the oracle included.
    pub process: ProcessUse,
}

/// What was run.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// The version.
    pub version: &'static str,
    /// `release`, or `debug` where assertions are compiled in.
    pub build_profile: &'static str,
}

/// What the demo was told, defaults filled in.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigRecord {
    /// The genesis file.
    pub genesis: PathBuf,
    /// The profile's file.
    pub profile: PathBuf,
    /// Blocks that count, as planned.
    pub blocks: u64,
    /// The seed of all draws.
    pub seed: u64,
    /// Where the results lie.
    pub out: PathBuf,
    /// Parameters of the store.
    pub store: BTreeMap<&'static str, String>,
}

/// The genesis state.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct GenesisRecord {
    /// Its accounts.
    pub accounts: u64,
    /// Its root.
    pub state_root: B256,
    /// Seconds to read the file, build the state and check it.
    pub elapsed_s: f64,
}

/// All blocks together.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct BlockTotals {
    /// Blocks that count.
    pub load: u64,
    /// Blocks before them, which only prepare, and are in no figure but this one.
    pub setup: u64,
    /// Blocks whose root the oracle has confirmed, of either kind.
    pub roots_confirmed: u64,
    /// Transactions of the blocks that count.
    pub tx_count: u64,
    /// Their gas.
    pub gas_used: u64,
    /// Their time, without the oracle's.
    pub total_s: f64,
    /// Gas per second of that time.
    pub gas_per_second: f64,
    /// The same for the slowest block.
    pub gas_per_second_min: Option<f64>,
}

/// The state and what it takes.
#[derive(Clone, Debug, Serialize)]
pub struct StateRecord {
    /// The last block.
    pub block_number: u64,
    /// Its root.
    pub state_root: B256,
    /// Accounts.
    pub accounts: u64,
    /// Slots.
    pub slots: u64,
    /// Memory of the interiors of all tries.
    pub interior_bytes: u64,
    /// Buckets under them.
    pub buckets: u64,
    /// Each table of the leaf store.
    pub tables: Vec<TableRecord>,
}

/// A table of the leaf store.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TableRecord {
    /// Its name.
    pub table: &'static str,
    /// Entries, estimated.
    pub entries: u64,
    /// Bytes in files.
    pub file_bytes: u64,
    /// Bytes in memory and in the log.
    pub memory_bytes: u64,
}

/// What was checked after the last block; each held, or the status is `failed`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CheckRecord {
    /// Blocks undone and done again, each to its former root.
    pub blocks_replayed: u64,
    /// Account leaves of the reopened store from which the root was computed again.
    pub accounts_verified: u64,
    /// Slot leaves of the same.
    pub slots_verified: u64,
    /// What of the reopened store was compared with the oracle, value by value.
    pub compared: Compared,
}

/// What this process has asked of the block layer and of memory.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ProcessUse {
    /// Bytes fetched from a device.
    pub device_read_bytes: Option<u64>,
    /// Bytes sent to a device, or to the page cache on their way there.
    pub device_written_bytes: Option<u64>,
    /// The most memory that was resident.
    pub memory_bytes_max: Option<u64>,
}

impl ProcessUse {
    /// What was used since `before`; memory is the most that it ever was.
    pub(super) fn since(before: &probes::ProcessUse) -> Self {
        let used = ProcessProbe::open().now().since(before);
        Self {
            device_read_bytes: used.device_read_bytes,
            device_written_bytes: used.device_written_bytes,
            memory_bytes_max: probes::memory_bytes_max(),
        }
    }
}

impl Program {
    pub(super) const fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            build_profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        }
    }
}

impl BlockTotals {
    pub(super) fn of(summary: &Summary) -> Self {
        Self {
            load: summary.blocks,
            setup: summary.setup_blocks,
            roots_confirmed: summary.blocks + summary.setup_blocks,
            tx_count: summary.tx_count,
            gas_used: summary.gas_used,
            total_s: summary.total.as_secs_f64(),
            gas_per_second: summary.gas_per_second(),
            gas_per_second_min: summary.gas_per_second_min,
        }
    }
}

impl StateRecord {
    pub(super) fn of(chain: &Chain) -> Result<Self, StoreError> {
        let tier = chain.tier();
        let head = tier.head();
        let (mut interior, storage) = tier.interior_size();
        interior.add(&storage);
        let table = |table: Table| {
            let stats = tier.table_stats(table)?;
            Ok(TableRecord {
                table: table.name(),
                entries: stats.entries,
                file_bytes: stats.file_bytes,
                memory_bytes: stats.memory_bytes,
            })
        };
        Ok(Self {
            block_number: head.block.map_or(0, |block| block.number.0),
            state_root: head.root,
            accounts: head.accounts,
            slots: head.slots,
            interior_bytes: interior.bytes,
            buckets: interior.buckets,
            tables: Table::ALL
                .into_iter()
                .map(table)
                .collect::<Result<_, StoreError>>()?,
        })
    }
}

impl From<FinalChecks> for CheckRecord {
    fn from(checks: FinalChecks) -> Self {
        Self {
            blocks_replayed: checks.replayed,
            accounts_verified: checks.verified.accounts,
            slots_verified: checks.verified.slots,
            compared: checks.compared,
        }
    }
}

/// `blocks.csv` in the making.
#[derive(Debug)]
pub(super) struct BlocksCsv {
    path: PathBuf,
    file: BufWriter<File>,
}

impl BlocksCsv {
    pub(super) fn create(path: &Path) -> Result<Self, OutDirError> {
        let file = File::create(path).map_err(os("create the file", path))?;
        let mut csv = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        };
        let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        csv.line(&format!("block_number,kind,{},state_root", names.join(",")))?;
        Ok(csv)
    }

    pub(super) fn add(&mut self, block: &BlockCosts) -> Result<(), OutDirError> {
        let kind = match block.kind {
            BlockKind::Setup => "setup",
            BlockKind::Load => "load",
        };
        let values = METRICS.iter().map(|metric| (metric.of)(block).to_string());
        let values: Vec<_> = values.collect();
        let (number, root) = (block.number, block.root);
        self.line(&format!("{number},{kind},{},{root}", values.join(",")))
    }

    /// Brings all rows to the device.
    pub(super) fn finish(mut self) -> Result<(), OutDirError> {
        let flushed = self.file.flush();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(os("write the file", &self.path))
    }

    fn line(&mut self, line: &str) -> Result<(), OutDirError> {
        let written = writeln!(self.file, "{line}");
        written.map_err(os("write the file", &self.path))
    }
}
