//! What the store knows of itself: format, head block, counts.
//!
//! ```text
//! key       value
//! "format"  magic "thinstat" | version u32 LE
//! "head"    commit u64 | block present u8 | number u64 | hash 32 | root 32
//!           | accounts u64 | slots u64 | stubs u64 | crc32 u32       (little-endian, 109 bytes)
//! ```

use super::{bulk::Mark, error::OpenError};
use crate::leaf_store::{Batch, LeafRead, Table};
use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use core::ops::ControlFlow;
use thinstate_formats::BlockNumber;

/// The version of everything that the permanent tier writes.
pub const FORMAT_VERSION: u32 = 2;

const MAGIC: &[u8; 8] = b"thinstat";
const FORMAT_KEY: &[u8] = b"format";
const HEAD_KEY: &[u8] = b"head";
const HEAD_LEN: usize = 8 + 1 + 8 + 32 + 32 + 3 * 8 + 4;
const _: () = assert!(HEAD_LEN == 109);

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockId {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: B256,
}

/// The last committed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Counts every commit: blocks, undone blocks, witnesses.
    pub commit: u64,
    /// The block whose post-state this is; `None` in a store that was just made.
    pub block: Option<BlockId>,
    /// Root of the account trie.
    pub root: B256,
    /// Account leaves held.
    pub accounts: u64,
    /// Slot leaves held.
    pub slots: u64,
    /// Stubs held, in all tries. Zero means that the whole state is here.
    pub stubs: u64,
}

impl Head {
    /// The head of an empty store.
    pub(crate) const fn new() -> Self {
        Self {
            commit: 0,
            block: None,
            root: EMPTY_ROOT_HASH,
            accounts: 0,
            slots: 0,
            stubs: 0,
        }
    }

    /// Reads the head of a store; `None` where the store is new.
    pub(crate) fn read<R: LeafRead>(store: &R) -> Result<Option<Self>, OpenError> {
        let Some(format) = store.get(Table::Meta, FORMAT_KEY)? else {
            if let Some(mark) = Mark::read(store)? {
                return Err(OpenError::Unfinished { block: mark.block });
            }
            return refuse_headless(store).map(|()| None);
        };
        check_format(&format)?;
        let bytes = store.get(Table::Meta, HEAD_KEY)?.unwrap_or_default();
        Self::decode(&bytes).map(Some).ok_or(OpenError::BadHead {
            got: alloy_primitives::hex::encode_prefixed(&bytes),
        })
    }

    /// Writes the head, and the format with it.
    pub(crate) fn write(&self, batch: &mut Batch) {
        let mut format = MAGIC.to_vec();
        format.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        batch.put(Table::Meta, FORMAT_KEY, format);
        batch.put(Table::Meta, HEAD_KEY, self.encode());
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let block = self.block.unwrap_or(BlockId {
            number: BlockNumber(0),
            hash: B256::ZERO,
        });
        let mut bytes = Vec::with_capacity(HEAD_LEN);
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.push(u8::from(self.block.is_some()));
        bytes.extend_from_slice(&block.number.0.to_le_bytes());
        bytes.extend_from_slice(block.hash.as_slice());
        bytes.extend_from_slice(self.root.as_slice());
        for count in [self.accounts, self.slots, self.stubs] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if bytes.len() != HEAD_LEN || crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let number = |at: usize| {
            let chunk = body.get(at..at + 8)?;
            Some(u64::from_le_bytes(chunk.try_into().ok()?))
        };
        let block = BlockId {
            number: BlockNumber(number(9)?),
            hash: B256::from_slice(&body[17..49]),
        };
        Some(Self {
            commit: number(0)?,
            block: match body[8] {
                0 => None,
                1 => Some(block),
                _ => return None,
            },
            root: B256::from_slice(&body[49..81]),
            accounts: number(81)?,
            slots: number(89)?,
            stubs: number(97)?,
        })
    }
}

/// A new store is empty. One with entries but no format is not ours, or half built: blocks on top
/// of it would be hashed together with what nobody committed.
fn refuse_headless<R: LeafRead>(store: &R) -> Result<(), OpenError> {
    for table in Table::ALL {
        let mut is_empty = true;
        store.scan(table, &[], None, &mut |_, _| {
            is_empty = false;
            ControlFlow::Break(())
        })?;
        if !is_empty {
            return Err(OpenError::NotOurs {
                got: format!("missing, but table {} has entries", table.name()),
            });
        }
    }
    Ok(())
}

fn check_format(format: &[u8]) -> Result<(), OpenError> {
    let version = format
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.try_into().ok())
        .map(u32::from_le_bytes);
    match version {
        Some(FORMAT_VERSION) => Ok(()),
        Some(got) => Err(OpenError::Version {
            expected: FORMAT_VERSION,
            got,
        }),
        None => Err(OpenError::NotOurs {
            got: alloy_primitives::hex::encode_prefixed(format),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_of_the_head_goes_unseen() {
        let head = Head {
            block: Some(BlockId {
                number: BlockNumber(7),
                hash: B256::repeat_byte(9),
            }),
            ..Head::new()
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&flipped), None, "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
