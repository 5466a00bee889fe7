//! A chain from genesis, executed in one store.

use super::{
    ChainOptions,
    work::{Traced, Work},
};
use crate::{
    classify::BlockLogs,
    exec::ChainSpec,
    source::{
        era1::{Era1, Era1Block},
        genesis::{Genesis, MAINNET_GENESIS_HASH, MAINNET_GENESIS_ROOT},
    },
    trace::record_genesis,
    verify::GenesisRun,
};
use alloy_consensus::Block;
use eyre::{WrapErr as _, bail, ensure, eyre};
use std::path::{Path, PathBuf};
use thinstate_engine::{
    Options as StoreOptions, PermanentTier,
    leaf_store::{RocksOptions, RocksStore},
};
use thinstate_formats::trace::TraceHeader;

/// A chain that is executed, and the folder that holds its store meanwhile.
pub(super) struct Chain {
    genesis: Genesis,
    tier: PermanentTier<RocksStore>,
    files: Vec<PathBuf>,
    /// Dropped after the store in it.
    _dir: tempfile::TempDir,
}

impl Chain {
    /// Reads the genesis, and makes an empty store in a folder of its own.
    pub(super) fn open(
        options: &ChainOptions,
        work_dir: &Path,
        store: StoreOptions,
    ) -> eyre::Result<Self> {
        let genesis = options.genesis.as_ref();
        let genesis = genesis.ok_or_else(|| eyre!("--era1 needs --genesis"))?;
        let genesis = Genesis::load(genesis)?;
        let dir = tempfile::Builder::new()
            .prefix("thinstate-trace-")
            .tempdir_in(work_dir)?;
        let rocks = RocksStore::open(dir.path(), RocksOptions::default())?;
        Ok(Self {
            genesis,
            tier: PermanentTier::open(rocks, store)?,
            files: options.era1.clone(),
            _dir: dir,
        })
    }

    /// The blocks of the chain. The first error ends them.
    pub(super) fn work(&self) -> eyre::Result<Work<'_>> {
        let spec = ChainSpec::mainnet();
        let mut run = GenesisRun::start(
            &self.tier,
            &self.genesis,
            MAINNET_GENESIS_HASH,
            MAINNET_GENESIS_ROOT,
            spec,
        )?;
        let mut blocks = 0;
        for file in &self.files {
            let era1 = Era1::open(file)?;
            ensure!(
                era1.start_block() == blocks,
                "{}: it begins with block {}, expected {blocks}",
                file.display(),
                era1.start_block()
            );
            blocks += era1.block_count();
        }
        let items = self.files.iter().flat_map(blocks_of).map(move |block| {
            let block = block?;
            let number = block.header.number;
            let traced = self.next(&mut run, block);
            traced.wrap_err_with(|| format!("block {number}"))
        });
        Ok(Work {
            header: TraceHeader::new(ChainSpec::mainnet().chain_id()),
            blocks: usize::try_from(blocks).unwrap_or(usize::MAX),
            items: Box::new(items),
        })
    }

    fn next(&self, run: &mut GenesisRun<'_, RocksStore>, block: Era1Block) -> eyre::Result<Traced> {
        let hash = block.hash;
        if block.header.number == 0 {
            if hash != MAINNET_GENESIS_HASH {
                bail!("it is {hash}, expected mainnet's {MAINNET_GENESIS_HASH}");
            }
            let trace = record_genesis(&self.genesis, &block.header, hash);
            return Ok(Traced {
                code: self.genesis.changes.code.clone(),
                ..trace.into()
            });
        }
        let recorded = run.next_recorded(&Block::new(block.header, block.body), hash)?;
        ensure!(recorded.report.missing.is_none(), "the state lacks a node");
        Ok(Traced {
            code: recorded.code,
            logs: Some(BlockLogs::from_receipts(&recorded.receipts)),
            ..recorded.trace.into()
        })
    }
}

/// The blocks of a file, in order, while it is in memory.
fn blocks_of(path: &PathBuf) -> Box<dyn Iterator<Item = eyre::Result<Era1Block>> + '_> {
    let era1 = match Era1::open(path) {
        Ok(era1) => era1,
        Err(error) => return Box::new(std::iter::once(Err(error.into()))),
    };
    let numbers = era1.start_block()..=era1.last_block();
    // Links between blocks are checked by the execution: a block's parent has to be the store's head.
    Box::new(numbers.map(move |number| Ok(era1.block(number)?)))
}
