//! The write-ahead log: one record for each commit, in segments.
//!
//! A segment is a file `log-NNNNNNNN`: a header of [`segment::HEADER`] bytes, then records. Each
//! checkpoint begins a new segment, and those before it go once the checkpoint is durable and no
//! snapshot reads large values from them.
//!
//! What a power cut leaves at the end of the last segment is cut off at the next opening. A record
//! that is damaged although a later one says that it had reached the device is an error: it was
//! acknowledged.

pub(super) mod record;
mod replay;
mod segment;

pub(super) use replay::replay;
pub(super) use segment::{HEADER as SEGMENT_HEADER, create};

use super::super::{Batch, StoreError};
use super::folder::{SegmentId, SharedFile};
use super::shared::Work;
use core::sync::atomic::Ordering::Relaxed;
use record::Encoded;

/// The end of the log.
pub(super) struct LogWriter {
    pub(super) segment: SegmentId,
    pub(super) file: SharedFile,
    /// Where the next record goes.
    pub(super) position: u64,
    /// Bytes of segments before this one that were found at opening, until a checkpoint begins.
    pub(super) older_bytes: u64,
    /// Of the last record.
    pub(super) sequence: u64,
    /// The last one that is on the device.
    pub(super) durable: u64,
}

/// A record that was written, as memory keeps it.
pub(super) struct Appended {
    pub(super) ops: Box<[u8]>,
    /// Where in the file its far values begin.
    pub(super) far_at: u64,
}

impl LogWriter {
    pub(super) fn encode(&self, batch: &Batch) -> Result<Encoded, StoreError> {
        record::encode(batch, self.sequence + 1, self.durable)
    }

    /// Writes a record in one write. It is durable once [`Self::sync`] has answered.
    pub(super) fn append(&mut self, encoded: Encoded, work: &Work) -> Result<Appended, StoreError> {
        let Encoded { mut bytes, far_at } = encoded;
        work.log_writes.fetch_add(1, Relaxed);
        work.log_bytes.fetch_add(bytes.len() as u64, Relaxed);
        self.file.write_at(self.position, &bytes)?;
        self.sequence += 1;
        let far_position = self.position + far_at as u64;
        self.position += bytes.len() as u64;
        bytes.truncate(far_at);
        Ok(Appended {
            ops: bytes.into_boxed_slice(),
            far_at: far_position,
        })
    }

    /// Waits until the device has all records.
    pub(super) fn sync(&mut self, work: &Work) -> Result<(), StoreError> {
        if self.durable < self.sequence {
            work.log_syncs.fetch_add(1, Relaxed);
            self.file.sync()?;
            self.durable = self.sequence;
        }
        Ok(())
    }

    /// Goes on in a new segment.
    pub(super) fn rotate(&mut self, segment: SegmentId, file: SharedFile) {
        self.segment = segment;
        self.file = file;
        self.position = segment::HEADER as u64;
        self.older_bytes = 0;
    }

    /// Bytes that a checkpoint that begins now makes needless.
    pub(super) const fn bytes(&self) -> u64 {
        self.older_bytes + self.position
    }
}
