//! What must hold for any design holds for these.

use super::{
    conformance, conformance::Case, conformance::world::WorldOptions, short_designs, spec,
};
use std::path::Path;
use thinstate_formats::object::ObjectClass;
use thinstate_replay::{
    design::{DesignSpec, StateDesign, open},
    load::SlotLoad,
};

fn without_objects(slot: &SlotLoad) -> bool {
    slot.object.is_none()
}

fn without_records(slot: &SlotLoad) -> bool {
    slot.object.is_none() || slot.class == ObjectClass::Allowance
}

/// All but the comparison with a source's root: the trie is never a source's.
fn conforms(spec: &DesignSpec, in_trie: fn(&SlotLoad) -> bool) {
    let open = |dir: &Path, threads| -> Box<dyn StateDesign> {
        open(spec, &super::store(dir, threads)).expect("open")
    };
    let case = |in_trie| Case {
        open: &open,
        world: WorldOptions {
            seed: 11,
            wipes: false,
            in_trie,
            drifts: false,
        },
        plans_again: true,
    };
    let with_roots = case(Some(in_trie));
    conformance::no_read_differs_from_the_model(&with_roots);
    conformance::no_run_differs_from_another(&with_roots);
    conformance::no_read_ahead_differs(&with_roots);
    conformance::no_block_is_lost_when_reopened(&with_roots);
    conformance::no_undone_block_leaves_a_trace(&with_roots);
    conformance::no_refused_block_leaves_a_trace(&case(None));
}

#[test]
fn the_temporary_design_conforms() {
    conforms(&spec("temporary"), without_objects);
}

#[test]
fn the_utxo_design_conforms() {
    conforms(&spec("utxo"), without_records);
}

#[test]
fn the_layered_design_conforms() {
    conforms(&spec("layered"), without_objects);
}

#[test]
fn designs_with_the_same_trie_have_the_same_name_for_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let tries: Vec<_> = short_designs()
        .iter()
        .map(|spec| {
            let design = super::opened(spec, &dir.path().join(&spec.name));
            design.info().trie.expect("there is a trie")
        })
        .collect();
    let [temporary, utxo, layered, ..] = &tries[..] else {
        panic!("there are three that are built in");
    };
    assert_eq!(temporary, layered);
    assert_ne!(temporary, utxo);
}
