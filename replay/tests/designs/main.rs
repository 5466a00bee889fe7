//! Designs of one tier, tested from outside: they never differ from a model in memory, nor the ones with a
//! trie from alloy-trie, nor do they count anything wrongly.

#[path = "../support/design_conformance.rs"]
mod conformance;

mod agree;
mod codes;
mod cold;
mod counts;
mod expiry;
mod fill;

use conformance::{Case, world::WorldOptions};
use std::path::Path;
use thinstate_engine::leaf_store::StoreKind;
use thinstate_replay::{
    design::{DesignSpec, DesignStore, ExpirySpec, StateDesign, builtin, open},
    load::SlotLoad,
};

/// The store of a design in a folder.
fn store(dir: &Path, threads: usize) -> DesignStore {
    store_of(StoreKind::default(), dir, threads)
}

fn store_of(kind: StoreKind, dir: &Path, threads: usize) -> DesignStore {
    DesignStore {
        dir: dir.to_owned(),
        kind,
        cache_bytes: 8 << 20,
        threads: Some(threads),
        direct_io: false,
    }
}

fn opened(spec: &DesignSpec, dir: &Path, threads: usize) -> Box<dyn StateDesign> {
    open(spec, &store(dir, threads)).expect("open")
}

fn spec(name: &str) -> DesignSpec {
    builtin(name).expect("it is built in")
}

/// The design with expiry, with so little patience that tests see some.
fn impatient(archive_backed: bool) -> DesignSpec {
    DesignSpec {
        expiry: Some(ExpirySpec {
            after_blocks: 4,
            entries_max: 16,
            cap_per_block: 400,
            archive_backed,
        }),
        ..spec("mpt-expiry")
    }
}

fn every_slot(_: &SlotLoad) -> bool {
    true
}

fn conforms(spec: &DesignSpec, in_trie: Option<fn(&SlotLoad) -> bool>) {
    for kind in StoreKind::ALL {
        conforms_on(kind, spec, in_trie);
    }
}

fn conforms_on(kind: StoreKind, spec: &DesignSpec, in_trie: Option<fn(&SlotLoad) -> bool>) {
    let mut case = Case {
        open: &|dir, threads| open(spec, &store_of(kind, dir, threads)).expect("open"),
        world: WorldOptions {
            seed: 7,
            wipes: true,
            in_trie,
            drifts: false,
        },
        plans_again: true,
    };
    conformance::all(&case);
    for seed in 8..12 {
        case.world.seed = seed;
        conformance::no_read_differs_from_the_model(&case);
    }
}

#[test]
fn the_permanent_design_conforms() {
    conforms(&spec("mpt"), Some(every_slot));
}

#[test]
fn the_permanent_design_with_expiry_conforms() {
    conforms(&impatient(false), Some(every_slot));
}

#[test]
fn the_flat_design_conforms() {
    conforms(&spec("flat-lthash"), None);
}
