//! What can be wrong with an encoding.

use super::{ObjectClass, Tier, dictionary::DictionaryError};

/// Bytes that encode no object. Offsets count from the first byte given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("{field} at offset {offset}: expected {expected} bytes, got {got}")]
    Truncated {
        /// What was being read.
        field: &'static str,
        /// Where it starts.
        offset: usize,
        /// Bytes that it takes.
        expected: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// A number that another, longer one would say too.
    #[error("{field} at offset {offset}: expected a number without leading zeros")]
    LeadingZero {
        /// The number.
        field: &'static str,
        /// Where it starts.
        offset: usize,
    },
    /// A number above its limit.
    #[error("{field} at offset {offset}: expected {expected}, got {got} bytes")]
    TooLarge {
        /// The number.
        field: &'static str,
        /// Where it starts.
        offset: usize,
        /// What it may be.
        expected: &'static str,
        /// How long it is.
        got: usize,
    },
    /// A varint that is longer than it need be, or than a u64.
    #[error("{field} at offset {offset}: expected a varint of a u64 in as few bytes as possible")]
    Varint {
        /// What was being read.
        field: &'static str,
        /// Where it starts.
        offset: usize,
    },
    /// No class of objects that can be encoded has this number.
    #[error("class at offset {offset}: expected 1 to 6, got {got}")]
    Class {
        /// Where it is.
        offset: usize,
        /// The number.
        got: u8,
    },
    /// An object that is nothing.
    #[error("the value at offset {offset} says that there is no {class}, expected one")]
    Nothing {
        /// Where the value starts.
        offset: usize,
        /// The class.
        class: ObjectClass,
    },
    /// An object of a class that is never a record.
    #[error("an object of class {class} cannot be a record")]
    NoRecord {
        /// The class.
        class: ObjectClass,
    },
    /// The contract has no such entry in the dictionary, or has one and does not use it.
    #[error("contract at offset {offset}: {reason}")]
    Contract {
        /// Where it starts.
        offset: usize,
        /// What is wrong.
        reason: DictionaryError,
    },
}

/// An object has no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEncoding {
    /// It is nothing: a balance of zero, a token that nobody owns. Leave it out.
    #[error("there is no {class} to encode: its value says that there is none")]
    Nothing {
        /// The class.
        class: ObjectClass,
    },
    /// It cannot live in the tier.
    #[error("an object of class {class} cannot live in the {tier} tier")]
    Tier {
        /// The class.
        class: ObjectClass,
        /// The tier.
        tier: Tier,
    },
}
