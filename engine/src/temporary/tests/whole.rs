//! With the archive's files and the spent bits as the store has them.

use super::{
    node::{limits, write},
    rules,
};
use crate::{
    archive::periods::{Check, PeriodArchive},
    leaf_store::{Batch, LeafStore, MemoryStore},
    spent::{SpentFields, SpentOptions},
    temporary::{Resurrection, Setup, TemporaryError, TemporaryLimits, TemporaryTier},
};
use std::{path::Path, sync::Arc};
use thinstate_formats::{
    BlockNumber, HashKind, PeriodId, TemporaryRules,
    counted::LocationProof,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

const ENTRIES: u64 = 5_000;

struct Whole {
    store: MemoryStore,
    tier: TemporaryTier,
    spent: SpentFields,
    archive: PeriodArchive,
}

fn open(store: MemoryStore, folder: &Path, head: Option<BlockNumber>) -> Whole {
    let archive = PeriodArchive::open(folder, HashKind::default(), Check::Everything);
    let archive = archive.expect("it opens");
    let rules = TemporaryRules {
        period_length: 20,
        seal_delay_blocks: 20,
        ..rules(
            Retention::CurrentAndPrevious,
            ZeroRule::default(),
            LiveCommitment::Deferred,
        )
    };
    let setup = Setup {
        rules,
        limits: TemporaryLimits {
            checkpoint_entries_per_block: 0,
            ..limits(500)
        },
        archive: Some(Arc::new(archive.clone())),
        pool: None,
    };
    let snapshot = store.snapshot();
    let tier = TemporaryTier::open(&snapshot, head, setup).expect("it opens");
    let spent = SpentFields::open(&snapshot, SpentOptions::default()).expect("it opens");
    drop(snapshot);
    Whole {
        store,
        tier,
        spent,
        archive,
    }
}

impl Whole {
    fn reopen(self, folder: &Path) -> Self {
        let (head, store) = (self.tier.head(), self.store.reopen());
        drop(self);
        open(store, folder, head)
    }

    fn apply(&mut self, resurrections: &[Resurrection]) -> Result<(), TemporaryError> {
        let block = self.tier.head().map_or(0, |head| head.0 + 1);
        let new = if block == 0 { ENTRIES } else { 0 };
        let writes: Vec<_> = (0..new).map(|n| write(n, n + 1)).collect();
        let mut batch = Batch::default();
        let number = BlockNumber(block);
        let staged = self
            .tier
            .stage(number, &writes, resurrections, &self.spent, &mut batch)?;
        let bits = self.spent.stage(&staged.changes, &mut batch);
        let bits = bits.expect("the bits are there");
        self.store.commit(batch).expect("the store takes it");
        self.spent.publish(bits);
        self.tier.publish();
        if let Some(frozen) = &mut self.tier.frozen {
            frozen
                .wait(&self.tier.worker)
                .expect("the archive takes it");
        }
        Ok(())
    }

    fn undo(&mut self) {
        let mut batch = Batch::default();
        let changes = self.tier.stage_undo(&mut batch).expect("a recent block");
        let bits = self.spent.stage(&changes, &mut batch);
        let bits = bits.expect("the bits are there");
        self.store.commit(batch).expect("the store takes it");
        self.spent.publish(bits);
        self.tier.publish();
    }

    fn leaf(&self, n: u64) -> Resurrection {
        let (period, location) = (PeriodId(0), super::location(n));
        let proof = self.archive.prove(period, &location).expect("archived");
        match proof {
            LocationProof::Included { leaf, proof, .. } => Resurrection {
                period,
                leaf,
                proof,
            },
            LocationProof::Excluded(..) => panic!("location {n} is sealed"),
        }
    }
}

#[test]
fn no_restart_and_no_reorg_makes_a_leaf_lost_or_spent_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut whole = open(MemoryStore::new(), folder.path(), None);
    for block in 0..=60u64 {
        whole.apply(&[]).expect("it follows");
        // Frozen in block 40, sealed in block 60.
        if block % 3 == 0 {
            whole = whole.reopen(folder.path());
        }
    }
    let sealed = whole.tier.period(PeriodId(0)).expect("sealed");
    assert_eq!(sealed.root.count, ENTRIES);
    let archived = whole.archive.segment(PeriodId(0)).expect("archived");
    assert_eq!(archived.root, sealed.root);
    let leaves = [17, 4_000, 3].map(|n| whole.leaf(n));
    whole.apply(&leaves[..2]).expect("unspent");
    let refused = |whole: &mut Whole| {
        let error = whole.apply(&leaves[1..]).expect_err("one of them is spent");
        let spent = matches!(error, TemporaryError::Resurrection { at: 0, .. });
        assert!(spent, "{error}");
    };
    refused(&mut whole);
    whole = whole.reopen(folder.path());
    refused(&mut whole);
    let root = whole.spent.root();
    whole.undo();
    whole.undo();
    assert!(whole.spent.is_empty());
    whole = whole.reopen(folder.path());
    whole.apply(&[]).expect("it follows");
    whole.apply(&leaves[..2]).expect("unspent again");
    assert_eq!(whole.spent.root(), root);
    refused(&mut whole);
    whole.apply(&leaves[2..]).expect("unspent");
}
