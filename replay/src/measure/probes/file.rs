//! A small file of `/proc` or `/sys` that is read again and again.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

/// More than any of them has.
const BYTES_MAX: usize = 1024;

/// The file, held open.
#[derive(Debug)]
pub(super) struct ProbeFile {
    file: File,
    buffer: [u8; BYTES_MAX],
}

impl ProbeFile {
    /// `None` where there is no such file.
    pub(super) fn open(path: &Path) -> Option<Self> {
        Some(Self {
            file: File::open(path).ok()?,
            buffer: [0; BYTES_MAX],
        })
    }

    /// What it says now.
    pub(super) fn text(&mut self) -> Option<&str> {
        let length = self.file.read_at(&mut self.buffer, 0).ok()?;
        std::str::from_utf8(self.buffer.get(..length)?).ok()
    }
}
