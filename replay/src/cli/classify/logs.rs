//! The logs of a trace's blocks: their witnesses are executed, and checked, for them.

use crate::{
    classify::BlockLogs,
    exec::ChainSpec,
    source::witness,
    trace::{TraceReader, record_witness},
};
use eyre::{WrapErr as _, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use thinstate_engine::Options as StoreOptions;
use thinstate_formats::BlockNumber;

/// Logs by block.
pub(super) type Logs = BTreeMap<BlockNumber, BlockLogs>;

/// The logs of those of the trace's blocks whose witness is found under the paths.
pub(super) fn of_trace(trace: &TraceReader, paths: &[PathBuf]) -> eyre::Result<Logs> {
    let spec = ChainSpec::mainnet();
    let got = trace.header().chain_id;
    if !paths.is_empty() && got != spec.chain_id() {
        bail!(
            "the trace is of chain {got}, and blocks are executed by the rules of chain {}",
            spec.chain_id()
        );
    }
    let wanted: BTreeSet<_> = trace.numbers().collect();
    let mut logs = Logs::new();
    for path in paths {
        for file in witness::find(path).wrap_err("no witness files")? {
            if named(&file).is_some_and(|number| !wanted.contains(&number)) {
                continue;
            }
            let witness = witness::read(&file)?;
            let number = witness.number();
            if !wanted.contains(&number) || logs.contains_key(&number) {
                continue;
            }
            let dir = tempfile::Builder::new()
                .prefix("thinstate-classify-")
                .tempdir()?;
            let recorded = record_witness(dir.path(), &witness, &spec, StoreOptions::default())
                .wrap_err_with(|| format!("block {number} ({})", file.display()))?;
            dir.close()?;
            logs.insert(number, BlockLogs::from_receipts(&recorded.outcome.receipts));
        }
    }
    Ok(logs)
}

/// The number in a file's name, where there is one.
fn named(path: &Path) -> Option<BlockNumber> {
    let name = path.file_name()?.to_str()?;
    let number = name.split('.').next()?.parse().ok()?;
    Some(BlockNumber(number))
}
