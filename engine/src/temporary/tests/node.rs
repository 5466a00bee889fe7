//! A node: store, tier, spent bits, archive.

use super::archive::MemoryArchive;
use crate::{
    leaf_store::{Batch, LeafStore, MemoryStore},
    spent::{BitChange, FieldId},
    temporary::{
        Resurrection, Setup, TemporaryError, TemporaryLimits, TemporaryReport, TemporaryTier,
        TemporaryWrite, bits::IsSpent, block::TemporaryStaged,
    },
};
use std::{collections::BTreeMap, sync::Arc};
use thinstate_formats::{BlockNumber, LeafIndex, PeriodId, TemporaryRules};

/// Spent bits, as plain as can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(BTreeMap<PeriodId, Vec<bool>>);

impl IsSpent for Bits {
    fn is_spent(&self, period: PeriodId, index: LeafIndex) -> Option<bool> {
        self.0.get(&period)?.get(index.0 as usize).copied()
    }
}

impl Bits {
    fn apply(&mut self, changes: &[BitChange]) {
        for change in changes {
            let FieldId::Period(period) = change.field else {
                panic!("the tier has no records");
            };
            if change.remove {
                let gone = self.0.remove(&period).expect("only fields there are go");
                assert!(gone.iter().all(|bit| !bit), "no spent leaf is forgotten");
                continue;
            }
            if let Some(len) = change.len {
                let former = self.0.insert(period, vec![false; len as usize]);
                assert_eq!(former, None, "no field is created twice");
            }
            let field = self.0.get_mut(&period).expect("the field is there");
            for (bits, spent) in [(&change.set, true), (&change.clear, false)] {
                for bit in bits {
                    assert_ne!(
                        field[*bit as usize], spent,
                        "no bit is changed to what it is"
                    );
                    field[*bit as usize] = spent;
                }
            }
        }
    }
}

pub(super) struct Node {
    pub(super) store: MemoryStore,
    pub(super) tier: TemporaryTier,
    pub(super) bits: Bits,
    pub(super) setup: Setup,
    pub(super) archive: Option<MemoryArchive>,
    /// All bit changes so far.
    pub(super) changes: Vec<Vec<BitChange>>,
    /// Operations of the last batch.
    pub(super) ops: usize,
}

/// Few blocks can be undone, so that all of it is used.
pub(super) fn limits(cap: u64) -> TemporaryLimits {
    TemporaryLimits {
        seal_leaves_per_block: cap,
        undo_blocks: 3,
        ..TemporaryLimits::default()
    }
}

impl Node {
    pub(super) fn new(
        rules: TemporaryRules,
        limits: TemporaryLimits,
        archive: Option<MemoryArchive>,
    ) -> Self {
        let sink = archive.clone().map(|archive| Arc::new(archive) as _);
        let setup = Setup {
            rules,
            limits,
            archive: sink,
            pool: None,
        };
        let store = MemoryStore::new();
        let tier = TemporaryTier::open(&store.snapshot(), None, setup.clone());
        Self {
            tier: tier.expect("an empty store opens"),
            store,
            bits: Bits::default(),
            setup,
            archive,
            changes: Vec::new(),
            ops: 0,
        }
    }

    pub(super) fn apply(
        &mut self,
        block: u64,
        writes: &[TemporaryWrite],
        resurrections: &[Resurrection],
    ) -> Result<TemporaryReport, TemporaryError> {
        let mut batch = Batch::default();
        let staged: TemporaryStaged = self.tier.stage(
            BlockNumber(block),
            writes,
            resurrections,
            &self.bits,
            &mut batch,
        )?;
        self.ops = batch.len();
        self.store.commit(batch).expect("the store takes it");
        self.apply_bits(&staged.changes);
        self.tier.publish();
        Ok(staged.report)
    }

    pub(super) fn apply_bits(&mut self, changes: &[BitChange]) {
        self.bits.apply(changes);
        self.changes.push(changes.to_vec());
    }

    pub(super) fn undo(&mut self) -> Result<(), TemporaryError> {
        let mut batch = Batch::default();
        let changes = self.tier.stage_undo(&mut batch)?;
        self.store.commit(batch).expect("the store takes it");
        self.apply_bits(&changes);
        self.tier.publish();
        Ok(())
    }

    /// Waits for the step at hand; the leaves it did.
    pub(super) fn settle(&mut self) -> u64 {
        match &mut self.tier.frozen {
            Some(frozen) => frozen.wait(&self.tier.worker).unwrap_or_default(),
            None => 0,
        }
    }

    /// What the tier shows, but for how far sealing has come.
    pub(super) fn state(&self) -> String {
        let stats = self.tier.stats();
        format!(
            "head {:?} live {} periods {} {:?} entries {:?}",
            self.tier.head(),
            self.tier.live_root(),
            self.tier.periods_root(),
            self.tier.periods().collect::<Vec<_>>(),
            (
                stats.current_entries,
                stats.previous_entries,
                stats.log_bytes
            ),
        )
    }

    /// The power goes, and comes back.
    pub(super) fn reopen(&mut self) {
        let head = self.tier.head();
        self.reopen_at(head);
    }

    pub(super) fn reopen_at(&mut self, head: Option<BlockNumber>) {
        self.store = self.store.reopen();
        // The thread of the former process may still append until the tier is dropped.
        let other = TemporaryTier::open(&MemoryStore::new().snapshot(), None, {
            let archive = None;
            Setup {
                archive,
                ..self.setup.clone()
            }
        });
        self.tier = other.expect("an empty store opens");
        if let Some(archive) = &self.archive {
            archive.crash();
        }
        let tier = TemporaryTier::open(&self.store.snapshot(), head, self.setup.clone());
        self.tier = tier.expect("a store opens as it was left");
    }
}

pub(super) fn write(location: u64, value: u64) -> TemporaryWrite {
    TemporaryWrite {
        location: super::location(location),
        value: super::value(value),
    }
}
