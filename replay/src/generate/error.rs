//! Why there is nothing to generate from.

use crate::profile::ProfileError;

/// No generator can be made.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// The profile contradicts itself. Correct it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The population is too small for blocks to find anything in it. Give it more accounts.
    #[error("expected a population with at least {least} {what}, got {got}")]
    Population {
        /// What there is too little of.
        what: &'static str,
        /// The least.
        least: u64,
        /// What there is.
        got: u64,
    },
}
