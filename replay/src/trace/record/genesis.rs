//! The trace of block 0.

use crate::source::genesis::Genesis;
use alloy_consensus::Header;
use alloy_primitives::B256;
use thinstate_formats::{
    AccountUpdate, BlockNumber,
    trace::{AccountAccess, BlockAccessIndex, BlockTrace, CodeWrite, SlotAccess, TxAccesses},
};

/// Block 0 as the writes of its allocation, at index 0: whoever replays it on an empty state has the
/// genesis state, and can check its root.
pub fn record_genesis(genesis: &Genesis, header: &Header, hash: B256) -> BlockTrace {
    let mut group = TxAccesses::new(BlockAccessIndex::PRE_EXECUTION);
    for (address, change) in &genesis.changes.accounts {
        if let AccountUpdate::Set(account) = change.account {
            let created = AccountAccess::write(*address, None, Some(account), false);
            group.accounts.push(created);
        }
        let slots = change.storage.iter();
        let slots = slots
            .map(|(slot, value)| SlotAccess::write(*address, *slot, Default::default(), *value));
        group.slots.extend(slots);
    }
    let code = genesis.changes.code.iter();
    group.code_writes.extend(code.map(|(hash, code)| CodeWrite {
        hash: *hash,
        length: u32::try_from(code.len()).expect("an allocation's code is shorter than its file"),
    }));
    let mut trace = BlockTrace {
        number: BlockNumber(header.number),
        timestamp: header.timestamp,
        gas_used: header.gas_used,
        gas_limit: header.gas_limit,
        tx_count: 0,
        hash,
        parent_hash: header.parent_hash,
        state_root: Some(header.state_root),
        accesses: vec![group],
    };
    trace.sort();
    trace
}
