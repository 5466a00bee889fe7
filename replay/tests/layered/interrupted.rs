//! A fill that ends in the middle, wherever that is, and is carried out again in the same folder, leaves the store
//! that one in a piece leaves.

use super::{conformance::chain, opened, spec};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    design::{FillContext, LayeredDesign, StateDesign},
    population::{Population, PopulationSpec},
};

const HEAD: BlockNumber = BlockNumber(24_870_000);

/// Fills what is in the folder, and tells each stage to `progress`.
fn fill(
    name: &str,
    dir: &Path,
    population: &Population,
    progress: &(dyn Fn(&str, u64, u64) + Sync),
) -> LayeredDesign {
    let design = opened(&spec(name), dir);
    let context = FillContext {
        block: HEAD,
        progress,
    };
    let filled = design.fill(population, &context);
    filled.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
    design
}

/// What two stores with the same state have in common.
fn seen(design: &LayeredDesign) -> impl PartialEq + core::fmt::Debug + use<> {
    let size = design.size().expect("size");
    let objects = size.tiers.into_iter();
    let objects: Vec<_> = objects
        .map(|(tier, it)| (tier, it.live_objects, it.dead_objects, it.spent_objects))
        .collect();
    let store = design.store();
    (
        store.commitment(),
        store.next_record_index(),
        (size.accounts, size.slots),
        objects,
    )
}

#[test]
fn no_fill_that_was_interrupted_differs_from_one_in_a_piece() {
    let population = Population::new(PopulationSpec::of(1_200, 5)).expect("mainnet's shape");
    for name in ["temporary", "utxo", "layered"] {
        let stages = Mutex::new(BTreeMap::<String, u64>::new());
        let whole = tempfile::tempdir().expect("a folder");
        let design = fill(name, whole.path(), &population, &|stage, _, _| {
            let mut stages = stages.lock().expect("no panic here");
            *stages.entry(stage.to_owned()).or_default() += 1;
        });
        let expected = seen(&design);
        drop(design);
        let stages = stages.into_inner().expect("no panic here");
        assert!(stages.len() > 2, "{stages:?}");
        for (stage, calls) in stages {
            let dir = tempfile::tempdir().expect("a folder");
            let left = AtomicU64::new(calls);
            let interrupted = catch_unwind(AssertUnwindSafe(|| {
                fill(name, dir.path(), &population, &|now, _, _| {
                    assert!(now != stage || left.fetch_sub(1, SeqCst) > 1, "interrupted");
                })
            }));
            assert!(interrupted.is_err(), "{name}: {stage}");
            let design = fill(name, dir.path(), &population, &|_, _, _| {});
            assert_eq!(seen(&design), expected, "{name}: {stage}");
            // It opens as what it is.
            drop(design);
            let design = opened(&spec(name), dir.path());
            assert_eq!(seen(&design), expected, "{name}: {stage}");
            assert_eq!(design.head(), Some(HEAD));
        }
    }
}
