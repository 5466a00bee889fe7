//! A block that resurrects one object, by the rules of its contract's ledger.
//!
//! The block comes after the head and does nothing else. It has no header, so its hash is made from
//! the parent's and from what it does: `keccak256(parent hash || location || period u64 BE)`.

use super::{
    entry::{EntryAnswer, EntryKey, LeafError},
    object::{CommitmentAnswer, NoBlock, ObjectAnswer},
};
use alloy_primitives::{Address, B256, keccak256};
use serde::Serialize;
use thinstate_engine::{
    BlockId, Store, StoreRules,
    leaf_store::LeafStore,
    ledger::{CdpId, CdpLedger, LedgerError, NftLedger, TokenLedger, WalletIndex},
    store::{ApplyError, BlockHost, HostError, SealedProof},
};
use thinstate_formats::{
    BlockNumber, PeriodId,
    object::{Object, ObjectClass, ObjectKey, WordError},
    policy::{Policy, PolicyError},
    temporary::location,
};

/// What a resurrection came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResurrectAnswer {
    /// Version of this description.
    pub version: u32,
    /// The number of the block.
    pub block_number: BlockNumber,
    /// Its hash.
    pub block_hash: B256,
    /// The contract.
    pub contract: Address,
    /// The period that the object was sealed with.
    pub period: PeriodId,
    /// What was sealed.
    pub sealed: ObjectAnswer,
    /// What is live now: both, merged by the rule of the class.
    pub live: Option<ObjectAnswer>,
    /// What the block commits to.
    pub commitment: CommitmentAnswer,
}

/// An object cannot be resurrected. The store is as before.
#[derive(Debug, thiserror::Error)]
pub enum ResurrectError {
    /// There is no block to resurrect anything after.
    #[error(transparent)]
    NoBlock(#[from] NoBlock),
    /// The policy contradicts itself.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policy is that of another store.
    #[error("the policy has the rules {got:?}, expected those of the store: {expected:?}")]
    OtherRules {
        /// The store's rules.
        expected: Box<StoreRules>,
        /// The policy's.
        got: Box<StoreRules>,
    },
    /// The class has no ledger that resurrects.
    #[error(
        "objects of class {0} are not resurrected: expected erc20_balance, erc721_owner or cdp"
    )]
    NoLedger(ObjectClass),
    /// The proof is not that of the object.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The leaf holds what is no object.
    #[error(transparent)]
    Word(#[from] WordError),
    /// The leaf says that there is nothing.
    #[error("{0:?} was removed before its period was sealed, so there is none to resurrect")]
    Removed(ObjectKey),
    /// The ledger, or the store under it, refuses: a proof that does not hold, a second time, a live
    /// version where there may be only one.
    #[error(transparent)]
    Ledger(Box<LedgerError<HostError>>),
    /// The block could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<LedgerError<HostError>> for ResurrectError {
    fn from(error: LedgerError<HostError>) -> Self {
        Self::Ledger(Box::new(error))
    }
}

/// Resurrects the object that `answer` proves, in a block after the head.
pub fn resurrect<S: LeafStore>(
    store: &Store<S>,
    policy: &Policy,
    contract: Address,
    key: ObjectKey,
    period: PeriodId,
    answer: &EntryAnswer,
) -> Result<ResurrectAnswer, ResurrectError> {
    check_rules(store, policy)?;
    let entry = EntryKey {
        contract,
        key: key.temporary_key(),
        object: Some(key),
    };
    let (word, proof) = answer.leaf(entry, period)?;
    let sealed = Object::from_word(key, word)?.ok_or(ResurrectError::Removed(key))?;
    let parent = store.head().block.ok_or(NoBlock)?;
    let (number, changes) = {
        // Records play no part: what is sealed lives in words.
        let wallet = WalletIndex::new(0);
        let mut host = BlockHost::new(store.next_block(BlockNumber(0)), &wallet);
        run_ledger(&mut host, policy, contract, sealed, &proof)?;
        (host.builder().number(), host.finish().0)
    };
    let block = BlockId {
        number,
        hash: block_hash(parent.hash, contract, key, period),
    };
    let report = store.apply(block, &changes)?;
    let live = Object::from_word(key, store.temporary(contract, key.temporary_key()))?;
    Ok(ResurrectAnswer {
        version: 1,
        block_number: number,
        block_hash: block.hash,
        contract,
        period,
        sealed: sealed.into(),
        live: live.map(Into::into),
        commitment: report.commitment.into(),
    })
}

fn check_rules<S: LeafStore>(store: &Store<S>, policy: &Policy) -> Result<(), ResurrectError> {
    let (expected, got) = (*store.rules(), StoreRules::from(policy));
    if expected != got {
        return Err(ResurrectError::OtherRules {
            expected: Box::new(expected),
            got: Box::new(got),
        });
    }
    Ok(())
}

fn run_ledger<S: LeafStore>(
    host: &mut BlockHost<'_, '_, S>,
    policy: &Policy,
    contract: Address,
    sealed: Object,
    proof: &SealedProof,
) -> Result<(), ResurrectError> {
    match sealed {
        Object::Erc20Balance { owner, amount } => {
            let mut ledger = TokenLedger::new(contract, policy)?;
            ledger.resurrect(host, owner, amount, proof)?;
            ledger.settle(host)?;
        }
        Object::Erc721Owner { id, owner } => {
            let mut ledger = NftLedger::new(contract, policy)?;
            ledger.resurrect(host, id, owner, proof)?;
            ledger.settle(host)?;
        }
        Object::Cdp {
            owner,
            id,
            position,
        } => {
            let mut ledger = CdpLedger::new(contract, policy)?;
            ledger.resurrect(host, CdpId { owner, id }, position, proof)?;
            ledger.settle(host)?;
        }
        other => return Err(ResurrectError::NoLedger(other.class())),
    }
    Ok(())
}

fn block_hash(parent: B256, contract: Address, key: ObjectKey, period: PeriodId) -> B256 {
    let at = location(contract, key.temporary_key());
    let message = [parent.as_slice(), at.as_slice(), &period.0.to_be_bytes()];
    keccak256(message.concat())
}
