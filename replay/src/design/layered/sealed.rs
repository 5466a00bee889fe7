//! Where the versions of objects are that are not live: leaves of sealed periods, or on their way there.

use super::LayeredDesign;
use crate::design::DesignError;
use alloy_primitives::B256;
use std::sync::Arc;
use thinstate_engine::{Resurrection, archive::periods::PeriodArchive};
use thinstate_formats::{
    BlockNumber, LeafIndex, PeriodId, TemporaryRules,
    counted::{LeafBytes, LocationProof},
};

/// Blocks that may be planned ahead of the one that is applied. What a seal makes possible is planned so
/// many blocks later, so that plans do not depend on how far the store has come.
pub(super) const PLANNED_AHEAD_MAX: u64 = 64;

/// A leaf of a sealed period, with the proof that a transaction brings along.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    pub(super) use_of: Resurrection,
    pub(super) index: LeafIndex,
}

impl Brought {
    /// Bytes that a transaction carries: the period, the leaf and its proof.
    pub(super) fn witness_bytes(&self) -> u64 {
        let Resurrection { leaf, proof, .. } = &self.use_of;
        (8 + LeafBytes::new(leaf).as_slice().len() + proof.encode().len()) as u64
    }

    /// Hashes that it takes to check the proof.
    pub(super) fn hashes(&self) -> u64 {
        1 + self.use_of.proof.siblings.len() as u64
    }
}

/// What there is of an object that is not live.
#[derive(Clone, Debug)]
pub(super) enum Departed {
    /// A leaf that can be used.
    Sealed(Box<Brought>),
    /// A version that nobody can use before this block is planned.
    Waits { value: B256, until: BlockNumber },
    /// Nothing.
    Nothing,
}

/// Looks for departed versions, for one block.
pub(super) struct Search<'d> {
    design: &'d LayeredDesign,
    rules: TemporaryRules,
    archive: Option<Arc<PeriodArchive>>,
    block: BlockNumber,
    /// Sealed periods with leaves, the newest first.
    periods: Vec<PeriodId>,
    /// The newest period that the store was filled with.
    filled: Option<PeriodId>,
}

impl<'d> Search<'d> {
    pub(super) fn new(
        design: &'d LayeredDesign,
        block: BlockNumber,
        filled: Option<PeriodId>,
    ) -> Self {
        let store = &design.store;
        let sealed = store.periods().into_iter().rev();
        let with_leaves = sealed.filter(|(_, root)| !root.is_empty());
        Self {
            rules: store.rules().temporary,
            archive: store.period_archive(),
            periods: with_leaves.map(|(period, _)| period).collect(),
            design,
            block,
            filled,
        }
    }

    /// The last version of an object, which is in no readable period. `home` is the period that it was filled
    /// into, where it was and that is known; `is_used` says which leaves pending blocks use.
    pub(super) fn find(
        &self,
        location: &B256,
        home: Option<PeriodId>,
        is_used: impl Fn(PeriodId, LeafIndex) -> bool,
    ) -> Result<Departed, DesignError> {
        if let Some((value, period)) = self.on_its_way(location) {
            let until = self.usable_from(period);
            return Ok(Departed::Waits { value, until });
        }
        let newer = self.periods.iter().filter(|id| Some(**id) > self.filled);
        let older = self.periods.iter().filter(|id| Some(**id) <= self.filled);
        let older = older.filter(|id| home.is_none_or(|home| home == **id));
        for period in newer.chain(older) {
            if let Some(brought) = self.unused_leaf(*period, location, &is_used)? {
                let until = self.usable_from(*period);
                return Ok(match until > self.block {
                    true => Departed::Waits {
                        value: brought.use_of.leaf.value,
                        until,
                    },
                    false => Departed::Sealed(Box::new(brought)),
                });
            }
        }
        Ok(Departed::Nothing)
    }

    /// The first block that is planned with leaves of a period.
    pub(super) const fn usable_from(&self, period: PeriodId) -> BlockNumber {
        let sealed_at = self.rules.sealed_at(period).0;
        BlockNumber(sealed_at.saturating_add(PLANNED_AHEAD_MAX))
    }

    /// A version that has left the readable periods by this block, and is not sealed yet.
    fn on_its_way(&self, location: &B256) -> Option<(B256, PeriodId)> {
        let store = &self.design.store;
        let period = self.rules.period(self.block).0;
        let frozen = PeriodId(period.checked_sub(self.rules.periods_readable())?);
        if let Some((of, value)) = store.temporary_entry(*location)
            && of <= frozen
        {
            return Some((value, of));
        }
        let value = store.frozen_value(location)?;
        let head = store.head().block?.number;
        let of_store = self
            .rules
            .period(head)
            .0
            .checked_sub(self.rules.periods_readable())?;
        Some((value, PeriodId(of_store)))
    }

    fn unused_leaf(
        &self,
        period: PeriodId,
        location: &B256,
        is_used: impl Fn(PeriodId, LeafIndex) -> bool,
    ) -> Result<Option<Brought>, DesignError> {
        let Some(archive) = &self.archive else {
            return Ok(None);
        };
        let failed = || DesignError::store(format!("look for a leaf of period {period}"));
        if archive
            .leaf(period, location)
            .map_err(|e| failed()(e))?
            .is_none()
        {
            return Ok(None);
        }
        let proof = archive.prove(period, location).map_err(|e| failed()(e))?;
        let LocationProof::Included { leaf, index, proof } = proof else {
            return Ok(None);
        };
        let spent = self.design.store.is_resurrected(period, index) != Some(false);
        if spent || is_used(period, index) {
            return Ok(None);
        }
        let use_of = Resurrection {
            period,
            leaf,
            proof,
        };
        Ok(Some(Brought { use_of, index }))
    }
}

/// Where objects of the fill lie in the temporary tier, by the block that last wrote them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Homes {
    pub(super) rules: TemporaryRules,
    /// The head when the tier was filled.
    pub(super) head: BlockNumber,
    /// The newest period that was sealed then.
    pub(super) last_sealed: Option<PeriodId>,
}

impl Homes {
    /// The period of an object that was last written so many blocks before the head: the one in which that
    /// was. A period that is neither readable nor sealed at the head has nothing: what would be on its way to
    /// the seal is sealed one period earlier, or where there is none, live.
    pub(super) fn of(&self, age: u64) -> PeriodId {
        let written = BlockNumber(self.head.0.saturating_sub(age));
        let period = self.rules.period(written);
        let readable = self.rules.periods_readable();
        let oldest_readable =
            PeriodId((self.rules.period(self.head).0 + 1).saturating_sub(readable));
        match self.last_sealed {
            _ if period >= oldest_readable => period,
            Some(last) => period.min(last),
            None => oldest_readable,
        }
    }
}
