//! What the user may choose.

/// How a [`PageStore`](super::PageStore) is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// Bytes of a page: a power of two from 512 to 32,768. A store that exists keeps its own.
    /// Default 4096.
    pub page_bytes: usize,
    /// Memory for pages that were read. Default 128 MiB.
    ///
    /// The directory and its filters, and those that a checkpoint is about to put in their place, are part of the
    /// whole (this, and `pending_bytes` twice over): what they take is taken from all of it in proportion, up to three
    /// quarters.
    pub cache_bytes: usize,
    /// Bits of filter for each key, in memory; 0 is no filter, and an absent key costs a page.
    /// Holds for pages that are written from now on. Default 10: one absent key of 100 costs a page.
    pub filter_bits: u32,
    /// Memory of changes that wait, there and in the log, before a checkpoint merges them into
    /// pages. While it runs as many more may come; then commits wait. The more wait, the more of
    /// them share the write of a page. The log, which an opening reads, is about four times as long
    /// at most before a checkpoint begins. Default 192 MiB.
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
    /// [`Self::within`] [`Self::MEMORY_BYTES`].
    fn default() -> Self {
        Self::within(Self::MEMORY_BYTES, false)
    }
}

impl PageOptions {
    /// Memory by default: 512 MiB.
    pub const MEMORY_BYTES: usize = 512 << 20;

    /// For so many bytes of memory in all: three eighths for changes that wait, as much for those that
    /// come while these are merged, a quarter for pages. Reads of pages that the quarter
    /// lacks mostly end in the operating system's cache; a page that is written once more ends on the
    /// device. With `direct_io` they end there too: a quarter each for changes, and half for pages.
    pub fn within(memory_bytes: usize, direct_io: bool) -> Self {
        let eighths = if direct_io { 2 } else { 3 };
        let pending_bytes = memory_bytes / 8 * eighths;
        Self {
            page_bytes: 4096,
            cache_bytes: memory_bytes - 2 * pending_bytes,
            filter_bits: 10,
            pending_bytes,
            direct_io,
            io_uring: true,
            sync: true,
        }
    }

    /// What is left for pages and for changes beside a directory of this size and the one that a checkpoint makes of
    /// it: of both the same part, a quarter at least.
    pub(super) fn beside(&self, directory_bytes: usize) -> Shares {
        let memory_bytes = self.cache_bytes + 2 * self.pending_bytes;
        let rest = memory_bytes.saturating_sub(directory_bytes.saturating_mul(2));
        let rest = rest.max(memory_bytes / 4) as u128;
        let part = |bytes: usize| (bytes as u128 * rest / memory_bytes.max(1) as u128) as usize;
        Shares {
            page_bytes: part(self.cache_bytes),
            pending_bytes: part(self.pending_bytes) as u64,
        }
    }

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

/// Memory as it is divided beside the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// For pages that were read.
    pub(super) page_bytes: usize,
    /// For changes that wait before a checkpoint begins, and once more while it runs.
    pub(super) pending_bytes: u64,
}

/// Whether pages may have so many bytes.
pub(super) fn is_page_size(bytes: usize) -> bool {
    bytes.is_power_of_two() && (512..=32_768).contains(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directories_take_more_than_three_quarters() {
        let options = PageOptions::within(800, false);
        let shares = |page_bytes, pending_bytes| Shares {
            page_bytes,
            pending_bytes,
        };
        assert_eq!(options.beside(0), shares(200, 300));
        assert_eq!(options.beside(200), shares(100, 150));
        assert_eq!(options.beside(350), shares(50, 75));
        assert_eq!(options.beside(usize::MAX), shares(50, 75));
        let options = PageOptions::within(800, true);
        assert_eq!(options.beside(0), shares(400, 200));
        assert_eq!(PageOptions::within(0, false).beside(9), shares(0, 0));
    }
}
