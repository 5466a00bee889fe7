//! An open file: through the page cache, and past it.

use super::super::super::super::StoreError;
use super::super::transfer::{self, fill};
use super::super::{Answer, failure};
use super::cover::{ALIGNMENT, Cover};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Writes past the page cache are copied to aligned memory in pieces of this many bytes.
const PIECE: usize = 1 << 20;

/// The file descriptors of a file.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) path: PathBuf,
    pub(super) cached: File,
    direct: Option<File>,
    /// Some file systems open files for direct transfers and then refuse these.
    is_refused: AtomicBool,
}

impl Handle {
    /// Opens a file, creating an empty one if it is absent.
    pub(super) fn open(path: PathBuf, direct: bool) -> Result<Self, StoreError> {
        let failed = |error| failure::of("open", &path, &error);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let cached = options.open(&path).map_err(failed)?;
        let direct = if direct {
            open_direct(&path).map_err(failed)?
        } else {
            None
        };
        Ok(Self {
            path,
            cached,
            direct,
            is_refused: AtomicBool::new(false),
        })
    }

    /// What goes past the page cache.
    pub(super) fn direct(&self) -> Option<&File> {
        self.direct
            .as_ref()
            .filter(|_| !self.is_refused.load(Relaxed))
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> Result<u64, StoreError> {
        let metadata = self.cached.metadata();
        metadata
            .map(|metadata| metadata.len())
            .map_err(|error| failure::of("stat", &self.path, &error))
    }

    /// Fills the buffer.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        let Some(direct) = self.direct() else {
            return transfer::read(&self.cached, &self.path, offset, buffer);
        };
        let mut cover = Cover::aligned(offset, buffer.len());
        let at = cover.offset();
        let outcome = direct.read_at(cover.memory(), at);
        self.complete(&mut cover, outcome)?;
        buffer.copy_from_slice(cover.wanted());
        Ok(())
    }

    /// The same into memory of its own.
    pub(super) fn read_vec(&self, offset: u64, bytes: usize) -> Answer {
        let mut buffer = vec![0; bytes];
        self.read(offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Ends a read that was begun elsewhere. What it lacks, or all of it if it failed, is read
    /// through the page cache, which continues or names the failure.
    pub(super) fn complete(
        &self,
        cover: &mut Cover,
        outcome: io::Result<usize>,
    ) -> Result<(), StoreError> {
        if let Err(error) = &outcome {
            self.note_refusal(error);
        }
        let (offset, wanted) = cover.request();
        let (at, rest) = cover.rest(outcome.unwrap_or(0));
        let missing = rest.len();
        let more = fill(&self.cached, at, rest)
            .map_err(|error| failure::at("read", &self.path, offset, wanted, &error))?;
        if more < missing {
            let got = wanted - missing + more;
            return Err(failure::ended(&self.path, offset, wanted, got));
        }
        Ok(())
    }

    /// Writes all bytes.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let mut done = 0;
        if is_aligned(offset, bytes) {
            for piece in bytes.chunks(PIECE) {
                let written = self.write_direct(offset + done as u64, piece)?;
                done += written;
                if written < piece.len() {
                    break;
                }
            }
        }
        let offset = offset + done as u64;
        transfer::write(&self.cached, &self.path, offset, &bytes[done..])
    }

    /// Writes what it can past the page cache, and gives the number of bytes.
    fn write_direct(&self, offset: u64, bytes: &[u8]) -> Result<usize, StoreError> {
        let Some(direct) = self.direct() else {
            return Ok(0);
        };
        let mut cover = Cover::aligned(offset, bytes.len());
        cover.memory().copy_from_slice(bytes);
        match direct.write_at(cover.memory(), offset) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) if self.note_refusal(&error) => Ok(0),
            outcome => outcome
                .map_err(|error| failure::at("write", &self.path, offset, bytes.len(), &error)),
        }
    }

    /// Whether the error says that the file system does no direct transfers; if so, none is tried
    /// again.
    fn note_refusal(&self, error: &io::Error) -> bool {
        let is_refusal = self.direct.is_some() && error.kind() == ErrorKind::InvalidInput;
        if is_refusal {
            self.is_refused.store(true, Relaxed);
        }
        is_refusal
    }
}

fn is_aligned(offset: u64, bytes: &[u8]) -> bool {
    offset.is_multiple_of(ALIGNMENT as u64) && bytes.len().is_multiple_of(ALIGNMENT)
}

/// A handle past the page cache, or none where the file system refuses.
#[cfg(target_os = "linux")]
fn open_direct(path: &Path) -> io::Result<Option<File>> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = i32::try_from(OFlags::DIRECT.bits()).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    match options
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)
    {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(None),
        Err(error) => Err(error),
    }
}

/// There is none.
#[cfg(not(target_os = "linux"))]
fn open_direct(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}
