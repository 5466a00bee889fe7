//! The period table: what stays of sealed periods.
//!
//! ```text
//! key      "t" | period u64 BE                                               (table periods)
//! value    root 32 | leaf count u64 LE | sealed at block u64 LE | crc32 of key and value u32 LE
//! digest   H(128 bytes: "thinstate/prds/1" || period u64 LE || root 32 || leaf count u64 LE
//!            || sealed at u64 LE || 56 zero bytes)
//! root     H(128 bytes: "thinstate/ptab/1" || periods u64 LE || list root 32 || 72 zero bytes)
//! ```
//!
//! The list is [`thinstate_formats::list`]'s, over the digests by ascending period. Periods follow one
//! another without gaps, also those without entries, from the first that was sealed since the store
//! began. 61 bytes on disk for each period; a seal hashes the list again (0.2 ms for 1,000 periods).

use super::{
    bytes::{DecodeError, Reader},
    log::{check_crc, seal_crc},
};
use crate::leaf_store::{Batch, Table};
use alloy_primitives::B256;
use thinstate_formats::{BlockNumber, NodeHasher, PeriodId, counted::Node, list};

const TABLE_DOMAIN: &[u8; 16] = b"thinstate/ptab/1";
const ENTRY_DOMAIN: &[u8; 16] = b"thinstate/prds/1";
/// The first byte of a key.
pub(super) const TABLE_KEY: u8 = b't';

/// A sealed period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The root of its tree, with the number of leaves.
    pub root: Node,
    /// The block that sealed it.
    pub sealed_at: BlockNumber,
}

/// All sealed periods.
#[derive(Clone, Debug)]
pub(super) struct PeriodTable {
    hasher: NodeHasher,
    first: PeriodId,
    entries: Vec<Sealed>,
    digests: Vec<B256>,
    root: B256,
}

impl PeriodTable {
    pub(super) fn new(hasher: NodeHasher) -> Self {
        Self {
            hasher,
            first: PeriodId(0),
            entries: Vec::new(),
            digests: Vec::new(),
            root: list::commitment(&hasher, TABLE_DOMAIN, 0, B256::ZERO),
        }
    }

    /// The commitment to all of them.
    pub(super) const fn root(&self) -> B256 {
        self.root
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, period: PeriodId) -> Option<&Sealed> {
        let at = period.0.checked_sub(self.first.0)?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    /// Sealed periods by ascending number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PeriodId, &Sealed)> + '_ {
        let ids = (self.first.0..).map(PeriodId);
        ids.zip(&self.entries)
    }

    /// The period that comes next; any if there is none yet.
    pub(super) fn next(&self) -> Option<PeriodId> {
        let len = self.entries.len() as u64;
        (len > 0).then_some(PeriodId(self.first.0 + len))
    }

    /// Adds the next period.
    pub(super) fn push(&mut self, period: PeriodId, sealed: Sealed) {
        self.push_unrooted(period, sealed);
        self.update_root();
    }

    /// Adds a period, leaving the root for later.
    pub(super) fn push_unrooted(&mut self, period: PeriodId, sealed: Sealed) {
        debug_assert!(self.next().is_none_or(|next| next == period), "no gaps");
        if self.entries.is_empty() {
            self.first = period;
        }
        self.entries.push(sealed);
        self.digests.push(digest(&self.hasher, period, &sealed));
    }

    /// Takes the last period away.
    pub(super) fn pop(&mut self) -> Option<Sealed> {
        let sealed = self.entries.pop()?;
        self.digests.pop();
        self.update_root();
        Some(sealed)
    }

    pub(super) fn update_root(&mut self) {
        let root = list::root(&self.hasher, &self.digests);
        let len = self.digests.len() as u64;
        self.root = list::commitment(&self.hasher, TABLE_DOMAIN, len, root);
    }
}

fn digest(hasher: &NodeHasher, period: PeriodId, sealed: &Sealed) -> B256 {
    let mut message = [0; 128];
    message[..16].copy_from_slice(ENTRY_DOMAIN);
    message[16..24].copy_from_slice(&period.0.to_le_bytes());
    message[24..56].copy_from_slice(sealed.root.hash.as_slice());
    message[56..64].copy_from_slice(&sealed.root.count.to_le_bytes());
    message[64..72].copy_from_slice(&sealed.sealed_at.0.to_le_bytes());
    hasher.hash(&message)
}

/// A key of table `periods`: what it is about, and of which period.
pub(super) fn period_key(kind: u8, period: PeriodId) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&period.0.to_be_bytes());
    key
}

/// Puts a period's entry.
pub(super) fn put_sealed(batch: &mut Batch, period: PeriodId, sealed: &Sealed) {
    let key = period_key(TABLE_KEY, period);
    let mut value = Vec::with_capacity(52);
    value.extend_from_slice(sealed.root.hash.as_slice());
    value.extend_from_slice(&sealed.root.count.to_le_bytes());
    value.extend_from_slice(&sealed.sealed_at.0.to_le_bytes());
    seal_crc(&key, &mut value);
    batch.put(Table::Periods, key, value);
}

/// Reads a period's entry.
pub(super) fn decode_sealed(key: &[u8], value: &[u8]) -> Result<(PeriodId, Sealed), DecodeError> {
    let mut reader = Reader::new(key);
    reader.take(1, "a kind of key")?;
    let period = PeriodId(u64::from_be_bytes(reader.array("a period")?));
    let mut reader = Reader::new(check_crc(key, value)?);
    let sealed = Sealed {
        root: Node {
            hash: reader.hash("a root")?,
            count: u64::from_le_bytes(reader.array("a leaf count")?),
        },
        sealed_at: BlockNumber(u64::from_le_bytes(reader.array("a block number")?)),
    };
    if !reader.is_done() {
        return Err(reader.expected("the end of the entry"));
    }
    Ok((period, sealed))
}
