//! Code: no design counts a read of it that its store did not answer.

use super::{conformance::chain, opened, spec};
use alloy_primitives::B256;
use std::sync::Arc;
use thinstate_formats::{
    BlockNumber,
    trace::{CodeRead, CodeWrite},
};
use thinstate_replay::{
    design::{DesignError, FillContext, Overlay, Preload, ReadCost, StateDesign},
    load::BlockLoad,
    population::{Population, PopulationSpec},
};

const BASE: BlockNumber = BlockNumber(9);
const DESIGNS: [&str; 6] = [
    "mpt",
    "mpt-expiry",
    "flat-lthash",
    "layered",
    "temporary",
    "utxo",
];

fn population() -> Population {
    Population::new(PopulationSpec::of(400, 3)).expect("mainnet's shape")
}

/// The design, filled with a population at the block before the last one, at least one of its records behind.
fn filled(name: &str, dir: &std::path::Path) -> Box<dyn StateDesign> {
    let design = opened(&spec(name), dir, 2);
    design
        .fill(&population(), &context(BASE))
        .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
    design
}

fn context(block: BlockNumber) -> FillContext<'static> {
    FillContext {
        block,
        progress: &|_, _, _| {},
    }
}

/// A block so far behind the fill that reads and deploys code, and nothing else.
fn block(behind: u64, reads: &[(B256, u32)], writes: &[(B256, u32)]) -> Arc<BlockLoad> {
    let mut load = BlockLoad {
        number: BlockNumber(BASE.0 + behind),
        blocks: 1,
        ..BlockLoad::default()
    };
    let reads = reads.iter();
    load.code_reads = reads
        .map(|(hash, length)| CodeRead {
            hash: *hash,
            length: *length,
        })
        .collect();
    let writes = writes.iter();
    load.code_writes = writes
        .map(|(hash, length)| CodeWrite {
            hash: *hash,
            length: *length,
        })
        .collect();
    load.sort();
    Arc::new(load)
}

/// What reading a block costs, and the lookups of the store for it.
fn read(
    design: &dyn StateDesign,
    load: &Arc<BlockLoad>,
    overlay: &Overlay,
) -> Result<(ReadCost, u64), DesignError> {
    let plan = design.plan(Arc::clone(load))?;
    let before = design.counters();
    let cost = design.read(&plan, overlay)?;
    Ok((cost, design.counters().since(&before).gets))
}

fn apply(design: &dyn StateDesign, load: &Arc<BlockLoad>) {
    let plan = design.plan(Arc::clone(load)).expect("planned");
    design.apply(plan).expect("applied");
}

#[test]
fn no_code_of_a_filled_store_is_counted_without_being_read() {
    let codes: Vec<_> = population().code_lengths().step_by(100).collect();
    assert_eq!(codes.len(), 10);
    let bytes: u64 = codes.iter().map(|(_, length)| u64::from(*length)).sum();
    for name in DESIGNS {
        let dir = tempfile::tempdir().expect("a folder");
        let design = filled(name, dir.path());
        let (cost, gets) = read(&*design, &block(1, &codes, &[]), &Overlay::default()).expect(name);
        assert_eq!((cost.codes, cost.code_bytes), (10, bytes), "{name}");
        assert_eq!(gets, 10, "{name}: a lookup for each");
        let absent = B256::repeat_byte(0xee);
        let refused = read(
            &*design,
            &block(1, &[(absent, 5)], &[]),
            &Overlay::default(),
        );
        assert!(
            matches!(&refused, Err(DesignError::Code(it)) if it.got.is_none()),
            "{name}: {refused:?}"
        );
        let (hash, length) = codes[0];
        let refused = read(
            &*design,
            &block(1, &[(hash, length + 1)], &[]),
            &Overlay::default(),
        );
        assert!(
            matches!(refused, Err(DesignError::Code(_))),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn no_deployed_code_is_missed() {
    let deployed = (B256::repeat_byte(0xdd), 5_000);
    for name in DESIGNS {
        let dir = tempfile::tempdir().expect("a folder");
        let design = filled(name, dir.path());
        let first = block(1, &[deployed], &[deployed]);
        let second = block(2, &[deployed], &[]);
        let (cost, _) = read(&*design, &first, &Overlay::default()).expect(name);
        assert_eq!(cost.code_bytes, 5_000, "{name}: by the block itself");
        let plan = design.plan(Arc::clone(&first)).expect("planned again");
        let before = design.counters();
        design.apply(plan).expect("applied");
        let written = design.counters().since(&before).logical_written_bytes;
        assert!(written >= 5_000, "{name}: {written}");
        let (cost, gets) = read(&*design, &second, &Overlay::default()).expect(name);
        assert_eq!(
            (cost.code_bytes, gets),
            (5_000, 1),
            "{name}: from the store"
        );
        // Who deploys what is there writes nothing of it.
        let before = design.counters();
        apply(&*design, &block(2, &[], &[deployed]));
        let written = design.counters().since(&before).logical_written_bytes;
        assert!(written < 5_000, "{name}: {written}");
    }
}

#[test]
fn no_code_of_a_pending_block_is_missed() {
    let deployed = (B256::repeat_byte(0xdd), 70);
    for name in DESIGNS {
        let dir = tempfile::tempdir().expect("a folder");
        let design = filled(name, dir.path());
        let first = block(1, &[], &[deployed]);
        let pending = Overlay {
            blocks: vec![Arc::clone(&first)],
        };
        let plan = design.plan(first).expect("planned");
        let (cost, _) = read(&*design, &block(2, &[deployed], &[]), &pending).expect(name);
        assert_eq!(cost.code_bytes, 70, "{name}");
        drop(plan);
    }
}

#[test]
fn no_code_of_a_trace_is_missing_after_a_preload() {
    let codes: Vec<_> = (1..=40)
        .map(|byte| (B256::repeat_byte(byte), 100 * u32::from(byte)))
        .collect();
    let preload = Preload {
        codes: codes.iter().copied().collect(),
        ..Preload::default()
    };
    for name in DESIGNS {
        let dir = tempfile::tempdir().expect("a folder");
        let design = filled(name, dir.path());
        let last = BlockNumber(BASE.0 + 3);
        design
            .preload(&preload, &context(last))
            .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        let (cost, gets) = read(&*design, &block(4, &codes, &[]), &Overlay::default()).expect(name);
        assert_eq!((cost.codes, gets), (40, 40), "{name}");
    }
}
