//! The fixed parts of a segment, and where its parts lie.

use super::{
    cells::{Place, bytes_at, put, seal, u32_at, u64_at},
    fault::{Part, SegmentFault},
};
use alloy_primitives::B256;
use thinstate_formats::{
    HashKind, PeriodId,
    counted::{MAX_PAGE_BITS, Node},
};

/// The version of the format that is read and written here.
const VERSION: u16 = 1;
const HEADER_MAGIC: &[u8; 8] = b"TSPERIOD";
const PAGE_MAGIC: &[u8; 4] = b"PAGE";
const FOOTER_MAGIC: &[u8; 8] = b"TSPEREND";

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 64;
/// Bytes of a page's header.
pub(super) const PAGE_HEADER_BYTES: usize = 64;
/// Bytes of an entry of the directory.
pub(super) const ENTRY_BYTES: usize = 16;
/// Bytes of a node of the levels.
pub(super) const NODE_BYTES: usize = 40;
/// Bytes of the footer.
pub(super) const FOOTER_BYTES: usize = 128;

/// What a segment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) hash: HashKind,
    pub(super) page_bits: u32,
    pub(super) period: PeriodId,
}

impl Header {
    /// Pages of a whole segment.
    pub(super) const fn pages(&self) -> u64 {
        1 << self.page_bits
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        put::<0, 8, _>(&mut bytes, *HEADER_MAGIC);
        self.put(&mut bytes);
        seal::<60, _>(&mut bytes);
        bytes
    }

    /// The cells that header and footer share.
    fn put<const LEN: usize>(&self, bytes: &mut [u8; LEN]) {
        put::<8, 2, _>(bytes, VERSION.to_le_bytes());
        put::<10, 2, _>(bytes, [self.hash.id(), self.page_bits as u8]);
        put::<16, 8, _>(bytes, self.period.0.to_le_bytes());
    }

    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, SegmentFault> {
        let place = Place {
            part: Part::Header,
            offset: 0,
        };
        place.magic(HEADER_MAGIC, &bytes_at::<0, 8, _>(bytes))?;
        let header = Self::read::<60, _>(place, bytes)?;
        unused(place, header.encode() == *bytes)?;
        Ok(header)
    }

    /// The shared cells. The version comes before the checksum: where it is another one, nothing is
    /// known of the bytes behind it.
    fn read<const CRC_AT: usize, const LEN: usize>(
        place: Place,
        bytes: &[u8; LEN],
    ) -> Result<Self, SegmentFault> {
        let got = u16::from_le_bytes(bytes_at::<8, 2, _>(bytes));
        if got != VERSION {
            return Err(SegmentFault::Version {
                part: place.part,
                offset: place.offset,
                expected: VERSION,
                got,
            });
        }
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        place.checksum(u32_at::<CRC_AT, _>(bytes), crc)?;
        let [hash, page_bits] = bytes_at::<10, 2, _>(bytes);
        let Some(hash_kind) = HashKind::from_id(hash) else {
            let known = HashKind::default().id().into();
            return Err(place.other("hash function", known, hash.into()));
        };
        if u32::from(page_bits) > MAX_PAGE_BITS {
            return Err(place.other("page bits", MAX_PAGE_BITS.into(), page_bits.into()));
        }
        Ok(Self {
            hash: hash_kind,
            page_bits: page_bits.into(),
            period: PeriodId(u64_at::<16, _>(bytes)),
        })
    }

    /// Whether this, read at `place`, is what it must be.
    pub(super) fn expect(&self, place: Place, expected: &Self) -> Result<(), SegmentFault> {
        place.field("period", expected.period.0, self.period.0)?;
        let [bits, got] = [expected.page_bits, self.page_bits].map(u64::from);
        place.field("page bits", bits, got)?;
        let [hash, got] = [expected.hash, self.hash].map(|hash| hash.id().into());
        place.field("hash function", hash, got)
    }
}

/// What stands before a page's leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) page: u32,
    pub(super) leaves: u32,
    pub(super) bytes: u32,
    pub(super) root: B256,
    pub(super) crc: u32,
}

impl PageHeader {
    pub(super) const BYTES: usize = PAGE_HEADER_BYTES;

    pub(super) fn encode(&self) -> [u8; PAGE_HEADER_BYTES] {
        let mut bytes = [0; PAGE_HEADER_BYTES];
        put::<0, 4, _>(&mut bytes, *PAGE_MAGIC);
        put::<4, 4, _>(&mut bytes, self.page.to_le_bytes());
        put::<8, 4, _>(&mut bytes, self.leaves.to_le_bytes());
        put::<12, 4, _>(&mut bytes, self.bytes.to_le_bytes());
        put::<16, 32, _>(&mut bytes, self.root.0);
        put::<48, 4, _>(&mut bytes, self.crc.to_le_bytes());
        seal::<60, _>(&mut bytes);
        bytes
    }

    /// The header of the page `page`, at `offset`.
    pub(super) fn decode(
        bytes: &[u8; PAGE_HEADER_BYTES],
        offset: u64,
        page: u64,
    ) -> Result<Self, SegmentFault> {
        let place = Place {
            part: Part::PageHeader,
            offset,
        };
        place.magic(PAGE_MAGIC, &bytes_at::<0, 4, _>(bytes))?;
        place.checksum(u32_at::<60, _>(bytes), crc32fast::hash(&bytes[..60]))?;
        let header = Self {
            page: u32_at::<4, _>(bytes),
            leaves: u32_at::<8, _>(bytes),
            bytes: u32_at::<12, _>(bytes),
            root: bytes_at::<16, 32, _>(bytes).into(),
            crc: u32_at::<48, _>(bytes),
        };
        unused(place, header.encode() == *bytes)?;
        place.field("page", page, header.page.into())?;
        Ok(header)
    }

    /// The root of the page's tree.
    pub(super) const fn node(&self) -> Node {
        Node {
            hash: self.root,
            count: self.leaves as u64,
        }
    }
}

/// Where a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageEntry {
    /// Offset of its header.
    pub(super) offset: u64,
    /// Bytes of its leaves.
    pub(super) bytes: u32,
    pub(super) crc: u32,
}

impl PageEntry {
    pub(super) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        put::<0, 8, _>(&mut bytes, self.offset.to_le_bytes());
        put::<8, 4, _>(&mut bytes, self.bytes.to_le_bytes());
        put::<12, 4, _>(&mut bytes, self.crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; ENTRY_BYTES]) -> Self {
        Self {
            offset: u64_at::<0, _>(bytes),
            bytes: u32_at::<8, _>(bytes),
            crc: u32_at::<12, _>(bytes),
        }
    }

    /// Where the page ends.
    pub(super) const fn end(&self) -> u64 {
        self.offset
            .saturating_add(PAGE_HEADER_BYTES as u64)
            .saturating_add(self.bytes as u64)
    }
}

/// The bytes of a node of the levels.
pub(super) fn encode_node(node: &Node) -> [u8; NODE_BYTES] {
    let mut bytes = [0; NODE_BYTES];
    put::<0, 32, _>(&mut bytes, node.hash.0);
    put::<32, 8, _>(&mut bytes, node.count.to_le_bytes());
    bytes
}

/// The node with these bytes.
pub(super) fn decode_node(bytes: &[u8; NODE_BYTES]) -> Node {
    Node {
        hash: bytes_at::<0, 32, _>(bytes).into(),
        count: u64_at::<32, _>(bytes),
    }
}

/// What ends a finished segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) header: Header,
    pub(super) root: Node,
    pub(super) directory_at: u64,
    pub(super) directory_crc: u32,
    pub(super) levels_crc: u32,
}

impl Footer {
    pub(super) const fn directory_bytes(&self) -> u64 {
        self.header.pages() * ENTRY_BYTES as u64
    }

    pub(super) const fn levels_at(&self) -> u64 {
        self.directory_at.saturating_add(self.directory_bytes())
    }

    pub(super) const fn levels_bytes(&self) -> u64 {
        (2 * self.header.pages() - 1) * NODE_BYTES as u64
    }

    /// Where the footer itself is.
    pub(super) const fn offset(&self) -> u64 {
        self.levels_at().saturating_add(self.levels_bytes())
    }

    pub(super) const fn file_bytes(&self) -> u64 {
        self.offset().saturating_add(FOOTER_BYTES as u64)
    }

    pub(super) fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        put::<0, 8, _>(&mut bytes, *FOOTER_MAGIC);
        self.header.put(&mut bytes);
        put::<12, 4, _>(&mut bytes, self.directory_crc.to_le_bytes());
        put::<24, 8, _>(&mut bytes, self.root.count.to_le_bytes());
        put::<32, 32, _>(&mut bytes, self.root.hash.0);
        put::<64, 8, _>(&mut bytes, self.directory_at.to_le_bytes());
        put::<72, 8, _>(&mut bytes, self.file_bytes().to_le_bytes());
        put::<80, 4, _>(&mut bytes, self.levels_crc.to_le_bytes());
        seal::<124, _>(&mut bytes);
        bytes
    }

    /// The footer of a file of `file_bytes` bytes, at whose end it lies.
    pub(super) fn decode(
        bytes: &[u8; FOOTER_BYTES],
        file_bytes: u64,
    ) -> Result<Self, SegmentFault> {
        let place = Place {
            part: Part::Footer,
            offset: file_bytes.saturating_sub(FOOTER_BYTES as u64),
        };
        place.magic(FOOTER_MAGIC, &bytes_at::<0, 8, _>(bytes))?;
        let footer = Self {
            header: Header::read::<124, _>(place, bytes)?,
            root: Node {
                hash: bytes_at::<32, 32, _>(bytes).into(),
                count: u64_at::<24, _>(bytes),
            },
            directory_at: u64_at::<64, _>(bytes),
            directory_crc: u32_at::<12, _>(bytes),
            levels_crc: u32_at::<80, _>(bytes),
        };
        place.field("bytes of the file", u64_at::<72, _>(bytes), file_bytes)?;
        place.field("end of its parts", file_bytes, footer.file_bytes())?;
        unused(place, footer.encode() == *bytes)?;
        Ok(footer)
    }
}

/// Cells that are not used are zero.
fn unused(place: Place, zero: bool) -> Result<(), SegmentFault> {
    place.field("unused bytes", 0, u64::from(!zero))
}

impl Place {
    /// A field that is known to be another.
    fn other(self, field: &'static str, expected: u64, got: u64) -> SegmentFault {
        SegmentFault::Field {
            part: self.part,
            offset: self.offset,
            field,
            expected,
            got,
        }
    }
}
