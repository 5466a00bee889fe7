//! `thinstate store init`.

use super::{
    describe_head,
    init_progress::Progress,
    object::wrong_arguments,
    print, print_json,
    table::{bytes, count, table},
};
use crate::{
    fill::{
        cache::Cache,
        folder::{FilledFolder, FolderFill},
    },
    population::{Population, PopulationSpec},
};
use eyre::WrapErr as _;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use thinstate_engine::leaf_store::StoreKind;
use thinstate_formats::BlockNumber;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Folder for the store: made, or empty, or left by an `init` that was interrupted: the
    /// same one goes on where it stopped.
    #[arg(long, value_name = "DIR")]
    datadir: PathBuf,
    /// Accounts, contracts among them.
    #[arg(long, value_name = "N", required_unless_present = "spec")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    accounts: Option<u64>,
    /// Slots for each account, on average (mainnet: 4.09).
    #[arg(long, value_name = "X")]
    slots_per_account: Option<f64>,
    /// Seed that everything is drawn from (else 1).
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Spec of the population, in TOML; the options above win over it.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Block that the state is of; ages count back from it.
    #[arg(long, value_name = "N", default_value_t = 24_870_000)]
    block: u64,
    /// The leaf store: `rocksdb` or `page`.
    #[arg(long, value_name = "STORE", default_value_t)]
    store: StoreKind,
    /// All tiers, with default rules, and not the permanent one alone.
    #[arg(long)]
    all_tiers: bool,
    /// Keep the store in a cache, and take it from there the next time.
    ///
    /// Without DIR the cache is $XDG_CACHE_HOME/thinstate/fill. RocksDB's table files are shared with it by hard
    /// links: on one file system they take no space while the store is as it was. Pages are copied.
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    cache: Option<Option<PathBuf>>,
    /// Accounts and slots after which an interrupted init can be gone on with.
    #[arg(long, value_name = "N", default_value_t = 1 << 22)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    step_entries: u64,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let spec = match options.spec() {
        Ok(spec) => spec,
        Err(error) => return Ok(wrong_arguments(&format!("{error:#}"))),
    };
    let population = match Population::new(spec) {
        Ok(population) => population,
        Err(error) => return Ok(wrong_arguments(&error)),
    };
    let cache = options.cache()?;
    if !options.quiet {
        status!(
            "{} accounts, {} of them contracts, {} slots in {} of them; seed {}",
            count(population.accounts()),
            count(population.contracts()),
            count(population.slots()),
            count(population.contracts_with_storage()),
            population.spec().seed,
        );
    }
    let progress = Progress::new(options.quiet);
    let fill = FolderFill {
        population: &population,
        block: BlockNumber(options.block),
        store: options.store,
        all_tiers: options.all_tiers,
        step_entries: options.step_entries,
        progress: &|what, done, all| progress.tell(what, done, all),
    };
    let filled = fill.run(&options.datadir, cache.as_ref())?;
    progress.finish();
    if options.json {
        print_json(&filled)?;
    } else {
        print(&describe(&filled))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn spec(&self) -> eyre::Result<PopulationSpec> {
        let mut spec = match &self.spec {
            None => PopulationSpec::default(),
            Some(path) => read_spec(path)?,
        };
        spec.accounts = self.accounts.unwrap_or(spec.accounts);
        spec.slots_per_account = self.slots_per_account.unwrap_or(spec.slots_per_account);
        spec.seed = self.seed.unwrap_or(spec.seed);
        Ok(spec)
    }

    fn cache(&self) -> eyre::Result<Option<Cache>> {
        let Some(folder) = &self.cache else {
            return Ok(None);
        };
        let folder = folder.clone().or_else(Cache::default_folder);
        let folder = folder
            .ok_or_else(|| eyre::eyre!("there is no home folder: give one with --cache DIR"))?;
        Ok(Some(Cache::new(folder)))
    }
}

fn read_spec(path: &Path) -> eyre::Result<PopulationSpec> {
    let text =
        fs::read_to_string(path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).wrap_err_with(|| format!("{} is no population", path.display()))
}

fn describe(filled: &FilledFolder) -> String {
    let mut table = table(&["filled", "number"]);
    for (what, number) in [
        ("accounts", filled.head.accounts),
        ("slots", filled.head.slots),
        ("codes", filled.codes),
    ] {
        table.add_row([what.to_owned(), count(number)]);
    }
    if filled.accounts_kept > 0 {
        let kept = count(filled.accounts_kept);
        table.add_row(["accounts of an interrupted init".to_owned(), kept]);
    }
    table.add_row(["bytes in the folder".to_owned(), bytes(filled.folder_bytes)]);
    let entries = filled.head.accounts + filled.head.slots;
    let each = filled.folder_bytes as f64 / entries.max(1) as f64;
    table.add_row(["bytes for each entry".to_owned(), format!("{each:.1}")]);
    table.add_row(["seconds".to_owned(), format!("{:.1}", filled.seconds)]);
    let rate = filled.entries_per_second as u64;
    table.add_row(["entries a second".to_owned(), count(rate)]);
    if let Some(peak) = filled.peak_memory_bytes {
        table.add_row(["memory at its peak".to_owned(), bytes(peak)]);
    }
    let origin = match filled.cached {
        true => "The store comes from the cache; its root was computed anew from the leaves.\n",
        false => "",
    };
    format!("{}\n{table}\n{origin}", describe_head(&filled.tier_head))
}
