//! Which field is meant, and one root over all of them.

use crate::{NodeHasher, PeriodId, list};
use alloy_primitives::B256;
use core::fmt;

const FIELD_DOMAIN: &[u8; 16] = b"thinstate/field\0";
const ALL_DOMAIN: &[u8; 16] = b"thinstate/spent\0";

/// A field of spent bits. Ordered as the root over all fields has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldId {
    /// The records of the UTXO tier, by index.
    Utxo,
    /// The leaves of a sealed period, by leaf index.
    Period(PeriodId),
}

impl FieldId {
    /// Its kind and its period (zero for records), as what is hashed and files have them.
    pub const fn parts(self) -> (u8, u64) {
        match self {
            Self::Utxo => (0, 0),
            Self::Period(period) => (1, period.0),
        }
    }

    /// The field with these [`Self::parts`].
    pub const fn from_parts(kind: u8, period: u64) -> Option<Self> {
        match (kind, period) {
            (0, 0) => Some(Self::Utxo),
            (1, period) => Some(Self::Period(PeriodId(period))),
            _ => None,
        }
    }
}

impl fmt::Display for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utxo => f.write_str("utxo"),
            Self::Period(period) => write!(f, "period-{period}"),
        }
    }
}

/// The digest of a field with this [`commitment`](super::commitment) in the list of all fields.
pub fn field_digest(hasher: &NodeHasher, field: FieldId, commitment: B256) -> B256 {
    let (kind, period) = field.parts();
    let mut message = [0; 128];
    message[..16].copy_from_slice(FIELD_DOMAIN);
    message[16..24].copy_from_slice(&u64::from(kind).to_le_bytes());
    message[24..32].copy_from_slice(&period.to_le_bytes());
    message[32..64].copy_from_slice(commitment.as_slice());
    hasher.hash(&message)
}

/// The root over all fields, by their digests in the order of [`FieldId`].
pub fn fields_root(hasher: &NodeHasher, digests: &[B256]) -> B256 {
    let root = list::root(hasher, digests);
    list::commitment(hasher, ALL_DOMAIN, digests.len() as u64, root)
}
