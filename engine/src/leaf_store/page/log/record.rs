//! One record of the log: a batch.
//!
//! ```text
//! 0   magic "TSLR"
//! 4   crc32 of all that follows
//! 8   bytes of operations
//! 12  bytes of far values
//! 16  sequence: one more than the record's before
//! 24  the last sequence that was known to be on the device when this record was written
//! 32  operations
//!     far values
//! ```
//!
//! An operation is one byte (table, and kind times 16), varint length of the key, varint length of
//! the payload, key, payload. Payloads by kind: 0 put, the value; 1 delete, nothing; 2 delete up
//! to, the bound; 3 put of a far value, its offset among the far values, its length and its crc32,
//! 4 bytes each. Values from [`FAR_BYTES_MIN`] on are far: once the record is written, memory keeps
//! the operations alone, and such values are read from the log for as long as it holds them.

use super::super::super::{Action, Batch, Op, StoreError, Table};
use super::super::bytes::{Malformed, Parsed, Reader, put_varint, varint};

pub(in super::super) const HEADER: usize = 32;
pub(in super::super) const MAGIC: [u8; 4] = *b"TSLR";
/// Least length of a value that memory does not keep.
const FAR_BYTES_MIN: usize = 1024;

/// A batch as the log holds it.
pub(in super::super) struct Encoded {
    pub(in super::super) bytes: Vec<u8>,
    /// Where the operations end and the far values begin.
    pub(in super::super) far_at: usize,
}

/// Where a far value lies.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Far {
    /// Offset among the record's far values.
    pub(in super::super) offset: u32,
    pub(in super::super) bytes: u32,
    pub(in super::super) checksum: u32,
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Change<'a> {
    Put(&'a [u8]),
    PutFar(Far),
    Delete,
    DeleteTo(&'a [u8]),
}

/// An operation of a record.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct OpView<'a> {
    /// Its offset in the record.
    pub(in super::super) at: usize,
    pub(in super::super) table: Table,
    pub(in super::super) key: &'a [u8],
    pub(in super::super) change: Change<'a>,
}

/// The fields in front of a record.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Header {
    checksum: u32,
    pub(in super::super) ops_bytes: usize,
    pub(in super::super) far_bytes: usize,
    pub(in super::super) sequence: u64,
    pub(in super::super) durable: u64,
}

impl Header {
    pub(in super::super) fn decode(bytes: &[u8]) -> Parsed<Self> {
        let mut reader = Reader::new(bytes);
        if reader.take(4)? != MAGIC {
            return Err(Malformed::new("a log record's magic expected"));
        }
        Ok(Self {
            checksum: reader.u32()?,
            ops_bytes: reader.u32()? as usize,
            far_bytes: reader.u32()? as usize,
            sequence: reader.u64()?,
            durable: reader.u64()?,
        })
    }

    /// Bytes of the whole record.
    pub(in super::super) fn record_bytes(&self) -> usize {
        HEADER + self.ops_bytes + self.far_bytes
    }

    /// Checks the whole record: checksum, and that every operation decodes.
    pub(in super::super) fn check(&self, record: &[u8], key_bytes_max: usize) -> Parsed<()> {
        let checksum = crc32fast::hash(&record[8..]);
        if checksum != self.checksum {
            return Err(Malformed::unequal("checksum", self.checksum, checksum));
        }
        let end = HEADER + self.ops_bytes;
        let mut at = HEADER;
        while at < end {
            let Some((op, next)) = op_at(&record[..end], at) else {
                return Err(Malformed::new(format!(
                    "operation at byte {at} is malformed"
                )));
            };
            if op.key.len() > key_bytes_max {
                return Err(Malformed::unequal(
                    "bytes of a key",
                    key_bytes_max,
                    op.key.len(),
                ));
            }
            if let Change::PutFar(far) = op.change {
                let upto = u64::from(far.offset) + u64::from(far.bytes);
                if upto > self.far_bytes as u64 {
                    return Err(Malformed::unequal("far bytes", self.far_bytes, upto));
                }
            }
            at = next;
        }
        Ok(())
    }
}

/// Encodes a batch; an error if it does not fit the format's 4 GiB.
pub(in super::super) fn encode(
    batch: &Batch,
    sequence: u64,
    durable: u64,
) -> Result<Encoded, StoreError> {
    let bytes_max = batch.logical_bytes() + 32 * batch.len() as u64 + HEADER as u64;
    if bytes_max > u64::from(u32::MAX) {
        return Err(StoreError::Io {
            operation: "commit",
            path: "log".into(),
            message: format!("a batch of at most 4 GiB expected, got {bytes_max} bytes"),
        });
    }
    let mut bytes = Vec::with_capacity(bytes_max as usize);
    bytes.resize(HEADER, 0);
    let mut far_bytes = 0;
    for op in batch.ops() {
        encode_op(op, &mut far_bytes, &mut bytes);
    }
    let far_at = bytes.len();
    for value in batch.ops().iter().filter_map(far_value) {
        bytes.extend_from_slice(value);
    }
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&((far_at - HEADER) as u32).to_le_bytes());
    bytes[12..16].copy_from_slice(&far_bytes.to_le_bytes());
    bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
    bytes[24..32].copy_from_slice(&durable.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[8..]);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(Encoded { bytes, far_at })
}

fn far_value(op: &Op) -> Option<&[u8]> {
    match &op.action {
        Action::Put(value) if value.len() >= FAR_BYTES_MIN => Some(value),
        Action::Put(_) | Action::Delete | Action::DeleteTo(_) => None,
    }
}

fn encode_op(op: &Op, far_bytes: &mut u32, out: &mut Vec<u8>) {
    let mut far = [0; 12];
    let (kind, payload): (u8, &[u8]) = match (&op.action, far_value(op)) {
        (_, Some(value)) => {
            far[..4].copy_from_slice(&far_bytes.to_le_bytes());
            far[4..8].copy_from_slice(&(value.len() as u32).to_le_bytes());
            far[8..].copy_from_slice(&crc32fast::hash(value).to_le_bytes());
            *far_bytes += value.len() as u32;
            (3, &far)
        }
        (Action::Put(value), None) => (0, value),
        (Action::Delete, None) => (1, &[]),
        (Action::DeleteTo(to), None) => (2, to),
    };
    out.push(op.table as u8 | kind << 4);
    put_varint(out, op.key.len() as u32);
    put_varint(out, payload.len() as u32);
    out.extend_from_slice(&op.key);
    out.extend_from_slice(payload);
}

/// Key and payload of the operation at `at`, and where the next one begins.
#[inline]
fn parts_at(record: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let mut from = at.checked_add(1)?;
    let key_len = varint(record, &mut from)? as usize;
    let payload_len = varint(record, &mut from)? as usize;
    let key = record.get(from..from.checked_add(key_len)?)?;
    from += key_len;
    let payload = record.get(from..from.checked_add(payload_len)?)?;
    Some((key, payload, from + payload_len))
}

/// The key of the operation at `at`.
#[inline]
pub(in super::super) fn key_at(record: &[u8], at: usize) -> Option<&[u8]> {
    parts_at(record, at).map(|(key, _, _)| key)
}

/// The operation at `at`, and where the next one begins.
#[inline]
pub(in super::super) fn op_at(record: &[u8], at: usize) -> Option<(OpView<'_>, usize)> {
    let head = *record.get(at)?;
    let table = *Table::ALL.get(usize::from(head & 0xf))?;
    let (key, payload, next) = parts_at(record, at)?;
    let change = match head >> 4 {
        0 => Change::Put(payload),
        1 if payload.is_empty() => Change::Delete,
        2 => Change::DeleteTo(payload),
        3 => {
            let ([offset, bytes, checksum], []) = payload.as_chunks::<4>() else {
                return None;
            };
            Change::PutFar(Far {
                offset: u32::from_le_bytes(*offset),
                bytes: u32::from_le_bytes(*bytes),
                checksum: u32::from_le_bytes(*checksum),
            })
        }
        _ => return None,
    };
    let op = OpView {
        at,
        table,
        key,
        change,
    };
    Some((op, next))
}

/// The operations of a record that was checked, from its bytes up to the far values.
pub(in super::super) fn ops(record: &[u8]) -> impl Iterator<Item = OpView<'_>> {
    let mut at = HEADER;
    core::iter::from_fn(move || {
        let (op, next) = op_at(record, at)?;
        at = next;
        Some(op)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let mut batch = Batch::default();
        batch.put(Table::Accounts, *b"key", *b"value");
        batch.put(Table::Undo, *b"block", vec![7; 5000]);
        batch.delete(Table::Storage, *b"gone");
        batch.delete_range(Table::Journal, *b"a", *b"b");
        batch
    }

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let Encoded { bytes, far_at } = encode(&batch(), 9, 8).expect("it is small");
        let header = Header::decode(&bytes).expect("a header");
        header.check(&bytes, 16).expect("whole");
        assert_eq!((header.sequence, header.durable), (9, 8));
        assert_eq!(header.record_bytes(), bytes.len());
        let found: Vec<_> = ops(&bytes[..far_at]).collect();
        assert_eq!(found.len(), 4);
        assert!(matches!(found[0].change, Change::Put(b"value")));
        assert!(matches!(found[1].change, Change::PutFar(far) if far.bytes == 5000));
        assert!(matches!(found[2].change, Change::Delete));
        assert!(matches!(found[3].change, Change::DeleteTo(b"b")));
    }

    #[test]
    fn no_flipped_bit_passes() {
        let Encoded { bytes, .. } = encode(&batch(), 9, 8).expect("it is small");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let checked = Header::decode(&damaged).and_then(|header| {
                if header.record_bytes() != damaged.len() {
                    return Err(Malformed::new("length"));
                }
                header.check(&damaged, 16)
            });
            assert!(checked.is_err(), "bit {bit}");
        }
    }
}
