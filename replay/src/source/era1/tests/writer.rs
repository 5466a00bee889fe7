//! Writes era1 files, consistent or not: what is given is written, and only lengths, index and
//! accumulator are computed. Compression is `snap`'s own frame writer, or none: stored chunks.

use std::io::Write as _;

use alloy_primitives::{B256, U256};
use alloy_rlp::Encodable;

use crate::source::era1::{Era1Block, RecordKind, accumulator::Accumulator, crc32c};

/// An era1 file in the making.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    pub(super) block_offsets: Vec<u64>,
    pub(super) accumulator: Accumulator,
    /// Whether to store contents in place of compressing them.
    pub(super) stored: bool,
}

/// Framed snappy of these bytes.
pub(super) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.into_inner().unwrap()
}

/// Framed snappy of these bytes as one stored chunk.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let [l0, l1, l2, 0] = u32::try_from(bytes.len() + 4).unwrap().to_le_bytes() else {
        panic!("{} bytes do not fit a chunk", bytes.len())
    };
    let checksum = crc32c::masked(bytes).to_le_bytes();
    [
        b"\xff\x06\0\0sNaPpY".as_slice(),
        &[1, l0, l1, l2],
        &checksum,
        bytes,
    ]
    .concat()
}

impl Writer {
    pub(super) fn new() -> Self {
        let mut writer = Self::default();
        writer.record(RecordKind::VERSION, &[]);
        writer
    }

    pub(super) fn record(&mut self, kind: RecordKind, payload: &[u8]) {
        self.bytes.extend(kind.0.to_le_bytes());
        self.bytes
            .extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes.extend(payload);
    }

    pub(super) fn block(&mut self, block: &Era1Block) {
        self.block_offsets.push(self.bytes.len() as u64);
        self.accumulator.push(block.hash, block.total_difficulty);
        self.content(RecordKind::COMPRESSED_HEADER, &block.header);
        self.content(RecordKind::COMPRESSED_BODY, &block.body);
        self.content(RecordKind::COMPRESSED_RECEIPTS, &block.receipts);
        self.total_difficulty(block.total_difficulty);
    }

    fn content(&mut self, kind: RecordKind, item: &impl Encodable) {
        let rlp = alloy_rlp::encode(item);
        self.record(
            kind,
            &if self.stored {
                stored(&rlp)
            } else {
                compressed(&rlp)
            },
        );
    }

    pub(super) fn total_difficulty(&mut self, total_difficulty: U256) {
        self.record(
            RecordKind::TOTAL_DIFFICULTY,
            &total_difficulty.to_le_bytes::<32>(),
        );
    }

    /// Accumulator and index.
    pub(super) fn finish(self, start: u64) -> Vec<u8> {
        let root = self.accumulator.root();
        self.finish_with(start, root)
    }

    pub(super) fn finish_with(mut self, start: u64, accumulator: B256) -> Vec<u8> {
        self.record(RecordKind::ACCUMULATOR, accumulator.as_slice());
        let base = self.bytes.len() as u64;
        let mut index = start.to_le_bytes().to_vec();
        for offset in &self.block_offsets {
            index.extend(offset.wrapping_sub(base).to_le_bytes());
        }
        index.extend((self.block_offsets.len() as u64).to_le_bytes());
        self.record(RecordKind::BLOCK_INDEX, &index);
        self.bytes
    }
}

/// A file of these blocks.
pub(super) fn file(blocks: &[Era1Block]) -> Vec<u8> {
    write(Writer::new(), blocks)
}

/// A file of these blocks in which nothing is compressed.
pub(super) fn file_stored(blocks: &[Era1Block]) -> Vec<u8> {
    write(
        Writer {
            stored: true,
            ..Writer::new()
        },
        blocks,
    )
}

fn write(mut writer: Writer, blocks: &[Era1Block]) -> Vec<u8> {
    blocks.iter().for_each(|block| writer.block(block));
    writer.finish(blocks[0].header.number)
}
