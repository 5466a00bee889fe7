//! A block that goes through the trace's bytes must come out as it went in, and no other bytes may
//! mean the same block.

use crate::blocks::{block, every_variant};
use proptest::prelude::*;
use thinstate_formats::trace::{
    FOOTER_BYTES, FRAME_HEADER_BYTES, Footer, FrameHeader, TRACE_HEADER_BYTES, TraceHeader,
    decode_frame, decode_record, encode_frame, encode_record,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_block_changes_on_its_way_through_a_frame(block in block()) {
        let frame = encode_frame(&block).expect("a block that keeps the rules");
        prop_assert_eq!(decode_frame(&frame, 0).expect("a frame just written"), block);
    }

    #[test]
    fn no_order_of_accesses_is_lost_by_sorting(block in block()) {
        let mut reversed = block.clone();
        reversed.accesses.reverse();
        for group in &mut reversed.accesses {
            group.accounts.reverse();
            group.slots.reverse();
            group.code_reads.reverse();
            group.code_writes.reverse();
        }
        reversed.sort();
        prop_assert_eq!(reversed, block);
    }

    #[test]
    fn no_two_records_mean_one_block(block in block(), at in any::<usize>(), byte in any::<u8>()) {
        let mut record = encode_record(&block).expect("a block that keeps the rules");
        let at = at % record.len();
        record[at] = byte;
        if let Ok(other) = decode_record(&record, 0) {
            prop_assert_eq!(encode_record(&other).expect("decoded blocks keep the rules"), record);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(decode_frame(&bytes, 0).is_err());
        let _ = decode_record(&bytes, u64::MAX);
        if let Some(header) = bytes.first_chunk::<TRACE_HEADER_BYTES>() {
            let _ = TraceHeader::decode(header);
        }
        if let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() {
            let _ = FrameHeader::decode(header, u64::MAX);
        }
        if let Some(footer) = bytes.first_chunk::<FOOTER_BYTES>() {
            let _ = Footer::decode(footer, bytes.len() as u64);
        }
    }
}

#[test]
fn every_byte_of_a_record_matters() {
    let block = every_variant();
    let record = encode_record(&block).expect("a block that keeps the rules");
    for at in 0..record.len() {
        for bit in 0..8 {
            let mut flipped = record.clone();
            flipped[at] ^= 1 << bit;
            match decode_record(&flipped, 0) {
                Ok(other) => assert_ne!(other, block, "byte {at}, bit {bit} means nothing"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
