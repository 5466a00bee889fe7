//! What the user may choose.

/// How a [`PageStore`](super::PageStore) is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// Bytes of a page: a power of two from 512 to 32,768. A store that exists keeps its own.
    /// Default 4096.
    pub page_bytes: usize,
    /// Memory for pages that were read. Default 512 MiB.
    pub cache_bytes: usize,
    /// Bits of filter for each key, in memory; 0 is no filter, and an absent key costs a page.
    /// Holds for pages that are written from now on. Default 10: one absent key of 100 costs a page.
    pub filter_bits: u32,
    /// Bytes of changes that wait in memory, and in the log, before a checkpoint merges them into
    /// pages. While it runs as many more may come; then commits wait. The more wait, the more of
    /// them share the write of a page. Default 64 MiB.
    pub pending_bytes: usize,
    /// Bypass the operating system's cache for pages. Default no.
    pub direct_io: bool,
    /// Read many pages at once through io_uring where the kernel allows it, else through threads.
    /// Default yes.
    pub io_uring: bool,
    /// Wait in each commit until the device has the batch. Without it a process crash loses
    /// nothing, a power cut the last blocks. Default yes.
    pub sync: bool,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            page_bytes: 4096,
            cache_bytes: 512 << 20,
            filter_bits: 10,
            pending_bytes: 64 << 20,
            direct_io: false,
            io_uring: true,
            sync: true,
        }
    }
}

impl PageOptions {
    /// Names and values, to be recorded beside what was measured with them.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("pages.page_bytes", self.page_bytes.to_string()),
            ("pages.cache_bytes", self.cache_bytes.to_string()),
            ("pages.filter_bits", self.filter_bits.to_string()),
            ("pages.pending_bytes", self.pending_bytes.to_string()),
            ("pages.direct_io", self.direct_io.to_string()),
            ("pages.io_uring", self.io_uring.to_string()),
            ("pages.sync", self.sync.to_string()),
        ]
    }
}

/// Whether pages may have so many bytes.
pub(super) fn is_page_size(bytes: usize) -> bool {
    bytes.is_power_of_two() && (512..=32_768).contains(&bytes)
}
