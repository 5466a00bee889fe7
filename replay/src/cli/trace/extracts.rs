//! Blocks of Parquet extracts.

use super::{ExtractOptions, work::Work};
use crate::source::{
    known::KnownState,
    parquet::{Extract, find},
};
use eyre::WrapErr as _;
use std::path::PathBuf;
use thinstate_formats::{BlockNumber, trace::TraceHeader};

/// The blocks of the files, all of which are read first.
pub(super) fn work(
    options: &ExtractOptions,
    chain_id: u64,
    block_folder: Option<PathBuf>,
) -> eyre::Result<Work<'static>> {
    let extract = Extract::read(&find(&options.parquet)?, chain_id)?;
    let numbers: Vec<BlockNumber> = extract.numbers().collect();
    let mut known = KnownState::new();
    let blocks = numbers.len();
    let items = numbers.into_iter().map(move |number| {
        let trace = extract.trace(number, block_folder.as_deref(), &mut known);
        let trace = trace.wrap_err_with(|| format!("block {number}"))?;
        Ok(trace.into())
    });
    Ok(Work {
        header: TraceHeader::new(chain_id).with_values_assumed(true),
        blocks,
        items: Box::new(items),
    })
}
