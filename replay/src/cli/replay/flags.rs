//! Flags of `replay`, which win over a file, which wins over defaults.

use crate::{
    amplify::{Gaps, Method},
    replay::{ByteSize, RunConfig},
};
use clap::ValueHint;
use eyre::WrapErr as _;
use std::path::PathBuf;
use thinstate_engine::leaf_store::StoreKind;

/// What is replayed on what, and how.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Flags {
    /// Settings as TOML, one key for each flag; `replay plan` prints them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Design of state, by name or file; several run one after the other, and
    /// those with the same trie have to agree on every root [default: mpt].
    #[arg(long, value_name = "NAME|FILE")]
    design: Vec<String>,
    /// Folder for results [default: out/replay].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Folder of filled stores, to be used again.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    cache: Option<PathBuf>,
    /// What the device can do: the file that `thinstate device -o` wrote, or the
    /// name of a profile. The result carries it.
    #[arg(long, value_name = "FILE|NAME")]
    device: Option<PathBuf>,
    /// Keep the store beside the results.
    #[arg(long)]
    keep_store: bool,
    #[command(flatten)]
    workload: WorkloadFlags,
    #[command(flatten)]
    amplify: AmplifyFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    pace: PaceFlags,
    #[command(flatten)]
    checks: CheckFlags,
    /// Note something in the result; may be given again.
    #[arg(short = 'm', value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
}

/// What is replayed.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Workload")]
struct WorkloadFlags {
    /// Profile of generated blocks, by name or file [default: mainnet-2026].
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "trace")]
    profile: Option<String>,
    /// Accounts that the store is filled with, 4.09 slots to each [default:
    /// 1000000; none for a trace].
    #[arg(long, value_name = "N")]
    accounts: Option<u64>,
    /// Seed of everything that is drawn [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Replay a trace instead.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
    /// Genesis state that the trace begins on: the state is whole, and every
    /// root is compared with the header's. A block 0 of the trace is left out.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    genesis: Option<PathBuf>,
    /// What becomes of blocks of a trace that do not find what the ones before
    /// left, since others lie between them [default: refuse].
    #[arg(long, value_enum)]
    gaps: Option<Gaps>,
    /// Slots that count [default: 200; all of a trace].
    #[arg(long, value_name = "N")]
    blocks: Option<u64>,
    /// Slots before them that do not [default: 10].
    #[arg(long, value_name = "N")]
    warm_up: Option<u64>,
}

/// How much a slot carries.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Amplification")]
struct AmplifyFlags {
    /// How a slot gets to carry several blocks' gas [default: none].
    #[arg(long, value_enum)]
    amplify: Option<Method>,
    /// How many blocks' gas a slot carries, 1 to 10000 [default: 1].
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: Option<u32>,
    /// Copies in a mixed slot, a divisor of the scale [default: the one nearest
    /// to its root].
    #[arg(long, value_name = "N")]
    copies: Option<u32>,
    /// Leave out what blocks read and deploy of code.
    #[arg(long)]
    without_code: bool,
}

/// What the store may take.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Store")]
struct StoreFlags {
    /// The leaf store, rocksdb or page [default: page].
    #[arg(long, value_name = "STORE")]
    store: Option<StoreKind>,
    /// Threads for reading and hashing [default: one for each core].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Memory of the store's cache [default: 512MiB].
    #[arg(long, value_name = "SIZE")]
    cache_size: Option<ByteSize>,
    /// Bypass the page cache.
    #[arg(long)]
    direct_io: bool,
    /// Drop the page cache before the first block: of the store's files, and
    /// of the machine where that is allowed. The result says which.
    #[arg(long)]
    drop_caches: bool,
}

/// In which rhythm.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Pace")]
struct PaceFlags {
    /// Slots arrive by the clock, whether or not the store keeps up; latency
    /// counts from the arrival.
    #[arg(long)]
    open_loop: bool,
    /// How much faster than in real time slots arrive [default: 1].
    #[arg(long, value_name = "X")]
    speed_up: Option<f64>,
    /// Seconds between slots [default: 12].
    #[arg(long, value_name = "SECONDS")]
    slot: Option<f64>,
    /// One stage after the other, where otherwise the reads of a block run
    /// while the block before is applied.
    #[arg(long)]
    no_overlap: bool,
    /// End the run once it is certain that the p99 of its slots takes longer than
    /// one lasts: its status is then `decided`.
    #[arg(long)]
    end_when_unfit: bool,
    /// Slots that are planned ahead, at most [default: 4].
    #[arg(long, value_name = "N")]
    plan_ahead: Option<usize>,
}

/// What is checked, and kept for later.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Checks")]
struct CheckFlags {
    /// An earlier run of the same workload, with whose state roots these have
    /// to agree if its design has the same trie.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    check_roots: Option<PathBuf>,
    /// Run twice and tell how far the two lie apart: the noise floor.
    #[arg(long)]
    self_check: bool,
    /// Make everything durable after each N slots (at most 128), so that the run
    /// can be gone on with (--resume).
    #[arg(long, value_name = "N")]
    checkpoint: Option<u64>,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Sets what was given.
fn set<T: Clone>(setting: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        setting.clone_from(given);
    }
}

/// The same of settings that need not be there.
fn set_some<T: Clone>(setting: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        setting.clone_from(given);
    }
}

impl Flags {
    /// The settings: those of the file with what the flags say, checked.
    pub(super) fn resolve(&self) -> eyre::Result<RunConfig> {
        let mut config = match &self.config {
            None => RunConfig::default(),
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
                toml::from_str(&text).wrap_err_with(|| path.display().to_string())?
            }
        };
        if !self.design.is_empty() {
            config.design.clone_from(&self.design);
        }
        set(&mut config.out, &self.out);
        set_some(&mut config.cache, &self.cache);
        set_some(&mut config.device, &self.device);
        config.keep_store |= self.keep_store;
        config.label.extend(self.label.iter().cloned());
        self.workload.apply(&mut config);
        self.amplify.apply(&mut config);
        self.store.apply(&mut config);
        self.pace.apply(&mut config);
        self.checks.apply(&mut config);
        config.check()?;
        Ok(config)
    }
}

impl WorkloadFlags {
    fn apply(&self, config: &mut RunConfig) {
        set(&mut config.profile, &self.profile);
        set_some(&mut config.accounts, &self.accounts);
        set(&mut config.seed, &self.seed);
        set_some(&mut config.trace, &self.trace);
        set_some(&mut config.genesis, &self.genesis);
        set(&mut config.gaps, &self.gaps);
        set_some(&mut config.blocks, &self.blocks);
        set(&mut config.warm_up, &self.warm_up);
    }
}

impl AmplifyFlags {
    fn apply(&self, config: &mut RunConfig) {
        set(&mut config.amplify, &self.amplify);
        set(&mut config.scale, &self.scale);
        set_some(&mut config.copies, &self.copies);
        config.without_code |= self.without_code;
    }
}

impl StoreFlags {
    fn apply(&self, config: &mut RunConfig) {
        set(&mut config.store, &self.store);
        set_some(&mut config.threads, &self.threads);
        set(&mut config.cache_size, &self.cache_size);
        config.direct_io |= self.direct_io;
        config.drop_caches |= self.drop_caches;
    }
}

impl PaceFlags {
    fn apply(&self, config: &mut RunConfig) {
        config.open_loop |= self.open_loop;
        set(&mut config.speed_up, &self.speed_up);
        set(&mut config.slot, &self.slot);
        config.end_when_unfit |= self.end_when_unfit;
        config.no_overlap |= self.no_overlap;
        set(&mut config.plan_ahead, &self.plan_ahead);
    }
}

impl CheckFlags {
    fn apply(&self, config: &mut RunConfig) {
        set_some(&mut config.check_roots, &self.check_roots);
        config.self_check |= self.self_check;
        set_some(&mut config.checkpoint, &self.checkpoint);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use clap::{Args as _, FromArgMatches as _};

    fn resolve(args: &[&str]) -> eyre::Result<RunConfig> {
        let command = Flags::augment_args(clap::Command::new("run"));
        let matches = command.try_get_matches_from([&["run"], args].concat())?;
        Flags::from_arg_matches(&matches)?.resolve()
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.toml");
        std::fs::write(&path, "seed = 5\nwarm-up = 3\ndesign = ['a', 'b']\n").unwrap();
        let path = path.to_str().unwrap();
        let config = resolve(&["--config", path, "--seed", "7", "-m", "host=x"]).unwrap();
        let expected = RunConfig {
            seed: 7,
            warm_up: 3,
            design: vec!["a".to_owned(), "b".to_owned()],
            label: [("host".to_owned(), "x".to_owned())].into(),
            ..RunConfig::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn every_setting_has_a_flag() {
        let args = "--design d --profile p --accounts 2 --seed 3 --gaps bridge --amplify mixed \
            --scale 12 --copies 6 --without-code --blocks 4 --warm-up 5 --threads 6 --store rocksdb --cache-size 7MiB \
            --direct-io --drop-caches --no-overlap --plan-ahead 8 --open-loop --speed-up 9 --slot 10 --end-when-unfit --out o \
            --keep-store --cache c --device d --check-roots r --self-check";
        let config = resolve(&args.split_whitespace().collect::<Vec<_>>()).unwrap();
        let default = RunConfig::default().to_value();
        let value = config.to_value();
        for (name, value) in value.as_object().unwrap() {
            assert_ne!(default.get(name), Some(value), "{name}");
        }
        let more = ["--trace", "t", "--genesis", "g", "--checkpoint", "9"];
        let config = resolve(&more).unwrap();
        assert_eq!(config.trace.as_deref(), Some("t".as_ref()));
        assert_eq!(config.genesis.as_deref(), Some("g".as_ref()));
        assert_eq!(config.checkpoint, Some(9));
    }

    #[test]
    fn nothing_that_contradicts_itself_is_resolved() {
        for args in [
            &["--scale", "3"][..],
            &["--scale", "10001", "--amplify", "merge"],
            &["--trace", "t", "--profile", "p"],
            &["-m", "nothing"],
            &["--cache-size", "many"],
            &["--config", "/nowhere/run.toml"],
        ] {
            assert!(resolve(args).is_err(), "{args:?}");
        }
    }
}
