//! Sealing in the background: through crashes, and back.

use super::{
    archive::MemoryArchive,
    node::{Node, limits, write},
    rules,
};
use crate::temporary::TemporaryWrite;
use thinstate_formats::{
    BlockNumber, PeriodId, TemporaryRules,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

const ENTRIES: u64 = 20_000;
const CAP: u64 = 700;

/// Longer periods, so that there is a middle: frozen at block 80, sealed at block 120.
fn slow(commitment: LiveCommitment) -> TemporaryRules {
    TemporaryRules {
        period_length: 40,
        seal_delay_blocks: 40,
        ..rules(
            Retention::CurrentAndPrevious,
            ZeroRule::default(),
            commitment,
        )
    }
}

fn many() -> Vec<TemporaryWrite> {
    (0..ENTRIES).map(|n| write(n, n + 1)).collect()
}

fn run_to(node: &mut Node, last: u64) {
    let next = node.tier.head().map_or(0, |head| head.0 + 1);
    for block in next..=last {
        node.apply(block, &[], &[]).expect("it follows");
        node.settle();
    }
}

fn filled(commitment: LiveCommitment, archive: Option<MemoryArchive>) -> Node {
    let mut node = Node::new(slow(commitment), limits(CAP), archive);
    node.apply(0, &many(), &[]).expect("it follows");
    node
}

#[test]
fn no_crash_makes_sealing_begin_again() {
    for commitment in [LiveCommitment::Deferred, LiveCommitment::Incremental] {
        let archive = MemoryArchive::default();
        let mut node = filled(commitment, Some(archive.clone()));
        let mut crashes = 0;
        for block in (82..104).step_by(4) {
            run_to(&mut node, block);
            let before = archive.leaves_appended(PeriodId(0));
            assert!(
                before < ENTRIES && before > CAP * (block - 81) / 2,
                "{before}"
            );
            node.reopen();
            crashes += 1;
        }
        run_to(&mut node, 119);
        let appended = archive.leaves_appended(PeriodId(0));
        assert!(
            appended <= ENTRIES + crashes * CAP,
            "{appended} leaves hashed"
        );
        let report = node.apply(120, &[], &[]).expect("it follows");
        assert_eq!(report.seal_leaves, 0, "all was done before");
        let leaves = archive.leaves(PeriodId(0)).expect("archived");
        assert_eq!(leaves.len() as u64, ENTRIES);
        let mut other = filled(commitment, None);
        run_to(&mut other, 120);
        assert_eq!(node.tier.periods_root(), other.tier.periods_root());
    }
}

#[test]
fn no_block_before_the_seal_waits_and_none_does_more_than_its_cap() {
    let mut node = filled(LiveCommitment::Deferred, None);
    for block in 1..=120 {
        let report = node.apply(block, &[], &[]).expect("it follows");
        assert!(report.seal_leaves <= CAP, "block {block}: {report:?}");
        assert!(block == 120 || report.seal_pause.is_zero());
        node.settle();
    }
}

#[test]
fn a_node_that_does_nothing_in_the_background_finishes_in_the_sealing_block() {
    let mut lazy = Node::new(slow(LiveCommitment::Deferred), limits(0), None);
    lazy.apply(0, &many(), &[]).expect("it follows");
    run_to(&mut lazy, 119);
    let report = lazy.apply(120, &[], &[]).expect("it follows");
    assert_eq!(report.seal_leaves, ENTRIES);
    let mut eager = filled(LiveCommitment::Deferred, None);
    run_to(&mut eager, 120);
    assert_eq!(lazy.tier.periods_root(), eager.tier.periods_root());
}

#[test]
fn a_period_that_lives_again_is_sealed_as_it_then_is() {
    let archive = MemoryArchive::default();
    let mut node = filled(LiveCommitment::Deferred, Some(archive.clone()));
    run_to(&mut node, 82);
    // Back across block 80, in which the period was frozen.
    for _ in 0..3 {
        node.undo().expect("one of the last blocks");
    }
    assert_eq!(node.tier.get(&super::location(5)), super::value(6));
    node.reopen();
    node.apply(80, &[], &[]).expect("it follows");
    node.undo().expect("one of the last blocks");
    node.undo().expect("block 79, from its log");
    node.apply(79, &[write(5, 0), write(6, 9)], &[])
        .expect("it follows");
    run_to(&mut node, 120);
    let leaves = archive.leaves(PeriodId(0)).expect("archived");
    assert_eq!(leaves.len() as u64, ENTRIES - 2);
    let root = node.tier.period(PeriodId(0)).expect("sealed").root;
    assert_eq!(root.count, ENTRIES - 2);
}

#[test]
fn a_seal_that_is_undone_comes_again_with_the_same_root() {
    for reopen in [false, true] {
        let mut node = filled(LiveCommitment::Deferred, Some(MemoryArchive::default()));
        run_to(&mut node, 122);
        let (sealed, root) = (node.tier.period(PeriodId(0)), node.tier.periods_root());
        for _ in 0..3 {
            node.undo().expect("one of the last blocks");
        }
        assert_eq!(node.tier.head(), Some(BlockNumber(119)));
        assert_eq!(node.tier.period(PeriodId(0)), None);
        if reopen {
            node.reopen();
        }
        run_to(&mut node, 122);
        assert_eq!(node.tier.period(PeriodId(0)), sealed);
        assert_eq!(node.tier.periods_root(), root);
    }
}

#[test]
fn no_failure_of_the_archive_is_passed_over() {
    let archive = MemoryArchive::default();
    let mut node = filled(LiveCommitment::Deferred, Some(archive.clone()));
    run_to(&mut node, 85);
    archive.fail(true);
    node.apply(86, &[], &[]).expect("the step before was over");
    node.settle();
    // Blocks do not depend on it before the one that seals the period, which says it.
    let sealed_at = node.tier.rules.sealed_at(PeriodId(0)).0;
    run_to(&mut node, sealed_at - 1);
    let before = node.state();
    for _ in 0..2 {
        let error = node
            .apply(sealed_at, &[write(1, 1)], &[])
            .expect_err("it refuses");
        assert!(error.to_string().contains("no space left"), "{error}");
        assert_eq!(node.state(), before);
    }
    archive.fail(false);
    node.reopen();
    run_to(&mut node, 120);
    let leaves = archive.leaves(PeriodId(0)).expect("archived");
    assert_eq!(leaves.len() as u64, ENTRIES);
}
