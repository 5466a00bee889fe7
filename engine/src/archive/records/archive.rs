//! All batches, sealed ones and the one that is being filled, and how they are written.

use super::{
    RecordArchiveError,
    filling::Filling,
    format::{Entry, Frame, Kind},
    segment::Segment,
};
use alloy_primitives::{Address, B256};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use thinstate_formats::{
    BatchId, BlockNumber, HashKind, NodeHasher, RecordIndex, list::ListTree, record::RecordRange,
};

pub(super) type Result<T> = core::result::Result<T, RecordArchiveError>;

/// Where the archive of records lies, and what it indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordArchiveOptions {
    /// The directory.
    pub dir: PathBuf,
    /// Whether records are found by owner without reading all of them.
    pub index_owners: bool,
}

/// Up to where the archive belongs to the committed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArchivePosition {
    /// The batch that is being filled; all before it are sealed.
    pub(crate) batch: BatchId,
    /// Bytes of its file; 0 for one that has none yet.
    pub(crate) len: u64,
}

/// The records of a block, encoded.
#[derive(Debug)]
pub(crate) struct BlockRecords<'a> {
    pub(crate) range: RecordRange,
    /// Where each record ends in `bytes`.
    pub(crate) ends: &'a [u32],
    pub(crate) bytes: &'a [u8],
    pub(crate) owners: Vec<(Address, RecordIndex)>,
}

/// A frame that is written, and not yet part of the archive.
#[derive(Debug)]
pub(super) struct StagedFrame {
    pub(super) entry: Entry,
    pub(super) end: u64,
    pub(super) owners: Vec<(Address, RecordIndex)>,
}

/// What a block adds: written and synced, not yet committed.
#[derive(Debug)]
pub(crate) struct StagedFrames {
    frame: Option<StagedFrame>,
    /// The batch, if this block seals it.
    sealed: Option<Segment>,
    /// Where the archive ends once the block is committed.
    pub(crate) position: ArchivePosition,
    /// Bytes written.
    pub(crate) bytes: u64,
}

/// The archive of records. See the module's documentation.
#[derive(Debug)]
pub struct RecordArchive {
    options: RecordArchiveOptions,
    pub(super) kind: Kind,
    pub(super) hasher: NodeHasher,
    pub(super) sealed: BTreeMap<BatchId, Segment>,
    pub(super) filling: Option<Filling>,
    pub(super) position: ArchivePosition,
    /// The batch whose roots were used last.
    pub(super) tree: Mutex<Option<(BatchId, ListTree)>>,
    poison: Option<String>,
}

impl RecordArchive {
    /// Opens the archive of a state that ends at `position`, and cuts off what lies beyond. Without
    /// one the state has no archive yet, and the directory must have no sealed batch.
    pub(crate) fn open(
        options: RecordArchiveOptions,
        ring_len: u32,
        hash: HashKind,
        position: Option<ArchivePosition>,
    ) -> Result<Self> {
        let dir = &options.dir;
        std::fs::create_dir_all(dir).map_err(|e| RecordArchiveError::io("create", dir, &e))?;
        let kind = Kind { ring_len, hash };
        let mut sealed = BTreeMap::new();
        let known = position.is_some();
        let position = position.unwrap_or(ArchivePosition {
            batch: BatchId(0),
            len: 0,
        });
        let mut deleted = false;
        for (batch, path) in files(dir)? {
            if !known && Segment::open(path.clone(), kind, batch).is_ok() {
                return Err(RecordArchiveError::Foreign { path });
            }
            if batch < position.batch {
                sealed.insert(batch, Segment::open(path, kind, batch)?);
            } else if batch > position.batch || position.len == 0 {
                delete(&path)?;
                deleted = true;
            }
        }
        if deleted {
            sync_dir(dir)?;
        }
        let filling = match position.len {
            0 => None,
            len => {
                let path = file(dir, position.batch);
                Some(Filling::open(path, kind, position.batch, len, &options)?)
            }
        };
        Ok(Self {
            kind,
            hasher: NodeHasher::new(hash),
            sealed,
            filling,
            position,
            tree: Mutex::new(None),
            poison: None,
            options,
        })
    }

    fn check(&self) -> Result<()> {
        match &self.poison {
            None => Ok(()),
            Some(cause) => Err(RecordArchiveError::Poisoned {
                cause: cause.clone(),
            }),
        }
    }

    /// Takes note that what is on the disk is not known.
    fn poisoned<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.poison = Some(error.to_string());
        }
        result
    }

    /// Writes the records of a block, and with the last block of a batch (`roots` are then those of
    /// all its blocks) the footer; syncs both. They are part of the archive once they are published.
    pub(crate) fn stage(
        &mut self,
        batch: BatchId,
        records: Option<BlockRecords<'_>>,
        roots: Option<&[B256]>,
    ) -> Result<StagedFrames> {
        self.check()?;
        let staged = self.write(batch, records, roots);
        self.poisoned(staged)
    }

    fn write(
        &mut self,
        batch: BatchId,
        records: Option<BlockRecords<'_>>,
        roots: Option<&[B256]>,
    ) -> Result<StagedFrames> {
        let mut staged = StagedFrames {
            frame: None,
            sealed: None,
            position: ArchivePosition {
                batch,
                len: if batch == self.position.batch {
                    self.position.len
                } else {
                    0
                },
            },
            bytes: 0,
        };
        if batch > self.position.batch && !self.sealed.contains_key(&self.position.batch) {
            // The chain was undone to nothing, and begins again further on.
            let left = file(&self.options.dir, self.position.batch);
            if left.exists() {
                delete(&left)?;
                sync_dir(&self.options.dir)?;
            }
        }
        if records.is_none() && roots.is_none() {
            return Ok(staged);
        }
        if records.is_none() && staged.position.len == 0 {
            // A batch without any record needs no file; one may be left of blocks that were undone or
            // refused, which no committed state knows of.
            let path = file(&self.options.dir, batch);
            if path.exists() {
                delete(&path)?;
                sync_dir(&self.options.dir)?;
            }
            staged.position.batch = BatchId(batch.0 + 1);
            return Ok(staged);
        }
        if staged.position.len == 0 {
            let path = file(&self.options.dir, batch);
            self.filling = Some(Filling::create(path, self.kind, batch, &self.options)?);
            sync_dir(&self.options.dir)?;
        }
        let Some(filling) = &self.filling else {
            return Ok(staged);
        };
        let start = filling.len;
        let mut end = start;
        if let Some(records) = records {
            let (frame, bytes) = frame(records, start);
            filling.write(start, &bytes)?;
            end = frame.end;
            staged.frame = Some(frame);
        }
        staged.position.len = end;
        if let Some(roots) = roots {
            let footer = filling.seal(staged.frame.as_ref(), roots);
            filling.write(end, &footer)?;
            end += footer.len() as u64;
            filling.sync()?;
            let path = filling.path.clone();
            staged.sealed = Some(Segment::open(path, self.kind, batch)?);
            staged.position = ArchivePosition {
                batch: BatchId(batch.0 + 1),
                len: 0,
            };
        } else {
            filling.sync()?;
        }
        staged.bytes = end - start;
        Ok(staged)
    }

    /// Makes what was staged part of the archive. Its block must be committed.
    pub(crate) fn publish(&mut self, staged: StagedFrames) {
        if let (Some(filling), Some(frame)) = (&mut self.filling, staged.frame) {
            filling.len = frame.end;
            filling.entries.push(frame.entry);
            if let Some(owners) = &mut filling.owners {
                owners.extend(frame.owners);
            }
        }
        if let Some(segment) = staged.sealed {
            let batch = BatchId(staged.position.batch.0.saturating_sub(1));
            self.sealed.insert(batch, segment);
            self.filling = None;
        }
        if self.filling.is_some() || staged.position.len == 0 {
            self.position = staged.position;
        }
    }

    /// Takes back what was staged: its block was refused, and no commit of it was tried.
    pub(crate) fn rollback(&mut self, staged: StagedFrames) {
        drop(staged);
        let cut = match (self.position.len, &mut self.filling) {
            (0, _) => {
                self.filling = None;
                Ok(())
            }
            (len, Some(filling)) => filling.cut(len),
            (_, None) => Ok(()),
        };
        // An error refuses the next block; reading goes on.
        let _ = self.poisoned(cut);
    }

    /// Leaves what was staged where it is: the commit of its block failed, and whether the block is in
    /// the store is known after reopening, which cuts the archive to what is. Until then no block is
    /// taken.
    pub(crate) fn abandon(&mut self, staged: StagedFrames) {
        drop(staged);
        self.poison
            .get_or_insert_with(|| "the commit of a block failed".to_owned());
    }

    /// Where the archive ends once `block`, the last one, of this batch, is undone.
    pub(crate) fn position_before(&self, block: BlockNumber, batch: BatchId) -> ArchivePosition {
        let before = |entries: &[Entry], end: u64| match entries.last() {
            Some(last) if last.range.block >= block => last.offset,
            _ => end,
        };
        let len = if batch < self.position.batch {
            let segment = self.sealed.get(&batch);
            segment.map_or(0, |s| before(&s.entries(), s.trailer.frames_end))
        } else {
            let filling = self.filling.as_ref();
            filling.map_or(0, |filling| before(&filling.entries, filling.len))
        };
        ArchivePosition { batch, len }
    }

    /// Cuts the archive to a position that is committed, after a block was undone.
    pub(crate) fn cut(&mut self, position: ArchivePosition) {
        let cut = self.cut_to(position);
        // An error refuses the next block; the next opening cuts again.
        let _ = self.poisoned(cut);
    }

    fn cut_to(&mut self, position: ArchivePosition) -> Result<()> {
        let unsealed = self.sealed.remove(&position.batch).is_some();
        if position.batch < self.position.batch {
            self.filling = None;
            *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.position = position;
        if position.len == 0 {
            self.filling = None;
            return Ok(());
        }
        if unsealed {
            let path = file(&self.options.dir, position.batch);
            let (len, options) = (position.len, &self.options);
            self.filling = Some(Filling::open(
                path,
                self.kind,
                position.batch,
                len,
                options,
            )?);
        }
        match &mut self.filling {
            Some(filling) => filling.cut(position.len),
            None => Ok(()),
        }
    }
}

/// The frame of a block's records at an offset, and its bytes.
fn frame(records: BlockRecords<'_>, offset: u64) -> (StagedFrame, Vec<u8>) {
    let mut body = Vec::with_capacity(4 * records.ends.len() + records.bytes.len());
    body.extend(records.ends.iter().flat_map(|end| end.to_le_bytes()));
    body.extend_from_slice(records.bytes);
    let head = Frame {
        range: records.range,
        len: body.len() as u32,
        checksum: crc32fast::hash(&body),
    };
    let mut bytes = head.encode().to_vec();
    bytes.append(&mut body);
    let staged = StagedFrame {
        entry: Entry {
            range: records.range,
            offset,
        },
        end: offset + bytes.len() as u64,
        owners: records.owners,
    };
    (staged, bytes)
}

fn file(dir: &Path, batch: BatchId) -> PathBuf {
    dir.join(format!("batch-{batch}.records"))
}

/// The files of an archive.
fn files(dir: &Path) -> Result<Vec<(BatchId, PathBuf)>> {
    let io = |error: std::io::Error| RecordArchiveError::io("list", dir, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name
            .and_then(|name| name.strip_prefix("batch-")?.strip_suffix(".records"))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            files.push((BatchId(number), path));
        }
    }
    Ok(files)
}

pub(super) fn delete(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(|error| RecordArchiveError::io("delete", path, &error))
}

fn sync_dir(dir: &Path) -> Result<()> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|error| RecordArchiveError::io("sync", dir, &error))
}
