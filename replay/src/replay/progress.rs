//! Being told how far a replay has come.

use crate::measure::BlockCost;

/// A block that was done, among those that there are.
#[derive(Clone, Copy, Debug)]
pub struct BlockProgress<'a> {
    /// What it cost.
    pub cost: &'a BlockCost,
    /// Blocks done, those of the warm-up included.
    pub done: u64,
    /// Blocks in all; `None` where the workload does not say.
    pub of: Option<u64>,
    /// Slots that have arrived and wait, in an open loop.
    pub backlog: u64,
    /// Seconds since the first of these blocks.
    pub elapsed_s: f64,
}

/// Is told how far a replay has come.
pub trait Progress: Sync {
    /// Something other than blocks is done: what, how many of how many.
    fn stage(&self, what: &str, done: u64, of: u64);

    /// A block was done.
    fn block(&self, block: &BlockProgress<'_>);

    /// Something that the user should know.
    fn note(&self, text: &str);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: &str, _: u64, _: u64) {}
    fn block(&self, _: &BlockProgress<'_>) {}
    fn note(&self, _: &str) {}
}
