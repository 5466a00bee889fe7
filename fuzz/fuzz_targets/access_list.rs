//! Whatever the bytes, decoding them as an access list of EIP-7928, in RLP and in JSON, must not panic; what decodes
//! must encode to the same bytes; and a list must survive both encodings of its RLP, and its JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use thinstate_formats::access_list::{
    BlockAccessList, ListEncoding, decode_json, decode_rlp, encode_json, encode_rlp, hash,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok((list, encoding)) = decode_rlp(bytes) {
        assert_eq!(encode_rlp(&list, encoding), bytes, "one list has one encoding");
        survives(&list);
    }
    if let Ok(document) = serde_json::from_slice(bytes)
        && let Ok(list) = decode_json(document)
    {
        survives(&list);
    }
});

fn survives(list: &BlockAccessList) {
    for encoding in [ListEncoding::Integers, ListEncoding::Words] {
        let bytes = encode_rlp(list, encoding);
        // Bytes that are both are read as integers.
        let (again, _) = decode_rlp(&bytes).expect("bytes just written");
        assert_eq!(&again, list);
    }
    let again = decode_json(encode_json(list)).expect("a document just written");
    assert_eq!(&again, list);
    assert_eq!(hash(&again), hash(list));
}
