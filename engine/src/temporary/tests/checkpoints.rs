//! Checkpoints bound what opening replays, and change nothing else.

use super::{
    all_rules, location,
    model::Model,
    node::{Node, limits, write},
};
use crate::{
    leaf_store::{Batch, LeafRead, LeafStore, Table},
    temporary::{TemporaryLimits, TemporaryTier},
};
use core::ops::ControlFlow;
use proptest::prelude::*;
use thinstate_formats::TemporaryRules;

const LOCATIONS: u64 = 30;

fn long(rules: TemporaryRules) -> TemporaryRules {
    TemporaryRules {
        period_length: 60,
        seal_delay_blocks: 20,
        ..rules
    }
}

fn checkpointing(entries_per_block: u64) -> TemporaryLimits {
    TemporaryLimits {
        checkpoint_entries_per_block: entries_per_block,
        checkpoint_log_factor: 1,
        ..limits(1_000)
    }
}

fn keys(node: &Node, table: Table, from: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let snapshot = node.store.snapshot();
    let scanned = snapshot.scan(table, from, None, &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    });
    scanned.expect("it reads");
    keys
}

/// Twelve writes of changing locations and values.
fn some_writes(block: u64, seed: u64) -> Vec<crate::TemporaryWrite> {
    (0..12)
        .map(|n| {
            let mix = (block * 12 + n + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            write(mix % LOCATIONS, (mix / LOCATIONS) % 4)
        })
        .collect()
}

#[test]
fn no_log_is_kept_long_that_a_checkpoint_has() {
    for rules in all_rules() {
        let mut node = Node::new(long(rules), checkpointing(16), None);
        let (mut used, mut most) = (false, 0);
        for block in 0..60 {
            node.apply(block, &some_writes(block, 0), &[])
                .expect("it follows");
            used |= node.tier.checkpoints.in_use.is_some();
            most = most.max(keys(&node, Table::Temporary, &[]).len());
        }
        assert!(used);
        assert!(most < 40, "{most} logs");
        let stats = node.tier.stats();
        node.reopen();
        assert_eq!(node.tier.stats().log_bytes, stats.log_bytes);
        // Nothing of them is left behind once what they cover is sealed.
        for block in 60..205 {
            node.apply(block, &[], &[]).expect("it follows");
        }
        let left = keys(&node, Table::Periods, b"c");
        let left = left.iter().filter(|key| matches!(key[0], b'c' | b'k'));
        assert!(left.count() < 4);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_entry_comes_back_from_a_checkpoint_as_it_was_earlier(
        seed in 0u64..1_000_000,
        entries_per_block in 1u64..20,
        reopen_every in 1u64..9,
    ) {
        for rules in all_rules() {
            let rules = long(rules);
            let mut node = Node::new(rules, checkpointing(entries_per_block), None);
            let mut history = vec![Model::new(rules)];
            for block in 0..170 {
                let writes = some_writes(block, seed);
                node.apply(block, &writes, &[]).expect("it follows");
                let mut model = history[history.len() - 1].clone();
                model.apply(block, &writes);
                history.push(model);
                if (block + seed) % reopen_every > 0 {
                    continue;
                }
                node.reopen();
                // The changes that undo the last blocks came out of the replay.
                let back = (seed + block) % 3;
                for _ in 0..back.min(block) {
                    node.undo().expect("one of the last blocks");
                }
                let earlier = &history[history.len() - 1 - back.min(block) as usize];
                check(&node, earlier);
                for block in block + 1 - back.min(block)..=block {
                    node.apply(block, &some_writes(block, seed), &[]).expect("again");
                }
                check(&node, &history[history.len() - 1]);
            }
        }
    }
}

fn check(node: &Node, model: &Model) {
    assert_eq!(node.tier.live_root(), model.live_root());
    assert_eq!(node.tier.periods_root(), model.periods_root());
    for n in 0..LOCATIONS {
        assert_eq!(node.tier.get(&location(n)), model.get(&location(n)));
    }
}

#[test]
fn no_damaged_checkpoint_is_opened() {
    for rules in all_rules() {
        let mut node = Node::new(long(rules), checkpointing(8), None);
        let mut block = 0;
        let written_apart = |node: &Node| {
            let in_use = node.tier.checkpoints.in_use.as_ref();
            in_use.is_some_and(|checkpoint| checkpoint.end > checkpoint.base)
        };
        while !written_apart(&node) {
            node.apply(block, &some_writes(block, 0), &[])
                .expect("it follows");
            block += 1;
        }
        let head = node.tier.head();
        let keys = keys(&node, Table::Periods, b"c");
        let keys: Vec<_> = keys
            .into_iter()
            .filter(|key| matches!(key[0], b'c' | b'k'))
            .collect();
        assert!(keys.len() > 2, "{keys:?}");
        for key in keys {
            let base = node
                .tier
                .checkpoints
                .in_use
                .as_ref()
                .map(|c| c.base.0.to_be_bytes());
            if base.is_none_or(|base| key[1..9] != base) {
                continue;
            }
            for remove in [false, true] {
                let store = node.store.reopen();
                let mut value = store
                    .snapshot()
                    .get(Table::Periods, &key)
                    .expect("reads")
                    .expect("there");
                let mut batch = Batch::default();
                if remove {
                    batch.delete(Table::Periods, key.clone());
                } else {
                    value[3] ^= 1;
                    batch.put(Table::Periods, key.clone(), value);
                }
                store.commit(batch).expect("the store takes it");
                let opened = TemporaryTier::open(&store.snapshot(), head, node.setup.clone());
                assert!(opened.is_err(), "{key:?}, removed: {remove}");
            }
        }
    }
}
