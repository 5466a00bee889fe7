//! Opening what a killed writer left, or a trace of which a part is damaged.

use super::reader::Source;
use super::{TraceFileError, TraceReader};
use std::path::Path;
use thinstate_formats::trace::{
    FRAME_HEADER_BYTES, FrameHeader, IndexEntry, Part, TRACE_HEADER_BYTES, TraceError, starts_index,
};

/// What recovery found.
#[derive(Debug)]
pub struct Recovery {
    /// Frames that are whole, from the first on.
    pub blocks: usize,
    /// Offset from which on nothing is trusted: where those frames end, or the file's own end where
    /// it is finished and whole.
    pub trusted_bytes: u64,
    /// Length of the file.
    pub file_bytes: u64,
    /// What was met there; `None` where the file is finished and whole.
    pub cause: Option<TraceFileError>,
}

impl TraceReader {
    /// Opens a trace with as many blocks as are whole, by the checksums of one frame after another.
    ///
    /// The file is not changed. Only a bad file header is an error: without it nothing is known of
    /// the rest.
    pub fn recover(path: impl AsRef<Path>) -> Result<(Self, Recovery), TraceFileError> {
        let source = Source::open(path.as_ref())?;
        let header = source.header()?;
        let mut scan = Scan::run(&source);
        // A bad frame comes before what strict opening finds wrong at the end of the file.
        let cause = scan.stop.take().or_else(|| Self::open(path).err());
        let recovery = Recovery {
            blocks: scan.entries.len(),
            trusted_bytes: match cause {
                Some(_) => scan.offset,
                None => source.len,
            },
            file_bytes: source.len,
            cause,
        };
        let reader = Self {
            header,
            entries: scan.entries,
            frames_end: scan.offset,
            source,
        };
        Ok((reader, recovery))
    }
}

/// A walk from frame to frame, to the first that is not whole.
struct Scan {
    entries: Vec<IndexEntry>,
    /// Where the last whole frame ends.
    offset: u64,
    /// What is there instead of a frame; `None` for an index.
    stop: Option<TraceFileError>,
}

impl Scan {
    fn run(source: &Source) -> Self {
        let mut scan = Self {
            entries: Vec::new(),
            offset: TRACE_HEADER_BYTES as u64,
            stop: None,
        };
        loop {
            match scan.frame(source) {
                Ok(Some(frame)) => {
                    scan.entries.push(IndexEntry {
                        number: frame.number,
                        offset: scan.offset,
                    });
                    scan.offset += frame.frame_len();
                }
                Ok(None) => return scan,
                Err(error) => {
                    scan.stop = Some(error);
                    return scan;
                }
            }
        }
    }

    /// The header of the next frame, once its payload is known to be whole; `None` at an index.
    fn frame(&self, source: &Source) -> Result<Option<FrameHeader>, TraceFileError> {
        let format = TraceFileError::format(&source.path);
        let header = source.array(Part::FrameHeader, self.offset)?;
        // An index is never shorter than the header of a frame with the footer behind it.
        if starts_index(&header) {
            return Ok(None);
        }
        let header = FrameHeader::decode(&header, self.offset).map_err(&format)?;
        self.check_order(&header).map_err(&format)?;
        let start = self.offset + FRAME_HEADER_BYTES as u64;
        let payload = source.bytes(Part::Payload, start, header.payload_len.into())?;
        header
            .check_payload(&payload, self.offset)
            .map_err(&format)?;
        Ok(Some(header))
    }

    fn check_order(&self, frame: &FrameHeader) -> Result<(), TraceError> {
        match self.entries.last() {
            Some(last) if last.number >= frame.number => Err(TraceError::BlockOrder {
                part: Part::FrameHeader,
                offset: self.offset,
                previous: last.number,
                got: frame.number,
            }),
            _ => Ok(()),
        }
    }
}
