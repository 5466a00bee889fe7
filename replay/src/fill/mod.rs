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
//! See the report of `thinstate store init`. Memory: 16 bytes for each account, and what
//! [`PermanentTier::bulk_build`] takes; with 50 M accounts of mainnet's shape (204 M slots) under 8 GB, and
//! about 17 GB of disk.
//!
//! A fill that is killed leaves a store that refuses to open, and says what to do.

pub mod cache;
mod error;
mod order;
mod parts;

pub use error::FillError;

use crate::{design::FillContext, population::Population};
use alloy_primitives::keccak256;
use order::Order;
use parts::Parts;
use thinstate_engine::{
    BlockId, BulkProgress, BulkReport, BulkSource, PermanentTier, Store, leaf_store::LeafStore,
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
    let source = source(population, &order, keep, context);
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
    let source = source(population, &order, keep, context);
    let progress = |done: BulkProgress| tell(context, population, done);
    let report = store.bulk_build_permanent(block_id(context.block), source, &progress)?;
    store.permanent().flush()?;
    Ok(report)
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

fn source<'a>(
    population: &'a Population,
    order: &'a Order,
    keep: &'a Keep<'a>,
    context: &FillContext<'_>,
) -> BulkSource<
    impl IntoIterator<Item = (alloy_primitives::B256, alloy_primitives::Bytes)> + use<'a>,
    Parts<'a>,
> {
    BulkSource {
        codes: population.codes(),
        parts: Parts::new(population, order, keep, context.block),
    }
}

fn tell(context: &FillContext<'_>, population: &Population, done: BulkProgress) {
    (context.progress)("accounts filled", done.accounts, population.accounts());
}

#[cfg(test)]
mod tests;
