//! Values, and the word of 32 bytes that each of them is in the permanent and temporary tiers.

use super::{Amount, Position};
use alloy_primitives::{Address, B256, U256, b256};

/// The word that says that there is nothing, where zero would let an older value shine through.
pub const NOTHING: B256 =
    b256!("0x0100000000000000000000000000000000000000000000000000000000000000");

/// A word is no value of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("word {got} is no value: expected {expected}")]
pub struct WordError {
    /// The word.
    pub got: B256,
    /// What it may be.
    pub expected: &'static str,
}

/// A value that has a word, one for each.
pub trait ObjectValue: Copy + Eq + core::fmt::Debug {
    /// Its word; zero for the value that says that there is no object, and never [`NOTHING`].
    fn to_word(self) -> B256;

    /// The value of a word.
    fn from_word(word: B256) -> Result<Self, WordError>;
}

/// What a word of a tier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<V> {
    /// Zero: no object.
    Absent,
    /// [`NOTHING`]: no object, and none from before.
    Nothing,
    /// An object of this value.
    Value(V),
}

impl<V: ObjectValue> Stored<V> {
    /// What `word` holds.
    pub fn from_word(word: B256) -> Result<Self, WordError> {
        match word {
            B256::ZERO => Ok(Self::Absent),
            NOTHING => Ok(Self::Nothing),
            word => V::from_word(word).map(Self::Value),
        }
    }

    /// The word for it.
    pub fn to_word(self) -> B256 {
        match self {
            Self::Absent => B256::ZERO,
            Self::Nothing => NOTHING,
            Self::Value(value) => value.to_word(),
        }
    }

    /// The object's value, `None` where there is no object.
    pub fn value(self) -> Option<V> {
        match self {
            Self::Absent | Self::Nothing => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl ObjectValue for Amount {
    fn to_word(self) -> B256 {
        B256::from(self.get())
    }

    fn from_word(word: B256) -> Result<Self, WordError> {
        Self::new(word.into()).map_err(|_| WordError {
            got: word,
            expected: "an amount below 2^248",
        })
    }
}

impl ObjectValue for Address {
    fn to_word(self) -> B256 {
        self.into_word()
    }

    fn from_word(word: B256) -> Result<Self, WordError> {
        let owner = Self::from_word(word);
        if owner.into_word() != word {
            return Err(WordError {
                got: word,
                expected: "12 zeros and an address",
            });
        }
        Ok(owner)
    }
}

impl ObjectValue for Position {
    fn to_word(self) -> B256 {
        B256::from((U256::from(self.collateral()) << 128) | U256::from(self.debt()))
    }

    fn from_word(word: B256) -> Result<Self, WordError> {
        let (mut collateral, mut debt) = ([0; 16], [0; 16]);
        collateral.copy_from_slice(&word[..16]);
        debt.copy_from_slice(&word[16..]);
        let (collateral, debt) = (u128::from_be_bytes(collateral), u128::from_be_bytes(debt));
        Self::new(collateral, debt).map_err(|_| WordError {
            got: word,
            expected: "a collateral below 2^120, then a debt",
        })
    }
}

/// What a spender may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allowed {
    /// This much, less with each time.
    Limited(Amount),
    /// As much as there is: an approval of 2^256 - 1, which does not become less.
    Unlimited,
}

impl Allowed {
    /// The allowance of an approval of `number`: below 2^248, or 2^256 - 1.
    pub fn new(number: U256) -> Result<Self, super::AmountTooLarge> {
        if number == U256::MAX {
            return Ok(Self::Unlimited);
        }
        Amount::new(number).map(Self::Limited)
    }

    /// The number that approves it.
    pub fn get(self) -> U256 {
        match self {
            Self::Limited(amount) => amount.get(),
            Self::Unlimited => U256::MAX,
        }
    }
}

impl ObjectValue for Allowed {
    fn to_word(self) -> B256 {
        B256::from(self.get())
    }

    fn from_word(word: B256) -> Result<Self, WordError> {
        Self::new(word.into()).map_err(|_| WordError {
            got: word,
            expected: "an amount below 2^248, or 2^256 - 1",
        })
    }
}

impl ObjectValue for U256 {
    fn to_word(self) -> B256 {
        B256::from(self)
    }

    fn from_word(word: B256) -> Result<Self, WordError> {
        Ok(word.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<V: ObjectValue>(word: B256) {
        let Ok(stored) = Stored::<V>::from_word(word) else {
            return;
        };
        assert_eq!(stored.to_word(), word, "{stored:?}");
        assert_eq!(stored.value().is_none(), word.is_zero() || word == NOTHING);
    }

    proptest! {
        #[test]
        fn no_value_has_two_words(word: [u8; 32], zeros in 0usize..32) {
            let mut word = word;
            word[..zeros].fill(0);
            let word = B256::from(word);
            check::<Amount>(word);
            check::<Address>(word);
            check::<Position>(word);
            check::<Allowed>(word);
        }

        #[test]
        fn no_position_is_taken_for_nothing(collateral: u128, debt: u128) {
            let position = Position::new(collateral >> 8, debt).expect("below the limit");
            prop_assert_eq!(Position::from_word(position.to_word()), Ok(position));
            prop_assert_ne!(position.to_word(), NOTHING);
        }
    }

    #[test]
    fn no_class_has_a_value_that_means_nothing() {
        assert!(Amount::from_word(NOTHING).is_err());
        assert!(<Address as ObjectValue>::from_word(NOTHING).is_err());
        assert!(Position::from_word(NOTHING).is_err());
        assert!(Allowed::from_word(NOTHING).is_err());
        assert_eq!(Stored::<Amount>::from_word(NOTHING), Ok(Stored::Nothing));
        assert_eq!(Allowed::new(U256::MAX), Ok(Allowed::Unlimited));
        assert!(Allowed::new(U256::MAX - U256::from(1)).is_err());
    }
}
