//! Checkpoints: the live entries, written out little by little, so that opening need not replay
//! a period from its first block.
//!
//! A checkpoint is of a block, its *base*, and covers the entries that the live periods have by
//! then. They are written in the order of their ids, some with each block from the base on, as they
//! are when it is their turn. The base's own values are not needed: the logs after it are replayed on
//! top, and every entry ends with the value that it was given last. The newest checkpoint whose last
//! entries are older than any block that can be undone is the one in *use*; the logs up to its
//! base are deleted, all in one operation.
//!
//! ```text
//! table periods
//! "c" | base u64 BE | period u64 BE | first id u32 BE     entries: for each, location 32 | value;
//!                                                         crc32 u32 LE
//! "k" | base u64 BE                    once all entries are written:
//!     in use u8 | last block written in u64 LE | live root after the base 32
//!     | for each period, the older first: period u64 LE | entries u32 LE | log bytes u64 LE
//!     | crc32 u32 LE
//! ```
//!
//! One is begun when the log since the last base is a multiple of the live entries, so that writing
//! it costs a fraction of what the log did. None is begun while a period is frozen, and one that is
//! not finished when a period ends is given up: a checkpoint covers all that is not sealed. Undoing
//! a block of those that it was written with gives it up too.

use super::{
    bytes::{DecodeError, Reader, put_value},
    entries::EntryId,
    live::Live,
    log::{check_crc, log_key, seal_crc},
    period::Period,
    tier::TemporaryTier,
};
use crate::leaf_store::{Batch, StoreError, Table};
use alloy_primitives::B256;
use thinstate_formats::{BlockNumber, PeriodId};

/// The first byte of the keys of entries.
pub(super) const ENTRIES_KEY: u8 = b'c';
/// The first byte of a header's key.
pub(super) const CHECKPOINT_KEY: u8 = b'k';

/// A period in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) id: PeriodId,
    pub(super) entries: u32,
    /// Bytes of all its logs up to the base, which are deleted.
    pub(super) log_bytes: u64,
}

/// A checkpoint whose entries are all written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) in_use: bool,
    pub(super) base: BlockNumber,
    /// The block with which the last entries were written.
    pub(super) end: BlockNumber,
    pub(super) root: B256,
    /// The older first.
    pub(super) periods: Vec<Covered>,
}

/// One that is being written.
#[derive(Clone, Debug)]
struct Making {
    checkpoint: Checkpoint,
    /// The period, by its place, and the entry that come next.
    next: (usize, u32),
    /// Bytes logged since the base.
    logged: u64,
}

/// All there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkpoints {
    pub(super) in_use: Option<Checkpoint>,
    /// Written, and too young to be used.
    pub(super) young: Option<Checkpoint>,
    making: Option<Making>,
    /// Bytes logged since the base of the last one.
    pub(super) logged: u64,
}

impl TemporaryTier {
    /// A block's share of the work, after its writes; the entries written.
    pub(super) fn advance_checkpoint(
        &mut self,
        block: BlockNumber,
        logged: u64,
        rotated: bool,
        batch: &mut Batch,
    ) -> u64 {
        self.checkpoints.logged += logged;
        if let Some(making) = &mut self.checkpoints.making {
            making.logged += logged;
        }
        if rotated {
            self.checkpoints.give_up_making(batch);
        }
        self.use_young(block, batch);
        if self.checkpoint_is_due() {
            self.begin_checkpoint(block, batch);
        }
        self.write_entries(block, batch)
    }

    fn checkpoint_is_due(&self) -> bool {
        let Checkpoints { young, making, .. } = &self.checkpoints;
        if self.limits.checkpoint_entries_per_block == 0
            || self.frozen.is_some()
            || young.is_some()
            || making.is_some()
        {
            return false;
        }
        let entries = self.live.periods().map(|period| period.entries.len());
        let bytes = 64 * entries.map(u64::from).sum::<u64>();
        self.checkpoints.logged > bytes.saturating_mul(self.limits.checkpoint_log_factor)
    }

    fn begin_checkpoint(&mut self, block: BlockNumber, batch: &mut Batch) {
        // What a crash left of one that was not finished.
        let in_use = self.checkpoints.in_use.as_ref();
        let from = in_use.map_or(0, |checkpoint| checkpoint.base.0 + 1);
        let from = entries_key(BlockNumber(from), PeriodId(0), 0);
        batch.delete_range(Table::Periods, from, [ENTRIES_KEY + 1]);
        let covered = |period: &Period| Covered {
            id: period.id,
            entries: period.entries.len(),
            log_bytes: period.log_bytes,
        };
        let checkpoint = Checkpoint {
            in_use: false,
            base: block,
            end: block,
            root: self.root,
            periods: self.live.periods().map(covered).collect(),
        };
        self.checkpoints.making = Some(Making {
            checkpoint,
            next: (0, 0),
            logged: 0,
        });
    }

    fn write_entries(&mut self, block: BlockNumber, batch: &mut Batch) -> u64 {
        let Some(mut making) = self.checkpoints.making.take() else {
            return 0;
        };
        let mut room = self.limits.checkpoint_entries_per_block;
        while let Some(covered) = making.checkpoint.periods.get(making.next.0) {
            let first = making.next.1;
            let len = u64::from(covered.entries - first).min(room) as u32;
            if let Some(period) = self.live.periods().find(|p| p.id == covered.id)
                && len > 0
            {
                put_entries(batch, making.checkpoint.base, period, first, len);
            }
            room -= u64::from(len);
            if first + len < covered.entries {
                making.next.1 += len;
                break;
            }
            making.next = (making.next.0 + 1, 0);
        }
        let written = self.limits.checkpoint_entries_per_block - room;
        if making.next.0 < making.checkpoint.periods.len() {
            self.checkpoints.making = Some(making);
        } else {
            let mut checkpoint = making.checkpoint;
            checkpoint.end = block;
            checkpoint.put(batch);
            self.checkpoints.logged = making.logged;
            self.checkpoints.young = Some(checkpoint);
        }
        written
    }

    /// Makes use of the one that is old enough by now, and deletes what it replaces.
    fn use_young(&mut self, block: BlockNumber, batch: &mut Batch) {
        let undo_blocks = self.limits.undo_blocks;
        let old_enough =
            |young: &mut Checkpoint| young.end.0.saturating_add(undo_blocks) <= block.0;
        let Some(mut young) = self.checkpoints.young.take_if(old_enough) else {
            return;
        };
        if let Some(former) = self.checkpoints.in_use.take() {
            former.delete(batch);
        }
        young.in_use = true;
        young.put(batch);
        let (Some(oldest), Some(newest)) = (young.periods.first(), young.periods.last()) else {
            return;
        };
        let from = log_key(oldest.id, BlockNumber(0));
        let to = log_key(newest.id, BlockNumber(young.base.0.saturating_add(1)));
        batch.delete_range(Table::Temporary, from, to);
        self.checkpoints.in_use = Some(young);
    }

    /// Bytes of a period's logs that a checkpoint has made superfluous.
    pub(super) fn log_bytes_dropped(&self, period: PeriodId) -> u64 {
        let in_use = self.checkpoints.in_use.iter();
        let mut covered = in_use.flat_map(|checkpoint| &checkpoint.periods);
        let covered = covered.find(|covered| covered.id == period);
        covered.map_or(0, |covered| covered.log_bytes)
    }
}

/// Entries of a past that go into one key, and keys that go into one batch.
const PAST_ENTRIES: u32 = 8_192;
const PAST_KEYS: u32 = 64;

impl Checkpoints {
    /// The checkpoint of a past, in use from the first: its entries are written by `commit`, the
    /// header is added to `last`.
    pub(super) fn of_past(
        base: BlockNumber,
        root: B256,
        live: &Live,
        commit: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
        last: &mut Batch,
    ) -> Result<Self, StoreError> {
        let mut left_over = Batch::default();
        left_over.delete_range(Table::Periods, [ENTRIES_KEY], [ENTRIES_KEY + 1]);
        commit(left_over)?;
        let mut periods = Vec::new();
        for period in live.periods() {
            let entries = period.entries.len();
            for firsts in (0..entries.div_ceil(PAST_ENTRIES)).step_by(PAST_KEYS as usize) {
                let mut batch = Batch::default();
                for key in firsts..firsts + PAST_KEYS {
                    let first = key.saturating_mul(PAST_ENTRIES);
                    if first < entries {
                        let len = PAST_ENTRIES.min(entries - first);
                        put_entries(&mut batch, base, period, first, len);
                    }
                }
                commit(batch)?;
            }
            periods.push(Covered {
                id: period.id,
                entries,
                log_bytes: 0,
            });
        }
        let checkpoint = Checkpoint {
            in_use: true,
            base,
            end: base,
            root,
            periods,
        };
        checkpoint.put(last);
        Ok(Self {
            in_use: Some(checkpoint),
            ..Self::default()
        })
    }

    fn give_up_making(&mut self, batch: &mut Batch) {
        if let Some(making) = self.making.take() {
            making.checkpoint.delete_entries(batch);
        }
    }

    /// A block is undone.
    pub(super) fn undo(&mut self, block: BlockNumber, batch: &mut Batch) {
        self.give_up_making(batch);
        if let Some(young) = self.young.take_if(|young| block <= young.end) {
            young.delete(batch);
        }
    }

    /// A period is sealed: its entries are not needed any more.
    pub(super) fn seal(&mut self, id: PeriodId, batch: &mut Batch) {
        for checkpoint in [&mut self.in_use, &mut self.young] {
            let Some(there) = checkpoint else {
                continue;
            };
            let after = PeriodId(id.0.saturating_add(1));
            let (from, to) = (
                entries_key(there.base, id, 0),
                entries_key(there.base, after, 0),
            );
            batch.delete_range(Table::Periods, from, to);
            if there.periods.iter().all(|covered| covered.id <= id) {
                there.delete(batch);
                *checkpoint = None;
            }
        }
    }
}

impl Checkpoint {
    fn put(&self, batch: &mut Batch) {
        let key = checkpoint_key(self.base);
        let mut value = vec![u8::from(self.in_use)];
        value.extend_from_slice(&self.end.0.to_le_bytes());
        value.extend_from_slice(self.root.as_slice());
        for covered in &self.periods {
            value.extend_from_slice(&covered.id.0.to_le_bytes());
            value.extend_from_slice(&covered.entries.to_le_bytes());
            value.extend_from_slice(&covered.log_bytes.to_le_bytes());
        }
        seal_crc(&key, &mut value);
        batch.put(Table::Periods, key, value);
    }

    fn delete(&self, batch: &mut Batch) {
        batch.delete(Table::Periods, checkpoint_key(self.base));
        self.delete_entries(batch);
    }

    fn delete_entries(&self, batch: &mut Batch) {
        let after = BlockNumber(self.base.0.saturating_add(1));
        let (from, to) = (
            entries_key(self.base, PeriodId(0), 0),
            entries_key(after, PeriodId(0), 0),
        );
        batch.delete_range(Table::Periods, from, to);
    }

    pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(key);
        reader.take(1, "a kind of key")?;
        let base = BlockNumber(u64::from_be_bytes(reader.array("a block number")?));
        let mut reader = Reader::new(check_crc(key, value)?);
        let [in_use] = reader.array("0 or 1")?;
        let end = BlockNumber(u64::from_le_bytes(reader.array("a block number")?));
        let root = reader.hash("a live root")?;
        let mut periods = Vec::new();
        while !reader.is_done() {
            periods.push(Covered {
                id: PeriodId(u64::from_le_bytes(reader.array("a period")?)),
                entries: u32::from_le_bytes(reader.array("a number of entries")?),
                log_bytes: u64::from_le_bytes(reader.array("a number of bytes")?),
            });
        }
        Ok(Self {
            in_use: in_use == 1,
            base,
            end,
            root,
            periods,
        })
    }
}

fn put_entries(batch: &mut Batch, base: BlockNumber, period: &Period, first: u32, len: u32) {
    let key = entries_key(base, period.id, first);
    let mut value = Vec::new();
    for id in first..first + len {
        let entry = period.entries.entry(EntryId(id));
        value.extend_from_slice(entry.location.as_slice());
        put_value(&mut value, &entry.value);
    }
    seal_crc(&key, &mut value);
    batch.put(Table::Periods, key, value);
}

/// Adds entries that were written out, in the order of their ids.
pub(super) fn read_entries(
    key: &[u8],
    value: &[u8],
    period: &mut Period,
) -> Result<(), DecodeError> {
    let expected = entries_key_first(key)?;
    let mut reader = Reader::new(check_crc(key, value)?);
    if expected != period.entries.len() {
        return Err(reader.expected("the entry after the last one"));
    }
    while !reader.is_done() {
        let location = reader.hash("a location")?;
        let value = reader.value()?;
        if period.entries.find(&location).is_some() {
            return Err(reader.expected("a location that was not there before"));
        }
        period.entries.push(location, value);
    }
    Ok(())
}

fn entries_key_first(key: &[u8]) -> Result<u32, DecodeError> {
    let mut reader = Reader::new(key);
    reader.take(17, "a kind of key, a block and a period")?;
    Ok(u32::from_be_bytes(reader.array("an entry")?))
}

/// Where the entries of a period lie from one on.
pub(super) fn entries_key(base: BlockNumber, period: PeriodId, first: u32) -> [u8; 21] {
    let mut key = [ENTRIES_KEY; 21];
    key[1..9].copy_from_slice(&base.0.to_be_bytes());
    key[9..17].copy_from_slice(&period.0.to_be_bytes());
    key[17..].copy_from_slice(&first.to_be_bytes());
    key
}

fn checkpoint_key(base: BlockNumber) -> [u8; 9] {
    let mut key = [CHECKPOINT_KEY; 9];
    key[1..].copy_from_slice(&base.0.to_be_bytes());
    key
}
