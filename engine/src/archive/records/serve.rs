//! Serving records and their paths.

use super::{
    RecordArchive, RecordArchiveError,
    archive::{Result, delete},
    filling::{decode_all, decode_one},
    format::Entry,
    segment::Segment,
};
use alloy_primitives::{Address, B256};
use std::{path::Path, sync::PoisonError};
use thinstate_formats::{
    BatchId, BlockNumber, RecordIndex,
    list::ListTree,
    record::{BlockTree, Record, RecordPath, leaf_hashes},
};

impl RecordArchive {
    /// The batch of a record that is sealed.
    fn segment(&self, index: RecordIndex) -> Option<(BatchId, &Segment)> {
        let within = |(_, segment): &(&BatchId, &Segment)| {
            segment
                .indexes()
                .is_some_and(|(first, end)| first <= index && index < end)
        };
        let (batch, segment) = self.sealed.iter().rev().find(within)?;
        Some((*batch, segment))
    }

    /// The records of the block that has this one, and what reads one of them.
    fn with_block<T>(
        &self,
        index: RecordIndex,
        read: impl FnOnce(&Path, &Entry, &[u8]) -> Result<T>,
    ) -> Result<T> {
        let missing = RecordArchiveError::NotArchived { index };
        if let Some((_, segment)) = self.segment(index) {
            let entry = segment.entry(index).ok_or(missing)?;
            return read(&segment.path, &entry, segment.body(&entry)?);
        }
        let filling = self.filling.as_ref().filter(|_| self.position.len > 0);
        let filling = filling.ok_or_else(|| missing.clone())?;
        let entries = &filling.entries;
        let until = entries.partition_point(|entry| entry.range.first_index <= index);
        let entry = until.checked_sub(1).and_then(|at| entries.get(at));
        let entry = entry.filter(|entry| entry.range.position(index).is_some());
        let entry = entry.ok_or(missing)?;
        read(&filling.path, entry, &filling.body(entry)?)
    }

    /// A record.
    pub fn record(&self, index: RecordIndex) -> Result<Record> {
        self.with_block(index, |path, entry, body| {
            let at = entry.range.position(index).unwrap_or_default();
            decode_one(path, entry, body, at)
        })
    }

    /// The path of a record, good for the block after `head`: into the ring while its block is there,
    /// then into its batch. A path that has grown stale is refreshed by asking again.
    pub fn path(&self, index: RecordIndex, head: BlockNumber) -> Result<RecordPath> {
        let tree = self.with_block(index, |path, entry, body| {
            let records = decode_all(path, entry, body)?;
            let hashes = leaf_hashes(&self.hasher, &records).ok();
            let (block, first) = (entry.range.block, entry.range.first_index);
            let tree = hashes.and_then(|h| BlockTree::build(&self.hasher, block, first, h));
            tree.ok_or(RecordArchiveError::NotArchived { index })
        })?;
        let path = tree.path(index);
        let mut path = path.ok_or(RecordArchiveError::NotArchived { index })?;
        let ring_len = u64::from(self.kind.ring_len);
        if path.block.0.saturating_add(ring_len) <= head.0 {
            let batch = BatchId(path.block.0 / ring_len);
            let siblings = self.batch_siblings(batch, (path.block.0 % ring_len) as usize);
            let missing = RecordArchiveError::NotSealed { index, batch };
            path.batch = Some(siblings.ok_or(missing)?);
        }
        Ok(path)
    }

    fn batch_siblings(&self, batch: BatchId, place: usize) -> Option<Vec<B256>> {
        let segment = self.sealed.get(&batch)?;
        let mut last = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(of, _)| *of != batch) {
            *last = Some((batch, ListTree::build(&self.hasher, segment.roots())));
        }
        last.as_ref()?.1.path(place)
    }

    /// Indexes of all records that an owner was ever given, as far as they are archived here.
    pub fn by_owner(&self, owner: Address) -> Result<Vec<RecordIndex>> {
        let mut found = Vec::new();
        for segment in self.sealed.values() {
            for index in segment.candidates(&owner)? {
                if self.record(index)?.owner == owner {
                    found.push(index);
                }
            }
        }
        let Some(filling) = self.filling.as_ref().filter(|_| self.position.len > 0) else {
            return Ok(found);
        };
        if let Some(owners) = &filling.owners {
            let those = owners.iter().filter(|(of, _)| *of == owner);
            found.extend(those.map(|(_, index)| *index));
            return Ok(found);
        }
        for entry in &filling.entries {
            let records = decode_all(&filling.path, entry, &filling.body(entry)?)?;
            let those = records.iter().filter(|record| record.owner == owner);
            found.extend(those.map(|record| record.index));
        }
        Ok(found)
    }

    /// The batches that are sealed and here.
    pub fn batches(&self) -> Vec<BatchId> {
        self.sealed.keys().copied().collect()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        let len = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let sealed: u64 = self.sealed.values().map(|segment| len(&segment.path)).sum();
        sealed + self.filling.as_ref().map_or(0, |filling| filling.len)
    }

    /// Deletes a sealed batch; whether it was here. Its records can then no longer be served.
    pub fn delete(&mut self, batch: BatchId) -> Result<bool> {
        if batch >= self.position.batch {
            return Err(RecordArchiveError::Filling { batch });
        }
        *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.sealed.remove(&batch) {
            None => Ok(false),
            Some(segment) => {
                delete(&segment.path)?;
                Ok(true)
            }
        }
    }
}
