//! Blocks that are drawn over a population.

use super::{GenerateOptions, work::Work};
use crate::{
    generate::{Generator, to_trace},
    population::{Population, PopulationSpec},
    profile::Profile,
};
use eyre::eyre;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use thinstate_formats::{BlockNumber, trace::TraceHeader};

/// The name of the profile that needs no file.
const MAINNET: &str = "mainnet";

/// Blocks of the profile `from`, from the first one that is wanted to the last.
pub(super) fn work(
    options: &GenerateOptions,
    from: &str,
    chain_id: u64,
    wanted: Option<&BTreeSet<BlockNumber>>,
) -> eyre::Result<Work<'static>> {
    let wanted = wanted.ok_or_else(|| eyre!("--generate needs --blocks"))?;
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
        unreachable!("ranges name a block each");
    };
    let profile = if from == MAINNET {
        Profile::mainnet()
    } else {
        Profile::load(Path::new(from))?
    };
    let population = Population::new(PopulationSpec::of(options.accounts, options.seed))?;
    let mut generator = Generator::new(profile, Arc::new(population), options.seed, *first)?;
    let blocks = last.0 - first.0 + 1;
    let items = (0..blocks).map(move |_| Ok(to_trace(&generator.next_block()).into()));
    Ok(Work {
        header: TraceHeader::new(chain_id),
        blocks: usize::try_from(blocks).unwrap_or(usize::MAX),
        items: Box::new(items),
    })
}
