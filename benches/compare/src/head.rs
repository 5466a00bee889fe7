//! What a store knows of itself: the block that it is at, and how much it holds.
//!
//! ```text
//! block u64 | accounts u64 | slots u64          little-endian, 24 bytes
//! ```

use thinstate_formats::BlockNumber;

/// Bytes of a head.
const LEN: usize = 3 * 8;

/// The last state that was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The block; `None` in a new store.
    pub(crate) block: Option<BlockNumber>,
    /// Accounts held.
    pub(crate) accounts: u64,
    /// Slots held.
    pub(crate) slots: u64,
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let numbers = [self.block.unwrap_or_default().0, self.accounts, self.slots];
        numbers.iter().flat_map(|it| it.to_le_bytes()).collect()
    }

    /// `None` where the bytes are no head.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let [block, accounts, slots] = [0, 1, 2].map(|at| u64::from_le_bytes(numbers[at]));
        Some(Self {
            block: Some(BlockNumber(block)),
            accounts,
            slots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_length_is_a_head() {
        let head = Head {
            block: Some(BlockNumber(7)),
            accounts: 3,
            slots: u64::MAX,
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        assert_eq!(Head::decode(&bytes[1..]), None);
        assert_eq!(Head::decode(&[bytes, vec![0]].concat()), None);
    }
}
