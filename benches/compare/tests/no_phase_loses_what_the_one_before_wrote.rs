//! All phases of a comparison on every store, with the checks of every value read that they have themselves.

use core::sync::atomic::AtomicBool;
use std::path::Path;
use thinstate_benches::Draws;
use thinstate_compare::{
    keys::Position,
    peer,
    phases::{BlocksFound, Found, Phase, PhaseError, STATES, Size, Task},
};

const KEYS: u64 = 2_000;
const HOLDERS: u64 = 1_000;
const ZIPF: Draws = Draws::Zipf { exponent: 0.9 };
const SIZES: [Size; 2] = [size(20), size(300)];

const fn size(block: u64) -> Size {
    Size {
        block,
        warm_up: 1,
        rounds: 2,
        blocks: 2,
    }
}

fn run(store: &str, dir: &Path, phase: Phase) -> Result<Found, PhaseError> {
    let task = Task {
        store: store.to_owned(),
        dir: dir.to_owned(),
        cache_bytes: 16 << 20,
        threads: 2,
        entries: 20_000,
        seed: 5,
        phase,
    };
    let json = serde_json::to_string(&task).expect("a task is JSON");
    let task: Task = serde_json::from_str(&json).expect("and comes back");
    task.run(&AtomicBool::new(false))
}

fn blocks_of(found: Found) -> BlocksFound {
    match found {
        Found::Blocks(found) => found,
        other => panic!("expected blocks, got {other:?}"),
    }
}

fn check(name: &str, found: &BlocksFound) {
    assert_eq!(found.sizes.len(), SIZES.len());
    for (it, size) in found.sizes.iter().zip(SIZES) {
        assert_eq!(it.size, size);
        assert_eq!(
            (it.figures.blocks, it.figures.updates),
            (4, 4 * size.block),
            "{name}"
        );
        assert_eq!(it.figures.updates_per_second.len(), 2, "{name}");
        assert!(
            it.figures.commit_ns.p50 > 0 && it.figures.cpu_ns > 0,
            "{name}"
        );
    }
    assert!(found.folder_bytes > 0, "{name}");
}

fn blocks(draws: Draws, at: Position) -> Phase {
    Phase::Blocks {
        draws,
        at,
        sizes: SIZES.to_vec(),
        drop_caches: false,
    }
}

fn reads(at: Position) -> Phase {
    Phase::Reads {
        draws: Draws::Uniform,
        at,
        reads: 500,
        threads: vec![1, 2],
    }
}

#[test]
fn of_keys() {
    let mut roots = Vec::new();
    for entry in peer::ALL {
        let name = entry.facts.name;
        let dir = tempfile::tempdir().expect("a folder");
        let run = |phase| {
            run(name, dir.path(), phase).unwrap_or_else(|error| panic!("{name}: {error:?}"))
        };
        run(Phase::Fill { keys: KEYS });
        let first = blocks_of(run(blocks(
            Draws::Uniform,
            Position {
                keys: KEYS,
                block: 0,
            },
        )));
        check(name, &first);
        let second = blocks_of(run(blocks(ZIPF, first.at)));
        check(name, &second);
        let expected = Position {
            keys: KEYS + 2 * 5 * (2 + 30),
            block: 20,
        };
        assert_eq!(second.at, expected);
        let Found::Reads(found) = run(reads(second.at)) else {
            panic!("{name}: expected reads");
        };
        assert_eq!(found.threads.len(), 2);
        assert!(
            found
                .threads
                .iter()
                .all(|it| it.cold.reads == 500 && it.warm.ns > 0)
        );
        let root = second.sizes[1].figures.root;
        assert_eq!(root.is_none(), entry.facts.root == "none", "{name}");
        roots.extend(root.filter(|_| entry.facts.is_ethereum));
    }
    roots.dedup();
    assert_eq!(roots.len(), 1, "one root of Ethereum's: {roots:?}");
}

#[test]
fn of_transfers() {
    let peers = peer::ALL.iter().map(|it| it.facts);
    let states = STATES.iter().map(|it| it.facts);
    let mut roots = Vec::new();
    for facts in peers.chain(states) {
        let dir = tempfile::tempdir().expect("a folder");
        let phase = Phase::Transfers {
            draws: ZIPF,
            holders: HOLDERS,
            sizes: SIZES.to_vec(),
        };
        let found = run(facts.name, dir.path(), phase);
        let found = blocks_of(found.unwrap_or_else(|error| panic!("{}: {error:?}", facts.name)));
        check(facts.name, &found);
        assert!(found.at.keys > HOLDERS, "some receivers are new");
        let has_witnesses = found.sizes.iter().any(|it| it.figures.witness_bytes > 0);
        let spends_records = facts.name.starts_with("thinstate-utxo");
        assert_eq!(has_witnesses, spends_records, "{}", facts.name);
        let root = found.sizes[1].figures.root;
        roots.extend(root.filter(|_| facts.is_ethereum));
    }
    roots.dedup();
    assert_eq!(roots.len(), 1, "one root of Ethereum's: {roots:?}");
}

#[test]
fn and_what_was_never_written_is_found_out() {
    let dir = tempfile::tempdir().expect("a folder");
    run("redb", dir.path(), Phase::Fill { keys: KEYS }).expect("filled");
    let ahead = Position {
        keys: 2 * KEYS,
        block: 3,
    };
    let error = run("redb", dir.path(), reads(ahead)).expect_err("half of them are not there");
    assert!(matches!(error, PhaseError::Wrong { .. }), "{error}");
    let error = run("none", dir.path(), Phase::Fill { keys: 1 }).expect_err("no such store");
    assert!(matches!(error, PhaseError::Unknown { .. }), "{error}");
}
