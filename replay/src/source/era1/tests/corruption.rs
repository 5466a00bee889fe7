//! Damaged files: every truncation and every flipped bit of a small one, and arbitrary bytes.

use std::io::Read as _;

use proptest::prelude::*;

use super::{
    chain::chain,
    writer::{file, file_stored},
};
use crate::source::era1::{Era1, Era1Block, Era1Error, RecordKind, e2store::Records};

/// All blocks, or the first error.
fn read(bytes: &[u8]) -> Result<Vec<Era1Block>, Era1Error> {
    Era1::from_bytes(bytes, "damaged.era1")?.blocks().collect()
}

/// An error must name the file and an offset inside it.
fn check_message(error: &Era1Error, length: usize, what: &str) {
    let offset = error
        .offset()
        .expect("bytes in memory are read without I/O");
    assert!(offset <= length as u64, "{what}: {error}");
    let start = format!("damaged.era1: at byte {offset}: ");
    assert!(error.to_string().starts_with(&start), "{what}: {error}");
}

#[test]
fn a_truncated_file_is_not_opened() {
    let bytes = file(&chain(100, 3));
    for length in 0..bytes.len() {
        let error = Era1::from_bytes(&bytes[..length], "damaged.era1").unwrap_err();
        check_message(&error, length, &format!("cut to {length}"));
    }
}

/// What every compressed record decompresses to, by `snap`'s own reader; `None` if one does not.
fn contents(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let compressed = [
        RecordKind::COMPRESSED_HEADER,
        RecordKind::COMPRESSED_BODY,
        RecordKind::COMPRESSED_RECEIPTS,
    ];
    let mut records = Records::from_offset(bytes, 0);
    let mut contents = Vec::new();
    while let Ok(record) = records.next_record("a record") {
        if compressed.contains(&record.kind) {
            let mut content = Vec::new();
            snap::read::FrameDecoder::new(record.payload)
                .read_to_end(&mut content)
                .ok()?;
            contents.push(content);
        }
    }
    Some(contents)
}

/// Flips each bit in turn; hands what still reads well to `unnoticed`, with the flip in words.
fn flip_every_bit(bytes: &[u8], mut unnoticed: impl FnMut(&[u8], Vec<Era1Block>, &str)) {
    let mut damaged = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            damaged[at] ^= 1 << bit;
            let what = format!("bit {bit} of byte {at} of {}", bytes.len());
            match read(&damaged) {
                Err(error) => check_message(&error, bytes.len(), &what),
                Ok(blocks) => unnoticed(&damaged, blocks, &what),
            }
            damaged[at] ^= 1 << bit;
        }
    }
}

#[test]
fn a_flipped_bit_does_not_go_unnoticed() {
    let bytes = file_stored(&chain(100, 3));
    flip_every_bit(&bytes, |_, _, what| panic!("{what} went unnoticed"));
}

/// As above where contents are compressed, with one exception that is no harm: snappy can say the
/// same bytes in several ways (among zeros, a copy from one byte back and one from two), so a flip
/// inside compressed bytes may leave the content as it was, byte for byte.
#[test]
fn a_flipped_bit_under_compression_does_not_change_a_block() {
    let blocks = chain(100, 3);
    let bytes = file(&blocks);
    let original = contents(&bytes).unwrap();
    flip_every_bit(&bytes, |damaged, read, what| {
        assert_eq!(contents(damaged).as_ref(), Some(&original), "{what}");
        assert_eq!(read, blocks, "{what}");
    });
}

#[test]
fn a_dropped_or_doubled_record_does_not_go_unnoticed() {
    let bytes = file(&chain(100, 3));
    let mut records = Records::from_offset(&bytes, 0);
    while let Ok(record) = records.next_record("a record") {
        let start = usize::try_from(record.offset).unwrap();
        let end = start + 8 + record.payload.len();
        let dropped = [&bytes[..start], &bytes[end..]].concat();
        let doubled = [&bytes[..end], &bytes[start..]].concat();
        for damaged in [dropped, doubled] {
            let error = read(&damaged).unwrap_err();
            check_message(
                &error,
                damaged.len(),
                &format!("{} at {start}", record.kind),
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn a_spliced_file_does_not_panic(
        at in any::<prop::sample::Index>(),
        removed in 0_usize..40,
        inserted in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let blocks = chain(100, 2);
        let mut bytes = file(&blocks);
        let start = at.index(bytes.len());
        let end = bytes.len().min(start + removed);
        bytes.splice(start..end, inserted);
        if let Ok(read) = read(&bytes) {
            prop_assert_eq!(read, blocks);
        }
    }
}
