//! What a population may not be made from.

/// A spec contradicts itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PopulationError {
    /// Something is no share of a whole.
    #[error("{name}: expected 0 to 1 in all, got {got}")]
    Share {
        /// Of what.
        name: &'static str,
        /// What it is, or what its parts add up to.
        got: f64,
    },
    /// Sizes of contracts cannot be drawn.
    #[error(
        "expected size-exponent above 1, size-offset above 0 and slots-per-account from 0 to 10^6, got {exponent}, {offset} and {slots_per_account}"
    )]
    Sizes {
        /// The exponent.
        exponent: f64,
        /// The offset.
        offset: f64,
        /// Slots.
        slots_per_account: f64,
    },
}
