//! Numbers that must not be mixed up, each a type of its own.

use core::fmt;
use serde::{Deserialize, Serialize};

/// The number of a block.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BlockNumber(pub u64);

impl BlockNumber {
    /// The number after this one; `None` past `u64::MAX`.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number before this one; `None` at genesis.
    pub const fn prev(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }
}

/// Declares a number that is a type of its own.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        number!(@traits $name);
    };
    (@traits $name:ident) => {
        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(@traits BlockNumber);

number! {
    /// A period of the temporary tier: `floor(block_number / period_length)`.
    PeriodId
}

number! {
    /// A leaf's position in a sealed tree, from the left, counted from 0.
    LeafIndex
}

number! {
    /// The global index of a record of the UTXO tier, assigned in the order of creation.
    RecordIndex
}

number! {
    /// A batch of block roots of the UTXO tier: `floor(block_number / ring length)`.
    BatchId
}
