//! What the same blocks come to under different designs.

use super::{
    conformance::{carry_out, chain, world},
    every_slot, impatient, opened, spec, store,
};
use thinstate_replay::{design::flat_lthash::FlatLtHash, design::tally};

/// Reads, writes and roots do not depend on whether anything may expire, and the flat design counts the
/// same keys.
#[test]
fn no_design_counts_other_keys_or_has_another_root() {
    let options = world::WorldOptions {
        seed: 11,
        wipes: true,
        in_trie: Some(every_slot),
        drifts: false,
    };
    let specs = [
        spec("mpt"),
        impatient(false),
        impatient(true),
        spec("flat-lthash"),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    let design = |at: usize| opened(&specs[at], &dir.path().join(at.to_string()), 2);
    let designs: Vec<_> = (0..specs.len()).map(design).collect();
    let tries: Vec<_> = designs.iter().map(|design| design.info().trie).collect();
    assert!(tries[0].is_some() && tries[0] == tries[1] && tries[0] == tries[2]);
    assert_eq!(tries[3], None);
    for load in world::blocks(options, 1, 20) {
        let outcomes: Vec<_> = designs
            .iter()
            .map(|design| {
                carry_out(design.as_ref(), &load).unwrap_or_else(|e| panic!("{}", chain(&e)))
            })
            .collect();
        let keys = |at: usize| {
            let (read, applied) = &outcomes[at];
            let of = |read: &_, applied: &_| {
                let mut work = *read;
                tally::add(&mut work, applied);
                let written = (work.created, work.updated, work.deleted);
                (
                    work.reads_hit,
                    work.reads_absent,
                    work.logical_read_bytes,
                    written,
                )
            };
            (
                of(&read.accounts, &applied.accounts),
                of(&read.slots, &applied.slots),
            )
        };
        for (at, spec) in specs.iter().enumerate().skip(1) {
            assert_eq!(keys(at), keys(0), "block {}, {}", load.number, spec.name);
        }
        for (_, applied) in &outcomes[..3] {
            assert_eq!(applied.state_root, load.state_root);
            assert_eq!(Some(applied.commitment), load.state_root);
        }
        assert_eq!(outcomes[3].1.state_root, None);
    }
}

/// The sum that is kept is the sum of what is there, also after blocks were undone.
#[test]
fn no_sum_differs_from_what_the_store_holds() {
    let options = world::WorldOptions {
        seed: 13,
        wipes: true,
        in_trie: None,
        drifts: false,
    };
    let mut model = world::World::default();
    let dir = tempfile::tempdir().expect("a folder");
    let design = FlatLtHash::open(&spec("flat-lthash"), &store(dir.path(), 2)).expect("open");
    for number in 1..=20 {
        let load = model.next(options, thinstate_formats::BlockNumber(number), number == 1);
        let load = std::sync::Arc::new(load);
        let outcome = carry_out(&design, &load).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let (accounts, slots) = (model.accounts.len() as u64, model.slots.len() as u64);
        let expected = (outcome.1.commitment, accounts, slots);
        assert_eq!(design.verify().expect("verify"), expected, "block {number}");
        if number % 5 == 0 {
            use thinstate_replay::design::StateDesign as _;
            design.undo().expect("undo");
            let (checksum, _, _) = design.verify().expect("verify");
            assert_eq!(checksum, design.checksum());
            carry_out(&design, &load).expect("again");
        }
        let size = thinstate_replay::design::StateDesign::size(&design).expect("size");
        assert_eq!((size.accounts, size.slots), (accounts, slots));
    }
}
