//! Writing a trace file.

use super::TraceFileError;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use thinstate_formats::trace::{BlockTrace, IndexEntry, TraceHeader, encode_frame, encode_tail};

/// Writes a trace, block after block.
///
/// Dropped without [`Self::finish`] it leaves the partial file, which
/// [`TraceReader::recover`](super::TraceReader::recover) opens.
#[derive(Debug)]
pub struct TraceWriter {
    file: File,
    path: PathBuf,
    partial: PathBuf,
    entries: Vec<IndexEntry>,
    /// Where the next frame goes.
    offset: u64,
    poisoned: bool,
}

/// Where the trace for `path` is while it is not finished: beside it, with `.partial` appended.
pub fn partial_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

impl TraceWriter {
    /// Starts a trace that will be `path`, and replace what is there, once finished.
    ///
    /// An unfinished trace for the same path is not overwritten: it may be all that is left of a
    /// long run. Recover or remove it first.
    pub fn create(path: impl Into<PathBuf>, header: TraceHeader) -> Result<Self, TraceFileError> {
        let path = path.into();
        let partial = partial_path(&path);
        let file = File::create_new(&partial).map_err(TraceFileError::io("create", &partial))?;
        let mut writer = Self {
            file,
            path,
            partial,
            entries: Vec::new(),
            offset: 0,
            poisoned: false,
        };
        writer.append(&header.encode())?;
        Ok(writer)
    }

    /// Appends a block, whose number must be above the last one's.
    pub fn push(&mut self, block: &BlockTrace) -> Result<(), TraceFileError> {
        self.check_open()?;
        if let Some(last) = self.entries.last()
            && last.number >= block.number
        {
            return Err(TraceFileError::BlockOrder {
                path: self.partial.clone(),
                previous: last.number,
                got: block.number,
            });
        }
        let frame = encode_frame(block).map_err(|source| TraceFileError::Encode {
            path: self.partial.clone(),
            source,
        })?;
        let entry = IndexEntry {
            number: block.number,
            offset: self.offset,
        };
        self.append(&frame)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes index and footer, waits until all is on disk, and gives the file its name.
    pub fn finish(mut self) -> Result<PathBuf, TraceFileError> {
        self.check_open()?;
        let tail = encode_tail(&self.entries, self.offset);
        self.append(&tail)?;
        self.file
            .sync_all()
            .map_err(TraceFileError::io("sync", &self.partial))?;
        fs::rename(&self.partial, &self.path)
            .map_err(TraceFileError::io("rename to", &self.path))?;
        sync_parent(&self.path)?;
        Ok(self.path)
    }

    /// Number of blocks so far.
    pub const fn blocks(&self) -> usize {
        self.entries.len()
    }

    /// Bytes so far.
    pub const fn bytes(&self) -> u64 {
        self.offset
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), TraceFileError> {
        if let Err(error) = self.file.write_all(bytes) {
            self.poisoned = true;
            return Err(TraceFileError::io("write to", &self.partial)(error));
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn check_open(&self) -> Result<(), TraceFileError> {
        if self.poisoned {
            return Err(TraceFileError::Poisoned {
                path: self.partial.clone(),
            });
        }
        Ok(())
    }
}

/// A rename is on disk once its directory is.
fn sync_parent(path: &Path) -> Result<(), TraceFileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(TraceFileError::io("sync", parent))
}
