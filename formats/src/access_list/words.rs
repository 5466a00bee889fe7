//! Lists whose slots and values are 32 bytes, as EIP-8159 writes them and as early lists were made.

use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, BlockAccessList, CodeChange, NonceChange,
    SlotChanges, StorageChange,
};
use alloy_primitives::{Address, B256};
use alloy_rlp::{Decodable as _, RlpDecodable, RlpEncodable};

#[derive(RlpEncodable, RlpDecodable)]
struct Account {
    address: Address,
    storage_changes: Vec<Slot>,
    storage_reads: Vec<B256>,
    balance_changes: Vec<BalanceChange>,
    nonce_changes: Vec<NonceChange>,
    code_changes: Vec<CodeChange>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Slot {
    slot: B256,
    changes: Vec<Change>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Change {
    index: BlockAccessIndex,
    value: B256,
}

/// The list at the beginning of `buf`, which is advanced behind it.
pub(super) fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<BlockAccessList> {
    let accounts = Vec::<Account>::decode(buf)?;
    Ok(accounts.into_iter().map(AccountChanges::from).collect())
}

/// The list's bytes.
pub(super) fn encode(list: &BlockAccessList) -> Vec<u8> {
    let accounts: Vec<Account> = list.iter().map(Account::from).collect();
    alloy_rlp::encode(accounts)
}

impl From<Account> for AccountChanges {
    fn from(account: Account) -> Self {
        let change = |change: Change| StorageChange::new(change.index, change.value.into());
        let slot = |slot: Slot| {
            let changes = slot.changes.into_iter().map(change).collect();
            SlotChanges::new(slot.slot.into(), changes)
        };
        Self {
            address: account.address,
            storage_changes: account.storage_changes.into_iter().map(slot).collect(),
            storage_reads: account.storage_reads.into_iter().map(Into::into).collect(),
            balance_changes: account.balance_changes,
            nonce_changes: account.nonce_changes,
            code_changes: account.code_changes,
        }
    }
}

impl From<&AccountChanges> for Account {
    fn from(account: &AccountChanges) -> Self {
        let change = |change: &StorageChange| Change {
            index: change.block_access_index,
            value: change.new_value.into(),
        };
        let slot = |slot: &SlotChanges| Slot {
            slot: slot.slot.into(),
            changes: slot.changes.iter().map(change).collect(),
        };
        Self {
            address: account.address,
            storage_changes: account.storage_changes.iter().map(slot).collect(),
            storage_reads: account
                .storage_reads
                .iter()
                .map(|it| (*it).into())
                .collect(),
            balance_changes: account.balance_changes.clone(),
            nonce_changes: account.nonce_changes.clone(),
            code_changes: account.code_changes.clone(),
        }
    }
}
