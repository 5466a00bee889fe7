//! What a contract keeps in the permanent tier whatever the policy: its hub.

use super::{LedgerError, LedgerHost};
use alloy_primitives::{Address, U256};

/// Ids given out in sequence, from 0: a slot holds the next one. Never twice, whatever becomes of the
/// objects, so that an object that is sealed or burned can never be made again.
pub(super) fn next_id<H: LedgerHost>(
    host: &mut H,
    contract: Address,
    slot: U256,
) -> Result<u64, LedgerError<H::Error>> {
    let got = host.slot(contract, slot)?;
    u64::try_from(got).map_err(|_| LedgerError::NoMoreIds { slot, got })
}

/// Notes that `id` is given out.
pub(super) fn give_out<H: LedgerHost>(
    host: &mut H,
    contract: Address,
    slot: U256,
    id: u64,
) -> Result<(), LedgerError<H::Error>> {
    Ok(host.set_slot(contract, slot, U256::from(id) + U256::ONE)?)
}
