//! Era1 files from genesis, all in one store.

use super::{
    Options, WorkDir,
    output::{Output, Tally},
    store_options,
};
use crate::{
    cli::stdio::Out,
    exec::ChainSpec,
    source::{
        era1::Era1,
        genesis::{Genesis, MAINNET_GENESIS_HASH, MAINNET_GENESIS_ROOT},
    },
    verify::GenesisRun,
};
use alloy_consensus::Block;
use eyre::{WrapErr as _, bail, eyre};
use std::{io::Write as _, path::Path, process::ExitCode};
use thinstate_engine::{
    PermanentTier,
    leaf_store::{DiskOptions, DiskStore},
};

type Run<'a> = GenesisRun<'a, DiskStore>;

pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let genesis = options
        .genesis
        .as_ref()
        .ok_or_else(|| eyre!("--era1 needs --genesis"))?;
    let genesis = Genesis::load(genesis)?;
    let dir = WorkDir::new(options.datadir.as_ref())?;
    let leaves = DiskOptions {
        kind: options.store,
        ..DiskOptions::default()
    };
    let store = DiskStore::open(dir.path().join("store"), &leaves)?;
    let tier = PermanentTier::open(store, store_options(options))?;
    let fresh = tier.head().block.is_none();
    let mut run = GenesisRun::start(
        &tier,
        &genesis,
        MAINNET_GENESIS_HASH,
        MAINNET_GENESIS_ROOT,
        ChainSpec::mainnet(),
    )?;
    let root = tier.head().root;
    status!("block {}: state root {root}", run.head());
    let mut output = Output::new(options.quiet).without_lines();
    if fresh {
        output.genesis();
    }
    for file in &options.era1 {
        if let Err(error) = verify_file(&mut run, file, &mut output) {
            output.failure(file, error)?;
            break;
        }
    }
    let failed = usize::from(output.tally() == Tally::NotAll);
    output.summary(output.reached() + failed)?;
    let head = tier.head();
    writeln!(
        Out,
        "the store is at block {}, state root {}",
        run.head(),
        head.root
    )?;
    if let Some(path) = &options.json {
        output.write_json(path)?;
    }
    Ok(match output.tally() {
        Tally::AllHold => ExitCode::SUCCESS,
        Tally::NotAll => ExitCode::FAILURE,
    })
}

fn verify_file(run: &mut Run<'_>, file: &Path, output: &mut Output) -> eyre::Result<()> {
    let era1 = Era1::open(file)?;
    let head = run.head().0;
    if era1.start_block() > head + 1 {
        bail!(
            "it begins with block {}, but the store is at block {head}",
            era1.start_block()
        );
    }
    for block in era1.blocks() {
        let block = block.wrap_err("the file is damaged")?;
        let hash = block.hash;
        if block.header.number == 0 {
            if hash != MAINNET_GENESIS_HASH {
                bail!("block 0 is {hash}, expected mainnet's {MAINNET_GENESIS_HASH}");
            }
            continue;
        }
        let block = Block::new(block.header, block.body);
        if let Some(report) = run.next(&block, hash)? {
            output.block(report)?;
        }
    }
    Ok(())
}
