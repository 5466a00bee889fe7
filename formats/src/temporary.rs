//! The rules of the temporary tier: what happens at which block.
//!
//! ```text
//! period p       [ first_block(p) ................ ) first_block(p + 1) = first_block(p) + length
//! one-period:     readable during p; frozen at first_block(p + 1)
//! current-and-    readable during p and p + 1; frozen at first_block(p + 2)
//!   previous:
//! sealed_at(p) = frozen_at(p) + seal_delay_blocks
//! ```
//!
//! All of this is a function of the block number alone. In the block `frozen_at(p)`, before its
//! transactions, the entries of period `p` leave the live state. In the block `sealed_at(p)` the
//! root and the leaf count of their tree enter the period table, and from then on leaves of `p`
//! can be resurrected. Between the two a node has time to build the tree, at whatever pace it
//! likes: nothing that it commits to shows how far it is. A node that is not ready by then finishes
//! the tree inside that block.
//!
//! Which entries are sealed: those of period `p` that a read would have returned in the last block
//! before `frozen_at(p)`. An entry that was written again in the period after is not among them
//! (its newer version is sealed with that period), so that at most one version of it is ever
//! sealed and unspent for one life: a sealed value is the last live value.
//!
//! Sources: EIP-8125 (retention, deletion), Tempo's TIP-1040 (the other zero rule), ethresear.ch
//! 24052 (counted tree, bitfield, resurrection).

use crate::{BlockNumber, HashKind, PeriodId};
use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

/// Where the value of `key` of a contract lies: `keccak256(contract || key)` (EIP-8125).
pub fn location(contract: Address, key: B256) -> B256 {
    let mut message = [0; 52];
    message[..20].copy_from_slice(contract.as_slice());
    message[20..].copy_from_slice(key.as_slice());
    keccak256(message)
}

/// How long an entry can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retention {
    /// Until the period ends in which it was written.
    OnePeriod,
    /// Until the period after that ends: one to two periods (EIP-8125).
    #[default]
    CurrentAndPrevious,
}

/// What storing zero does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroRule {
    /// The entry is deleted in the current and in the previous period (EIP-8125).
    #[default]
    DeleteBoth,
    /// The entry is deleted in the current period alone: no tombstone hides a value that the
    /// previous period has (TIP-1040).
    NoTombstone,
}

/// How a block commits to the live entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveCommitment {
    /// By the roots of the counted trees of the live periods, kept up to date in each block.
    Incremental,
    /// By the hash of the block's ordered write log, chained. The tree is built once, at the seal.
    #[default]
    Deferred,
}

/// What all nodes must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TemporaryRules {
    /// Blocks in a period (default 216,000: 30 days of 12 s).
    pub period_length: u64,
    /// How long entries are readable.
    pub retention: Retention,
    /// What storing zero does.
    pub zero_rule: ZeroRule,
    /// How blocks commit to live entries.
    pub commitment: LiveCommitment,
    /// Blocks between the end of a period's life and its entry in the period table (default 7,200,
    /// one day). More than the blocks that can be undone, and at most a period.
    pub seal_delay_blocks: u64,
    /// The hash function of trees and logs.
    pub hash: HashKind,
}

impl Default for TemporaryRules {
    fn default() -> Self {
        Self {
            period_length: 216_000,
            retention: Retention::default(),
            zero_rule: ZeroRule::default(),
            commitment: LiveCommitment::default(),
            seal_delay_blocks: 7_200,
            hash: HashKind::default(),
        }
    }
}

/// The rules contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Periods must have blocks.
    #[error("period-length is 0, expected at least 1")]
    NoBlocks,
    /// The tree of one period must be in the table before the next period's is frozen, and a block
    /// that can still be undone must not need a tree that is gone.
    #[error(
        "seal-delay-blocks is {got}, expected more than {undo_blocks} (the blocks that can be \
         undone) and at most {period_length} (period-length)"
    )]
    SealDelay {
        /// The delay.
        got: u64,
        /// Blocks that can be undone.
        undo_blocks: u64,
        /// Blocks in a period.
        period_length: u64,
    },
}

impl TemporaryRules {
    /// Checks the rules for a store that can undo `undo_blocks` blocks.
    pub const fn check(&self, undo_blocks: u64) -> Result<(), RulesError> {
        if self.period_length == 0 {
            return Err(RulesError::NoBlocks);
        }
        if self.seal_delay_blocks <= undo_blocks || self.seal_delay_blocks > self.period_length {
            return Err(RulesError::SealDelay {
                got: self.seal_delay_blocks,
                undo_blocks,
                period_length: self.period_length,
            });
        }
        Ok(())
    }

    /// The period of a block.
    pub const fn period(&self, block: BlockNumber) -> PeriodId {
        PeriodId(block.0 / self.period_length)
    }

    /// Periods for which an entry can be read.
    pub const fn periods_readable(&self) -> u64 {
        match self.retention {
            Retention::OnePeriod => 1,
            Retention::CurrentAndPrevious => 2,
        }
    }

    /// The first block of a period.
    pub const fn first_block(&self, period: PeriodId) -> BlockNumber {
        BlockNumber(period.0.saturating_mul(self.period_length))
    }

    /// The block before whose transactions the entries of a period leave the live state.
    pub const fn frozen_at(&self, period: PeriodId) -> BlockNumber {
        self.first_block(PeriodId(period.0.saturating_add(self.periods_readable())))
    }

    /// The block in which a period enters the period table.
    pub const fn sealed_at(&self, period: PeriodId) -> BlockNumber {
        BlockNumber(
            self.frozen_at(period)
                .0
                .saturating_add(self.seal_delay_blocks),
        )
    }

    /// The period that is frozen at the beginning of `block`, if any.
    pub const fn freezes(&self, block: BlockNumber) -> Option<PeriodId> {
        let period = self.period(block);
        if !block.0.is_multiple_of(self.period_length) {
            return None;
        }
        match period.0.checked_sub(self.periods_readable()) {
            Some(frozen) => Some(PeriodId(frozen)),
            None => None,
        }
    }

    /// The period that enters the period table in `block`, if any.
    pub const fn seals(&self, block: BlockNumber) -> Option<PeriodId> {
        match block.0.checked_sub(self.seal_delay_blocks) {
            Some(frozen_at) => self.freezes(BlockNumber(frozen_at)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_rules() -> impl Strategy<Value = TemporaryRules> {
        let retention = prop_oneof![
            Just(Retention::OnePeriod),
            Just(Retention::CurrentAndPrevious)
        ];
        (2u64..50, retention)
            .prop_flat_map(|(length, retention)| (Just(length), Just(retention), 1..=length))
            .prop_map(
                |(period_length, retention, seal_delay_blocks)| TemporaryRules {
                    period_length,
                    retention,
                    seal_delay_blocks,
                    ..TemporaryRules::default()
                },
            )
    }

    proptest! {
        #[test]
        fn no_period_is_frozen_or_sealed_twice_or_out_of_order(rules in any_rules()) {
            rules.check(0).expect("rules within bounds");
            let blocks = || (0..20 * rules.period_length).map(BlockNumber);
            let frozen: Vec<_> = blocks().filter_map(|b| Some((rules.freezes(b)?, b))).collect();
            let sealed: Vec<_> = blocks().filter_map(|b| Some((rules.seals(b)?, b))).collect();
            for (at, (period, block)) in frozen.iter().enumerate() {
                prop_assert_eq!(*period, PeriodId(at as u64));
                prop_assert_eq!(rules.frozen_at(*period), *block);
                let last = BlockNumber(block.0 - 1);
                prop_assert_eq!(rules.period(last).0 + 1 - period.0, rules.periods_readable());
            }
            for (at, (period, block)) in sealed.iter().enumerate() {
                prop_assert_eq!(*period, PeriodId(at as u64));
                prop_assert_eq!(rules.sealed_at(*period), *block);
                prop_assert!(rules.frozen_at(PeriodId(period.0 + 1)) >= *block);
            }
        }
    }

    #[test]
    fn no_seal_comes_within_the_blocks_that_can_be_undone() {
        let rules = TemporaryRules::default();
        assert_eq!(rules.check(128), Ok(()));
        assert!(rules.check(7_200).is_err());
        let long = TemporaryRules {
            seal_delay_blocks: 216_001,
            ..rules
        };
        assert!(long.check(128).is_err());
    }
}
