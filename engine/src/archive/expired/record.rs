//! A record: one subtree, as it was when it was cut.

use crate::trie::{
    codec::{Stub, TrieId},
    path::{KEY_NIBBLES, Path},
};
use alloy_primitives::B256;

/// A subtree by its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) trie: TrieId,
    pub(crate) path: Path,
    /// keccak256 of the node at `path`.
    pub(crate) hash: B256,
    /// Leaves and stubs by path, as the leaf store holds them.
    pub(crate) entries: Vec<(Path, Vec<u8>)>,
}

/// What a subtree holds at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Covering {
    /// Nothing.
    Absent,
    /// This leaf.
    Leaf(Vec<u8>),
    /// A stub above it.
    Stub(Path, Stub),
}

impl Subtree {
    /// What is held at `key`.
    pub(crate) fn at(&self, key: B256) -> Covering {
        let key = Path::leaf(key);
        let after = self.entries.partition_point(|(path, _)| *path <= key);
        match after.checked_sub(1).map(|i| &self.entries[i]) {
            Some((path, leaf)) if *path == key => Covering::Leaf(leaf.clone()),
            Some((path, value)) if key.starts_with(path) => {
                Stub::decode(value).map_or(Covering::Absent, |stub| Covering::Stub(*path, stub))
            }
            _ => Covering::Absent,
        }
    }

    /// The part at and under `path`, with the hash that it is expected to have; `None` where
    /// there is no part, or it is a stub by itself.
    pub(super) fn part(&self, path: &Path, hash: B256) -> Option<Self> {
        let under = |(at, _): &&(Path, Vec<u8>)| at.starts_with(path);
        let entries: Vec<_> = self.entries.iter().filter(under).cloned().collect();
        let held = entries.first().is_some_and(|(at, _)| at != path);
        held.then_some(Self {
            trie: self.trie,
            path: *path,
            hash,
            entries,
        })
    }

    /// Appends the record.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut entries = Vec::new();
        let shared = self.path.len() / 2;
        for (path, value) in &self.entries {
            entries.push(path.len() as u8);
            entries.extend_from_slice(&path.bytes()[shared..path.len().div_ceil(2)]);
            entries.push(value.len() as u8);
            entries.extend_from_slice(value);
        }
        let head = out.len();
        out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        out.extend_from_slice(&[
            u8::from(self.trie != TrieId::Accounts),
            self.path.len() as u8,
        ]);
        if let Some(account) = self.trie.account() {
            out.extend_from_slice(account.as_slice());
        }
        out.extend_from_slice(&self.path.bytes()[..self.path.len().div_ceil(2)]);
        out.extend_from_slice(self.hash.as_slice());
        let checksum = crc32fast::hash(&out[head..]);
        out.extend_from_slice(&checksum.to_le_bytes());
        let checksum = crc32fast::hash(&entries);
        out.append(&mut entries);
        out.extend_from_slice(&checksum.to_le_bytes());
    }
}

/// What comes before the entries of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) trie: TrieId,
    pub(super) path: Path,
    pub(super) hash: B256,
    entries: u32,
    entries_bytes: u32,
    /// Bytes of the head itself.
    pub(super) len: u64,
}

/// Bytes of the longest head.
pub(super) const HEAD_LEN_MAX: usize = 4 + 4 + 2 + 32 + 32 + 32 + 4;

impl Head {
    /// Bytes of the entries with their checksum.
    pub(super) fn rest_bytes(&self) -> u64 {
        u64::from(self.entries_bytes) + 4
    }

    /// Bytes of the whole record.
    pub(super) fn record_bytes(&self) -> u64 {
        self.len + self.rest_bytes()
    }

    /// The head at the beginning of `bytes`, which may go on behind it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::parse(bytes).ok_or("the head of a record does not decode")
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&entries_bytes, rest) = bytes.split_first_chunk::<4>()?;
        let (&entries, rest) = rest.split_first_chunk::<4>()?;
        let (&[kind, nibbles], rest) = rest.split_first_chunk::<2>()?;
        let (trie, rest) = match kind {
            0 => (TrieId::Accounts, rest),
            1 => {
                let (account, rest) = rest.split_first_chunk::<32>()?;
                (TrieId::Storage(account.into()), rest)
            }
            _ => return None,
        };
        let nibbles = usize::from(nibbles);
        let (packed, rest) = rest.split_at_checked(nibbles.div_ceil(2))?;
        let mut path = B256::ZERO;
        path.get_mut(..packed.len())?.copy_from_slice(packed);
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let len = bytes.len() - rest.len();
        if crc32fast::hash(&bytes[..len - 4]) != u32::from_le_bytes(*checksum) {
            return None;
        }
        Some(Self {
            trie,
            path: Path::from_packed(path, nibbles).filter(|p| p.len() < KEY_NIBBLES)?,
            hash: hash.into(),
            entries: u32::from_le_bytes(entries),
            entries_bytes: u32::from_le_bytes(entries_bytes),
            len: len as u64,
        })
    }

    /// The record with its entries, which `bytes` holds with their checksum.
    pub(super) fn with_entries(self, bytes: &[u8]) -> Result<Subtree, &'static str> {
        let (mut rest, checksum) = bytes.split_last_chunk::<4>().ok_or("it ends too early")?;
        if crc32fast::hash(rest) != u32::from_le_bytes(*checksum) {
            return Err("the checksum of the entries does not match");
        }
        let mut entries: Vec<(Path, Vec<u8>)> = Vec::new();
        for _ in 0..self.entries {
            let entry = self.entry(&mut rest).ok_or("an entry does not decode")?;
            if entries.last().is_some_and(|(last, _)| *last >= entry.0) {
                return Err("the entries are not in order");
            }
            entries.push(entry);
        }
        match rest {
            [] => Ok(Subtree {
                trie: self.trie,
                path: self.path,
                hash: self.hash,
                entries,
            }),
            _ => Err("bytes follow the last entry"),
        }
    }

    fn entry(&self, bytes: &mut &[u8]) -> Option<(Path, Vec<u8>)> {
        let (&nibbles, rest) = bytes.split_first()?;
        let nibbles = usize::from(nibbles);
        let shared = self.path.len() / 2;
        let (tail, rest) = rest.split_at_checked(nibbles.div_ceil(2).checked_sub(shared)?)?;
        let (&len, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(len.into())?;
        let mut packed = *self.path.prefix(shared * 2).bytes();
        packed
            .get_mut(shared..shared + tail.len())?
            .copy_from_slice(tail);
        let path = Path::from_packed(packed, nibbles).filter(|p| p.starts_with(&self.path))?;
        *bytes = rest;
        Some((path, value.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_subtree() -> impl Strategy<Value = Subtree> {
        let entry = (
            any::<[u8; 32]>(),
            prop::collection::vec(any::<u8>(), 0..120),
            any::<u8>(),
        );
        let entries = prop::collection::vec(entry, 0..20);
        (any::<bool>(), any::<[u8; 32]>(), 0usize..64, entries).prop_map(
            |(in_storage, key, len, entries)| {
                let path = Path::leaf(key.into()).prefix(len);
                let mut at: Vec<_> = entries
                    .into_iter()
                    .map(|(tail, value, cut)| {
                        let mut bytes = *path.bytes();
                        for i in len.div_ceil(2)..32 {
                            bytes[i] = tail[i];
                        }
                        let to = KEY_NIBBLES - usize::from(cut) % (KEY_NIBBLES - len);
                        (Path::leaf(bytes).prefix(to), value)
                    })
                    .collect();
                at.sort();
                at.dedup_by_key(|(path, _)| *path);
                Subtree {
                    trie: match in_storage {
                        true => TrieId::Storage(key.into()),
                        false => TrieId::Accounts,
                    },
                    path,
                    hash: key.into(),
                    entries: at,
                }
            },
        )
    }

    fn decode(bytes: &[u8]) -> Result<Subtree, &'static str> {
        let head = Head::decode(bytes)?;
        let whole = usize::try_from(head.record_bytes()).map_err(|_| "too long")?;
        let rest = bytes
            .get(head.len as usize..whole)
            .ok_or("it ends too early")?;
        head.with_entries(rest)
    }

    proptest! {
        #[test]
        fn no_subtree_is_changed_by_its_record(subtree in any_subtree(), behind in any::<[u8; 3]>()) {
            let mut bytes = Vec::new();
            subtree.encode(&mut bytes);
            let record_bytes = Head::decode(&bytes).expect("a head").record_bytes();
            prop_assert_eq!(record_bytes, bytes.len() as u64);
            bytes.extend_from_slice(&behind);
            prop_assert_eq!(decode(&bytes), Ok(subtree));
        }

        #[test]
        fn no_flipped_bit_and_no_cut_of_a_record_goes_unseen(
            subtree in any_subtree(),
            bit in any::<prop::sample::Index>(),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            subtree.encode(&mut bytes);
            prop_assert!(decode(&bytes[..end.index(bytes.len())]).is_err());
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&bytes).is_err(), "bit {}", bit);
        }

        #[test]
        fn no_noise_ever_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes).is_err());
        }
    }
}
