//! Where things are in an era1 file: the scan that opening does.
//!
//! Walks the record headers once, decompressing nothing, and checks the grammar of the file and
//! its index. Only offsets are kept (8 bytes per block); reading a block later parses its four
//! records again through the same [`BlockRecords::read`], so a tuple has one definition.

use alloy_primitives::B256;

use super::{
    BLOCKS_MAX, RecordKind, block_index,
    e2store::{Record, Records},
    error::{Era1Fault, Located},
};

/// The places of a well-formed file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Number of the first block.
    pub(super) start_block: u64,
    /// Where each block's header record starts; never empty.
    pub(super) block_offsets: Vec<u64>,
    /// Records of foreign types between the blocks and the accumulator.
    pub(super) foreign_records: u64,
    pub(super) accumulator: B256,
    pub(super) accumulator_offset: u64,
    pub(super) index_offset: u64,
}

impl Layout {
    /// Scans the whole file.
    pub(super) fn scan(file: &[u8]) -> Result<Self, Located> {
        let mut records = Records::from_offset(file, 0);
        records.next_of(RecordKind::VERSION)?.payload_exact::<0>()?;
        let block_offsets = scan_blocks(&mut records)?;
        let foreign_records = skip_foreign(&mut records)?;
        let accumulator = records.next_of(RecordKind::ACCUMULATOR)?;
        let index = records.next_of(RecordKind::BLOCK_INDEX)?;
        if records.bytes_left() != 0 {
            let fault = Era1Fault::TrailingBytes {
                got: records.bytes_left(),
            };
            return Err(fault.at(records.offset()));
        }
        Ok(Self {
            start_block: block_index::check(&index, &block_offsets)?,
            block_offsets,
            foreign_records,
            accumulator: accumulator.payload_exact::<32>()?.into(),
            accumulator_offset: accumulator.offset,
            index_offset: index.offset,
        })
    }

    /// Number of the last block. Does not overflow: [`block_index::check`] has seen to it.
    pub(super) const fn last_block(&self) -> u64 {
        self.start_block + (self.block_offsets.len() as u64 - 1)
    }

    /// Where the header record of block `number` starts.
    pub(super) fn offset_of(&self, number: u64) -> Result<u64, Located> {
        let place = number
            .checked_sub(self.start_block)
            .and_then(|at| usize::try_from(at).ok());
        place
            .and_then(|at| self.block_offsets.get(at).copied())
            .ok_or_else(|| {
                let (first, last) = (self.start_block, self.last_block());
                Era1Fault::BlockOutside {
                    number,
                    first,
                    last,
                }
                .at(self.index_offset)
            })
    }
}

/// Reads block tuples as long as header records follow; there must be one.
fn scan_blocks(records: &mut Records<'_>) -> Result<Vec<u64>, Located> {
    let mut offsets = vec![BlockRecords::read(records)?.header.offset];
    while records.next_is(RecordKind::COMPRESSED_HEADER) {
        if offsets.len() as u64 == BLOCKS_MAX {
            return Err(Era1Fault::TooManyBlocks { max: BLOCKS_MAX }.at(records.offset()));
        }
        offsets.push(BlockRecords::read(records)?.header.offset);
    }
    Ok(offsets)
}

/// Skips records of types that era1 does not know, which it allows before the accumulator.
fn skip_foreign(records: &mut Records<'_>) -> Result<u64, Located> {
    let mut skipped = 0;
    while !records.next_is(RecordKind::ACCUMULATOR) {
        let expected = "CompressedHeader or Accumulator";
        let record = records.next_record(expected)?;
        if record.kind.name().is_some() {
            return Err(record.unexpected(expected));
        }
        skipped += 1;
    }
    Ok(skipped)
}

/// The four records of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockRecords<'a> {
    pub(super) header: Record<'a>,
    pub(super) body: Record<'a>,
    pub(super) receipts: Record<'a>,
    pub(super) total_difficulty: Record<'a>,
}

impl<'a> BlockRecords<'a> {
    /// Reads the next four records.
    pub(super) fn read(records: &mut Records<'a>) -> Result<Self, Located> {
        let tuple = Self {
            header: records.next_of(RecordKind::COMPRESSED_HEADER)?,
            body: records.next_of(RecordKind::COMPRESSED_BODY)?,
            receipts: records.next_of(RecordKind::COMPRESSED_RECEIPTS)?,
            total_difficulty: records.next_of(RecordKind::TOTAL_DIFFICULTY)?,
        };
        tuple.total_difficulty.payload_exact::<32>()?;
        Ok(tuple)
    }
}
