//! Snappy's framing format, decompressed within a bound.
//!
//! ```text
//! stream = identifier chunk*
//! chunk  = | type u8 | length u24 le | length bytes |
//!   0xff        stream identifier: "sNaPpY"
//!   0x00        masked CRC-32C u32 le of the content | snappy block, at most 65,536 bytes of content
//!   0x01        masked CRC-32C u32 le of the content | content, at most 65,536 bytes
//!   0x80..=0xfe skipped
//!   others      refused
//! ```
//!
//! `snap`'s own frame reader is not used because it allocates and clears 140 KB for each stream,
//! of which a file has three per block, and names no offsets; its block decoder and its frame
//! *writer* (in the tests, as the oracle) are.
//!
//! The output grows chunk by chunk, each checked against the bound before its bytes are allocated.

use super::{
    crc32c,
    e2store::Record,
    error::{Era1Fault, Located},
};

/// Most content that the framing format allows in a chunk.
const CHUNK_CONTENT_BYTES_MAX: usize = 65_536;

const CHUNK_HEADER_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 4;
const IDENTIFIER: &[u8] = b"sNaPpY";

/// Decompresses a record's payload to at most `bytes_max` bytes.
pub(super) fn decompress(record: &Record<'_>, bytes_max: usize) -> Result<Vec<u8>, Located> {
    let mut stream = Stream {
        rest: record.payload,
        offset: record.payload_offset(),
    };
    let mut content = Content {
        record: *record,
        bytes: Vec::new(),
        bytes_max,
    };
    match stream.next_chunk()? {
        Some(chunk) if chunk.kind == 0xff => chunk.check_identifier()?,
        _ => return Err(Era1Fault::StreamIdentifier.at(record.payload_offset())),
    }
    while let Some(chunk) = stream.next_chunk()? {
        match chunk.kind {
            0x00 => content.push_compressed(&chunk)?,
            0x01 => content.push_stored(&chunk)?,
            0x80..=0xfe => {}
            0xff => chunk.check_identifier()?,
            got => return Err(Era1Fault::ChunkType { got }.at(chunk.offset)),
        }
    }
    Ok(content.bytes)
}

struct Stream<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Stream<'a> {
    fn next_chunk(&mut self) -> Result<Option<Chunk<'a>>, Located> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some(([kind, l0, l1, l2], rest)) = self.rest.split_first_chunk() else {
            return Err(truncated(CHUNK_HEADER_BYTES, self.rest.len(), self.offset));
        };
        let length = usize::from(*l0) | usize::from(*l1) << 8 | usize::from(*l2) << 16;
        let Some((data, rest)) = rest.split_at_checked(length) else {
            return Err(truncated(length, rest.len(), self.offset));
        };
        let chunk = Chunk {
            kind: *kind,
            data,
            offset: self.offset,
        };
        self.rest = rest;
        self.offset += (CHUNK_HEADER_BYTES + length) as u64;
        Ok(Some(chunk))
    }
}

const fn truncated(expected: usize, got: usize, offset: u64) -> Located {
    Era1Fault::ChunkTruncated {
        expected: expected as u64,
        got: got as u64,
    }
    .at(offset)
}

struct Chunk<'a> {
    kind: u8,
    data: &'a [u8],
    offset: u64,
}

impl<'a> Chunk<'a> {
    fn check_identifier(&self) -> Result<(), Located> {
        if self.data == IDENTIFIER {
            return Ok(());
        }
        Err(Era1Fault::StreamIdentifier.at(self.offset))
    }

    /// The stored checksum, and what it is stored with.
    fn split_checksum(&self) -> Result<(u32, &'a [u8]), Located> {
        let Some((checksum, data)) = self.data.split_first_chunk::<CHECKSUM_BYTES>() else {
            return Err(truncated(CHECKSUM_BYTES, self.data.len(), self.offset));
        };
        Ok((u32::from_le_bytes(*checksum), data))
    }

    fn check(&self, expected: u32, content: &[u8]) -> Result<(), Located> {
        let got = crc32c::masked(content);
        if got == expected {
            return Ok(());
        }
        Err(Era1Fault::ChunkChecksum { expected, got }.at(self.offset))
    }
}

/// The content so far.
struct Content<'a> {
    record: Record<'a>,
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Content<'_> {
    fn push_stored(&mut self, chunk: &Chunk<'_>) -> Result<(), Located> {
        let (expected, stored) = chunk.split_checksum()?;
        self.check_room(chunk, stored.len())?;
        chunk.check(expected, stored)?;
        self.bytes.extend_from_slice(stored);
        Ok(())
    }

    fn push_compressed(&mut self, chunk: &Chunk<'_>) -> Result<(), Located> {
        let (expected, block) = chunk.split_checksum()?;
        let corrupt = |error| Era1Fault::ChunkCorrupt(error).at(chunk.offset);
        let length = snap::raw::decompress_len(block).map_err(corrupt)?;
        self.check_room(chunk, length)?;
        let start = self.bytes.len();
        self.bytes.resize(start + length, 0);
        let target = &mut self.bytes[start..];
        snap::raw::Decoder::new()
            .decompress(block, target)
            .map_err(corrupt)?;
        chunk.check(expected, target)
    }

    /// Whether `length` more bytes fit both the chunk and the record.
    fn check_room(&self, chunk: &Chunk<'_>, length: usize) -> Result<(), Located> {
        if length > CHUNK_CONTENT_BYTES_MAX {
            let (max, got) = (CHUNK_CONTENT_BYTES_MAX as u64, length as u64);
            return Err(Era1Fault::ChunkTooLarge { max, got }.at(chunk.offset));
        }
        let total = self.bytes.len() + length;
        if total > self.bytes_max {
            let (kind, max, got) = (self.record.kind, self.bytes_max as u64, total as u64);
            return Err(Era1Fault::ContentTooLarge { kind, max, got }.at(self.record.offset));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::source::era1::RecordKind;

    fn compress(content: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(content).unwrap();
        encoder.into_inner().unwrap()
    }

    fn read(stream: &[u8], bytes_max: usize) -> Result<Vec<u8>, Located> {
        let record = Record {
            offset: 100,
            kind: RecordKind::COMPRESSED_BODY,
            payload: stream,
        };
        decompress(&record, bytes_max)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_snap_wrote_is_not_read_differently(
            unit in prop::collection::vec(any::<u8>(), 1..300),
            repeats in 1_usize..800,
        ) {
            let content = unit.repeat(repeats);
            prop_assert_eq!(read(&compress(&content), content.len()), Ok(content));
        }

        #[test]
        fn arbitrary_streams_do_not_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let stream = [b"\xff\x06\0\0sNaPpY".as_slice(), &tail].concat();
            let _ = read(&stream, 1_000);
            let _ = read(&tail, 1_000);
        }
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = compress(&vec![0; 64 << 20]);
        let (kind, max) = (RecordKind::COMPRESSED_BODY, 1 << 20);
        let fault = Era1Fault::ContentTooLarge {
            kind,
            max,
            got: max + 65_536,
        };
        assert_eq!(read(&bomb, 1 << 20), Err(fault.at(100)));
    }

    #[test]
    fn a_chunk_declaring_gigabytes_is_not_allocated() {
        // A compressed chunk: checksum, then a block whose preamble says 2^32 - 1 bytes.
        let stream = b"\xff\x06\0\0sNaPpY\x00\x09\0\0\0\0\0\0\xff\xff\xff\xff\x0f";
        let fault = Era1Fault::ChunkTooLarge {
            max: 65_536,
            got: u64::from(u32::MAX),
        };
        assert_eq!(read(stream, usize::MAX), Err(fault.at(118)));
    }

    #[test]
    fn skippable_chunks_do_not_end_the_stream() {
        let plain = compress(b"content");
        let (identifier, data) = plain.split_at(10);
        let stream = [
            identifier,
            b"\xfe\x03\0\0\0\0\0",
            b"\x80\x01\0\0\x07",
            identifier,
            data,
        ]
        .concat();
        assert_eq!(read(&stream, 100), Ok(b"content".to_vec()));
    }

    #[test]
    fn malformed_streams_do_not_pass() {
        let truncated = |expected, got| Era1Fault::ChunkTruncated { expected, got };
        let table: [(&[u8], Located); 7] = [
            (b"", Era1Fault::StreamIdentifier.at(108)),
            (
                b"\x01\x05\0\0\0\0\0\0\0",
                Era1Fault::StreamIdentifier.at(108),
            ),
            (b"\xff\x06\0\0sNaPpX", Era1Fault::StreamIdentifier.at(108)),
            (
                b"\xff\x06\0\0sNaPpY\x02\0\0\0",
                Era1Fault::ChunkType { got: 2 }.at(118),
            ),
            (b"\xff\x06\0\0sNaPpY\x01\0\0", truncated(4, 3).at(118)),
            (b"\xff\x06\0\0sNaPpY\x01\x05\0\0\0", truncated(5, 1).at(118)),
            (
                b"\xff\x06\0\0sNaPpY\x01\x03\0\0\0\0\0",
                truncated(4, 3).at(118),
            ),
        ];
        for (stream, expected) in table {
            assert_eq!(read(stream, 100), Err(expected), "{stream:02x?}");
        }
    }
}
