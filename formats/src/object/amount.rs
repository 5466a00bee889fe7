//! What a balance counts.

use alloy_primitives::U256;
use core::fmt;

/// An amount: below 2^248, so that a word has a byte left to say that there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(U256);

/// An amount does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("amount {got} is too large, expected less than 2^248")]
pub struct AmountTooLarge {
    /// The number.
    pub got: U256,
}

impl Amount {
    /// None.
    pub const ZERO: Self = Self(U256::ZERO);
    /// Bytes of the largest one.
    pub const BYTES: usize = 31;
    /// The largest one.
    pub const MAX: Self = Self(U256::from_limbs([
        u64::MAX,
        u64::MAX,
        u64::MAX,
        u64::MAX >> 8,
    ]));

    /// The amount of this number.
    pub fn new(number: U256) -> Result<Self, AmountTooLarge> {
        if number > Self::MAX.0 {
            return Err(AmountTooLarge { got: number });
        }
        Ok(Self(number))
    }

    /// The number.
    pub const fn get(self) -> U256 {
        self.0
    }

    /// Whether it is none.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, `None` where it is no amount any more.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0.checked_add(other.0)?).ok()
    }

    /// The difference, `None` below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl From<u128> for Amount {
    fn from(number: u128) -> Self {
        Self(U256::from(number))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_amount_reaches_the_top_byte() {
        let limit = U256::from(1) << 248;
        assert_eq!(Amount::MAX.get(), limit - U256::from(1));
        assert_eq!(Amount::new(limit), Err(AmountTooLarge { got: limit }));
        assert_eq!(Amount::MAX.checked_add(Amount::from(1)), None);
        assert_eq!(Amount::ZERO.checked_sub(Amount::from(1)), None);
    }
}
