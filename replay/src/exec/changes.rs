//! From revm's account transitions to [`StateChanges`].
//!
//! A transition holds an account before the block and after it, and the slots that ended up with
//! another value than they had. What needs care:
//!
//! * An account that existed and does not any more is deleted. That covers `SELFDESTRUCT`, and,
//!   from Spurious Dragon on, empty accounts that were touched (EIP-161). Before it, revm's journal
//!   reports an empty account as created, and it is written as it is.
//! * An account that was destroyed and lives again has lost all slots from before the block. Its
//!   transition holds only slots written since; "value before" in it says nothing. All of them that
//!   are not zero are written, after a wipe.
//! * An account that did not exist before the block has nothing to wipe, whatever happened to it.
//! * Code is new where an account ends the block with another code hash than it had. Code of a
//!   contract that was created and destroyed within the block does not count.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::U256Map};
use revm::{
    database::{TransitionAccount, states::StorageSlot},
    state::AccountInfo,
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};

/// What a block changes, from the transitions of its accounts.
pub(super) fn from_transitions(
    transitions: impl IntoIterator<Item = (Address, TransitionAccount)>,
) -> StateChanges {
    let mut changes = StateChanges::default();
    for (address, transition) in transitions {
        if let Some((code_hash, code)) = new_code(&transition) {
            changes.code.insert(code_hash, code);
        }
        if let Some(change) = account_change(transition) {
            changes.accounts.insert(address, change);
        }
    }
    changes
}

fn account_change(transition: TransitionAccount) -> Option<AccountChange> {
    let existed = transition.previous_info.is_some();
    let destroyed = transition.storage_was_destroyed;
    let Some(info) = transition.info else {
        return existed.then(deletion);
    };
    let update = if transition.previous_info.as_ref() == Some(&info) {
        AccountUpdate::Keep
    } else {
        AccountUpdate::Set(account(&info))
    };
    let storage: U256Map<U256> = transition
        .storage
        .into_iter()
        .filter(|(_, slot)| is_written(slot, destroyed))
        .map(|(key, slot)| (key, slot.present_value))
        .collect();
    let change = AccountChange {
        account: update,
        wipe_storage: destroyed && existed,
        storage,
    };
    (change != AccountChange::default()).then_some(change)
}

fn deletion() -> AccountChange {
    AccountChange {
        account: AccountUpdate::Delete,
        wipe_storage: true,
        storage: U256Map::default(),
    }
}

/// Whether a slot's value has to be written; after a wipe all slots are zero.
fn is_written(slot: &StorageSlot, destroyed: bool) -> bool {
    if destroyed {
        !slot.present_value.is_zero()
    } else {
        slot.is_changed()
    }
}

fn account(info: &AccountInfo) -> Account {
    Account {
        nonce: info.nonce,
        balance: info.balance,
        code_hash: info.code_hash,
    }
}

/// The code that the block has given to the account.
fn new_code(transition: &TransitionAccount) -> Option<(B256, Bytes)> {
    let (code_hash, code) = transition.has_new_contract()?;
    (code_hash != KECCAK256_EMPTY).then(|| (code_hash, code.original_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use revm::{
        DatabaseCommit,
        database::{CacheDB, EmptyDB, State},
        state::{Account as EvmAccount, Bytecode, EvmStorageSlot, TransactionId},
    };

    type Db = State<CacheDB<EmptyDB>>;

    const WHO: Address = Address::repeat_byte(0xaa);

    fn info(balance: u64) -> AccountInfo {
        AccountInfo {
            balance: U256::from(balance),
            nonce: 1,
            ..AccountInfo::default()
        }
    }

    /// A state in which `WHO` has a balance of 5, and slot 1 the value 10.
    fn existing() -> Db {
        let mut base = CacheDB::new(EmptyDB::default());
        base.insert_account_info(WHO, info(5));
        base.insert_account_storage(WHO, U256::from(1), U256::from(10))
            .expect("an empty database does not fail");
        State::builder()
            .with_database(base)
            .with_bundle_update()
            .build()
    }

    fn commit(
        state: &mut Db,
        info: AccountInfo,
        slots: &[(u64, u64, u64)],
        mark: fn(&mut EvmAccount),
    ) {
        use revm::Database;
        state.basic(WHO).expect("an empty database does not fail");
        let mut account = EvmAccount::from(info);
        account.mark_touch();
        mark(&mut account);
        for (key, before, after) in slots {
            let mut slot = EvmStorageSlot::new(U256::from(*before), TransactionId::ZERO);
            slot.present_value = U256::from(*after);
            account.storage.insert(U256::from(*key), slot);
        }
        state.commit([(WHO, account)].into_iter().collect());
    }

    fn changes(mut state: Db) -> StateChanges {
        let transitions = state.transition_state.take().expect("updates are recorded");
        from_transitions(transitions.transitions)
    }

    fn none(_: &mut EvmAccount) {}

    #[test]
    fn a_value_that_came_back_is_not_written() {
        let mut state = existing();
        commit(&mut state, info(5), &[(1, 10, 11)], none);
        commit(&mut state, info(5), &[(1, 11, 10)], none);
        assert!(changes(state).is_empty());
    }

    #[test]
    fn old_slots_do_not_survive_a_destruction() {
        let mut state = existing();
        commit(&mut state, info(5), &[(1, 10, 11)], none);
        commit(&mut state, info(0), &[], |account| {
            account.mark_selfdestruct()
        });
        commit(&mut state, info(7), &[(2, 0, 3), (4, 0, 0)], |account| {
            account.mark_created()
        });
        let change = &changes(state).accounts[&WHO];
        assert!(change.wipe_storage);
        assert!(matches!(change.account, AccountUpdate::Set(a) if a.balance == U256::from(7)));
        let slots: Vec<_> = change.storage.iter().collect();
        assert_eq!(slots, [(&U256::from(2), &U256::from(3))]);
    }

    #[test]
    fn the_same_value_is_written_again_after_a_destruction() {
        let mut state = existing();
        commit(&mut state, info(0), &[], |account| {
            account.mark_selfdestruct()
        });
        commit(&mut state, info(5), &[(1, 0, 10)], |account| {
            account.mark_created()
        });
        let change = &changes(state).accounts[&WHO];
        assert!(change.wipe_storage);
        assert_eq!(change.account, AccountUpdate::Keep);
        assert_eq!(change.storage[&U256::from(1)], U256::from(10));
    }

    #[test]
    fn what_was_born_and_died_in_the_block_leaves_nothing() {
        let mut state = existing();
        let base = core::mem::replace(&mut state.database, CacheDB::new(EmptyDB::default()));
        drop(base);
        let code = Bytecode::new_raw(Bytes::from_static(&[0x60, 0x00]));
        let born = AccountInfo {
            code_hash: code.hash_slow(),
            code: Some(code),
            ..info(1)
        };
        commit(&mut state, born, &[(1, 0, 1)], |account| {
            account.mark_created()
        });
        commit(&mut state, info(0), &[], |account| {
            account.mark_selfdestruct()
        });
        assert_eq!(changes(state), StateChanges::default());
    }

    #[test]
    fn a_touched_empty_account_does_not_stay() {
        let mut state = existing();
        commit(&mut state, AccountInfo::default(), &[], none);
        let change = &changes(state).accounts[&WHO];
        assert_eq!(*change, deletion());
    }

    #[test]
    fn an_empty_account_that_is_reported_as_created_is_written() {
        let mut state = existing();
        state.database = CacheDB::new(EmptyDB::default());
        commit(&mut state, AccountInfo::default(), &[], |account| {
            account.mark_created()
        });
        let change = &changes(state).accounts[&WHO];
        assert_eq!(change.account, AccountUpdate::Set(Account::default()));
        assert!(!change.wipe_storage);
    }
}
