//! The log: frames back to back.

use super::Update;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Bytes before the updates of a frame.
pub(crate) const HEADER_BYTES: usize = 24;
/// Bytes of an update.
pub(crate) const UPDATE_BYTES: usize = 64;

#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    blocks: u64,
    frame: Vec<u8>,
}

impl LogFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::create_new(path)?,
            blocks: 0,
            frame: Vec::new(),
        })
    }

    /// Writes a frame, which is not durable yet; returns its length.
    pub(crate) fn append(&mut self, updates: &[Update]) -> io::Result<u64> {
        let frame = &mut self.frame;
        frame.clear();
        frame.reserve(HEADER_BYTES + UPDATE_BYTES * updates.len());
        frame.resize(HEADER_BYTES, 0);
        for (key, value) in updates {
            frame.extend_from_slice(key.as_slice());
            frame.extend_from_slice(value.as_slice());
        }
        let checksum = crc32fast::hash(&frame[HEADER_BYTES..]);
        frame[..8].copy_from_slice(&self.blocks.to_le_bytes());
        frame[8..16].copy_from_slice(&(updates.len() as u64).to_le_bytes());
        frame[16..20].copy_from_slice(&checksum.to_le_bytes());
        self.file.write_all(frame)?;
        self.blocks += 1;
        Ok(frame.len() as u64)
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
