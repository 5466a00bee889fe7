//! Reading the log when a store is opened.

use super::super::super::StoreError;
use super::super::bytes::{Malformed, Parsed};
use super::super::folder::{Folder, SegmentId, SharedFile};
use super::record::{self, Header};
use super::{LogWriter, segment};

/// Bytes read in one go, but for records.
const WINDOW_BYTES: u64 = 1 << 20;

/// A record of the log.
pub(in super::super) struct Replayed {
    /// The record up to its far values.
    pub(in super::super) ops: Box<[u8]>,
    pub(in super::super) file: SharedFile,
    /// Where in the file its far values begin.
    pub(in super::super) far_at: u64,
}

/// Hands all records behind `sequence` to `each`, from segment `first` on, and gives the end of the
/// log, where it may be written on. Segments before `first` are removed; the others are durable then,
/// whatever the process before knew of them.
pub(in super::super) fn replay(
    folder: &Folder,
    first: SegmentId,
    sequence: u64,
    key_bytes_max: usize,
    mut each: impl FnMut(Replayed),
) -> Result<LogWriter, StoreError> {
    let files = open_segments(folder, first)?;
    let mut kept = Vec::new();
    let mut sequence = sequence;
    for (index, (segment, file)) in files.iter().enumerate() {
        let mut scan = Scan {
            folder,
            segment: *segment,
            file,
            len: file.len()?,
            key_bytes_max,
        };
        let (position, torn) = scan.records(&mut sequence, &mut each)?;
        kept.push((*segment, file, position));
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
            for (segment, _) in &files[index + 1..] {
                folder.remove_segment(*segment)?;
            }
            break;
        }
    }
    for (_, file, end) in &kept {
        make_sure(file, *end)?;
    }
    folder.sync()?;
    let (segment, file, position) = kept.pop().expect("the first segment was opened");
    Ok(LogWriter {
        segment,
        file: file.clone(),
        position,
        sequence,
        durable: sequence,
    })
}

/// Makes the bytes of a file up to `end` durable, although they may be there already.
///
/// A sync alone would not do: after one that failed the operating system takes what it could not
/// write for written, and shows it for as long as it has memory for it. Records that follow would
/// then stand behind others that are gone after a power cut.
fn make_sure(file: &SharedFile, end: u64) -> Result<(), StoreError> {
    let mut at = 0;
    while at < end {
        let mut window = vec![0; (end - at).min(WINDOW_BYTES) as usize];
        file.read_at(at, &mut window)?;
        file.write_at(at, &window)?;
        at += window.len() as u64;
    }
    file.sync()
}

/// The segments that count, the first of which must be there.
fn open_segments(
    folder: &Folder,
    first: SegmentId,
) -> Result<Vec<(SegmentId, SharedFile)>, StoreError> {
    let mut files = Vec::new();
    let mut expected = first;
    for segment in folder.segments()? {
        if segment < first {
            folder.remove_segment(segment)?;
            continue;
        }
        if segment != expected {
            return Err(missing(folder, expected));
        }
        expected = expected.next();
        let file = folder.segment(segment)?;
        let mut header = vec![0; (file.len()?).min(segment::HEADER as u64) as usize];
        file.read_at(0, &mut header)?;
        match segment::check(&header, segment) {
            Ok(()) => files.push((segment, file)),
            // Its making was cut short; nothing was ever written to it.
            Err(_) if segment > first && header.iter().all(|byte| *byte == 0) => {
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
