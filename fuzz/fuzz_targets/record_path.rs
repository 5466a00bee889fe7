//! Whatever the bytes, decoding and verifying a record with its path must not panic; what decodes
//! must encode to the same bytes; and no path that verifies must do so once a bit of it is flipped.
//! The first byte chooses that bit, the second the length of the record's bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use thinstate_formats::{
    BatchId, NodeHasher,
    record::{Record, RecordPath},
};

const RING_LEN: u32 = 8;

fuzz_target!(|bytes: &[u8]| {
    let [bit, record_len, bytes @ ..] = bytes else {
        return;
    };
    let (record, path) = bytes.split_at(bytes.len().min(usize::from(*record_len)));
    let hasher = NodeHasher::default();
    let decoded = Record::decode(record);
    if let Ok(record_value) = &decoded {
        let mut again = Vec::new();
        record_value.encode(&mut again).expect("a record just decoded");
        assert_eq!(again, record);
    }
    let Ok(path_value) = RecordPath::decode(path) else {
        return;
    };
    assert_eq!(path_value.encode().expect("a path just decoded"), path);
    let Ok(record) = decoded else {
        return;
    };
    let batch = BatchId(path_value.block.0 / u64::from(RING_LEN));
    let _ = path_value.verify_in_batch(&hasher, &record, RING_LEN, batch, Default::default());
    let Ok(root) = path_value.block_root(&hasher, &record) else {
        return;
    };
    let mut forged = path.to_vec();
    let at = usize::from(*bit) * forged.len() / 256;
    forged[at] ^= 1 << (bit % 8);
    if let Ok(forged) = RecordPath::decode(&forged) {
        assert!(forged.verify_in_ring(&hasher, &record, root).is_err());
    }
});
