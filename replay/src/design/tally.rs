//! What reads find beside what is expected, and what both come to in counts.
//!
//! Designs count alike, so that their numbers can be compared: a read is a key that the load names, whether
//! the store or a pending block answers it; a write is a key whose value differs before and after the
//! block. *Logical* bytes are those of keys and values as no design can do without them: 32 bytes for a
//! hashed address, 64 with a hashed slot, numbers without leading zeros, and no code hash where there is no
//! code. What a store puts around them is for its own counters to say.

use super::{DesignError, WrongAccount, WrongSlot};
use crate::{
    load::{AccountLoad, BlockLoad, SlotLoad},
    measure::TierWork,
};
use alloy_primitives::{KECCAK256_EMPTY, U256};
use thinstate_engine::leaf_store::cold_reads;
use thinstate_formats::{Account, BlockNumber};

/// Logical bytes of an account's key.
pub const ACCOUNT_KEY_BYTES: u64 = 32;
/// Logical bytes of a slot's key.
pub const SLOT_KEY_BYTES: u64 = 64;

/// Logical bytes of an account.
pub fn account_bytes(account: &Account) -> u64 {
    let nonce = 8 - u64::from(account.nonce.leading_zeros() / 8);
    let code_hash = if account.code_hash == KECCAK256_EMPTY {
        0
    } else {
        32
    };
    nonce + account.balance.byte_len() as u64 + code_hash
}

/// Logical bytes of a slot's value.
pub fn slot_bytes(value: U256) -> u64 {
    value.byte_len() as u64
}

/// Asks the store for a key on this thread, and counts the read as cold where the store's own cache could not
/// answer it. A key that has to be asked for again, since it lay under a stub, can count each time.
pub fn ask<T>(work: &mut TierWork, get: impl FnOnce() -> T) -> T {
    let (got, is_cold) = asking(get);
    work.reads_cold += u64::from(is_cold);
    got
}

/// What `get` finds, and whether that was cold.
pub(super) fn asking<T>(get: impl FnOnce() -> T) -> (T, bool) {
    let before = cold_reads();
    let got = get();
    (got, cold_reads() != before)
}

/// Counts the read of an account, which must be as the load expects it.
pub fn read_account(
    number: BlockNumber,
    load: &AccountLoad,
    got: Option<Account>,
    work: &mut TierWork,
) -> Result<(), DesignError> {
    if got != load.before {
        return Err(DesignError::Account(Box::new(WrongAccount {
            number,
            address: load.address,
            expected: load.before,
            got,
        })));
    }
    match got {
        Some(account) => {
            work.reads_hit += 1;
            work.logical_read_bytes += ACCOUNT_KEY_BYTES + account_bytes(&account);
        }
        None => {
            work.reads_absent += 1;
            work.logical_read_bytes += ACCOUNT_KEY_BYTES;
        }
    }
    Ok(())
}

/// Counts the read of a slot, which must hold what the load expects.
pub fn read_slot(
    number: BlockNumber,
    tier: &'static str,
    load: &SlotLoad,
    got: U256,
    work: &mut TierWork,
) -> Result<(), DesignError> {
    if got != load.before {
        return Err(DesignError::Slot(Box::new(WrongSlot {
            number,
            tier,
            address: load.address,
            slot: load.slot,
            expected: load.before,
            got,
        })));
    }
    if got.is_zero() {
        work.reads_absent += 1;
    } else {
        work.reads_hit += 1;
    }
    work.logical_read_bytes += SLOT_KEY_BYTES + slot_bytes(got);
    Ok(())
}

/// Counts accounts that a block creates, updates and deletes. An account whose storage alone changes is
/// not among them, though in a trie its leaf gets another storage root.
pub fn written_accounts(load: &BlockLoad) -> TierWork {
    let mut work = TierWork::default();
    for account in load.accounts_written() {
        match (account.before, account.after) {
            (None, Some(_)) => work.created += 1,
            (Some(_), Some(_)) => work.updated += 1,
            (Some(_), None) => work.deleted += 1,
            (None, None) => {}
        }
    }
    work
}

/// Counts slots that a block creates, updates and deletes, of those that `keep` takes. Slots that go with
/// a wiped storage and that the load does not name are not among them.
pub fn written_slots(load: &BlockLoad, keep: impl Fn(&SlotLoad) -> bool) -> TierWork {
    let mut work = TierWork::default();
    for slot in load.slots_written().filter(|slot| keep(slot)) {
        match (slot.before.is_zero(), slot.after.is_zero()) {
            (true, _) => work.created += 1,
            (false, true) => work.deleted += 1,
            (false, false) => work.updated += 1,
        }
    }
    work
}

/// Adds what another part of the block did.
pub fn add(total: &mut TierWork, part: &TierWork) {
    let TierWork {
        reads_hit,
        reads_absent,
        reads_cold,
        created,
        updated,
        deleted,
        resurrected,
        hashes,
        permutations,
        logical_read_bytes,
        logical_written_bytes,
        witness_bytes,
        archive_bytes,
    } = part;
    total.reads_hit += reads_hit;
    total.reads_absent += reads_absent;
    total.reads_cold += reads_cold;
    total.created += created;
    total.updated += updated;
    total.deleted += deleted;
    total.resurrected += resurrected;
    total.hashes += hashes;
    total.permutations += permutations;
    total.logical_read_bytes += logical_read_bytes;
    total.logical_written_bytes += logical_written_bytes;
    total.witness_bytes += witness_bytes;
    total.archive_bytes += archive_bytes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    #[test]
    fn numbers_have_no_leading_zeros() {
        let mut account = Account::default();
        assert_eq!(account_bytes(&account), 0);
        account.nonce = 255;
        account.balance = U256::from(256);
        assert_eq!(account_bytes(&account), 1 + 2);
        account.nonce = u64::MAX;
        account.code_hash = B256::repeat_byte(1);
        assert_eq!(account_bytes(&account), 8 + 2 + 32);
        assert_eq!(slot_bytes(U256::ZERO), 0);
        assert_eq!(slot_bytes(U256::MAX), 32);
    }
}
