//! Blocks drawn over a population, calibrated by a profile.
//!
//! A [`Generator`] yields [`BlockLoad`](crate::load::BlockLoad)s whose `before` is exactly what a store holds
//! that was filled with the population and then given all earlier ones. There are no transactions behind them:
//! what a state backend sees is drawn directly, so that the shares, the locality and the popularity of a
//! [`Profile`](crate::profile::Profile) can be met one by one. [`to_trace`] spreads the accesses over
//! transactions for those who want a trace.
//!
//! # How a key is chosen
//!
//! | access | from | share |
//! |---|---|---|
//! | update | the hot set of what is written again and again | `hot-updates` |
//! | | what was written within a window of days, in the run or before it | so that `locality` comes out |
//! | create | numbers that the contract has not given out yet | |
//! | | hot slots that a delete emptied | `hot-cycles` of the deletes |
//! | delete | the hot set; what came to be within 30 days; any | `hot-cycles`, `young-deletes`, the rest |
//! | read, found | the hot set of what is read; any slot of a hub | `hot-reads` |
//! | read, absent | the hot set of absent slots; one that nobody asked for before | `hot-absent-reads` |
//!
//! Slots are those of *hubs*, the contracts with the most slots, but for a few; a contract whose slots are
//! touched is an account that is read. Classes are drawn first and a slot of the class is looked for, so that
//! the profile's shares come out whatever the population's are. A class that no hub has becomes plain slots.
//!
//! What token balances lose and gain in a contract is made to add up, block by block ([`ClassShares::minted`]
//! of the contracts excepted, and those of which one balance alone is written): there are payers and payees.
//! NFTs pass to another account of the population.
//!
//! [`ClassShares::minted`]: crate::profile::ClassShares::minted
//!
//! # Amplification
//!
//! [`Generator::next_merged`] draws `m` blocks one after the other and gives their net accesses.
//! [`Generator::next_cloned`] draws one block and has `m` groups of users carry it out: the first touches what
//! [`Generator::next_block`] would, hot keys and contracts are shared, and for every other key each further group has
//! one of its own: of the same contracts, class and age, to which the same is done. There are `m` times as many of
//! them, unless the population has too few (see `docs/amplification.md`). [`Generator::next_mixed`] does both.
//!
//! # Determinism and cost
//!
//! Everything follows from profile, population, seed and the sequence of calls. Memory: about 90 bytes for each
//! slot and 110 for each account that was written, and 16 bytes for each write that is remembered to be hit
//! again, of which there are at most 2^22 of each kind. Reads leave nothing behind.

mod accounts;
mod code;
mod draft;
mod error;
mod generator;
mod hot;
mod hubs;
mod log;
mod merge;
mod slots;
mod state;
mod tokens;
mod trace;

#[cfg(test)]
mod tests;

pub use error::GenerateError;
pub use generator::Generator;
pub use trace::to_trace;
