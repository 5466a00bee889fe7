//! How a slot was recognised.

use core::fmt;

/// How a slot was recognised: where its keys come from, and what says what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The block's execution hashed its keys.
    Preimage(Basis),
    /// Its keys were found by hashing those that may lead to it.
    Search(Basis),
    /// Its number says it.
    Number,
    /// The trace says it, from an earlier classification; its keys are not known.
    Earlier,
    /// It was not.
    None,
}

/// What says what a mapping holds, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A log of the same transaction names this entry, and the value moves by what the log says.
    Log,
    /// The registry knows the mapping.
    Registry,
    /// Logs have shown, at other entries or in other blocks, what the mapping holds.
    Learned,
    /// The trace says so of the mapping's entries in blocks whose logs are not at hand: an earlier
    /// classification had them, or the trace was made with classes.
    Earlier,
    /// A log of the same transaction names this entry, but the value moves by another amount (fees,
    /// shares, scaled balances), and it is the contract's only mapping of which that is so.
    Named,
    /// Two entries of the mapping moved by opposite amounts in one transaction, without a log.
    Shape,
}

impl Basis {
    /// Its name in tables and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Registry => "registry",
            Self::Learned => "learned",
            Self::Earlier => "earlier",
            Self::Named => "named",
            Self::Shape => "shape",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preimage(basis) => write!(f, "preimage+{}", basis.name()),
            Self::Search(basis) => write!(f, "search+{}", basis.name()),
            Self::Number => f.write_str("number"),
            Self::Earlier => f.write_str("earlier"),
            Self::None => f.write_str("-"),
        }
    }
}
