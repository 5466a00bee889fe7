//! Where the records of a subtree lie, by trie and path.
//!
//! A table of fingerprints and places: 16 bytes a record. The key itself is in the record's head, which
//! the caller reads and compares, so that the table needs no copy of it.

use crate::trie::{codec::TrieId, path::Path};
use core::hash::BuildHasher;
use hashbrown::HashTable;
use std::hash::RandomState;

/// The place of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u64,
}

/// Fingerprint, segment, offset; an offset fits since segments are begun before 4 GiB.
#[derive(Clone, Copy, Debug)]
struct Slot {
    fingerprint: u64,
    segment: u32,
    offset: u32,
}

const _: () = assert!(size_of::<Slot>() == 16);

/// Places of records by trie and path; several where a subtree was cut more than once.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: HashTable<Slot>,
    hasher: RandomState,
}

impl Index {
    fn fingerprint(&self, trie: &TrieId, path: &Path) -> u64 {
        self.hasher.hash_one((trie, path))
    }

    pub(super) fn insert(&mut self, trie: &TrieId, path: &Path, place: Place) {
        let fingerprint = self.fingerprint(trie, path);
        let slot = Slot {
            fingerprint,
            segment: place.segment,
            offset: place.offset as u32,
        };
        self.table
            .insert_unique(fingerprint, slot, |slot| slot.fingerprint);
    }

    /// Places that may be those of a record of this subtree, in no order.
    pub(super) fn find(&self, trie: &TrieId, path: &Path) -> impl Iterator<Item = Place> + '_ {
        let fingerprint = self.fingerprint(trie, path);
        let slots = self.table.iter_hash(fingerprint);
        slots
            .filter(move |slot| slot.fingerprint == fingerprint)
            .map(|slot| Place {
                segment: slot.segment,
                offset: slot.offset.into(),
            })
    }

    pub(super) fn remove_segment(&mut self, segment: u32) {
        self.table.retain(|slot| slot.segment != segment);
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes of memory: a slot and a control byte each, with the room that is left.
    pub(super) fn bytes(&self) -> usize {
        self.table.allocation_size()
    }
}
