//! Reading a trace file.

use super::TraceFileError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{
    BlockTrace, FOOTER_BYTES, Footer, FrameHeader, IndexEntry, Part, TRACE_HEADER_BYTES,
    TraceError, TraceHeader, decode_frame,
};

/// An open trace. All methods take `&self` and no lock, so threads may share it.
#[derive(Debug)]
pub struct TraceReader {
    pub(super) source: Source,
    pub(super) header: TraceHeader,
    pub(super) entries: Vec<IndexEntry>,
    /// Where the last frame ends.
    pub(super) frames_end: u64,
}

impl TraceReader {
    /// Opens a finished trace. Header, index and footer are checked now, each frame when it is read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TraceFileError> {
        let source = Source::open(path.as_ref())?;
        let header = source.header()?;
        let (entries, frames_end) = source.index()?;
        Ok(Self {
            source,
            header,
            entries,
            frames_end,
        })
    }

    /// What the file says of itself.
    pub const fn header(&self) -> TraceHeader {
        self.header
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// Number of blocks.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no blocks.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers of all blocks, ascending. They may have gaps.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = BlockNumber> + ExactSizeIterator {
        self.entries.iter().map(|entry| entry.number)
    }

    /// The block of this number, `None` where the trace does not hold it.
    pub fn block(&self, number: BlockNumber) -> Result<Option<BlockTrace>, TraceFileError> {
        match self
            .entries
            .binary_search_by_key(&number, |entry| entry.number)
        {
            Ok(position) => self.block_at(position),
            Err(_) => Ok(None),
        }
    }

    /// All blocks in order.
    pub const fn blocks(&self) -> Blocks<'_> {
        Blocks {
            reader: self,
            position: 0,
        }
    }

    /// The blocks from `number` on, or from the first one above it.
    pub fn blocks_from(&self, number: BlockNumber) -> Blocks<'_> {
        Blocks {
            reader: self,
            position: self.entries.partition_point(|entry| entry.number < number),
        }
    }

    /// The block at a position of the index.
    pub(super) fn block_at(&self, position: usize) -> Result<Option<BlockTrace>, TraceFileError> {
        let Some(entry) = self.entries.get(position) else {
            return Ok(None);
        };
        let frame = self.frame(position, entry.offset)?;
        let block =
            decode_frame(&frame, entry.offset).map_err(TraceFileError::format(self.path()))?;
        self.check_number(entry, block.number)?;
        Ok(Some(block))
    }

    /// The header of the frame at a position of the index.
    pub(super) fn frame_header_at(
        &self,
        position: usize,
    ) -> Result<Option<FrameHeader>, TraceFileError> {
        let Some(entry) = self.entries.get(position) else {
            return Ok(None);
        };
        let bytes = self.source.array(Part::FrameHeader, entry.offset)?;
        let header = FrameHeader::decode(&bytes, entry.offset)
            .map_err(TraceFileError::format(self.path()))?;
        Ok(Some(header))
    }

    /// The bytes up to the next frame, so that a frame which ends elsewhere is an error.
    fn frame(&self, position: usize, offset: u64) -> Result<Vec<u8>, TraceFileError> {
        let end = self
            .entries
            .get(position + 1)
            .map_or(self.frames_end, |next| next.offset);
        let length = end.saturating_sub(offset);
        self.source.bytes(Part::FrameHeader, offset, length)
    }

    fn check_number(&self, entry: &IndexEntry, got: BlockNumber) -> Result<(), TraceFileError> {
        if entry.number == got {
            return Ok(());
        }
        Err(TraceFileError::format(self.path())(TraceError::Field {
            part: Part::FrameHeader,
            offset: entry.offset,
            field: "block number of the index",
            expected: entry.number.0,
            got: got.0,
        }))
    }
}

/// Blocks of a trace, in order. Ends after the first error: nothing behind it is trusted.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    reader: &'a TraceReader,
    position: usize,
}

impl Iterator for Blocks<'_> {
    type Item = Result<BlockTrace, TraceFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.reader.block_at(self.position).transpose();
        self.position = match &block {
            Some(Ok(_)) => self.position + 1,
            _ => self.reader.len(),
        };
        block
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.reader.len().saturating_sub(self.position)))
    }
}

impl std::iter::FusedIterator for Blocks<'_> {}

/// A file that is read at offsets.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    pub(super) path: PathBuf,
    /// The file's length when it was opened.
    pub(super) len: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, TraceFileError> {
        let open = || {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(TraceFileError::io("open", path))?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            len,
        })
    }

    pub(super) fn header(&self) -> Result<TraceHeader, TraceFileError> {
        let bytes: [u8; TRACE_HEADER_BYTES] = self.array(Part::FileHeader, 0)?;
        TraceHeader::decode(&bytes).map_err(TraceFileError::format(&self.path))
    }

    /// The index, and where it starts, by way of the footer.
    fn index(&self) -> Result<(Vec<IndexEntry>, u64), TraceFileError> {
        let format = TraceFileError::format(&self.path);
        let footer_at = self.len.saturating_sub(FOOTER_BYTES as u64);
        let footer = self.array(Part::Footer, footer_at)?;
        let footer = Footer::decode(&footer, self.len).map_err(&format)?;
        let index = self.bytes(Part::Index, footer.index_offset, footer.index_len())?;
        let entries = footer.decode_index(&index).map_err(&format)?;
        Ok((entries, footer.index_offset))
    }

    /// The `N` bytes at `offset`.
    pub(super) fn array<const N: usize>(
        &self,
        part: Part,
        offset: u64,
    ) -> Result<[u8; N], TraceFileError> {
        let mut bytes = [0; N];
        self.check_len(part, offset, N as u64)?;
        self.read(part, offset, &mut bytes)?;
        Ok(bytes)
    }

    /// `length` bytes at `offset`. Takes memory only for bytes that the file has.
    pub(super) fn bytes(
        &self,
        part: Part,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, TraceFileError> {
        self.check_len(part, offset, length)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.read(part, offset, &mut bytes)?;
        Ok(bytes)
    }

    fn read(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), TraceFileError> {
        let expected = bytes.len() as u64;
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|error| match error.kind() {
                // The file was cut after it was opened.
                io::ErrorKind::UnexpectedEof => {
                    let len = self.file.metadata().map_or(0, |it| it.len());
                    self.truncated(part, offset, expected, len.saturating_sub(offset))
                }
                _ => TraceFileError::io("read", &self.path)(error),
            })
    }

    fn check_len(&self, part: Part, offset: u64, expected: u64) -> Result<(), TraceFileError> {
        let got = self.len.saturating_sub(offset);
        if got < expected {
            return Err(self.truncated(part, offset, expected, got));
        }
        Ok(())
    }

    fn truncated(&self, part: Part, offset: u64, expected: u64, got: u64) -> TraceFileError {
        TraceFileError::format(&self.path)(TraceError::Truncated {
            part,
            offset,
            expected,
            got,
        })
    }
}
