//! The mapped file of a sealed batch.

use super::{
    RecordArchiveError,
    filling::{check_body, decode_all, owner_key},
    format::{
        ENTRY_LEN, Entry, Frame, HEADER_LEN, Kind, OWNER_LEN, TRAILER_LEN, Trailer, check_header,
    },
};
use alloy_primitives::{Address, B256};
use memmap2::Mmap;
use std::{fs::File, path::PathBuf};
use thinstate_formats::{BatchId, RecordIndex};

type Result<T> = core::result::Result<T, RecordArchiveError>;

/// A batch that is sealed.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    map: Mmap,
    pub(super) trailer: Trailer,
    ring_len: u32,
}

impl Segment {
    /// Maps a sealed file, and checks header, trailer and footer.
    pub(super) fn open(path: PathBuf, kind: Kind, batch: BatchId) -> Result<Self> {
        let file = File::open(&path);
        let file = file.map_err(|error| RecordArchiveError::io("open", &path, &error))?;
        let len = file.metadata();
        let len = len
            .map_err(|e| RecordArchiveError::io("stat", &path, &e))?
            .len();
        let least = (HEADER_LEN + TRAILER_LEN) as u64;
        if len < least {
            let what = "bytes of a sealed batch";
            return Err(RecordArchiveError::corrupt(&path, len, what, len, least));
        }
        // SAFETY: the file belongs to this store alone (the lock of the leaf store keeps other
        // processes out), and one that is sealed is cut only after its mapping is dropped.
        let map = unsafe { Mmap::map(&file) };
        let map = map.map_err(|error| RecordArchiveError::io("map", &path, &error))?;
        let short = || RecordArchiveError::corrupt(&path, 0, "bytes mapped", map.len(), len);
        check_header(&path, kind, batch, map.first_chunk().ok_or_else(short)?)?;
        let trailer = Trailer::decode(&path, kind, len, map.last_chunk().ok_or_else(short)?)?;
        let segment = Self {
            path,
            map,
            trailer,
            ring_len: kind.ring_len,
        };
        let (got, expected) = (crc32fast::hash(segment.footer()), trailer.checksum);
        if got != expected {
            let (path, at) = (&segment.path, trailer.frames_end);
            let what = "checksum of the footer";
            return Err(RecordArchiveError::corrupt(path, at, what, got, expected));
        }
        Ok(segment)
    }

    /// Directory, roots and owners; the trailer says that they fit.
    fn footer(&self) -> &[u8] {
        let end = self.map.len() - TRAILER_LEN;
        self.map
            .get(self.trailer.frames_end as usize..end)
            .unwrap_or_default()
    }

    fn directory(&self) -> &[[u8; ENTRY_LEN]] {
        let len = ENTRY_LEN * self.trailer.frames as usize;
        self.footer().get(..len).unwrap_or_default().as_chunks().0
    }

    /// All frames.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.directory().iter().map(Entry::decode).collect()
    }

    /// The frame with a record.
    pub(super) fn entry(&self, index: RecordIndex) -> Option<Entry> {
        let directory = self.directory();
        let until = directory.partition_point(|e| Entry::decode(e).range.first_index <= index);
        let entry = Entry::decode(directory.get(until.checked_sub(1)?)?);
        entry.range.position(index).map(|_| entry)
    }

    /// The first record and the one behind the last.
    pub(super) fn indexes(&self) -> Option<(RecordIndex, RecordIndex)> {
        let first = Entry::decode(self.directory().first()?).range;
        let last = Entry::decode(self.directory().last()?).range;
        let end = last.first_index.0.checked_add(u64::from(last.count))?;
        Some((first.first_index, RecordIndex(end)))
    }

    /// Roots of all blocks of the batch.
    pub(super) fn roots(&self) -> Vec<B256> {
        let start = ENTRY_LEN * self.trailer.frames as usize;
        let roots = self
            .footer()
            .get(start..start + 32 * self.ring_len as usize);
        let (roots, _) = roots.unwrap_or_default().as_chunks::<32>();
        roots.iter().map(B256::from).collect()
    }

    fn owners(&self) -> &[[u8; OWNER_LEN]] {
        let start = ENTRY_LEN * self.trailer.frames as usize + 32 * self.ring_len as usize;
        self.footer().get(start..).unwrap_or_default().as_chunks().0
    }

    /// Indexes of records that may be this owner's: the first 8 bytes agree. All of them, where
    /// owners are not indexed in this file.
    pub(super) fn candidates(&self, owner: &Address) -> Result<Vec<RecordIndex>> {
        if !self.trailer.indexed {
            return self.scan(owner);
        }
        let key = owner_key(owner);
        let owners = self.owners();
        let from = owners.partition_point(|entry| entry[..8] < key[..]);
        let those = owners[from..]
            .iter()
            .take_while(|entry| entry[..8] == key[..]);
        let index = |entry: &[u8; OWNER_LEN]| {
            let (_, index) = entry.split_last_chunk::<8>().expect("16 bytes hold 8");
            RecordIndex(u64::from_le_bytes(*index))
        };
        Ok(those.map(index).collect())
    }

    /// Records of an owner, by reading all of them.
    fn scan(&self, owner: &Address) -> Result<Vec<RecordIndex>> {
        let mut found = Vec::new();
        for entry in self.entries() {
            let records = decode_all(&self.path, &entry, self.body(&entry)?)?;
            let those = records.iter().filter(|record| record.owner == *owner);
            found.extend(those.map(|record| record.index));
        }
        Ok(found)
    }

    /// A frame's body, checked.
    pub(super) fn body(&self, entry: &Entry) -> Result<&[u8]> {
        let offset = entry.offset;
        let frame =
            |len| RecordArchiveError::corrupt(&self.path, offset, "bytes of a frame", len, "more");
        let frames = self
            .map
            .get(..self.trailer.frames_end as usize)
            .unwrap_or_default();
        let rest = frames.get(offset as usize..).unwrap_or_default();
        let (head, rest) = rest.split_first_chunk().ok_or_else(|| frame(rest.len()))?;
        let head = Frame::decode(&self.path, offset, head)?;
        let body = rest
            .get(..head.len as usize)
            .ok_or_else(|| frame(rest.len()))?;
        check_body(&self.path, offset, &head, body)?;
        Ok(body)
    }
}
