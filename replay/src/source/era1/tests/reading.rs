//! What was written is what is read.

use super::{
    chain::chain,
    writer::{Writer, file},
};
use crate::source::era1::{ChainTip, Era1, Era1Fault, RecordKind};

#[test]
fn blocks_are_not_changed_by_a_round_trip() {
    for start in [0, 1, 100, u64::from(u32::MAX)] {
        let blocks = chain(start, 4);
        let era1 = Era1::from_bytes(file(&blocks), "memory").unwrap();
        assert_eq!(
            (era1.start_block(), era1.last_block(), era1.block_count()),
            (start, start + 3, 4)
        );
        let read: Vec<_> = era1.blocks().map(Result::unwrap).collect();
        assert_eq!(read, blocks);
        for block in blocks.iter().rev() {
            assert_eq!(&era1.block(block.header.number).unwrap(), block);
        }
    }
}

#[test]
fn the_summary_does_not_miscount() {
    let blocks = chain(100, 3);
    let summary = Era1::from_bytes(file(&blocks), "memory")
        .unwrap()
        .verify()
        .unwrap();
    assert_eq!((summary.start_block, summary.blocks), (100, 3));
    assert_eq!(
        (
            summary.transactions,
            summary.ommers,
            summary.foreign_records
        ),
        (9, 3, 0)
    );
    assert_eq!(summary.parent.hash, blocks[0].header.parent_hash);
    assert_eq!(summary.tip, ChainTip::from(&blocks[2]));
}

#[test]
fn a_file_split_in_two_does_not_lose_its_chain() {
    let blocks = chain(100, 4);
    let verify = |part| {
        Era1::from_bytes(file(part), "memory")
            .unwrap()
            .verify()
            .unwrap()
    };
    let (first, second) = (verify(&blocks[..2]), verify(&blocks[2..]));
    assert_eq!(first.tip, second.parent);
    assert_eq!(first.start_block + first.blocks, second.start_block);
}

#[test]
fn blocks_outside_the_file_are_not_invented() {
    let era1 = Era1::from_bytes(file(&chain(100, 3)), "memory").unwrap();
    for number in [0, 99, 103, u64::MAX] {
        let error = era1.block(number).unwrap_err();
        assert_eq!(
            error.fault(),
            Some(&Era1Fault::BlockOutside {
                number,
                first: 100,
                last: 102
            })
        );
    }
}

#[test]
fn foreign_records_are_counted_and_not_read() {
    let mut writer = Writer::new();
    chain(0, 2).iter().for_each(|block| writer.block(block));
    writer.record(RecordKind(0), b"empty record with a length");
    writer.record(RecordKind(0x8001), &[]);
    let summary = Era1::from_bytes(writer.finish(0), "memory")
        .unwrap()
        .verify()
        .unwrap();
    assert_eq!((summary.blocks, summary.foreign_records), (2, 2));
}

#[test]
fn a_missing_file_is_not_reported_without_its_path() {
    let error = Era1::open("/nowhere/at/all.era1").unwrap_err();
    assert!(
        error.to_string().starts_with("/nowhere/at/all.era1: "),
        "{error}"
    );
}
