//! Checking the use of sealed leaves.

use super::{
    bits::IsSpent,
    block::Resurrection,
    error::{ResurrectionError, TemporaryError},
    tier::TemporaryTier,
};
use std::collections::HashSet;
use thinstate_formats::{LeafIndex, PeriodId};

impl TemporaryTier {
    /// The index of a leaf that the next block may resurrect.
    pub(crate) fn check_resurrection(
        &self,
        resurrection: &Resurrection,
        spent: &impl IsSpent,
    ) -> Result<LeafIndex, ResurrectionError> {
        let Resurrection {
            period,
            leaf,
            proof,
        } = resurrection;
        let period = *period;
        let sealed = self.table.get(period);
        let sealed = sealed.ok_or_else(|| self.not_in_table(period))?;
        let index = proof
            .verify(&self.hashing.hasher, sealed.root, leaf)
            .map_err(|source| ResurrectionError::Proof { period, source })?;
        match spent.is_spent(period, index) {
            Some(false) => Ok(index),
            Some(true) => Err(ResurrectionError::Spent { period, index }),
            None => Err(ResurrectionError::NoBit { period, index }),
        }
    }

    fn not_in_table(&self, period: PeriodId) -> ResurrectionError {
        let sealed_at = self.rules.sealed_at(period);
        match self.head {
            Some(head) if sealed_at <= head => ResurrectionError::UnknownPeriod(period),
            _ => ResurrectionError::NotYetSealed { period, sealed_at },
        }
    }

    /// The leaves of a block's resurrections, each used once.
    pub(super) fn check_resurrections(
        &self,
        resurrections: &[Resurrection],
        spent: &impl IsSpent,
    ) -> Result<Vec<(PeriodId, LeafIndex)>, TemporaryError> {
        let mut used = HashSet::with_capacity(resurrections.len());
        let check = |(at, resurrection): (usize, &Resurrection)| {
            let period = resurrection.period;
            let index = self.check_resurrection(resurrection, spent);
            let index = index.and_then(|index| match used.insert((period, index)) {
                true => Ok(index),
                false => Err(ResurrectionError::Twice { period, index }),
            });
            match index {
                Ok(index) => Ok((period, index)),
                Err(source) => Err(TemporaryError::Resurrection { at, source }),
            }
        };
        resurrections.iter().enumerate().map(check).collect()
    }
}
