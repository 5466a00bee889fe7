//! The ways to reach a gas multiple.

use core::fmt;
use serde::{Deserialize, Serialize};

/// The largest gas multiple.
const MULTIPLE_MAX: u32 = 10_000;

/// How blocks are multiplied.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// One block to a slot.
    #[default]
    None,
    /// Consecutive blocks in one slot: the same users, who do more.
    Merge,
    /// Copies of a block, with other users and the same hubs.
    Clone,
    /// Copies of consecutive blocks.
    Mixed,
}

impl Method {
    /// Its name in options and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Merge => "merge",
            Self::Clone => "clone",
            Self::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a slot is made of: `copies` copies of `blocks` consecutive blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amplify {
    /// How it was asked for.
    pub method: Method,
    /// Consecutive blocks that are merged.
    pub blocks: u32,
    /// Copies of what that gives.
    pub copies: u32,
}

/// A gas multiple that a method cannot reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmplifyError {
    /// The multiple is outside of what is replayed.
    #[error("gas multiple: expected 1 to {MULTIPLE_MAX}, got {0}")]
    Multiple(u32),
    /// A multiple is asked for, and no way to reach it. Name a method.
    #[error("gas multiple {0} without amplification: expected merge, clone or mixed")]
    NoMethod(u32),
    /// The copies of a mixed slot do not divide the multiple.
    #[error("mixed: expected copies that divide the gas multiple {multiple}, got {copies}")]
    Split {
        /// The multiple.
        multiple: u32,
        /// The copies.
        copies: u32,
    },
    /// Only a mixed slot has a split.
    #[error("{0}: expected no number of copies, which only mixed amplification takes")]
    NoSplit(Method),
    /// The multiple has no divisor but itself, so there is nothing to mix.
    #[error("mixed: expected a gas multiple that is a product, got {0}")]
    Prime(u32),
}

impl Default for Amplify {
    fn default() -> Self {
        Self::NONE
    }
}

impl Amplify {
    /// Blocks as they are.
    pub const NONE: Self = Self {
        method: Method::None,
        blocks: 1,
        copies: 1,
    };

    /// `multiple` times the gas by `method`. `copies` is for mixed slots; without it the number of copies is
    /// the divisor of the multiple that lies nearest to its root, from below.
    pub fn new(method: Method, multiple: u32, copies: Option<u32>) -> Result<Self, AmplifyError> {
        if !(1..=MULTIPLE_MAX).contains(&multiple) {
            return Err(AmplifyError::Multiple(multiple));
        }
        if copies.is_some() && method != Method::Mixed {
            return Err(AmplifyError::NoSplit(method));
        }
        let (blocks, copies) = match method {
            Method::None if multiple > 1 => return Err(AmplifyError::NoMethod(multiple)),
            Method::None => (1, 1),
            Method::Merge => (multiple, 1),
            Method::Clone => (1, multiple),
            Method::Mixed => {
                let copies = match copies {
                    Some(copies) => copies,
                    None => balanced(multiple).ok_or(AmplifyError::Prime(multiple))?,
                };
                if copies == 0 || !multiple.is_multiple_of(copies) {
                    return Err(AmplifyError::Split { multiple, copies });
                }
                (multiple / copies, copies)
            }
        };
        Ok(Self {
            method,
            blocks,
            copies,
        })
    }

    /// How many times a block's gas a slot carries.
    pub const fn multiple(&self) -> u32 {
        self.blocks * self.copies
    }
}

/// The largest divisor above 1 that is at most the root; `None` of a prime.
pub(crate) fn balanced(multiple: u32) -> Option<u32> {
    (2..=multiple.isqrt())
        .rev()
        .find(|divisor| multiple.is_multiple_of(*divisor))
}

impl fmt::Display for Amplify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, copies) = (self.blocks, self.copies);
        match self.method {
            Method::None => f.write_str("none"),
            Method::Merge => write!(f, "merge, {blocks} blocks"),
            Method::Clone => write!(f, "clone, {copies} copies"),
            Method::Mixed => write!(f, "mixed, {copies} copies of {blocks} blocks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_multiple_is_reached_by_halves() {
        for multiple in 1..=MULTIPLE_MAX {
            for method in [Method::Merge, Method::Clone, Method::Mixed] {
                match Amplify::new(method, multiple, None) {
                    Ok(amplify) => assert_eq!(amplify.multiple(), multiple),
                    Err(error) => assert_eq!(error, AmplifyError::Prime(multiple)),
                }
            }
        }
        let split = Amplify::new(Method::Mixed, 100, Some(25));
        assert_eq!(split.map(|it| (it.copies, it.blocks)), Ok((25, 4)));
        assert_eq!(
            Amplify::new(Method::Mixed, 100, None).map(|it| it.copies),
            Ok(10)
        );
    }

    #[test]
    fn nothing_that_contradicts_itself_is_accepted() {
        let new = Amplify::new;
        assert_eq!(new(Method::None, 2, None), Err(AmplifyError::NoMethod(2)));
        assert_eq!(new(Method::Merge, 0, None), Err(AmplifyError::Multiple(0)));
        assert_eq!(
            new(Method::Clone, 10_001, None),
            Err(AmplifyError::Multiple(10_001))
        );
        assert_eq!(
            new(Method::Merge, 4, Some(2)),
            Err(AmplifyError::NoSplit(Method::Merge))
        );
        let (multiple, copies) = (10, 3);
        assert_eq!(
            new(Method::Mixed, multiple, Some(copies)),
            Err(AmplifyError::Split { multiple, copies })
        );
    }
}
