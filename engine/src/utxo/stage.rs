//! A block: spends are checked, records appended, the ring turned.

use super::{
    Spend, UtxoError, UtxoTier,
    keys::{
        ARCHIVE, Place, UNDO, UndoEntry, UtxoHead, WINDOW, number_key, write_batch, write_place,
        write_position,
    },
    tier::Blocks,
    window::{Encoded, WindowBlock},
};
use crate::{
    archive::records::{BlockRecords, StagedFrames},
    leaf_store::{Batch, Table},
    spent::{BitChange, FieldId, SpentFields},
};
use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_formats::{
    BlockNumber, RecordIndex,
    list::StagedDigest,
    record::{BlockTree, NewRecord, RecordRange, UtxoState, batch_root},
};

/// New records that one thread hashes at a time.
const RECORDS_TOGETHER: usize = 512;

/// What a block cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtxoWork {
    /// Hashes computed.
    pub hashes: u64,
    /// Records appended.
    pub appended: u64,
    /// Records spent.
    pub spent: u64,
    /// Bytes of spent records and their paths, which the block carries.
    pub witness_bytes: u64,
    /// Bytes written to the archive of records.
    pub archive_bytes: u64,
}

/// A block that is ready: its changes are in the batch.
#[derive(Debug)]
pub struct UtxoStaged {
    /// The index of the block's first record.
    pub first_index: RecordIndex,
    /// What it does to the spent bits.
    pub changes: Vec<BitChange>,
    /// What the block commits to.
    pub root: B256,
    /// What it cost.
    pub work: UtxoWork,
    blocks: Blocks,
    next_index: RecordIndex,
    place: Place,
    ring: StagedDigest,
    sealed: Option<StagedDigest>,
    window: Option<WindowBlock>,
    frames: Option<StagedFrames>,
}

impl UtxoTier {
    /// Prepares a block, and adds what it changes to its batch: checks all spends, appends the
    /// records. Nothing visible changes until [`Self::publish`]; a block that is not committed is to
    /// be given to [`Self::rollback`], or after a failed commit to [`Self::abandon`].
    pub fn stage(
        &mut self,
        block: BlockNumber,
        spends: &[Spend],
        new: &[NewRecord],
        spent: &SpentFields,
        batch: &mut Batch,
    ) -> Result<UtxoStaged, UtxoError> {
        let blocks = self.blocks_with(block)?;
        let appended = new.len() as u64;
        let checks = self.check_records(spends, appended)?;
        let indexes = self.check_bits(spends, spent)?;
        let encoded = match self.window_blocks() > 0 || self.archive.is_some() {
            true => Encoded::new(new)?,
            false => Encoded::none(new)?,
        };
        let (tree, hashes) = self.block_tree(block, new)?;
        let place = Place {
            root: tree.root(),
            index: self.next_index,
        };
        let ring = self.ring.stage(&self.hasher, block, place.root);
        let sealed = self.stage_batch(block, ring.root());
        let next_index = RecordIndex(self.next_index.0 + appended);
        let state = UtxoState {
            next_index,
            ring: ring.root(),
            batches: self.batches.len() as u64 + u64::from(sealed.is_some()),
            batch_list: sealed
                .as_ref()
                .map_or(self.batches.root(), |(_, nodes)| nodes.root()),
            ..self.state()
        };
        let range = *tree.range();
        let frames = self.stage_archive(block, range, &encoded, new, place.root)?;
        let mut staged = UtxoStaged {
            first_index: self.next_index,
            changes: self.bit_changes(&indexes, next_index),
            root: state.commitment(&self.hasher),
            work: self.work(spends, checks, &tree, frames.as_ref()),
            blocks,
            next_index,
            place,
            ring,
            sealed: None,
            window: (self.window_blocks() > 0).then_some(WindowBlock { range, hashes }),
            frames,
        };
        if let (Some((root, nodes)), Some(id)) = (sealed, self.ring.seals(block)) {
            let index = next_index;
            write_batch(batch, id, Some(Place { root, index }));
            staged.sealed = Some(nodes);
        }
        self.write(&staged, indexes, &encoded, batch);
        Ok(staged)
    }

    fn blocks_with(&self, block: BlockNumber) -> Result<Blocks, UtxoError> {
        let Some(blocks) = self.blocks else {
            return Ok(Blocks {
                first: block,
                last: block,
            });
        };
        match blocks.last.next() == Some(block) {
            true => Ok(Blocks {
                last: block,
                ..blocks
            }),
            false => Err(UtxoError::NotNext {
                head: blocks.last,
                got: block,
            }),
        }
    }

    fn block_tree(
        &self,
        block: BlockNumber,
        new: &[NewRecord],
    ) -> Result<(BlockTree, Vec<B256>), UtxoError> {
        let hashes = self.hash_new(new)?;
        let kept = match self.window_blocks() {
            0 => Vec::new(),
            _ => hashes.clone(),
        };
        let tree = BlockTree::build(&self.hasher, block, self.next_index, hashes);
        let tree = tree.ok_or(UtxoError::BlockTooLarge {
            records: new.len(),
            bytes: 0,
        })?;
        Ok((tree, kept))
    }

    /// The hashes of new records, which have their indexes from the next one on.
    fn hash_new(&self, new: &[NewRecord]) -> Result<Vec<B256>, UtxoError> {
        let hash = |(chunk, records): (usize, &[NewRecord])| -> Result<Vec<B256>, UtxoError> {
            let first = chunk * RECORDS_TOGETHER;
            let mut messages = Vec::with_capacity(records.len());
            for (position, record) in (first..).zip(records) {
                let index = RecordIndex(self.next_index.0 + position as u64);
                let message = record.leaf_message(index);
                messages.push(message.map_err(|error| UtxoError::Payload { position, error })?);
            }
            let mut hashes = Vec::with_capacity(records.len());
            self.hasher.hash_blocks(&messages, &mut hashes);
            Ok(hashes)
        };
        let chunks = new.par_chunks(RECORDS_TOGETHER).enumerate().map(hash);
        let hashes: Vec<Vec<B256>> = chunks.collect::<Result<_, _>>()?;
        Ok(hashes.concat())
    }

    /// The batch that the block seals, if it does: its root, and the nodes above it.
    fn stage_batch(&self, block: BlockNumber, ring: B256) -> Option<(B256, StagedDigest)> {
        let id = self.ring.seals(block)?;
        let root = batch_root(&self.hasher, id, self.rules.ring_len, ring);
        let nodes = self.batches.stage(&self.hasher, self.batches.len(), root);
        Some((root, nodes.expect("one more is next to the last")))
    }

    fn bit_changes(&self, indexes: &[u64], next_index: RecordIndex) -> Vec<BitChange> {
        let grows = next_index != self.next_index;
        if !grows && indexes.is_empty() {
            return Vec::new();
        }
        let mut change = BitChange::of(FieldId::Utxo);
        change.len = grows.then_some(next_index.0);
        change.set = indexes.to_vec();
        vec![change]
    }

    fn work(
        &self,
        spends: &[Spend],
        checks: u64,
        tree: &BlockTree,
        frames: Option<&StagedFrames>,
    ) -> UtxoWork {
        let ring = u64::from(self.rules.ring_len.next_power_of_two().ilog2());
        UtxoWork {
            // One more for the commitment.
            hashes: checks + tree.hashes() + ring + 1,
            appended: u64::from(tree.range().count),
            spent: spends.len() as u64,
            witness_bytes: spends.iter().map(Spend::witness_bytes).sum(),
            archive_bytes: frames.map_or(0, |frames| frames.bytes),
        }
    }

    fn stage_archive(
        &mut self,
        block: BlockNumber,
        range: RecordRange,
        encoded: &Encoded,
        new: &[NewRecord],
        root: B256,
    ) -> Result<Option<StagedFrames>, UtxoError> {
        let Some(archive) = &mut self.archive else {
            return Ok(None);
        };
        let body = 4 * encoded.ends.len() + encoded.bytes.len();
        if u32::try_from(body).is_err() {
            return Err(UtxoError::BlockTooLarge {
                records: new.len(),
                bytes: body,
            });
        }
        let owners = (range.first_index.0..)
            .zip(new)
            .map(|(index, record)| (record.owner, RecordIndex(index)));
        let records = (range.count > 0).then(|| BlockRecords {
            range,
            ends: &encoded.ends,
            bytes: &encoded.bytes,
            owners: owners.collect(),
        });
        let roots = self.ring.seals(block).map(|_| {
            let mut roots = self.ring.roots().to_vec();
            roots[self.ring.place_of(block) as usize] = root;
            roots
        });
        let batch = self.ring.batch_of(block);
        Ok(Some(archive.stage(batch, records, roots.as_deref())?))
    }

    fn write(&self, staged: &UtxoStaged, spent: Vec<u64>, encoded: &Encoded, batch: &mut Batch) {
        let block = staged.blocks.last;
        let undo = UndoEntry {
            place: self.ring.place(block),
            spent,
        };
        undo.write(batch, block);
        if let Some(old) = block.0.checked_sub(self.limits.undo_blocks.max(1)) {
            self.drop_old(UNDO, old, batch);
        }
        write_place(batch, self.ring.place_of(block), Some(staged.place));
        if staged.window.is_some() {
            encoded.write_chunks(batch, block);
        }
        let kept = self.window_blocks() + self.limits.undo_blocks;
        let old = block.0.checked_sub(kept.max(1));
        if let Some(old) = old.filter(|_| staged.window.is_some() || self.fresh) {
            self.drop_old(WINDOW, old, batch);
        }
        match &staged.frames {
            Some(frames) => write_position(batch, frames.position),
            None if self.fresh => batch.delete(Table::Utxo, ARCHIVE),
            None => {}
        }
        let head = UtxoHead {
            rules: self.rules,
            first: staged.blocks.first,
            last: block,
            next_index: staged.next_index,
        };
        head.write(batch);
    }

    /// Drops what is kept of an old block; with the first block after opening, of all older ones too,
    /// which other limits may have left.
    fn drop_old(&self, letter: u8, old: u64, batch: &mut Batch) {
        let from = if self.fresh { 0 } else { old };
        let (from, to) = (number_key(letter, from), number_key(letter, old + 1));
        batch.delete_range(Table::Utxo, from, to);
    }

    /// Makes a staged block visible. Its batch must be durable.
    pub fn publish(&mut self, staged: UtxoStaged) {
        let block = staged.blocks.last;
        self.blocks = Some(staged.blocks);
        self.next_index = staged.next_index;
        self.ring.apply(block, staged.ring, Some(staged.place));
        if let Some(nodes) = staged.sealed {
            self.batches.apply(nodes);
        }
        if let Some(window) = staged.window {
            self.window.push(window, self.window_blocks());
        }
        if let (Some(archive), Some(frames)) = (&mut self.archive, staged.frames) {
            archive.publish(frames);
        }
        self.fresh = false;
    }

    /// Takes note that the commit of a staged block failed: it may be in the store or not, which
    /// reopening shows. Everything visible is as before; an archive takes no more blocks until then.
    pub fn abandon(&mut self, staged: UtxoStaged) {
        if let (Some(archive), Some(frames)) = (&mut self.archive, staged.frames) {
            archive.abandon(frames);
        }
    }

    /// Takes back a staged block that was refused, and that no commit was tried of.
    pub fn rollback(&mut self, staged: UtxoStaged) {
        if let (Some(archive), Some(frames)) = (&mut self.archive, staged.frames) {
            archive.rollback(frames);
        }
    }
}
