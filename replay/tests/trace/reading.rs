//! No block may be out of reach, and none may be another one.

use crate::blocks::{HEADER, block, empty_block, write};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use thinstate_formats::BlockNumber;
use thinstate_replay::trace::{
    AccountCounts, CodeCounts, SlotCounts, TraceFileError, TraceInfo, TraceReader, TraceWriter,
    partial_path,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_block_is_out_of_reach(numbers in proptest::collection::btree_set(0u64..200, 0..24)) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let blocks: Vec<_> = numbers.iter().map(|number| block(*number)).collect();
        let reader = TraceReader::open(write(directory.path(), &blocks)).expect("just written");

        prop_assert_eq!(reader.header(), HEADER);
        prop_assert_eq!(reader.len(), blocks.len());
        prop_assert_eq!(reader.numbers().map(|it| it.0).collect::<BTreeSet<_>>(), numbers.clone());
        let all: Result<Vec<_>, _> = reader.blocks().collect();
        prop_assert_eq!(&all.expect("whole frames"), &blocks);
        for number in 0..201 {
            let expected = numbers.contains(&number).then(|| block(number));
            prop_assert_eq!(reader.block(BlockNumber(number)).expect("whole frames"), expected);
            let rest: Result<Vec<_>, _> = reader.blocks_from(BlockNumber(number)).collect();
            let from = blocks.partition_point(|block| block.number.0 < number);
            prop_assert_eq!(&rest.expect("whole frames")[..], &blocks[from..]);
        }
    }
}

#[test]
fn threads_do_not_disturb_each_other() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let blocks: Vec<_> = (0..50).map(block).collect();
    let reader = TraceReader::open(write(directory.path(), &blocks)).expect("just written");
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (reader, blocks) = (&reader, &blocks);
            scope.spawn(move || {
                for block in blocks.iter().cycle().skip(start * 13).take(100) {
                    let read = reader.block(block.number).expect("a whole frame");
                    assert_eq!(read.as_ref(), Some(block));
                }
            });
        }
    });
}

#[test]
fn no_access_is_counted_as_another() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let blocks = [block(4), block(5), empty_block(8)];
    let path = write(directory.path(), &blocks);
    let info = TraceReader::open(&path)
        .and_then(|reader| reader.info())
        .expect("just written");
    let bytes_file = fs::metadata(&path).expect("just written").len();
    let tail = 16 + 3 * 16 + 40;
    assert_eq!(info.bytes_compressed, bytes_file - 32 - 3 * 32 - tail);
    assert_eq!(info.slots.preimage_share(), Some(0.2));
    assert_eq!((info.slots.reads(), info.slots.writes()), (4, 6));
    assert_eq!((info.accounts.reads(), info.accounts.writes()), (4, 6));
    let expected = TraceInfo {
        values_assumed: false,
        chain_id: 1,
        blocks: 3,
        first: Some(BlockNumber(4)),
        last: Some(BlockNumber(8)),
        blocks_with_root: 2,
        txs: 6,
        gas_used: 63_000,
        accounts: AccountCounts {
            reads_found: 2,
            reads_absent: 2,
            creates: 2,
            updates: 2,
            deletes: 2,
            wipes: 4,
        },
        slots: SlotCounts {
            reads_found: 2,
            reads_zero: 2,
            creates: 2,
            updates: 2,
            deletes: 2,
            with_preimages: 2,
            writes_with_preimages: 2,
            by_class: [("erc20_balance", 2), ("unclassified", 8)].into(),
        },
        code: CodeCounts {
            reads: 2,
            bytes_read: 200,
            writes: 2,
            bytes_written: 40,
        },
        bytes_file,
        bytes_compressed: info.bytes_compressed,
        bytes_raw: blocks
            .iter()
            .map(|it| thinstate_formats::trace::encode_record(it).expect("rules kept"))
            .map(|record| record.len() as u64)
            .sum(),
    };
    assert_eq!(info, expected);
}

#[test]
fn no_block_goes_in_out_of_order() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("order.trace");
    let mut writer = TraceWriter::create(&path, HEADER).expect("an empty directory");
    writer.push(&block(5)).expect("the first block");
    for number in [5, 4] {
        let error = writer.push(&block(number)).expect_err("not above 5");
        assert!(
            matches!(error, TraceFileError::BlockOrder { .. }),
            "{error}"
        );
    }
    let mut wrong = block(6);
    wrong.accesses.extend_from_within(..);
    let error = writer.push(&wrong).expect_err("an index twice");
    assert!(matches!(error, TraceFileError::Encode { .. }), "{error}");
    writer
        .push(&block(7))
        .expect("a refused block leaves the file as it was");
    let reader = TraceReader::open(writer.finish().expect("room")).expect("just written");
    let numbers: Vec<_> = reader.numbers().map(|number| number.0).collect();
    assert_eq!(numbers, [5, 7]);
    assert_eq!(reader.blocks().filter(Result::is_ok).count(), 2);
}

#[test]
fn no_unfinished_file_bears_the_name() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = write(directory.path(), &[block(1)]);
    assert!(!partial_path(&path).exists());

    let mut writer =
        TraceWriter::create(&path, HEADER).expect("the name is taken, not the partial");
    writer.push(&block(2)).expect("room");
    drop(writer);
    let reader = TraceReader::open(&path).expect("the former trace");
    assert_eq!(reader.block(BlockNumber(1)).expect("whole"), Some(block(1)));

    let error = TraceWriter::create(&path, HEADER).expect_err("an unfinished trace is there");
    assert!(matches!(
        error,
        TraceFileError::Io {
            operation: "create",
            ..
        }
    ));
    fs::remove_file(partial_path(&path)).expect("just there");
    write(directory.path(), &[block(3)]);
    let reader = TraceReader::open(&path).expect("the new trace");
    assert_eq!(reader.block(BlockNumber(3)).expect("whole"), Some(block(3)));
}
