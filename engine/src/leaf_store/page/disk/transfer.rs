//! Transfers of bytes, continued where the operating system does a part of them.

use super::super::super::StoreError;
use super::failure;
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    path::Path,
};

/// What reads and writes at a position, perhaps fewer bytes than it was asked for.
pub(super) trait Positioned {
    /// Bytes read; 0 at the end of the file.
    fn pread(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Bytes written.
    fn pwrite(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
}

impl Positioned for File {
    fn pread(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buffer, offset)
    }

    fn pwrite(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.write_at(bytes, offset)
    }
}

/// Reads until the buffer is full or the file ends, and gives the bytes that were read.
pub(super) fn fill(file: &impl Positioned, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.pread(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Fills the buffer; an end of the file before that is [`StoreError::Corrupt`].
pub(super) fn read(
    file: &impl Positioned,
    path: &Path,
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), StoreError> {
    let wanted = buffer.len();
    let got = fill(file, offset, buffer)
        .map_err(|error| failure::at("read", path, offset, wanted, &error))?;
    if got < wanted {
        return Err(failure::ended(path, offset, wanted, got));
    }
    Ok(())
}

/// Writes all bytes.
pub(super) fn write(
    file: &impl Positioned,
    path: &Path,
    offset: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let failed = |error: &io::Error| failure::at("write", path, offset, bytes.len(), error);
    let mut done = 0;
    while done < bytes.len() {
        match file.pwrite(&bytes[done..], offset + done as u64) {
            Ok(0) => return Err(failed(&ErrorKind::WriteZero.into())),
            Ok(written) => done += written,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(())
}
