//! A witness in any of its shapes must give the same block, and none that is altered may be taken.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use alloy_consensus::{Block, BlockBody, Header, TxEnvelope};
use alloy_primitives::{B256, Bytes, hex, keccak256};
use alloy_rlp::Encodable;
use serde_json::{Value, json};
use std::{error::Error, fs, path::Path};
use tempfile::TempDir;
use thinstate_replay::source::witness::{self, BlockWitness, Fault};

fn rlp(value: &impl Encodable) -> Bytes {
    alloy_rlp::encode(value).into()
}

/// Block 5 with two ancestors.
fn chain() -> (Header, Header, Block<TxEnvelope>) {
    let grandparent = Header {
        number: 3,
        ..Header::default()
    };
    let parent = Header {
        number: 4,
        parent_hash: grandparent.hash_slow(),
        state_root: B256::repeat_byte(0x44),
        ..Header::default()
    };
    let header = Header {
        number: 5,
        parent_hash: parent.hash_slow(),
        ..Header::default()
    };
    (
        grandparent,
        parent,
        Block::new(header, BlockBody::default()),
    )
}

fn nodes() -> [Bytes; 2] {
    [
        Bytes::from_static(&[0x80]),
        Bytes::from_static(&[0xc2, 0x01, 0x02]),
    ]
}

fn codes() -> [Bytes; 1] {
    [Bytes::from_static(&[0x60, 0x00])]
}

fn by_hash(list: &[Bytes]) -> Value {
    list.iter()
        .map(|item| (keccak256(item).to_string(), json!(item)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn self_contained() -> Value {
    let (grandparent, parent, block) = chain();
    json!({
        "number": 5,
        "hash": block.header.hash_slow(),
        "pre_state_root": parent.state_root,
        "block": rlp(&block),
        "headers": [rlp(&parent), rlp(&grandparent)],
        "block_hashes": [[2, grandparent.parent_hash]],
        "state": nodes(),
        "codes": codes(),
    })
}

/// As reth returns it: headers in ascending order, as RLP.
fn as_reth() -> Value {
    let (grandparent, parent, _) = chain();
    json!({
        "state": nodes(), "codes": codes(), "keys": [],
        "headers": [rlp(&grandparent), rlp(&parent)],
    })
}

fn rpc_block() -> Value {
    let (_, _, block) = chain();
    let mut object = serde_json::to_value(&block.header).unwrap();
    object["hash"] = json!(block.header.hash_slow());
    object["transactions"] = json!([]);
    object["uncles"] = json!([]);
    object["totalDifficulty"] = json!("0x1");
    object
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let bytes = if name.ends_with(".zst") {
            zstd::encode_all(bytes, 3).unwrap()
        } else {
            bytes.to_vec()
        };
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Result<BlockWitness, witness::WitnessError> {
        witness::read(&self.0.path().join(name))
    }
}

fn taken(document: &Value) -> BlockWitness {
    let folder = Folder::new();
    folder.write("5.json", document.to_string().as_bytes());
    folder.read("5.json").unwrap()
}

fn refused(bytes: &[u8]) -> Fault {
    let folder = Folder::new();
    folder.write("5.json", bytes);
    let error = folder.read("5.json").unwrap_err();
    assert!(error.to_string().contains("5.json"), "{error}");
    error.source
}

#[test]
fn no_shape_loses_anything() {
    let expected = taken(&self_contained());
    assert_eq!(expected.number().0, 5);
    assert_eq!(expected.pre_state_root, B256::repeat_byte(0x44));
    assert_eq!(expected.block_hashes.len(), 3);
    assert_eq!(expected.state, nodes());

    let (grandparent, parent, block) = chain();
    let mut as_geth = as_reth();
    as_geth["headers"] = json!([parent, grandparent]);
    let mut with_capitals = json!({});
    for (key, value) in as_reth().as_object().unwrap() {
        with_capitals[key[..1].to_uppercase() + &key[1..]] = value.clone();
    }
    let response = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let raw = rlp(&block);
    let blocks: [(&str, Vec<u8>); 6] = [
        ("5.block.rlp", raw.to_vec()),
        ("5.block.rlp.zst", raw.to_vec()),
        (
            "5.block.hex",
            format!("0x{}\n", hex::encode(&raw)).into_bytes(),
        ),
        ("5.block.json", json!(raw).to_string().into_bytes()),
        (
            "5.block.json.zst",
            response(json!(raw)).to_string().into_bytes(),
        ),
        (
            "5.block.json",
            response(rpc_block()).to_string().into_bytes(),
        ),
    ];
    for document in [as_reth(), as_geth, with_capitals, response(as_reth())] {
        for (name, bytes) in &blocks {
            let folder = Folder::new();
            folder.write("5.witness.json.zst", document.to_string().as_bytes());
            folder.write(name, bytes);
            assert_eq!(
                folder.read("5.witness.json.zst").unwrap(),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn maps_keyed_by_hash_are_lists_too() {
    let mut document = as_reth();
    document["state"] = by_hash(&nodes());
    document["codes"] = by_hash(&codes());
    let folder = Folder::new();
    folder.write("5.json", document.to_string().as_bytes());
    folder.write("5.block.rlp", &rlp(&chain().2));
    let mut state = folder.read("5.json").unwrap().state;
    state.sort();
    assert_eq!(state, nodes());
}

#[test]
fn a_map_with_a_wrong_key_is_refused() {
    let mut document = self_contained();
    document["state"] = json!({ B256::ZERO.to_string(): nodes()[0] });
    let fault = refused(document.to_string().as_bytes());
    assert!(
        matches!(
            fault,
            Fault::Hash {
                expected: B256::ZERO,
                ..
            }
        ),
        "{fault:?}"
    );
}

/// One alteration of a good document, and the fault that has to come of it.
type Alteration = (&'static str, fn(&mut Value), fn(&Fault) -> bool);

#[test]
fn no_altered_document_is_taken() {
    let table: [Alteration; 17] = [
        (
            "block is gone",
            |d| d["block"] = Value::Null,
            |f| matches!(f, Fault::Missing { .. }),
        ),
        (
            "block is a number",
            |d| d["block"] = json!(7),
            |f| matches!(f, Fault::Type { .. }),
        ),
        (
            "block is no hex",
            |d| d["block"] = json!("0xzz"),
            |f| matches!(f, Fault::Hex { .. }),
        ),
        ("block is cut off", cut_block, |f| {
            matches!(f, Fault::Rlp { .. })
        }),
        ("block is followed by a byte", extend_block, |f| {
            matches!(f, Fault::Trailing { left: 1, .. })
        }),
        ("header has a field too many", widen_header, |f| {
            matches!(
                f,
                Fault::UnknownHeader {
                    got: 24,
                    known: 23,
                    ..
                }
            )
        }),
        (
            "hash is another",
            |d| d["hash"] = json!(B256::ZERO),
            |f| matches!(f, Fault::Hash { .. }),
        ),
        (
            "hash is short",
            |d| d["hash"] = json!("0x00"),
            |f| matches!(f, Fault::Hex { .. }),
        ),
        (
            "number is another",
            |d| d["number"] = json!("0x6"),
            |f| {
                matches!(
                    f,
                    Fault::Number {
                        expected: 5,
                        got: 6,
                        ..
                    }
                )
            },
        ),
        (
            "root is another",
            |d| d["pre_state_root"] = json!(B256::ZERO),
            |f| matches!(f, Fault::PreStateRoot { .. }),
        ),
        (
            "parent is gone",
            |d| drop(d["headers"].as_array_mut().unwrap().remove(0)),
            |f| {
                matches!(
                    f,
                    Fault::Number {
                        expected: 4,
                        got: 3,
                        ..
                    }
                )
            },
        ),
        ("parent is another", other_parent, |f| {
            matches!(f, Fault::Hash { .. })
        }),
        ("a header comes twice", repeat_header, |f| {
            matches!(f, Fault::Number { .. })
        }),
        (
            "a header does not decode",
            |d| d["headers"][1] = json!("0xc0"),
            |f| matches!(f, Fault::Rlp { field, .. } if field == "headers[1]"),
        ),
        (
            "a block hash contradicts a header",
            |d| d["block_hashes"] = json!([[3, B256::ZERO]]),
            |f| matches!(f, Fault::Hash { .. }),
        ),
        (
            "a node is no hex",
            |d| d["state"][1] = json!("c2"),
            |f| matches!(f, Fault::Hex { field, .. } if field == "state[1]"),
        ),
        (
            "codes are gone",
            |d| d["codes"] = Value::Null,
            |f| matches!(f, Fault::Missing { .. }),
        ),
    ];
    for (name, alter, expected) in table {
        let mut document = self_contained();
        alter(&mut document);
        let fault = refused(document.to_string().as_bytes());
        assert!(expected(&fault), "{name}: {fault:?}");
    }
}

fn block_bytes(document: &Value) -> Vec<u8> {
    hex::decode(document["block"].as_str().unwrap()).unwrap()
}

fn cut_block(document: &mut Value) {
    let mut raw = block_bytes(document);
    raw.pop();
    document["block"] = json!(Bytes::from(raw));
}

fn extend_block(document: &mut Value) {
    let mut raw = block_bytes(document);
    raw.push(0);
    document["block"] = json!(Bytes::from(raw));
}

/// Gives the header all optional fields, and one more behind them.
fn widen_header(document: &mut Value) {
    let header = Header {
        base_fee_per_gas: Some(1),
        withdrawals_root: Some(B256::ZERO),
        blob_gas_used: Some(1),
        excess_blob_gas: Some(1),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(B256::ZERO),
        block_access_list_hash: Some(B256::ZERO),
        slot_number: Some(1),
        ..chain().2.header
    };
    let plain = rlp(&header);
    let mut fields = &plain[..];
    let fields = alloy_rlp::Header::decode_bytes(&mut fields, true).unwrap();
    let wider = list(&[fields, &[0x01]].concat());
    document["block"] = json!(Bytes::from(list(&[&wider[..], &[0xc0, 0xc0]].concat())));
}

fn list(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    alloy_rlp::Header {
        list: true,
        payload_length: payload.len(),
    }
    .encode(&mut out);
    out.extend_from_slice(payload);
    out
}

fn other_parent(document: &mut Value) {
    let (_, parent, _) = chain();
    document["headers"][0] = json!(rlp(&Header {
        gas_used: 1,
        ..parent
    }));
}

fn repeat_header(document: &mut Value) {
    document["headers"][1] = document["headers"][0].clone();
}

#[test]
fn no_file_that_ends_early_is_taken() {
    let whole = self_contained().to_string().into_bytes();
    let folder = Folder::new();
    for length in (0..whole.len()).step_by(7) {
        folder.write("5.json", &whole[..length]);
        let fault = folder.read("5.json").unwrap_err().source;
        assert!(matches!(fault, Fault::Json(_)), "{length} bytes: {fault:?}");
    }
}

#[test]
fn no_damaged_frame_is_taken() {
    let frame = zstd::encode_all(self_contained().to_string().as_bytes(), 3).unwrap();
    let folder = Folder::new();
    let path = folder.0.path().join("5.json.zst");
    for length in 0..frame.len() {
        fs::write(&path, &frame[..length]).unwrap();
        let fault = folder.read("5.json.zst").unwrap_err().source;
        assert!(
            matches!(fault, Fault::Io(_) | Fault::Json(_)),
            "{length} bytes: {fault:?}"
        );
    }
}

#[test]
fn what_is_missing_beside_a_witness_is_named() {
    let folder = Folder::new();
    folder.write("5.witness.json", as_reth().to_string().as_bytes());
    let fault = folder.read("5.witness.json").unwrap_err().source;
    let Fault::NoBlock { expected } = &fault else {
        panic!("{fault:?}")
    };
    assert!(expected.contains(&"5.block.rlp".to_owned()));

    folder.write("5.block.rlp", b"no block");
    let fault = folder.read("5.witness.json").unwrap_err().source;
    assert!(fault.to_string().contains("5.block.rlp"), "{fault}");
    assert!(fault.source().is_some());
}

#[test]
fn nodes_without_a_parent_header_are_of_no_known_state() {
    let folder = Folder::new();
    let mut document = as_reth();
    document["headers"] = json!([]);
    folder.write("5.json", document.to_string().as_bytes());
    folder.write("5.block.rlp", &rlp(&chain().2));
    let fault = folder.read("5.json").unwrap_err().source;
    assert!(matches!(fault, Fault::NoParent { number: 5 }), "{fault:?}");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let error = witness::find(Path::new("/nowhere/5.json")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/5.json"));
    assert!(matches!(error.source, Fault::Io(_)));
}

#[test]
fn a_description_with_ommers_is_not_taken_without_them() {
    let mut object = rpc_block();
    object["uncles"] = json!([B256::ZERO]);
    let folder = Folder::new();
    folder.write("5.json", as_reth().to_string().as_bytes());
    folder.write("5.block.json", object.to_string().as_bytes());
    let fault = folder.read("5.json").unwrap_err().source;
    let Fault::Block { source, .. } = fault else {
        panic!("{fault:?}")
    };
    assert!(matches!(
        *source,
        Fault::OmmersByHash {
            number: 5,
            ommers: 1
        }
    ));
}
