//! What a profile may not be.

use std::{io, path::PathBuf};

/// A profile that cannot be used, or not be made.
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
    /// The file is not TOML, or a key is missing, unknown or of the wrong type. Correct it.
    #[error("not a profile: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A share, or the sum of shares that exclude each other, lies outside 0 to 1. Correct it.
    #[error("{key} is {got}, expected 0 to 1")]
    Share {
        /// The key, or the keys that are added.
        key: &'static str,
        /// Its value.
        got: f64,
    },
    /// Shares that include one another do not ascend. Correct them.
    #[error("{key}: expected shares that do not descend, got {got} after {previous}")]
    Descending {
        /// The key.
        key: &'static str,
        /// The share before.
        previous: f64,
        /// The share in question.
        got: f64,
    },
    /// Something is above what it is a part of. Correct either.
    #[error("{part} has mean {got}, expected at most {whole}'s, {limit}")]
    Part {
        /// The part's key.
        part: &'static str,
        /// The part's mean.
        got: f64,
        /// The whole's key.
        whole: &'static str,
        /// The whole's mean.
        limit: f64,
    },
    /// Quantiles do not go from 0 to 1, descend, or are no numbers. Correct them.
    #[error("{key}: expected quantiles that ascend, from share 0 to share 1")]
    Quantiles {
        /// The key.
        key: &'static str,
    },
    /// The mean is far from the one that the quantiles make. Correct either.
    #[error("{key} has mean {mean}, expected one near the quantiles', {shape}")]
    Mean {
        /// The key.
        key: &'static str,
        /// The mean.
        mean: f64,
        /// The mean of the quantiles.
        shape: f64,
    },
    /// A number lies outside of what makes sense. Correct it.
    #[error("{key} is {got}, expected {min} to {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        got: f64,
        /// The least allowed.
        min: f64,
        /// The most allowed.
        max: f64,
    },
    /// There are no blocks to fit a profile to.
    #[error("expected at least one block to fit a profile to, got none")]
    NoBlocks,
}

/// Errors are compared in tests by what they say; two that cannot be read are never the same.
impl PartialEq for ProfileError {
    fn eq(&self, other: &Self) -> bool {
        !matches!(self, Self::Read { .. }) && self.to_string() == other.to_string()
    }
}
