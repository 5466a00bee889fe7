//! `thinstate-compare replay` and `run`: the workloads of `thinstate replay` on other stores.

use super::{INTERRUPTED, children};
use clap::{Args, ValueHint};
use core::sync::atomic::AtomicBool;
use eyre::{OptionExt as _, WrapErr as _};
use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};
use thinstate_compare::{LogLines, stores, table};
use thinstate_replay::{
    amplify::Method,
    design,
    measure::{RecordedRun, RunStatus},
    replay::{ByteSize, Candidate, Progress, RunConfig, Silent, Workload, run_on},
};

/// The designs of thinstate's own that `replay` runs, the first of which computes the roots that others must have.
const OURS: &[&str] = &["mpt", "flat-lthash"];

/// Options of `replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each gets a process of its own, so that its memory is its own, and a folder of
its own under --out. State roots are compared with mpt's.

Exit status: 0 all have run, 1 one has failed (the others are run all the same),
130 interrupted.")]
pub(super) struct AllFlags {
    #[command(flatten)]
    flags: Flags,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(super) struct OneFlags {
    /// A store of `list` for replays, or a design of thinstate's.
    #[arg(long, value_name = "NAME")]
    store: String,
    /// An earlier run, with whose state roots these have to agree, where the
    /// store has Ethereum's.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    check_roots: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
struct Flags {
    /// Accounts of the state before the first slot; 4.09 slots of storage to each.
    #[arg(long, value_name = "N", default_value_t = RunConfig::ACCOUNTS)]
    accounts: u64,
    /// Slots that are measured.
    #[arg(long, value_name = "N", default_value_t = 50)]
    blocks: u64,
    /// Slots before them, which are not.
    #[arg(long, value_name = "N", default_value_t = 10)]
    warm_up: u64,
    /// How many blocks' gas a slot carries.
    #[arg(long, value_name = "M", default_value_t = 10)]
    scale: u32,
    /// How a slot gets to carry more than a block.
    #[arg(long, value_name = "METHOD", default_value = "clone")]
    amplify: Method,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Memory for a store's caches.
    #[arg(long, value_name = "BYTES", default_value = "512MiB")]
    cache_size: ByteSize,
    /// Threads for reading and hashing, where a store lets one say so; one for
    /// each core, if not given.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Drop the page cache before the first slot (as root).
    #[arg(long)]
    drop_caches: bool,
    /// Read a block after the one before is committed, not meanwhile.
    #[arg(long)]
    no_overlap: bool,
    /// Folder of filled stores, to be used again.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    cache: Option<PathBuf>,
    /// Keep the stores beside the results.
    #[arg(long)]
    keep_store: bool,
    /// Folder for results.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(default_value = "out/compare")]
    out: PathBuf,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// What a process runs.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Task {
    config: RunConfig,
    quiet: bool,
}

impl Flags {
    /// The task of running a store, with results in `out`.
    fn task(&self, store: &str, out: PathBuf, check_roots: Option<PathBuf>) -> Task {
        let amplify = match self.scale {
            1 => Method::None,
            _ => self.amplify,
        };
        Task {
            config: RunConfig {
                design: vec![store.to_owned()],
                accounts: Some(self.accounts),
                seed: self.seed,
                amplify,
                scale: self.scale,
                // The stores that are compared hold no code.
                without_code: true,
                blocks: Some(self.blocks),
                warm_up: self.warm_up,
                threads: self.threads,
                cache_size: self.cache_size,
                drop_caches: self.drop_caches,
                no_overlap: self.no_overlap,
                cache: self.cache.clone(),
                keep_store: self.keep_store,
                out,
                check_roots,
                ..RunConfig::default()
            },
            quiet: self.quiet,
        }
    }
}

impl Task {
    /// Runs it in this process.
    pub(super) fn run(self, stop: &AtomicBool) -> eyre::Result<ExitCode> {
        let Self { config, quiet } = self;
        let name = config.design.first().ok_or_eyre("no store is named")?;
        let workload = Workload::open(&config)?;
        let candidate = candidate(name, &config, &workload)?;
        let progress: Box<dyn Progress> = match quiet {
            true => Box::new(Silent),
            false => Box::new(LogLines::of(name)),
        };
        let outcomes = run_on(&config, &workload, &[candidate], false, &*progress, stop)?;
        let interrupted =
            |it: &thinstate_replay::replay::Outcome| it.result.status == RunStatus::Interrupted;
        Ok(match outcomes.iter().any(interrupted) {
            true => ExitCode::from(INTERRUPTED),
            false => ExitCode::SUCCESS,
        })
    }
}

/// The store of this name, or the design of thinstate's.
fn candidate(
    name: &str,
    config: &RunConfig,
    workload: &Workload,
) -> eyre::Result<Candidate<'static>> {
    if let Some(store) = stores::named(name) {
        let population = workload.population();
        let filled = population.map_or(0, |it| it.accounts() + it.slots());
        // Some room for what blocks add: 160 entries a block on mainnet.
        let added = config.slots().unwrap_or_default() * u64::from(config.scale) * 200;
        return Ok(store.candidate(filled + added));
    }
    let spec = design::load(name).wrap_err_with(|| {
        let names: Vec<_> = stores::ALL.iter().map(|it| it.facts.name).collect();
        format!(
            "{name} is no store either; this build has {}",
            names.join(", ")
        )
    })?;
    Ok(Candidate::of(spec))
}

impl OneFlags {
    /// Runs it in this process.
    pub(super) fn run(&self, stop: &AtomicBool) -> eyre::Result<ExitCode> {
        let flags = &self.flags;
        let task = flags.task(&self.store, flags.out.clone(), self.check_roots.clone());
        let status = task.run(stop)?;
        let run = RecordedRun::open(&flags.out)?;
        writeln!(io::stdout(), "{}", table::of(&[run.result]))?;
        Ok(status)
    }
}

impl AllFlags {
    /// Runs all, one after the other, each in a process of its own.
    pub(super) fn run(&self, stop: &AtomicBool) -> eyre::Result<ExitCode> {
        let others = stores::ALL.iter().map(|it| it.facts.name);
        let names = OURS.iter().copied().chain(others);
        let (mut reference, mut runs) = (None, Vec::new());
        let status = children::each(names, stop, |name| {
            let dir = self.flags.out.join(name);
            let task = self.flags.task(name, dir.clone(), reference.clone());
            children::ask(&children::Task::Replay(Box::new(task)), None)?;
            let run = RecordedRun::open(&dir)?;
            if reference.is_none() && run.result.design.trie.is_some() {
                reference = Some(dir);
            }
            runs.push(run.result);
            Ok(())
        });
        writeln!(io::stdout(), "{}", table::of(&runs))?;
        Ok(status)
    }
}
