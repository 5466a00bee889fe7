//! Checking a spend.

use super::{UtxoError, UtxoTier};
use crate::spent::{FieldId, SpentFields};
use rayon::prelude::*;
use std::collections::HashSet;
use thinstate_formats::{
    BlockNumber,
    record::{Record, RecordPath},
};

/// A record that is to be spent, and what shows that it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The record.
    pub record: Record,
    /// Its path; `None` for one of the hybrid window.
    pub path: Option<RecordPath>,
}

impl Spend {
    /// Bytes that the block carries for it.
    pub(super) fn witness_bytes(&self) -> u64 {
        let path = self.path.as_ref().map_or(0, RecordPath::encoded_len);
        (self.record.encoded_len() + path) as u64
    }
}

impl UtxoTier {
    /// Checks that the next block may spend a record, by itself.
    pub fn check_spend(&self, spend: &Spend, spent: &SpentFields) -> Result<(), UtxoError> {
        self.check_record(spend, 0)?;
        self.check_bits(core::slice::from_ref(spend), spent)
            .map(drop)
    }

    /// Checks that all records were appended in earlier blocks, as they are; the hashes that this
    /// took. `appended` is the number of records that the block itself appends.
    pub(super) fn check_records(&self, spends: &[Spend], appended: u64) -> Result<u64, UtxoError> {
        if let Some(hashes) = self.check_together(spends) {
            return Ok(hashes);
        }
        let wrong = spends
            .par_iter()
            .find_map_first(|spend| self.check_record(spend, appended).err());
        // Spends that hold one by one hold together too; were it otherwise, this says what counts.
        wrong.map_or(Ok(0), Err)
    }

    /// Checks that the record was appended in an earlier block, as it is. `appended` is the number of
    /// records that the block itself appends.
    pub(super) fn check_record(&self, spend: &Spend, appended: u64) -> Result<(), UtxoError> {
        let (index, next_index) = (spend.record.index, self.next_index());
        if let Some(beyond) = index.0.checked_sub(next_index.0) {
            return Err(match beyond < appended {
                true => UtxoError::SameBlock { index },
                false => UtxoError::UnknownIndex { index, next_index },
            });
        }
        match &spend.path {
            None => self.check_in_window(&spend.record),
            Some(path) if path.batch.is_none() => self.check_in_ring(&spend.record, path),
            Some(path) => self.check_in_batch(&spend.record, path),
        }
    }

    fn check_in_window(&self, record: &Record) -> Result<(), UtxoError> {
        let index = record.index;
        let Some(expected) = self.window.hash(index) else {
            return Err(UtxoError::NeedsPath {
                index,
                window: self.window_blocks(),
                first: self.window.first().unwrap_or(self.next_index()),
            });
        };
        match record.leaf_hash(&self.hasher) == Ok(expected) {
            true => Ok(()),
            false => Err(UtxoError::Altered { index }),
        }
    }

    /// The last block. A record that exists has one.
    fn head_of(&self, record: &Record) -> Result<(BlockNumber, BlockNumber), UtxoError> {
        let blocks = self.blocks.ok_or(UtxoError::UnknownIndex {
            index: record.index,
            next_index: self.next_index(),
        })?;
        Ok((blocks.oldest_in(&self.ring), blocks.last))
    }

    fn check_in_ring(&self, record: &Record, path: &RecordPath) -> Result<(), UtxoError> {
        let (index, block) = (record.index, path.block);
        let (oldest, head) = self.head_of(record)?;
        if block > head {
            return Err(UtxoError::UnknownBlock { index, block, head });
        }
        if block < oldest {
            let batch = self.ring.batch_of(block);
            return Err(UtxoError::StalePath {
                index,
                block,
                oldest,
                batch,
            });
        }
        // Said first because it is what a path that belongs to another record mostly is.
        if let Some(expected) = self
            .ring
            .block_of(index, oldest, head)
            .filter(|b| *b != block)
        {
            let got = block;
            return Err(UtxoError::WrongBlock {
                index,
                expected,
                got,
            });
        }
        let root = self
            .ring
            .place(block)
            .map_or_else(Default::default, |place| place.root);
        Ok(path.verify_in_ring(&self.hasher, record, root)?)
    }

    fn check_in_batch(&self, record: &Record, path: &RecordPath) -> Result<(), UtxoError> {
        let (index, block) = (record.index, path.block);
        let (_, head) = self.head_of(record)?;
        if block > head {
            return Err(UtxoError::UnknownBlock { index, block, head });
        }
        let batch = self.ring.batch_of(block);
        let root = self.batch_root(batch).ok_or(UtxoError::NotSealed {
            index,
            block,
            batch,
        })?;
        let ring_len = self.rules.ring_len;
        Ok(path.verify_in_batch(&self.hasher, record, ring_len, batch, root)?)
    }

    /// Checks that no record is spent already or twice; their indexes, sorted.
    pub(super) fn check_bits(
        &self,
        spends: &[Spend],
        spent: &SpentFields,
    ) -> Result<Vec<u64>, UtxoError> {
        let mut indexes: Vec<_> = spends.iter().map(|spend| spend.record.index.0).collect();
        indexes.par_sort_unstable();
        let unspent = |index: &u64| spent.is_spent(FieldId::Utxo, *index) == Some(false);
        let twice = indexes.windows(2).any(|pair| pair[0] == pair[1]);
        if !twice && indexes.iter().all(unspent) {
            return Ok(indexes);
        }
        self.check_each_bit(spends, spent)?;
        Ok(indexes)
    }

    /// The first spend, in their order, of a record that is spent already or named twice.
    fn check_each_bit(&self, spends: &[Spend], spent: &SpentFields) -> Result<(), UtxoError> {
        let mut seen = HashSet::with_capacity(spends.len());
        for Spend { record, .. } in spends {
            let index = record.index;
            match spent.is_spent(FieldId::Utxo, index.0) {
                Some(false) => {}
                Some(true) => return Err(UtxoError::AlreadySpent { index }),
                None => {
                    let next_index = self.next_index();
                    return Err(UtxoError::UnknownIndex { index, next_index });
                }
            }
            if !seen.insert(index.0) {
                return Err(UtxoError::DoubleSpend { index });
            }
        }
        Ok(())
    }
}
