//! Reading the blocks of an era1 file in order, each checked against the one before.

use alloy_primitives::{B256, U256};

use super::{
    Era1, Era1Block, Era1Error,
    accumulator::Accumulator,
    error::{Era1Fault, Located},
    layout::BlockRecords,
};

/// What a chain of blocks ends in, and what its next block has to continue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainTip {
    /// Hash of the last block; zero before genesis.
    pub hash: B256,
    /// Its total difficulty; zero before genesis.
    pub total_difficulty: U256,
}

impl From<&Era1Block> for ChainTip {
    fn from(block: &Era1Block) -> Self {
        Self {
            hash: block.hash,
            total_difficulty: block.total_difficulty,
        }
    }
}

/// The blocks of a file in order; made by [`Era1::blocks`].
///
/// Each block handed out has passed every check but the accumulator, which takes all of them: if it
/// is wrong, an error follows the last block. After an error the iterator is over.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    file: &'a Era1,
    next: Next,
    /// The block before the next one; `None` in front of a file that does not start at genesis.
    tip: Option<ChainTip>,
    accumulator: Accumulator,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Block(u64),
    Accumulator,
    Nothing,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(file: &'a Era1) -> Self {
        let start = file.start_block();
        Self {
            file,
            next: Next::Block(start),
            tip: (start == 0).then(ChainTip::default),
            accumulator: Accumulator::default(),
        }
    }

    fn read(&mut self, number: u64) -> Result<Era1Block, Located> {
        let records = self.file.records_of(number)?;
        let block = Era1Block::decode(&records, number)?;
        if let Some(tip) = &self.tip {
            check_link(tip, &block, &records)?;
        }
        self.tip = Some(ChainTip::from(&block));
        self.accumulator.push(block.hash, block.total_difficulty);
        Ok(block)
    }

    fn check_accumulator(&self) -> Result<(), Located> {
        let (expected, got) = (self.accumulator.root(), self.file.accumulator());
        if expected == got {
            return Ok(());
        }
        Err(Era1Fault::Accumulator { expected, got }.at(self.file.layout.accumulator_offset))
    }

    fn after(&self, number: u64) -> Next {
        if number == self.file.last_block() {
            Next::Accumulator
        } else {
            Next::Block(number + 1)
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Era1Block, Era1Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Block(number) => {
                let block = self.read(number);
                if block.is_ok() {
                    self.next = self.after(number);
                }
                Some(block)
            }
            Next::Accumulator => self.check_accumulator().err().map(Err),
            Next::Nothing => None,
        };
        item.map(|item| item.map_err(|fault| fault.in_file(self.file.path())))
    }
}

impl std::iter::FusedIterator for Blocks<'_> {}

/// Compares a block with the one before it.
fn check_link(
    tip: &ChainTip,
    block: &Era1Block,
    records: &BlockRecords<'_>,
) -> Result<(), Located> {
    let (number, header) = (block.header.number, &block.header);
    if header.parent_hash != tip.hash {
        let (expected, got) = (tip.hash, header.parent_hash);
        return Err(Era1Fault::ParentHash {
            number,
            expected,
            got,
        }
        .at(records.header.offset));
    }
    let (difficulty, got) = (header.difficulty, block.total_difficulty);
    let fault = match tip.total_difficulty.checked_add(difficulty) {
        Some(expected) if expected == got => return Ok(()),
        Some(expected) => Era1Fault::TotalDifficulty {
            number,
            expected,
            got,
        },
        None => Era1Fault::TotalDifficultyRange {
            number,
            difficulty,
            got,
        },
    };
    Err(fault.at(records.total_difficulty.offset))
}
