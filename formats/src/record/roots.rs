//! Roots of blocks, batches and the tier.

use super::{PayloadTooLong, Record, RecordPath};
use crate::{BatchId, BlockNumber, NodeHasher, RecordIndex, list::ListTree};
use alloy_primitives::B256;

const BLOCK_DOMAIN: &[u8; 16] = b"thinstate/block\0";
const BATCH_DOMAIN: &[u8; 16] = b"thinstate/batch\0";
const TIER_DOMAIN: &[u8; 16] = b"thinstate/utxo\0\0";

/// The records of one block, by their indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRange {
    /// The block.
    pub block: BlockNumber,
    /// Index of its first record; of the next one to come if it has none.
    pub first_index: RecordIndex,
    /// Records of the block.
    pub count: u32,
}

impl RecordRange {
    /// The place of a record among those of the block.
    pub fn position(&self, index: RecordIndex) -> Option<u64> {
        let position = index.0.checked_sub(self.first_index.0)?;
        (position < u64::from(self.count)).then_some(position)
    }
}

/// The hashes of records, in order.
pub fn leaf_hashes(hasher: &NodeHasher, records: &[Record]) -> Result<Vec<B256>, PayloadTooLong> {
    let messages: Vec<_> = records
        .iter()
        .map(Record::leaf_message)
        .collect::<Result<_, _>>()?;
    let mut hashes = Vec::with_capacity(records.len());
    hasher.hash_blocks(&messages, &mut hashes);
    Ok(hashes)
}

/// The root of a block whose records' list has this root; zero for a block without records.
pub fn block_root(hasher: &NodeHasher, range: &RecordRange, list_root: B256) -> B256 {
    if range.count == 0 {
        return B256::ZERO;
    }
    let mut message = [0; 128];
    message[..16].copy_from_slice(BLOCK_DOMAIN);
    message[16..24].copy_from_slice(&range.block.0.to_le_bytes());
    message[24..32].copy_from_slice(&range.first_index.0.to_le_bytes());
    message[32..40].copy_from_slice(&u64::from(range.count).to_le_bytes());
    message[40..72].copy_from_slice(list_root.as_slice());
    hasher.hash(&message)
}

/// The root of a batch whose `ring_len` block roots have this list root.
pub fn batch_root(hasher: &NodeHasher, batch: BatchId, ring_len: u32, list_root: B256) -> B256 {
    let mut message = [0; 128];
    message[..16].copy_from_slice(BATCH_DOMAIN);
    message[16..24].copy_from_slice(&batch.0.to_le_bytes());
    message[24..32].copy_from_slice(&u64::from(ring_len).to_le_bytes());
    message[32..64].copy_from_slice(list_root.as_slice());
    hasher.hash(&message)
}

/// What the tier keeps for ever, but for the spent bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtxoState {
    /// The index that the next record gets.
    pub next_index: RecordIndex,
    /// Places of the ring.
    pub ring_len: u32,
    /// Root of the list of the ring's places.
    pub ring: B256,
    /// Batches that are sealed.
    pub batches: u64,
    /// Root of the list of their roots.
    pub batch_list: B256,
}

impl UtxoState {
    /// What a block commits to.
    pub fn commitment(&self, hasher: &NodeHasher) -> B256 {
        let mut message = [0; 128];
        message[..16].copy_from_slice(TIER_DOMAIN);
        message[16..24].copy_from_slice(&self.next_index.0.to_le_bytes());
        message[24..32].copy_from_slice(&u64::from(self.ring_len).to_le_bytes());
        message[32..64].copy_from_slice(self.ring.as_slice());
        message[64..72].copy_from_slice(&self.batches.to_le_bytes());
        message[72..104].copy_from_slice(self.batch_list.as_slice());
        hasher.hash(&message)
    }
}

/// The tree of a block's records, from which their paths are taken.
#[derive(Clone, Debug)]
pub struct BlockTree {
    range: RecordRange,
    tree: ListTree,
    root: B256,
}

impl BlockTree {
    /// The tree of records with these hashes, as [`leaf_hashes`] gives them, the first of which has
    /// this index. `None` for more than `u32::MAX` of them.
    pub fn build(
        hasher: &NodeHasher,
        block: BlockNumber,
        first_index: RecordIndex,
        hashes: Vec<B256>,
    ) -> Option<Self> {
        let range = RecordRange {
            block,
            first_index,
            count: u32::try_from(hashes.len()).ok()?,
        };
        let tree = ListTree::build(hasher, hashes);
        let root = block_root(hasher, &range, tree.root());
        Some(Self { range, tree, root })
    }

    /// The records, by their indexes.
    pub const fn range(&self) -> &RecordRange {
        &self.range
    }

    /// The block's root.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// Hashes that it took, those of the records included.
    pub fn hashes(&self) -> u64 {
        2 * u64::from(self.range.count)
    }

    /// The path of a record to the block's root, good while that is in the ring.
    pub fn path(&self, index: RecordIndex) -> Option<RecordPath> {
        let position = self.range.position(index)?;
        Some(RecordPath {
            block: self.range.block,
            first_index: self.range.first_index,
            count: self.range.count,
            siblings: self.tree.path(position as usize)?,
            batch: None,
        })
    }
}
