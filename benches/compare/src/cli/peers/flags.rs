//! Options of `peers`.

use crate::cli::count::Count;
use clap::{Args, ValueEnum, ValueHint};
use eyre::bail;
use std::path::PathBuf;
use thinstate_benches::Draws;
use thinstate_compare::{
    peer,
    phases::{self, Size},
};
use thinstate_replay::replay::ByteSize;

/// What blocks are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Workload {
    /// Updates of 32-byte keys: nine in ten of keys that exist, one in ten new.
    Keys,
    /// ERC-20 transfers: two balances each, or a record spent and two made.
    Transfers,
}

/// Options of `peers`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each store gets a process of its own for each phase: filling, blocks and reads of
the first distribution, of the next. State roots of stores that have Ethereum's
are compared. Results lie in JSON files of OUT, named for what they depend on.
A store that fails is named in the tables, with what it came to until then.

Exit status: 0 all have run, 1 one has failed (the others are run all the same)
or has another root, 130 interrupted.")]
pub(in crate::cli) struct Flags {
    /// Workloads, in their order.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_enum)]
    #[arg(default_values_t = [Workload::Keys, Workload::Transfers])]
    pub(super) workload: Vec<Workload>,
    /// Stores of `list`; all, if none is named.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) store: Vec<String>,
    /// Keys before the first block.
    #[arg(long, value_name = "N", default_value = "1M")]
    pub(super) keys: Count,
    /// Updates in a block, one size after the other.
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "1k,10k,50k"
    )]
    pub(super) updates: Vec<Count>,
    /// Holders before the first block of transfers.
    #[arg(long, value_name = "N", default_value = "200k")]
    pub(super) holders: Count,
    /// Transfers in a block, one size after the other.
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "10k"
    )]
    pub(super) transfers: Vec<Count>,
    /// How keys and holders are drawn, one way after the other: uniform,
    /// zipf:EXPONENT.
    #[arg(
        long,
        value_name = "WAYS",
        value_delimiter = ',',
        default_value = "uniform,zipf:0.99"
    )]
    pub(super) draws: Vec<Draws>,
    /// Rounds, of which tables show the median.
    #[arg(long, value_name = "N", default_value = "3")]
    pub(super) rounds: Count,
    /// Updates or transfers of a round; of the largest blocks four at least.
    #[arg(long, value_name = "N", default_value = "100k")]
    pub(super) round: Count,
    /// Blocks of each size before the first round.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) warm_up: u64,
    /// Keys that are read cold and warm; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(super) reads: u64,
    /// Threads that read, one number after the other, where a store lets one say so.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1,16"
    )]
    pub(super) read_threads: Vec<Count>,
    /// Memory for a store's caches.
    #[arg(long, value_name = "BYTES", default_value = "512MiB")]
    pub(super) cache_size: ByteSize,
    /// Threads for hashing, where a store lets one say so; one for each core, if
    /// not given.
    #[arg(long, value_name = "N")]
    threads: Option<Count>,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Limit memory, the page cache included, by a control group: a state that is
    /// larger does not fit. Filling a store with keys is outside of it.
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<ByteSize>,
    /// The control group to make others in; that of this process, if not given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "memory")]
    pub(super) cgroup: Option<PathBuf>,
    /// Folder for results, and for stores while they are at work.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(default_value = "out/compare")]
    pub(super) out: PathBuf,
    /// Put the tables into this file too, each in a place of its own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) docs: Option<PathBuf>,
    /// Keep the stores.
    #[arg(long)]
    pub(super) keep_stores: bool,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// Blocks of a round, at least.
const BLOCKS_MIN: u64 = 4;

impl Flags {
    /// Refuses what would fail later.
    pub(super) fn check(&self) -> eyre::Result<()> {
        for name in &self.store {
            if peer::named(name).is_none() && phases::state_named(name).is_none() {
                bail!("{name} is no store of this build: see `thinstate-compare list`");
            }
        }
        if self.holders.0 < 2 {
            bail!("expected two holders at least, got {}", self.holders.0);
        }
        Ok(())
    }

    /// Threads that hash.
    pub(super) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, |it| it.0 as usize)
    }

    /// Sizes of a workload's blocks, and how many of each.
    pub(super) fn sizes(&self, workload: Workload) -> Vec<Size> {
        let blocks = match workload {
            Workload::Keys => &self.updates,
            Workload::Transfers => &self.transfers,
        };
        let size = |block: &Count| Size {
            block: block.0,
            warm_up: self.warm_up,
            rounds: self.rounds.0,
            blocks: (self.round.0 / block.0).max(BLOCKS_MIN),
        };
        blocks.iter().map(size).collect()
    }
}
