//! The write log: what one block did, as the store keeps it.
//!
//! ```text
//! key      period u64 BE | block u64 BE                                     (table temporary)
//! value    live root after the block 32
//!          | entries of the period after it u32 LE
//!          | resurrections varint | for each: period varint | leaf index varint
//!          | writes, in order
//!          | crc32 of key and value so far, u32 LE
//! write    varint(id + 1) | value          an entry that the period has gets a value
//!          varint(0) | location 32 | value
//!              not zero: the period gets an entry, whose id is the number of those before it
//!              zero: the previous period's entry at the location is deleted
//! ```
//!
//! Only writes that change something are kept. A write of an entry that the period has is about 13
//! bytes: 3 to 4 of id, one of length, the rest value; the location comes once in a period. A block
//! without writes is 41 bytes and its key.
//!
//! A log is replayed from the period's first block on, or from a checkpoint; each value says how many
//! entries there must be, so that a log that is not this store's, or has a hole, is found out.

use super::{
    bytes::{DecodeError, Reader, put_value, put_varint},
    entries::EntryId,
};
use alloy_primitives::B256;
use thinstate_formats::{BlockNumber, LeafIndex, PeriodId};

const CRC: usize = 4;

/// Where the log of a block lies.
pub(super) fn log_key(period: PeriodId, block: BlockNumber) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&period.0.to_be_bytes());
    key[8..].copy_from_slice(&block.0.to_be_bytes());
    key
}

/// The period and the block of a key.
pub(super) fn parse_log_key(key: &[u8]) -> Option<(PeriodId, BlockNumber)> {
    let (period, block) = key.split_first_chunk::<8>()?;
    let block = block.try_into().ok()?;
    Some((
        PeriodId(u64::from_be_bytes(*period)),
        BlockNumber(u64::from_be_bytes(block)),
    ))
}

/// The keys of a period's logs: from the first of these to before the second.
pub(super) fn log_range(period: PeriodId) -> ([u8; 16], [u8; 16]) {
    let key = |period| log_key(period, BlockNumber(0));
    (key(period), key(PeriodId(period.0.saturating_add(1))))
}

/// Writes of a block, encoded.
#[derive(Clone, Debug, Default)]
pub(super) struct LoggedWrites {
    bytes: Vec<u8>,
}

impl LoggedWrites {
    pub(super) fn by_id(&mut self, id: EntryId, value: &B256) {
        put_varint(&mut self.bytes, u64::from(id.0) + 1);
        put_value(&mut self.bytes, value);
    }

    pub(super) fn by_location(&mut self, location: &B256, value: &B256) {
        put_varint(&mut self.bytes, 0);
        self.bytes.extend_from_slice(location.as_slice());
        put_value(&mut self.bytes, value);
    }
}

/// One write of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoggedWrite {
    /// An entry that the period has.
    Id(EntryId, B256),
    /// A new one, or with zero one of the previous period.
    Location(B256, B256),
}

/// What a block did.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockLog {
    pub(super) root: B256,
    pub(super) entries: u32,
    pub(super) resurrections: Vec<(PeriodId, LeafIndex)>,
    pub(super) writes: LoggedWrites,
}

impl BlockLog {
    pub(super) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48 + self.writes.bytes.len());
        bytes.extend_from_slice(self.root.as_slice());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        put_varint(&mut bytes, self.resurrections.len() as u64);
        for (period, index) in &self.resurrections {
            put_varint(&mut bytes, period.0);
            put_varint(&mut bytes, index.0);
        }
        bytes.extend_from_slice(&self.writes.bytes);
        seal_crc(key, &mut bytes);
        bytes
    }

    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(check_crc(key, bytes)?);
        let root = reader.hash("the live root")?;
        let entries = u32::from_le_bytes(reader.array("a number of entries")?);
        let count = reader.varint("a number of resurrections")?;
        // Each takes two bytes or more: a number that is too large fails before it costs memory.
        let mut resurrections = Vec::new();
        for _ in 0..count {
            let period = PeriodId(reader.varint("a period")?);
            let index = LeafIndex(reader.varint("a leaf index")?);
            resurrections.push((period, index));
        }
        let writes = LoggedWrites {
            bytes: reader.rest().to_vec(),
        };
        Ok(Self {
            root,
            entries,
            resurrections,
            writes,
        })
    }

    /// The writes, in order.
    pub(super) fn writes(&self) -> impl Iterator<Item = Result<LoggedWrite, DecodeError>> + '_ {
        let mut reader = Reader::new(&self.writes.bytes);
        core::iter::from_fn(move || (!reader.is_done()).then(|| read_write(&mut reader))).scan(
            false,
            |failed, write| {
                let go_on = !*failed;
                *failed |= write.is_err();
                go_on.then_some(write)
            },
        )
    }
}

fn read_write(reader: &mut Reader<'_>) -> Result<LoggedWrite, DecodeError> {
    let start = reader.clone();
    let Some(id) = reader.varint("an entry")?.checked_sub(1) else {
        let location = reader.hash("a location")?;
        return Ok(LoggedWrite::Location(location, reader.value()?));
    };
    let id = u32::try_from(id).map_err(|_| start.expected("an entry id"))?;
    Ok(LoggedWrite::Id(EntryId(id), reader.value()?))
}

/// Appends the checksum of a key and its value.
pub(super) fn seal_crc(key: &[u8], value: &mut Vec<u8>) {
    let crc = crc_of(key, value);
    value.extend_from_slice(&crc.to_le_bytes());
}

/// The value without its checksum, if that is right.
pub(super) fn check_crc<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let error = DecodeError {
        offset: value.len().saturating_sub(CRC),
        expected: "the checksum of key and value",
    };
    let (body, crc) = value.split_last_chunk::<CRC>().ok_or(error)?;
    if crc_of(key, body) != u32::from_le_bytes(*crc) {
        return Err(error);
    }
    Ok(body)
}

fn crc_of(key: &[u8], value: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(value);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> (Vec<u8>, BlockLog) {
        let mut log = BlockLog {
            root: B256::repeat_byte(7),
            entries: 3,
            resurrections: vec![(PeriodId(1), LeafIndex(300))],
            ..BlockLog::default()
        };
        log.writes.by_id(EntryId(2), &B256::with_last_byte(9));
        log.writes.by_location(&B256::repeat_byte(5), &B256::ZERO);
        (log_key(PeriodId(4), BlockNumber(77)).to_vec(), log)
    }

    #[test]
    fn no_log_is_read_as_another() {
        let (key, log) = sample();
        let read = BlockLog::decode(&key, &log.encode(&key)).expect("as written");
        assert_eq!((read.root, read.entries), (log.root, log.entries));
        assert_eq!(read.resurrections, log.resurrections);
        let writes: Result<Vec<_>, _> = read.writes().collect();
        let expected = vec![
            LoggedWrite::Id(EntryId(2), B256::with_last_byte(9)),
            LoggedWrite::Location(B256::repeat_byte(5), B256::ZERO),
        ];
        assert_eq!(writes, Ok(expected));
        assert_eq!(parse_log_key(&key), Some((PeriodId(4), BlockNumber(77))));
    }

    #[test]
    fn no_damaged_log_is_taken() {
        let (key, log) = sample();
        let bytes = log.encode(&key);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(BlockLog::decode(&key, &damaged).is_err(), "byte {at}");
            assert!(BlockLog::decode(&key, &bytes[..at]).is_err(), "cut at {at}");
        }
        let elsewhere = log_key(PeriodId(4), BlockNumber(78));
        assert!(BlockLog::decode(&elsewhere, &bytes).is_err());
    }

    #[test]
    fn a_rewrite_takes_no_more_bytes_than_stated() {
        let mut writes = LoggedWrites::default();
        let amount = B256::left_padding_from(&u64::MAX.to_be_bytes());
        writes.by_id(EntryId(2_000_000), &amount);
        assert_eq!(writes.bytes.len(), 12);
        assert_eq!(BlockLog::default().encode(&[0; 16]).len(), 41);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            seal_crc(b"key", &mut bytes);
            if let Ok(log) = BlockLog::decode(b"key", &bytes) {
                prop_assert!(log.writes().count() <= 200);
            }
        }
    }
}
