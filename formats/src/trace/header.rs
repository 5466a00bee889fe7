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

/// Flag: values before a write, or found by a read, are partly assumed.
const VALUES_ASSUMED: u16 = 1;

/// What a trace says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// The chain that the blocks belong to (EIP-155).
    pub chain_id: u64,
    /// Whether values before are partly assumed: the source, as an EIP-7928 list, did not tell them
    /// all. Keys, order and values after are the source's all the same.
    pub values_assumed: bool,
}

impl TraceHeader {
    /// The header of a trace of which every value is the source's own.
    pub const fn new(chain_id: u64) -> Self {
        Self {
            chain_id,
            values_assumed: false,
        }
    }

    /// The same, with values before that are partly assumed or not.
    #[must_use]
    pub const fn with_values_assumed(self, values_assumed: bool) -> Self {
        Self {
            values_assumed,
            ..self
        }
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; TRACE_HEADER_BYTES] {
        let mut bytes = [0; TRACE_HEADER_BYTES];
        put::<0, 8, _>(&mut bytes, *MAGIC);
        put::<VERSION_AT, 2, _>(&mut bytes, TRACE_VERSION.to_le_bytes());
        let flags = if self.values_assumed {
            VALUES_ASSUMED
        } else {
            0
        };
        put::<FLAGS_AT, 2, _>(&mut bytes, flags.to_le_bytes());
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
        let flags = u16_at::<FLAGS_AT, _>(bytes);
        let known = flags & VALUES_ASSUMED;
        place.field("flags", known.into(), flags.into())?;
        place.field("reserved", 0, u32_at::<RESERVED_AT, _>(bytes).into())?;
        place.field("reserved", 0, u32_at::<RESERVED_2_AT, _>(bytes).into())?;
        Ok(Self {
            chain_id: u64_at::<CHAIN_AT, _>(bytes),
            values_assumed: flags & VALUES_ASSUMED != 0,
        })
    }
}
