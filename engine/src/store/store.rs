//! All tiers behind one block.

use super::{
    ApplyError, BlockBuilder, BlockChanges, BlockReport, StoreBulkError, StoreOpenError,
    StoreRules, UndoError, cheap::Cheap, history, options::StoreOptions,
};
use crate::{
    archive::{periods::PeriodArchive, records::RecordArchive},
    leaf_store::{Batch, LeafStore, StoreError},
    permanent::{
        BlockId, BulkPart, BulkProgress, BulkReport, BulkSource, ExpiryError, ExpiryReport,
        ExpiryRule, Head, PermanentTier, View, Witness, WitnessError, WitnessReport,
    },
    spent::FieldSize,
    temporary::{LiveProof, Resurrection, ResurrectionError},
    utxo::{Spend, UtxoError},
};
use alloy_primitives::{Address, B256, Bytes};
use rayon::prelude::*;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Instant,
};
use thinstate_formats::{
    BlockNumber, Commitment, LeafIndex, PeriodId, RecordIndex, counted::Node, record::Record,
    temporary::location,
};

/// What a block that panicked half way has staged must not be served.
const NOT_POISONED: &str = "no block panics half way; a store in which one did must be reopened";

/// Look-ups in memory that one thread makes, at least.
const LOOKED_UP_TOGETHER: usize = 256;
/// Times that many are looked up by many threads before one does it, and lets no block come between.
const LOOK_UPS_BESIDE_BLOCKS: usize = 3;

/// Permanent, temporary and UTXO tier over one leaf store, changed block by block.
///
/// All methods take `&self`. Changes exclude one another. A [`View`] of the permanent tier reads
/// one state for as long as it lives; reads of the other tiers wait while a block is staged and
/// committed, though not while the permanent tier's root is computed, and then see it whole.
#[derive(Debug)]
pub struct Store<S: LeafStore> {
    pub(super) permanent: PermanentTier<S>,
    /// Taken by every change, before `cheap`.
    writer: Mutex<()>,
    cheap: RwLock<Cheap>,
    rules: StoreRules,
    undo_blocks: u64,
}

impl<S: LeafStore> Store<S> {
    /// Opens the store; a new one is made with `options.rules`. Each tier is brought up from what
    /// the leaf store holds, and must have the root that was committed.
    pub fn open(store: S, options: StoreOptions) -> Result<Self, StoreOpenError> {
        let undo_blocks = options.permanent.undo_blocks;
        options.rules.check(undo_blocks)?;
        let permanent = PermanentTier::open(store, options.permanent_tier())?;
        let view = permanent.view();
        let head = view.head().block.map(|block| block.number);
        let recorded = history::read_rules(&view.snapshot)?;
        if let Some(expected) = recorded.filter(|recorded| *recorded != options.rules) {
            return Err(StoreOpenError::other_rules(&expected, &options.rules));
        }
        let pool = permanent.pool();
        let open = || Cheap::open(&view.snapshot, head, recorded.is_some(), &options, pool);
        let cheap = pool.install(open)?;
        let expected = match head {
            Some(head) => history::read_commitment(&view.snapshot, head)?,
            None => None,
        };
        let got = head.map(|head| cheap.commitment(head, view.head().root));
        if let (Some(expected), Some(got)) = (expected, got)
            && expected != got
        {
            return Err(StoreOpenError::CommitmentMismatch {
                expected: Box::new(expected),
                got: Box::new(got),
            });
        }
        drop(view);
        Ok(Self {
            permanent,
            writer: Mutex::new(()),
            cheap: RwLock::new(cheap),
            rules: options.rules,
            undo_blocks,
        })
    }

    /// Applies a block to all tiers, durably, or to none of them.
    pub fn apply(&self, block: BlockId, changes: &BlockChanges) -> Result<BlockReport, ApplyError> {
        let started = Instant::now();
        let _writer = self.writer();
        self.check_follows(block.number)?;
        let prepared = self.permanent.prepare(&changes.permanent)?;
        let mut cheap = self.write();
        let mut batch = Batch::default();
        let tiers: &mut Cheap = &mut cheap;
        let stage = || tiers.stage(block.number, changes, &mut batch);
        let staged = self.permanent.pool().install(stage)?;
        let commitment = staged.commitment(&cheap, block.number, prepared.root());
        history::write_commitment(&mut batch, &commitment, self.undo_blocks);
        cheap.write_rules(&self.rules, &mut batch);
        match self.permanent.commit_with(block, prepared, batch) {
            Ok(permanent) => {
                let cheap = cheap.publish(staged);
                Ok(BlockReport {
                    commitment,
                    permanent,
                    cheap,
                    total: started.elapsed(),
                })
            }
            Err(error) => {
                cheap.abandon(staged);
                Err(error.into())
            }
        }
    }

    /// Builds the permanent state of `block` on this empty store, with nothing in the other tiers, durably, or
    /// nothing of it; see [`PermanentTier::bulk_build`]. The commitment is that of a store whose first block
    /// was this one.
    pub fn bulk_build_permanent(
        &self,
        block: BlockId,
        source: BulkSource<
            impl IntoIterator<Item = (B256, Bytes)>,
            impl Iterator<Item = BulkPart> + Send,
        >,
        progress: &(dyn Fn(BulkProgress) + Sync),
    ) -> Result<BulkReport, StoreBulkError> {
        let mut cheap = self.write();
        let built = self.permanent.build_state(block, source, progress)?;
        let mut batch = Batch::default();
        let nothing = BlockChanges::default();
        let tiers: &mut Cheap = &mut cheap;
        let stage = || tiers.stage(block.number, &nothing, &mut batch);
        let staged = match self.permanent.pool().install(stage) {
            Ok(staged) => staged,
            Err(error) => {
                self.permanent.give_up_state(built);
                return Err(error.into());
            }
        };
        let commitment = staged.commitment(&cheap, block.number, built.root());
        history::write_commitment(&mut batch, &commitment, self.undo_blocks);
        cheap.write_rules(&self.rules, &mut batch);
        match self.permanent.finish_state(built, batch) {
            Ok(report) => {
                cheap.publish(staged);
                Ok(report)
            }
            Err(error) => {
                cheap.abandon(staged);
                Err(error.into())
            }
        }
    }

    /// Undoes the last block in all tiers. The head is then the block before it.
    pub fn undo(&self) -> Result<Head, UndoError> {
        let _writer = self.writer();
        let mut cheap = self.write();
        let block = self.head().block.ok_or(UndoError::NothingToUndo)?;
        let view = self.permanent.view();
        let expected = match block.number.prev() {
            Some(former) => history::read_commitment(&view.snapshot, former)
                .map_err(crate::permanent::UndoError::from)?,
            None => None,
        };
        let mut batch = Batch::default();
        let staged = cheap.stage_undo(&view.snapshot, &mut batch)?;
        history::delete_commitment(&mut batch, block.number);
        drop(view);
        match self.permanent.undo_with(batch) {
            Ok(head) => {
                cheap.publish_undo(staged, head.block.map(|block| block.number));
                check_undone(&cheap, &head, expected)?;
                Ok(head)
            }
            Err(error) => {
                cheap.rollback_undo();
                Err(error.into())
            }
        }
    }

    /// Goes on with the expiry of the permanent tier, by at most `cap` entries: to be called between
    /// blocks. No root changes; see [`PermanentTier::expire`]. The rule must not call this store.
    pub fn expire(&self, rule: &ExpiryRule<'_>, cap: usize) -> Result<ExpiryReport, ExpiryError> {
        let _writer = self.writer();
        self.permanent.expire(rule, cap)
    }

    /// A block in the making, on top of the head; the first one of a new store is number `first`.
    pub fn next_block(&self, first: BlockNumber) -> BlockBuilder<'_, S> {
        let head = self.head().block;
        let number = head.map_or(first, |head| BlockNumber(head.number.0.saturating_add(1)));
        BlockBuilder::new(self, number)
    }

    /// The last block.
    pub fn head(&self) -> Head {
        self.permanent.head()
    }

    /// What all nodes agree on.
    pub const fn rules(&self) -> &StoreRules {
        &self.rules
    }

    /// The roots of all tiers after the last block; `None` before the first.
    pub fn commitment(&self) -> Option<Commitment> {
        let cheap = self.read();
        let head = self.head();
        Some(cheap.commitment(head.block?.number, head.root))
    }

    /// The permanent state as of the last block.
    pub fn view(&self) -> View<'_, S> {
        self.permanent.view()
    }

    /// The permanent tier, to look into. Blocks that are applied to it by itself, or undone, set the
    /// tiers apart: this store then takes no more of them, and does not open again until they are
    /// taken back.
    pub const fn permanent(&self) -> &PermanentTier<S> {
        &self.permanent
    }

    /// The leaf store, when nothing else is to be done with this one.
    pub fn into_leaf_store(self) -> S {
        self.permanent.into_store()
    }

    /// Fills stubs of the permanent tier; see [`PermanentTier::insert_witness`].
    pub fn insert_witness(&self, witness: &Witness) -> Result<WitnessReport, WitnessError> {
        let _writer = self.writer();
        self.permanent.insert_witness(witness)
    }

    /// The temporary value of a contract's key; zero where there is none.
    pub fn temporary(&self, contract: Address, key: B256) -> B256 {
        self.temporary_at(location(contract, key))
    }

    /// The temporary value at a location; zero where there is none.
    pub fn temporary_at(&self, location: B256) -> B256 {
        self.read().temporary.get(&location)
    }

    /// The temporary value at a location as the transactions of the next block see it: if it is the
    /// first of a period, without the entries whose life ended with the block before.
    pub fn temporary_in(&self, next: BlockNumber, location: B256) -> B256 {
        self.read().temporary.get_in(next, &location)
    }

    /// As [`Self::temporary_in`], for many locations, by all threads of the pool that the call is made
    /// in. All values are of one state, also if a block comes between.
    ///
    /// No thread waits for another one with the tier locked: one that waits in a pool takes up other work
    /// meanwhile, and if that were to read the tier as well, behind a block that waits for its turn, neither
    /// would ever get on.
    pub fn temporary_all_in(&self, next: BlockNumber, locations: &[B256]) -> Vec<B256> {
        let mut values = vec![B256::ZERO; locations.len()];
        for _ in 0..LOOK_UPS_BESIDE_BLOCKS {
            let before = self.read().changes;
            let chunks = locations.par_chunks(LOOKED_UP_TOGETHER);
            let is_one_state = chunks
                .zip(values.par_chunks_mut(LOOKED_UP_TOGETHER))
                .map(|(locations, values)| {
                    let cheap = self.read();
                    cheap.temporary.get_all_in(next, locations, values);
                    cheap.changes == before
                })
                .reduce(|| true, |left, right| left && right);
            if is_one_state {
                return values;
            }
        }
        let cheap = self.read();
        cheap.temporary.get_all_in(next, locations, &mut values);
        values
    }

    /// The value at a location that has left the live state with its period and waits for the seal:
    /// nobody can read it, and nobody can resurrect it yet. Of a period whose seal was undone only
    /// the archive knows the values.
    pub fn frozen_value(&self, location: &B256) -> Option<B256> {
        let cheap = self.read();
        match cheap.temporary.frozen_elsewhere() {
            None => cheap.temporary.frozen_value(location),
            Some(period) => {
                let leaf = cheap.periods.as_ref()?.leaf(period, location);
                leaf.ok()?.map(|leaf| leaf.value)
            }
        }
    }

    /// The value at a location that shows in the next block once the current period's is deleted.
    pub(super) fn temporary_below(&self, next: BlockNumber, location: B256) -> B256 {
        self.read().temporary.get_below(next, &location)
    }

    /// Proves what the live state has at a location, against the commitment's `temporary` root;
    /// `None` under the deferred commitment, whose blocks commit to no tree.
    pub fn prove_live(&self, location: &B256) -> Option<LiveProof> {
        self.read().temporary.prove_live(location)
    }

    /// Root and leaf count of a sealed period.
    pub fn period(&self, period: PeriodId) -> Option<Node> {
        self.read()
            .temporary
            .period(period)
            .map(|sealed| sealed.root)
    }

    /// The sealed periods, in order.
    pub fn periods(&self) -> Vec<(PeriodId, Node)> {
        let cheap = self.read();
        let periods = cheap.temporary.periods();
        periods
            .map(|(period, sealed)| (period, sealed.root))
            .collect()
    }

    /// Whether a sealed leaf was resurrected; `None` where there is no such leaf.
    pub fn is_resurrected(&self, period: PeriodId, index: LeafIndex) -> Option<bool> {
        self.read().is_resurrected(period, index)
    }

    /// The index of a leaf, if the next block may resurrect it.
    pub fn check_resurrection(&self, it: &Resurrection) -> Result<LeafIndex, ResurrectionError> {
        let cheap = self.read();
        cheap.temporary.check_resurrection(it, &cheap.spent)
    }

    /// Whether a record was spent; `None` where there is no such record.
    pub fn is_spent(&self, index: RecordIndex) -> Option<bool> {
        self.read().is_spent(index)
    }

    /// The index that the next record will have.
    pub fn next_record_index(&self) -> RecordIndex {
        self.read().utxo.next_index()
    }

    /// A record within the hybrid window.
    pub fn recent_record(&self, index: RecordIndex) -> Result<Option<Record>, StoreError> {
        let cheap = self.read();
        cheap.utxo.recent(&self.permanent.view().snapshot, index)
    }

    /// Whether the next block may spend a record.
    pub fn check_spend(&self, spend: &Spend) -> Result<(), UtxoError> {
        let cheap = self.read();
        cheap.utxo.check_spend(spend, &cheap.spent)
    }

    /// Size of each field of spent bits.
    pub fn spent_sizes(&self) -> Vec<FieldSize> {
        self.read().spent.sizes()
    }

    /// The archive of sealed periods, where this node keeps one.
    pub fn period_archive(&self) -> Option<Arc<PeriodArchive>> {
        self.read().periods.clone()
    }

    /// Asks the archive of records; `None` where this node keeps none. No block is applied
    /// meanwhile, so `ask` must not call this store, which might wait for one.
    pub fn with_records<T>(&self, ask: impl FnOnce(&RecordArchive) -> T) -> Option<T> {
        self.read().records().map(ask)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Cheap> {
        self.cheap.read().expect(NOT_POISONED)
    }

    /// Excludes every other change.
    pub(super) fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Cheap> {
        let mut cheap = self.cheap.write().expect(NOT_POISONED);
        cheap.changes = cheap.changes.wrapping_add(1);
        cheap
    }

    fn check_follows(&self, got: BlockNumber) -> Result<(), ApplyError> {
        match self.head().block.map(|head| head.number.next()) {
            Some(Some(expected)) if expected != got => Err(ApplyError::NotNext { expected, got }),
            _ => Ok(()),
        }
    }
}

/// Undoing must lead to what was committed with the block before.
fn check_undone(cheap: &Cheap, head: &Head, expected: Option<Commitment>) -> Result<(), UndoError> {
    let got = head
        .block
        .map(|block| cheap.commitment(block.number, head.root));
    match (expected, got) {
        (Some(expected), Some(got)) if expected != got => Err(UndoError::CommitmentMismatch {
            expected: Box::new(expected),
            got: Box::new(got),
        }),
        _ => Ok(()),
    }
}
