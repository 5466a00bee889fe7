//! From an extract to traces.

use super::{
    Extract, ExtractError,
    extract::{ExtractBlock, ExtractGroup, Fields},
};
use crate::source::{
    access_list::companion_block,
    figures::BlockFigures,
    known::{AccountHint, KnownState},
};
use alloy_primitives::{Address, U256};
use std::{collections::BTreeSet, path::Path};
use thinstate_formats::{
    Account, BlockNumber,
    trace::{AccountAccess, BlockAccessIndex, BlockTrace, SlotAccess, TxAccesses},
};

impl Extract {
    /// The trace of a block, which comes after those that `known` has seen. Its figures are taken from its
    /// file in `block_folder`, where there is one.
    pub fn trace(
        &self,
        number: BlockNumber,
        block_folder: Option<&Path>,
        known: &mut KnownState<'_>,
    ) -> Result<BlockTrace, ExtractError> {
        let empty = ExtractBlock::new();
        let block = self.blocks.get(&number).unwrap_or(&empty);
        let mut trace = figures(number, block, block_folder)?.trace();
        let contracts: BTreeSet<Address> = block
            .values()
            .flat_map(|group| group.slots.keys().map(|(address, _)| *address))
            .collect();
        for (index, group) in block {
            let accesses = accesses(*index, group, &contracts, known)?;
            trace.accesses.push(accesses);
        }
        trace.sort();
        Ok(trace)
    }
}

fn figures(
    number: BlockNumber,
    block: &ExtractBlock,
    folder: Option<&Path>,
) -> Result<BlockFigures, ExtractError> {
    let file = folder.and_then(|folder| companion_block(&folder.join("-"), number, Some(folder)));
    if let Some(path) = file {
        return BlockFigures::read(&path).map_err(|fault| ExtractError::Block {
            number,
            source: Box::new(fault),
        });
    }
    let last = block.last_key_value().map_or(0, |(index, _)| index.get());
    let tx_count = u32::try_from(last).unwrap_or(u32::MAX);
    Ok(BlockFigures::without_header(number, tx_count))
}

fn accesses(
    index: BlockAccessIndex,
    group: &ExtractGroup,
    contracts: &BTreeSet<Address>,
    known: &mut KnownState<'_>,
) -> Result<TxAccesses, ExtractError> {
    let mut accesses = TxAccesses::new(index);
    for ((address, slot), value) in &group.slots {
        let left = value.left.unwrap_or(value.found);
        let access = SlotAccess::write(*address, *slot, value.found, left);
        accesses.slots.push(access);
    }
    let of_slots = group.slots.keys().map(|(address, _)| *address);
    let addresses: BTreeSet<Address> = group.accounts.keys().copied().chain(of_slots).collect();
    for address in addresses {
        let fields = group.accounts.get(&address).copied().unwrap_or_default();
        let hint = AccountHint {
            balance: fields.balance.map(|(_, to)| to),
            nonce: fields.nonce.map(|(_, to)| to),
            sets_code: false,
            is_contract: contracts.contains(&address),
        };
        let (before, after) = fields.around(known.account(address, &hint)?);
        known.set_account(address, after);
        let access = AccountAccess::write(address, before, after, false);
        accesses.accounts.push(access);
    }
    Ok(accesses)
}

impl Fields {
    /// The account before and after: what the rows say, and of what they do not say, what is known.
    fn around(self, known: Option<Account>) -> (Option<Account>, Option<Account>) {
        let with = |balance: Option<U256>, nonce: Option<u64>| {
            let known = known.unwrap_or_default();
            let account = Account {
                balance: balance.unwrap_or(known.balance),
                nonce: nonce.unwrap_or(known.nonce),
                ..known
            };
            (!account.is_empty()).then_some(account)
        };
        (
            with(self.balance.map(|it| it.0), self.nonce.map(|it| it.0)),
            with(self.balance.map(|it| it.1), self.nonce.map(|it| it.1)),
        )
    }
}
