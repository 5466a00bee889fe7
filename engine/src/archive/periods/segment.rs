//! A finished segment, mapped.

use super::{
    cells::Place,
    error::PeriodArchiveError,
    fault::{Part, SegmentFault},
    layout::{
        ENTRY_BYTES, FOOTER_BYTES, Footer, HEADER_BYTES, Header, NODE_BYTES, PAGE_HEADER_BYTES,
        PageEntry, PageHeader, decode_node,
    },
    reads::Reads,
};
use memmap2::Mmap;
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use thinstate_formats::{
    NodeHasher,
    counted::{Leaf, LeafBytes, Node, check_order, page_of},
};

/// A segment file of which lengths, checksums of all but the pages, and the tree over the pages are
/// known to be good.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    map: Mmap,
    footer: Footer,
    pub(super) hasher: NodeHasher,
    reads: Arc<Reads>,
}

/// The leaves of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where they start.
    pub(super) offset: u64,
    pub(super) leaves: Vec<Leaf>,
}

impl Segment {
    /// Maps the segment at `path`, which must be of what `expected` says, and checks everything but the
    /// pages. The number of page bits is the file's own.
    pub(super) fn open(
        path: PathBuf,
        expected: impl FnOnce(u32) -> Header,
        reads: Arc<Reads>,
    ) -> Result<Self, PeriodArchiveError> {
        let io = |operation| PeriodArchiveError::io(operation, &path);
        let file = File::open(&path).map_err(io("open"))?;
        let len = file.metadata().map_err(io("read the length of"))?.len();
        let footer = read_footer(&file, len)
            .map_err(io("read"))?
            .and_then(|footer| {
                let expected = expected(footer.header.page_bits);
                footer.header.expect(footer_at(len), &expected)?;
                Ok(footer)
            })
            .map_err(PeriodArchiveError::damaged(&path))?;
        // SAFETY: the file is as long as its footer says, which was compared above, and stays so: it
        // is finished, so that no code here writes to it or cuts it, and the lock on the folder keeps
        // other processes of ours out. The module's documentation says what remains.
        let map = unsafe { Mmap::map(&file) }.map_err(io("map"))?;
        let segment = Self {
            map,
            footer,
            hasher: NodeHasher::new(footer.header.hash),
            reads,
            path,
        };
        segment.check_structure().map_err(segment.damaged())?;
        Ok(segment)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn header(&self) -> &Header {
        &self.footer.header
    }

    pub(super) const fn root(&self) -> Node {
        self.footer.root
    }

    pub(super) const fn footer(&self) -> &Footer {
        &self.footer
    }

    /// Names this file as the one with a fault.
    pub(super) fn damaged(&self) -> impl Fn(SegmentFault) -> PeriodArchiveError {
        PeriodArchiveError::damaged(&self.path)
    }

    /// The bytes of a part.
    pub(super) fn bytes(&self, place: Place, len: u64) -> Result<&[u8], SegmentFault> {
        let behind = usize::try_from(place.offset)
            .ok()
            .and_then(|at| self.map.get(at..))
            .unwrap_or(&[]);
        let part = usize::try_from(len).ok().and_then(|len| behind.get(..len));
        part.ok_or_else(|| place.truncated(len, behind.len() as u64))
    }

    fn array<const N: usize>(&self, part: Part, offset: u64) -> Result<&[u8; N], SegmentFault> {
        let place = Place { part, offset };
        let bytes = self.bytes(place, N as u64)?;
        bytes
            .first_chunk()
            .ok_or_else(|| place.truncated(N as u64, bytes.len() as u64))
    }

    /// The bytes of the header and the first `pages` pages.
    pub(super) fn front(&self, pages: u64) -> Result<&[u8], SegmentFault> {
        let end = match pages.checked_sub(1) {
            Some(last) => self.entry(last)?.end(),
            None => HEADER_BYTES as u64,
        };
        let place = Place {
            part: Part::Header,
            offset: 0,
        };
        self.bytes(place, end)
    }

    pub(super) fn read_header(&self) -> Result<Header, SegmentFault> {
        Header::decode(self.array::<HEADER_BYTES>(Part::Header, 0)?)
    }

    /// An entry of the directory.
    pub(super) fn entry(&self, page: u64) -> Result<PageEntry, SegmentFault> {
        self.reads.directory_entry();
        let offset = self.footer.directory_at + page * ENTRY_BYTES as u64;
        let bytes = self.array::<ENTRY_BYTES>(Part::Directory, offset)?;
        Ok(PageEntry::decode(bytes))
    }

    /// Where a node is in the file. Levels are counted from the pages.
    pub(super) const fn node_at(&self, level: u32, index: u64) -> u64 {
        let before = (1 << (self.footer.header.page_bits - level)) - 1;
        self.footer.levels_at() + (before + index) * NODE_BYTES as u64
    }

    /// A node of the tree over the pages.
    pub(super) fn node(&self, level: u32, index: u64) -> Result<Node, SegmentFault> {
        self.reads.node();
        let offset = self.node_at(level, index);
        Ok(decode_node(self.array::<NODE_BYTES>(Part::Levels, offset)?))
    }

    /// A page by its node, checked but for the hash of its leaves. Of an empty page nothing is read.
    pub(super) fn page(&self, page: u64, node: Node) -> Result<Page, SegmentFault> {
        if node.is_empty() {
            return Ok(Page::default());
        }
        let (offset, bytes) = self.page_bytes(page, node)?;
        self.reads.page(bytes.len() as u64);
        let leaves = decode_leaves(offset, bytes, node.count)?;
        check_order(&leaves).map_err(|source| SegmentFault::LeafOrder { offset, source })?;
        let page_of = |leaf: &Leaf| page_of(&leaf.location, self.footer.header.page_bits);
        match leaves.iter().find(|leaf| page_of(leaf) != page) {
            None => Ok(Page { offset, leaves }),
            Some(leaf) => Err(SegmentFault::LeafPage {
                offset,
                expected: page,
                got: page_of(leaf),
                location: leaf.location,
            }),
        }
    }

    /// The bytes of a page's leaves and where they start, compared with all that is known of them.
    pub(super) fn page_bytes(&self, page: u64, node: Node) -> Result<(u64, &[u8]), SegmentFault> {
        let entry = self.entry(page)?;
        let bytes = self.array::<PAGE_HEADER_BYTES>(Part::PageHeader, entry.offset)?;
        let header = PageHeader::decode(bytes, entry.offset, page)?;
        let place = Place {
            part: Part::PageHeader,
            offset: entry.offset,
        };
        place.field("bytes", entry.bytes.into(), header.bytes.into())?;
        place.checksum(entry.crc, header.crc)?;
        place.field("leaves", node.count, header.leaves.into())?;
        if header.root != node.hash {
            return Err(SegmentFault::Hash {
                part: place.part,
                offset: place.offset,
                expected: node.hash,
                got: header.root,
            });
        }
        let place = Place {
            part: Part::Page,
            offset: entry.offset.saturating_add(PAGE_HEADER_BYTES as u64),
        };
        let bytes = self.bytes(place, entry.bytes.into())?;
        place.checksum(entry.crc, crc32fast::hash(bytes))?;
        Ok((place.offset, bytes))
    }
}

/// The leaves in `bytes`, which start at `offset`.
fn decode_leaves(offset: u64, bytes: &[u8], count: u64) -> Result<Vec<Leaf>, SegmentFault> {
    let (mut leaves, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (leaf, len) = LeafBytes::read(rest, offset.saturating_add(at as u64))
            .map_err(|source| SegmentFault::Leaf { offset, source })?;
        leaves.push(leaf);
        at += len;
    }
    let place = Place {
        part: Part::Page,
        offset,
    };
    place.field("leaves", count, leaves.len() as u64)?;
    Ok(leaves)
}

const fn footer_at(file_bytes: u64) -> Place {
    Place {
        part: Part::Footer,
        offset: file_bytes.saturating_sub(FOOTER_BYTES as u64),
    }
}

/// The footer, read before the file is mapped: it says how long the file must be.
fn read_footer(file: &File, len: u64) -> io::Result<Result<Footer, SegmentFault>> {
    let least = (HEADER_BYTES + FOOTER_BYTES) as u64;
    if len < least {
        let place = Place {
            part: Part::Header,
            offset: 0,
        };
        return Ok(Err(place.truncated(least, len)));
    }
    let mut bytes = [0; FOOTER_BYTES];
    file.read_exact_at(&mut bytes, footer_at(len).offset)?;
    Ok(Footer::decode(&bytes, len))
}
