//! Nodes with other caps, with and without archives, through crashes, failures, undoing: they agree
//! with the model and with one another.

use super::{
    all_rules,
    archive::MemoryArchive,
    location,
    model::Model,
    node::{Node, limits, write},
};
use crate::{
    leaf_store::{Batch, Fault, LeafStore},
    temporary::{TemporaryLimits, TemporaryWrite},
};
use proptest::prelude::*;
use thinstate_formats::{BlockNumber, TemporaryRules};

const LOCATIONS: u64 = 12;

#[derive(Clone, Debug)]
enum Event {
    /// Location and value of each write.
    Block(Vec<(u64, u64)>),
    Undo,
    Reopen,
    /// A block is staged and taken back.
    RollBack(Vec<(u64, u64)>),
    /// The same with an undoing.
    RollBackUndo,
    /// The store fails in a block; what it says did not happen, or did.
    Fail(Vec<(u64, u64)>, bool),
}

fn any_event() -> impl Strategy<Value = Event> {
    let writes = || prop::collection::vec((0..LOCATIONS, 0u64..4), 0..6);
    prop_oneof![
        12 => writes().prop_map(Event::Block),
        2 => Just(Event::Undo),
        1 => Just(Event::Reopen),
        1 => writes().prop_map(Event::RollBack),
        1 => Just(Event::RollBackUndo),
        1 => (writes(), any::<bool>()).prop_map(|(writes, done)| Event::Fail(writes, done)),
    ]
}

fn writes(pairs: &[(u64, u64)]) -> Vec<TemporaryWrite> {
    pairs.iter().map(|(l, v)| write(*l, *v)).collect()
}

struct Run {
    nodes: Vec<Node>,
    /// After each block, the last one last.
    history: Vec<Model>,
    first: u64,
    /// Blocks that can be undone.
    depth: u64,
    /// Whether a node was opened again.
    reopened: bool,
}

impl Run {
    fn new(rules: TemporaryRules, first: u64) -> Self {
        let checkpoints = TemporaryLimits {
            checkpoint_entries_per_block: 13,
            checkpoint_log_factor: 0,
            ..limits(1)
        };
        let nodes = vec![
            Node::new(rules, limits(0), None),
            Node::new(rules, limits(3), Some(MemoryArchive::default())),
            Node::new(rules, limits(1_000), Some(MemoryArchive::default())),
            Node::new(rules, checkpoints, None),
        ];
        Self {
            nodes,
            history: vec![Model::new(rules)],
            first,
            depth: 0,
            reopened: false,
        }
    }

    fn model(&self) -> &Model {
        &self.history[self.history.len() - 1]
    }

    fn next(&self) -> u64 {
        self.model().block.map_or(self.first, |block| block + 1)
    }

    fn done(&mut self, pairs: &[(u64, u64)]) {
        let (mut model, block) = (self.model().clone(), self.next());
        model.apply(block, &writes(pairs));
        self.history.push(model);
        self.depth = (self.depth + 1).min(3);
    }

    fn go(&mut self, event: &Event) {
        let block = self.next();
        match event {
            Event::Block(pairs) => {
                for node in &mut self.nodes {
                    node.apply(block, &writes(pairs), &[]).expect("it follows");
                }
                self.done(pairs);
            }
            Event::Undo if self.depth > 0 => {
                for node in &mut self.nodes {
                    node.undo().expect("one of the last blocks");
                }
                self.history.pop();
                self.depth -= 1;
            }
            // A node that was opened again after some were undone may know older ones.
            Event::Undo if self.reopened => {}
            Event::Undo => {
                for node in &mut self.nodes {
                    node.undo().expect_err("too old, or none");
                }
            }
            // One of them: the others go on without.
            Event::Reopen => {
                self.reopened = true;
                self.nodes[block as usize % 4].reopen();
            }
            Event::RollBack(pairs) => {
                for node in &mut self.nodes {
                    let former = node.state();
                    let mut batch = Batch::default();
                    let number = BlockNumber(block);
                    let staged =
                        node.tier
                            .stage(number, &writes(pairs), &[], &node.bits, &mut batch);
                    staged.expect("it follows");
                    node.tier.rollback();
                    assert_eq!(node.state(), former);
                }
            }
            Event::RollBackUndo => {
                for node in self.nodes.iter_mut().filter(|_| self.depth > 0) {
                    let former = node.state();
                    let undone = node.tier.stage_undo(&mut Batch::default());
                    undone.expect("one of the last blocks");
                    node.tier.rollback();
                    assert_eq!(node.state(), former);
                }
            }
            Event::Fail(pairs, applied) => self.fail(block, pairs, *applied),
        }
    }

    fn fail(&mut self, block: u64, pairs: &[(u64, u64)], applied: bool) {
        let fault = if applied {
            Fault::Unacknowledged
        } else {
            Fault::Refused
        };
        for node in &mut self.nodes {
            let former = node.tier.head();
            let mut batch = Batch::default();
            let number = BlockNumber(block);
            let staged = node
                .tier
                .stage(number, &writes(pairs), &[], &node.bits, &mut batch);
            let staged = staged.expect("it follows");
            node.store.inject(fault, 0);
            node.store.commit(batch).expect_err("injected");
            node.tier.rollback();
            assert_eq!(node.tier.head(), former);
            if applied {
                node.apply_bits(&staged.changes);
            }
            node.reopen_at(if applied { Some(number) } else { former });
        }
        self.reopened = true;
        if applied {
            self.done(pairs);
        }
    }

    fn check(&self) {
        let model = self.model();
        for (at, node) in self.nodes.iter().enumerate() {
            if model.block.is_some() {
                assert_eq!(
                    node.tier.live_root(),
                    model.live_root(),
                    "node {at} {:?} {}",
                    node.setup.rules,
                    node.state()
                );
            }
            assert_eq!(
                node.tier.periods_root(),
                model.periods_root(),
                "node {at} {:?}: {}, expected {:?}",
                node.setup.rules,
                node.state(),
                model.sealed
            );
            for n in 0..LOCATIONS {
                let location = location(n);
                let got = node.tier.get(&location);
                assert_eq!(got, model.get(&location), "node {at}, location {n}");
            }
            for (period, (leaves, _)) in &model.sealed {
                let sealed = node.tier.period((*period).into()).expect("sealed");
                assert_eq!(sealed.root, model.sealed_root(*period), "period {period}");
                if let Some(archive) = &node.archive {
                    // Of a period before the first block there may be no segment.
                    let archived = archive.leaves((*period).into()).unwrap_or_default();
                    assert_eq!(&archived, leaves, "period {period}");
                }
            }
            assert_eq!(node.bits, self.nodes[0].bits, "node {at}");
            assert_eq!(node.changes, self.nodes[0].changes, "node {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_cap_crash_failure_or_undo_changes_what_is_committed_to(
        events in prop::collection::vec(any_event(), 1..90),
        first in prop_oneof![Just(0u64), Just(1), 5u64..40],
        period_length in prop_oneof![Just(6u64), Just(15)],
    ) {
        for rules in all_rules() {
            let rules = TemporaryRules {
                period_length,
                ..rules
            };
            let mut run = Run::new(rules, first);
            for event in &events {
                run.go(event);
                run.check();
            }
        }
    }
}
