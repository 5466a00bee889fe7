//! What a load may not be.

use alloy_primitives::{Address, U256};
use core::fmt;
use thinstate_formats::BlockNumber;

/// A load, or the trace that it is made from, contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadFault {
    /// Keys do not ascend, or stand twice.
    #[error("block {number}: {what}, number {at}: expected a key above the one before")]
    Order {
        /// The block.
        number: BlockNumber,
        /// Of which list.
        what: &'static str,
        /// Position in the list.
        at: usize,
    },
    /// A transaction finds another account than the one before it left. The trace is not of one
    /// execution: make it again.
    #[error("block {number}, index {index}: account {address}: found another state than was left")]
    AccountGap {
        /// The block.
        number: BlockNumber,
        /// Index in the block.
        index: u64,
        /// The account.
        address: Address,
    },
    /// A transaction finds another value than the one before it left.
    #[error("block {number}, index {index}: {slot} (left before)")]
    SlotGap {
        /// The block.
        number: BlockNumber,
        /// Index in the block.
        index: u64,
        /// Which slot, and what it holds.
        slot: Box<SlotFault>,
    },
    /// A block finds another account than the blocks before it left: blocks are missing between the two, or
    /// writes are missing from the trace. Bridge the gap, or take a trace of consecutive blocks.
    #[error("block {number}: account {address}: found another state than the blocks before left")]
    AccountBetween {
        /// The block that finds it.
        number: BlockNumber,
        /// The account.
        address: Address,
    },
    /// The same of a slot.
    #[error("block {number}: {slot} (left by the blocks before)")]
    SlotBetween {
        /// The block that finds it.
        number: BlockNumber,
        /// Which slot, and what it holds.
        slot: Box<SlotFault>,
    },
}

/// A slot that holds something else than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotFault {
    /// The contract.
    pub address: Address,
    /// The slot.
    pub slot: U256,
    /// What was left.
    pub expected: U256,
    /// What is found.
    pub got: U256,
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            slot,
            expected,
            got,
        } = self;
        write!(
            f,
            "slot {slot:#x} of {address}: found {got:#x}, expected {expected:#x}"
        )
    }
}
