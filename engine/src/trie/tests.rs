//! The update of a single trie against alloy-trie, on keys that share long prefixes, so that
//! extensions split, branches collapse and nodes are inlined far more often than hashed keys do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{
    change::{Base, Change, Target, Written},
    codec::{Stub, TrieId, encode_slot},
    error::StateError,
    interior::Branch,
    leaf_hashes::LeafHashes,
    path::Path,
    update::{Extent, TrieJob, Updated, Updater},
};
use crate::leaf_store::{
    Batch, Entry, KeyRange, LeafRead, LeafStore, MemorySnapshot, MemoryStore, ReadAhead,
    StoreError, Table, Visitor,
};
use alloy_primitives::{B256, U256, hex, keccak256};
use alloy_trie::{HashBuilder, nodes::TrieNode, proof::ProofRetainer};
use nybbles::Nibbles;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use thinstate_formats::BatchHasher;

const TRIE: TrieId = TrieId::Storage(B256::repeat_byte(0xaa));

/// A trie in a memory store, beside a model of its leaves.
struct Trie {
    store: MemoryStore,
    top: Option<Arc<Branch>>,
    model: BTreeMap<B256, U256>,
    entries_max: usize,
    held: Option<LeafHashes>,
}

impl Trie {
    /// A trie without held hashes, or with as many as fit into some bytes.
    fn new(entries_max: usize, held_bytes: usize) -> Self {
        Self {
            held: (held_bytes > 0).then(|| LeafHashes::new(held_bytes)),
            store: MemoryStore::new(),
            top: None,
            model: BTreeMap::new(),
            entries_max,
        }
    }

    fn with_updater<T>(
        &self,
        f: impl FnOnce(Updater<'_, <MemoryStore as LeafStore>::Snapshot<'_>>) -> T,
    ) -> T {
        let snapshot = self.store.snapshot();
        f(Updater {
            store: &snapshot,
            hasher: &BatchHasher::new(),
            leaf_hashes: self.held.as_ref(),
            pool: &rayon::ThreadPoolBuilder::new()
                .num_threads(2)
                .build()
                .unwrap(),
            entries_max: self.entries_max,
        })
    }

    fn compute(&self, mut changes: Vec<Change>) -> Result<Updated, StateError> {
        changes.sort_by_key(|c| c.path);
        let job = TrieJob {
            trie: TRIE,
            top: self.top.clone(),
            base: Base::Stored,
            changes,
        };
        self.with_updater(|updater| updater.update(&[job]))
    }

    fn store(&mut self, updated: Updated) -> B256 {
        let mut batch = Batch::default();
        for Written {
            trie, path, after, ..
        } in updated.written
        {
            match after {
                Some(value) => batch.put(trie.table(), trie.key(&path), value),
                None => batch.delete(trie.table(), trie.key(&path)),
            }
        }
        self.store.commit(batch).unwrap();
        let result = updated.tries.into_iter().next().unwrap();
        self.top = result.top;
        result.root
    }

    fn put(&mut self, block: &BTreeMap<B256, U256>) -> Result<B256, StateError> {
        let changes = block.iter().map(|(key, value)| Change {
            path: Path::leaf(*key),
            to: encode_slot(*value).map_or(Target::Absent, Target::Value),
        });
        let updated = self.compute(changes.collect())?;
        for (key, value) in block {
            match value.is_zero() {
                true => self.model.remove(key),
                false => self.model.insert(*key, *value),
            };
        }
        Ok(self.store(updated))
    }

    fn rebuilt_root(&self) -> B256 {
        let entries = self.model.len() as u64;
        let extent = Extent {
            trie: TRIE,
            // As if there were many: the split into ranges is tested as well.
            entries: entries * 2048,
            shallowest: 3,
        };
        let updated = self.with_updater(|updater| updater.rebuild(&[extent]).unwrap());
        updated.tries[0].root
    }

    /// Replaces what lies under `path` by a stub.
    fn cut(&mut self, path: &Nibbles, node: &[u8]) -> B256 {
        let at = Path::from_nibbles(path).unwrap();
        let under = |key: &&B256| Path::leaf(**key).starts_with(&at);
        let mut changes: Vec<_> = self
            .model
            .keys()
            .filter(under)
            .map(|key| Change {
                path: Path::leaf(*key),
                to: Target::Absent,
            })
            .collect();
        let is_branch = matches!(TrieNode::decode_exact(node), Some(TrieNode::Branch(_)));
        let stub = Stub {
            hash: keccak256(node),
            is_branch,
        };
        changes.push(Change {
            path: at,
            to: Target::Value(stub.encode()),
        });
        let updated = self.compute(changes).unwrap();
        self.store(updated)
    }
}

trait DecodeExact: Sized {
    fn decode_exact(rlp: &[u8]) -> Option<Self>;
}

impl DecodeExact for TrieNode {
    fn decode_exact(mut rlp: &[u8]) -> Option<Self> {
        alloy_rlp::Decodable::decode(&mut rlp).ok()
    }
}

/// Root and all nodes, by alloy-trie.
fn oracle(model: &BTreeMap<B256, U256>) -> (B256, Vec<(Nibbles, Vec<u8>)>) {
    let keys = model.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
    for (key, value) in model {
        builder.add_leaf(Nibbles::unpack(key), &alloy_rlp::encode(value));
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (
        root,
        nodes
            .into_iter()
            .map(|(path, rlp)| (path, rlp.to_vec()))
            .collect(),
    )
}

/// Keys that differ in few nibbles: at the front, in the middle and at the very end.
fn any_key() -> impl Strategy<Value = B256> {
    let nibble = || prop_oneof![Just(0u8), Just(1), Just(0xf)];
    (nibble(), nibble(), nibble(), nibble(), nibble(), nibble()).prop_map(|(a, b, c, d, e, f)| {
        let mut key = B256::ZERO;
        key[0] = a << 4 | b;
        key[1] = c << 4;
        key[15] = d << 4;
        key[31] = e << 4 | f;
        key
    })
}

fn any_value() -> impl Strategy<Value = U256> {
    prop_oneof![
        3 => Just(U256::ZERO),
        3 => (1u8..=255).prop_map(U256::from),
        2 => any::<[u8; 32]>().prop_map(U256::from_be_bytes),
    ]
}

fn any_blocks() -> impl Strategy<Value = Vec<BTreeMap<B256, U256>>> {
    let block = prop::collection::btree_map(any_key(), any_value(), 0..60);
    prop::collection::vec(block, 1..10)
}

/// None, few (64 shards of some buckets each), or all hashes are held.
fn any_held_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(64 << 9), Just(64 << 20)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_sequence_of_changes_leads_to_another_root_than_alloy_tries(
        blocks in any_blocks(),
        entries_max in 2usize..12,
        held_bytes in any_held_bytes(),
    ) {
        let mut trie = Trie::new(entries_max, held_bytes);
        for block in &blocks {
            let root = trie.put(block).unwrap();
            prop_assert_eq!(root, oracle(&trie.model).0);
            prop_assert_eq!(root, trie.rebuilt_root());
        }
        let none = trie.model.keys().map(|key| (*key, U256::ZERO)).collect();
        prop_assert_eq!(trie.put(&none).unwrap(), alloy_trie::EMPTY_ROOT_HASH);
        prop_assert!(trie.top.is_none());
    }

    #[test]
    fn no_stub_changes_a_root_or_lets_a_wrong_one_pass(
        blocks in any_blocks(),
        later in any_blocks(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        entries_max in 2usize..12,
        held_bytes in any_held_bytes(),
    ) {
        let mut trie = Trie::new(entries_max, held_bytes);
        for block in &blocks {
            trie.put(block).unwrap();
        }
        let full = trie.model.clone();
        for cut in cuts {
            let (root, nodes) = oracle(&full);
            if nodes.is_empty() || trie.model.is_empty() {
                break;
            }
            let (path, node) = cut.get(&nodes);
            let held = |key: &B256| Nibbles::unpack(key).starts_with(path);
            let hidden = full.keys().filter(|k| held(k) && !trie.model.contains_key(*k)).count();
            // Nodes that are part of a subtree already cut, and inlined ones, are no stubs.
            if path.len() == 64 || node.len() < 32 || hidden > 0 {
                continue;
            }
            prop_assert_eq!(trie.cut(path, node), root);
            trie.model.retain(|key, _| !held(key));
        }
        let mut model = full;
        for block in &later {
            let before = trie.top.clone();
            match trie.put(block) {
                Ok(root) => {
                    for (key, value) in block {
                        match value.is_zero() {
                            true => model.remove(key),
                            false => model.insert(*key, *value),
                        };
                    }
                    prop_assert_eq!(root, oracle(&model).0);
                }
                Err(StateError::Missing(_)) => {
                    prop_assert_eq!(before.is_some(), trie.top.is_some());
                }
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
        }
    }
}

/// A state that notes what is read ahead, and what is read.
struct Watched<'a> {
    inner: MemorySnapshot<'a>,
    ahead: Mutex<Vec<KeyRange>>,
    /// With how many had been read ahead then.
    scanned: Mutex<Vec<(KeyRange, usize)>>,
    /// Whether no read ahead succeeds: its error has the first key.
    fails: bool,
}

impl<'a> Watched<'a> {
    fn new(inner: MemorySnapshot<'a>, fails: bool) -> Self {
        Self {
            inner,
            ahead: Mutex::default(),
            scanned: Mutex::default(),
            fails,
        }
    }
}

impl LeafRead for Watched<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        let range = (table, from.to_vec(), to.map(<[u8]>::to_vec));
        let ahead = self.ahead.lock().unwrap();
        assert!(ahead.contains(&range), "not read ahead");
        self.scanned.lock().unwrap().push((range, ahead.len()));
        drop(ahead);
        self.inner.scan(table, from, to, visit)
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        self.inner.last_at_or_before(table, key, floor)
    }

    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = KeyRange>) -> ReadAhead {
        let mut ranges = ranges.peekable();
        let first = ranges.peek().map(|(_, from, _)| hex::encode(from));
        self.ahead.lock().unwrap().extend(ranges);
        match first.filter(|_| self.fails) {
            None => ReadAhead::done(),
            Some(message) => ReadAhead::ended(Err(StoreError::Io {
                operation: "read",
                path: "pages".into(),
                message,
            })),
        }
    }
}

fn leaf(n: u64) -> (B256, U256) {
    (keccak256(n.to_be_bytes()), U256::from(n + 1))
}

/// Changes every third leaf, so many of them.
fn change(
    trie: &Trie,
    store: &Watched<'_>,
    changed: u64,
    threads: usize,
) -> Result<Updated, StateError> {
    let mut changes: Vec<_> = (0..changed)
        .map(|n| Change {
            path: Path::leaf(leaf(n * 3).0),
            to: Target::Leaf(encode_slot(U256::from(n + 2)).unwrap()),
        })
        .collect();
    changes.sort_by_key(|c| c.path);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let updater = Updater {
        store,
        hasher: &BatchHasher::new(),
        leaf_hashes: None,
        pool: &threads.build().unwrap(),
        entries_max: trie.entries_max,
    };
    updater.update(&[TrieJob {
        trie: TRIE,
        top: trie.top.clone(),
        base: Base::Stored,
        changes,
    }])
}

#[test]
fn no_bucket_is_read_before_it_is_read_ahead_or_read_ahead_in_vain() {
    let mut trie = Trie::new(16, 0);
    let root = trie.put(&(0..20_000).map(leaf).collect()).unwrap();
    for (changed, threads) in [(3, 1), (3, 4), (900, 1), (900, 4), (6_000, 4)] {
        let store = Watched::new(trie.store.snapshot(), false);
        let updated = change(&trie, &store, changed, threads).unwrap();
        assert_ne!(updated.tries[0].root, root);
        let ahead = store.ahead.into_inner().unwrap();
        let scanned = store.scanned.into_inner().unwrap();
        assert_eq!(ahead.len(), scanned.len(), "{changed} on {threads}");
        let unique: BTreeSet<_> = scanned.iter().map(|(range, _)| range).collect();
        assert_eq!(unique.len(), scanned.len(), "{changed} on {threads}");
        if threads > 1 {
            continue;
        }
        // 64 buckets are a task: while one is built, the next four are under way, and no more than that.
        for (before, (_, ahead)) in scanned.iter().enumerate() {
            let next = (before / 64 + 5) * 64;
            assert_eq!(*ahead, next.min(scanned.len()), "at bucket {before}");
        }
    }
}

#[test]
fn no_error_of_later_reads_hides_that_of_the_first() {
    let mut trie = Trie::new(16, 0);
    trie.put(&(0..20_000).map(leaf).collect()).unwrap();
    for (changed, threads) in [(900, 1), (900, 4), (6_000, 4)] {
        let store = Watched::new(trie.store.snapshot(), true);
        let failed = change(&trie, &store, changed, threads).unwrap_err();
        let StateError::Store(StoreError::Io { message, .. }) = failed else {
            panic!("{changed} on {threads}: {failed}");
        };
        let ahead = store.ahead.into_inner().unwrap();
        let first = ahead.iter().map(|(_, from, _)| from).min().unwrap();
        assert_eq!(message, hex::encode(first), "{changed} on {threads}");
        // One of several that go on after it fails as well.
        assert!(ahead.len() > 64, "{changed} on {threads}");
    }
}
