//! Pages in memory, at most so many.
//!
//! Shards by page number; in each a ring over which a hand goes (CLOCK): a page that was asked for
//! since the hand last passed stays for another round. A hit takes a shard's lock for reading and
//! sets a flag.

use super::ids::PageId;
use super::leaf::Page;
use core::hash::{BuildHasherDefault, Hasher};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use hashbrown::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS_MAX: usize = 64;
/// Fewer would make the ring a lottery.
const SHARD_PAGES_MIN: usize = 16;
/// Memory of a cached page beside its bytes: the structure, its place in ring and map.
const OVERHEAD_BYTES: usize = 112;

/// Spreads page numbers, which are dense.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        let product = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }
}

struct Slot {
    id: PageId,
    page: Arc<Page>,
    /// Asked for since the hand passed.
    is_used: AtomicBool,
}

#[derive(Default)]
struct Shard {
    places: HashMap<PageId, usize, BuildHasherDefault<Spread>>,
    ring: Vec<Slot>,
    hand: usize,
}

impl Shard {
    fn insert(&mut self, id: PageId, page: Arc<Page>, pages_max: usize) {
        while self.ring.len() > pages_max {
            self.remove(self.ring[self.hand].id);
        }
        let slot = Slot {
            id,
            page,
            is_used: AtomicBool::new(false),
        };
        if let Some(place) = self.places.get(&id) {
            self.ring[*place] = slot;
            return;
        }
        if self.ring.len() < pages_max {
            self.places.insert(id, self.ring.len());
            self.ring.push(slot);
            return;
        }
        while self.ring[self.hand].is_used.swap(false, Relaxed) {
            self.hand = (self.hand + 1) % self.ring.len();
        }
        let place = self.hand;
        self.hand = (place + 1) % self.ring.len();
        self.places.remove(&self.ring[place].id);
        self.places.insert(id, place);
        self.ring[place] = slot;
    }

    fn remove(&mut self, id: PageId) -> bool {
        let Some(place) = self.places.remove(&id) else {
            return false;
        };
        self.ring.swap_remove(place);
        if let Some(moved) = self.ring.get(place) {
            self.places.insert(moved.id, place);
        }
        if self.hand >= self.ring.len() {
            self.hand = 0;
        }
        true
    }
}

/// The page cache. Shared between threads.
pub(super) struct Cache {
    shards: Box<[RwLock<Shard>]>,
    /// Of each shard.
    pages_max: AtomicUsize,
    page_bytes: usize,
}

impl Cache {
    /// A cache of pages of `page_bytes`, which take `bytes` of memory at most, but one page at least.
    pub(super) fn new(bytes: usize, page_bytes: usize) -> Self {
        let pages = bytes / (page_bytes + OVERHEAD_BYTES);
        let shards = (pages / SHARD_PAGES_MIN).clamp(1, SHARDS_MAX);
        let cache = Self {
            shards: (0..shards).map(|_| RwLock::default()).collect(),
            pages_max: AtomicUsize::default(),
            page_bytes,
        };
        cache.resize(bytes);
        cache
    }

    /// Sets how much memory pages may take from now on. Those above it go as others come.
    pub(super) fn resize(&self, bytes: usize) {
        let pages = bytes / (self.page_bytes + OVERHEAD_BYTES);
        let of_shard = (pages / self.shards.len()).max(1);
        self.pages_max.store(of_shard, Relaxed);
    }

    fn shard(&self, id: PageId) -> &RwLock<Shard> {
        &self.shards[id.0 as usize % self.shards.len()]
    }

    // A shard is whole whenever its lock is free: nothing in here panics half-way.
    fn read(&self, id: PageId) -> RwLockReadGuard<'_, Shard> {
        self.shard(id)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, id: PageId) -> RwLockWriteGuard<'_, Shard> {
        self.shard(id)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: PageId) -> Option<Arc<Page>> {
        let shard = self.read(id);
        let slot = &shard.ring[*shard.places.get(&id)?];
        if !slot.is_used.load(Relaxed) {
            slot.is_used.store(true, Relaxed);
        }
        Some(Arc::clone(&slot.page))
    }

    /// The page, without counting that as a use.
    pub(super) fn peek(&self, id: PageId) -> Option<Arc<Page>> {
        let shard = self.read(id);
        let place = shard.places.get(&id)?;
        Some(Arc::clone(&shard.ring[*place].page))
    }

    pub(super) fn insert(&self, id: PageId, page: Arc<Page>) {
        let pages_max = self.pages_max.load(Relaxed);
        self.write(id).insert(id, page, pages_max);
    }

    /// Forgets a page; whether it was there.
    pub(super) fn remove(&self, id: PageId) -> bool {
        self.write(id).remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Table;
    use super::super::leaf::{PageBuilder, Stored, seal};
    use super::*;

    fn page(id: PageId) -> Arc<Page> {
        let mut builder = PageBuilder::new(512);
        assert!(builder.push(b"key", Stored::Inline(&id.0.to_le_bytes())));
        let mut bytes = builder.finish(Table::Meta, 1);
        seal(&mut bytes, id);
        Arc::new(Page::decode(bytes, id, Table::Meta).expect("it was just built"))
    }

    #[test]
    fn it_holds_the_pages_in_use_and_no_more_than_it_may() {
        let cache = Cache::new(100 * (512 + OVERHEAD_BYTES), 512);
        for id in (2..1_000).map(PageId) {
            cache.insert(id, page(id));
            assert!(cache.get(PageId(2)).is_some(), "after page {}", id.0);
        }
        let held = (2..1_000).filter(|id| cache.peek(PageId(*id)).is_some());
        assert!(held.count() <= 100);
        cache.resize(50 * (512 + OVERHEAD_BYTES));
        for id in (0..100).map(PageId) {
            cache.insert(id, page(id));
        }
        let held = (0..1_000).filter(|id| cache.peek(PageId(*id)).is_some());
        assert!(held.count() <= 50);
        cache.insert(PageId(998), page(PageId(998)));
        cache.insert(PageId(999), page(PageId(999)));
        assert!(cache.remove(PageId(999)));
        assert!(!cache.remove(PageId(999)));
        assert!(cache.get(PageId(999)).is_none());
        let found = cache.get(PageId(998)).expect("a late one");
        assert_eq!(
            found.get(b"key"),
            Some(Stored::Inline(&998_u32.to_le_bytes()))
        );
    }
}
