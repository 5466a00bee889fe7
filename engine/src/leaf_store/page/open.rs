//! Opening a store: superblock, root, chunks, log.

use super::super::{StoreError, Table};
use super::allocator::Allocator;
use super::bytes::Malformed;
use super::cache::Cache;
use super::checkpoint::Durable;
use super::directory::{self, Named};
use super::disk::Disk;
use super::extent::Extent;
use super::folder::{Folder, PAGES, SegmentId, SharedFile};
use super::ids::{PageId, Run, SUPERBLOCKS_BYTES, first_page};
use super::leaf;
use super::log;
use super::options::{PageOptions, is_page_size};
use super::shared::{Core, Work};
use super::signal::Signal;
use super::superblock::{SLOT_BYTES, Superblock};
use super::tree::{Chunk, Leaves, State, Tree};
use core::sync::atomic::AtomicU64;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

/// Chunks that are read at once.
const CHUNKS_AT_ONCE: usize = 64;

impl Core {
    /// Opens the store in a folder, or makes one there.
    pub(super) fn open(
        disk: impl Disk,
        path: &Path,
        options: PageOptions,
    ) -> Result<Self, StoreError> {
        let folder = Folder::new(disk, path);
        let file = folder.pages()?;
        let superblock = match newest(&folder, &file)? {
            Some(superblock) => {
                // The sync after its first write may have failed: it is read, but the device does
                // not have it. What it names was synced before.
                file.write_at(superblock.offset(), &superblock.encode())?;
                file.sync()?;
                superblock
            }
            None => create(&folder, &file, &options)?,
        };
        let page_bytes = superblock.page_bytes as usize;
        let reading = Reading {
            folder: &folder,
            file: &file,
            page_bytes,
        };
        let trees = reading.trees(superblock.root)?;
        let allocator = reading.allocator(superblock.root, &trees)?;
        let mut state = State::new(trees);
        let writer = log::replay(
            &folder,
            superblock.segment,
            superblock.sequence,
            leaf::quarter(page_bytes),
            |record| {
                let record = state.active.push(record.ops, record.file, record.far_at);
                state.apply(record);
            },
        )?;
        let shares = options.beside(state.directory_bytes());
        Ok(Self {
            durable: Mutex::new(Durable::new(superblock, writer.segment)),
            cache: Cache::new(shares.page_bytes, page_bytes),
            pending_max: AtomicU64::new(shares.pending_bytes),
            folder,
            file,
            page_bytes,
            options,
            logical: Default::default(),
            work: Work::default(),
            signal: Signal::default(),
            allocator: Mutex::new(allocator),
            writer: Mutex::new(writer),
            state: RwLock::new(Arc::new(state)),
            poison: OnceLock::new(),
            untold: Mutex::new(None),
        })
    }
}

/// The superblock with the highest generation; `None` in a folder without a store.
fn newest(folder: &Folder, file: &SharedFile) -> Result<Option<Superblock>, StoreError> {
    let len = file.len()?;
    let mut bytes = vec![0; len.min(SUPERBLOCKS_BYTES as u64) as usize];
    file.read_at(0, &mut bytes)?;
    if bytes.iter().all(|byte| *byte == 0) && len <= SUPERBLOCKS_BYTES as u64 {
        // A store that was never made whole has no record either.
        for segment in folder.segments()? {
            if folder.segment(segment)?.len()? > log::SEGMENT_HEADER as u64 {
                let malformed = Malformed::new("no superblock beside a log with records");
                return Err(malformed.at(folder.path(), PAGES, "superblocks"));
            }
        }
        return Ok(None);
    }
    let mut newest: Option<Superblock> = None;
    let mut damage = None;
    bytes.resize(SUPERBLOCKS_BYTES, 0);
    for slot in bytes.chunks_exact(SLOT_BYTES) {
        match Superblock::decode(slot) {
            Ok(found) if newest.is_none_or(|newest| newest.generation < found.generation) => {
                newest = Some(found);
            }
            Ok(_) => {}
            Err(malformed) => damage = Some(malformed),
        }
    }
    match (newest, damage) {
        (None, Some(malformed)) => Err(malformed.at(folder.path(), PAGES, "superblocks")),
        (newest, _) => Ok(newest),
    }
}

/// Makes an empty store.
fn create(
    folder: &Folder,
    file: &SharedFile,
    options: &PageOptions,
) -> Result<Superblock, StoreError> {
    if !is_page_size(options.page_bytes) {
        return Err(StoreError::Io {
            operation: "make a store",
            path: folder.path().to_owned(),
            message: format!(
                "pages of a power of two from 512 to 32768 bytes expected, got {}",
                options.page_bytes
            ),
        });
    }
    let segment = SegmentId(1);
    log::create(folder, segment)?;
    let superblock = Superblock {
        page_bytes: options.page_bytes as u32,
        generation: 1,
        root: Extent::NONE,
        segment,
        sequence: 0,
    };
    file.write_at(superblock.offset(), &superblock.encode())?;
    file.sync()?;
    folder.sync()?;
    Ok(superblock)
}

/// Reading the directory.
struct Reading<'a> {
    folder: &'a Folder,
    file: &'a SharedFile,
    page_bytes: usize,
}

impl Reading<'_> {
    fn corrupt(&self, malformed: Malformed, place: String) -> StoreError {
        malformed.at(self.folder.path(), PAGES, place)
    }

    fn trees(&self, root: Extent) -> Result<[Arc<Tree>; Table::ALL.len()], StoreError> {
        let mut trees = [const { Vec::new() }; Table::ALL.len()];
        if root != Extent::NONE {
            let mut bytes = vec![0; root.bytes as usize];
            self.file
                .read_at(root.start.offset(self.page_bytes), &mut bytes)?;
            let named = root
                .check(&bytes)
                .and_then(|()| directory::decode_root(&bytes))
                .map_err(|malformed| {
                    self.corrupt(malformed, format!("root at page {}", root.start.0))
                })?;
            for (table, named) in Table::ALL.into_iter().zip(named) {
                trees[table as usize] = self.chunks(table, &named)?;
            }
        }
        Ok(trees.map(|chunks| {
            Arc::new(if chunks.is_empty() {
                Tree::empty()
            } else {
                Tree::new(chunks)
            })
        }))
    }

    fn chunks(&self, table: Table, named: &[Named]) -> Result<Vec<Arc<Chunk>>, StoreError> {
        let mut chunks = Vec::with_capacity(named.len());
        for some in named.chunks(CHUNKS_AT_ONCE) {
            let requests: Vec<_> = some
                .iter()
                .map(|Named { home, .. }| (home.start.offset(self.page_bytes), home.bytes as usize))
                .collect();
            for (named, bytes) in some.iter().zip(self.file.read_many(&requests)) {
                let bytes = bytes?;
                let leaves = named
                    .home
                    .check(&bytes)
                    .and_then(|()| directory::decode_chunk(&bytes, table, named))
                    .map_err(|malformed| {
                        let at = named.home.start.0;
                        let place = format!("chunk of table {} at page {at}", table.name());
                        self.corrupt(malformed, place)
                    })?;
                chunks.push(Arc::new(Chunk::new(leaves)));
            }
        }
        Ok(chunks)
    }

    /// The pages that the trees do not use.
    fn allocator(
        &self,
        root: Extent,
        trees: &[Arc<Tree>; Table::ALL.len()],
    ) -> Result<Allocator, StoreError> {
        let mut used = Vec::new();
        if root != Extent::NONE {
            used.push(root.run(self.page_bytes));
        }
        for chunk in trees.iter().flat_map(|tree| &tree.chunks) {
            self.used_by(&chunk.leaves, &mut used);
        }
        let pages = self.file.len()? / self.page_bytes as u64;
        if let Some(run) = used
            .iter()
            .find(|run| u64::from(run.start) + u64::from(run.pages) > pages)
        {
            let malformed = Malformed::unequal("pages of the file", run.end(), pages);
            return Err(self.corrupt(malformed, format!("page {}", run.start)));
        }
        Allocator::of_used(first_page(self.page_bytes), &mut used).map_err(|(first, second)| {
            let malformed = Malformed::new(format!(
                "in use twice, from page {} and from page {}",
                first.start, second.start
            ));
            self.corrupt(malformed, format!("page {}", second.start))
        })
    }

    fn used_by(&self, leaves: &Leaves, used: &mut Vec<Run>) {
        if leaves.home != Extent::NONE {
            used.push(leaves.home.run(self.page_bytes));
        }
        let pages = leaves.pages.iter().copied();
        used.extend(pages.filter(|id: &PageId| !id.is_none()).map(Run::one));
        let blobs = leaves.blobs.iter();
        used.extend(blobs.map(|(_, blob)| blob.run(self.page_bytes)));
    }
}
