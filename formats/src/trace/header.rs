//! The first bytes of a trace file.

use super::fields::{Place, bytes_at, crc_before, put, seal, u16_at, u32_at, u64_at};
use super::{Part, TraceError};

/// Length of the file header.
pub const TRACE_HEADER_BYTES: usize = 32;
/// The version of the format that is read and written here.
pub const TRACE_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"THSTRACE";
const VERSION_AT: usize = 8;
const FLAGS_AT: usize = 10;
const RESERVED_AT: usize = 12;
const CHAIN_AT: usize = 16;
const RESERVED_2_AT: usize = 24;
const CRC_AT: usize = 28;
const _: () = assert!(CRC_AT + 4 == TRACE_HEADER_BYTES);

/// What a trace says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// The chain that the blocks belong to (EIP-155).
    pub chain_id: u64,
}

impl TraceHeader {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; TRACE_HEADER_BYTES] {
        let mut bytes = [0; TRACE_HEADER_BYTES];
        put::<0, 8, _>(&mut bytes, *MAGIC);
        put::<VERSION_AT, 2, _>(&mut bytes, TRACE_VERSION.to_le_bytes());
        put::<CHAIN_AT, 8, _>(&mut bytes, self.chain_id.to_le_bytes());
        seal::<CRC_AT, _>(&mut bytes);
        bytes
    }

    /// Reads the header. The version comes before the checksum: where it is another one, nothing
    /// is known of the bytes behind it.
    pub fn decode(bytes: &[u8; TRACE_HEADER_BYTES]) -> Result<Self, TraceError> {
        let place = Place {
            part: Part::FileHeader,
            offset: 0,
        };
        place.magic(MAGIC, &bytes_at::<0, 8, _>(bytes))?;
        let version = u16_at::<VERSION_AT, _>(bytes);
        if version != TRACE_VERSION {
            return Err(TraceError::Version {
                expected: TRACE_VERSION,
                got: version,
            });
        }
        place.checksum(u32_at::<CRC_AT, _>(bytes), crc_before::<CRC_AT, _>(bytes))?;
        place.field("flags", 0, u16_at::<FLAGS_AT, _>(bytes).into())?;
        place.field("reserved", 0, u32_at::<RESERVED_AT, _>(bytes).into())?;
        place.field("reserved", 0, u32_at::<RESERVED_2_AT, _>(bytes).into())?;
        Ok(Self {
            chain_id: u64_at::<CHAIN_AT, _>(bytes),
        })
    }
}
