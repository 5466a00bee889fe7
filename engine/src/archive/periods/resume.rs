//! Where a partial segment is continued.

use super::{
    cells::Place,
    error::PeriodArchiveError,
    fault::{Part, SegmentFault},
    layout::{HEADER_BYTES, Header, PAGE_HEADER_BYTES, PageEntry, PageHeader},
};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};
use thinstate_formats::counted::Node;

/// The pages of a partial segment that are kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) entries: Vec<PageEntry>,
    pub(super) nodes: Vec<Node>,
    /// Where the next page goes.
    pub(super) end: u64,
}

impl Kept {
    /// A segment that has its header alone.
    pub(super) const fn nothing() -> Self {
        Self {
            entries: Vec::new(),
            nodes: Vec::new(),
            end: HEADER_BYTES as u64,
        }
    }

    /// The first `pages` pages of the partial segment in `file`, which must be of what `header` says.
    /// They are read whole and their checksums checked: their leaves may be nowhere else by now. What
    /// follows them is not looked at.
    pub(super) fn read(
        file: &File,
        path: &Path,
        header: &Header,
        pages: u64,
    ) -> Result<Self, PeriodArchiveError> {
        let mut source = Source {
            reader: BufReader::with_capacity(1 << 20, file),
            end: 0,
        };
        let mut kept = Self::nothing();
        let read = source
            .header(header)
            .and_then(|()| (0..pages).try_for_each(|page| kept.page(&mut source, page)));
        match read {
            Ok(()) => Ok(kept),
            Err(Broken::Io(error)) => Err(PeriodArchiveError::io("read", path)(error)),
            Err(Broken::Fault(fault)) => Err(PeriodArchiveError::PagesMissing {
                path: path.to_owned(),
                expected: pages,
                got: kept.entries.len() as u64,
                why: fault.to_string(),
            }),
        }
    }

    fn page(&mut self, source: &mut Source<'_>, page: u64) -> Result<(), Broken> {
        let offset = source.end;
        let mut bytes = [0; PAGE_HEADER_BYTES];
        source.fill(Part::PageHeader, &mut bytes)?;
        let header = PageHeader::decode(&bytes, offset, page)?;
        source.skip_checked(header.bytes, header.crc)?;
        self.push(&header);
        Ok(())
    }

    /// Notes a page that was just appended.
    pub(super) fn push(&mut self, header: &PageHeader) {
        let entry = PageEntry {
            offset: self.end,
            bytes: header.bytes,
            crc: header.crc,
        };
        self.end = entry.end();
        self.entries.push(entry);
        self.nodes.push(header.node());
    }
}

enum Broken {
    Io(io::Error),
    Fault(SegmentFault),
}

impl From<SegmentFault> for Broken {
    fn from(fault: SegmentFault) -> Self {
        Self::Fault(fault)
    }
}

/// A partial segment, read from the front.
struct Source<'a> {
    reader: BufReader<&'a File>,
    /// Bytes read so far.
    end: u64,
}

impl Source<'_> {
    fn header(&mut self, expected: &Header) -> Result<(), Broken> {
        let mut bytes = [0; HEADER_BYTES];
        self.fill(Part::Header, &mut bytes)?;
        let place = Place {
            part: Part::Header,
            offset: 0,
        };
        Ok(Header::decode(&bytes)?.expect(place, expected)?)
    }

    /// Fills `bytes` with a part.
    fn fill(&mut self, part: Part, bytes: &mut [u8]) -> Result<(), Broken> {
        let offset = self.end;
        let (expected, mut got) = (bytes.len(), 0);
        while got < expected {
            match self.reader.read(&mut bytes[got..]) {
                Ok(0) => {
                    let place = Place { part, offset };
                    return Err(place.truncated(expected as u64, got as u64).into());
                }
                Ok(read) => got += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Io(error)),
            }
        }
        self.end += expected as u64;
        Ok(())
    }

    /// Reads a page's leaves and checks their checksum, some at a time: their length is not yet known to
    /// be the file's.
    fn skip_checked(&mut self, len: u32, crc: u32) -> Result<(), Broken> {
        let place = Place {
            part: Part::Page,
            offset: self.end,
        };
        let (mut left, mut hasher) = (len as usize, crc32fast::Hasher::new());
        let mut buffer = [0; 1 << 16];
        while left > 0 {
            let bytes = &mut buffer[..left.min(1 << 16)];
            self.fill(Part::Page, bytes)?;
            hasher.update(bytes);
            left -= bytes.len();
        }
        Ok(place.checksum(crc, hasher.finalize())?)
    }
}
