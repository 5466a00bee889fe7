//! What a collateralised debt position holds.

/// Collateral, and the debt that it secures. Without either there is no position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    collateral: u128,
    debt: u128,
}

/// A position's collateral does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("collateral {got} is too large, expected less than 2^120")]
pub struct CollateralTooLarge {
    /// The collateral.
    pub got: u128,
}

impl Position {
    /// The largest collateral: one byte less than a half of a word, so that its first byte is free.
    pub const MAX_COLLATERAL: u128 = u128::MAX >> 8;

    /// A position of these.
    pub const fn new(collateral: u128, debt: u128) -> Result<Self, CollateralTooLarge> {
        if collateral > Self::MAX_COLLATERAL {
            return Err(CollateralTooLarge { got: collateral });
        }
        Ok(Self { collateral, debt })
    }

    /// What secures the debt.
    pub const fn collateral(self) -> u128 {
        self.collateral
    }

    /// What is owed.
    pub const fn debt(self) -> u128 {
        self.debt
    }

    /// Whether it holds neither.
    pub const fn is_empty(self) -> bool {
        self.collateral == 0 && self.debt == 0
    }
}
