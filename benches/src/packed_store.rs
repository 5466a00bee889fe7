//! A leaf store in memory whose scans cost next to nothing, so that what a root costs is the trie's own.
//!
//! The accounts lie in pages, one for each value of the keys' first bits, packed in the order of their keys:
//!
//! ```text
//! entry  | key length u8 | value length u8 | key | value |
//! ```
//!
//! A page is a bucket where the number of bits is right (16 for 1 M accounts, 20 for 10 M). All other tables are
//! those of a [`MemoryStore`]. Durable is nothing.

use core::ops::{ControlFlow, Range};
use std::sync::{Arc, PoisonError, RwLock};
use thinstate_engine::leaf_store::{
    Action, Batch, BulkWriter, Entry, IoCounters, LeafRead, LeafStore, MemoryBulk, MemorySnapshot,
    MemoryStore, Op, StoreError, Table, TableStats, Visitor,
};

type Pages = Vec<Arc<Vec<u8>>>;

/// Accounts in packed pages, the rest in a [`MemoryStore`].
#[derive(Debug)]
pub struct PackedStore {
    bits: u32,
    pages: RwLock<Arc<Pages>>,
    rest: MemoryStore,
}

/// One state of a [`PackedStore`].
#[derive(Debug)]
pub struct PackedSnapshot<'a> {
    bits: u32,
    pages: Arc<Pages>,
    rest: MemorySnapshot<'a>,
}

impl PackedStore {
    /// An empty store with a page for each value of the first `bits` bits of a key (8 to 24).
    pub fn new(bits: u32) -> Self {
        assert!(
            (8..=24).contains(&bits),
            "got {bits} bits, expected 8 to 24"
        );
        Self {
            bits,
            pages: RwLock::new(Arc::new(vec![Arc::default(); 1 << bits])),
            rest: MemoryStore::new(),
        }
    }

    fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The page of a key; keys shorter than three bytes are taken as followed by zeros.
fn page_of(key: &[u8], bits: u32) -> usize {
    let byte = |at: usize| usize::from(key.get(at).copied().unwrap_or(0));
    (byte(0) << 16 | byte(1) << 8 | byte(2)) >> (24 - bits)
}

/// An entry of a page: key, value, and where it lies.
struct Packed<'a> {
    key: &'a [u8],
    value: &'a [u8],
    at: Range<usize>,
}

/// The entries of a page, in order.
fn entries(page: &[u8]) -> impl Iterator<Item = Packed<'_>> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let (header, rest) = page[start..].split_first_chunk::<2>()?;
        let [key_len, value_len] = header.map(usize::from);
        let at = start..start + 2 + key_len + value_len;
        start = at.end;
        Some(Packed {
            key: &rest[..key_len],
            value: &rest[key_len..key_len + value_len],
            at,
        })
    })
}

/// Puts an entry into its page, or takes it out.
fn set(page: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    let there = entries(page).find(|entry| entry.key >= key);
    let place = match there {
        Some(Packed { key: found, at, .. }) if found == key => at,
        Some(Packed { at, .. }) => at.start..at.start,
        None => page.len()..page.len(),
    };
    let mut entry = Vec::new();
    if let Some(value) = value {
        let len = |bytes: &[u8]| u8::try_from(bytes.len()).expect("entries of accounts are short");
        entry.extend([len(key), len(value)]);
        entry.extend_from_slice(key);
        entry.extend_from_slice(value);
    }
    drop(page.splice(place, entry));
}

/// Deletes the entries from one key to another, which stays.
fn delete_range(pages: &mut Pages, bits: u32, from: &[u8], to: &[u8]) {
    for page in &mut pages[page_of(from, bits)..=page_of(to, bits)] {
        let inside = |entry: &Packed<'_>| (from..to).contains(&entry.key);
        let keys: Vec<_> = entries(page)
            .filter(inside)
            .map(|e| e.key.to_vec())
            .collect();
        let page = Arc::make_mut(page);
        keys.iter().for_each(|key| set(page, key, None));
    }
}

impl LeafStore for PackedStore {
    type Snapshot<'a> = PackedSnapshot<'a>;
    type Bulk<'a> = PackedBulk<'a>;

    fn snapshot(&self) -> PackedSnapshot<'_> {
        PackedSnapshot {
            bits: self.bits,
            pages: self.pages(),
            rest: self.rest.snapshot(),
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (accounts, others): (Vec<Op>, Vec<Op>) = batch
            .into_ops()
            .into_iter()
            .partition(|op| op.table == Table::Accounts);
        let mut rest = Batch::default();
        for Op { table, key, action } in others {
            match action {
                Action::Put(value) => rest.put(table, key, value),
                Action::Delete => rest.delete(table, key),
                Action::DeleteTo(to) => rest.delete_range(table, key, to),
            }
        }
        self.rest.commit(rest)?;
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        let pages = Arc::make_mut(&mut pages);
        for Op { key, action, .. } in accounts {
            let page = page_of(&key, self.bits);
            match action {
                Action::Put(value) => set(Arc::make_mut(&mut pages[page]), &key, Some(&value)),
                Action::Delete => set(Arc::make_mut(&mut pages[page]), &key, None),
                Action::DeleteTo(to) => delete_range(pages, self.bits, &key, &to),
            }
        }
        Ok(())
    }

    fn bulk_writer(&self, table: Table) -> Result<PackedBulk<'_>, StoreError> {
        Ok(match table {
            Table::Accounts => PackedBulk::Accounts(self, 0),
            _ => PackedBulk::Rest(self.rest.bulk_writer(table)?),
        })
    }

    fn counters(&self) -> IoCounters {
        self.rest.counters()
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        if table != Table::Accounts {
            return self.rest.table_stats(table);
        }
        let pages = self.pages();
        Ok(TableStats {
            entries: pages.iter().map(|page| entries(page).count() as u64).sum(),
            file_bytes: 0,
            memory_bytes: pages.iter().map(|page| page.capacity() as u64).sum(),
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.rest.flush()
    }

    fn compact(&self) -> Result<(), StoreError> {
        self.rest.compact()
    }
}

/// Entries on their way into a [`PackedStore`]. Those of accounts, with how many there are, are in it at once:
/// a build that fails leaves a store that is to be thrown away.
#[derive(Debug)]
pub enum PackedBulk<'a> {
    /// Accounts.
    Accounts(&'a PackedStore, u64),
    /// Another table's.
    Rest(MemoryBulk<'a>),
}

impl BulkWriter for PackedBulk<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        match self {
            Self::Rest(rest) => rest.put(key, value),
            Self::Accounts(store, count) => {
                let mut pages = store.pages.write().unwrap_or_else(PoisonError::into_inner);
                let page = &mut Arc::make_mut(&mut pages)[page_of(key, store.bits)];
                set(Arc::make_mut(page), key, Some(value));
                *count += 1;
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<u64, StoreError> {
        match self {
            Self::Rest(rest) => rest.finish(),
            Self::Accounts(_, count) => Ok(count),
        }
    }
}

impl LeafRead for PackedSnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if table != Table::Accounts {
            return self.rest.get(table, key);
        }
        let page = &self.pages[page_of(key, self.bits)];
        let found = entries(page).find(|entry| entry.key == key);
        Ok(found.map(|entry| entry.value.to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        if table != Table::Accounts {
            return self.rest.scan(table, from, to, visit);
        }
        for page in &self.pages[page_of(from, self.bits)..] {
            for entry in entries(page).filter(|entry| entry.key >= from) {
                let behind = to.is_some_and(|to| entry.key >= to);
                if behind || visit(entry.key, entry.value) == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        if table != Table::Accounts {
            return self.rest.last_at_or_before(table, key, floor);
        }
        let upto = &self.pages[page_of(floor, self.bits)..=page_of(key, self.bits)];
        let in_page = |page: &Arc<Vec<u8>>| {
            let before = entries(page).take_while(|entry| entry.key <= key);
            before.last().map(|e| (e.key.to_vec(), e.value.to_vec()))
        };
        let last = upto.iter().rev().find_map(in_page);
        Ok(last.filter(|(found, _)| found.as_slice() >= floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    fn scan(read: &impl LeafRead, from: &[u8], to: Option<&[u8]>) -> Vec<Entry> {
        let mut found = Vec::new();
        read.scan(Table::Accounts, from, to, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .expect("a scan");
        found
    }

    fn key(random: &mut ChaCha12Rng) -> Vec<u8> {
        let len = [1, 2, 32, 33][random.random_range(0..4)];
        let mut key = vec![0; len];
        key[0] = random.random_range(0..3);
        if let Some(byte) = key.get_mut(1) {
            *byte = random.random();
        }
        key
    }

    #[test]
    fn no_answer_differs_from_that_of_a_map() {
        let (packed, model) = (PackedStore::new(12), MemoryStore::new());
        let mut random = ChaCha12Rng::seed_from_u64(3);
        for _ in 0..60 {
            let mut batch = Batch::default();
            for _ in 0..random.random_range(0..40) {
                let key = key(&mut random);
                match random.random_range(0..8) {
                    0 => batch.delete(Table::Accounts, key),
                    1 => {
                        let mut to = key.clone();
                        to[0] += random.random_range(0..2);
                        batch.delete_range(Table::Accounts, key, to);
                    }
                    n => batch.put(Table::Accounts, key, vec![n; usize::from(n)]),
                }
            }
            let (before, expected) = (packed.snapshot(), scan(&packed.snapshot(), &[], None));
            packed.commit(batch.clone()).expect("a commit");
            model.commit(batch).expect("a commit");
            assert_eq!(scan(&before, &[], None), expected, "a snapshot stays");
            let (packed, model) = (packed.snapshot(), model.snapshot());
            assert_eq!(scan(&packed, &[], None), scan(&model, &[], None));
            for _ in 0..20 {
                let (from, to) = (key(&mut random), key(&mut random));
                assert_eq!(
                    scan(&packed, &from, Some(&to)),
                    scan(&model, &from, Some(&to))
                );
                let (a, t) = (Table::Accounts, &to);
                assert_eq!(packed.get(a, t).ok(), model.get(a, t).ok());
                let floor = from.as_slice().min(t);
                assert_eq!(
                    packed.last_at_or_before(a, t, floor).ok(),
                    model.last_at_or_before(a, t, floor).ok()
                );
            }
        }
    }
}
