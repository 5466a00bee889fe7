//! The archive of expired leaves: subtrees of the permanent tier that have been cut down to stubs.
//!
//! ```text
//! expired-00000001.seg   header | record*        not longer than its committed length
//! header                 magic "tsexpird" | version u32 | segment u32 | crc32 u32        (20 bytes)
//! record                 head | entry* | crc32 u32 of the entries
//! head                   bytes of entries u32 | entries u32 | trie u8 (0 accounts, 1 storage) | nibbles u8
//!                        | hashed address 0/32 | path, packed | hash 32 | crc32 u32
//! entry                  nibbles u8 | path from byte nibbles-of-the-record / 2 on | length u8 | value
//! ```
//!
//! Numbers are little-endian. A record is a stub's place, its hash, and the entries that it stands
//! for, as the leaf store held them: leaves with the block that last wrote them, and stubs, which
//! are those of older records, or of witnesses. A record is found by trie, path and hash; what lies
//! inside one, by the records above it. Whatever is served has been rebuilt from its entries, and
//! hashes to the stub.
//!
//! | operation | cost |
//! |---|---|
//! | append | one write and one sync for all records of a step; another to begin a segment |
//! | look-up | 1 read of the head for each version of the subtree, 1 of the entries; hashes of the subtree |
//! | memory | 17 bytes a record in a table that is half to seven eighths full: 20 to 34 |
//! | opening | 1 read of every head |
//!
//! *Power cut.* What is appended is synced before the batch whose stubs need it; the batch says how
//! long the archive is. At opening, everything behind that is cut off. A last segment that is
//! shorter than committed has been damaged, and is an error. *Deletion.* Segments other than the last
//! can be deleted at any time, all of them while the store is closed: their records are then
//! [`ExpiredError::NotArchived`], and a witness has to come from elsewhere.

mod error;
mod index;
mod rebuild;
mod record;
mod segment;

pub use error::ExpiredError;
pub(crate) use record::{Covering, Subtree};

use crate::{
    permanent::StubLocation,
    trie::{codec::TrieId, error::TrieName, path::Path},
};
use alloy_primitives::{B256, Bytes};
use index::{Index, Place};
use record::Head;
use segment::Segment;
use std::{
    collections::BTreeMap,
    path::{Path as FilePath, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use thinstate_formats::keccak::BatchHasher;

/// How far an archive has been committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    /// The segment that is appended to; 0 before the first.
    pub(crate) segment: u32,
    /// Its length.
    pub(crate) len: u64,
}

/// Subtrees cut out of the permanent tier, by place and hash.
#[derive(Debug)]
pub struct ExpiredArchive {
    dir: PathBuf,
    segment_bytes: u64,
    hasher: BatchHasher,
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    segments: BTreeMap<u32, Segment>,
    index: Index,
    tip: Tip,
    failure: Option<String>,
}

/// What an archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpiredSize {
    /// Segment files.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// Bytes of memory that the index takes.
    pub index_bytes: u64,
}

/// Records that are durable, and become visible once the batch that relies on them is.
#[derive(Debug)]
#[must_use = "records that are not published are cut off"]
pub(crate) struct Staged {
    pub(crate) tip: Tip,
    /// Bytes of each record.
    pub(crate) bytes: u64,
    places: Vec<(TrieId, Path, Place)>,
    begun: Option<Segment>,
}

impl ExpiredArchive {
    /// Opens the archive in `dir` as far as it has been committed: cuts off what is behind `tip`.
    pub(crate) fn open(dir: &FilePath, tip: Tip, segment_bytes: u64) -> Result<Self, ExpiredError> {
        std::fs::create_dir_all(dir).map_err(|e| error::io("create", dir, &e))?;
        let mut inner = Inner {
            tip,
            ..Inner::default()
        };
        for number in segment::list(dir)? {
            if number > tip.segment {
                segment::remove(dir, number)?;
                continue;
            }
            let committed = (number == tip.segment).then_some(tip.len);
            let segment = Segment::open(dir, number, committed)?;
            segment.for_each_head(|head, offset| {
                let place = Place {
                    segment: number,
                    offset,
                };
                inner.index.insert(&head.trie, &head.path, place);
            })?;
            inner.segments.insert(number, segment);
        }
        Ok(Self {
            dir: dir.to_owned(),
            segment_bytes,
            hasher: BatchHasher::new(),
            inner: RwLock::new(inner),
        })
    }

    /// The nodes under a stub, RLP, each that has a hash of its own; the stub's own node first.
    /// Stubs inside it are served by themselves.
    pub fn witness(&self, stub: &StubLocation, hash: B256) -> Result<Vec<Bytes>, ExpiredError> {
        let trie = stub.account.map_or(TrieId::Accounts, TrieId::Storage);
        let missing = || ExpiredError::NotArchived {
            trie: TrieName(stub.account),
            path: stub.path,
            hash,
        };
        let path = Path::from_nibbles(&stub.path).ok_or_else(missing)?;
        let subtree = self.find(&trie, &path, hash)?.ok_or_else(missing)?;
        Ok(rebuild::nodes(&self.hasher, &subtree))
    }

    /// Files, records, memory.
    pub fn size(&self) -> ExpiredSize {
        let inner = self.read();
        ExpiredSize {
            segments: inner.segments.len() as u64,
            records: inner.index.len() as u64,
            file_bytes: inner.segments.values().map(Segment::len).sum(),
            index_bytes: inner.index.bytes() as u64,
        }
    }

    /// Numbers of the segments, the oldest first. The last is the one that is written.
    pub fn segments(&self) -> Vec<u32> {
        self.read().segments.keys().copied().collect()
    }

    /// Deletes a segment with all its records. The last one is refused: it is being written.
    pub fn delete_segment(&self, number: u32) -> Result<(), ExpiredError> {
        let mut inner = self.write();
        if number == inner.tip.segment {
            return Err(ExpiredError::InUse { segment: number });
        }
        if inner.segments.remove(&number).is_some() {
            inner.index.remove_segment(number);
            segment::remove(&self.dir, number)?;
        }
        Ok(())
    }

    /// The subtree with this hash at this path, checked; `None` where it is not archived.
    pub(crate) fn find(
        &self,
        trie: &TrieId,
        path: &Path,
        hash: B256,
    ) -> Result<Option<Subtree>, ExpiredError> {
        let inner = self.read();
        for len in (0..=path.len()).rev() {
            for place in inner.index.find(trie, &path.prefix(len)) {
                let (head, at) = inner.head(&place)?;
                let is_it = head.trie == *trie && head.path == path.prefix(len);
                if !is_it || (len == path.len() && head.hash != hash) {
                    continue;
                }
                let record = inner.entries(&place, head, at)?;
                let found = match len == path.len() {
                    true => Some(record),
                    false => record.part(path, hash),
                };
                if let Some(found) = found.filter(|s| rebuild::hashes_right(&self.hasher, s)) {
                    return Ok(Some(found));
                }
                if len == path.len() {
                    let reason = "the entries do not hash to the record's hash";
                    return Err(inner.corrupt(&place, reason));
                }
            }
        }
        Ok(None)
    }

    /// Bytes of the record of exactly this stub; `None` where there is none.
    pub(crate) fn record_bytes(
        &self,
        trie: &TrieId,
        path: &Path,
        hash: B256,
    ) -> Result<Option<u64>, ExpiredError> {
        let inner = self.read();
        for place in inner.index.find(trie, path) {
            let (head, _) = inner.head(&place)?;
            if (head.trie, head.path, head.hash) == (*trie, *path, hash) {
                return Ok(Some(head.record_bytes()));
            }
        }
        Ok(None)
    }

    /// Appends records, durably. Nobody sees them before [`Self::publish`]; if that does not come,
    /// the next call writes over them.
    pub(crate) fn stage(&self, records: &[Subtree]) -> Result<Staged, ExpiredError> {
        let mut inner = self.write();
        if let Some(cause) = &inner.failure {
            return Err(ExpiredError::Poisoned {
                cause: cause.clone(),
            });
        }
        let staged = self.append(&inner, records);
        if let Err(error) = &staged {
            inner.failure = Some(error.to_string());
        }
        staged
    }

    fn append(&self, inner: &Inner, records: &[Subtree]) -> Result<Staged, ExpiredError> {
        let mut tip = inner.tip;
        let mut bytes = Vec::new();
        let current = inner.segments.get(&tip.segment);
        let begun = match current {
            Some(segment) if segment.len() < self.segment_bytes => None,
            _ if records.is_empty() => None,
            _ => {
                let segment = Segment::create(&self.dir, tip.segment + 1)?;
                tip = Tip {
                    segment: tip.segment + 1,
                    len: segment.len(),
                };
                Some(segment)
            }
        };
        let mut places = Vec::with_capacity(records.len());
        for record in records {
            let offset = tip.len + bytes.len() as u64;
            let place = Place {
                segment: tip.segment,
                offset,
            };
            places.push((record.trie, record.path, place));
            record.encode(&mut bytes);
        }
        if let Some(segment) = begun.as_ref().or(current)
            && !records.is_empty()
        {
            segment.write_at(tip.len, &bytes)?;
            tip.len += bytes.len() as u64;
        }
        Ok(Staged {
            tip,
            bytes: bytes.len() as u64,
            places,
            begun,
        })
    }

    /// Shows what was staged: the batch that relies on it is durable.
    pub(crate) fn publish(&self, staged: Staged) {
        let mut inner = self.write();
        inner.tip = staged.tip;
        if let Some(segment) = staged.begun {
            inner.segments.insert(staged.tip.segment, segment);
        }
        if let Some(segment) = inner.segments.get_mut(&staged.tip.segment) {
            segment.set_len(staged.tip.len);
        }
        for (trie, path, place) in &staged.places {
            inner.index.insert(trie, path, *place);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn segment(&self, place: &Place) -> &Segment {
        self.segments
            .get(&place.segment)
            .expect("the index names segments that are there")
    }

    /// The head of a record, and where its entries begin.
    fn head(&self, place: &Place) -> Result<(Head, u64), ExpiredError> {
        self.segment(place).head(place.offset)
    }

    fn entries(&self, place: &Place, head: Head, at: u64) -> Result<Subtree, ExpiredError> {
        self.segment(place).entries(head, at)
    }

    fn corrupt(&self, place: &Place, reason: &'static str) -> ExpiredError {
        self.segment(place).corrupt(place.offset, reason)
    }
}
