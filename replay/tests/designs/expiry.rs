//! Expiry in place: the blocks do not notice, and what they bring along is counted.

use super::{
    conformance::{chain, world},
    every_slot, impatient, opened,
};
use std::sync::Arc;
use thinstate_replay::{
    design::{DesignError, Overlay, Rested, StateDesign},
    load::BlockLoad,
    measure::TierWork,
};

/// Blocks: 128 that can be undone, so that nothing of them expires, and some more.
const BLOCKS: u64 = 190;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    witness_bytes: u64,
    expired: u64,
    archive_bytes: u64,
}

fn run(design: &dyn StateDesign, loads: &[Arc<BlockLoad>]) -> Totals {
    let mut totals = Totals::default();
    for load in loads {
        // The root is the model's: the load says so, and the design compares.
        let (works, rested) = carry_out(design, load).unwrap_or_else(|e| panic!("{}", chain(&e)));
        totals.witness_bytes += works.iter().map(|work| work.witness_bytes).sum::<u64>();
        totals.expired += rested.expired_entries;
        totals.archive_bytes += rested.archive_bytes;
    }
    totals
}

fn carry_out(
    design: &dyn StateDesign,
    load: &Arc<BlockLoad>,
) -> Result<([TierWork; 4], Rested), DesignError> {
    let plan = design.plan(Arc::clone(load))?;
    let read = design.read(&plan, &Overlay::default())?;
    let applied = design.apply(plan)?;
    let works = [read.accounts, read.slots, applied.accounts, applied.slots];
    Ok((works, design.rest()?))
}

fn loads() -> Vec<Arc<BlockLoad>> {
    let options = world::WorldOptions {
        seed: 17,
        wipes: true,
        in_trie: Some(every_slot),
        drifts: true,
    };
    world::blocks(options, 1, BLOCKS)
}

#[test]
fn no_witness_is_brought_uncounted_and_no_root_changes() {
    let loads = loads();
    let dir = tempfile::tempdir().expect("a folder");
    let strict = opened(&impatient(false), &dir.path().join("strict"), 2);
    let totals = run(strict.as_ref(), &loads);
    assert!(totals.expired > 0 && totals.archive_bytes > 0, "{totals:?}");
    assert!(totals.witness_bytes > 0, "{totals:?}");
    let size = strict.size().expect("size");
    assert!(size.tiers["permanent"].archive_bytes > totals.archive_bytes / 2);
    assert!(size.tiers["permanent"].dead_objects >= totals.expired);

    let again = opened(&impatient(false), &dir.path().join("again"), 1);
    assert_eq!(
        run(again.as_ref(), &loads),
        totals,
        "another run, on one thread"
    );

    let backed = opened(&impatient(true), &dir.path().join("backed"), 2);
    let totals = run(backed.as_ref(), &loads);
    assert!(totals.expired > 0);
    assert_eq!(totals.witness_bytes, 0, "the archive answers");
}

/// Blocks are undone into what has expired since, and applied again.
#[test]
fn no_undone_block_is_lost_in_what_has_expired() {
    let loads = loads();
    let dir = tempfile::tempdir().expect("a folder");
    let design = opened(&impatient(false), dir.path(), 2);
    run(design.as_ref(), &loads);
    let depth = 100;
    for _ in 0..depth {
        design
            .undo()
            .unwrap_or_else(|error| panic!("{}", chain(&error)));
    }
    let from = loads.len() - depth;
    assert_eq!(design.head(), Some(loads[from - 1].number));
    run(design.as_ref(), &loads[from..]);
}
