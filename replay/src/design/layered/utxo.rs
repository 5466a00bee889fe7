//! The UTXO tier's part of a block.
//!
//! Nothing is read: whoever spends a record brings it, and what a balance is only its owner needs to know.
//! Wallets say it here, and it is compared with what the load expects.

use super::{
    LayeredDesign, State,
    place::Access,
    wallet::{Held, Settled},
};
use crate::{
    design::{DesignError, WrongSlot},
    load::BlockLoad,
    measure::TierWork,
};
use alloy_primitives::U256;
use rayon::prelude::*;
use thinstate_engine::utxo::Spend;
use thinstate_formats::{RecordIndex, record::NewRecord, temporary::location};

/// Objects that one thread settles at a time.
const TOGETHER: usize = 64;

/// What a block asks of the tier.
#[derive(Debug, Default)]
pub(super) struct UtxoPart {
    /// The index that the block's first record must get.
    pub(super) first_record: RecordIndex,
    /// What reading counts.
    pub(super) read: TierWork,
}

/// Makes the tier's part of a block, and takes note of it: the wallets follow.
pub(super) fn plan(
    design: &LayeredDesign,
    state: &mut State,
    load: &BlockLoad,
    accesses: &[Access],
) -> Result<(UtxoPart, Vec<Spend>, Vec<NewRecord>), DesignError> {
    if state.is_blind && !accesses.is_empty() {
        return Err(blind(design));
    }
    let wallet = &state.wallet;
    let settle = |access: &Access| {
        let held = held(load, access);
        let settled = match access.is_written() {
            true => wallet.settle(&held).map(Some),
            false => match wallet.value(&held.location) {
                value if value == held.before => Ok(None),
                value => Err(value),
            },
        };
        settled.map_err(|got| mismatch(load, access, got))
    };
    let settled: Vec<Option<Settled>> = accesses
        .par_iter()
        .with_min_len(TOGETHER)
        .map(settle)
        .collect::<Result<_, _>>()?;
    let settled: Vec<Settled> = settled.into_iter().flatten().collect();
    let part = UtxoPart {
        first_record: wallet.next_index(),
        read: read(accesses),
    };
    state.wallet.prepare_batches(load.number, &settled);
    let wallet = &state.wallet;
    let spends: Vec<Vec<Spend>> = settled
        .par_iter()
        .with_min_len(TOGETHER)
        .map(|settled| wallet.spends(load.number, settled))
        .collect();
    let records = state.wallet.follow(load.number, settled);
    Ok((part, spends.concat(), records))
}

fn held(load: &BlockLoad, access: &Access) -> Held {
    let slot = &load.slots[access.at as usize];
    let key = slot.object.expect("what is not in the trie has a key");
    Held {
        location: location(slot.address, key.temporary_key()),
        contract: slot.address,
        key,
        before: access.before,
        after: access.after,
    }
}

fn read(accesses: &[Access]) -> TierWork {
    let hits = accesses.iter().filter(|access| !access.before.is_zero());
    let reads_hit = hits.count() as u64;
    TierWork {
        reads_hit,
        reads_absent: accesses.len() as u64 - reads_hit,
        ..TierWork::default()
    }
}

fn mismatch(load: &BlockLoad, access: &Access, got: U256) -> DesignError {
    let slot = &load.slots[access.at as usize];
    let wrong = WrongSlot {
        number: load.number,
        tier: "utxo",
        address: slot.address,
        slot: slot.slot,
        expected: access.before,
        got,
    };
    Box::new(wrong).into()
}

fn blind(design: &LayeredDesign) -> DesignError {
    DesignError::Unsupported {
        design: design.spec.name.clone(),
        what: format!(
            "going on with the records in {}: their wallets are not known, since it was opened at \
             another block than the one that it was filled to; fill a store anew",
            design.dir.display()
        ),
    }
}
