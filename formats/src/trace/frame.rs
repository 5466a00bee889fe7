//! A block's frame: a header with lengths and checksums, and the compressed record.

use super::fields::{Place, bytes_at, crc_before, put, seal, u32_at, u64_at};
use super::{BlockTrace, EncodeError, Part, TraceError};
use crate::BlockNumber;
use wincode::config::Configuration;

/// Length of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 32;
/// Most bytes that a record may have, and most that its payload may have. A slot of 1000 times
/// mainnet's gas (600,000 accounts, 1.7 M slots) is about 300 MB of record.
pub const MAX_FRAME_BYTES: u32 = 1 << 29;

/// zstd's own default: levels above gain little on hashes.
const ZSTD_LEVEL: i32 = 3;

const MARKER: &[u8; 4] = b"BLCK";
const RESERVED_AT: usize = 4;
const NUMBER_AT: usize = 8;
const PAYLOAD_LEN_AT: usize = 16;
const RECORD_LEN_AT: usize = 20;
const PAYLOAD_CRC_AT: usize = 24;
const CRC_AT: usize = 28;
const _: () = assert!(CRC_AT + 4 == FRAME_HEADER_BYTES);

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The block.
    pub number: BlockNumber,
    /// Bytes of the compressed record.
    pub payload_len: u32,
    /// Bytes of the record.
    pub record_len: u32,
    /// CRC-32 of the compressed record.
    pub payload_crc: u32,
}

impl FrameHeader {
    /// Length of the whole frame.
    pub const fn frame_len(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + self.payload_len as u64
    }

    fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        put::<0, 4, _>(&mut bytes, *MARKER);
        put::<NUMBER_AT, 8, _>(&mut bytes, self.number.0.to_le_bytes());
        put::<PAYLOAD_LEN_AT, 4, _>(&mut bytes, self.payload_len.to_le_bytes());
        put::<RECORD_LEN_AT, 4, _>(&mut bytes, self.record_len.to_le_bytes());
        put::<PAYLOAD_CRC_AT, 4, _>(&mut bytes, self.payload_crc.to_le_bytes());
        seal::<CRC_AT, _>(&mut bytes);
        bytes
    }

    /// Reads the header of the frame at `offset`; its lengths are then within the limit.
    pub fn decode(bytes: &[u8; FRAME_HEADER_BYTES], offset: u64) -> Result<Self, TraceError> {
        let place = Place {
            part: Part::FrameHeader,
            offset,
        };
        place.magic(MARKER, &bytes_at::<0, 4, _>(bytes))?;
        place.checksum(u32_at::<CRC_AT, _>(bytes), crc_before::<CRC_AT, _>(bytes))?;
        place.field("reserved", 0, u32_at::<RESERVED_AT, _>(bytes).into())?;
        let header = Self {
            number: BlockNumber(u64_at::<NUMBER_AT, _>(bytes)),
            payload_len: u32_at::<PAYLOAD_LEN_AT, _>(bytes),
            record_len: u32_at::<RECORD_LEN_AT, _>(bytes),
            payload_crc: u32_at::<PAYLOAD_CRC_AT, _>(bytes),
        };
        let limit = MAX_FRAME_BYTES.into();
        place.at_most("a payload", limit, header.payload_len.into())?;
        place.at_most("a record", limit, header.record_len.into())?;
        Ok(header)
    }

    /// Whether `payload`, which follows the header of the frame at `offset`, is what was written.
    pub fn check_payload(&self, payload: &[u8], offset: u64) -> Result<(), TraceError> {
        let place = payload_at(offset);
        let (expected, got) = (u64::from(self.payload_len), payload.len() as u64);
        if got < expected {
            return Err(place.truncated(expected, got));
        }
        place.field("length", expected, got)?;
        place.checksum(self.payload_crc, crc32fast::hash(payload))
    }

    /// The block in `payload`, which follows the header of the frame at `offset`.
    pub fn decode_payload(&self, payload: &[u8], offset: u64) -> Result<BlockTrace, TraceError> {
        self.check_payload(payload, offset)?;
        let place = payload_at(offset);
        let record = self.decompress(payload, place)?;
        let block = decode_record(&record, place.offset)?;
        place.field("block number", self.number.0, block.number.0)?;
        Ok(block)
    }

    /// The capacity is the declared length, which zstd may fill but not exceed.
    fn decompress(&self, payload: &[u8], place: Place) -> Result<Vec<u8>, TraceError> {
        let mut record = Vec::with_capacity(self.record_len as usize);
        zstd::bulk::Decompressor::new()
            .and_then(|mut zstd| zstd.decompress_to_buffer(payload, &mut record))
            .map_err(|source| TraceError::Decompress {
                offset: place.offset,
                expected: self.record_len.into(),
                source,
            })?;
        place.field("record length", self.record_len.into(), record.len() as u64)?;
        Ok(record)
    }
}

const fn payload_at(frame_offset: u64) -> Place {
    Place {
        part: Part::Payload,
        offset: frame_offset.saturating_add(FRAME_HEADER_BYTES as u64),
    }
}

/// A block as the bytes of its frame.
pub fn encode_frame(block: &BlockTrace) -> Result<Vec<u8>, EncodeError> {
    let number = block.number;
    let record = encode_record(block)?;
    let payload = zstd::bulk::compress(&record, ZSTD_LEVEL)
        .map_err(|source| EncodeError::Compress { number, source })?;
    let header = FrameHeader {
        number,
        payload_len: limited(number, payload.len())?,
        record_len: limited(number, record.len())?,
        payload_crc: crc32fast::hash(&payload),
    };
    Ok([&header.encode()[..], &payload].concat())
}

/// The block in `frame`, which is one whole frame and starts at `offset` of its file.
pub fn decode_frame(frame: &[u8], offset: u64) -> Result<BlockTrace, TraceError> {
    let Some((header, payload)) = frame.split_first_chunk() else {
        let place = Place {
            part: Part::FrameHeader,
            offset,
        };
        return Err(place.truncated(FRAME_HEADER_BYTES as u64, frame.len() as u64));
    };
    FrameHeader::decode(header, offset)?.decode_payload(payload, offset)
}

/// A block as the bytes of its record, before compression. These alone are pinned by the format:
/// what zstd makes of them depends on its version.
pub fn encode_record(block: &BlockTrace) -> Result<Vec<u8>, EncodeError> {
    let number = block.number;
    block.check().map_err(|fault| EncodeError::Fault {
        number,
        source: Box::new(fault),
    })?;
    let refused = |source| EncodeError::Record { number, source };
    let size = wincode::config::serialized_size(block, CONFIG).map_err(refused)?;
    limited(number, usize::try_from(size).unwrap_or(usize::MAX))?;
    wincode::config::serialize(block, CONFIG).map_err(refused)
}

/// The block in `record`, which was in the payload at `offset` of its file.
pub fn decode_record(record: &[u8], offset: u64) -> Result<BlockTrace, TraceError> {
    let block: BlockTrace = wincode::config::deserialize_exact(record, CONFIG)
        .map_err(|source| TraceError::Record { offset, source })?;
    block.check().map_err(|fault| TraceError::Fault {
        offset,
        number: block.number,
        source: Box::new(fault),
    })?;
    Ok(block)
}

/// bincode 1.3's format. Lists take memory as they are read (`wire::Seq`), so wincode's own limit on
/// it is never asked.
const CONFIG: wincode::config::DefaultConfig = Configuration::default();

/// `len` as the format stores it.
fn limited(number: BlockNumber, len: usize) -> Result<u32, EncodeError> {
    u32::try_from(len)
        .ok()
        .filter(|len| *len <= MAX_FRAME_BYTES)
        .ok_or(EncodeError::TooLarge {
            number,
            limit: MAX_FRAME_BYTES.into(),
            got: len as u64,
        })
}
