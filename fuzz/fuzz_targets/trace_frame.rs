//! Whatever the bytes, the trace's decoders must not panic, and what they accept must be what the
//! encoder writes. The input is tried as a frame, and, since its checksums let hardly anything
//! through, as a record and as the headers too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use thinstate_formats::trace::{
    Footer, FrameHeader, TraceHeader, decode_frame, decode_record, encode_frame, encode_record,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(block) = decode_frame(bytes, 0) {
        let frame = encode_frame(&block).expect("decoded blocks keep the rules");
        assert_eq!(
            decode_frame(&frame, 0).expect("a frame just written"),
            block
        );
    }
    if let Ok(block) = decode_record(bytes, 0) {
        let record = encode_record(&block).expect("decoded blocks keep the rules");
        assert_eq!(record, bytes, "one block has one record");
    }
    if let Some(header) = bytes.first_chunk() {
        let _ = TraceHeader::decode(header);
        let _ = FrameHeader::decode(header, u64::MAX);
    }
    if let Some((index, footer)) = bytes.split_last_chunk()
        && let Ok(footer) = Footer::decode(footer, bytes.len() as u64)
    {
        let _ = footer.decode_index(index);
    }
});
