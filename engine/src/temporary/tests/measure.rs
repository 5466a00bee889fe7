//! Figures of the tier alone, without a disk.

use super::node::{Node, limits, write};
use crate::temporary::TemporaryLimits;
use std::time::Instant;
use thinstate_formats::{
    BlockNumber, NodeHasher, PeriodId, TemporaryRules,
    counted::{Leaf, root_of_sorted},
    temporary::LiveCommitment,
};

const HOLDERS: u64 = 1_000_000;
const TRANSFERS: u64 = 100_000;

/// Locations without hashing them each time: a multiplication spreads the first bytes.
fn transfer(block: u64, n: u64) -> crate::TemporaryWrite {
    let holder = (block * TRANSFERS + n).wrapping_mul(0x9E37_79B9_7F4A_7C15) % HOLDERS;
    write(holder, 1 + (block << 40) + n)
}

#[test]
#[ignore = "measures; takes a minute"]
fn writes_per_second() {
    for commitment in [LiveCommitment::Deferred, LiveCommitment::Incremental] {
        let rules = TemporaryRules {
            commitment,
            period_length: 1_000,
            seal_delay_blocks: 1_000,
            ..TemporaryRules::default()
        };
        let limits = TemporaryLimits {
            undo_blocks: 128,
            checkpoint_entries_per_block: 0,
            ..limits(65_536)
        };
        let mut node = Node::new(rules, limits, None);
        for block in 0..10 {
            let holders = HOLDERS / 10;
            let writes = (block * holders..(block + 1) * holders).map(|n| write(n, 1));
            node.apply(block, &writes.collect::<Vec<_>>(), &[])
                .expect("it follows");
        }
        let stats = node.tier.stats();
        println!(
            "{commitment:?}: {} bytes an entry",
            stats.memory_bytes / HOLDERS
        );
        let (mut seconds, mut report) = (0.0, Default::default());
        for block in 10..20 {
            let writes: Vec<_> = (0..2 * TRANSFERS).map(|n| transfer(block, n)).collect();
            let started = Instant::now();
            let mut batch = Default::default();
            let number = BlockNumber(block);
            let staged = node
                .tier
                .stage(number, &writes, &[], &node.bits, &mut batch);
            report = staged.expect("it follows").report;
            seconds += started.elapsed().as_secs_f64();
            node.tier.publish();
        }
        let writes = 20.0 * TRANSFERS as f64;
        println!("  {:.0} writes/s; last block {report:?}", writes / seconds);
        let stats = node.tier.stats();
        println!("  undo {} bytes a write", stats.undo_bytes / writes as u64);
    }
}

#[test]
#[ignore = "measures; takes a minute"]
fn leaves_sealed_per_second() {
    let rules = TemporaryRules {
        period_length: 300,
        seal_delay_blocks: 300,
        ..TemporaryRules::default()
    };
    for cap in [0, 65_536, u64::MAX] {
        let mut node = Node::new(rules, limits(cap), None);
        let holders = 4 * HOLDERS;
        let writes: Vec<_> = (0..holders).map(|n| write(n, 1)).collect();
        node.apply(0, &writes, &[]).expect("it follows");
        let seal = rules.sealed_at(PeriodId(0)).0;
        let (mut seconds, mut steps, mut longest) = (0.0, 0u32, 0.0f64);
        for block in 1..seal {
            let report = node.apply(block, &[], &[]).expect("it follows");
            steps += u32::from(report.seal_leaves > 0);
            let started = Instant::now();
            steps += u32::from(node.settle() > 0);
            seconds += started.elapsed().as_secs_f64();
            longest = longest.max(started.elapsed().as_secs_f64());
        }
        let report = node.apply(seal, &[], &[]).expect("it follows");
        println!(
            "cap {cap}: {seconds:.3} s in {steps} steps, the longest {longest:.3} s; \
             pause in the sealing block {:?}, {} leaves",
            report.seal_pause, report.seal_leaves
        );
    }
    let mut leaves: Vec<Leaf> = (0..4 * HOLDERS)
        .map(|n| Leaf {
            location: super::location(n),
            value: super::value(1),
        })
        .collect();
    let started = Instant::now();
    leaves.sort_unstable();
    let sorted = started.elapsed();
    root_of_sorted(&NodeHasher::default(), &leaves).expect("sorted");
    println!(
        "at once: sort {sorted:?}, with root {:?}",
        started.elapsed()
    );
}
