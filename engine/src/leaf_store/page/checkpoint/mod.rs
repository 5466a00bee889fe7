//! The checkpoint: changes that wait in memory become pages, many commits at once.
//!
//! 1. A new segment of the log is made; under the writer's lock the active changes become frozen
//!    ones, and commits go on in the new segment.
//! 2. Each page with frozen changes is read, merged with them, and written to free places; then
//!    the chunks that name the new pages, and the root that names all chunks.
//! 3. Sync, superblock, sync. From here on an opening finds the new tree.
//! 4. Under the writer's lock the new chunks replace the old ones, and the active changes are handed
//!    to them.
//! 5. What the old tree alone used becomes free when no snapshot from before is left, and the old
//!    segments go with it.
//!
//! A page of the durable tree is never written to. An error poisons the store: what is durable is
//! known after reopening.

mod compact;
mod gathered;
mod install;
mod merge;

use super::super::{StoreError, Table};
use super::directory;
use super::extent::Extent;
use super::fill::PageWriter;
use super::folder::SegmentId;
use super::ids::{PageId, Run};
use super::log;
use super::shared::{Core, Unwinding, lock};
use super::superblock::Superblock;
use super::tree::{Epoch, Leaves, State};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use merge::Merger;
use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

/// What is on the device, and what may go from it.
pub(super) struct Durable {
    pub(super) superblock: Superblock,
    /// The last segment of the log that was made.
    pub(super) last_segment: SegmentId,
    retired: VecDeque<Retired>,
}

/// What one checkpoint left behind.
struct Retired {
    /// States that may still refer to it.
    epoch: Weak<Epoch>,
    runs: Vec<Run>,
    segments: Range<SegmentId>,
}

impl Durable {
    pub(super) fn new(superblock: Superblock, last_segment: SegmentId) -> Self {
        Self {
            superblock,
            last_segment,
            retired: VecDeque::new(),
        }
    }
}

/// What a checkpoint has to do beside merging the changes.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Pages of a table that were written by themselves. They lie behind all that it has.
    pub(super) load: Option<(Table, Vec<Leaves>)>,
    /// Pages from this one on are to move to lower places.
    pub(super) move_from: Option<PageId>,
}

impl Job {
    fn is_empty(&self) -> bool {
        self.load.is_none() && self.move_from.is_none()
    }
}

/// Chunks of a table that others take the place of.
struct Group {
    old: Range<usize>,
    new: Vec<Arc<Leaves>>,
}

/// What became of the tables.
struct Merged {
    /// For each table, ascending.
    groups: [Vec<Group>; Table::ALL.len()],
    /// Pages that the new tree does not use.
    freed: Vec<Run>,
}

impl Core {
    /// Runs a checkpoint and waits for it. Costs nothing if there is nothing to do.
    pub(super) fn checkpoint(&self, job: Job) -> Result<(), StoreError> {
        let mut durable = lock(&self.durable);
        self.refuse_poisoned()?;
        self.run(&mut durable, job)
            .map_err(|error| self.fail(error))?;
        drop(durable);
        self.signal.changed();
        Ok(())
    }

    /// Runs one that nobody waits for: the next commit is told of its failure.
    pub(super) fn checkpoint_behind(&self) {
        let mut durable = lock(&self.durable);
        if self.poison.get().is_some() {
            return;
        }
        match self.run(&mut durable, Job::default()) {
            Ok(()) => {
                drop(durable);
                self.signal.changed();
            }
            Err(error) => self.fail_untold(error),
        }
    }

    fn run(&self, durable: &mut Durable, job: Job) -> Result<(), StoreError> {
        let _unwinding = Unwinding(self, "checkpoint");
        self.release(durable)?;
        if self.state().active.bytes() == 0 && job.is_empty() {
            return Ok(());
        }
        let first_segment = durable.superblock.segment;
        let (state, sequence) = self.freeze(durable)?;
        let generation = durable.superblock.generation + 1;
        lock(&self.allocator).pack(job.move_from.is_some());
        let mut writer = PageWriter::new(self);
        let mut merged =
            Merger::new(self, &state, &mut writer, generation, job.move_from).tables(job.load)?;
        let old_root = used(durable.superblock.root, self.page_bytes);
        merged.freed.extend(old_root);
        let chunks = Table::ALL
            .map(|table| install::leaves(state.tree(table), &merged.groups[table as usize]));
        let root = directory::encode_root(&chunks, generation);
        let superblock = Superblock {
            generation,
            root: writer.extent(&root)?,
            segment: durable.last_segment,
            sequence,
            ..durable.superblock
        };
        writer.finish()?;
        self.make_durable(superblock)?;
        durable.superblock = superblock;
        self.work.checkpoints.fetch_add(1, Relaxed);
        let epoch = self.install(&merged.groups);
        drop(state);
        // There is room for commits that wait for it.
        self.signal.changed();
        self.divide_memory();
        for page in merged.freed.iter().filter(|run| run.pages == 1) {
            self.cache.remove(PageId(page.start));
        }
        durable.retired.push_back(Retired {
            epoch,
            runs: merged.freed,
            segments: first_segment..durable.last_segment,
        });
        self.release(durable)
    }

    /// Freezes all changes so far; gives the state that has them frozen, and the last sequence in
    /// it.
    fn freeze(&self, durable: &mut Durable) -> Result<(Arc<State>, u64), StoreError> {
        let segment = durable.last_segment.next();
        let file = log::create(&self.folder, segment)?;
        durable.last_segment = segment;
        let mut writer = lock(&self.writer);
        writer.sync(&self.work)?;
        writer.rotate(segment, file);
        self.publish(self.state().frozen());
        let frozen = (self.state(), writer.sequence);
        drop(writer);
        Ok(frozen)
    }

    pub(super) fn make_durable(&self, superblock: Superblock) -> Result<(), StoreError> {
        self.file.sync()?;
        let bytes = superblock.encode();
        self.file.write_at(superblock.offset(), &bytes)?;
        self.file.sync()
    }

    /// Gives free what retired and nobody refers to any more.
    fn release(&self, durable: &mut Durable) -> Result<(), StoreError> {
        while let Some(retired) = durable.retired.front() {
            if retired.epoch.strong_count() > 0 {
                break;
            }
            let retired = durable.retired.pop_front().expect("it was looked at");
            for segment in retired.segments.start.0..retired.segments.end.0 {
                self.folder.remove_segment(SegmentId(segment))?;
            }
            // The pages may be written to from now on: an older superblock must not be usable.
            self.folder.sync()?;
            let mut allocator = lock(&self.allocator);
            for run in retired.runs {
                allocator.release(run);
            }
        }
        self.note_retired(durable);
        Ok(())
    }

    fn note_retired(&self, durable: &Durable) {
        let runs = durable.retired.iter().flat_map(|retired| &retired.runs);
        let pages = runs.map(|run| u64::from(run.pages)).sum();
        self.work.retired_pages.store(pages, Relaxed);
    }
}

/// Writes a chunk down, unless it has no pages.
fn write_chunk(
    writer: &mut PageWriter<'_>,
    leaves: &mut Leaves,
    table: Table,
    generation: u64,
) -> Result<(), StoreError> {
    let bytes = directory::encode_chunk(leaves, table, generation);
    leaves.home = writer.extent(&bytes)?;
    Ok(())
}

/// A run that is no page's is nothing to free.
fn used(extent: Extent, page_bytes: usize) -> Option<Run> {
    (extent != Extent::NONE).then(|| extent.run(page_bytes))
}
