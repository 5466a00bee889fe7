//! A sealed value is the last live value. (Stellar archived stale versions of entries in 2025, and
//! restored them: CAP-76.)

use super::{
    all_rules,
    archive::MemoryArchive,
    location,
    node::{Node, limits, write},
};
use alloy_primitives::B256;
use proptest::prelude::*;
use std::collections::BTreeMap;
use thinstate_formats::{BlockNumber, PeriodId, TemporaryRules, counted::Leaf};

const LOCATIONS: u64 = 8;
const BLOCKS: u64 = 40;

fn reads(node: &Node) -> Vec<B256> {
    (0..LOCATIONS)
        .map(|n| node.tier.get(&location(n)))
        .collect()
}

/// What disappears when a period is frozen, in a block without writes, is what is sealed of it: each
/// with the value that a read returned in the block before.
fn run(rules: TemporaryRules, writes: &[(u64, u64, u64)]) {
    let archive = MemoryArchive::default();
    let mut node = Node::new(rules, limits(2), Some(archive.clone()));
    let mut last: BTreeMap<PeriodId, Vec<Leaf>> = BTreeMap::new();
    for block in 0..BLOCKS {
        let freezes = rules.freezes(BlockNumber(block));
        let here = writes.iter().filter(|(at, ..)| *at == block);
        let here = here.filter(|_| freezes.is_none());
        let here: Vec<_> = here.map(|(_, l, v)| write(*l, *v)).collect();
        let before = reads(&node);
        node.apply(block, &here, &[]).expect("it follows");
        if let Some(period) = freezes {
            let after = reads(&node);
            let mut leaves = Vec::new();
            for (n, (value, now)) in (0..).zip(before.into_iter().zip(after)) {
                if now.is_zero() && !value.is_zero() {
                    let location = location(n);
                    leaves.push(Leaf { location, value });
                } else {
                    assert_eq!(
                        now, value,
                        "the end of a period changes no value that stays"
                    );
                }
            }
            leaves.sort_unstable();
            last.insert(period, leaves);
        }
        if let Some(period) = rules.seals(BlockNumber(block)) {
            assert_eq!(archive.leaves(period), last.remove(&period), "{rules:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_sealed_value_is_older_than_the_last_live_one(
        writes in prop::collection::vec((0..BLOCKS, 0..LOCATIONS, 0u64..3), 0..120),
    ) {
        for rules in all_rules() {
            run(rules, &writes);
        }
    }
}
