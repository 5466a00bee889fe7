//! Collateralised debt positions.

use super::{LedgerError, LedgerHost, hub, token::not_zero, unique::Uniques};
use alloy_primitives::{Address, U256};
use thinstate_formats::{
    object::{ObjectClass, ObjectKey, Position},
    policy::{Policy, PolicyError},
};

/// Slots: the mapping of positions, and the next id.
const POSITIONS: U256 = U256::ZERO;
const NEXT_ID: U256 = U256::ONE;

/// Which position: whose, and the number that it got when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CdpId {
    /// Who opened it, and can adjust and close it.
    pub owner: Address,
    /// Its number.
    pub id: u64,
}

impl CdpId {
    /// Its key.
    pub const fn key(self) -> ObjectKey {
        ObjectKey::Cdp {
            owner: self.owner,
            id: self.id,
        }
    }
}

/// What happens to a position: all of it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adjustment {
    /// Collateral that comes.
    pub deposit: u128,
    /// Collateral that goes.
    pub withdraw: u128,
    /// Debt that comes.
    pub borrow: u128,
    /// Debt that goes.
    pub repay: u128,
}

/// The positions of one contract, for one block. [`Self::settle`] ends it.
///
/// Whether a debt is well secured is for the contract to judge: prices are not known here.
#[derive(Clone, Debug)]
#[must_use = "changes of records take effect when the ledger is settled"]
pub struct CdpLedger {
    contract: Address,
    positions: Uniques<Position>,
}

impl CdpLedger {
    /// The ledger of the contract.
    pub fn new(contract: Address, policy: &Policy) -> Result<Self, PolicyError> {
        policy.check(0)?;
        let positions = Uniques::new(contract, ObjectClass::Cdp, POSITIONS, policy);
        Ok(Self {
            contract,
            positions,
        })
    }

    /// What a position holds; `None` where it has no live version: never opened, closed, or sealed.
    pub fn position<H: LedgerHost>(
        &self,
        host: &mut H,
        cdp: CdpId,
    ) -> Result<Option<Position>, LedgerError<H::Error>> {
        self.positions.get(host, cdp.key())
    }

    /// How many positions were ever opened: the numbers below.
    pub fn opened<H: LedgerHost>(&self, host: &mut H) -> Result<u64, LedgerError<H::Error>> {
        hub::next_id(host, self.contract, NEXT_ID)
    }

    /// Opens a position.
    pub fn open<H: LedgerHost>(
        &mut self,
        host: &mut H,
        owner: Address,
        position: Position,
    ) -> Result<CdpId, LedgerError<H::Error>> {
        not_zero(owner)?;
        not_empty(position)?;
        let id = hub::next_id(host, self.contract, NEXT_ID)?;
        let cdp = CdpId { owner, id };
        self.positions.set(host, cdp.key(), Some(position))?;
        hub::give_out(host, self.contract, NEXT_ID, id)?;
        Ok(cdp)
    }

    /// Changes a position, and says what it holds then.
    pub fn adjust<H: LedgerHost>(
        &mut self,
        host: &mut H,
        cdp: CdpId,
        by: Adjustment,
    ) -> Result<Position, LedgerError<H::Error>> {
        let live = self.positions.live(host, cdp.key())?;
        let collateral = adjusted("collateral", live.collateral(), by.deposit, by.withdraw)?;
        let debt = adjusted("debt", live.debt(), by.borrow, by.repay)?;
        let position = Position::new(collateral, debt).map_err(LedgerError::Collateral)?;
        not_empty(position)?;
        if position != live {
            self.positions.set(host, cdp.key(), Some(position))?;
        }
        Ok(position)
    }

    /// Closes a position that owes nothing, for good, and says what it held.
    pub fn close<H: LedgerHost>(
        &mut self,
        host: &mut H,
        cdp: CdpId,
    ) -> Result<Position, LedgerError<H::Error>> {
        let key = cdp.key();
        let live = self.positions.live(host, key)?;
        if live.debt() != 0 {
            let debt = live.debt();
            return Err(LedgerError::Debt { key, debt });
        }
        self.positions.set(host, key, None)?;
        Ok(live)
    }

    /// Brings back a sealed position. `position` is what the leaf holds.
    pub fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        cdp: CdpId,
        position: Position,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        self.positions.resurrect(host, cdp.key(), position, proof)
    }

    /// Ends the block: what changed becomes records, where positions are records.
    pub fn settle<H: LedgerHost>(self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        self.positions.settle(host)
    }
}

fn adjusted<E>(
    field: &'static str,
    got: u128,
    add: u128,
    take: u128,
) -> Result<u128, LedgerError<E>> {
    let sum = got.checked_add(add).and_then(|sum| sum.checked_sub(take));
    sum.ok_or(LedgerError::Adjustment {
        field,
        got,
        add,
        take,
    })
}

fn not_empty<E>(position: Position) -> Result<(), LedgerError<E>> {
    if position.is_empty() {
        return Err(LedgerError::EmptyPosition);
    }
    Ok(())
}
