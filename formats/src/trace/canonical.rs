//! The rules under which one sequence of accesses has one record.

use super::{
    AccountAccess, AccountAccessKind, BlockAccessIndex, BlockTrace, SlotAccess, SlotAccessKind,
    TxAccesses,
};
use alloy_primitives::{Address, B256, U256};

/// A rule of the record that a block breaks. The recorder of the accesses is wrong, or a file was
/// written by something else; `BlockTrace::sort` cures the orders.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceFault {
    /// Indexes do not ascend.
    #[error("access index: expected one above {previous}, got {got}")]
    IndexOrder {
        /// The group before.
        previous: BlockAccessIndex,
        /// The group in question.
        got: BlockAccessIndex,
    },
    /// An index past the end of the block.
    #[error("access index: expected at most {last}, got {got}")]
    IndexRange {
        /// The highest index of the block.
        last: BlockAccessIndex,
        /// The group's.
        got: BlockAccessIndex,
    },
    /// A group without accesses, which should not be there.
    #[error("access index {index}: expected accesses, got none")]
    EmptyGroup {
        /// The group.
        index: BlockAccessIndex,
    },
    /// Accounts do not ascend, or one is there twice.
    #[error("access index {index}: expected an account above {previous}, got {got}")]
    AccountOrder {
        /// The group.
        index: BlockAccessIndex,
        /// The account before.
        previous: Address,
        /// The account in question.
        got: Address,
    },
    /// Slots do not ascend, or one is there twice.
    #[error("access index {index}: expected ascending slots, got {slot} of {address} out of order")]
    SlotOrder {
        /// The group.
        index: BlockAccessIndex,
        /// The contract.
        address: Address,
        /// The slot that is not above the one before it.
        slot: U256,
    },
    /// Code hashes do not ascend, or one is there twice.
    #[error("access index {index}: expected a code hash above {previous}, got {got}")]
    CodeOrder {
        /// The group.
        index: BlockAccessIndex,
        /// The hash before.
        previous: B256,
        /// The hash in question.
        got: B256,
    },
    /// A write of an account that leaves it as it was. It is a read.
    #[error("access index {index}, account {address}: expected a change, got the same account")]
    AccountUnchanged {
        /// The group.
        index: BlockAccessIndex,
        /// The account.
        address: Address,
    },
    /// A write of a slot that leaves it as it was. It is a read.
    #[error("access index {index}, slot {slot} of {address}: expected a change, got {value} twice")]
    SlotUnchanged {
        /// The group.
        index: BlockAccessIndex,
        /// The contract.
        address: Address,
        /// The slot.
        slot: U256,
        /// The value before and after.
        value: U256,
    },
}

impl BlockTrace {
    /// Whether the block keeps the rules of the record.
    pub fn check(&self) -> Result<(), TraceFault> {
        let last = self.last_index();
        ascending(self.accesses.iter().map(|group| group.index))
            .map_err(|(previous, got)| TraceFault::IndexOrder { previous, got })?;
        for group in &self.accesses {
            let got = group.index;
            if got > last {
                return Err(TraceFault::IndexRange { last, got });
            }
            group.check()?;
        }
        Ok(())
    }
}

impl TxAccesses {
    fn check(&self) -> Result<(), TraceFault> {
        let index = self.index;
        if self.is_empty() {
            return Err(TraceFault::EmptyGroup { index });
        }
        self.check_order()?;
        self.accounts
            .iter()
            .try_for_each(|account| account.check(index))?;
        self.slots.iter().try_for_each(|slot| slot.check(index))
    }

    fn check_order(&self) -> Result<(), TraceFault> {
        let index = self.index;
        ascending(self.accounts.iter().map(|access| access.address)).map_err(
            |(previous, got)| TraceFault::AccountOrder {
                index,
                previous,
                got,
            },
        )?;
        ascending(self.slots.iter().map(SlotAccess::key)).map_err(|(_, (address, slot))| {
            TraceFault::SlotOrder {
                index,
                address,
                slot,
            }
        })?;
        let code_order = |(previous, got)| TraceFault::CodeOrder {
            index,
            previous,
            got,
        };
        ascending(self.code_reads.iter().map(|code| code.hash)).map_err(code_order)?;
        ascending(self.code_writes.iter().map(|code| code.hash)).map_err(code_order)
    }
}

impl AccountAccess {
    fn check(&self, index: BlockAccessIndex) -> Result<(), TraceFault> {
        match self.kind {
            AccountAccessKind::Write {
                before,
                after,
                storage_wiped: false,
            } if before == after => Err(TraceFault::AccountUnchanged {
                index,
                address: self.address,
            }),
            _ => Ok(()),
        }
    }
}

impl SlotAccess {
    fn check(&self, index: BlockAccessIndex) -> Result<(), TraceFault> {
        match self.kind {
            SlotAccessKind::Write { before, after } if before == after => {
                Err(TraceFault::SlotUnchanged {
                    index,
                    address: self.address,
                    slot: self.slot,
                    value: before,
                })
            }
            _ => Ok(()),
        }
    }
}

/// Whether each key is above the one before it; if not, the first two that are not.
fn ascending<K: Ord + Copy>(keys: impl Iterator<Item = K>) -> Result<(), (K, K)> {
    let mut previous = None;
    for key in keys {
        match previous.replace(key) {
            Some(previous) if previous >= key => return Err((previous, key)),
            _ => {}
        }
    }
    Ok(())
}
