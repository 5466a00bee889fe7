//! The tier: what it holds in memory, and what is asked of it.

use super::{
    UtxoError, UtxoLimits, UtxoRules,
    keys::{BATCH, UtxoHead, for_each_place, read_position},
    ring::Ring,
    window::Window,
};
use crate::{
    archive::records::{RecordArchive, RecordArchiveOptions},
    leaf_store::{LeafRead, StoreError},
};
use alloy_primitives::B256;
use thinstate_formats::{
    BatchId, BlockNumber, NodeHasher, RecordIndex,
    list::ListTree,
    record::{Record, RecordRange, UtxoState},
};

/// The blocks that the tier has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) first: BlockNumber,
    pub(super) last: BlockNumber,
}

impl Blocks {
    pub(super) fn oldest_in(&self, ring: &Ring) -> BlockNumber {
        ring.oldest(self.first, self.last)
    }
}

/// The UTXO tier. See the module's documentation.
#[derive(Debug)]
pub struct UtxoTier {
    pub(super) rules: UtxoRules,
    pub(super) limits: UtxoLimits,
    pub(super) hasher: NodeHasher,
    pub(super) blocks: Option<Blocks>,
    pub(super) next_index: RecordIndex,
    pub(super) ring: Ring,
    /// Roots of sealed batches; the first is that of the first block's.
    pub(super) batches: ListTree,
    pub(super) window: Window,
    pub(super) archive: Option<RecordArchive>,
    /// Nothing was committed since opening: what other limits have left is to be swept away.
    pub(super) fresh: bool,
}

impl UtxoTier {
    /// Opens the tier of the state in `read`, which may be new.
    pub fn open<R: LeafRead>(
        read: &R,
        rules: UtxoRules,
        limits: UtxoLimits,
        archive: Option<RecordArchiveOptions>,
    ) -> Result<Self, UtxoError> {
        if rules.ring_len == 0 {
            return Err(UtxoError::NoRing);
        }
        let head = UtxoHead::read(read)?;
        if let Some(head) = head.filter(|head| head.rules != rules) {
            return Err(UtxoError::OtherRules {
                expected: head.rules,
                got: rules,
            });
        }
        let hasher = NodeHasher::new(rules.hash);
        let mut batches = Vec::new();
        for_each_place(read, BATCH, |_, batch| batches.push(batch.root))?;
        let archive = match archive {
            None => None,
            Some(options) => {
                let position = read_position(read)?;
                let archive = RecordArchive::open(options, rules.ring_len, rules.hash, position)?;
                Some(archive)
            }
        };
        let mut tier = Self {
            rules,
            limits,
            hasher,
            blocks: head.map(|head| Blocks {
                first: head.first,
                last: head.last,
            }),
            next_index: head.map_or(RecordIndex(0), |head| head.next_index),
            ring: Ring::open(read, &hasher, rules.ring_len)?,
            batches: ListTree::build(&hasher, batches),
            window: Window::default(),
            archive,
            fresh: true,
        };
        tier.window = Window::open(read, &hasher, tier.window_ranges())?;
        Ok(tier)
    }

    /// The blocks of the window, by their records. The ring says where blocks begin.
    fn window_ranges(&self) -> impl Iterator<Item = RecordRange> + '_ {
        let blocks = self.blocks.filter(|_| self.window_blocks() > 0);
        let numbers = blocks.map(|blocks| {
            let window = self.window_blocks();
            let from = blocks.last.0.saturating_sub(window - 1);
            from.max(blocks.oldest_in(&self.ring).0)..=blocks.last.0
        });
        let ranges = numbers.into_iter().flatten();
        ranges.filter_map(|number| self.range(BlockNumber(number)))
    }

    /// Blocks of the window.
    pub(super) fn window_blocks(&self) -> u64 {
        self.limits
            .hybrid_window
            .min(u64::from(self.rules.ring_len).saturating_sub(1))
    }

    /// The records of a block in the ring.
    pub(super) fn range(&self, block: BlockNumber) -> Option<RecordRange> {
        let blocks = self.blocks?;
        let first_index = self.ring.place(block)?.index;
        let end = match block == blocks.last {
            true => self.next_index,
            false => self.ring.place(block.next()?)?.index,
        };
        Some(RecordRange {
            block,
            first_index,
            count: u32::try_from(end.0.checked_sub(first_index.0)?).ok()?,
        })
    }

    /// The rules.
    pub const fn rules(&self) -> UtxoRules {
        self.rules
    }

    /// The index that the next record gets: as many records as there ever were.
    pub const fn next_index(&self) -> RecordIndex {
        self.next_index
    }

    /// The last block; `None` before the first.
    pub fn head(&self) -> Option<BlockNumber> {
        self.blocks.map(|blocks| blocks.last)
    }

    /// What a block commits to.
    pub fn root(&self) -> B256 {
        self.state().commitment(&self.hasher)
    }

    /// What the tier keeps for ever, but for the spent bits.
    pub fn state(&self) -> UtxoState {
        UtxoState {
            next_index: self.next_index,
            ring_len: self.rules.ring_len,
            ring: self.ring.root(),
            batches: self.batches.len() as u64,
            batch_list: self.batches.root(),
        }
    }

    /// The root of a block in the ring; zero for one without records.
    pub fn block_root(&self, block: BlockNumber) -> Option<B256> {
        let blocks = self.blocks?;
        let within = blocks.oldest_in(&self.ring) <= block && block <= blocks.last;
        Some(self.ring.place(block).filter(|_| within)?.root)
    }

    /// The root of a sealed batch.
    pub fn batch_root(&self, batch: BatchId) -> Option<B256> {
        let first = self.ring.batch_of(self.blocks?.first);
        let at = batch.0.checked_sub(first.0)?;
        self.batches
            .digests()
            .get(usize::try_from(at).ok()?)
            .copied()
    }

    /// A record of the hybrid window; `None` for any other.
    pub fn recent<R: LeafRead>(
        &self,
        read: &R,
        index: RecordIndex,
    ) -> Result<Option<Record>, StoreError> {
        self.window.read(read, index)
    }

    /// The archive of records, if this node keeps one.
    pub const fn archive(&self) -> Option<&RecordArchive> {
        self.archive.as_ref()
    }

    /// The archive of records, to delete from it.
    pub const fn archive_mut(&mut self) -> Option<&mut RecordArchive> {
        self.archive.as_mut()
    }
}
