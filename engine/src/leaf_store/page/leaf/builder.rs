//! Filling a page.

use super::super::super::Table;
use super::super::bytes::{put_varint, shared_len, varint_len};
use super::super::ids::PageId;
use super::{CHECKSUM, HEADER, MAGIC, RESTART_EVERY, Stored, VERSION, checksum};

/// A place in a page that is being filled.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Mark {
    bytes: usize,
    restarts: usize,
    entries: usize,
}

impl Mark {
    /// Bytes used before it.
    pub(in super::super) const fn used(&self) -> usize {
        self.bytes + 2 * self.restarts
    }

    /// Entries before it.
    pub(in super::super) const fn entries(&self) -> usize {
        self.entries
    }
}

/// A page that is being filled.
#[derive(Debug)]
pub(in super::super) struct PageBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u16>,
    last: Vec<u8>,
    entries: usize,
    page_bytes: usize,
}

impl PageBuilder {
    pub(in super::super) fn new(page_bytes: usize) -> Self {
        Self {
            bytes: vec![0; HEADER],
            restarts: Vec::new(),
            last: Vec::new(),
            entries: 0,
            page_bytes,
        }
    }

    pub(in super::super) fn len(&self) -> usize {
        self.entries
    }

    /// Bytes used so far.
    pub(in super::super) fn used(&self) -> usize {
        self.bytes.len() + 2 * self.restarts.len()
    }

    /// The last key that was put.
    pub(in super::super) fn last_key(&self) -> &[u8] {
        &self.last
    }

    /// Where the next entry goes.
    pub(in super::super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            restarts: self.restarts.len(),
            entries: self.entries,
        }
    }

    /// Takes back what was added since; nothing is added any more.
    pub(in super::super) fn cut(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.restarts.truncate(mark.restarts);
        self.entries = mark.entries;
    }

    /// Adds an entry, whose key is above the one before; false if it does not fit any more.
    pub(in super::super) fn push(&mut self, key: &[u8], value: Stored<'_>) -> bool {
        let is_restart = self.entries.is_multiple_of(RESTART_EVERY);
        let shared = if is_restart {
            0
        } else {
            shared_len(&self.last, key)
        };
        let size = entry_bytes(shared, key.len(), &value) + if is_restart { 2 } else { 0 };
        if self.used() + size > self.page_bytes || self.entries == usize::from(u16::MAX) {
            return false;
        }
        if is_restart {
            self.restarts.push(self.bytes.len() as u16);
        }
        put_varint(&mut self.bytes, shared as u32);
        put_varint(&mut self.bytes, (key.len() - shared) as u32);
        let far = matches!(value, Stored::Blob(_));
        put_varint(
            &mut self.bytes,
            (value.bytes() as u32) << 1 | u32::from(far),
        );
        self.bytes.extend_from_slice(&key[shared..]);
        match value {
            Stored::Inline(value) => self.bytes.extend_from_slice(value),
            Stored::Blob(extent) => extent.write(&mut self.bytes),
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        self.entries += 1;
        true
    }

    /// The bytes of the page but for its number and checksum, see [`seal`]; the builder is empty
    /// again.
    pub(in super::super) fn finish(&mut self, table: Table, generation: u64) -> Vec<u8> {
        let used = self.used() as u32;
        let mut page = core::mem::replace(&mut self.bytes, vec![0; HEADER]);
        for restart in &self.restarts {
            page.extend_from_slice(&restart.to_le_bytes());
        }
        page[..4].copy_from_slice(&MAGIC);
        page[4] = VERSION;
        page[5] = table as u8;
        page[6..8].copy_from_slice(&(self.entries as u16).to_le_bytes());
        page[8..16].copy_from_slice(&generation.to_le_bytes());
        page[20..24].copy_from_slice(&used.to_le_bytes());
        page[24..28].copy_from_slice(&(self.restarts.len() as u32).to_le_bytes());
        page.resize(self.page_bytes, 0);
        self.restarts.clear();
        self.last.clear();
        self.entries = 0;
        page
    }
}

/// Gives a page its number, and the checksum over all of it.
pub(in super::super) fn seal(page: &mut [u8], id: PageId) {
    page[16..20].copy_from_slice(&id.0.to_le_bytes());
    let checksum = checksum(page);
    page[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}

/// Bytes of an entry whose key shares `shared` bytes with the one before.
pub(in super::super) fn entry_bytes(shared: usize, key_len: usize, value: &Stored<'_>) -> usize {
    let own = key_len - shared;
    let tag = (value.bytes() as u32) << 1;
    varint_len(shared as u32) + varint_len(own as u32) + varint_len(tag) + own + value.bytes()
}
