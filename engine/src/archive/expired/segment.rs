//! A segment: one append-only file of records.

use super::{
    error::{ExpiredError, io},
    record::{HEAD_LEN_MAX, Head, Subtree},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"tsexpird";
const VERSION: u32 = 1;
const HEADER_LEN: usize = 8 + 4 + 4 + 4;
const _: () = assert!(HEADER_LEN == 20);

/// An open segment, as far as it is committed.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    len: u64,
}

fn path_of(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("expired-{number:08}.seg"))
}

/// Numbers of the segments in `dir`, ascending.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>, ExpiredError> {
    let failed = |e| io("list", dir, &e);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| {
            let digits = name.strip_prefix("expired-")?.strip_suffix(".seg")?;
            digits.parse::<u32>().ok()
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes a segment's file.
pub(super) fn remove(dir: &Path, number: u32) -> Result<(), ExpiredError> {
    let path = path_of(dir, number);
    fs::remove_file(&path).map_err(|e| io("delete", &path, &e))
}

fn header(number: u32) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&number.to_le_bytes());
    let checksum = crc32fast::hash(&header);
    header.extend_from_slice(&checksum.to_le_bytes());
    header
}

impl Segment {
    /// Begins a segment, in place of one that was begun and never committed.
    pub(super) fn create(dir: &Path, number: u32) -> Result<Self, ExpiredError> {
        let path = path_of(dir, number);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(|e| io("create", &path, &e))?;
        let segment = Self {
            path,
            file,
            len: HEADER_LEN as u64,
        };
        segment.write_at(0, &header(number))?;
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|e| io("sync", dir, &e))?;
        Ok(segment)
    }

    /// Opens a segment; cuts it to `committed` where that is given.
    pub(super) fn open(
        dir: &Path,
        number: u32,
        committed: Option<u64>,
    ) -> Result<Self, ExpiredError> {
        let path = path_of(dir, number);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|e| io("open", &path, &e))?;
        let got = file.metadata().map_err(|e| io("open", &path, &e))?.len();
        let len = committed.unwrap_or(got);
        if got < len {
            return Err(ExpiredError::Short {
                path,
                expected: len,
                got,
            });
        }
        if got > len {
            let cut = file.set_len(len).and_then(|()| file.sync_all());
            cut.map_err(|e| io("cut", &path, &e))?;
        }
        let segment = Self { path, file, len };
        segment.check_header(number)?;
        Ok(segment)
    }

    fn check_header(&self, number: u32) -> Result<(), ExpiredError> {
        let expected = header(number);
        let got = self.bytes(0, HEADER_LEN as u64)?;
        if got == expected {
            return Ok(());
        }
        let version = got.get(8..12).and_then(|v| v.try_into().ok());
        match version.map(u32::from_le_bytes) {
            Some(version) if got.starts_with(MAGIC) && version != VERSION => {
                Err(ExpiredError::Version {
                    path: self.path.clone(),
                    expected: VERSION,
                    got: version,
                })
            }
            _ => Err(self.corrupt(0, "the header does not decode")),
        }
    }

    /// Bytes, header included.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) const fn set_len(&mut self, len: u64) {
        self.len = len;
    }

    pub(super) fn corrupt(&self, offset: u64, reason: &'static str) -> ExpiredError {
        ExpiredError::Corrupt {
            path: self.path.clone(),
            offset,
            reason,
        }
    }

    /// Writes at `offset`, durably, and cuts off what lies behind.
    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), ExpiredError> {
        let written = self
            .file
            .set_len(offset)
            .and_then(|()| self.file.write_all_at(bytes, offset))
            .and_then(|()| self.file.sync_data());
        written.map_err(|e| io("write", &self.path, &e))
    }

    fn bytes(&self, offset: u64, len: u64) -> Result<Vec<u8>, ExpiredError> {
        let held = self.len.saturating_sub(offset);
        if held < len {
            return Err(self.corrupt(offset, "it ends too early"));
        }
        let mut bytes = vec![0; len as usize];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|e| io("read", &self.path, &e))?;
        Ok(bytes)
    }

    /// The head of the record at `offset`, and where its entries begin.
    pub(super) fn head(&self, offset: u64) -> Result<(Head, u64), ExpiredError> {
        let held = self.len.saturating_sub(offset).min(HEAD_LEN_MAX as u64);
        let head = Head::decode(&self.bytes(offset, held)?);
        let head = head.map_err(|reason| self.corrupt(offset, reason))?;
        Ok((head, offset + head.len))
    }

    /// The record with this head, whose entries begin at `at`.
    pub(super) fn entries(&self, head: Head, at: u64) -> Result<Subtree, ExpiredError> {
        let offset = at - head.len;
        let bytes = self.bytes(at, head.rest_bytes())?;
        head.with_entries(&bytes)
            .map_err(|reason| self.corrupt(offset, reason))
    }

    /// Visits the head of every record with its offset.
    pub(super) fn for_each_head(
        &self,
        mut visit: impl FnMut(&Head, u64),
    ) -> Result<(), ExpiredError> {
        let failed = |e: std::io::Error| io("read", &self.path, &e);
        let mut reader = BufReader::with_capacity(1 << 18, &self.file);
        let mut offset = HEADER_LEN as u64;
        std::io::Seek::seek(&mut reader, std::io::SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::with_capacity(HEAD_LEN_MAX);
        while offset < self.len {
            bytes.clear();
            let held = (self.len - offset).min(HEAD_LEN_MAX as u64);
            let read = Read::take(&mut reader, held).read_to_end(&mut bytes);
            let got = read.map_err(failed)? as u64;
            let head = Head::decode(&bytes).map_err(|reason| self.corrupt(offset, reason))?;
            let next = offset + head.record_bytes();
            if next > self.len {
                return Err(self.corrupt(offset, "the record is longer than the segment"));
            }
            visit(&head, offset);
            let skip = next as i64 - (offset + got) as i64;
            reader.seek_relative(skip).map_err(failed)?;
            offset = next;
        }
        Ok(())
    }
}
