//! One block of a trace, and what one index of it touched.

use super::wire::{Hash, Number, Seq};
use super::{AccountAccess, BlockAccessIndex, CodeRead, CodeWrite, SlotAccess};
use crate::BlockNumber;
use alloy_primitives::B256;
use wincode::{SchemaRead, SchemaWrite};

/// The accesses of one block, with the block's own figures.
#[derive(Clone, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct BlockTrace {
    /// The block's number.
    #[wincode(with = "Number<BlockNumber>")]
    pub number: BlockNumber,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Gas that the block used.
    pub gas_used: u64,
    /// Gas that it could have used.
    pub gas_limit: u64,
    /// Number of transactions, whether they are in `accesses` or touched nothing.
    pub tx_count: u32,
    /// The block's hash.
    #[wincode(with = "Hash")]
    pub hash: B256,
    /// The parent's hash.
    #[wincode(with = "Hash")]
    pub parent_hash: B256,
    /// The root of the state after the block, where it is known.
    #[wincode(with = "Option<Hash>")]
    pub state_root: Option<B256>,
    /// What was touched, by ascending index. Indexes that touched nothing are left out.
    #[wincode(with = "Seq<TxAccesses>")]
    pub accesses: Vec<TxAccesses>,
}

impl BlockTrace {
    /// The index after the last transaction, and the highest that the block may use.
    pub const fn last_index(&self) -> BlockAccessIndex {
        BlockAccessIndex::new(self.tx_count as u64 + 1)
    }

    /// Brings groups and accesses into the record's order and drops empty groups.
    ///
    /// Two accesses of one key at one index stay beside each other, for [`Self::check`] to refuse:
    /// which of them holds is the caller's knowledge.
    pub fn sort(&mut self) {
        self.accesses.retain(|group| !group.is_empty());
        self.accesses.sort_by_key(|group| group.index);
        self.accesses.iter_mut().for_each(TxAccesses::sort);
    }
}

/// What one index of a block touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct TxAccesses {
    /// Where in the block: 0 before the first transaction, `1..=n` the transactions, `n + 1` after
    /// the last.
    #[wincode(with = "Number<BlockAccessIndex>")]
    pub index: BlockAccessIndex,
    /// Accounts, by ascending address.
    #[wincode(with = "Seq<AccountAccess>")]
    pub accounts: Vec<AccountAccess>,
    /// Slots, by ascending address and slot.
    #[wincode(with = "Seq<SlotAccess>")]
    pub slots: Vec<SlotAccess>,
    /// Code that was loaded, by ascending hash.
    #[wincode(with = "Seq<CodeRead>")]
    pub code_reads: Vec<CodeRead>,
    /// Code that was deployed, by ascending hash.
    #[wincode(with = "Seq<CodeWrite>")]
    pub code_writes: Vec<CodeWrite>,
}

impl TxAccesses {
    /// No accesses yet at `index`.
    pub const fn new(index: BlockAccessIndex) -> Self {
        Self {
            index,
            accounts: Vec::new(),
            slots: Vec::new(),
            code_reads: Vec::new(),
            code_writes: Vec::new(),
        }
    }

    /// Whether nothing was touched.
    pub const fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.slots.is_empty()
            && self.code_reads.is_empty()
            && self.code_writes.is_empty()
    }

    fn sort(&mut self) {
        self.accounts.sort_by_key(|access| access.address);
        self.slots.sort_by_key(SlotAccess::key);
        self.code_reads.sort_by_key(|code| code.hash);
        self.code_writes.sort_by_key(|code| code.hash);
    }
}
