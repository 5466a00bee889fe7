//! Profiles: what blocks touch, as distributions, from which [`generate`](crate::generate) draws.
//!
//! | file | what |
//! |---|---|
//! | [`Profile`] | the numbers, read from TOML; every key has to be there and no other |
//! | [`Spread`] | how a count is spread over blocks: a mean, and quantiles that give the shape |
//! | [`Observer`] | the same numbers, measured on any blocks: generated, or of a trace |
//! | [`fit()`] | a profile from what a trace shows; what it cannot show comes from another profile |
//! | [`Comparison`] | mainnet's numbers, the profile's and the generated blocks' beside one another |
//!
//! # Time and size
//!
//! Mainnet's locality and popularity are counted over days of a state of 379.6 M accounts. A smaller state
//! that took as many blocks a day would be rewritten in a week, so time shrinks with it: a *day* of a state
//! of `n` accounts is `7200 * n / 379.6 M` blocks, at least one ([`blocks_per_day`]). The share of the state
//! that a day's blocks touch is then mainnet's, and so is what is measured over a window of days. Sizes of the
//! whole state are compared at the same scale: a state stands for `7200 / blocks per day` times as much.

mod check;
mod compare;
mod disk;
mod error;
mod fit;
mod observe;
mod population;
mod spec;
mod spread;
mod targets;
mod thousandfold;
mod window;

#[cfg(test)]
mod tests;

pub use compare::{CheckOptions, Comparison, Row, check_profile};
pub use error::ProfileError;
pub use fit::{Fitted, fit};
pub use observe::{Ages, Observed, Observer};
pub use spec::{
    AccountHabits, BlockShape, ClassShares, CodeHabits, ContractHabits, HotSet, Locality, Profile,
    SlotHabits,
};
pub use spread::Spread;
pub use window::TopShare;

/// Days over which locality is counted.
pub const DAYS: [u32; 5] = [1, 7, 30, 90, 365];
/// Accounts of mainnet's state at block 24,870,000 (weiihann/xatu-analysis).
pub const MAINNET_ACCOUNTS: u64 = 379_632_901;
/// Blocks of 12 s in a day.
pub const MAINNET_BLOCKS_PER_DAY: u64 = 7_200;

/// Blocks in a day of a state of this many accounts: see the module's documentation.
pub fn blocks_per_day(accounts: u64) -> f64 {
    let share = accounts as f64 / MAINNET_ACCOUNTS as f64;
    (MAINNET_BLOCKS_PER_DAY as f64 * share).max(1.0)
}
