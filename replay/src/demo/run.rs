//! The whole demo: genesis, blocks, checks, files.

use super::{
    chain::Chain,
    costs::BlockCosts,
    error::DemoError,
    generate::Profile,
    out_dir::OutDir,
    result::{
        BlockTotals, BlocksCsv, ConfigRecord, DemoResult, GenesisRecord, ProcessUse, Program,
        SCHEMA, StateRecord, Status,
    },
    summary::Summary,
};
use crate::{
    measure::{
        Machine,
        probes::{self, ProcessProbe},
    },
    source::genesis::Genesis,
};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{
    path::PathBuf,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use thinstate_engine::{
    Options,
    leaf_store::{DiskOptions, StoreKind},
};

/// What a demo is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Mainnet's genesis, see [`Genesis::load`].
    pub genesis: PathBuf,
    /// What the blocks are made of, see [`Profile::load`].
    pub profile: PathBuf,
    /// Blocks after those of the setup, instead of the profile's.
    pub blocks: Option<u64>,
    /// The seed, instead of the profile's.
    pub seed: Option<u64>,
    /// The leaf store.
    pub store: StoreKind,
    /// Where the results go.
    pub out: PathBuf,
}

/// Is told how far a demo has come.
pub trait Progress {
    /// Another part begins.
    fn stage(&mut self, name: &'static str);

    /// There are this many blocks to come that count.
    fn expect_blocks(&mut self, blocks: u64);

    /// A block was committed and its root confirmed.
    fn block(&mut self, costs: &BlockCosts);
}

/// Runs the demo; once `stop` is set it ends after the block at hand.
///
/// `blocks.csv` and `result.json` are written whatever the outcome, except where the profile cannot
/// be used, or the folder for them: then there is an error alone.
pub fn run(
    config: &Config,
    progress: &mut dyn Progress,
    stop: &AtomicBool,
) -> Result<DemoResult, DemoError> {
    let mut profile = Profile::load(&config.profile)?;
    profile.blocks = config.blocks.unwrap_or(profile.blocks);
    profile.seed = config.seed.unwrap_or(profile.seed);
    let out = OutDir::create(&config.out)?;
    let mut run = Run {
        started: Instant::now(),
        process: ProcessProbe::open().now(),
        csv: BlocksCsv::create(&out.blocks_csv())?,
        summary: Summary::default(),
        result: blank_result(config, &profile),
        out,
        progress,
    };
    let outcome = run.all(config, profile, stop);
    run.conclude(outcome)
}

/// A demo under way.
struct Run<'a> {
    started: Instant,
    process: probes::ProcessUse,
    out: OutDir,
    csv: BlocksCsv,
    summary: Summary,
    result: DemoResult,
    progress: &'a mut dyn Progress,
}

impl Run<'_> {
    fn all(
        &mut self,
        config: &Config,
        profile: Profile,
        stop: &AtomicBool,
    ) -> Result<Status, DemoError> {
        let planned = profile.blocks;
        let mut chain = self.begin(config, profile)?;
        self.progress.stage("blocks");
        self.progress.expect_blocks(planned);
        let completed = self.blocks(&mut chain, stop)?;
        let status = if completed {
            self.progress.stage("final checks");
            let (reopened, checks) = chain.finish()?;
            chain = reopened;
            self.result.checks = Some(checks.into());
            Status::Completed
        } else {
            Status::Interrupted
        };
        self.result.state = Some(StateRecord::of(&chain)?);
        Ok(status)
    }

    fn begin(&mut self, config: &Config, profile: Profile) -> Result<Chain, DemoError> {
        self.progress.stage("genesis");
        let started = Instant::now();
        let genesis = Genesis::load(&config.genesis)?;
        let leaves = DiskOptions::of(config.store);
        let chain = Chain::new(
            &self.out.store(),
            &leaves,
            Options::default(),
            genesis,
            profile,
        )?;
        let head = chain.tier().head();
        self.result.genesis = Some(GenesisRecord {
            accounts: head.accounts,
            state_root: head.root,
            elapsed_s: started.elapsed().as_secs_f64(),
        });
        Ok(chain)
    }

    /// Whether all blocks were done.
    fn blocks(&mut self, chain: &mut Chain, stop: &AtomicBool) -> Result<bool, DemoError> {
        while !stop.load(Relaxed) {
            let Some(block) = chain.next_block() else {
                return Ok(true);
            };
            let costs = block?;
            self.summary.add(&costs);
            self.csv.add(&costs)?;
            self.progress.block(&costs);
        }
        Ok(false)
    }

    /// Writes the files: the rows first, the result last.
    fn conclude(mut self, outcome: Result<Status, DemoError>) -> Result<DemoResult, DemoError> {
        self.progress.stage("done");
        let result = &mut self.result;
        match &outcome {
            Ok(status) => result.status = *status,
            Err(error) => result.error = Some(chain_of(error)),
        }
        result.blocks = BlockTotals::of(&self.summary);
        if self.summary.blocks > 0 {
            result.per_block = self.summary.quantiles().map(|(_, q)| q).collect();
        }
        result.process = ProcessUse::since(&self.process);
        result.elapsed_s = self.started.elapsed().as_secs_f64();
        let mut json = serde_json::to_vec_pretty(&self.result)
            .expect("a result has no map with keys that JSON lacks");
        json.push(b'\n');
        let written = self
            .csv
            .finish()
            .and_then(|()| self.out.write_result(&json));
        // The first error is the one to tell.
        outcome?;
        written?;
        Ok(self.result)
    }
}

/// An error with its causes, in one line.
fn chain_of(error: &DemoError) -> String {
    let causes = std::iter::successors(core::error::Error::source(error), |e| e.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

fn blank_result(config: &Config, profile: &Profile) -> DemoResult {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let options = Options::default();
    let mut store: std::collections::BTreeMap<_, _> = DiskOptions::of(config.store)
        .describe()
        .into_iter()
        .collect();
    store.insert("bucket_entries_max", options.bucket_entries_max.to_string());
    store.insert("undo_blocks", options.undo_blocks.to_string());
    DemoResult {
        schema: SCHEMA,
        status: Status::Failed,
        error: None,
        started_unix_s: now.map_or(0, |time| time.as_secs()),
        elapsed_s: 0.0,
        program: Program::this(),
        machine: Machine::detect(&config.out),
        config: ConfigRecord {
            genesis: config.genesis.clone(),
            profile: config.profile.clone(),
            blocks: profile.blocks,
            seed: profile.seed,
            out: config.out.clone(),
            store,
        },
        genesis: None,
        blocks: BlockTotals::default(),
        per_block: Vec::new(),
        state: None,
        checks: None,
        process: ProcessUse::default(),
    }
}
