//! `data/records.json`, made by an implementation of its own (`data/make-records.py`).

use super::*;
use crate::{BatchId, BlockNumber, NodeHasher, PeriodId, RecordIndex, bits, list, list::ListTree};
use alloy_primitives::{Address, B256, Bytes};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    ring_len: u32,
    chain: Vec<Vec<Plain>>,
    hashes: BTreeMap<String, Vectors>,
}

#[derive(Deserialize)]
struct Plain {
    index: u64,
    class: u8,
    contract: Address,
    owner: Address,
    payload: Bytes,
}

#[derive(Deserialize)]
struct Vectors {
    lists: Vec<List>,
    bits: Vec<Bits>,
    /// The root over the records' field and those of the periods 0, 7 and 258.
    fields: B256,
    records: Vec<Encoded>,
    blocks: Vec<B256>,
    batches: Vec<B256>,
    paths: Vec<Path>,
    tier: B256,
}

#[derive(Deserialize)]
struct List {
    len: u64,
    root: B256,
    index: u64,
    path: Vec<B256>,
}

#[derive(Deserialize)]
struct Bits {
    len: u64,
    set: Vec<u64>,
    root: B256,
    commitment: B256,
}

#[derive(Deserialize)]
struct Encoded {
    #[serde(flatten)]
    record: Plain,
    encoding: Bytes,
    leaf: B256,
}

#[derive(Deserialize)]
struct Path {
    index: u64,
    encoding: Bytes,
}

impl Plain {
    fn record(&self) -> Record {
        Record {
            index: RecordIndex(self.index),
            class: self.class,
            contract: self.contract,
            owner: self.owner,
            payload: self.payload.clone(),
        }
    }
}

fn each(check: impl Fn(&NodeHasher, &File, &Vectors)) {
    let file: File = serde_json::from_str(include_str!("../../../data/records.json"))
        .expect("data/records.json is of this shape");
    assert_eq!(file.hashes.len(), 3);
    for (name, vectors) in &file.hashes {
        let hasher = NodeHasher::new(name.parse().expect("a hash function"));
        check(&hasher, &file, vectors);
    }
}

#[test]
fn no_list_differs_from_its_vector() {
    each(|hasher, _, vectors| {
        for vector in &vectors.lists {
            let digest = |n: u64| {
                B256::from_slice(&Sha256::digest([b"leaf", &n.to_le_bytes()[..]].concat()))
            };
            let digests: Vec<_> = (0..vector.len).map(digest).collect();
            assert_eq!(list::root(hasher, &digests), vector.root, "{}", vector.len);
            let tree = ListTree::build(hasher, digests);
            let path = tree.path(vector.index as usize).unwrap_or_default();
            assert_eq!(path, vector.path, "{}", vector.len);
        }
    });
}

#[test]
fn no_bitfield_differs_from_its_vector() {
    each(|hasher, _, vectors| {
        for vector in &vectors.bits {
            let mut words: BTreeMap<u64, bits::Word> = BTreeMap::new();
            for index in &vector.set {
                let (word, byte, mask) = bits::place(*index);
                words.entry(word).or_default()[byte] |= mask;
            }
            let word = |at| words.get(&at).copied().unwrap_or_default();
            let tree = bits::BitTree::build(*hasher, vector.len, word);
            assert_eq!(tree.root(), vector.root, "{} bits", vector.len);
            assert_eq!(tree.commitment(), vector.commitment, "{} bits", vector.len);
        }
    });
}

#[test]
fn no_root_over_all_fields_differs_from_its_vector() {
    each(|hasher, _, vectors| {
        let period = |number| bits::FieldId::Period(PeriodId(number));
        let fields = [
            (bits::FieldId::Utxo, 5),
            (period(0), 3),
            (period(7), 9),
            (period(258), 0),
        ];
        let digests = fields.map(|(field, vector)| {
            let commitment = vectors.bits[vector].commitment;
            bits::field_digest(hasher, field, commitment)
        });
        assert_eq!(bits::fields_root(hasher, &digests), vectors.fields);
        assert!(fields.is_sorted());
    });
}

#[test]
fn no_record_differs_from_its_vector() {
    each(|hasher, _, vectors| {
        for vector in &vectors.records {
            let record = vector.record.record();
            let mut bytes = Vec::new();
            record.encode(&mut bytes).expect("a short payload");
            assert_eq!(bytes, vector.encoding);
            assert_eq!(Record::decode(&bytes), Ok(record.clone()));
            assert_eq!(record.leaf_hash(hasher), Ok(vector.leaf));
        }
    });
}

#[test]
fn no_root_and_no_path_differs_from_its_vector() {
    each(|hasher, file, vectors| {
        let trees = file.chain.iter().zip(0..).scan(0, |next, (block, number)| {
            let first = RecordIndex(*next);
            *next += block.len() as u64;
            let records: Vec<_> = block.iter().map(Plain::record).collect();
            let hashes = leaf_hashes(hasher, &records).expect("short payloads");
            BlockTree::build(hasher, BlockNumber(number), first, hashes)
        });
        let trees: Vec<_> = trees.collect();
        let roots: Vec<_> = trees.iter().map(BlockTree::root).collect();
        assert_eq!(roots, vectors.blocks);
        let lists = roots.chunks(file.ring_len as usize);
        let lists: Vec<_> = lists
            .map(|roots| ListTree::build(hasher, roots.to_vec()))
            .collect();
        let batches = lists.iter().zip(0..);
        let batches: Vec<_> = batches
            .map(|(list, number)| batch_root(hasher, BatchId(number), file.ring_len, list.root()))
            .collect();
        assert_eq!(batches, vectors.batches);
        let records = file.chain.iter().flatten();
        for (vector, record) in vectors.paths.iter().zip(records) {
            let record = record.record();
            assert_eq!(record.index, RecordIndex(vector.index));
            let of = |tree: &&BlockTree| tree.range().position(record.index).is_some();
            let tree = trees.iter().find(of).expect("a block of the chain");
            let mut path = tree.path(record.index).expect("a record of the block");
            let number = path.block.0 as usize;
            if vector.index % 2 == 1 {
                let (batch, place) = (number / 5, number % 5);
                path.batch = lists[batch].path(place);
                let id = BatchId(batch as u64);
                path.verify_in_batch(hasher, &record, file.ring_len, id, batches[batch])
                    .expect("a path into a batch");
            } else {
                path.verify_in_ring(hasher, &record, roots[number])
                    .expect("a path into the ring");
            }
            assert_eq!(path.encode().expect("a short path"), vector.encoding);
            assert_eq!(path.encoded_len(), vector.encoding.len());
            assert_eq!(RecordPath::decode(&vector.encoding), Ok(path));
        }
        let state = UtxoState {
            next_index: RecordIndex(vectors.paths.len() as u64),
            ring_len: file.ring_len,
            ring: lists[1].root(),
            batches: 2,
            batch_list: list::root(hasher, &batches),
        };
        assert_eq!(state.commitment(hasher), vectors.tier);
    });
}
