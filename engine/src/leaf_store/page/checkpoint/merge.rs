//! Merging frozen changes into pages.

use super::super::super::{StoreError, Table};
use super::super::fill::{Filler, Growing, PageWriter};
use super::super::ids::{PageId, Run};
use super::super::leaf::{Page, Stored};
use super::super::shared::Core;
use super::super::tree::{CHUNK_PAGES_MAX, Chunk, Leaves, State, Tree};
use super::super::view::{Found, Layer, PageView};
use super::gathered::Gathered;
use super::{Group, Merged, used, write_chunk};
use core::ops::ControlFlow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A chunk with fewer pages takes its neighbour in.
const SMALL_CHUNK: usize = CHUNK_PAGES_MAX / 8;
/// Pages that are read at once, about.
const READ_PAGES: usize = 256;

/// One checkpoint's merging.
pub(super) struct Merger<'a, 'w> {
    core: &'a Core,
    state: &'a State,
    writer: &'w mut PageWriter<'a>,
    generation: u64,
    move_from: Option<PageId>,
    freed: Vec<Run>,
}

/// A group that is being made.
struct Open<'a> {
    first: usize,
    filler: Filler<'a>,
}

impl<'a, 'w> Merger<'a, 'w> {
    pub(super) fn new(
        core: &'a Core,
        state: &'a State,
        writer: &'w mut PageWriter<'a>,
        generation: u64,
        move_from: Option<PageId>,
    ) -> Self {
        Self {
            core,
            state,
            writer,
            generation,
            move_from,
            freed: Vec::new(),
        }
    }

    /// Merges all tables, and puts the pages of `load` behind those of its table.
    pub(super) fn tables(
        mut self,
        load: Option<(Table, Vec<Leaves>)>,
    ) -> Result<Merged, StoreError> {
        let mut load = load;
        let mut groups: [Vec<Group>; Table::ALL.len()] = Default::default();
        for table in Table::ALL {
            let tree = self.state.tree(table);
            groups[table as usize] = match load.take_if(|(of, _)| *of == table) {
                Some((_, leaves)) if leaves[0].separators.get(0).is_empty() => {
                    self.load(table, tree, leaves)?
                }
                Some((_, leaves)) => self.append(table, tree, leaves)?,
                None => self.table(table, tree)?,
            };
        }
        Ok(Merged {
            groups,
            freed: self.freed,
        })
    }

    /// New pages for a whole table, which has no entries.
    fn load(
        &mut self,
        table: Table,
        tree: &Tree,
        mut new: Vec<Leaves>,
    ) -> Result<Vec<Group>, StoreError> {
        for leaves in &mut new {
            if leaves.has_pages() {
                write_chunk(self.writer, leaves, table, self.generation)?;
            }
        }
        for chunk in &tree.chunks {
            self.free_home(&chunk.leaves);
            for page in 0..chunk.leaves.len() {
                self.free_page(&chunk.leaves, page);
                let blobs = chunk.leaves.blobs_of(page);
                self.freed
                    .extend(blobs.map(|blob| blob.run(self.core.page_bytes)));
            }
        }
        Ok(vec![Group {
            old: 0..tree.chunks.len(),
            new: new.into_iter().map(Arc::new).collect(),
        }])
    }

    /// New pages behind those of a table, which is merged as any other.
    fn append(
        &mut self,
        table: Table,
        tree: &Tree,
        mut new: Vec<Leaves>,
    ) -> Result<Vec<Group>, StoreError> {
        let mut groups = self.table(table, tree)?;
        let behind = self.drop_empty_end(tree, &mut groups);
        if behind == 0 {
            new[0].begin_at(&[]);
        }
        for leaves in &mut new {
            write_chunk(self.writer, leaves, table, self.generation)?;
        }
        groups.push(Group {
            old: behind..tree.chunks.len(),
            new: new.into_iter().map(Arc::new).collect(),
        });
        Ok(groups)
    }

    /// Takes out the last chunks that have no pages: what comes in their place may begin before them, at
    /// keys that were deleted. Gives the first of the old ones that go.
    fn drop_empty_end(&mut self, tree: &Tree, groups: &mut Vec<Group>) -> usize {
        let mut behind = tree.chunks.len();
        while behind > 0 {
            if let Some(mut group) = groups.pop_if(|group| group.old.end == behind) {
                while let Some(leaves) = group.new.pop_if(|leaves| !leaves.has_pages()) {
                    self.free_home(&leaves);
                }
                if !group.new.is_empty() {
                    groups.push(group);
                    break;
                }
                behind = group.old.start;
            } else {
                let leaves = &tree.chunks[behind - 1].leaves;
                if leaves.has_pages() {
                    break;
                }
                self.free_home(leaves);
                behind -= 1;
            }
        }
        behind
    }

    fn table(&mut self, table: Table, tree: &Tree) -> Result<Vec<Group>, StoreError> {
        let mut groups = Vec::new();
        let mut open: Option<Open<'a>> = None;
        let mut ahead = Ahead::default();
        for (index, chunk) in tree.chunks.iter().enumerate() {
            let is_dirty = self.is_dirty(chunk);
            if let Some(group) = open.take_if(|group| {
                let pages = group.filler.growing.len();
                pages >= CHUNK_PAGES_MAX / 2 || (!is_dirty && pages >= SMALL_CHUNK)
            }) {
                groups.push(self.close(table, tree, group, index)?);
            }
            if !is_dirty && open.is_none() {
                continue;
            }
            let (core, generation) = (self.core, self.generation);
            let group = open.get_or_insert_with(|| Open {
                first: index,
                filler: Filler::new(core, table, generation),
            });
            if is_dirty {
                if index >= ahead.upto {
                    self.look_ahead(table, tree, index, &mut ahead)?;
                }
                let plan = ahead.plans.pop_front().expect("the chunk was planned");
                self.rewrite(table, chunk, &plan, &mut ahead.pages, &mut group.filler)?;
            } else {
                for page in 0..chunk.leaves.len() {
                    keep(&chunk.leaves, page, &mut group.filler.growing);
                }
            }
            self.free_home(&chunk.leaves);
        }
        if let Some(group) = open {
            groups.push(self.close(table, tree, group, tree.chunks.len())?);
        }
        Ok(groups)
    }

    fn close(
        &mut self,
        table: Table,
        tree: &Tree,
        open: Open<'a>,
        end: usize,
    ) -> Result<Group, StoreError> {
        let Open { first, mut filler } = open;
        filler.writer.finish()?;
        let lower = tree.firsts.get(first);
        let mut new = filler.growing.finish(lower);
        new[0].begin_at(lower);
        // The last group may have become a table without pages, which has no chunk.
        let is_table = first == 0 && end == tree.chunks.len();
        for leaves in &mut new {
            if leaves.has_pages() || !is_table {
                write_chunk(self.writer, leaves, table, self.generation)?;
            }
        }
        Ok(Group {
            old: first..end,
            new: new.into_iter().map(Arc::new).collect(),
        })
    }

    /// Whether something of the chunk is to move.
    fn moves(&self, leaves: &Leaves) -> bool {
        let Some(from) = self.move_from else {
            return false;
        };
        leaves.home.start >= from
            || leaves.pages.iter().any(|page| *page >= from)
            || leaves.blobs.iter().any(|(_, blob)| blob.start >= from)
    }

    fn moves_page(&self, leaves: &Leaves, page: usize) -> bool {
        self.move_from.is_some_and(|from| {
            leaves.pages[page] >= from || leaves.blobs_of(page).any(|blob| blob.start >= from)
        })
    }

    fn free_home(&mut self, leaves: &Leaves) {
        self.freed.extend(used(leaves.home, self.core.page_bytes));
    }

    fn free_page(&mut self, leaves: &Leaves, page: usize) {
        if !leaves.pages[page].is_none() {
            self.freed.push(Run::one(leaves.pages[page]));
        }
    }

    fn is_dirty(&self, chunk: &Chunk) -> bool {
        chunk.frozen.is_some() || self.moves(&chunk.leaves)
    }

    /// The frozen changes of a chunk.
    fn layer<'c>(&self, chunk: &'c Chunk) -> Option<Layer<'c>>
    where
        'a: 'c,
    {
        let (deltas, arena) = chunk.frozen.as_deref().zip(self.state.frozen.as_deref())?;
        Some(Layer { deltas, arena })
    }

    /// Writes the pages of a chunk that have changed anew, and names the others as they are.
    fn rewrite(
        &mut self,
        table: Table,
        chunk: &Chunk,
        plan: &[Fate],
        pages: &mut HashMap<PageId, Fetched>,
        filler: &mut Filler<'a>,
    ) -> Result<(), StoreError> {
        let leaves = &chunk.leaves;
        let layer = self.layer(chunk);
        let mut gathered = Gathered::new(self.core.page_bytes);
        for (page, fate) in plan.iter().enumerate() {
            if !gathered.is_small() || (*fate == Fate::Keep && gathered.is_empty()) {
                gathered.write(filler, &mut self.freed, self.core.page_bytes)?;
            }
            if *fate == Fate::Keep && gathered.is_empty() {
                keep(leaves, page, &mut filler.growing);
                continue;
            }
            if gathered.is_empty() {
                gathered.begin(&leaves.separators.get(page));
            }
            gathered.replaced.extend(leaves.blobs_of(page));
            self.free_page(leaves, page);
            let id = leaves.pages[page];
            let old = match pages.remove(&id) {
                Some(old) => Some(old),
                None if *fate == Fate::Drop || id.is_none() => None,
                None => Some(Fetched {
                    page: self.core.page(table, id)?,
                    is_cached: false,
                }),
            };
            gathered.is_cached |= old.as_ref().is_some_and(|old| old.is_cached);
            let view = PageView {
                page: old.as_ref().map(|old| &*old.page),
                index: page,
                layers: [None, None, layer],
            };
            let flow = view.visit(&[], None, |key, found| {
                self.gather(key, found, &mut gathered, filler)?;
                Ok::<_, StoreError>(ControlFlow::Continue(()))
            })?;
            debug_assert!(flow.is_continue(), "nothing ends the visit");
        }
        gathered.write(filler, &mut self.freed, self.core.page_bytes)
    }

    fn fate(
        &self,
        leaves: &Leaves,
        page: usize,
        layer: Option<Layer<'_>>,
        end: Option<&[u8]>,
    ) -> Fate {
        let moves = self.moves_page(leaves, page);
        let Some(Layer { deltas, arena }) = layer else {
            return if moves { Fate::Merge } else { Fate::Keep };
        };
        let changes = moves || !deltas.of_page(page).is_empty();
        if deltas.wipes().is_empty() {
            return if changes { Fate::Merge } else { Fate::Keep };
        }
        let (from, to) = (leaves.separators.get(page), leaves.end_of(page, end));
        if deltas.is_all_wiped(arena, &from, to.as_deref()) {
            Fate::Drop
        } else if changes || deltas.is_part_wiped(arena, &from, to.as_deref()) {
            Fate::Merge
        } else {
            Fate::Keep
        }
    }

    /// Plans the chunks from `index` on, until enough pages are to be read, and reads those.
    fn look_ahead(
        &self,
        table: Table,
        tree: &Tree,
        index: usize,
        ahead: &mut Ahead,
    ) -> Result<(), StoreError> {
        let mut missing = Vec::new();
        ahead.upto = index;
        while ahead.upto < tree.chunks.len() && ahead.pages.len() + missing.len() < READ_PAGES {
            let chunk = &tree.chunks[ahead.upto];
            if self.is_dirty(chunk) {
                let plan = self.plan(chunk, tree.end_of(ahead.upto));
                self.fetch(&chunk.leaves, &plan, &mut ahead.pages, &mut missing);
                ahead.plans.push_back(plan);
            }
            ahead.upto += 1;
        }
        for (id, page) in self.core.read_pages(table, missing)? {
            let is_cached = false;
            ahead.pages.insert(id, Fetched { page, is_cached });
        }
        Ok(())
    }

    fn plan(&self, chunk: &Chunk, end: Option<&[u8]>) -> Vec<Fate> {
        let layer = self.layer(chunk);
        (0..chunk.leaves.len())
            .map(|page| self.fate(&chunk.leaves, page, layer, end))
            .collect()
    }

    /// The pages of a chunk that are to be merged: from the cache, or noted as missing.
    fn fetch(
        &self,
        leaves: &Leaves,
        plan: &[Fate],
        pages: &mut HashMap<PageId, Fetched>,
        missing: &mut Vec<PageId>,
    ) {
        for (fate, id) in plan.iter().zip(&leaves.pages) {
            if *fate != Fate::Merge || id.is_none() {
                continue;
            }
            match self.core.cache.peek(*id) {
                Some(page) => {
                    let is_cached = true;
                    pages.insert(*id, Fetched { page, is_cached });
                }
                None => missing.push(*id),
            }
        }
    }

    fn gather(
        &self,
        key: &[u8],
        found: Found<'_>,
        gathered: &mut Gathered,
        filler: &mut Filler<'a>,
    ) -> Result<(), StoreError> {
        if gathered.is_full() {
            gathered.write_out(filler)?;
        }
        match found {
            Found::Inline(value) => gathered.push(key, filler.store(value)?),
            Found::Far(arena, at, far) => {
                gathered.push(key, filler.store(&arena.far(at, far)?)?);
            }
            Found::Blob(blob) if self.move_from.is_some_and(|from| blob.start >= from) => {
                let value = self.core.extent(blob, "value")?;
                gathered.push(key, filler.store(&value)?);
            }
            Found::Blob(blob) => {
                gathered.kept.insert(blob.start);
                gathered.push(key, Stored::Blob(blob));
            }
        }
        Ok(())
    }
}

/// Names a page as it is.
fn keep(leaves: &Leaves, page: usize, growing: &mut Growing) {
    let blobs: Vec<_> = leaves.blobs_of(page).collect();
    if leaves.pages[page].is_none() {
        return;
    }
    growing.push(
        &leaves.separators.get(page),
        leaves.pages[page],
        leaves.counts[page],
        leaves.filters.get(page),
        &blobs,
    );
}

/// What has been planned and read of chunks whose turn comes.
#[derive(Default)]
struct Ahead {
    plans: VecDeque<Vec<Fate>>,
    pages: HashMap<PageId, Fetched>,
    /// The first chunk that has not been looked at.
    upto: usize,
}

/// What becomes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Merge,
    /// None of its entries is left: it need not be read.
    Drop,
}

struct Fetched {
    page: Arc<Page>,
    is_cached: bool,
}
