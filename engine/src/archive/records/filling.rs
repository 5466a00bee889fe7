//! The file of the batch that is being filled.

use super::{
    RecordArchiveError, RecordArchiveOptions,
    format::{ENTRY_LEN, Entry, FRAME_LEN, Frame, HEADER_LEN, Kind, OWNER_LEN, Trailer},
    format::{check_header, header},
};
use alloy_primitives::{Address, B256};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};
use thinstate_formats::{BatchId, RecordIndex, record::NewRecord};

type Result<T> = core::result::Result<T, RecordArchiveError>;

/// A file that frames are appended to.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Where the next frame begins. What lies beyond is not committed.
    pub(super) len: u64,
    pub(super) entries: Vec<Entry>,
    /// Owners of all records, in order, if they are indexed.
    pub(super) owners: Option<Vec<(Address, RecordIndex)>>,
}

impl Filling {
    /// An empty file, in place of any that is there.
    pub(super) fn create(
        path: PathBuf,
        kind: Kind,
        batch: BatchId,
        options: &RecordArchiveOptions,
    ) -> Result<Self> {
        let mut open = OpenOptions::new();
        let open = open.read(true).write(true).create(true).truncate(true);
        let file = open.open(&path);
        let file = file.map_err(|e| RecordArchiveError::io("create", &path, &e))?;
        file.write_all_at(&header(kind, batch), 0)
            .map_err(|e| RecordArchiveError::io("write", &path, &e))?;
        Ok(Self {
            path,
            file,
            len: HEADER_LEN as u64,
            entries: Vec::new(),
            owners: options.index_owners.then(Vec::new),
        })
    }

    /// A file with `len` bytes that are committed; what lies beyond is cut off.
    pub(super) fn open(
        path: PathBuf,
        kind: Kind,
        batch: BatchId,
        len: u64,
        options: &RecordArchiveOptions,
    ) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|e| RecordArchiveError::io("open", &path, &e))?;
        let there = file.metadata();
        let there = there
            .map_err(|e| RecordArchiveError::io("stat", &path, &e))?
            .len();
        if there < len || len < HEADER_LEN as u64 {
            let what = "bytes of a batch that fills";
            return Err(RecordArchiveError::corrupt(&path, there, what, there, len));
        }
        let mut head = [0; HEADER_LEN];
        read_at(&file, &path, 0, &mut head)?;
        check_header(&path, kind, batch, &head)?;
        let mut filling = Self {
            path,
            file,
            len,
            entries: Vec::new(),
            owners: options.index_owners.then(Vec::new),
        };
        filling.cut(len)?;
        filling.scan()?;
        Ok(filling)
    }

    /// Finds all frames, and their owners if they are indexed.
    fn scan(&mut self) -> Result<()> {
        let mut offset = HEADER_LEN as u64;
        while offset < self.len {
            let frame = read_frame(&self.file, &self.path, offset)?;
            let end = offset + (FRAME_LEN as u64) + u64::from(frame.len);
            if end > self.len {
                let what = "end of a frame";
                return Err(RecordArchiveError::corrupt(
                    &self.path, offset, what, end, self.len,
                ));
            }
            let entry = Entry {
                range: frame.range,
                offset,
            };
            if let Some(owners) = &mut self.owners {
                let body = read_body(&self.file, &self.path, offset, &frame)?;
                let records = decode_all(&self.path, &entry, &body)?;
                owners.extend(records.iter().map(|record| (record.owner, record.index)));
            }
            self.entries.push(entry);
            offset = end;
        }
        Ok(())
    }

    /// Writes at the end, without taking note of it.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(|error| RecordArchiveError::io("write", &self.path, &error))
    }

    pub(super) fn sync(&self) -> Result<()> {
        let synced = self.file.sync_data();
        synced.map_err(|error| RecordArchiveError::io("sync", &self.path, &error))
    }

    /// Cuts the file, with what memory holds of it.
    pub(super) fn cut(&mut self, len: u64) -> Result<()> {
        let cut = self.file.set_len(len);
        cut.map_err(|error| RecordArchiveError::io("cut", &self.path, &error))?;
        self.len = len;
        self.entries.retain(|entry| entry.offset < len);
        let next = self.entries.last().map_or(0, |entry| {
            entry.range.first_index.0 + u64::from(entry.range.count)
        });
        if let Some(owners) = &mut self.owners {
            owners.retain(|(_, index)| index.0 < next);
        }
        Ok(())
    }

    /// The footer and the trailer of the file with one more frame, if any.
    pub(super) fn seal(
        &self,
        last: Option<&super::archive::StagedFrame>,
        roots: &[B256],
    ) -> Vec<u8> {
        let entries = || self.entries.iter().chain(last.map(|frame| &frame.entry));
        let mut owners: Vec<(Address, RecordIndex)> = self.owners.clone().unwrap_or_default();
        if let (Some(last), true) = (last, self.owners.is_some()) {
            owners.extend_from_slice(&last.owners);
        }
        owners.sort_unstable_by_key(|(owner, index)| (owner_key(owner), *index));
        let mut bytes = Vec::with_capacity(
            ENTRY_LEN * (self.entries.len() + 1) + 32 * roots.len() + OWNER_LEN * owners.len() + 40,
        );
        entries().for_each(|entry| entry.encode(&mut bytes));
        bytes.extend(roots.iter().flatten());
        for (owner, index) in &owners {
            bytes.extend_from_slice(&owner_key(owner));
            bytes.extend_from_slice(&index.0.to_le_bytes());
        }
        let trailer = Trailer {
            frames_end: last.map_or(self.len, |frame| frame.end),
            frames: entries().count() as u32,
            owners: owners.len() as u64,
            indexed: self.owners.is_some(),
            checksum: crc32fast::hash(&bytes),
        };
        bytes.extend_from_slice(&trailer.encode());
        bytes
    }

    /// The frame's body, checked.
    pub(super) fn body(&self, entry: &Entry) -> Result<Vec<u8>> {
        let frame = read_frame(&self.file, &self.path, entry.offset)?;
        read_body(&self.file, &self.path, entry.offset, &frame)
    }
}

/// The bytes of an owner by which the index is sorted.
pub(super) fn owner_key(owner: &Address) -> [u8; 8] {
    core::array::from_fn(|i| owner[i])
}

fn read_at(file: &File, path: &Path, offset: u64, bytes: &mut [u8]) -> Result<()> {
    let read = file.read_exact_at(bytes, offset);
    read.map_err(|error| RecordArchiveError::io("read", path, &error))
}

fn read_frame(file: &File, path: &Path, offset: u64) -> Result<Frame> {
    let mut head = [0; FRAME_LEN];
    read_at(file, path, offset, &mut head)?;
    Frame::decode(path, offset, &head)
}

fn read_body(file: &File, path: &Path, offset: u64, frame: &Frame) -> Result<Vec<u8>> {
    let mut body = vec![0; frame.len as usize];
    read_at(file, path, offset + FRAME_LEN as u64, &mut body)?;
    check_body(path, offset, frame, &body)?;
    Ok(body)
}

/// Checks a body against its checksum.
pub(super) fn check_body(path: &Path, offset: u64, frame: &Frame, body: &[u8]) -> Result<()> {
    let (got, expected) = (crc32fast::hash(body), frame.checksum);
    match got == expected {
        true => Ok(()),
        false => {
            let what = "checksum of a frame's body";
            Err(RecordArchiveError::corrupt(
                path, offset, what, got, expected,
            ))
        }
    }
}

/// One record of a body.
pub(super) fn decode_one(
    path: &Path,
    entry: &Entry,
    body: &[u8],
    at: u64,
) -> Result<thinstate_formats::record::Record> {
    let count = u64::from(entry.range.count);
    let record = (|| {
        let (ends, records) = body.split_at_checked(4 * count as usize)?;
        let (ends, _) = ends.as_chunks::<4>();
        let end = |at: u64| {
            ends.get(at as usize)
                .map(|end| u32::from_le_bytes(*end) as usize)
        };
        let start = match at.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        let record = NewRecord::decode(records.get(start..end(at)?)?).ok()?;
        Some(record.at(RecordIndex(entry.range.first_index.0.checked_add(at)?)))
    })();
    record.ok_or_else(|| {
        let what = "record of a frame";
        RecordArchiveError::corrupt(path, entry.offset, what, at, "one that decodes")
    })
}

/// All records of a body.
pub(super) fn decode_all(
    path: &Path,
    entry: &Entry,
    body: &[u8],
) -> Result<Vec<thinstate_formats::record::Record>> {
    let all = 0..u64::from(entry.range.count);
    all.map(|at| decode_one(path, entry, body, at)).collect()
}
