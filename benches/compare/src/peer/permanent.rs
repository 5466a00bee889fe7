//! thinstate's permanent tier: keys are slots of one contract.
//!
//! A key is the slot's number, so its place in Ethereum's trie is keccak of it: one hash for each key that is read or
//! written, which is part of what is timed. The root is Ethereum's state root of a state with that one account
//! ([`CONTRACT`]).

use super::{Leaves, Peer, Update};
use crate::{
    layout::plain::{CONTRACT, contract},
    store::{BoxError, Committed, StoreOptions, each_on},
};
use alloy_primitives::{B256, Bytes, U256, keccak256};
use rayon::ThreadPool;
use thinstate_engine::{
    BlockId, BulkAccount, BulkPart, BulkSlot, BulkSource, Options, PermanentTier,
};
use thinstate_formats::{
    AccountChange, AccountUpdate, BatchHasher, BlockNumber, StateChanges, StateReader as _,
};

/// The block that the store is filled at.
const FILLED_AT: BlockNumber = BlockNumber(0);

/// The tier on a leaf store.
pub struct Permanent<L: Leaves> {
    tier: PermanentTier<L>,
    hasher: BatchHasher,
    prepared: StateChanges,
}

impl<L: Leaves> Permanent<L> {
    /// Opens it: the interior of the trie is computed from all entries.
    pub fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        Self::over(L::open_in(options)?, options)
    }

    /// The same over a leaf store that was opened in a way of its own.
    pub fn over(leaves: L, options: &StoreOptions) -> Result<Self, BoxError> {
        let tier = Options {
            threads: Some(options.threads),
            ..Options::default()
        };
        Ok(Self {
            tier: PermanentTier::open(leaves, tier)?,
            hasher: BatchHasher::new(),
            prepared: StateChanges::default(),
        })
    }

    /// The block after the head.
    fn next(&self) -> BlockId {
        let head = self.tier.head().block;
        BlockId {
            number: head.map_or(FILLED_AT, |block| BlockNumber(block.number.0 + 1)),
            hash: B256::ZERO,
        }
    }

    /// A part's updates as slots of a state that is built.
    fn slots(&self, part: &[Update]) -> impl Iterator<Item = BulkSlot> + use<L> {
        let numbers: Vec<B256> = part.iter().map(|update| update.key).collect();
        let values: Vec<U256> = part.iter().map(|update| update.value.into()).collect();
        let keys = self.hasher.hash_all(&numbers);
        keys.into_iter().zip(values).map(|(key, value)| BulkSlot {
            key,
            value,
            last_written: FILLED_AT,
        })
    }
}

impl<L: Leaves> Peer for Permanent<L> {
    /// In bulk: all keys are sorted in memory first, 72 bytes for each.
    fn fill(&mut self, parts: &mut dyn Iterator<Item = Vec<Update>>) -> Result<(), BoxError> {
        let mut slots = Vec::new();
        for part in parts {
            slots.extend(self.slots(&part));
        }
        slots.sort_unstable_by_key(|slot: &BulkSlot| slot.key);
        let account = BulkAccount {
            key: keccak256(CONTRACT),
            account: contract(),
            last_written: FILLED_AT,
            slots: slots.len(),
        };
        let part = BulkPart {
            accounts: vec![account],
            slots,
        };
        let source = BulkSource {
            id: B256::ZERO,
            codes: Vec::<(B256, Bytes)>::new(),
            parts: std::iter::once(part),
        };
        self.tier.bulk_build(self.next(), source, &|_| {})?;
        Ok(())
    }

    fn prepare(&mut self, block: &[Update]) {
        let slots = block.iter();
        let change = AccountChange {
            account: AccountUpdate::Set(contract()),
            storage: slots.map(|it| (it.key.into(), it.value.into())).collect(),
            ..AccountChange::default()
        };
        self.prepared = StateChanges::default();
        self.prepared.accounts.insert(CONTRACT, change);
    }

    fn commit(&mut self) -> Result<Committed, BoxError> {
        let report = self.tier.apply(self.next(), &self.prepared)?;
        Ok(Committed {
            root: Some(report.root),
            hashed_in: report.state_hash,
        })
    }

    fn read(&self, keys: &[B256], pool: &ThreadPool) -> Result<Vec<Option<B256>>, BoxError> {
        let view = self.tier.view();
        each_on(pool, keys, |key| {
            let value = view.slot(CONTRACT, (*key).into())?;
            Ok::<_, BoxError>((!value.is_zero()).then(|| value.into()))
        })
    }

    fn settle(&mut self) -> Result<(), BoxError> {
        Ok(self.tier.compact()?)
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        Ok(self.tier.flush()?)
    }
}
