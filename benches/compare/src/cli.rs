//! The command line.

use clap::{Args, Parser, Subcommand, ValueHint};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use eyre::{OptionExt as _, WrapErr as _};
use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::{Child, Command as Process, ExitCode, Stdio, exit},
    sync::Arc,
};
use thinstate_compare::{LogLines, stores, table};
use thinstate_replay::{
    amplify::Method,
    design,
    measure::{RecordedRun, RunStatus},
    replay::{ByteSize, Candidate, Progress, RunConfig, Silent, Workload, run_on},
};

/// The exit status of what was interrupted.
const INTERRUPTED: u8 = 130;
/// The designs of thinstate's own that `all` runs, the first of which computes the roots that others must have.
const OURS: &[&str] = &["mpt", "flat-lthash"];

/// Replays thinstate's workloads on other stores.
#[derive(Debug, Parser)]
#[command(name = "thinstate-compare", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the stores of this build, and what each does and does not.
    List,
    /// Run one store, and leave a result as `thinstate replay run` does.
    Run {
        /// A store of `list`, or a design of thinstate's.
        #[arg(long, value_name = "NAME")]
        store: String,
        /// An earlier run, with whose state roots these have to agree, where
        /// the store has Ethereum's.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        check_roots: Option<PathBuf>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Run mpt, flat-lthash and every store on one workload, and print a table.
    ///
    /// Each gets a process of its own, so that its memory is its own, and a
    /// folder of its own under --out. State roots are compared with mpt's.
    #[command(after_help = "\
Exit status: 0 all have run, 1 one has failed (the others are run all the same),
130 interrupted.")]
    All {
        #[command(flatten)]
        flags: Flags,
    },
    /// Run what standard input says: a process of `all`.
    #[command(hide = true)]
    Child,
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
struct Task {
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

impl Cli {
    pub(crate) fn run(self) -> eyre::Result<ExitCode> {
        match self.command {
            Command::List => list(),
            Command::Run {
                store,
                check_roots,
                flags,
            } => {
                let task = flags.task(&store, flags.out.clone(), check_roots);
                let stop = stop_on_ctrl_c()?;
                let dir = task.config.out.clone();
                let status = task.run(&stop)?;
                let run = RecordedRun::open(&dir)?;
                writeln!(io::stdout(), "{}", table::of(&[run.result]))?;
                Ok(status)
            }
            Command::All { flags } => all(&flags),
            Command::Child => {
                let task: Task = serde_json::from_reader(io::stdin().lock())?;
                task.run(&*stop_on_ctrl_c()?)
            }
        }
    }
}

impl Task {
    /// Runs it in this process.
    fn run(self, stop: &AtomicBool) -> eyre::Result<ExitCode> {
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

fn list() -> eyre::Result<ExitCode> {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["store", "what", "root", "durable when a block is committed"]);
    for store in stores::ALL {
        let facts = store.facts;
        table.add_row([facts.name, facts.summary, facts.root, facts.durability]);
    }
    writeln!(io::stdout(), "{table}")?;
    Ok(ExitCode::SUCCESS)
}

/// Runs all, one after the other, each in a process of its own.
fn all(flags: &Flags) -> eyre::Result<ExitCode> {
    let stop = stop_on_ctrl_c()?;
    let others = stores::ALL.iter().map(|it| it.facts.name);
    let mut reference = None;
    let (mut runs, mut failed) = (Vec::new(), false);
    for name in OURS.iter().copied().chain(others) {
        if stop.load(SeqCst) {
            break;
        }
        let dir = flags.out.join(name);
        let task = flags.task(name, dir.clone(), reference.clone());
        let status = start(&task)?.wait()?;
        if !status.success() {
            eprintln!("{name}: failed ({status})");
            failed = true;
            continue;
        }
        let run = RecordedRun::open(&dir)?;
        reference = reference.or_else(|| run.result.design.trie.as_ref().map(|_| dir));
        runs.push(run.result);
    }
    writeln!(io::stdout(), "{}", table::of(&runs))?;
    Ok(match (stop.load(SeqCst), failed) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Starts a process for a task, and tells it which.
fn start(task: &Task) -> eyre::Result<Child> {
    let program = std::env::current_exe().wrap_err("cannot tell which program this is")?;
    let mut child = Process::new(program)
        .arg("child")
        .stdin(Stdio::piped())
        .spawn()
        .wrap_err("cannot start a process for a store")?;
    let stdin = child.stdin.take().ok_or_eyre("it has no standard input")?;
    serde_json::to_writer(stdin, task).wrap_err("cannot tell a process what to do")?;
    Ok(child)
}

/// A flag that the first Ctrl-C sets; the second ends the process.
fn stop_on_ctrl_c() -> eyre::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, SeqCst) {
            exit(INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(handler).wrap_err("cannot listen for Ctrl-C")?;
    Ok(stop)
}
