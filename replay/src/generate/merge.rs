//! The net accesses of blocks that follow one another.

use crate::load::{AccountLoad, BlockLoad, SlotLoad};
use thinstate_formats::BlockNumber;

/// Accesses after which what has come together is merged, so that memory is that of the result, not of all
/// blocks.
const PENDING_MAX: usize = 1 << 18;

/// Blocks that become one.
#[derive(Debug)]
pub(super) struct Merge {
    load: BlockLoad,
    merged: usize,
}

impl Merge {
    /// Nothing yet.
    pub(super) fn new(number: BlockNumber) -> Self {
        let load = BlockLoad {
            number,
            ..BlockLoad::default()
        };
        Self { load, merged: 0 }
    }

    /// Adds the block that follows.
    pub(super) fn push(&mut self, block: BlockLoad) {
        let load = &mut self.load;
        load.blocks += block.blocks;
        load.gas_used += block.gas_used;
        load.tx_count += block.tx_count;
        load.keys_lacking += block.keys_lacking;
        load.accounts.extend(block.accounts);
        load.slots.extend(block.slots);
        load.code_reads.extend(block.code_reads);
        load.code_writes.extend(block.code_writes);
        if load.slots.len() + load.accounts.len() > self.merged * 2 + PENDING_MAX {
            self.merge();
        }
    }

    /// The block that they are.
    pub(super) fn finish(mut self) -> BlockLoad {
        self.merge();
        self.load
    }

    /// Of several accesses of a key the first says what was found, the last what is left: sorting is stable.
    fn merge(&mut self) {
        let load = &mut self.load;
        load.accounts.sort_by_key(|it| it.address);
        load.accounts.dedup_by(|next: &mut AccountLoad, first| {
            let same = next.address == first.address;
            if same {
                first.after = next.after;
                first.storage_wiped |= next.storage_wiped;
            }
            same
        });
        load.slots.sort_by_key(SlotLoad::key);
        load.slots.dedup_by(|next: &mut SlotLoad, first| {
            let same = next.key() == first.key();
            if same {
                first.after = next.after;
            }
            same
        });
        load.code_reads.sort_by_key(|it| it.hash);
        load.code_reads.dedup_by_key(|it| it.hash);
        load.code_writes.sort_by_key(|it| it.hash);
        load.code_writes.dedup_by_key(|it| it.hash);
        self.merged = load.slots.len() + load.accounts.len();
    }
}
