//! Stores filled with a population, in bulk, and kept for later runs.
//!
//! [`permanent`] fills a permanent tier, [`layered`] a store of all tiers, with those slots of a
//! [`Population`] whose class the design keeps there:
//!
//! ```text
//! order   all accounts by hashed address              16 bytes of memory each
//! parts   their slots, hashed and sorted by contract   see thinstate_engine::PermanentTier::bulk_build
//! build   roots, table files, head
//! ```
//!
//! What is written follows from the population's spec and the block alone, so that a filled store can be kept:
//! [`cache`].
//!
//! # Cost
//!
//! Memory: 16 bytes for each account, and what [`PermanentTier::bulk_build`] takes. Disk: 65.5 bytes for each
//! account or slot of mainnet's shape in RocksDB (measured with 1 M accounts, 5.1 M entries), 61 in pages (50 M
//! accounts with 204 M slots: 15.4 GB). 50 M accounts come to 17 GB of RocksDB's files by that, and to 0.8 GB of memory for the order of accounts, at most 4 GB for parts
//! (the largest contract has 10.9 M slots) and 1 GB for interiors and filters. Codes take 9.5 KB for each of 0.0048 codes an
//! account, above the first 1,000: 2.3 GB for 50 M accounts. They do not compress.
//!
//! A fill that is killed leaves a store that refuses to open. Opened to be gone on with
//! ([`Options::resume_bulk`](thinstate_engine::Options::resume_bulk)) and filled with the same again it loses
//! at most a step of some millions of entries; [`folder`] and [`cache`] do so.

pub mod cache;
mod error;
pub mod folder;
mod order;
mod parts;

pub use error::FillError;

use crate::{design::FillContext, population::Population};
use alloy_primitives::{B256, Bytes, keccak256};
use cache::CacheKey;
use order::Order;
use parts::Parts;
use thinstate_engine::{
    BlockId, BulkPart, BulkProgress, BulkReport, BulkSource, PermanentTier, Store,
    leaf_store::LeafStore,
};
use thinstate_formats::{BlockNumber, object::ObjectClass};

/// Which classes of slots are filled into the permanent tier.
pub type Keep<'a> = dyn Fn(ObjectClass) -> bool + Sync + 'a;

/// The block that a filled store is at: no header is known, so its hash is made of its number.
pub fn block_id(number: BlockNumber) -> BlockId {
    BlockId {
        number,
        hash: keccak256(number.0.to_be_bytes()),
    }
}

/// Fills an empty permanent tier with all accounts of a population, its codes, and the slots whose class `keep`
/// keeps. The tier is then at [`block_id`] of the context's block, and its files are settled.
pub fn permanent<S: LeafStore>(
    tier: &PermanentTier<S>,
    population: &Population,
    keep: &Keep<'_>,
    context: &FillContext<'_>,
) -> Result<BulkReport, FillError> {
    let order = sorted(population, context)?;
    let source = source(tier, population, &order, keep, context)?;
    let progress = |done: BulkProgress| tell(context, population, done);
    let report = tier.bulk_build(block_id(context.block), source, &progress)?;
    tier.flush()?;
    Ok(report)
}

/// As [`permanent`], for a store of all tiers; the others are empty, and as if the block were their first.
pub fn layered<S: LeafStore>(
    store: &Store<S>,
    population: &Population,
    keep: &Keep<'_>,
    context: &FillContext<'_>,
) -> Result<BulkReport, FillError> {
    let order = sorted(population, context)?;
    let source = source(store.permanent(), population, &order, keep, context)?;
    let progress = |done: BulkProgress| tell(context, population, done);
    let report = store.bulk_build_permanent(block_id(context.block), source, &progress)?;
    store.permanent().flush()?;
    Ok(report)
}

/// Gives all parts of a population behind so many accounts to `each`, by ascending keys: for stores that are no
/// permanent tier.
pub fn each_part<E: From<FillError>>(
    population: &Population,
    keep: &Keep<'_>,
    context: &FillContext<'_>,
    behind: u64,
    each: impl FnMut(BulkPart) -> Result<(), E>,
) -> Result<(), E> {
    let order = sorted(population, context)?;
    let parts = Parts::new(population, &order, keep, context.block);
    parts.behind(behind).try_for_each(each)
}

fn sorted(population: &Population, context: &FillContext<'_>) -> Result<Order, FillError> {
    (context.progress)("accounts sorted", 0, population.accounts());
    let order = Order::of(population)?;
    (context.progress)(
        "accounts sorted",
        population.accounts(),
        population.accounts(),
    );
    Ok(order)
}

/// What is filled in, behind what an interrupted fill with the same has brought in.
fn source<'a, S: LeafStore>(
    tier: &PermanentTier<S>,
    population: &'a Population,
    order: &'a Order,
    keep: &'a Keep<'a>,
    context: &FillContext<'_>,
) -> Result<BulkSource<impl IntoIterator<Item = (B256, Bytes)> + use<'a, S>, Parts<'a>>, FillError>
{
    let id = source_id(population, keep);
    let done = tier.bulk_done(context.block, id)?;
    tell(context, population, done);
    Ok(BulkSource {
        id,
        codes: population.codes(),
        parts: Parts::new(population, order, keep, context.block).behind(done.accounts),
    })
}

/// Names what is filled in: a population, and those of its slots that are kept.
pub fn source_id(population: &Population, keep: &Keep<'_>) -> B256 {
    let kept: Vec<_> = ObjectClass::ALL
        .into_iter()
        .filter(|it| keep(*it))
        .collect();
    let key = CacheKey::new("fill").with_population(population);
    key.with("keep", &kept).hash()
}

fn tell(context: &FillContext<'_>, population: &Population, done: BulkProgress) {
    (context.progress)("accounts filled", done.accounts, population.accounts());
}

#[cfg(test)]
mod tests;
