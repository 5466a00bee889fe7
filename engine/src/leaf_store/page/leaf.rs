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

use super::super::Table;
use super::bytes::{Malformed, Parsed, put_varint, shared_len, varint, varint_len};
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

    /// A cursor before the first entry; `key` is where it will hold the keys.
    pub(super) fn cursor(&self, mut key: Vec<u8>) -> Cursor<'_> {
        key.clear();
        Cursor {
            page: self,
            next: HEADER,
            shared: 0,
            key,
            value: Stored::Inline(&[]),
        }
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

/// A position in a page: an entry, once [`Self::advance`] or a seek has said that there is one.
pub(super) struct Cursor<'p> {
    page: &'p Page,
    next: usize,
    shared: usize,
    pub(super) key: Vec<u8>,
    pub(super) value: Stored<'p>,
}

impl<'p> Cursor<'p> {
    /// Goes to the next entry; false at the end.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        self.decode().is_some()
    }

    #[inline]
    fn decode(&mut self) -> Option<()> {
        let entry = self.page.entry(self.next)?;
        if entry.shared > self.key.len() {
            return None;
        }
        self.key.truncate(entry.shared);
        self.take(&entry);
        Some(())
    }

    /// Takes an entry whose shared bytes are in `key` already.
    #[inline]
    fn take(&mut self, entry: &Entry<'p>) {
        let own = &self.page.bytes[entry.own_at..entry.value_at];
        self.key.extend_from_slice(own);
        (self.shared, self.value, self.next) = (entry.shared, entry.value, entry.end);
    }

    /// Goes to the first entry at or above `key`; false if there is none.
    #[inline]
    pub(super) fn seek(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.page.find(key) else {
            self.next = self.page.end;
            return false;
        };
        self.key.clear();
        self.key.extend_from_slice(&key[..entry.shared]);
        self.take(&entry);
        true
    }

    /// Goes to the last entry below `key`, or at it where `inclusive`; false if there is none.
    pub(super) fn seek_last(&mut self, key: &[u8], inclusive: bool) -> bool {
        let is_behind = |found: &[u8]| if inclusive { found > key } else { found >= key };
        self.next = self.page.restart_before(key);
        // An exclusive bound that is a restart's own key: what is wanted stands before it.
        if !inclusive && self.next > HEADER && self.page.is_restart_at(self.next, key) {
            self.next = self.page.restart_below(self.next);
        }
        self.key.clear();
        let mut found = None;
        let mut last = Vec::new();
        while self.advance() && !is_behind(&self.key) {
            last.clone_from(&self.key);
            found = Some((self.value, self.next));
        }
        let Some((value, next)) = found else {
            return false;
        };
        self.key = last;
        (self.value, self.next) = (value, next);
        true
    }
}

impl Page {
    fn is_restart_at(&self, at: usize, key: &[u8]) -> bool {
        (0..self.restarts)
            .find(|index| self.restart(*index) == at)
            .is_some_and(|index| self.compare_restart(index, key).is_eq())
    }

    /// The restart before the one at `at`.
    fn restart_below(&self, at: usize) -> usize {
        (0..self.restarts)
            .map(|index| self.restart(index))
            .take_while(|restart| *restart < at)
            .last()
            .unwrap_or(HEADER)
    }
}

/// A place in a page that is being filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    bytes: usize,
    restarts: usize,
    entries: usize,
}

impl Mark {
    /// Bytes used before it.
    pub(super) const fn used(&self) -> usize {
        self.bytes + 2 * self.restarts
    }

    /// Entries before it.
    pub(super) const fn entries(&self) -> usize {
        self.entries
    }
}

/// A page that is being filled.
#[derive(Debug)]
pub(super) struct PageBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u16>,
    last: Vec<u8>,
    entries: usize,
    page_bytes: usize,
}

impl PageBuilder {
    pub(super) fn new(page_bytes: usize) -> Self {
        Self {
            bytes: vec![0; HEADER],
            restarts: Vec::new(),
            last: Vec::new(),
            entries: 0,
            page_bytes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// Bytes used so far.
    pub(super) fn used(&self) -> usize {
        self.bytes.len() + 2 * self.restarts.len()
    }

    /// The last key that was put.
    pub(super) fn last_key(&self) -> &[u8] {
        &self.last
    }

    /// Where the next entry goes.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            restarts: self.restarts.len(),
            entries: self.entries,
        }
    }

    /// Takes back what was added since; nothing is added any more.
    pub(super) fn cut(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.restarts.truncate(mark.restarts);
        self.entries = mark.entries;
    }

    /// Adds an entry, whose key is above the one before; false if it does not fit any more.
    pub(super) fn push(&mut self, key: &[u8], value: Stored<'_>) -> bool {
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
    pub(super) fn finish(&mut self, table: Table, generation: u64) -> Vec<u8> {
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
pub(super) fn seal(page: &mut [u8], id: PageId) {
    page[16..20].copy_from_slice(&id.0.to_le_bytes());
    let checksum = checksum(page);
    page[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}

/// Bytes of an entry whose key shares `shared` bytes with the one before.
pub(super) fn entry_bytes(shared: usize, key_len: usize, value: &Stored<'_>) -> usize {
    let own = key_len - shared;
    let tag = (value.bytes() as u32) << 1;
    varint_len(shared as u32) + varint_len(own as u32) + varint_len(tag) + own + value.bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ID: PageId = PageId(7);

    fn page(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Page {
        let mut builder = PageBuilder::new(4096);
        for (key, value) in entries {
            assert!(builder.push(key, Stored::Inline(value)), "they fit");
        }
        let mut bytes = builder.finish(Table::Storage, 3);
        seal(&mut bytes, ID);
        Page::decode(bytes, ID, Table::Storage).expect("it was just built")
    }

    fn any_entries() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
        let key = || proptest::collection::vec(0..3_u8, 0..12);
        let value = proptest::collection::vec(any::<u8>(), 0..20);
        proptest::collection::btree_map(key(), value, 0..90)
    }

    proptest! {
        #[test]
        fn every_key_is_found_where_a_map_has_it(
            entries in any_entries(),
            asked in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..13), 0..20),
        ) {
            let page = page(&entries);
            let mut cursor = page.cursor(Vec::new());
            for (key, value) in &entries {
                prop_assert!(cursor.advance());
                prop_assert_eq!(&cursor.key, key);
                prop_assert_eq!(cursor.value, Stored::Inline(value));
            }
            prop_assert!(!cursor.advance());
            for key in entries.keys().chain(&asked) {
                let value = entries.get(key).map(|value| Stored::Inline(value));
                prop_assert_eq!(page.get(key), value);
                let mut cursor = page.cursor(Vec::new());
                let found = cursor.seek(key).then(|| cursor.key.clone());
                let mut behind = entries.range(key.clone()..);
                prop_assert_eq!(found.as_ref(), behind.next().map(|(key, _)| key));
                let found = (found.is_some() && cursor.advance()).then_some(&cursor.key);
                prop_assert_eq!(found, behind.next().map(|(key, _)| key));
                for inclusive in [false, true] {
                    let before = entries.keys().rfind(|k| *k < key || (inclusive && *k == key));
                    let mut cursor = page.cursor(Vec::new());
                    let found = cursor.seek_last(key, inclusive);
                    prop_assert_eq!(found.then_some(&cursor.key), before);
                    if let Some(before) = before {
                        prop_assert_eq!(cursor.value, Stored::Inline(&entries[before]));
                    }
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut page = vec![0; 512];
            page[HEADER..HEADER + bytes.len()].copy_from_slice(&bytes);
            page[..4].copy_from_slice(&MAGIC);
            page[4] = VERSION;
            page[5] = Table::Meta as u8;
            page[6] = bytes.first().copied().unwrap_or(0) % 32;
            page[20..24].copy_from_slice(&((HEADER + bytes.len()) as u32).to_le_bytes());
            page[24] = page[6].div_ceil(16);
            seal(&mut page, ID);
            // Whatever passes the checks can be read to its end.
            if let Ok(page) = Page::decode(page, ID, Table::Meta) {
                let mut cursor = page.cursor(Vec::new());
                while cursor.advance() {}
                page.get(&bytes);
            }
        }
    }

    #[test]
    fn no_flipped_bit_passes() {
        let entries: BTreeMap<_, _> = (0..40_u8).map(|i| (vec![i; 20], vec![i; 5])).collect();
        let mut builder = PageBuilder::new(2048);
        for (key, value) in &entries {
            assert!(builder.push(key, Stored::Inline(value)), "they fit");
        }
        let mut bytes = builder.finish(Table::Storage, 3);
        seal(&mut bytes, ID);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                Page::decode(damaged, ID, Table::Storage).is_err(),
                "bit {bit}"
            );
        }
        assert!(Page::decode(bytes.clone(), PageId(8), Table::Storage).is_err());
        assert!(Page::decode(bytes, ID, Table::Accounts).is_err());
    }
}
