use super::*;
use crate::{BatchId, BlockNumber, HashKind, NodeHasher, RecordIndex, list::ListTree};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use proptest::prelude::*;

const RING_LEN: u32 = 5;

/// A batch of `RING_LEN` blocks, `counts` records in each.
struct Batch {
    hasher: NodeHasher,
    id: BatchId,
    records: Vec<Record>,
    trees: Vec<BlockTree>,
    list: ListTree,
    root: B256,
}

fn record(index: u64) -> Record {
    let digest = keccak256(index.to_le_bytes());
    let owner = Address::from_slice(&digest[12..]);
    Record {
        index: RecordIndex(index),
        class: digest[0] % 6,
        contract: Address::repeat_byte(digest[1]),
        owner,
        payload: Bytes::copy_from_slice(&digest[..usize::from(digest[2] % 33)]),
    }
}

impl Batch {
    fn new(kind: HashKind, id: u64, counts: &[u64]) -> Self {
        let hasher = NodeHasher::new(kind);
        let mut records: Vec<Record> = Vec::new();
        let first = id * 1_000;
        let trees: Vec<_> = (id * u64::from(RING_LEN)..)
            .zip(counts)
            .map(|(block, count)| {
                let start = first + records.len() as u64;
                let new: Vec<_> = (start..start + count).map(record).collect();
                let hashes = leaf_hashes(&hasher, &new).expect("short payloads");
                records.extend(new);
                BlockTree::build(&hasher, BlockNumber(block), RecordIndex(start), hashes)
                    .expect("a small block")
            })
            .collect();
        let roots = trees.iter().map(BlockTree::root).collect();
        let list = ListTree::build(&hasher, roots);
        let root = batch_root(&hasher, BatchId(id), RING_LEN, list.root());
        Self {
            hasher,
            id: BatchId(id),
            records,
            trees,
            list,
            root,
        }
    }

    fn tree(&self, record: &Record) -> (usize, &BlockTree) {
        let of = |tree: &BlockTree| tree.range().position(record.index).is_some();
        let at = self
            .trees
            .iter()
            .position(of)
            .expect("a record of the batch");
        (at, &self.trees[at])
    }

    fn ring_path(&self, record: &Record) -> (RecordPath, B256) {
        let (_, tree) = self.tree(record);
        (tree.path(record.index).expect("in the block"), tree.root())
    }

    fn batch_path(&self, record: &Record) -> RecordPath {
        let (at, _) = self.tree(record);
        let batch = self.list.path(at);
        RecordPath {
            batch,
            ..self.ring_path(record).0
        }
    }

    fn in_batch(&self, record: &Record, path: &RecordPath) -> Result<(), RecordPathError> {
        path.verify_in_batch(&self.hasher, record, RING_LEN, self.id, self.root)
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    let len = 8 * bytes.len();
    bytes[bit % len / 8] ^= 1 << (bit % 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_record_lacks_a_path_and_none_has_two_encodings(
        counts in prop::collection::vec(0u64..18, RING_LEN as usize),
        id in 0u64..1_000_000,
    ) {
        for kind in HashKind::ALL {
            let batch = Batch::new(kind, id, &counts);
            for record in &batch.records {
                let (path, root) = batch.ring_path(record);
                prop_assert_eq!(path.verify_in_ring(&batch.hasher, record, root), Ok(()));
                let sealed = batch.batch_path(record);
                prop_assert_eq!(batch.in_batch(record, &sealed), Ok(()));
                for path in [path, sealed] {
                    let bytes = path.encode().expect("a short path");
                    prop_assert_eq!(RecordPath::decode(&bytes), Ok(path));
                }
                let mut bytes = Vec::new();
                record.encode(&mut bytes).expect("a short payload");
                prop_assert_eq!(bytes.len(), record.encoded_len());
                prop_assert_eq!(&Record::decode(&bytes), &Ok(record.clone()));
            }
        }
    }

    #[test]
    fn no_flipped_bit_of_a_path_or_a_record_is_overlooked(
        at in 0usize..25, bit: usize, sealed: bool, of_path: bool,
    ) {
        let batch = Batch::new(HashKind::Blake3, 7, &[5, 0, 13, 1, 6]);
        let record = &batch.records[at];
        let path = match sealed {
            true => batch.batch_path(record),
            false => batch.ring_path(record).0,
        };
        let mut path = path.encode().expect("a short path");
        let mut bytes = Vec::new();
        record.encode(&mut bytes).expect("a short payload");
        flip(if of_path { &mut path } else { &mut bytes }, bit);
        let (Ok(path), Ok(altered)) = (RecordPath::decode(&path), Record::decode(&bytes)) else {
            return Ok(());
        };
        prop_assert!(batch.in_batch(&altered, &path).is_err());
        prop_assert!(path.verify_in_ring(&batch.hasher, &altered, batch.ring_path(record).1).is_err());
    }

    #[test]
    fn no_bytes_decode_to_what_encodes_otherwise(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(path) = RecordPath::decode(&bytes) {
            prop_assert_eq!(path.encode(), Ok(bytes.clone()));
        }
        if let Ok(record) = Record::decode(&bytes) {
            let mut again = Vec::new();
            prop_assert_eq!(record.encode(&mut again), Ok(()));
            prop_assert_eq!(again, bytes);
        }
    }
}

/// What a forger does to a record and its path, and what is said of it.
type Forgery = (
    &'static str,
    fn(&mut Record, &mut RecordPath),
    fn(&RecordPathError) -> bool,
);

const IS_ROOT: fn(&RecordPathError) -> bool = |e| matches!(e, RecordPathError::Root { .. });
const IS_OUTSIDE: fn(&RecordPathError) -> bool = |e| matches!(e, RecordPathError::Outside { .. });
const IS_SIBLINGS: fn(&RecordPathError) -> bool = |e| matches!(e, RecordPathError::Siblings { .. });

/// The record is number 6 of the 13 of its block: four siblings.
const FORGERIES: &[Forgery] = &[
    (
        "payload",
        |r, _| r.payload = Bytes::from_static(b"more"),
        IS_ROOT,
    ),
    (
        "payload cut",
        |r, _| r.payload = r.payload.slice(1..),
        IS_ROOT,
    ),
    (
        "zero added to the payload",
        |r, _| r.payload = [&r.payload[..], &[0]].concat().into(),
        IS_ROOT,
    ),
    (
        "payload too long",
        |r, _| r.payload = vec![0; 65].into(),
        |e| matches!(e, RecordPathError::Payload(PayloadTooLong { got: 65 })),
    ),
    ("owner", |r, _| r.owner = Address::ZERO, IS_ROOT),
    ("class", |r, _| r.class ^= 1, IS_ROOT),
    ("contract", |r, _| r.contract = Address::ZERO, IS_ROOT),
    ("index of a neighbour", |r, _| r.index.0 += 1, IS_ROOT),
    ("index of another block", |r, _| r.index.0 += 7, IS_OUTSIDE),
    ("index below the block", |r, _| r.index.0 -= 7, IS_OUTSIDE),
    (
        "index moved with the block's first",
        |r, p| {
            r.index.0 += 1;
            p.first_index.0 += 1;
        },
        IS_ROOT,
    ),
    (
        "largest index",
        |r, p| {
            r.index.0 = u64::MAX;
            p.first_index.0 = u64::MAX;
        },
        |e| {
            matches!(
                e,
                RecordPathError::Siblings { .. } | RecordPathError::Root { .. }
            )
        },
    ),
    ("block's first index", |_, p| p.first_index.0 -= 1, IS_ROOT),
    ("fewer records", |_, p| p.count -= 1, IS_ROOT),
    ("more records", |_, p| p.count += 1, IS_ROOT),
    ("no records", |_, p| p.count = 0, IS_OUTSIDE),
    ("a million records", |_, p| p.count = 1_000_000, IS_SIBLINGS),
    ("altered sibling", |_, p| p.siblings[2].0[9] ^= 4, IS_ROOT),
    (
        "missing sibling",
        |_, p| p.siblings.truncate(3),
        IS_SIBLINGS,
    ),
    ("no siblings", |_, p| p.siblings.clear(), IS_SIBLINGS),
    (
        "extra sibling",
        |_, p| p.siblings.push(B256::ZERO),
        IS_SIBLINGS,
    ),
    ("swapped siblings", |_, p| p.siblings.swap(0, 1), IS_ROOT),
    ("reversed siblings", |_, p| p.siblings.reverse(), IS_ROOT),
];

#[test]
fn no_forgery_is_taken() {
    for kind in HashKind::ALL {
        let batch = Batch::new(kind, 7, &[5, 0, 13, 1, 6]);
        let record = &batch.records[11];
        let (ring, root) = batch.ring_path(record);
        assert_eq!((ring.siblings.len(), ring.block), (4, BlockNumber(37)));
        let sealed = batch.batch_path(record);
        for (name, forge, is_expected) in FORGERIES {
            let (mut forged, mut path) = (record.clone(), ring.clone());
            forge(&mut forged, &mut path);
            let error = path.verify_in_ring(&batch.hasher, &forged, root);
            let error = error.expect_err(name);
            assert!(is_expected(&error), "{name}: {error}");
            let (mut forged, mut path) = (record.clone(), sealed.clone());
            forge(&mut forged, &mut path);
            let error = batch.in_batch(&forged, &path).expect_err(name);
            assert!(is_expected(&error), "{name}, batch: {error}");
        }
    }
}

#[test]
fn no_path_is_good_for_another_record_block_or_end() {
    let batch = Batch::new(HashKind::Blake3, 7, &[5, 0, 13, 1, 6]);
    let other = Batch::new(HashKind::Blake3, 8, &[5, 0, 13, 1, 6]);
    for record in &batch.records {
        for of in batch.records.iter().filter(|of| *of != record) {
            let (path, root) = batch.ring_path(of);
            assert!(path.verify_in_ring(&batch.hasher, record, root).is_err());
            assert!(batch.in_batch(record, &batch.batch_path(of)).is_err());
        }
        let (path, root) = batch.ring_path(record);
        let sealed = batch.batch_path(record);
        let (block, id) = (path.block, batch.id);
        let as_ring = sealed.verify_in_ring(&batch.hasher, record, root);
        assert_eq!(as_ring, Err(RecordPathError::NotRing { block }));
        let as_batch = batch.in_batch(record, &path);
        let expected = RecordPathError::NotBatch { block, batch: id };
        assert_eq!(as_batch, Err(expected));
        let expected = RecordPathError::WrongBatch {
            block,
            expected: other.id,
            got: id,
        };
        assert_eq!(other.in_batch(record, &sealed), Err(expected));
        for wrong in [0, u64::from(RING_LEN), u64::MAX - 40] {
            let mut moved = path.clone();
            moved.block.0 = moved.block.0.wrapping_add(wrong).wrapping_add(1);
            let got = moved.verify_in_ring(&batch.hasher, record, root);
            assert!(matches!(got, Err(RecordPathError::Root { .. })));
        }
        let in_batch = |change: fn(&mut Vec<B256>)| {
            let mut path = sealed.clone();
            path.batch.iter_mut().for_each(change);
            batch.in_batch(record, &path)
        };
        let longer = in_batch(|siblings| siblings.push(B256::ZERO));
        assert!(matches!(longer, Err(RecordPathError::BatchSiblings { .. })));
        let shorter = in_batch(|siblings| drop(siblings.split_off(siblings.len() - 1)));
        assert!(matches!(
            shorter,
            Err(RecordPathError::BatchSiblings { .. })
        ));
        let altered = in_batch(|siblings| siblings[0].0[0] ^= 1);
        assert!(matches!(altered, Err(RecordPathError::Root { .. })));
    }
}

#[test]
fn no_cut_no_extension_and_no_length_of_a_path_is_read() {
    let batch = Batch::new(HashKind::Blake3, 7, &[5, 0, 13, 1, 6]);
    let record = &batch.records[11];
    for path in [batch.ring_path(record).0, batch.batch_path(record)] {
        let bytes = path.encode().expect("a short path");
        for end in 0..bytes.len() {
            let cut = RecordPath::decode(&bytes[..end]);
            assert!(
                matches!(cut, Err(RecordPathError::Short { .. })),
                "cut at {end}"
            );
        }
        let longer = RecordPath::decode(&[&bytes[..], &[0]].concat());
        assert_eq!(longer, Err(RecordPathError::Trailing { got: 1 }));
        let mut kind = bytes.clone();
        kind[20] = 2;
        assert_eq!(
            RecordPath::decode(&kind),
            Err(RecordPathError::Kind { got: 2 })
        );
        let mut long = bytes.clone();
        long[21] = 33;
        let expected = RecordPathError::TooLong {
            offset: 21,
            got: 33,
        };
        assert_eq!(RecordPath::decode(&long), Err(expected));
    }
    let long = RecordPath {
        siblings: vec![B256::ZERO; 33],
        ..batch.ring_path(record).0
    };
    let expected = RecordPathError::TooLong {
        offset: 21,
        got: 33,
    };
    assert_eq!(long.encode(), Err(expected));
}

#[test]
fn no_malformed_record_is_read() {
    let mut bytes = Vec::new();
    let sample = record(9);
    sample.encode(&mut bytes).expect("a short payload");
    for end in 0..bytes.len() {
        let cut = Record::decode(&bytes[..end]);
        let short = matches!(cut, Err(RecordDecodeError::Short { got, .. }) if got == end);
        assert!(short, "cut at {end}");
    }
    let longer = Record::decode(&[&bytes[..], &[0]].concat());
    assert_eq!(longer, Err(RecordDecodeError::Trailing { got: 1 }));
    bytes[49] = 65;
    let long = PayloadTooLong { got: 65 };
    assert_eq!(Record::decode(&bytes), Err(long.into()));
    let new = NewRecord {
        class: sample.class,
        contract: sample.contract,
        owner: sample.owner,
        payload: vec![1; 300].into(),
    };
    assert_eq!(new.encode(&mut bytes), Err(PayloadTooLong { got: 300 }));
    let mut bytes = Vec::new();
    let new = NewRecord {
        payload: sample.payload.clone(),
        ..new
    };
    new.encode(&mut bytes).expect("a short payload");
    assert_eq!(NewRecord::decode(&bytes), Ok(new.clone()));
    assert_eq!(new.at(sample.index), sample);
}
