//! Designs with the same trie are compared block by block: with one another, with earlier runs, with headers.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use alloy_primitives::{Address, B256, U256, address};
use std::{fs, path::Path, sync::atomic::AtomicBool};
use thinstate_engine::{BlockId, Options, PermanentTier, leaf_store::MemoryStore};
use thinstate_formats::{
    Account, BlockNumber,
    trace::{AccountAccess, BlockAccessIndex, BlockTrace, SlotAccess, TraceHeader, TxAccesses},
};
use thinstate_replay::{
    amplify::Method,
    load::BlockLoad,
    measure::RunStatus,
    replay::{Outcome, ReplayError, RunConfig, Silent, Workload, run},
    source::genesis::Genesis,
    trace::TraceWriter,
};

fn outcomes(config: &RunConfig) -> Result<Vec<Outcome>, ReplayError> {
    let workload = Workload::open(config)?;
    run(config, &workload, false, &Silent, &AtomicBool::new(false))
}

fn generated(out: &Path) -> RunConfig {
    RunConfig {
        accounts: Some(3_000),
        warm_up: 1,
        blocks: Some(8),
        threads: Some(2),
        amplify: Method::Merge,
        scale: 3,
        out: out.to_owned(),
        ..RunConfig::default()
    }
}

#[test]
fn designs_of_one_run_agree_with_or_without_overlap_and_cache() {
    let dir = tempfile::tempdir().unwrap();
    let config = RunConfig {
        design: vec!["mpt".to_owned(), "mpt-expiry".to_owned()],
        ..generated(&dir.path().join("both"))
    };
    let both = outcomes(&config).unwrap();
    assert_eq!(both.len(), 2);
    let trie = |it: &Outcome| it.result.design.trie.clone().unwrap();
    assert_eq!(trie(&both[0]), trie(&both[1]), "or nothing was compared");
    let root = |it: &Outcome| it.result.last.unwrap().state_root.unwrap();
    assert_eq!(root(&both[0]), root(&both[1]));
    for again in ["first", "second"] {
        let config = RunConfig {
            no_overlap: true,
            cache: Some(dir.path().join("cache")),
            check_roots: Some(both[0].dir.clone()),
            ..generated(&dir.path().join(again))
        };
        assert_eq!(root(&outcomes(&config).unwrap()[0]), root(&both[0]));
    }
}

#[test]
fn a_root_that_differs_from_an_earlier_run_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let earlier = dir.path().join("earlier");
    let root = outcomes(&generated(&earlier)).unwrap()[0]
        .result
        .last
        .unwrap();
    // Another root in the row of the last block, and no checksums that would tell.
    fs::remove_file(earlier.join("SHA256SUMS")).unwrap();
    let rows = fs::read_to_string(earlier.join("blocks.csv")).unwrap();
    let right = root.state_root.unwrap();
    let wrong = B256::repeat_byte(0x77);
    let plain = |root: B256| alloy_primitives::hex::encode(root);
    assert!(rows.contains(&plain(right)));
    fs::write(
        earlier.join("blocks.csv"),
        rows.replace(&plain(right), &plain(wrong)),
    )
    .unwrap();
    let out = dir.path().join("later");
    let config = RunConfig {
        check_roots: Some(earlier.clone()),
        ..generated(&out)
    };
    match outcomes(&config) {
        Err(ReplayError::Root {
            number,
            got,
            expected,
            ..
        }) => assert_eq!((number, got, expected), (root.number, right, wrong)),
        other => panic!("{other:?}"),
    }
    let result = thinstate_replay::measure::RecordedRun::open(&out)
        .unwrap()
        .result;
    assert_eq!(result.status, RunStatus::Failed);
    assert!(result.error.unwrap().contains(&plain(wrong)));

    let other = RunConfig {
        seed: 2,
        check_roots: Some(earlier),
        ..generated(&dir.path().join("other"))
    };
    assert!(matches!(
        outcomes(&other),
        Err(ReplayError::Reference { .. })
    ));
}

const RICH: Address = address!("0x1000000000000000000000000000000000000001");
const NEW: Address = address!("0x1000000000000000000000000000000000000002");

/// A genesis file, and the trace of some blocks on it, with the roots that another store gives them.
fn chain(dir: &Path, spoiled: Option<u64>) -> RunConfig {
    let genesis = dir.join("genesis.json");
    let alloc = format!(
        "{{\"alloc\": {{\"{RICH}\": {{\"balance\": \"0x64\", \"storage\": {{\"0x01\": \"0x05\"}}}}}}}}"
    );
    fs::write(
        &genesis,
        alloc
            .replace("\"0x01\"", &format!("\"{}\"", B256::with_last_byte(1)))
            .replace("\"0x05\"", &format!("\"{}\"", B256::with_last_byte(5))),
    )
    .unwrap();
    let tier = PermanentTier::open(MemoryStore::new(), Options::default()).unwrap();
    let id = |number| BlockId {
        number: BlockNumber(number),
        hash: B256::ZERO,
    };
    tier.apply(id(0), &Genesis::load(&genesis).unwrap().changes)
        .unwrap();
    let header = TraceHeader::new(1);
    let mut writer = TraceWriter::create(dir.join("chain.trace"), header).unwrap();
    // The allocation as writes, as a trace from genesis begins: the state that the blocks are on.
    let mut allocation = TxAccesses::new(BlockAccessIndex::new(0));
    allocation.accounts = vec![AccountAccess::write(RICH, None, with(100), false)];
    allocation.slots = vec![SlotAccess::write(
        RICH,
        U256::ONE,
        U256::ZERO,
        U256::from(5),
    )];
    writer
        .push(&BlockTrace {
            accesses: vec![allocation],
            ..block(0)
        })
        .unwrap();
    for number in 1..=6 {
        let mut block = block(number);
        let changes = BlockLoad::collapse(&block).unwrap().changes(|_| true);
        let root = tier.apply(id(number), &changes).unwrap().root;
        block.state_root = Some(match spoiled == Some(number) {
            true => B256::repeat_byte(0x99),
            false => root,
        });
        writer.push(&block).unwrap();
    }
    RunConfig {
        trace: Some(writer.finish().unwrap()),
        genesis: Some(genesis),
        warm_up: 1,
        out: dir.join("out"),
        ..RunConfig::default()
    }
}

fn with(balance: u64) -> Option<Account> {
    Some(Account {
        balance: U256::from(balance),
        ..Account::default()
    })
}

fn block(number: u64) -> BlockTrace {
    let mut group = TxAccesses::new(BlockAccessIndex::new(1));
    let before = (number > 1).then(|| with(number - 1)).flatten();
    group.accounts = vec![
        AccountAccess::write(RICH, with(101 - number), with(100 - number), false),
        AccountAccess::write(NEW, before, with(number), false),
    ];
    let [slot, from, to] = [1, 4 + number, 5 + number].map(U256::from);
    group.slots = vec![SlotAccess::write(RICH, slot, from, to)];
    BlockTrace {
        number: BlockNumber(number),
        timestamp: number,
        gas_used: 21_000,
        gas_limit: 5_000_000,
        tx_count: 1,
        hash: B256::ZERO,
        parent_hash: B256::ZERO,
        state_root: None,
        accesses: vec![group],
    }
}

#[test]
fn blocks_on_genesis_end_at_their_headers_roots() {
    let dir = tempfile::tempdir().unwrap();
    let config = chain(dir.path(), None);
    let outcome = outcomes(&config).unwrap().remove(0);
    assert_eq!(outcome.result.totals.blocks, 5);
    // Merged blocks end at the root of the last of them.
    let merged = RunConfig {
        amplify: Method::Merge,
        scale: 2,
        ..config
    };
    let merged = outcomes(&merged).unwrap().remove(0);
    let root = |it: &Outcome| it.result.last.unwrap().state_root;
    assert_eq!(root(&merged), root(&outcome));
    assert_eq!(merged.result.totals.blocks, 2);
}

/// A trace that begins with block 1 leaves no room for a filler before it: its blocks get later numbers.
#[test]
fn no_design_lacks_room_for_a_filler_under_the_first_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let config = RunConfig {
        genesis: None,
        accounts: Some(3_000),
        design: vec!["utxo".to_owned(), "layered".to_owned()],
        ..chain(dir.path(), None)
    };
    for outcome in outcomes(&config).unwrap() {
        assert_eq!(outcome.result.status, RunStatus::Completed);
        assert!(outcome.result.state_before.accounts >= 3_000);
    }
}

#[test]
fn a_block_that_ends_elsewhere_than_its_header_says_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    match outcomes(&chain(dir.path(), Some(4))) {
        Err(ReplayError::Root {
            number, expected, ..
        }) => assert_eq!((number.0, expected), (4, B256::repeat_byte(0x99))),
        other => panic!("{other:?}"),
    }
}
