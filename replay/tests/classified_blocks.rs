//! Slots of real blocks must not be taken for what they are not: balances that do not move as logs say,
//! two slots for one object, other objects by search than by preimages.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use alloy_primitives::Address;
use assert_cmd::Command;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use support::mainnet;
use thinstate_engine::Options;
use thinstate_formats::{
    object::{ObjectClass, ObjectKey},
    trace::{BlockTrace, TraceHeader},
};
use thinstate_replay::{
    classify::{
        BlockLogs, Comparison, LayoutBook, Registry, Report, SlotKind, apply_book, classify_block,
        forget, learn_block,
    },
    exec::ChainSpec,
    load::BlockLoad,
    source::witness,
    trace::{TraceReader, TraceWriter, record_witness},
};

/// Blocks of 2019, 2023 and 2025: tokens, NFTs, allowances, positions.
const BLOCKS: [u64; 3] = [9_069_000, 18_884_864, 22_825_315];

fn blocks() -> Option<Vec<(BlockTrace, BlockLogs)>> {
    let folder = mainnet("witness")?;
    let spec = ChainSpec::mainnet();
    let block = |number: u64| {
        let path = folder.join(format!("{number}.json.zst"));
        let witness = witness::read(&path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let recorded = record_witness(dir.path(), &witness, &spec, Options::default()).unwrap();
        let logs = BlockLogs::from_receipts(&recorded.outcome.receipts);
        (recorded.trace, logs)
    };
    Some(BLOCKS.map(block).into())
}

fn learned(blocks: &[(BlockTrace, BlockLogs)], forgotten: bool) -> LayoutBook {
    let mut book = LayoutBook::new(Registry::default());
    for (trace, logs) in blocks {
        let mut trace = trace.clone();
        if forgotten {
            forget(&mut trace);
        }
        learn_block(&trace, logs, &mut book);
    }
    book
}

#[test]
fn no_object_is_in_two_slots_and_no_balance_stands_still() {
    let Some(mut blocks) = blocks() else { return };
    let mut report = Report::default();
    let mut book = LayoutBook::new(Registry::builtin());
    for (trace, logs) in &mut blocks {
        let findings = classify_block(trace, logs, &mut book);
        report.add(&findings);
        let load = BlockLoad::collapse(trace).unwrap();
        assert_eq!(load.slots.len(), findings.slots.len());
        let mut objects: BTreeSet<(Address, ObjectKey)> = BTreeSet::new();
        for slot in &load.slots {
            if let Some(object) = slot.object {
                assert_eq!(object.class(), slot.class);
                assert!(objects.insert((slot.address, object)), "{slot:?}");
            }
        }
        assert!(!objects.is_empty());
    }
    // Of what logs say about a balance that was recognised, nothing stands still. What moves by another
    // amount is AMPL in block 18,884,864, which stores shares of its supply.
    let check = report.balances;
    assert_eq!(check.still, 0, "{check:?}");
    assert!(check.differ * 20 <= check.agree, "{check:?}");
    // The range over such blocks is 20 % to 50 % of writes, with one token as well as with many.
    let erc20 = report.count(|kind, _| kind == SlotKind::Erc20Balance);
    let share = erc20.written as f64 / report.total().written as f64;
    assert!((0.2..0.5).contains(&share), "{share}");
}

#[test]
fn search_never_finds_another_object_than_execution() {
    let Some(blocks) = blocks() else { return };
    let (executed, searched) = (learned(&blocks, false), learned(&blocks, true));
    let mut comparison = Comparison::default();
    for (trace, logs) in &blocks {
        let reference = apply_book(&mut trace.clone(), logs, &executed);
        let mut forgotten = trace.clone();
        forget(&mut forgotten);
        comparison.add(&reference, &apply_book(&mut forgotten, logs, &searched));
    }
    for (kind, agreement) in &comparison.kinds {
        if kind.is_of_user() {
            assert_eq!(agreement.wrong, 0, "{kind}: {agreement:?}");
        }
    }
    let balances = comparison.kinds[&SlotKind::Erc20Balance];
    assert!(balances.recall() > Some(0.9), "{balances:?}");
}

#[test]
fn the_command_changes_nothing_but_classes() {
    let Some(folder) = mainnet("witness") else {
        return;
    };
    let Some(blocks) = blocks() else { return };
    let dir = tempfile::tempdir().unwrap();
    let [from, to, saved] = ["from.trace", "to.trace", "saved.toml"].map(|it| dir.path().join(it));
    let mut writer = TraceWriter::create(&from, TraceHeader::new(1)).unwrap();
    for (trace, _) in &blocks {
        writer.push(trace).unwrap();
    }
    writer.finish().unwrap();
    let arguments: [PathBuf; 9] = [
        "classify".into(),
        from,
        "-o".into(),
        to.clone(),
        "--blocks".into(),
        folder,
        "--save-layouts".into(),
        saved.clone(),
        "--json".into(),
    ];
    let mut command = Command::cargo_bin("thinstate").unwrap();
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["blocks_with_logs"], 3);
    assert!(figures["all"]["objects_written"].as_u64() > Some(100));
    Registry::read(&saved).unwrap();

    let written = TraceReader::open(&to).unwrap();
    assert_eq!(written.len(), blocks.len());
    for (block, (expected, _)) in written.blocks().zip(&blocks) {
        let (mut block, mut expected) = (block.unwrap(), expected.clone());
        assert_ne!(block, expected);
        forget(&mut block);
        forget(&mut expected);
        assert_eq!(block, expected);
    }
}

/// Recording a witness classifies as `classify --forward` does, unless told not to.
#[test]
fn a_recorded_witness_never_lacks_its_classes() {
    let Some(folder) = mainnet("witness") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let [recorded, plain, later, kept] =
        ["recorded", "plain", "later", "kept"].map(|it| dir.path().join(format!("{it}.trace")));
    let files = BLOCKS.map(|number| folder.join(format!("{number}.json.zst")));
    let thinstate = |arguments: &[&Path]| {
        let mut command = Command::cargo_bin("thinstate").unwrap();
        command.args(arguments).assert().success();
    };
    let [first, second, third] = files.each_ref().map(PathBuf::as_path);
    let [trace, classify, o, unclassified, forward, blocks] = [
        "trace",
        "classify",
        "-o",
        "--unclassified",
        "--forward",
        "--blocks",
    ]
    .map(Path::new);
    thinstate(&[trace, first, second, third, o, &recorded]);
    thinstate(&[trace, first, second, third, unclassified, o, &plain]);
    thinstate(&[classify, &plain, forward, blocks, &folder, o, &later]);
    let read = |path: &Path| -> Vec<BlockTrace> {
        let reader = TraceReader::open(path).unwrap();
        reader.blocks().map(Result::unwrap).collect()
    };
    let from = recorded.clone();
    let (recorded, plain) = (read(&recorded), read(&plain));
    assert!(recorded == read(&later));
    assert!(recorded != plain);
    let classes = |blocks: &[BlockTrace]| {
        let groups = blocks.iter().flat_map(|block| &block.accesses);
        let slots = groups.flat_map(|group| &group.slots);
        slots.map(|slot| slot.class).collect::<BTreeSet<_>>()
    };
    assert!(classes(&recorded).len() > 3);
    assert_eq!(classes(&plain).len(), 1);
    // Without the logs that they came from, no class is lost.
    thinstate(&[classify, &from, o, &kept]);
    let kept = read(&kept);
    for (block, before) in kept.iter().zip(&recorded) {
        let slots = |block: &BlockTrace| {
            let groups = block.accesses.clone().into_iter();
            groups.flat_map(|group| group.slots).collect::<Vec<_>>()
        };
        for (slot, before) in slots(block).iter().zip(slots(before)) {
            assert_eq!(slot.key(), before.key());
            let known = before.class != ObjectClass::Unclassified;
            assert!(!known || slot.class == before.class, "{before:?} {slot:?}");
        }
    }
}

#[test]
fn a_registry_that_nobody_can_check_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [trace, registry] = ["empty.trace", "registry.toml"].map(|it| dir.path().join(it));
    let writer = TraceWriter::create(&trace, TraceHeader::new(1)).unwrap();
    writer.finish().unwrap();
    let layout = "layouts = [{ kind = \"erc20_balance\", base = \"0x2\" }]";
    let address = Address::repeat_byte(0x70);
    let text = format!("[[contract]]\naddress = \"{address}\"\nsource = \"\"\n{layout}\n");
    std::fs::write(&registry, text).unwrap();
    let mut command = Command::cargo_bin("thinstate").unwrap();
    let output = command
        .arg("classify")
        .arg(&trace)
        .arg("--registry")
        .arg(&registry)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("source is empty"), "{message}");
}
