//! Ledgers on a block of the store.

use super::{BlockBuilder, error::HostError};
use crate::{
    leaf_store::LeafStore,
    ledger::{HeldRecord, LedgerHost, RecordSource, WalletIndex},
};
use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{
    BlockNumber, PeriodId, RecordIndex, TemporaryRules,
    counted::InclusionProof,
    object::{ContractObject, Object, ObjectKey, RecordObject},
    record::{NewRecord, Record, RecordPath},
};

/// What proves a sealed leaf: its period, and its place in that period's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedProof {
    /// The period.
    pub period: PeriodId,
    /// The proof.
    pub proof: InclusionProof,
}

/// A block in the making, with the index of unspent records that ledgers of the UTXO tier need.
///
/// Paths come from the archive of records; a record within the hybrid window needs none. After the
/// block is applied, [`Followed::follow`] brings the index up to date.
#[derive(Debug)]
pub struct BlockHost<'s, 'w, S: LeafStore> {
    builder: BlockBuilder<'s, S>,
    wallet: &'w WalletIndex,
    followed: Followed,
}

/// What a block did to records, for the index of unspent ones.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    spent: Vec<RecordIndex>,
    appended: Vec<ContractObject>,
}

impl<'s, 'w, S: LeafStore> BlockHost<'s, 'w, S> {
    /// Ledgers run on `builder`, and look for records in `wallet`, which has followed every block
    /// up to the head.
    pub fn new(builder: BlockBuilder<'s, S>, wallet: &'w WalletIndex) -> Self {
        Self {
            builder,
            wallet,
            followed: Followed::default(),
        }
    }

    /// The block, for what is no ledger's.
    pub const fn builder(&mut self) -> &mut BlockBuilder<'s, S> {
        &mut self.builder
    }

    /// The changes of the block, and what the index of unspent records must be told.
    pub fn finish(self) -> (super::BlockChanges, Followed) {
        (self.builder.finish(), self.followed)
    }

    /// A record as the index has it, with its path if one is needed.
    fn witness(&self, index: RecordIndex) -> Result<(Record, Option<RecordPath>), HostError> {
        let object = self.wallet.record(index);
        let ContractObject { contract, object } =
            object.ok_or(HostError::UnknownRecord { index })?;
        let record = new_record(contract, object.to_record()?).at(index);
        let store = self.builder.store();
        if store.recent_record(index)?.is_some() {
            return Ok((record, None));
        }
        let head = store.head().block.map(|block| block.number);
        let head = head.ok_or(HostError::UnknownRecord { index })?;
        let path = store.with_records(|archive| archive.path(index, head));
        let path = path.ok_or(HostError::NoArchive { index })??;
        Ok((record, Some(path)))
    }
}

impl Followed {
    /// Brings the index up to date once the block is applied; `first` is the index of its first
    /// record ([`CheapReport::first_record`](super::CheapReport::first_record)).
    pub fn follow(
        &self,
        wallet: &mut WalletIndex,
        block: BlockNumber,
        first: RecordIndex,
    ) -> Result<(), crate::ledger::WalletError> {
        let indexes = (first.0..).map(RecordIndex);
        let appended: Vec<_> = indexes.zip(self.appended.iter().copied()).collect();
        wallet.follow(block, &self.spent, &appended)
    }
}

fn new_record(contract: Address, record: RecordObject) -> NewRecord {
    NewRecord {
        class: record.class.id(),
        contract,
        owner: record.owner,
        payload: record.payload.into(),
    }
}

impl<S: LeafStore> RecordSource for BlockHost<'_, '_, S> {
    type Error = HostError;

    fn records(&self, contract: Address, key: ObjectKey) -> Result<Vec<HeldRecord>, HostError> {
        Ok(self.wallet.records_of(contract, key))
    }
}

impl<S: LeafStore> LedgerHost for BlockHost<'_, '_, S> {
    type Proof = SealedProof;

    fn block(&self) -> BlockNumber {
        self.builder.number()
    }

    fn temporary_rules(&self) -> TemporaryRules {
        self.builder.store().rules().temporary
    }

    fn slot(&mut self, contract: Address, slot: U256) -> Result<U256, HostError> {
        Ok(self.builder.slot(contract, slot)?)
    }

    fn set_slot(&mut self, contract: Address, slot: U256, value: U256) -> Result<(), HostError> {
        self.builder.set_slot(contract, slot, value);
        Ok(())
    }

    fn temporary(&mut self, contract: Address, key: B256) -> Result<B256, HostError> {
        Ok(self.builder.temporary(contract, key))
    }

    fn set_temporary(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
    ) -> Result<(), HostError> {
        self.builder.set_temporary(contract, key, value);
        Ok(())
    }

    fn resurrect(
        &mut self,
        contract: Address,
        key: B256,
        value: B256,
        proof: &SealedProof,
    ) -> Result<(), HostError> {
        let SealedProof { period, proof } = proof;
        self.builder
            .resurrect(contract, key, value, *period, proof.clone())?;
        Ok(())
    }

    fn spend(&mut self, index: RecordIndex) -> Result<(), HostError> {
        let (record, path) = self.witness(index)?;
        self.builder.spend(record, path)?;
        self.followed.spent.push(index);
        Ok(())
    }

    fn append(&mut self, contract: Address, record: RecordObject) -> Result<(), HostError> {
        let object = Object::from_record(record.class.id(), record.owner, &record.payload)?;
        self.builder.append(new_record(contract, record));
        self.followed
            .appended
            .push(ContractObject { contract, object });
        Ok(())
    }
}
