//! What a verified era1 file holds.

use alloy_primitives::B256;

use super::{ChainTip, Era1, Era1Block, Era1Error};

/// Result of [`Era1::verify`].
///
/// File `b` continues file `a` exactly if `a.tip == b.parent` and
/// `a.start_block + a.blocks == b.start_block`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Era1Summary {
    /// Number of the first block.
    pub start_block: u64,
    /// Blocks in the file.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Ommers in them.
    pub ommers: u64,
    /// Records of foreign types, whose contents nothing in the file vouches for.
    pub foreign_records: u64,
    /// The chain in front of the first block.
    pub parent: ChainTip,
    /// The chain up to the last block.
    pub tip: ChainTip,
    /// Root over all block hashes and total difficulties, computed and compared.
    pub accumulator: B256,
}

impl Era1Summary {
    /// Reads, and thereby checks, every block of the file.
    pub(super) fn of(file: &Era1) -> Result<Self, Era1Error> {
        let mut summary = Self {
            start_block: file.start_block(),
            blocks: 0,
            transactions: 0,
            ommers: 0,
            foreign_records: file.layout.foreign_records,
            parent: ChainTip::default(),
            tip: ChainTip::default(),
            accumulator: file.accumulator(),
        };
        for block in file.blocks() {
            summary.add(&block?);
        }
        Ok(summary)
    }

    fn add(&mut self, block: &Era1Block) {
        if self.blocks == 0 {
            self.parent = parent_of(block);
        }
        self.blocks += 1;
        self.transactions += block.body.transactions.len() as u64;
        self.ommers += block.body.ommers.len() as u64;
        self.tip = ChainTip::from(block);
    }
}

/// The tip that a block continues. The subtraction cannot wrap: a block whose total difficulty is
/// below its difficulty is not handed out.
fn parent_of(block: &Era1Block) -> ChainTip {
    ChainTip {
        hash: block.header.parent_hash,
        total_difficulty: block
            .total_difficulty
            .saturating_sub(block.header.difficulty),
    }
}
