//! Reading the log when a store is opened.

use super::super::super::StoreError;
use super::super::bytes::{Malformed, Parsed};
use super::super::folder::{Folder, SegmentId, SharedFile};
use super::record::{self, Header};
use super::{LogWriter, segment};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes looked at in one go while searching for records behind a damaged one.
const WINDOW_BYTES: u64 = 1 << 20;

/// A record of the log.
pub(in super::super) struct Replayed {
    /// The record up to its far values.
    pub(in super::super) ops: Box<[u8]>,
    pub(in super::super) file: SharedFile,
    /// Where in the file its far values begin.
    pub(in super::super) far_at: u64,
}

/// Records that the device may not have, although they are read: a sync after them may have failed,
/// and the operating system then forgets that it has not written them.
#[derive(Default)]
struct Limbo(VecDeque<Written>);

struct Written {
    sequence: u64,
    file: SharedFile,
    position: u64,
    bytes: usize,
}

impl Limbo {
    fn push(&mut self, written: Written, durable: u64) {
        while self
            .0
            .front()
            .is_some_and(|first| first.sequence <= durable)
        {
            self.0.pop_front();
        }
        self.0.push_back(written);
    }

    /// Writes them again, durably.
    fn settle(self) -> Result<(), StoreError> {
        for Written {
            file,
            position,
            bytes,
            ..
        } in &self.0
        {
            let mut record = vec![0; *bytes];
            file.read_at(*position, &mut record)?;
            file.write_at(*position, &record)?;
        }
        let mut files = self.0.iter().map(|written| &written.file).peekable();
        while let Some(file) = files.next() {
            if files.peek().is_none_or(|next| !Arc::ptr_eq(next, file)) {
                file.sync()?;
            }
        }
        Ok(())
    }
}

/// Hands all records behind `sequence` to `each`, from segment `first` on, and gives the end of the
/// log, where it may be written on. Segments before `first` are removed.
pub(in super::super) fn replay(
    folder: &Folder,
    first: SegmentId,
    sequence: u64,
    key_bytes_max: usize,
    mut each: impl FnMut(Replayed),
) -> Result<LogWriter, StoreError> {
    let files = open_segments(folder, first)?;
    let mut end: Option<(SegmentId, SharedFile, u64)> = None;
    let mut sequence = sequence;
    let mut limbo = Limbo::default();
    let mut older_bytes = 0;
    for (index, (segment, file)) in files.iter().enumerate() {
        if let Some((.., position)) = &end {
            older_bytes += position;
        }
        let mut scan = Scan {
            folder,
            segment: *segment,
            file,
            len: file.len()?,
            key_bytes_max,
        };
        let (position, torn) = scan.records(&mut sequence, &mut limbo, &mut each)?;
        end = Some((*segment, file.clone(), position));
        if let Some(malformed) = torn {
            let later = files[index + 1..].iter();
            let mut is_acknowledged = scan.has_acknowledged(position + 1, sequence + 1)?;
            for (segment, file) in later {
                scan.segment = *segment;
                scan.file = file;
                scan.len = file.len()?;
                is_acknowledged |= scan.has_acknowledged(0, sequence + 1)?;
            }
            if is_acknowledged {
                let place = format!("record {} at byte {position}", sequence + 1);
                return Err(malformed.at(folder.path(), &segment.file_name(), place));
            }
            file.set_len(position)?;
            file.sync()?;
            for (segment, _) in &files[index + 1..] {
                folder.remove_segment(*segment)?;
            }
            folder.sync()?;
            break;
        }
    }
    limbo.settle()?;
    let (segment, file, position) = end.expect("the first segment was opened");
    segment::write_header(segment, &file)?;
    folder.sync()?;
    Ok(LogWriter {
        segment,
        file,
        position,
        older_bytes,
        sequence,
        durable: sequence,
    })
}

/// The segments that count, the first of which must be there.
fn open_segments(
    folder: &Folder,
    first: SegmentId,
) -> Result<Vec<(SegmentId, SharedFile)>, StoreError> {
    let mut files = Vec::new();
    let mut expected = first;
    let segments = folder.segments()?;
    let last = segments.last().copied();
    for segment in segments {
        if segment < first {
            folder.remove_segment(segment)?;
            continue;
        }
        if segment != expected {
            return Err(missing(folder, expected));
        }
        expected = expected.next();
        let file = folder.segment(segment)?;
        let len = file.len()?;
        let mut header = vec![0; len.min(segment::HEADER as u64) as usize];
        file.read_at(0, &mut header)?;
        match segment::check(&header, segment) {
            Ok(()) => files.push((segment, file)),
            // Its making was cut short; no record was ever written to it.
            Err(_) if segment > first && Some(segment) == last && len <= header.len() as u64 => {
                folder.remove_segment(segment)?;
            }
            Err(malformed) => {
                return Err(malformed.at(folder.path(), &segment.file_name(), "header"));
            }
        }
    }
    if files.is_empty() {
        return Err(missing(folder, first));
    }
    Ok(files)
}

fn missing(folder: &Folder, segment: SegmentId) -> StoreError {
    Malformed::new("the file is missing").at(folder.path(), &segment.file_name(), "log segment")
}

/// A walk through one segment.
struct Scan<'a> {
    folder: &'a Folder,
    segment: SegmentId,
    file: &'a SharedFile,
    len: u64,
    key_bytes_max: usize,
}

impl Scan<'_> {
    /// Hands over the records that follow `sequence`, up to the end or the first one that is
    /// damaged; gives where that is, and what is wrong with it.
    fn records(
        &self,
        sequence: &mut u64,
        limbo: &mut Limbo,
        each: &mut impl FnMut(Replayed),
    ) -> Result<(u64, Option<Malformed>), StoreError> {
        let mut position = segment::HEADER as u64;
        while position < self.len {
            let (header, mut bytes) = match self.record(position)? {
                Ok(record) => record,
                Err(malformed) => return Ok((position, Some(malformed))),
            };
            if header.sequence != *sequence + 1 {
                let malformed =
                    Malformed::unequal("sequence of a record", *sequence + 1, header.sequence);
                let place = format!("byte {position}");
                let name = self.segment.file_name();
                return Err(malformed.at(self.folder.path(), &name, place));
            }
            *sequence += 1;
            let written = Written {
                sequence: *sequence,
                file: self.file.clone(),
                position,
                bytes: bytes.len(),
            };
            limbo.push(written, header.durable);
            let far_at = record::HEADER + header.ops_bytes;
            bytes.truncate(far_at);
            each(Replayed {
                ops: bytes.into_boxed_slice(),
                file: self.file.clone(),
                far_at: position + far_at as u64,
            });
            position += header.record_bytes() as u64;
        }
        Ok((position, None))
    }

    /// The record at `position`, checked.
    fn record(&self, position: u64) -> Result<Parsed<(Header, Vec<u8>)>, StoreError> {
        let left = self.len - position;
        if left < record::HEADER as u64 {
            return Ok(Err(Malformed::unequal(
                "bytes of a record",
                record::HEADER,
                left,
            )));
        }
        let mut bytes = vec![0; record::HEADER];
        self.file.read_at(position, &mut bytes)?;
        let header = match Header::decode(&bytes) {
            Ok(header) => header,
            Err(malformed) => return Ok(Err(malformed)),
        };
        if header.record_bytes() as u64 > left {
            let expected = header.record_bytes();
            return Ok(Err(Malformed::unequal("bytes of a record", expected, left)));
        }
        bytes.resize(header.record_bytes(), 0);
        let behind = position + record::HEADER as u64;
        self.file.read_at(behind, &mut bytes[record::HEADER..])?;
        Ok(header
            .check(&bytes, self.key_bytes_max)
            .map(|()| (header, bytes)))
    }

    /// Whether some whole record from byte `from` on says that record `sequence` was on the device.
    fn has_acknowledged(&self, from: u64, sequence: u64) -> Result<bool, StoreError> {
        let mut from = from;
        while from + record::HEADER as u64 <= self.len {
            let mut window = vec![0; (self.len - from).min(WINDOW_BYTES) as usize];
            self.file.read_at(from, &mut window)?;
            let starts = window.windows(4).enumerate();
            for (offset, _) in starts.filter(|(_, bytes)| *bytes == record::MAGIC) {
                let record = self.record(from + offset as u64)?;
                if record.is_ok_and(|(header, _)| header.durable >= sequence) {
                    return Ok(true);
                }
            }
            // The last bytes may be the first ones of a magic.
            from += window.len().saturating_sub(3).max(1) as u64;
        }
        Ok(false)
    }
}
