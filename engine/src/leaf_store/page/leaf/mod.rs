//! The leaf page: entries of one table in key order.
//!
//! ```text
//! 0   magic "TSLP"
//! 4   format version, 1 byte
//! 5   table, 1 byte
//! 6   entries, 2 bytes
//! 8   generation of the checkpoint that wrote it, 8 bytes
//! 16  its own page number, 4 bytes
//! 20  bytes used, header included, 4 bytes
//! 24  restarts, 4 bytes
//! 28  crc32 of the whole page without these four bytes
//! 32  entries
//!     restarts: offsets of entries, 2 bytes each, up to "bytes used"
//! ```
//!
//! An entry is: varint bytes shared with the key before, varint further bytes of the key, varint
//! `2 * length` of the value, those bytes of the key, the value. `2 * 12 + 1` in the third place
//! stands for a value that lies elsewhere: page (4 bytes), length (4 bytes), crc32 (4 bytes) of an
//! [`Extent`]. Every [`RESTART_EVERY`]th entry, the first among them, shares nothing and is a
//! restart, so that a key is found by bisection and at most that many steps.
//!
//! A page is checked whole when it is read: checksum, order, offsets. What reads it afterwards
//! relies on that.

mod builder;
mod cursor;
#[cfg(test)]
mod tests;

pub(super) use builder::{Mark, PageBuilder, entry_bytes, seal};
pub(super) use cursor::Cursor;

use super::super::Table;
use super::bytes::{Malformed, Parsed, shared_len, varint};
use super::extent::Extent;
use super::ids::PageId;
use core::cmp::Ordering;

pub(super) const MAGIC: [u8; 4] = *b"TSLP";
pub(super) const VERSION: u8 = 1;
pub(super) const HEADER: usize = 32;
const CHECKSUM: core::ops::Range<usize> = 28..32;
/// Entries from one restart to the next.
const RESTART_EVERY: usize = 16;
/// Keys have so many bytes at most, mostly.
const KEY_BYTES_EXPECTED: usize = 96;
/// Bytes of an entry's value where the value itself lies elsewhere.
const FAR_BYTES: usize = 12;

/// A value as a page holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored<'p> {
    Inline(&'p [u8]),
    Blob(Extent),
}

impl Stored<'_> {
    fn bytes(&self) -> usize {
        match self {
            Self::Inline(value) => value.len(),
            Self::Blob(_) => FAR_BYTES,
        }
    }
}

/// Largest key, and largest value that lies in the page itself.
pub(super) fn quarter(page_bytes: usize) -> usize {
    page_bytes / 4 - 16
}

/// A checked page.
#[derive(Debug)]
pub(super) struct Page {
    bytes: Box<[u8]>,
    /// Where the entries end and the restarts begin.
    end: usize,
    restarts: usize,
}

impl Page {
    /// Checks the bytes that were read from page `id`.
    pub(super) fn decode(bytes: Vec<u8>, id: PageId, table: Table) -> Parsed<Self> {
        let u32_at = |at: usize| {
            let field = bytes.get(at..at + 4).unwrap_or(&[0; 4]);
            u32::from_le_bytes(field.try_into().expect("four bytes"))
        };
        if bytes.len() < HEADER || bytes[..4] != MAGIC {
            return Err(Malformed::new("not a leaf page: magic expected"));
        }
        if bytes[4] != VERSION {
            return Err(Malformed::unequal("leaf page version", VERSION, bytes[4]));
        }
        let checksum = checksum(&bytes);
        if checksum != u32_at(28) {
            return Err(Malformed::unequal("checksum", checksum, u32_at(28)));
        }
        if u32_at(16) != id.0 {
            return Err(Malformed::unequal("page number", id.0, u32_at(16)));
        }
        if bytes[5] != table as u8 {
            return Err(Malformed::unequal("table", table as u8, bytes[5]));
        }
        let (used, restarts) = (u32_at(20) as usize, u32_at(24) as usize);
        let end = restarts
            .checked_mul(2)
            .and_then(|bytes| used.checked_sub(bytes));
        let Some(end) = end.filter(|end| *end >= HEADER && used <= bytes.len()) else {
            return Err(Malformed::unequal("bytes used", bytes.len(), used));
        };
        let page = Self {
            bytes: bytes.into(),
            end,
            restarts,
        };
        page.check()?;
        Ok(page)
    }

    /// Whether all entries decode, ascend, and stand where the restarts say.
    fn check(&self) -> Parsed<()> {
        let mut key = Vec::with_capacity(KEY_BYTES_EXPECTED);
        let (mut at, mut entries) = (HEADER, 0);
        while at != self.end {
            let is_restart = entries % RESTART_EVERY == 0;
            let is_in_place = |entry: &Entry<'_>| {
                entry.shared <= key.len()
                    && (!is_restart
                        || (entry.shared == 0
                            && self.restart_at(entries / RESTART_EVERY) == Some(at)))
            };
            let Some(entry) = self.entry(at).filter(is_in_place) else {
                return Err(Malformed::new(format!(
                    "entry {entries} at byte {at} is malformed"
                )));
            };
            // What they share is equal: what follows decides.
            let own = &self.bytes[entry.own_at..entry.value_at];
            if entries > 0 && own <= &key[entry.shared..] {
                return Err(Malformed::new(format!(
                    "entry {entries} is not above the one before"
                )));
            }
            key.truncate(entry.shared);
            key.extend_from_slice(own);
            at = entry.end;
            entries += 1;
        }
        if entries != self.len() || entries.div_ceil(RESTART_EVERY) != self.restarts {
            return Err(Malformed::unequal("entries", self.len(), entries));
        }
        Ok(())
    }

    fn restart_at(&self, index: usize) -> Option<usize> {
        (index < self.restarts).then(|| self.restart(index))
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[6], self.bytes[7]]))
    }

    fn restart(&self, index: usize) -> usize {
        let at = self.end + 2 * index;
        usize::from(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]))
    }

    /// The value at `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<Stored<'_>> {
        let entry = self.find(key)?;
        let own = &self.bytes[entry.own_at..entry.value_at];
        (key.get(entry.shared..) == Some(own)).then_some(entry.value)
    }

    /// The first entry at or above `key`. What it shares with the entry before, it
    /// shares with `key`.
    ///
    /// No key is put together on the way: of each entry it is known how many bytes the one before
    /// shares with `key`, which is above that.
    #[inline]
    fn find(&self, key: &[u8]) -> Option<Entry<'_>> {
        let mut at = self.restart_before(key);
        let mut common = 0;
        loop {
            let entry = self.entry(at)?;
            if entry.shared < common {
                return Some(entry);
            }
            if entry.shared == common {
                let own = &self.bytes[entry.own_at..entry.value_at];
                let rest = &key[common..];
                let equal = shared_len(own, rest);
                if rest.len() == equal || (own.len() > equal && own[equal] > rest[equal]) {
                    return Some(entry);
                }
                common += equal;
            }
            at = entry.end;
        }
    }

    /// The entry at an offset; `None` where they end.
    #[inline]
    fn entry(&self, at: usize) -> Option<Entry<'_>> {
        let bytes = &self.bytes[..self.end];
        let mut own_at = at;
        let shared = varint(bytes, &mut own_at)? as usize;
        let own = varint(bytes, &mut own_at)? as usize;
        let tag = varint(bytes, &mut own_at)?;
        let value_at = own_at.checked_add(own)?;
        let end = value_at.checked_add(tag as usize >> 1)?;
        let value = bytes.get(value_at..end)?;
        let value = if tag & 1 == 0 {
            Stored::Inline(value)
        } else {
            Stored::Blob(Extent::read(value)?)
        };
        Some(Entry {
            shared,
            own_at,
            value_at,
            end,
            value,
        })
    }

    /// How the key of a restart compares with `key`.
    fn compare_restart(&self, index: usize, key: &[u8]) -> Ordering {
        let mut at = self.restart(index) + 1;
        let Some(len) = varint(&self.bytes, &mut at) else {
            return Ordering::Equal;
        };
        // The third varint is skipped over.
        if varint(&self.bytes, &mut at).is_none() {
            return Ordering::Equal;
        }
        self.bytes[at..at + len as usize].cmp(key)
    }

    /// The last restart whose key is below `key`, or at it; the first if there is none.
    fn restart_before(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.restarts);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if self.compare_restart(middle, key).is_le() {
                low = middle;
            } else {
                high = middle;
            }
        }
        if self.restarts == 0 {
            HEADER
        } else {
            self.restart(low)
        }
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..CHECKSUM.start]);
    hasher.update(&bytes[CHECKSUM.end..]);
    hasher.finalize()
}

/// An entry as it lies in a page.
struct Entry<'p> {
    shared: usize,
    /// Where its own bytes of the key begin, its value begins, and it ends.
    own_at: usize,
    value_at: usize,
    end: usize,
    value: Stored<'p>,
}
