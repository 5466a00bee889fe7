//! Numbers of pages, and runs of them.

/// Number of a page of the file; its offset is that many pages.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PageId(pub(super) u32);

impl PageId {
    /// No page: a part of a table without entries. Superblocks lie there.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Offset in the file.
    pub(super) fn offset(self, page_bytes: usize) -> u64 {
        u64::from(self.0) * page_bytes as u64
    }
}

/// Neighbouring pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) pages: u32,
}

impl Run {
    /// The run of one page.
    pub(super) fn one(id: PageId) -> Self {
        Self {
            start: id.0,
            pages: 1,
        }
    }

    pub(super) fn end(self) -> u32 {
        self.start + self.pages
    }

    /// Where it is in the file: offset and bytes.
    pub(super) fn place(self, page_bytes: usize) -> (u64, usize) {
        let offset = PageId(self.start).offset(page_bytes);
        (offset, self.pages as usize * page_bytes)
    }
}

/// Bytes at the beginning of the file that the superblocks take.
pub(super) const SUPERBLOCKS_BYTES: usize = 8192;

/// The first page that is not a superblock's.
pub(super) fn first_page(page_bytes: usize) -> u32 {
    SUPERBLOCKS_BYTES.div_ceil(page_bytes) as u32
}
