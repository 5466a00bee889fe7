//! What can be wrong with a profile, and with the accounts that a chain starts from.

use std::{io, path::PathBuf};
use thinstate_formats::BlockNumber;

/// A profile that cannot be used. All of them are for the profile's author to correct.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("{}: cannot read the profile: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or a key is missing, unknown or of the wrong type.
    #[error("not a profile: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A share, or the sum of shares that exclude each other, lies outside 0 to 1.
    #[error("shares.{key} is {got}, expected 0 to 1")]
    Share {
        /// The key, or the keys that are added.
        key: &'static str,
        /// Its value.
        got: f64,
    },
    /// An exponent of popularity lies outside 0 to 4.
    #[error("popularity.{key} is {got}, expected 0 to 4")]
    Exponent {
        /// The key.
        key: &'static str,
        /// Its value.
        got: f64,
    },
    /// A size or number is too small or too large.
    #[error("{key} is {got}, expected {min} to {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        got: u64,
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// The transactions of one block could use more gas than the block has.
    #[error(
        "the transactions of a block may need {needed} gas, expected at most chain.gas_limit, {limit}"
    )]
    GasLimit {
        /// The sum of the gas limits at the largest sizes.
        needed: u64,
        /// The block's limit.
        limit: u64,
    },
}

/// Accounts that cannot carry the chain. Start from more or richer ones, or lower the gas price.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// Too few accounts to start with.
    #[error("{got} funded accounts to send from, expected at least {expected}")]
    TooFewSenders {
        /// The number of accounts.
        got: usize,
        /// The number that the profile needs.
        expected: usize,
    },
    /// Nobody who could send the next transaction is able to pay for it.
    #[error("block {block}: no sender can pay {needed} wei")]
    OutOfFunds {
        /// The block that cannot be filled.
        block: BlockNumber,
        /// What the transaction may cost.
        needed: alloy_primitives::U256,
    },
}
