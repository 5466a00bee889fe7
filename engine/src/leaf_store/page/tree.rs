//! The directory: where each table's pages are, and what commits have changed since they were
//! written.
//!
//! A state is immutable. A commit copies what it touches: a pointer for each chunk of the table,
//! and the deltas of the chunks that hold its keys; a snapshot is one pointer.

use super::super::Table;
use super::arena::{Arena, DeltaRef};
use super::deltas::{Deltas, Keyed};
use super::extent::Extent;
use super::ids::PageId;
use super::log::record::{self, Change};
use super::packed::{Packed, shrink};
use super::separators::Separators;
use super::view::{Layer, Layers};
use core::iter;
use std::borrow::Cow;
use std::sync::Arc;

/// Pages of a chunk at most.
pub(super) const CHUNK_PAGES_MAX: usize = 256;
/// Fewer recent changes of a chunk are always kept apart.
const RECENT_MIN: usize = 64;
/// They are so as long as their square is below this many times the number of the others.
const RECENT_SHARE: usize = 32;

/// Neighbouring pages of one table, as the last checkpoint wrote them. There is at least one, which
/// may be [`PageId::NONE`].
#[derive(Clone, Debug, Default)]
pub(super) struct Leaves {
    /// The least key that belongs to each page.
    pub(super) separators: Separators,
    pub(super) pages: Vec<PageId>,
    /// Entries of each page.
    pub(super) counts: Vec<u16>,
    pub(super) filters: Packed,
    /// Values that lie outside of the pages, by page.
    pub(super) blobs: Vec<(u16, Extent)>,
    /// Where this is written down; [`Extent::NONE`] as long as it is not.
    pub(super) home: Extent,
}

impl Leaves {
    /// No page, from `first` on.
    pub(super) fn empty(first: &[u8]) -> Self {
        let mut leaves = Self::default();
        leaves.push(first, PageId::NONE, 0, &[], &[]);
        leaves
    }

    pub(super) fn push(
        &mut self,
        separator: &[u8],
        page: PageId,
        count: u16,
        filter: &[u8],
        blobs: &[Extent],
    ) {
        let index = self.pages.len() as u16;
        self.separators.push(separator);
        self.pages.push(page);
        self.counts.push(count);
        self.filters.push(filter);
        self.blobs.extend(blobs.iter().map(|blob| (index, *blob)));
    }

    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// The values outside of one page.
    pub(super) fn blobs_of(&self, page: usize) -> impl Iterator<Item = Extent> {
        let first = self
            .blobs
            .partition_point(|(at, _)| usize::from(*at) < page);
        self.blobs[first..]
            .iter()
            .take_while(move |(at, _)| usize::from(*at) == page)
            .map(|(_, blob)| *blob)
    }

    pub(super) fn entries(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    pub(super) fn has_pages(&self) -> bool {
        self.pages.iter().any(|page| !page.is_none())
    }

    /// The least key that does not belong to a page of the chunk, whose own end is `end`.
    pub(super) fn end_of<'a>(&self, page: usize, end: Option<&'a [u8]>) -> Option<Cow<'a, [u8]>> {
        if page + 1 < self.len() {
            Some(self.separators.get(page + 1).into())
        } else {
            end.map(Cow::Borrowed)
        }
    }

    /// Makes `first` the least key that belongs to the chunk.
    pub(super) fn begin_at(&mut self, first: &[u8]) {
        if self.separators.get(0) == first {
            return;
        }
        let mut separators = Separators::default();
        separators.push(first);
        for page in 1..self.len() {
            separators.push(&self.separators.get(page));
        }
        separators.shrink();
        self.separators = separators;
    }

    pub(super) fn shrink(&mut self) {
        self.separators.shrink();
        self.filters.shrink();
        shrink(&mut self.pages);
        shrink(&mut self.counts);
        shrink(&mut self.blobs);
    }

    /// Memory but for the filters.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.separators.memory_bytes()
            + self.pages.capacity() * size_of::<PageId>()
            + self.counts.capacity() * size_of::<u16>()
            + self.blobs.capacity() * size_of::<(u16, Extent)>()
    }
}

/// Some pages, and what has changed in them.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) leaves: Arc<Leaves>,
    /// Changes that a checkpoint is about to merge into the pages.
    pub(super) frozen: Option<Arc<Deltas>>,
    /// Changes since that checkpoint began, or since the last one if none runs.
    pub(super) active: Option<Arc<Deltas>>,
    /// The newest of them, which point into the same arena: a commit copies these, and now and then
    /// adds them to the others.
    pub(super) recent: Option<Arc<Deltas>>,
}

impl Chunk {
    pub(super) fn new(leaves: Leaves) -> Self {
        Self {
            leaves: Arc::new(leaves),
            frozen: None,
            active: None,
            recent: None,
        }
    }

    fn with(&self, arena: &Arena, changes: &[Keyed<'_>]) -> Self {
        let separators = &self.leaves.separators;
        let recent = match &self.recent {
            Some(recent) => recent.with(arena, separators, changes),
            None => Deltas::none(separators).with(arena, separators, changes),
        };
        self.with_recent(arena, recent)
    }

    fn wiped(&self, arena: &Arena, at: DeltaRef) -> Self {
        let hides = self.active.is_some() || self.has_below();
        let mut recent = match &self.recent {
            Some(recent) => Deltas::clone(recent),
            None => Deltas::none(&self.leaves.separators),
        };
        recent.wipe(arena, &self.leaves.separators, at, hides);
        self.with_recent(arena, recent)
    }

    /// Whether something may lie below the active changes.
    fn has_below(&self) -> bool {
        self.frozen.is_some() || self.leaves.has_pages()
    }

    /// With `n` active changes, and some at each commit, copies are fewest if about the root of `n`
    /// are kept apart.
    fn with_recent(&self, arena: &Arena, recent: Deltas) -> Self {
        let older = self.active.as_ref().map_or(0, |active| active.len());
        let is_large = recent.len() >= RECENT_MIN && recent.len().pow(2) >= RECENT_SHARE * older;
        let mut chunk = Self {
            recent: (!recent.is_empty()).then(|| Arc::new(recent)),
            ..self.clone()
        };
        if is_large {
            chunk.active = chunk.all_active(arena);
            chunk.recent = None;
        }
        chunk
    }

    /// The active changes, the recent ones among them.
    pub(super) fn all_active(&self, arena: &Arena) -> Option<Arc<Deltas>> {
        match (&self.active, &self.recent) {
            (Some(active), Some(recent)) => {
                let separators = &self.leaves.separators;
                let all = active.with_all(arena, separators, recent, self.has_below());
                (!all.is_empty()).then(|| Arc::new(all))
            }
            (active, recent) => active.as_ref().or(recent.as_ref()).map(Arc::clone),
        }
    }
}

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The least key that belongs to each chunk.
    pub(super) firsts: Arc<Packed>,
    pub(super) chunks: Vec<Arc<Chunk>>,
}

impl Tree {
    pub(super) fn new(chunks: Vec<Arc<Chunk>>) -> Self {
        let mut firsts = Packed::default();
        for chunk in &chunks {
            firsts.push(&chunk.leaves.separators.get(0));
        }
        firsts.shrink();
        Self {
            firsts: Arc::new(firsts),
            chunks,
        }
    }

    pub(super) fn empty() -> Self {
        Self::new(vec![Arc::new(Chunk::new(Leaves::empty(&[])))])
    }

    /// The chunk and the page in it that `key` belongs to.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> (usize, usize) {
        let chunk = self.firsts.floor(key);
        (chunk, self.chunks[chunk].leaves.separators.floor(key))
    }

    /// The chunk and the page in it that the last keys below `key` belong to.
    #[inline]
    pub(super) fn find_below(&self, key: &[u8]) -> (usize, usize) {
        let chunk = self.firsts.below(key);
        (chunk, self.chunks[chunk].leaves.separators.below(key))
    }

    /// The least key that does not belong to the chunk.
    pub(super) fn end_of(&self, chunk: usize) -> Option<&[u8]> {
        (chunk + 1 < self.firsts.len()).then(|| self.firsts.get(chunk + 1))
    }

    fn put(&mut self, arena: &Arena, changes: &[Sortable<'_>]) {
        let mut keyed: Vec<Keyed<'_>> = Vec::new();
        let mut rest = changes;
        let mut chunk = 0;
        while let Some(first) = rest.first() {
            chunk = self.firsts.floor_from(chunk, first.change.key);
            let end = self.end_of(chunk);
            let is_inside = |key: &[u8]| end.is_none_or(|end| key < end);
            keyed.clear();
            keyed.extend(
                rest.iter()
                    .map(|sortable| sortable.change)
                    .take_while(|change| is_inside(change.key)),
            );
            rest = &rest[keyed.len()..];
            keep_last(&mut keyed);
            self.chunks[chunk] = Arc::new(self.chunks[chunk].with(arena, &keyed));
        }
    }

    fn wipe(&mut self, arena: &Arena, at: DeltaRef) {
        let (from, to) = (arena.key(at), arena.bound(at));
        if from >= to {
            return;
        }
        let mut chunk = self.firsts.floor(from);
        while chunk < self.chunks.len() && (chunk == 0 || self.firsts.get(chunk) < to) {
            self.chunks[chunk] = Arc::new(self.chunks[chunk].wiped(arena, at));
            chunk += 1;
        }
    }
}

/// Of changes of the same key, which stand side by side, the last one.
fn keep_last(changes: &mut Vec<Keyed<'_>>) {
    let mut kept = 0;
    for index in 0..changes.len() {
        if kept > 0 && changes[kept - 1].key == changes[index].key {
            kept -= 1;
        }
        changes[kept] = changes[index];
        kept += 1;
    }
    changes.truncate(kept);
}

/// Shared by all states between two checkpoints: when the last of them is gone, so is the use of
/// the pages that the second checkpoint replaced.
#[derive(Debug)]
pub(super) struct Epoch;

/// All tables after some commit.
#[derive(Clone)]
pub(super) struct State {
    pub(super) trees: [Arc<Tree>; Table::ALL.len()],
    /// What active deltas point into.
    pub(super) active: Arc<Arena>,
    /// What frozen deltas point into, while a checkpoint runs.
    pub(super) frozen: Option<Arc<Arena>>,
    pub(super) epoch: Arc<Epoch>,
}

impl State {
    pub(super) fn new(trees: [Arc<Tree>; Table::ALL.len()]) -> Self {
        Self {
            trees,
            active: Arc::default(),
            frozen: None,
            epoch: Arc::new(Epoch),
        }
    }

    pub(super) fn tree(&self, table: Table) -> &Tree {
        &self.trees[table as usize]
    }

    /// What the deltas of this state point into.
    pub(super) fn arenas(&self) -> impl Iterator<Item = &Arena> {
        iter::once(&*self.active).chain(self.frozen.as_deref())
    }

    /// Memory of directory and filters.
    pub(super) fn directory_bytes(&self) -> usize {
        let of_chunk =
            |chunk: &Arc<Chunk>| chunk.leaves.memory_bytes() + chunk.leaves.filters.memory_bytes();
        let of_tree = |tree: &Arc<Tree>| {
            tree.firsts.memory_bytes() + tree.chunks.iter().map(of_chunk).sum::<usize>()
        };
        self.trees.iter().map(of_tree).sum()
    }

    /// The changes of a chunk of this state.
    pub(super) fn layers<'s>(&'s self, chunk: &'s Chunk) -> Layers<'s> {
        let frozen = chunk.frozen.as_deref().zip(self.frozen.as_deref());
        let active = |deltas: &'s Option<Arc<Deltas>>| {
            deltas.as_deref().map(|deltas| (deltas, &*self.active))
        };
        [active(&chunk.recent), active(&chunk.active), frozen]
            .map(|layer| layer.map(|(deltas, arena)| Layer { deltas, arena }))
    }

    /// Applies a record of the active arena.
    pub(super) fn apply(&mut self, record: u32) {
        let arena = Arc::clone(&self.active);
        let mut changes: Vec<Sortable<'_>> = Vec::new();
        for op in record::ops(arena.ops(record)) {
            let at = DeltaRef::new(record, op.at);
            if let Change::DeleteTo(_) = op.change {
                self.put(&arena, &mut changes);
                Arc::make_mut(&mut self.trees[op.table as usize]).wipe(&arena, at);
            } else {
                changes.push(Sortable::new(op.table, op.key, at));
            }
        }
        self.put(&arena, &mut changes);
    }

    /// Applies changes of single keys, and forgets them.
    fn put(&mut self, arena: &Arena, changes: &mut Vec<Sortable<'_>>) {
        arena.note_changes(changes.len());
        changes.sort_unstable_by(|a, b| {
            (a.table, a.prefix)
                .cmp(&(b.table, b.prefix))
                .then_with(|| a.change.key.cmp(b.change.key))
                .then_with(|| a.change.at.cmp(&b.change.at))
        });
        for of_table in changes.chunk_by(|a, b| a.table == b.table) {
            let tree = &mut self.trees[of_table[0].table as usize];
            Arc::make_mut(tree).put(arena, of_table);
        }
        changes.clear();
    }

    /// The state in which all changes so far are frozen and further ones go to a new arena.
    ///
    /// # Panics
    /// If changes are frozen already.
    pub(super) fn frozen(&self) -> Self {
        assert!(self.frozen.is_none(), "one checkpoint runs at a time");
        let is_clean = |chunk: &Chunk| chunk.active.is_none() && chunk.recent.is_none();
        let freeze = |chunk: &Arc<Chunk>| {
            if is_clean(chunk) {
                return Arc::clone(chunk);
            }
            Arc::new(Chunk {
                leaves: Arc::clone(&chunk.leaves),
                frozen: chunk.all_active(&self.active),
                active: None,
                recent: None,
            })
        };
        let trees = self.trees.each_ref().map(|tree| {
            if tree.chunks.iter().all(|chunk| is_clean(chunk)) {
                return Arc::clone(tree);
            }
            Arc::new(Tree {
                firsts: Arc::clone(&tree.firsts),
                chunks: tree.chunks.iter().map(freeze).collect(),
            })
        });
        Self {
            trees,
            active: Arc::default(),
            frozen: Some(Arc::clone(&self.active)),
            epoch: Arc::clone(&self.epoch),
        }
    }
}

/// A change with what it is sorted by.
#[derive(Clone, Copy)]
struct Sortable<'a> {
    table: Table,
    /// The first bytes of the key: mostly they decide.
    prefix: u64,
    change: Keyed<'a>,
}

impl<'a> Sortable<'a> {
    fn new(table: Table, key: &'a [u8], at: DeltaRef) -> Self {
        let mut prefix = [0; 8];
        let len = key.len().min(8);
        prefix[..len].copy_from_slice(&key[..len]);
        Self {
            table,
            prefix: u64::from_be_bytes(prefix),
            change: Keyed { key, at },
        }
    }
}
