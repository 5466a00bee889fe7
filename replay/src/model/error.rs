//! Why there is no model.

/// A model cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Too few runs: measure more multiples, or another state size.
    #[error("{design}: expected at least {expected} runs to fit a model to, got {got}")]
    TooFew {
        /// The design.
        design: String,
        /// Runs that are needed.
        expected: usize,
        /// Runs that are there.
        got: usize,
    },
    /// The runs do not determine the model: they are all of one multiple.
    #[error("{design}: {quantity} cannot be fitted: all runs have the same gas multiple")]
    Degenerate {
        /// The design.
        design: String,
        /// What was fitted.
        quantity: &'static str,
    },
}
