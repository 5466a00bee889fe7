//! The index at the end of an era1 file.
//!
//! ```text
//! payload = | first block number u64 | offset i64, one per block | count u64 |    little-endian
//! ```
//!
//! Offsets are relative to the start of the index *record* (its header), hence negative. The count
//! comes last, so that the index can be found from the end of the file without a scan; here the
//! scan comes first and every entry is compared with what it found.

use super::{
    e2store::Record,
    error::{Era1Fault, Located},
};

const WORD_BYTES: usize = 8;

/// Checks the index against the header records found and returns the first block's number.
pub(super) fn check(index: &Record<'_>, block_offsets: &[u64]) -> Result<u64, Located> {
    let (words, rest) = index.payload.as_chunks::<WORD_BYTES>();
    let ([start, offsets @ .., count], true) = (words, rest.is_empty()) else {
        return Err(wrong_length(index, block_offsets));
    };
    check_count(index, u64::from_le_bytes(*count), block_offsets)?;
    if offsets.len() != block_offsets.len() {
        return Err(wrong_length(index, block_offsets));
    }
    let start = check_start(index, u64::from_le_bytes(*start), block_offsets)?;
    for (place, (entry, found)) in offsets.iter().zip(block_offsets).enumerate() {
        // Both offsets lie in one file in memory: the difference fits an i64.
        let expected = found.wrapping_sub(index.offset).cast_signed();
        let got = i64::from_le_bytes(*entry);
        if got != expected {
            let number = start + place as u64;
            let offset = index.payload_offset() + ((place + 1) * WORD_BYTES) as u64;
            return Err(Era1Fault::IndexOffset {
                number,
                expected,
                got,
            }
            .at(offset));
        }
    }
    Ok(start)
}

fn check_count(index: &Record<'_>, got: u64, block_offsets: &[u64]) -> Result<(), Located> {
    let expected = block_offsets.len() as u64;
    if got == expected {
        return Ok(());
    }
    let offset = index.payload_offset() + (index.payload.len() - WORD_BYTES) as u64;
    Err(Era1Fault::IndexCount { expected, got }.at(offset))
}

/// The number after the last block's must be representable.
fn check_start(index: &Record<'_>, got: u64, block_offsets: &[u64]) -> Result<u64, Located> {
    let count = block_offsets.len() as u64;
    if got.checked_add(count).is_some() {
        return Ok(got);
    }
    Err(Era1Fault::IndexStart { got, count }.at(index.payload_offset()))
}

const fn wrong_length(index: &Record<'_>, block_offsets: &[u64]) -> Located {
    index.wrong_length((block_offsets.len() + 2) * WORD_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::era1::RecordKind;

    /// An index record at offset 1,000 over blocks at 8 and 300.
    fn fault(words: &[i64], tail: &[u8]) -> Result<u64, Located> {
        let mut payload: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        payload.extend(tail);
        let record = Record {
            offset: 1_000,
            kind: RecordKind::BLOCK_INDEX,
            payload: &payload,
        };
        check(&record, &[8, 300])
    }

    #[test]
    fn a_sound_index_is_not_refused() {
        assert_eq!(fault(&[50, -992, -700, 2], &[]), Ok(50));
    }

    #[test]
    fn a_wrong_index_is_not_accepted_nor_blamed_on_another_byte() {
        let length = |got| {
            Era1Fault::RecordLength {
                kind: RecordKind::BLOCK_INDEX,
                expected: 32,
                got,
            }
            .at(1_000)
        };
        let entry = |number, expected, got| Era1Fault::IndexOffset {
            number,
            expected,
            got,
        };
        let table: [(&[i64], &[u8], Located); 9] = [
            (&[], &[], length(0)),
            (&[50], &[], length(8)),
            (&[50, -992, -700, 2], &[0], length(33)),
            (&[50, -992, 2], &[], length(24)),
            (&[50, -992, -700, -1, 2], &[], length(40)),
            (
                &[50, -992, -700, 3],
                &[],
                Era1Fault::IndexCount {
                    expected: 2,
                    got: 3,
                }
                .at(1_032),
            ),
            (&[50, 8, -700, 2], &[], entry(50, -992, 8).at(1_016)),
            (&[50, -992, -992, 2], &[], entry(51, -700, -992).at(1_024)),
            (
                &[-1, -992, -700, 2],
                &[],
                Era1Fault::IndexStart {
                    got: u64::MAX,
                    count: 2,
                }
                .at(1_008),
            ),
        ];
        for (words, tail, expected) in table {
            assert_eq!(fault(words, tail), Err(expected), "{words:?}");
        }
    }
}
