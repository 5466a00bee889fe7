//! Sizes and counters.

use super::super::{IoCounters, Table, TableStats};
use super::arena::Arena;
use super::extent::Extent;
use super::filter;
use super::log::record::Change;
use super::shared::{Core, lock};
use super::tree::Chunk;
use super::view::Layer;
use core::sync::atomic::Ordering::Relaxed;

/// Where the memory and the file of a [`PageStore`](super::PageStore) go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageStats {
    /// Entries in pages.
    pub entries: u64,
    /// Pages that hold entries.
    pub leaf_pages: u64,
    /// Pages of values that have pages of their own.
    pub value_pages: u64,
    /// Pages of the file, superblocks and free ones included.
    pub pages: u64,
    /// Pages that may be written to.
    pub free_pages: u64,
    /// Pages that will be free when older snapshots are gone.
    pub retired_pages: u64,
    /// Memory of separators, page numbers and counts.
    pub directory_bytes: u64,
    /// Memory of filters.
    pub filter_bytes: u64,
    /// Memory of changes that are not in pages yet.
    pub pending_bytes: u64,
    /// Written to the log since the store was opened.
    pub log_bytes: u64,
    /// Writes to the log: one for each commit.
    pub log_writes: u64,
    /// Waits for the log to be on the device: one for each commit.
    pub log_syncs: u64,
    /// Bytes written to the file of pages, since the store was opened.
    pub page_bytes_written: u64,
    /// Writes to it.
    pub page_writes: u64,
    /// Reads from it, each of one page or of neighbours.
    pub page_reads: u64,
    /// Waits for it to be on the device: two for each checkpoint, one for the opening.
    pub page_syncs: u64,
    /// Checkpoints.
    pub checkpoints: u64,
}

impl PageStats {
    /// Memory of directory and filters for each page of entries.
    pub fn memory_bytes_per_leaf_page(&self) -> f64 {
        (self.directory_bytes + self.filter_bytes) as f64 / self.leaf_pages.max(1) as f64
    }
}

impl Core {
    pub(super) fn counters(&self) -> IoCounters {
        let (work, file) = (&self.work, self.file.counters());
        IoCounters {
            block_reads: work.page_reads.load(Relaxed),
            block_read_bytes: work.page_read_bytes.load(Relaxed),
            block_cache_hits: work.page_hits.load(Relaxed),
            store_written_bytes: work.log_bytes.load(Relaxed) + file.written_bytes,
            syncs: work.log_syncs.load(Relaxed) + file.syncs,
            ..self.logical.read()
        }
    }

    pub(super) fn stats(&self) -> PageStats {
        let state = self.state();
        let file = self.file.counters();
        let mut stats = PageStats {
            retired_pages: self.work.retired_pages.load(Relaxed),
            pending_bytes: state.arenas().map(Arena::record_bytes).sum(),
            log_bytes: self.work.log_bytes.load(Relaxed),
            log_writes: self.work.log_writes.load(Relaxed),
            log_syncs: self.work.log_syncs.load(Relaxed),
            page_bytes_written: file.written_bytes,
            page_writes: file.writes,
            page_reads: file.reads,
            page_syncs: file.syncs,
            checkpoints: self.work.checkpoints.load(Relaxed),
            ..PageStats::default()
        };
        {
            let allocator = lock(&self.allocator);
            stats.pages = u64::from(allocator.end());
            stats.free_pages = allocator.free_pages();
        }
        for tree in &state.trees {
            stats.directory_bytes += tree.firsts.memory_bytes() as u64;
            for chunk in &tree.chunks {
                let leaves = &chunk.leaves;
                stats.entries += leaves.entries();
                stats.leaf_pages += leaves.pages.iter().filter(|id| !id.is_none()).count() as u64;
                stats.value_pages += self.value_pages(chunk);
                stats.directory_bytes += leaves.memory_bytes() as u64;
                stats.filter_bytes += leaves.filters.memory_bytes() as u64;
                let deltas = [&chunk.recent, &chunk.active, &chunk.frozen]
                    .into_iter()
                    .flatten();
                stats.pending_bytes += deltas.map(|d| d.memory_bytes() as u64).sum::<u64>();
            }
        }
        stats
    }

    fn value_pages(&self, chunk: &Chunk) -> u64 {
        let blobs = chunk.leaves.blobs.iter();
        let pages = |blob: &Extent| u64::from(blob.run(self.page_bytes).pages);
        blobs.map(|(_, blob)| pages(blob)).sum()
    }

    pub(super) fn table_stats(&self, table: Table) -> TableStats {
        let state = self.state();
        let mut stats = TableStats::default();
        let mut change = 0_i64;
        for chunk in &state.tree(table).chunks {
            let leaves = &chunk.leaves;
            stats.entries += leaves.entries();
            let pages = leaves.pages.iter().filter(|id| !id.is_none()).count() as u64;
            stats.file_bytes += (pages + self.value_pages(chunk)) * self.page_bytes as u64;
            for layer in state.layers(chunk).into_iter().flatten() {
                change += pending(chunk, layer, &mut stats.memory_bytes);
            }
        }
        stats.entries = stats.entries.saturating_add_signed(change);
        stats
    }
}

/// How many entries the changes of a chunk add, as far as the filters of the pages tell; the
/// memory of the changes is added to `bytes`.
fn pending(chunk: &Chunk, layer: Layer<'_>, bytes: &mut u64) -> i64 {
    let leaves = &chunk.leaves;
    let mut change = 0;
    for page in 0..leaves.len() {
        for at in layer.deltas.of_page(page) {
            let op = layer.arena.op(*at);
            let is_in_page = !leaves.pages[page].is_none()
                && filter::may_contain(leaves.filters.get(page), filter::hash(op.key));
            let (value_bytes, delta) = match op.change {
                Change::Put(value) => (value.len(), i64::from(!is_in_page)),
                Change::PutFar(far) => (far.bytes as usize, i64::from(!is_in_page)),
                Change::Delete | Change::DeleteTo(_) => (0, -i64::from(is_in_page)),
            };
            change += delta;
            *bytes += (op.key.len() + value_bytes) as u64;
        }
    }
    change
}
