//! What a ledger needs of the block that it runs in.

use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{
    BlockNumber, RecordIndex, TemporaryRules,
    object::{Object, ObjectKey, RecordObject},
};

/// An unspent record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// Its index.
    pub index: RecordIndex,
    /// What it holds.
    pub object: Object,
}

/// An index of unspent records.
///
/// State has no such index: whoever makes the transaction has it (a wallet, an archive), and it need
/// not be trusted. One that leaves records out, or makes them up, gives wrong balances to its own
/// user; a spend is checked by the tier all the same, and a ledger appends only what it spends, or
/// what another owner loses.
pub trait RecordSource {
    /// Why records cannot be listed.
    type Error;

    /// The records of `key`, of `contract`, that are unspent at the beginning of the block, by
    /// ascending index: those of an owner for a balance, at most one for an ERC-721 token or a CDP.
    fn records(&self, contract: Address, key: ObjectKey) -> Result<Vec<HeldRecord>, Self::Error>;
}

/// A block in the making, as ledgers see it. Reads see what was written before in the same block,
/// but for records: those are of the blocks before.
///
/// After an error the block must be given up, as part of a call may be in it; but for an error of
/// [`Self::resurrect`], which ledgers call before they write anything.
pub trait LedgerHost: RecordSource {
    /// What proves that a sealed period has a leaf: the period, and the proof in its tree.
    type Proof;

    /// The number of the block.
    fn block(&self) -> BlockNumber;

    /// The rules of the temporary tier.
    fn temporary_rules(&self) -> TemporaryRules;

    /// A slot of a contract.
    fn slot(&mut self, contract: Address, slot: U256) -> Result<U256, Self::Error>;

    /// Sets a slot of a contract.
    fn set_slot(&mut self, contract: Address, slot: U256, value: U256) -> Result<(), Self::Error>;

    /// The value of an entry of the temporary tier, zero where there is none.
    fn temporary(&mut self, contract: Address, key: B256) -> Result<B256, Self::Error>;

    /// Sets an entry of the temporary tier.
    fn set_temporary(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
    ) -> Result<(), Self::Error>;

    /// Uses the sealed leaf with this value: checks the proof and the spent bit, sets the bit. The
    /// entry itself is not changed; that is for the ledger to do.
    fn resurrect(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
        proof: &Self::Proof,
    ) -> Result<(), Self::Error>;

    /// Spends a record of an earlier block. The host adds the record and its path where the tier
    /// asks for them.
    fn spend(&mut self, record: RecordIndex) -> Result<(), Self::Error>;

    /// Appends a record of a contract.
    fn append(&mut self, contract: Address, record: RecordObject) -> Result<(), Self::Error>;
}
