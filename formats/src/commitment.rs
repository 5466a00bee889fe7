//! What a block commits to: one root for each tier, and one hash over them.
//!
//! ```text
//! keccak256 of 192 bytes:
//! "thinstate-block\0" 16 | block number u64 LE | zeros 8 | permanent 32 | temporary 32
//!                        | periods 32 | utxo 32 | spent 32
//! ```
//!
//! keccak256, whatever the tiers hash with: it is what would stand in an Ethereum header, beside
//! the state root, of which `permanent` is a copy.

use crate::BlockNumber;
use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

const DOMAIN: &[u8; 16] = b"thinstate-block\0";

/// The roots of all tiers after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// The block.
    pub block: BlockNumber,
    /// Root of the account trie: the header's `stateRoot`.
    pub permanent: B256,
    /// The live entries of the temporary tier, or the chained hash of their write logs.
    pub temporary: B256,
    /// The period table: root and leaf count of each sealed period.
    pub periods: B256,
    /// Next index, ring and batch roots of the UTXO tier.
    pub utxo: B256,
    /// The spent bitfields of all tiers.
    pub spent: B256,
}

impl Commitment {
    /// Length of [`Self::encode`].
    pub const LEN: usize = 16 + 8 + 8 + 5 * 32;

    /// What is hashed.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..16].copy_from_slice(DOMAIN);
        bytes[16..24].copy_from_slice(&self.block.0.to_le_bytes());
        for (to, root) in bytes[32..].chunks_exact_mut(32).zip(self.roots()) {
            to.copy_from_slice(root.as_slice());
        }
        bytes
    }

    /// The commitment that encodes to these bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let (domain, rest) = bytes.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (zeros, roots) = rest.split_first_chunk::<8>()?;
        if domain != DOMAIN || *zeros != [0; 8] {
            return None;
        }
        let mut roots = roots.chunks_exact(32).map(B256::from_slice);
        Some(Self {
            block: BlockNumber(u64::from_le_bytes(*number)),
            permanent: roots.next()?,
            temporary: roots.next()?,
            periods: roots.next()?,
            utxo: roots.next()?,
            spent: roots.next()?,
        })
    }

    /// The hash over all roots.
    pub fn hash(&self) -> B256 {
        keccak256(self.encode())
    }

    /// Which roots differ, by name.
    pub fn differs(&self, other: &Self) -> String {
        let names = ["permanent", "temporary", "periods", "utxo", "spent"];
        let both = self.roots().into_iter().zip(other.roots());
        let differing = names.into_iter().zip(both).filter(|(_, (a, b))| a != b);
        let names: Vec<_> = differing.map(|(name, _)| name).collect();
        names.join(", ")
    }

    const fn roots(&self) -> [B256; 5] {
        [
            self.permanent,
            self.temporary,
            self.periods,
            self.utxo,
            self.spent,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Commitment {
        Commitment {
            block: BlockNumber(7),
            permanent: B256::repeat_byte(1),
            temporary: B256::repeat_byte(2),
            periods: B256::repeat_byte(3),
            utxo: B256::repeat_byte(4),
            spent: B256::repeat_byte(5),
        }
    }

    #[test]
    fn no_field_is_left_out_of_the_hash() {
        let bytes = sample().encode();
        assert_eq!(Commitment::decode(&bytes), Some(sample()));
        for at in 0..bytes.len() {
            let mut altered = bytes;
            altered[at] ^= 1;
            let altered = Commitment::decode(&altered);
            assert!(
                altered.is_none_or(|c| c.hash() != sample().hash()),
                "byte {at}"
            );
            assert_eq!(
                altered.is_none(),
                at < 16 || (24..32).contains(&at),
                "byte {at}"
            );
        }
        assert_eq!(Commitment::decode(&bytes[1..]), None);
    }
}
