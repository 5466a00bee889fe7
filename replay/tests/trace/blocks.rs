//! Blocks for the tests of trace files.

use alloy_primitives::{Address, B256, U256};
use std::path::{Path, PathBuf};
use thinstate_formats::trace::{
    AccountAccess, BlockAccessIndex, BlockTrace, CodeRead, CodeWrite, ObjectClass, PreimageOrder,
    SlotAccess, SlotPreimage, TraceHeader, TxAccesses,
};
use thinstate_formats::{Account, BlockNumber};
use thinstate_replay::trace::TraceWriter;

/// The chain of every file here.
pub(crate) const HEADER: TraceHeader = TraceHeader::new(1);

/// A block with one access of each kind that `TraceInfo` counts, its values made from the number.
pub(crate) fn block(number: u64) -> BlockTrace {
    let account = |nonce| Account {
        nonce,
        balance: U256::from(number),
        ..Account::default()
    };
    let at = Address::with_last_byte;
    let (one, two) = (U256::from(number + 1), U256::from(number + 2));
    let slot = |key: u8, before, after| SlotAccess::write(at(9), U256::from(key), before, after);
    let balance = SlotAccess {
        class: ObjectClass::Erc20Balance,
        preimages: vec![SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key: B256::with_last_byte(9),
            base: U256::from(3),
        }],
        ..slot(2, U256::ZERO, one)
    };
    let transaction = TxAccesses {
        accounts: vec![
            AccountAccess::read(at(1), None),
            AccountAccess::read(at(2), Some(account(1))),
            AccountAccess::write(at(3), None, Some(account(1)), false),
            AccountAccess::write(at(4), Some(account(1)), Some(account(2)), true),
            AccountAccess::write(at(5), Some(account(1)), None, true),
        ],
        slots: vec![
            slot(0, U256::ZERO, U256::ZERO),
            slot(1, one, one),
            balance,
            slot(3, one, two),
            slot(4, two, U256::ZERO),
        ],
        code_reads: vec![CodeRead {
            hash: B256::repeat_byte(7),
            length: 100,
        }],
        code_writes: vec![CodeWrite {
            hash: B256::repeat_byte(8),
            length: 20,
        }],
        ..TxAccesses::new(BlockAccessIndex::from_tx_index(0))
    };
    BlockTrace {
        number: BlockNumber(number),
        timestamp: number * 12,
        gas_used: 21_000,
        gas_limit: 30_000_000,
        tx_count: 2,
        hash: B256::with_last_byte(1),
        parent_hash: B256::with_last_byte(2),
        state_root: number.is_multiple_of(2).then_some(B256::ZERO),
        accesses: vec![transaction],
    }
}

/// A block without accesses: the smallest one.
pub(crate) fn empty_block(number: u64) -> BlockTrace {
    BlockTrace {
        accesses: Vec::new(),
        ..block(number)
    }
}

/// A finished trace of `blocks` in `directory`.
pub(crate) fn write(directory: &Path, blocks: &[BlockTrace]) -> PathBuf {
    let path = directory.join("blocks.trace");
    let mut writer = TraceWriter::create(&path, HEADER).expect("an empty directory");
    for block in blocks {
        writer.push(block).expect("ascending blocks");
    }
    writer.finish().expect("a disk with room")
}
