//! Sealed leaves are used once, and only with a proof.

use super::{
    archive::MemoryArchive,
    node::{Node, limits, write},
    rules,
};
use crate::temporary::{Resurrection, ResurrectionError, TemporaryError};
use thinstate_formats::{
    LeafIndex, PeriodId,
    counted::Side,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

/// Blocks 0 to 5 write 30 entries; they are frozen in block 12 and sealed in block 16.
fn sealed() -> (Node, MemoryArchive) {
    let archive = MemoryArchive::default();
    let rules = rules(
        Retention::CurrentAndPrevious,
        ZeroRule::default(),
        LiveCommitment::Deferred,
    );
    let mut node = Node::new(rules, limits(5), Some(archive.clone()));
    for block in 0..6 {
        let writes: Vec<_> = (0..5).map(|n| write(5 * block + n, 1 + n)).collect();
        node.apply(block, &writes, &[]).expect("it follows");
    }
    for block in 6..=15 {
        node.apply(block, &[], &[]).expect("it follows");
    }
    (node, archive)
}

fn leaf(archive: &MemoryArchive, index: u64) -> Resurrection {
    let period = PeriodId(0);
    let (leaf, proof) = archive.prove(period, index);
    Resurrection {
        period,
        leaf,
        proof,
    }
}

/// The block is refused, and changes nothing.
fn refused(node: &mut Node, resurrections: &[Resurrection]) -> (usize, ResurrectionError) {
    let (before, bits) = (node.state(), node.bits.clone());
    let next = node.tier.head().expect("there are blocks").0 + 1;
    let writes = [write(3, 9), write(77, 1)];
    let refused = node.apply(next, &writes, resurrections);
    assert_eq!((node.state(), &node.bits), (before, &bits));
    match refused {
        Err(TemporaryError::Resurrection { at, source }) => (at, source),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn no_leaf_is_used_before_its_period_is_sealed() {
    let (mut node, archive) = sealed();
    node.settle();
    let period = PeriodId(0);
    let expected = ResurrectionError::NotYetSealed {
        period,
        sealed_at: 16.into(),
    };
    // Not in block 16 either, which seals it.
    node.apply(16, &[], &[]).expect("it follows");
    let resurrection = leaf(&archive, 0);
    node.undo().expect("one of the last blocks");
    assert_eq!(
        refused(&mut node, std::slice::from_ref(&resurrection)),
        (0, expected)
    );
    node.apply(16, &[], &[]).expect("it follows");
    let later = Resurrection {
        period: PeriodId(1),
        ..resurrection.clone()
    };
    assert!(matches!(
        refused(&mut node, &[resurrection.clone(), later]),
        (1, ResurrectionError::NotYetSealed { .. })
    ));
    node.apply(17, &[], &[resurrection])
        .expect("from the block after on");
}

#[test]
fn no_leaf_is_used_twice() {
    let (mut node, archive) = sealed();
    node.apply(16, &[], &[]).expect("it follows");
    let (period, leaves) = (PeriodId(0), [29, 4, 11].map(|n| leaf(&archive, n)));
    let index = LeafIndex(4);
    let twice = [leaves[1].clone(), leaves[0].clone(), leaves[1].clone()];
    let expected = ResurrectionError::Twice { period, index };
    assert_eq!(refused(&mut node, &twice), (2, expected));
    // In any order.
    let report = node.apply(17, &[], &leaves).expect("each once");
    assert_eq!(report.resurrections, 3);
    let expected = ResurrectionError::Spent { period, index };
    assert_eq!(refused(&mut node, &[leaves[1].clone()]), (0, expected));
    node.reopen();
    assert_eq!(refused(&mut node, &[leaves[1].clone()]), (0, expected));
    // The block is undone, from its log, and the leaf can be used again.
    node.undo().expect("one of the last blocks");
    node.apply(17, &[], &[leaves[1].clone()]).expect("unspent");
    assert_eq!(refused(&mut node, &[leaves[1].clone()]), (0, expected));
    node.apply(18, &[], &[leaves[0].clone()]).expect("unspent");
    // Back across the seal: the bits go.
    for _ in 0..3 {
        node.undo().expect("one of the last blocks");
    }
    node.apply(16, &[], &[]).expect("it follows");
    node.apply(17, &[], &leaves).expect("unspent");
}

#[test]
fn no_proof_of_anything_else_is_taken() {
    let (mut node, archive) = sealed();
    node.apply(16, &[], &[]).expect("it follows");
    let good = leaf(&archive, 3);
    let mut forged = vec![good.clone(); 6];
    forged[0].leaf.value = super::value(1_000);
    forged[1].leaf.location = super::location(1_000);
    forged[2].proof = leaf(&archive, 4).proof;
    forged[3].proof.siblings[0].node.count += 1;
    forged[4].proof.siblings[1].side = match good.proof.siblings[1].side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    };
    forged[5].proof.siblings.pop();
    for forged in forged {
        let (at, error) = refused(&mut node, &[leaf(&archive, 9), forged]);
        assert!(matches!(error, ResurrectionError::Proof { .. }), "{error}");
        assert_eq!(at, 1);
    }
    node.bits = Default::default();
    let (_, error) = refused(&mut node, &[good]);
    assert!(matches!(error, ResurrectionError::NoBit { .. }), "{error}");
}

#[test]
fn no_leaf_is_found_in_a_period_before_the_first_block() {
    let (node, archive) = sealed();
    let mut late = Node::new(node.setup.rules, limits(5), None);
    late.apply(40, &[], &[])
        .expect("any block can be the first");
    drop(node);
    let mut resurrection = Resurrection {
        period: PeriodId(0),
        leaf: Default::default(),
        proof: Default::default(),
    };
    let expected = ResurrectionError::UnknownPeriod(PeriodId(0));
    assert_eq!(refused(&mut late, &[resurrection.clone()]), (0, expected));
    resurrection.period = PeriodId(u64::MAX);
    let (_, error) = refused(&mut late, &[resurrection]);
    assert!(matches!(error, ResurrectionError::NotYetSealed { .. }));
    assert!(archive.leaves(PeriodId(9)).is_none());
}
