//! The end of a period costs the store the same, however much is in it.

use super::{
    node::{Node, limits, write},
    rules,
};
use crate::{
    TemporaryLimits,
    leaf_store::{IoCounters, LeafStore},
};
use std::time::{Duration, Instant};
use thinstate_formats::{
    PeriodId, TemporaryRules,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// Operations in the batches of the blocks that freeze and seal.
    ops: [usize; 2],
    counters: [IoCounters; 2],
}

fn drop_period(entries: u64, retention: Retention) -> (Cost, [Duration; 2]) {
    let rules = TemporaryRules {
        period_length: 8,
        ..rules(retention, ZeroRule::default(), LiveCommitment::Deferred)
    };
    // All of it is hashed in one step between two blocks, or in the sealing block.
    // A checkpoint that covers the period adds one deletion to the seal, or two if it is its last.
    let limits = TemporaryLimits {
        checkpoint_entries_per_block: 0,
        ..limits(u64::MAX)
    };
    let mut node = Node::new(rules, limits, None);
    let per_block = entries.div_ceil(8);
    for block in 0..8 {
        let end = entries.min((block + 1) * per_block);
        let writes: Vec<_> = (block * per_block..end).map(|n| write(n, 7)).collect();
        node.apply(block, &writes, &[]).expect("it follows");
    }
    let (freeze, seal) = (
        rules.frozen_at(PeriodId(0)).0,
        rules.sealed_at(PeriodId(0)).0,
    );
    let (mut ops, mut counters, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for block in 8..=seal {
        let (before, started) = (node.store.counters(), Instant::now());
        node.apply(block, &[], &[]).expect("it follows");
        if block == freeze || block == seal {
            ops.push(node.ops);
            counters.push(node.store.counters().since(&before));
            times.push(started.elapsed());
        }
        node.settle();
    }
    let sealed = node.tier.period(PeriodId(0)).expect("sealed");
    assert_eq!(sealed.root.count, entries);
    let cost = Cost {
        ops: ops.try_into().expect("two blocks"),
        counters: counters.try_into().expect("two blocks"),
    };
    (cost, times.try_into().expect("two blocks"))
}

#[test]
fn no_number_of_entries_makes_dropping_them_cost_the_store_more() {
    for retention in [Retention::OnePeriod, Retention::CurrentAndPrevious] {
        let (few, _) = drop_period(1_000, retention);
        let (many, _) = drop_period(300_000, retention);
        assert_eq!(few, many);
        assert!(few.ops.iter().all(|ops| *ops <= 6), "{few:?}");
    }
}

#[test]
#[ignore = "measures; takes a minute and 2 GB"]
fn no_ten_million_entries_make_dropping_them_cost_the_store_more() {
    for entries in [1_000, 1_000_000, 10_000_000] {
        let (cost, times) = drop_period(entries, Retention::CurrentAndPrevious);
        println!("{entries} entries: freeze and seal take {times:?}, {cost:?}");
        assert_eq!(cost, drop_period(10, Retention::CurrentAndPrevious).0);
    }
}
