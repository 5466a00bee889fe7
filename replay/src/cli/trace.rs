//! `thinstate trace`: the accesses of blocks to a trace, wherever the blocks come from, or what a trace holds.

mod chain;
mod dump;
#[cfg(feature = "parquet")]
mod extracts;
mod files;
mod generated;
mod info;
mod lists;
mod node;
mod progress;
mod work;
mod write;

use crate::source::range::BlockRanges;
use clap::{ArgGroup, ValueHint};
use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode};
use thinstate_formats::BlockNumber;

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("source")
        .args(SOURCES)
        .required(true),
    after_help = "See --help for what each source is, with an example.",
    after_long_help = HELP
)]
pub(super) struct Options {
    /// Files, or folders of them: witnesses, access lists, pre-states, traces.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Where the trace goes. A trace that is there is replaced once the new one is whole.
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["info", "dump", "lists"])]
    #[arg(value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Write the blocks' EIP-7928 access lists into this folder, as N.rlp.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    lists: Option<PathBuf>,
    /// Only these blocks, as in 12M:13M, 15M:+1000, -1000:, 100:200/5, or several.
    #[arg(long, value_name = "RANGES", conflicts_with_all = ["info", "dump"], allow_hyphen_values = true)]
    blocks: Option<BlockRanges>,
    /// Remove what an interrupted command has left of the same trace (FILE.partial).
    #[arg(long, requires = "output")]
    force: bool,
    /// Folder for the blocks' stores, one at a time; the system's temporary one if not given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    work_dir: Option<PathBuf>,
    /// Threads for reading and hashing; one for each core if not given.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Leave the classes of slots out, where blocks are executed for the trace.
    #[arg(long)]
    unclassified: bool,
    #[command(flatten)]
    lists_from: ListOptions,
    #[command(flatten)]
    chain: ChainOptions,
    #[command(flatten)]
    node: NodeOptions,
    #[command(flatten)]
    extracts: ExtractOptions,
    #[command(flatten)]
    generated: GenerateOptions,
    /// Describe a trace: every block is read and counted.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["output", "lists"])]
    info: Option<PathBuf>,
    /// Print the accesses of one block, one JSON object a line.
    #[arg(long, value_name = "FILE", requires = "block", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["output", "lists"])]
    dump: Option<PathBuf>,
    /// The block to print.
    #[arg(long, value_name = "NUMBER", requires = "dump")]
    block: Option<u64>,
    /// Print the trace's figures as JSON, also after writing one.
    #[arg(long, conflicts_with = "dump")]
    json: bool,
}

/// What a trace is made from, or what is to be done with one: one of them.
const SOURCES: [&str; 7] = [
    "paths", "era1", "rpc", "parquet", "generate", "info", "dump",
];

/// Access lists.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Access lists")]
struct ListOptions {
    /// Store of the state before the first list: values before are then its own, and not assumed.
    #[arg(long, value_name = "DATADIR", value_hint = ValueHint::DirPath)]
    state: Option<PathBuf>,
    /// Folder of the lists' blocks (N.rlp, N.json; also N.block.*), where they are not beside them.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    block_folder: Option<PathBuf>,
    /// Take lists that break the order of EIP-7928: sort them, and keep the last of several changes at one
    /// index, as lists need that were made of a node's traces.
    #[arg(long)]
    repair_lists: bool,
}

/// A chain from genesis.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A chain from genesis")]
struct ChainOptions {
    /// Era1 files in order, the first one beginning with block 0.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "genesis", value_hint = ValueHint::FilePath)]
    era1: Vec<PathBuf>,
    /// Genesis file (`genesis.json`, also with .zst) that the era1 files begin with.
    #[arg(long, value_name = "FILE", requires = "era1", value_hint = ValueHint::FilePath)]
    genesis: Option<PathBuf>,
}

/// A node.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A node")]
struct NodeOptions {
    /// Fetch the blocks from a node; without URL from the one in ETH_RPC_URL.
    #[arg(long, value_name = "URL", num_args = 0..=1, requires_all = ["blocks", "output"])]
    #[arg(default_missing_value = "")]
    rpc: Option<String>,
    /// By which calls: auto takes the first that the node offers, in the order of this list.
    #[arg(
        long,
        value_enum,
        value_name = "METHOD",
        default_value_t,
        requires = "rpc"
    )]
    method: node::Method,
    /// Requests a second, over all threads; 0 is without limit.
    #[arg(long, value_name = "N", default_value_t = 10.0, requires = "rpc")]
    rps: f64,
    /// Most requests at a time.
    #[arg(long, value_name = "N", default_value = "4", requires = "rpc")]
    max_concurrent: NonZeroUsize,
    /// How often a request is tried again: after 0.5 s, then twice as long each time.
    #[arg(long, value_name = "N", default_value_t = 6, requires = "rpc")]
    retries: u32,
    /// Seconds that one attempt may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "rpc")]
    timeout: u64,
    /// Most MiB of an answer.
    #[arg(long, value_name = "MIB", default_value_t = 1_024, requires = "rpc")]
    max_response: u64,
    /// The chain that the node has to be on (EIP-155).
    #[arg(long, value_name = "ID", default_value_t = 1)]
    chain_id: u64,
}

/// Extracts in Parquet files.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Parquet extracts")]
struct ExtractOptions {
    /// Folder of cryo's storage_diffs, storage_reads, balance_diffs and nonce_diffs (any of them), or such
    /// files. Needs a program that was built with the feature `parquet`.
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = ValueHint::AnyPath)]
    parquet: Vec<PathBuf>,
}

/// Generated blocks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Generated blocks")]
struct GenerateOptions {
    /// Draw blocks of this profile (a TOML file, or `mainnet`) over a population.
    #[arg(long, value_name = "PROFILE", requires = "blocks", value_hint = ValueHint::FilePath)]
    generate: Option<String>,
    /// Accounts of the population; its slots are in mainnet's proportion.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000_000,
        requires = "generate"
    )]
    accounts: u64,
    /// Seed of population and blocks.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "generate")]
    seed: u64,
}

const HELP: &str = "\
Sources, each with what its trace holds:

Witnesses, N.witness.json (debug_executionWitness) with N.block.json, or N.json
with everything in it: the block is executed on a store that holds its witness,
and all that its header commits to is checked. Slots are classified by the logs,
the layouts that come with the program, and what the blocks before have shown;
`thinstate classify` does it with what all blocks show, and for other sources.
  thinstate trace witnesses/ -o blocks.trace

Access lists (EIP-7928), N.rlp, N.bal.rlp or N.bal.json: keys, order and values
after are the list's. It has no values before: those are what earlier lists of
the run have left, else what the state in --state holds, else ASSUMED by a rule
that depends on the key alone. The trace says so (--info, `values before`).
  thinstate trace lists/ --block-folder blocks/ -o lists.trace
  thinstate trace lists/ --state datadir/ -o lists.trace

Pre-states, N.prestate.json and N.diff.json (debug_traceBlockByNumber with the
prestateTracer, without diffMode and with it) with N.block.json, or folders N/
with pre_state.json and block.json: reads without a diff, writes with one.
  thinstate trace prestates/ -o reads.trace

A chain from genesis: executed in one store, each header's root checked. Block 0
is the allocation as writes.
  thinstate trace --genesis genesis.json --era1 00000.era1 00001.era1 -o chain.trace

A node: fetched into FILE.fetch/, then read from there. What is there and whole
is not fetched again, so an interrupted command goes on where it stopped. Remove
the folder once the trace is good.
  thinstate trace --rpc http://localhost:8545 --blocks 23M:+1000 -o node.trace
  ETH_RPC_URL=... thinstate trace --rpc --blocks -100: --method prestate -o node.trace

Traces: copied, joined, or cut down to --blocks.
  thinstate trace a.trace b.trace --blocks 12M:13M -o both.trace

Parquet extracts of cryo (feature `parquet`): slots as extracted; of accounts
what is not extracted is assumed, as for access lists.
  thinstate trace --parquet extracts/ -o extracts.trace

Generated blocks, by a profile and a seed; a store filled with the same
population holds what they find.
  thinstate trace --generate mainnet --blocks 1:+1000 --seed 7 -o generated.trace

With --lists each block's access list is written too, or instead of a trace.
  thinstate trace witnesses/ --lists lists/

The first Ctrl-C ends the command after the block at hand: the trace then holds
the blocks before. The second ends it at once. Exit status: 0 done, 1 a block
does not hold or an error occurred, 2 wrong command line, 130 interrupted.";

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    if let Some(path) = &options.info {
        return info::run(path, options.json);
    }
    if let (Some(path), Some(number)) = (&options.dump, options.block) {
        return dump::run(path, BlockNumber(number));
    }
    write::run(options)
}
