//! The work of sealing one period, as far as it has come.

use super::{PeriodSink, SegmentSink, SinkError};
use crate::temporary::{
    entries::{EntryId, PeriodEntries, SHARD_BITS},
    error::SealError,
};
use std::sync::Arc;
use thinstate_formats::{
    NodeHasher, PeriodId,
    counted::{Leaf, MAX_PAGE_BITS, Node, join_pages, page_of, root_of_sorted},
};

/// Most leaves that a page has on average: 8 KiB.
const PAGE_LEAVES: u32 = 128;

/// Builds the tree of a period page by page.
pub(in crate::temporary) struct Sealer {
    id: PeriodId,
    hasher: NodeHasher,
    archive: Option<Arc<dyn PeriodSink>>,
    sink: Option<Box<dyn SegmentSink>>,
    page_bits: u32,
    /// The nodes of the pages done.
    pages: Vec<Node>,
    unit: Option<Unit>,
    /// The root that the tree must have, where blocks have committed to it.
    expected: Option<Node>,
    root: Option<Node>,
}

/// Entries of neighbouring pages that are sorted together: those of one shard, or more of them if a
/// page is larger than a shard.
struct Unit {
    number: u64,
    ids: Vec<EntryId>,
    /// Those of the pages done.
    done: usize,
}

impl Sealer {
    /// A sealer that has done nothing.
    pub(in crate::temporary) fn new(
        id: PeriodId,
        entries: u32,
        hasher: NodeHasher,
        archive: Option<Arc<dyn PeriodSink>>,
    ) -> Self {
        Self::resume(id, page_bits(entries), Vec::new(), hasher, archive)
    }

    /// A sealer that goes on after these pages.
    pub(in crate::temporary) fn resume(
        id: PeriodId,
        page_bits: u32,
        pages: Vec<Node>,
        hasher: NodeHasher,
        archive: Option<Arc<dyn PeriodSink>>,
    ) -> Self {
        Self {
            id,
            hasher,
            archive,
            sink: None,
            page_bits,
            pages,
            unit: None,
            expected: None,
            root: None,
        }
    }

    /// Blocks have committed to this root: another one is an error.
    pub(in crate::temporary) const fn expect_root(&mut self, root: Node) {
        self.expected = Some(root);
    }

    pub(in crate::temporary) const fn page_bits(&self) -> u32 {
        self.page_bits
    }

    /// The nodes of the pages done.
    pub(in crate::temporary) fn pages(&self) -> &[Node] {
        &self.pages
    }

    /// The root, once everything is done.
    pub(in crate::temporary) const fn root(&self) -> Option<Node> {
        self.root
    }

    /// Does the next pages, of at most `cap` leaves together, but at least one; the leaves done.
    pub(in crate::temporary) fn step(
        &mut self,
        entries: &PeriodEntries,
        cap: u64,
    ) -> Result<u64, SealError> {
        if self.root.is_some() {
            return Ok(0);
        }
        let id = self.id;
        self.run(entries, cap).map_err(|error| match error {
            StepError::Archive(error) => SealError::Archive {
                period: id,
                message: error.to_string(),
            },
            StepError::Mismatch { expected, got } => SealError::Mismatch {
                period: id,
                expected,
                got,
            },
        })
    }

    fn run(&mut self, entries: &PeriodEntries, cap: u64) -> Result<u64, StepError> {
        if let (None, Some(archive)) = (&self.sink, &self.archive) {
            self.sink = Some(archive.segment(self.id, self.page_bits, &self.pages)?);
        }
        let (mut scanned, mut hashed) = (0, 0);
        while self.pages.len() < 1 << self.page_bits {
            let page = self.pages.len() as u64;
            if !self.load_unit(entries, page, cap, &mut scanned) {
                break;
            }
            let leaves = self.page_leaves(entries, page, cap.saturating_sub(hashed), hashed == 0);
            let Some(leaves) = leaves else {
                break;
            };
            self.do_page(&leaves)?;
            hashed += leaves.len() as u64;
        }
        if let Some(sink) = &mut self.sink {
            sink.sync()?;
        }
        if self.pages.len() == 1 << self.page_bits {
            self.finish()?;
        }
        Ok(hashed)
    }

    /// Sorts the unit that a page is in, unless it is there; `false` if that is work for another step.
    fn load_unit(
        &mut self,
        entries: &PeriodEntries,
        page: u64,
        cap: u64,
        scanned: &mut u64,
    ) -> bool {
        let unit_bits = self.page_bits.min(SHARD_BITS);
        let number = page >> (self.page_bits - unit_bits);
        if self.unit.as_ref().is_some_and(|unit| unit.number == number) {
            return true;
        }
        let shard_bits = SHARD_BITS - unit_bits;
        let shards = (number as usize) << shard_bits..(number as usize + 1) << shard_bits;
        let len: usize = shards.clone().map(|shard| entries.shard_len(shard)).sum();
        if *scanned > 0 && *scanned + len as u64 > cap {
            return false;
        }
        *scanned += len as u64;
        let sealable =
            |id: &EntryId| !entries.is_shadowed(*id) && !entries.entry(*id).value.is_zero();
        let ids = shards.flat_map(|shard| entries.shard(shard));
        let mut ids: Vec<EntryId> = ids.filter(sealable).collect();
        ids.sort_unstable_by_key(|id| &entries.entry(*id).location);
        // Pages of the unit that were done before a crash.
        let done = ids.partition_point(|id| self.page_of(entries, *id) < page);
        self.unit = Some(Unit { number, ids, done });
        true
    }

    fn page_of(&self, entries: &PeriodEntries, id: EntryId) -> u64 {
        page_of(&entries.entry(id).location, self.page_bits)
    }

    /// The leaves of the next page, unless they are more than `room` and need not be done now.
    fn page_leaves(
        &mut self,
        entries: &PeriodEntries,
        page: u64,
        room: u64,
        now: bool,
    ) -> Option<Vec<Leaf>> {
        let unit = self.unit.as_ref()?;
        let rest = &unit.ids[unit.done..];
        let len = rest.partition_point(|id| self.page_of(entries, *id) <= page);
        if len as u64 > room && !now {
            return None;
        }
        let leaf = |id: &EntryId| {
            let entry = entries.entry(*id);
            Leaf {
                location: entry.location,
                value: entry.value,
            }
        };
        let leaves = rest[..len].iter().map(leaf).collect();
        self.unit.as_mut()?.done += len;
        Some(leaves)
    }

    fn do_page(&mut self, leaves: &[Leaf]) -> Result<(), StepError> {
        let node = root_of_sorted(&self.hasher, leaves);
        let node = node.expect("a page's locations are sorted, and each is there once");
        if let Some(sink) = &mut self.sink {
            sink.append_page(leaves, node)?;
        }
        self.pages.push(node);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), StepError> {
        let levels = join_pages(&self.hasher, self.pages.clone());
        let levels = levels.expect("the pages are a power of two, with counts of less than 2^32");
        let got = levels.last().map_or(Node::EMPTY, |top| top[0]);
        if let Some(expected) = self.expected.filter(|expected| *expected != got) {
            return Err(StepError::Mismatch { expected, got });
        }
        if let Some(sink) = &mut self.sink {
            sink.finish()?;
        }
        (self.sink, self.unit, self.root) = (None, None, Some(got));
        Ok(())
    }
}

enum StepError {
    Archive(SinkError),
    Mismatch { expected: Node, got: Node },
}

impl From<SinkError> for StepError {
    fn from(error: SinkError) -> Self {
        Self::Archive(error)
    }
}

/// Bits of pages for so many entries: half of [`PAGE_LEAVES`] to all of them to a page.
pub(super) fn page_bits(entries: u32) -> u32 {
    let pages = entries.div_ceil(PAGE_LEAVES).max(1);
    pages.next_power_of_two().ilog2().min(MAX_PAGE_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, keccak256};

    fn entries(count: u32) -> PeriodEntries {
        let mut entries = PeriodEntries::new();
        for n in 0..count {
            let id = entries.push(keccak256(n.to_le_bytes()), B256::with_last_byte(1));
            if n % 5 == 0 {
                entries.set(id, B256::ZERO);
            } else if n % 7 == 0 {
                entries.shadow(id, true);
            }
        }
        entries
    }

    fn expected(entries: &PeriodEntries) -> Node {
        let leaves = entries.iter().filter(|(id, _)| !entries.is_shadowed(*id));
        let mut leaves: Vec<Leaf> = leaves
            .filter(|(_, entry)| !entry.value.is_zero())
            .map(|(_, entry)| Leaf {
                location: entry.location,
                value: entry.value,
            })
            .collect();
        leaves.sort_unstable();
        root_of_sorted(&NodeHasher::default(), &leaves).expect("sorted")
    }

    #[test]
    fn no_cap_and_no_interruption_changes_the_root() {
        for count in [0, 1, 2, 127, 129, 1_000, 20_000, 70_000] {
            let entries = entries(count);
            let root = expected(&entries);
            assert_eq!(root.count, u64::from(entries.leaves()));
            for cap in [1, 100, 1_000, 30_000, u64::MAX] {
                let new = || Sealer::new(PeriodId(0), count, NodeHasher::default(), None);
                let (mut sealer, mut hashed) = (new(), 0);
                while sealer.root().is_none() {
                    let step = sealer.step(&entries, cap).expect("no archive");
                    assert!(step <= cap.max(256), "{step} leaves in one step, cap {cap}");
                    hashed += step;
                    let pages = sealer.pages().to_vec();
                    if pages.len() % 3 == 0 && sealer.root().is_none() {
                        let (hasher, bits) = (NodeHasher::default(), sealer.page_bits());
                        sealer = Sealer::resume(PeriodId(0), bits, pages, hasher, None);
                    }
                }
                assert_eq!(sealer.root(), Some(root), "{count} entries, cap {cap}");
                assert_eq!(hashed, root.count, "a leaf was hashed twice");
            }
        }
    }

    #[test]
    fn no_other_root_is_taken_for_the_one_committed_to() {
        let entries = entries(10);
        let mut sealer = Sealer::new(PeriodId(3), 10, NodeHasher::default(), None);
        sealer.expect_root(Node::EMPTY);
        let error = sealer.step(&entries, 100).expect_err("another root");
        assert!(matches!(error, SealError::Mismatch { period, .. } if period == PeriodId(3)));
    }
}
