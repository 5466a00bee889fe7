//! Over many periods no object is lost, has two versions, or another value than the blocks left.

use super::{audit::audit, conformance::carry_out, objects::Objects, opened, short_designs};
use thinstate_replay::design::{DesignSpec, StateDesign};

const FIRST: u64 = 1_000;
const BLOCKS: u64 = 700;

fn no_version_differs(spec: &DesignSpec, seed: u64) {
    println!("design {}, seed {seed}", spec.name);
    let dir = tempfile::tempdir().expect("a folder");
    let design = opened(spec, dir.path());
    let mut objects = Objects::new(seed, FIRST);
    objects.misfits = 10;
    let mut seen = super::audit::Audit::default();
    let mut waited = 0;
    for n in 0..BLOCKS {
        // Long silences, in which what is not touched leaves.
        let touched = if n / 100 % 2 == 0 { 6 } else { 1 };
        let load = objects.block(touched);
        let outcome = carry_out(&design, &load);
        outcome.unwrap_or_else(|error| panic!("block {n}: {}", super::conformance::chain(&error)));
        waited = waited.max(design.waiting());
        if n % 50 == 49 {
            let found = audit(&design, spec, &objects.values);
            seen.used = seen.used.max(found.used);
            seen.frozen = seen.frozen.max(found.frozen);
            seen.sealed = seen.sealed.max(found.sealed);
            seen.spent = seen.spent.max(found.spent);
            seen.in_trie = seen.in_trie.max(found.in_trie);
        }
    }
    println!("{seen:?}, {waited} waited");
    let policy = spec.policy();
    let uses = |tier| policy.uses(tier);
    assert!(seen.in_trie > 0, "values without form were in the trie");
    if uses(thinstate_formats::object::Tier::Temporary) && spec.name != "layered" {
        assert!(
            seen.used > 0 && seen.sealed > 0 && seen.frozen > 0,
            "{seen:?}"
        );
        assert!(waited > 0, "something was needed on its way to the seal");
    }
    if uses(thinstate_formats::object::Tier::Utxo) {
        assert!(seen.spent > 0, "{seen:?}");
    }
    let size = design.size().expect("sizes");
    assert!(size.folder_bytes > 0 && size.tiers.len() >= 2);
}

#[test]
fn no_object_of_a_temporary_design_has_another_version() {
    no_version_differs(&short_designs()[0], 1);
}

#[test]
fn no_object_of_a_utxo_design_has_another_version() {
    no_version_differs(&short_designs()[1], 2);
}

#[test]
fn no_object_of_a_layered_design_has_another_version() {
    no_version_differs(&short_designs()[2], 3);
}

#[test]
fn no_object_with_one_readable_period_has_another_version() {
    no_version_differs(&short_designs()[3], 4);
}

#[test]
fn no_object_without_tombstones_has_another_version() {
    no_version_differs(&short_designs()[4], 5);
}
